/* test_import_bvh.c - motion as a pose set: the three dialects from real files, their measured figures, and what is refused. */
#include "gnomon/puppet.h"
#include "importing.h"
#include "source.h"

static importing t;
static int set_up(void **state) {
    (void)state;
    importing_begin(&t, "takes");
    return 0;
}
static int tear_down(void **state) {
    (void)state;
    importing_end(&t);
    return 0;
}

/* --- what was measured of the files, by another program: index.csv --- */

/* The body's joints, fingers and toes apart, over the frames that are kept; speeds from the fifth of those on. */
static void measure(const gn_bvh *b, double *low, double *high, double *fastest) {
    static double at[2][256][3];
    *low = 1e9, *high = -1e9, *fastest = 0;
    for (int64_t f = gn_bvh_first(b); f < gn_bvh_frames(b); f++) {
        gn_bvh_pose(b, f, at[f & 1], NULL);
        for (int j = 0; j < GN_BVH_ROLES * 2; j++) {
            if (j / 2 == GN_BVH_HAND || j / 2 == GN_BVH_TOE) continue;
            const int k = gn_bvh_of(b, (gn_bvh_role)(j / 2), j % 2);
            const double *now = at[f & 1][k], *before = at[!(f & 1)][k];
            *low = fmin(*low, now[1]), *high = fmax(*high, now[1]);
            if (f > gn_bvh_first(b) + 5) *fastest = fmax(*fastest, gn_bvh_rate(b) * sqrt(pow(now[0] - before[0], 2) + pow(now[1] - before[1], 2) + pow(now[2] - before[2], 2)));
        }
    }
}

/* Columns: file, frames, frame_time, seconds, joints, channels, ymin_m, ymax_m, travel_x_m, travel_z_m, vmax_mps, ... */
static void like_index(const char *folder, int files) {
    char line[1024], name[256];
    FILE *f = fopen(gn_arena_text(t.arena, "%s/index.csv", folder), "r");
    int rows = 0;
    assert_non_null(f);
    assert_non_null(fgets(line, sizeof line, f));
    while (fgets(line, sizeof line, f)) {
        double v[10], low, high, fastest;
        gn_arena *own = gn_arena_new("a take");
        gn_bvh *b = NULL;
        if (sscanf(line, "%255[^,],%lf,%lf,%lf,%lf,%lf,%lf,%lf,%lf,%lf,%lf", name, v, v + 1, v + 2, v + 3, v + 4, v + 5, v + 6, v + 7, v + 8, v + 9) != 11) fail_msg("%s", line);
        OK(gn_bvh_read(own, gn_arena_text(own, "%s/%s", folder, name), &b));
        measure(b, &low, &high, &fastest);
        assert_int_equal(gn_bvh_frames(b), (int64_t)v[0]);
        if (!(fabs(low - v[5]) < 0.0066 && fabs(high - v[6]) < 0.0066 && fabs(fastest - v[9]) < 0.06))
            fail_msg("%s: heights %.3f to %.3f m, top speed %.2f m/s; measured %g to %g, %g", name, low, high, fastest, v[5], v[6], v[9]);
        gn_arena_free(own);
        rows++;
    }
    fclose(f);
    assert_int_equal(rows, files);
}

static void figures_of_daz(void **state) {
    (void)state;
    like_index(source_real(t.arena, "cmu_mocap/daz"), 77);
}
static void figures_of_bandai(void **state) {
    (void)state;
    like_index(source_real(t.arena, "bandai_namco_1"), 79);
}


/* --- as a pose set --- */

static double bone(const gn_shard *s, int64_t i, const char *a, const char *b) {
    const float *xyz = importing_at(s, "joints3d", i), *x = xyz + 3 * gn_joint_find(&gn_h36m17, a), *y = xyz + 3 * gn_joint_find(&gn_h36m17, b);
    return sqrt(pow((double)x[0] - (double)y[0], 2) + pow((double)x[1] - (double)y[1], 2) + pow((double)x[2] - (double)y[2], 2));
}

static void side(const gn_shard *s, int64_t i, const char *a, const char *b, double expected, double within) {
    for (int left = 0; left < 2; left++)
        NEAR(bone(s, i, gn_arena_text(t.arena, "%c_%s", "rl"[left], a), gn_arena_text(t.arena, "%c_%s", "rl"[left], b)), expected, within);
}

static void joints_are(const gn_shard *s, const char *absent) {
    const uint8_t *three = importing_at(s, "labelled3d", 0), *two = importing_at(s, "labelled2d", 0);
    for (int j = 0; j < gn_h36m17.joints; j++) {
        const int there = !strstr(absent, gn_h36m17.joint[j]);
        if (three[j] != there || two[j] != there) fail_msg("%s is labelled %d, %d", gn_h36m17.joint[j], three[j], two[j]);
    }
}

/* The still camera: a half turn about x, so that the world comes back by pose_of_view. */
static void world_of(const gn_shard *s, int64_t i, const char *joint, double world[3]) {
    const float *xyz = (const float *)importing_at(s, "joints3d", i) + 3 * gn_joint_find(&gn_h36m17, joint), *m = importing_at(s, "pose_of_view", i);
    for (int k = 0; k < 3; k++) {
        world[k] = 0;
        for (int r = 0; r < 3; r++) world[k] += (double)m[4 * r + k] * ((double)xyz[r] - (double)m[4 * r + 3]);
    }
}

static void daz(void **state) {
    (void)state;
    t.from.every = 8;
    OK(importing_run(&t, "bvh", source_real(t.arena, "cmu_mocap/daz"), "out"));
    assert_non_null(strstr(t.said, "07_12.bvh: refused: lFoot is 0.79 m below the floor in frame 55"));
    assert_non_null(strstr(t.said, "09_10.bvh: refused: lFoot is 0.66 m below the floor in frame 83"));
    assert_non_null(strstr(t.said, "77 takes, 2 refused: 07_12.bvh, 09_10.bvh; "));
    gn_shard *s = importing_shard(&t, "out", "train");
    assert_non_null(strstr(gn_shard_provenance(s), "2 refused: 07_12.bvh, 09_10.bvh"));
    assert_non_null(strstr(gn_shard_provenance(s), "virtual camera of each take: still, 5 m before its nearest frame"));
    joints_are(s, "spine nose head_top");
    double nearest = 1e9;
    for (int64_t i = 0; i < gn_shard_samples(s); i += 97) {
        const char *take = importing_at(s, "take", i);
        side(s, i, "hip", "knee", 0.368, 0.0006);
        side(s, i, "knee", "ankle", 0.454, 0.0006);
        side(s, i, "shoulder", "elbow", 0.282, 0.0006);
        side(s, i, "elbow", "wrist", 0.237, 0.0006);
        assert_true(strncmp(take, "06_", 3) && strcmp(take, "07_12.bvh") && strcmp(take, "09_10.bvh")); /* the fifth subject is kept for validation */
        nearest = fmin(nearest, (double)((const float *)importing_at(s, "joints3d", i))[2]);
    }
    assert_true(nearest >= 4.999 && nearest < 5.6);
    gn_shard *valid = importing_shard(&t, "out", "valid");
    for (int64_t i = 0; i < gn_shard_samples(valid); i++) assert_int_equal(strncmp(importing_at(valid, "take", i), "06_", 3), 0);
}

/* Against the reader: the same frame, the same joint, in the world. */
static void world_comes_back(void **state) {
    (void)state;
    const char *path = source_real(t.arena, "cmu_mocap/daz/02_01.bvh");
    static double at[256][3];
    gn_bvh *b = NULL;
    OK(gn_bvh_read(t.arena, path, &b));
    OK(importing_run(&t, "bvh", path, "out"));
    gn_shard *s = importing_shard(&t, "out", "train");
    assert_int_equal(gn_shard_samples(s), 339);
    for (int64_t i = 0; i < 339; i += 50) {
        double wrist[3], pelvis[3];
        const int64_t frame = *(const int64_t *)importing_at(s, "frame", i);
        assert_int_equal(frame, 5 + i);
        gn_bvh_pose(b, frame, at, NULL);
        world_of(s, i, "l_wrist", wrist);
        world_of(s, i, "pelvis", pelvis);
        for (int k = 0; k < 3; k++) {
            NEAR(wrist[k], at[gn_bvh_of(b, GN_BVH_WRIST, 1)][k], 2e-5);
            NEAR(pelvis[k], (at[gn_bvh_of(b, GN_BVH_HIP, 0)][k] + at[gn_bvh_of(b, GN_BVH_HIP, 1)][k]) / 2, 2e-5);
        }
    }
    const float *xyz = importing_at(s, "joints3d", 0), *uv = importing_at(s, "joints2d", 0);
    const int left = gn_joint_find(&gn_h36m17, "l_shoulder"), right = gn_joint_find(&gn_h36m17, "r_shoulder"), foot = gn_joint_find(&gn_h36m17, "l_ankle");
    assert_true(uv[2 * left] > uv[2 * right] && uv[2 * foot + 1] > uv[2 * left + 1]); /* faces the camera, upright */
    NEAR(uv[2 * left], 1145 * xyz[3 * left] / xyz[3 * left + 2] + 499.5, 2e-3);
}

static void max(void **state) {
    (void)state;
    OK(importing_run(&t, "bvh", source_real(t.arena, "cmu_mocap/max"), "out"));
    gn_shard *s = importing_shard(&t, "out", "train");
    joints_are(s, "nose");
    assert_int_equal(gn_shard_samples(s), 994 + 995);
    NEAR(bone(s, 500, "r_hip", "r_knee"), bone(s, 994 + 500, "r_hip", "r_knee"), 1e-4); /* one unit is a 0.0564th, the other a metre */
    double low = 1e9, high = -1e9;
    for (int64_t i = 0; i < 994; i++)
        for (int k = 0; k < 3; k++) {
            double w[3];
            world_of(s, i, (const char *[]){ "l_knee", "r_ankle", "thorax" }[k], w);
            low = fmin(low, w[1]), high = fmax(high, w[1]);
        }
    NEAR(low, 0.05, 0.006);
    assert_true(high > 1.2 && high < 1.43);
}

static void bandai(void **state) {
    (void)state;
    t.from.every = 10;
    OK(importing_run(&t, "bvh", source_real(t.arena, "bandai_namco_1"), "out"));
    assert_non_null(strstr(t.said, "79 takes, 0 refused; 0 frames with leaps left out"));
    gn_shard *s = importing_shard(&t, "out", "train");
    joints_are(s, "nose head_top");
    for (int64_t i = 0; i < gn_shard_samples(s); i += 41) {
        side(s, i, "hip", "knee", 0.3908, 1e-4);
        side(s, i, "knee", "ankle", 0.4099, 1e-4);
    }
}

/* --- what is refused --- */

static const char daz_tree[] = "HIERARCHY\nROOT hip\n{\nOFFSET 0 0 0\nCHANNELS 3 Xposition Yposition Zposition\nEnd Site\n{\nOFFSET 0 1 0\n}\n}\nMOTION\n";

static void broken_alone(void **state) {
    (void)state;
    FAILS(importing_run(&t, "bvh", source_real(t.arena, "cmu_mocap/daz/07_12.bvh"), "out"), BAD_DATA);
    assert_non_null(strstr(gn_reason(), "07_12.bvh: refused: lFoot is 0.79 m below the floor in frame 55"));
    assert_false(importing_left(&t, "out", "train"));
}

static void refused(void **state) {
    (void)state;
#define MOTION(text) gn_arena_text(t.arena, "%s" text, daz_tree)
    const struct { const char *text, *why; } bad[] = {
        { "", ":1: expected 'HIERARCHY', found ''" },
        { "MOTION\n", ":1: expected 'HIERARCHY', found 'MOTION'" },
        { "HIERARCHY\nJOINT a", ":2: expected ROOT, found 'JOINT'" },
        { "HIERARCHY\nROOT a\n[", ":3: expected '{', found '['" },
        { "HIERARCHY\nROOT a\n{\nOFFSET 0 0", ":4: the file ends where an offset should be" },
        { "HIERARCHY\nROOT a\n{\nOFFSET 0 1e99 0", "an offset: expected a number, found '1e99'" },
        { "HIERARCHY\nROOT a\n{\nOFFSET 0 inf 0", "an offset: expected a number, found 'inf'" },
        { "HIERARCHY\nROOT a\n{\nOFFSET 0 0 0\nCHANNELS -1", "-1 channels" },
        { "HIERARCHY\nROOT a\n{\nOFFSET 0 0 0\nCHANNELS nan", "the number of channels: expected a number, found 'nan'" },
        { "HIERARCHY\nROOT a\n{\nOFFSET 0 0 0\nCHANNELS 7", "7 channels, expected at most 6" },
        { "HIERARCHY\nROOT a\n{\nOFFSET 0 0 0\nCHANNELS 1 xrotation", "channel 'xrotation'" },
        { "HIERARCHY\nROOT a\n{\nOFFSET 0 0 0\nCHANNELS 0\nROOT b", "expected JOINT, End Site or }, found 'ROOT'" },
        { "HIERARCHY\nEnd Site\n", ":2: End Site outside a joint" },
        { MOTION("Frames: 2.5\nFrame Time: .01\n1 2 3\n"), "the file does not hold them" },
        { MOTION("Frames: -4\nFrame Time: .01\n1 2 3\n"), "the file does not hold them" },
        { MOTION("Frames: 1e30\nFrame Time: .01\n1 2 3\n"), "the number of frames: expected a number" },
        { MOTION("Frames: 900000\nFrame Time: .01\n1 2 3\n"), "the file does not hold them" },
        { MOTION("Frames: 1\nFrame Time: 0\n1 2 3\n"), "frame time 0 s" },
        { MOTION("Frames: 1\nFrame Time: nan\n1 2 3\n"), "the frame time: expected a number" },
        { MOTION("Frames: 2\nFrame Time: .01\n1 2 3\n4 5\n"), "the file ends where a channel's value should be" },
        { MOTION("Frames: 1\nFrame Time: .01\n1 nan 3\n"), "a channel's value: expected a number, found 'nan'" },
        { MOTION("Frames: 1\nFrame Time: .01\n1 2 3 4\n"), "'4' after the last of 1 frames" },
        { MOTION("Frames: 1\nFrame Time: .01\n1 2 3\n"), "its joints are of no known dialect" },
    };
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        FAILS(importing_run(&t, "bvh", importing_write(&t, "take.bvh", bad[k].text), "out"), BAD_DATA);
        if (!strstr(gn_reason(), bad[k].why)) fail_msg("'%s' should say '%s'", gn_reason(), bad[k].why);
        FAILS(importing_run(&t, "bvh", t.folder, "out"), BAD_DATA); /* in a folder, too: it is no BVH */
        assert_false(importing_left(&t, "out", "train"));
    }
    char deep[1 << 15], *to = deep + sprintf(deep, "HIERARCHY\nROOT a\n");
    for (int k = 0; k < 300; k++) to += sprintf(to, "{ OFFSET 0 0 0 CHANNELS 0\nJOINT a\n");
    FAILS(importing_run(&t, "bvh", importing_write(&t, "take.bvh", deep), "out"), BAD_DATA);
    assert_non_null(strstr(gn_reason(), "more than 256 joints"));
    OK(gn_io_remove(importing_path(&t, "take.bvh")));
    FAILS(importing_run(&t, "bvh", t.folder, "out"), MISSING);
}

int main(void) {
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = { T(figures_of_daz), T(figures_of_bandai), T(daz), T(world_comes_back), T(max), T(bandai), T(broken_alone), T(refused) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
