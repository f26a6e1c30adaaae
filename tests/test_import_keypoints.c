/* test_import_keypoints.c - COCO's form: COCO and WholeBody from real files, CrowdPose and PoseTrack18, of which no file may
 * lie here, from small ones written after their owners' descriptions. */
#include "importing.h"
#include "source.h"
#include "src/import/layout.h"

static importing t;
static int set_up(void **state) {
    (void)state;
    importing_begin(&t, "keypoints");
    return 0;
}
static int tear_down(void **state) {
    (void)state;
    importing_end(&t);
    return 0;
}

/* n joints: joint k at (x + k, y + 2 k) with flag `flag`, those from `known` on 0. */
static const char *points(int n, int known, int x, int y, int flag) {
    char text[2048] = "", *to = text;
    for (int k = 0; k < n; k++)
        to += k < known ? sprintf(to, "%s%d, %d, %d", k ? ", " : "", x + k, y + 2 * k, flag) : sprintf(to, "%s0, 0, 0", k ? ", " : "");
    return gn_arena_text(t.arena, "[%s]", text);
}

/* --- COCO --- */

static void coco_as_it_is(void **state) {
    (void)state;
    const char *source = source_real(t.arena, "coco");
    static const struct { int id; const char *take; double box[4]; int joint; double x, y; int labelled, hidden; } person[] = {
        { 442619, "000000000785.jpg", { 280.79, 44.73, 218.7, 346.68 }, 15, 466, 362, 17, 0 },
        { 460541, "000000196141.jpg", { 247.76, 74.23, 169.67, 300.78 }, 3, 314, 108, 15, 0 },
        { 488308, "000000196141.jpg", { 555.57, 99.84, 48.32, 113.05 }, 16, 557, 219, 15, 4 },
        { 1717641, "000000196141.jpg", { 453.77, 206.81, 177.23, 210.87 }, 5, 531, 262, 12, 0 },
        { 1724673, "000000196141.jpg", { 36.12, 67.59, 30.41, 96.08 }, 0, 48, 79, 17, 0 },
    };
    OK(importing_run(&t, "coco", source, "out"));
    assert_non_null(strstr(t.said, "2 pictures, 6 persons; left out 0 crowds and 1 without a labelled joint"));
    assert_false(importing_left(&t, "out", "train"));
    gn_shard *s = importing_shard(&t, "out", "valid");
    assert_ptr_equal(gn_shard_skeleton(s), &gn_coco17);
    assert_int_equal(gn_shard_samples(s), 5);
    assert_non_null(strstr(gn_shard_provenance(s), "CC BY 4.0"));
    for (int i = 0; i < 5; i++) {
        assert_int_equal(*(const int64_t *)importing_at(s, "frame", i), person[i].id);
        assert_string_equal(importing_at(s, "take", i), person[i].take);
        assert_int_equal(importing_labelled(s, "labelled2d", i), person[i].labelled);
        assert_int_equal(importing_labelled(s, "occluded2d", i), person[i].hidden);
        importing_near(s, i, person[i].joint, person[i].box, person[i].x, person[i].y, 64);
    }
    assert_int_equal(((const uint8_t *)importing_at(s, "labelled2d", 1))[2], 0); /* the batter's right eye */
    assert_int_equal(((const uint8_t *)importing_at(s, "occluded2d", 2))[3], 1); /* the umpire's left ear */
    t.from.every = 2; /* pictures, since they are stills */
    OK(importing_run(&t, "coco", source, "out"));
    assert_int_equal(gn_shard_samples(importing_shard(&t, "out", "valid")), 1);
}

static void feet(void **state) {
    (void)state;
    const double box[4] = { 280.79, 44.73, 218.7, 346.68 };
    OK(importing_run(&t, "wholebody", source_real(t.arena, "coco"), "out"));
    gn_shard *s = importing_shard(&t, "out", "valid");
    assert_ptr_equal(gn_shard_skeleton(s), &gn_coco23);
    assert_int_equal(gn_shard_samples(s), 5);
    assert_int_equal(importing_labelled(s, "labelled2d", 0), 23);
    importing_near(s, 0, gn_joint_find(&gn_coco23, "nose"), box, 367, 81, 64);
    importing_near(s, 0, gn_joint_find(&gn_coco23, "l_big_toe"), box, 439, 378, 64);
    importing_near(s, 0, gn_joint_find(&gn_coco23, "l_heel"), box, 479, 370, 64);
    importing_near(s, 0, gn_joint_find(&gn_coco23, "r_heel"), box, 413, 353, 64);
}

/* Annotations before images, crowds as 1 and true with run lengths, persons without joints, a box beyond the picture and
 * none at all; persons of one picture apart in the file. */
static const char *quirks(void) {
    return gn_arena_text(
        t.arena,
        "{\"info\": {\"year\": 2017}, \"annotations\": [\n"
        "{\"id\": 31, \"image_id\": 900, \"num_keypoints\": 17, \"iscrowd\": 0, \"bbox\": [-20.5, 10.25, 60, 40.5], \"keypoints\": %s},\n"
        "{\"id\": 32, \"image_id\": 70, \"iscrowd\": 1, \"segmentation\": {\"counts\": [5, 7], \"size\": [60, 80]}, \"bbox\": [0, 0, 9, 9]},\n"
        "{\"id\": 33, \"image_id\": 70, \"iscrowd\": true, \"segmentation\": {\"counts\": \"ab\\\\1\", \"size\": [60, 80]}, \"keypoints\": %s},\n"
        "{\"id\": 34, \"image_id\": 70, \"num_keypoints\": 0, \"keypoints\": %s, \"bbox\": [1, 2, 30, 40]},\n"
        "{\"id\": 35, \"image_id\": 70, \"iscrowd\": false, \"segmentation\": [[1, 2, 3.5]], \"keypoints\": %s, \"bbox\": [5, 5, 40, 50]},\n"
        "{\"id\": 36, \"image_id\": 900, \"keypoints\": %s}],\n"
        "\"images\": [{\"id\": 900, \"file_name\": \"000000000900.png\", \"width\": 80, \"height\": 60},\n"
        "{\"id\": 70, \"file_name\": \"000000000070.png\", \"width\": 80, \"height\": 60}]}",
        points(17, 5, -10, 20, 2), points(17, 9, 9, 9, 2), points(17, 0, 0, 0, 0), points(17, 17, 10, 12, 1), points(17, 17, 30, 15, 2));
}

static void coco_quirks(void **state) {
    (void)state;
    const double beyond[4] = { -20.5, 10.25, 60, 40.5 }, joints[4] = { 30, 15, 16, 32 };
    importing_write(&t, "annotations/person_keypoints_val2017.json", quirks());
    importing_write(&t, "annotations/person_keypoints_train2017.json", quirks());
    importing_write(&t, "annotations/instances_val2017.json", "no JSON at all");
    static const char *const below[] = { "val2017", "train2017" };
    for (int k = 0; k < 2; k++) {
        importing_picture(&t, gn_arena_text(t.arena, "%s/000000000070.png", below[k]), 80, 60);
        importing_picture(&t, gn_arena_text(t.arena, "%s/000000000900.png", below[k]), 80, 60);
    }
    OK(importing_run(&t, "coco", importing_path(&t, "annotations"), "out"));
    assert_non_null(strstr(t.said, "2 files, 4 pictures, 12 persons; left out 4 crowds and 2 without a labelled joint"));
    for (int valid = 0; valid < 2; valid++) {
        gn_shard *s = importing_shard(&t, "out", valid ? "valid" : "train");
        static const int id[] = { 35, 31, 36 }; /* picture by picture */
        assert_int_equal(gn_shard_samples(s), 3);
        for (int i = 0; i < 3; i++) assert_int_equal(*(const int64_t *)importing_at(s, "frame", i), id[i]);
        assert_int_equal(importing_labelled(s, "occluded2d", 0), 17);
        assert_int_equal(importing_labelled(s, "labelled2d", 1), 5);
        importing_near(s, 1, 4, beyond, -6, 28, 64);
        importing_near(s, 2, 16, joints, 46, 47, 64);
    }
}

static void pictures_where_owners_put_them(void **state) {
    (void)state;
    static const char *const below[] = { "", "images/", "val2017/", "images/val2017/" };
    const char *source = importing_write(&t, "set/annotations/person_keypoints_val2017.json", quirks());
    FAILS(importing_run(&t, "coco", source, "out"), MISSING);
    assert_non_null(strstr(gn_reason(), "000000000070.png: no such picture"));
    for (int k = 0; k < 4; k++)
        for (int named = 0; named < 2; named++) { /* beside the annotations' folder, and where --pictures says */
            const char *root = named ? "elsewhere" : "set", *folder = gn_arena_text(t.arena, "%s/%s", root, below[k]);
            importing_picture(&t, gn_arena_text(t.arena, "%s000000000070.png", folder), 80, 60);
            importing_picture(&t, gn_arena_text(t.arena, "%s000000000900.png", folder), 80, 60);
            t.from.pictures = named ? importing_path(&t, root) : NULL;
            OK(importing_run(&t, "coco", source, "out"));
            assert_int_equal(gn_shard_samples(importing_shard(&t, "out", "valid")), 3);
            OK(gn_io_remove(importing_path(&t, gn_arena_text(t.arena, "%s/%s000000000070.png", root, below[k]))));
            OK(gn_io_remove(importing_path(&t, gn_arena_text(t.arena, "%s/%s000000000900.png", root, below[k]))));
        }
    t.from.pictures = "/nowhere";
    FAILS(importing_run(&t, "coco", source, "out"), MISSING);
    t.from.keep = GN_KEEP_NONE;
    t.from.pictures = NULL;
    OK(importing_run(&t, "coco", source, "labels"));
}

/* 70 MB of JSON, mostly outlines, in a child with 320 MiB: one tree of it takes 600 and more. */
static void large(void **state) {
    (void)state;
    enum { PERSONS = 8000 };
    const char *path = importing_write(&t, "person_keypoints_val2017.json", ""), *joints = points(17, 17, 9, 9, 2);
    FILE *to = fopen(path, "w");
    assert_non_null(to);
    fputs("{\"annotations\": [", to);
    for (int i = 0; i < PERSONS; i++) {
        fprintf(to, "%s{\"id\": %d, \"image_id\": %d, \"keypoints\": %s, \"segmentation\": [[0", i ? ",\n" : "", i, i % 100, joints);
        for (int k = 0; k < 1000; k++) fprintf(to, ", %d.25", 100 + k % 800);
        fputs("]]}", to);
    }
    fputs("], \"images\": [", to);
    for (int i = 0; i < 100; i++) fprintf(to, "%s{\"id\": %d, \"file_name\": \"%d.png\", \"width\": 640, \"height\": 480}", i ? ", " : "", i, i);
    fputs("]}", to);
    assert_true(ftell(to) > 60000000);
    fclose(to);
    t.from.keep = GN_KEEP_NONE;
    t.from.memory = INT64_C(320) << 20;
    OK(importing_run(&t, "coco", path, "out"));
    gn_shard *s = NULL;
    OK(gn_shard_open(t.arena, importing_path(&t, "out/valid.h5"), &s));
    assert_int_equal(gn_shard_samples(s), PERSONS);
    assert_int_equal(*(const int64_t *)importing_at(s, "frame", 81), 101); /* the second of picture 1 */
}

#define IMAGE "\"images\": [{\"id\": 1, \"file_name\": \"a.png\", \"width\": 80, \"height\": 60}]"

static void coco_faults(void **state) {
    (void)state;
    const char *good = points(17, 17, 9, 9, 2);
    const struct { const char *text, *where, *why; } bad[] = {
        { "[{\"bbox\": [1, 2, 3, 4], \"image_id\": 1, \"score\": 0.5}]", "", "a detector's results" },
        { "{\"images\": [{\"id\": 1,\n\"id\": 2}]}", ":2:5: ", "duplicate object key" },
        { "{\"people\": []}", "", "expected lists 'images' and 'annotations'" },
        { "{\"images\": [\n{\"id\": \"1\", \"file_name\": \"a\"}]}", ":2:1: ", "images[0]: expected a map with a whole number 'id'" },
        { "{" IMAGE ",\n\"annotations\": [{\"id\": 1}]}", ":2:17: ", "annotations[0]: expected a map with a whole number 'image_id'" },
        { "{" IMAGE ",\n\"annotations\": [{\"id\": 1, \"image_id\": 1}]}", "", "none of its 1 annotations has 'keypoints'" },
        { gn_arena_text(t.arena, "{" IMAGE ",\n\"annotations\": [{\"image_id\": 2, \"keypoints\": %s}]}", good), ":2:17: ", "image 2, which is not in 'images'" },
        { gn_arena_text(t.arena, "{" IMAGE ",\n\"annotations\": [{\"image_id\": 1, \"keypoints\": %s}]}", points(14, 14, 9, 9, 2)), ":2:17: ", "expected 51 numbers, x, y and flag of 17 joints, found 42" },
        { gn_arena_text(t.arena, "{" IMAGE ",\n\"annotations\": [{\"image_id\": 1, \"keypoints\": %s}]}", points(17, 17, 9, 9, 3)), ":2:17: ", "joint 0 has flag 3" },
        { gn_arena_text(t.arena, "{" IMAGE ",\n\"annotations\": [{\"image_id\": 1, \"bbox\": [1, 2, 3], \"keypoints\": %s}]}", good), ":2:17: ", "bbox: expected 4 numbers" },
        { "{\"images\": [{\"id\": 1, \"file_name\": \"a\"},\n{\"id\": 1, \"file_name\": \"b\"}]}", ":2:1: ", "number 1 is there twice" },
        { "{\"categories\": [{\"keypoints\": [\"nose\"]}]}", ":1:17: ", "expected the names of 17 keypoints, found 1" },
        { "{" IMAGE ", \"annotations\": []}", "", "holds no labelled sample" },
        { "{" IMAGE ", \"annotations\": [", "", "the file ends where a value is expected" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *source = importing_write(&t, "bad.json", bad[i].text);
        FAILS(importing_run(&t, "coco", source, "out"), BAD_DATA);
        const char *said = strstr(gn_reason(), source);
        if (!said || strncmp(said + strlen(source), bad[i].where, strlen(bad[i].where)) || !strstr(said, bad[i].why))
            fail_msg("%s: said '%s', expected '%s%s'", bad[i].text, gn_reason(), bad[i].where, bad[i].why);
    }
    FAILS(importing_run(&t, "coco", source_real(t.arena, "coco/person_detection_results_sample.json"), "out"), BAD_DATA);
    assert_non_null(strstr(gn_reason(), "are no labels"));
}

static void splits(void **state) {
    (void)state;
    static const struct { const char *path; int valid; } name[] = {
        { "a/person_keypoints_val2017.json", 1 }, { "val/person_keypoints_train2017.json", 0 }, { "crowdpose_trainval.json", 0 }, { "crowdpose_test.json", 1 },
        { "set/val/003418_mpii.json", 1 },        { "set/val/003418_mpii_train.json", 0 },      { "val/set/x.json", 0 },          { "latest/interval.json", 0 },
    };
    for (size_t i = 0; i < sizeof name / sizeof *name; i++)
        if (gn_layout_valid(name[i].path) != name[i].valid) fail_msg("%s", name[i].path);
}

/* --- CrowdPose --- */

static const char *crowd(const char *head, int id) {
    return gn_arena_text(
        t.arena,
        "{\"images\": [{\"file_name\": \"%d.png\", \"id\": %d, \"width\": 90, \"height\": 70, \"crowdIndex\": 0.75}], \"annotations\": ["
        "{\"image_id\": %d, \"id\": 8, \"num_keypoints\": 14, \"iscrowd\": 0, \"category_id\": 1, \"bbox\": [12, 10, 30, 40], \"keypoints\": %s}],"
        "\"categories\": [{\"supercategory\": \"person\", \"id\": 1, \"name\": \"person\", \"keypoints\": [\"left_shoulder\", \"right_shoulder\", \"left_elbow\","
        "\"right_elbow\", \"left_wrist\", \"right_wrist\", \"left_hip\", \"right_hip\", \"left_knee\", \"right_knee\", \"left_ankle\", \"right_ankle\", \"%s\", \"neck\"]}]}",
        id, id, id, points(14, 14, 15, 12, 1), head);
}

static void crowdpose(void **state) {
    (void)state;
    const double box[4] = { 12, 10, 30, 40 };
    static const char *const part[] = { "train", "val", "test", "trainval" };
    for (int k = 0; k < 4; k++) {
        importing_write(&t, gn_arena_text(t.arena, "json/crowdpose_%s.json", part[k]), crowd(k ? "head" : "top_head", 100 + k));
        importing_picture(&t, gn_arena_text(t.arena, "images/%d.png", 100 + k), 90, 70);
    }
    OK(importing_run(&t, "crowdpose", importing_path(&t, "json"), "out"));
    gn_shard *train = importing_shard(&t, "out", "train"), *valid = importing_shard(&t, "out", "valid");
    assert_int_equal(gn_shard_samples(train), 1); /* trainval would say it again */
    assert_int_equal(gn_shard_samples(valid), 2); /* test, val */
    assert_string_equal(importing_at(train, "take", 0), "100.png");
    assert_ptr_equal(gn_shard_skeleton(train), &gn_crowdpose14);
    assert_int_equal(importing_labelled(train, "labelled2d", 0), 14);
    assert_false(importing_has(train, "occluded2d"));
    importing_near(train, 0, gn_joint_find(&gn_crowdpose14, "head_top"), box, 27, 36, 64);
    OK(importing_run(&t, "crowdpose", importing_path(&t, "json/crowdpose_trainval.json"), "both"));
    assert_string_equal(importing_at(importing_shard(&t, "both", "train"), "take", 0), "103.png");
    FAILS(importing_run(&t, "crowdpose", importing_write(&t, "json/crowdpose_x.json", crowd("nose", 100)), "bad"), BAD_DATA);
    assert_non_null(strstr(gn_reason(), "keypoint 12 is 'nose', expected 'head|top_head'"));
}

/* --- PoseTrack18 --- */

static const char *video(const char *name, int sized) {
    return gn_arena_text(
        t.arena,
        "{\"images\": [{\"has_no_densepose\": true, \"is_labeled\": false, \"file_name\": \"images/%s/000000.png\", \"nframes\": 3, \"frame_id\": 10003420000,"
        "\"vid_id\": \"000342\", \"id\": 10003420000, \"ignore_regions_x\": [[1, 2], []], \"ignore_regions_y\": [[3, 4], []]},"
        "{\"is_labeled\": true, \"file_name\": \"images/%s/000001.png\", \"frame_id\": 10003420001, \"vid_id\": \"000342\", \"id\": 10003420001%s},"
        "{\"is_labeled\": true, \"file_name\": \"images/%s/000002.png\", \"frame_id\": 10003420002, \"vid_id\": \"000342\", \"id\": 10003420002}],"
        "\"annotations\": [{\"bbox_head\": [20, 15, 6, 8], \"bbox\": [-5, 12, 40, 70.5], \"track_id\": 2, \"image_id\": 10003420002, \"id\": 1000342000202, \"scores\": [],"
        "\"category_id\": 1, \"keypoints\": %s},"
        "{\"bbox_head\": [20, 15, 12, 16], \"bbox\": [5, 12, 40, 30], \"track_id\": 0, \"image_id\": 10003420001, \"id\": 1000342000100, \"iscrowd\": false, \"keypoints\": %s},"
        "{\"bbox_head\": [], \"track_id\": 1, \"image_id\": 10003420001, \"id\": 1000342000101, \"keypoints\": []}],"
        "\"categories\": [{\"id\": 1, \"name\": \"person\", \"keypoints\": [\"nose\", \"head_bottom\", \"head_top\", \"left_ear\", \"right_ear\", \"left_shoulder\","
        "\"right_shoulder\", \"left_elbow\", \"right_elbow\", \"left_wrist\", \"right_wrist\", \"left_hip\", \"right_hip\", \"left_knee\", \"right_knee\", \"left_ankle\","
        "\"right_ankle\"]}]}",
        name, name, sized ? ", \"width\": 80, \"height\": 90" : "", name, points(17, 3, 10, 20, 1), points(17, 17, 8, 14, 1));
}

static void posetrack18(void **state) {
    (void)state;
    const double beyond[4] = { -5, 12, 40, 70.5 };
    static const char *const name[] = { "val/000342_mpii_test", "train/000001_bonn_train" };
    for (int k = 0; k < 2; k++) {
        importing_write(&t, gn_arena_text(t.arena, "annotations/%s.json", name[k]), video(name[k], 0));
        for (int frame = 0; frame < 3; frame++) importing_picture(&t, gn_arena_text(t.arena, "images/%s/%06d.png", name[k], frame), 80, 90 + frame);
    }
    OK(importing_run(&t, "posetrack18", importing_path(&t, "annotations"), "out"));
    assert_non_null(strstr(t.said, "2 files, 6 pictures, 6 persons; left out 0 crowds and 2 without a labelled joint"));
    gn_shard *s = importing_shard(&t, "out", "valid");
    assert_int_equal(gn_shard_samples(s), 2);
    assert_int_equal(gn_shard_samples(importing_shard(&t, "out", "train")), 2);
    assert_string_equal(importing_at(s, "take", 0), "000342_mpii_test person 0");
    assert_int_equal(*(const int64_t *)importing_at(s, "frame", 0), 1);
    assert_string_equal(importing_at(s, "take", 1), "000342_mpii_test person 2");
    assert_int_equal(*(const int64_t *)importing_at(s, "frame", 1), 2);
    assert_int_equal(importing_labelled(s, "labelled2d", 1), 3);
    importing_near(s, 1, gn_joint_find(&gn_posetrack17, "head_top"), beyond, 12, 24, 64);
    NEAR(*(const float *)importing_at(s, "head_size", 0), 0.6 * 20 * 64 / (1.25 * 40), 1e-4);
    NEAR(*(const float *)importing_at(s, "head_size", 1), 0.6 * 10 * 64 / (1.25 * 70.5), 1e-4);
    assert_false(importing_has(s, "occluded2d"));
    t.from.every = 2;
    OK(importing_run(&t, "posetrack18", importing_path(&t, "annotations/val"), "half"));
    assert_int_equal(gn_shard_samples(importing_shard(&t, "half", "valid")), 1);
    t.from.keep = GN_KEEP_NONE;
    FAILS(importing_run(&t, "posetrack18", importing_path(&t, "annotations/val"), "labels"), BAD_DATA);
    assert_non_null(strstr(gn_reason(), "no 'width' and 'height'"));
    FAILS(importing_run(&t, "posetrack18", importing_write(&t, "val/x.json", crowd("head", 100)), "bad"), BAD_DATA);
    assert_non_null(strstr(gn_reason(), "expected the names of 17 keypoints, found 14"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(coco_as_it_is), TEST(feet), TEST(coco_quirks), TEST(pictures_where_owners_put_them), TEST(large), TEST(coco_faults), TEST(splits),
        TEST(crowdpose), TEST(posetrack18),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
