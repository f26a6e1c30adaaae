/* test_loader_sets.c - sets that differ, in one run: in their joints, in how their pictures are stored, without pictures. */
#include "near.h"
#include "shards.h"

static char root[] = "/tmp/gnomon_sets_XXXXXX", other[] = "/tmp/gnomon_sets_XXXXXX";

enum { N = 12, SIDE = 32 };

static gn_loader_spec spec_of(const gn_texts *sets, int train) {
    return (gn_loader_spec){ .root = root, .sets = sets, .train = train, .batch = 6, .side = SIDE, .threads = 2, .seed = 5,
                             .augment = { .rotate = 20, .rotate_share = 0.7, .scale = 0.2, .shift = 0.05, .flip = 0.5, .colour = 0.3 } };
}

/* --- joints --- */

/* Of h36m17's joints, which of the set's; two: their middle; -1: none. */
static const int of_mpii16[17][2] = { { 6 }, { 2 }, { 1 }, { 0 }, { 3 }, { 4 }, { 5 }, { 6, 8 }, { 8 }, { -1 }, { 9 }, { 13 }, { 14 }, { 15 }, { 12 }, { 11 }, { 10 } };
static const int of_coco17[17][2] = { { 11, 12 }, { 12 }, { 14 }, { 16 }, { 11 }, { 13 }, { 15 }, { -1 }, { 5, 6 }, { 0 }, { -1 }, { 5 }, { 7 }, { 9 }, { 6 }, { 8 }, { 10 } };

static void check_joint(const gn_batch *b, int i, const char *set, const int of[2], int j) {
    const gn_labels *y = &b->label[i];
    const double *to_stored = b->crop[i];
    const int64_t sample = b->sample[i];
    const int flipped = to_stored[0] * to_stored[4] - to_stored[1] * to_stored[3] < 0, at = flipped ? gn_h36m17.mirror[j] : j;
    const int second = of[1] ? of[1] : of[0], absent = of[0] < 0;
    assert_int_equal(y->labelled2d[at], !absent && labelled_at(set, sample, of[0]) && labelled_at(set, sample, second));
    if (!y->labelled2d[at]) return;
    assert_int_equal(y->occluded2d[at], occluded_at(set, sample, of[0]) || occluded_at(set, sample, second));
    const double u = y->joints2d[2 * at], v = y->joints2d[2 * at + 1];
    for (int k = 0; k < 2; k++)
        NEAR(to_stored[3 * k] * u + to_stored[3 * k + 1] * v + to_stored[3 * k + 2], (at2d(set, sample, of[0], k) + at2d(set, sample, second, k)) / 2, 1e-3);
    if (y->has & GN_HAS_joints3d) NEAR(y->joints3d[3 * at + 2], (at3d(set, sample, of[0], 2) + at3d(set, sample, second, 2)) / 2, 1e-5);
}

static void joined(void **state) {
    (void)state;
    static const char *two[] = { "puppet_lab", "coco" };
    const gn_texts sets = { 2, two };
    for (int train = 0; train < 2; train++) {
        gn_arena *a = gn_arena_new("test");
        gn_loader *l;
        gn_batch *b;
        gn_loader_spec spec = spec_of(&sets, train);
        spec.skeleton = &gn_h36m17;
        OK(gn_loader_open(a, &spec, &l));
        assert_ptr_equal(gn_loader_skeleton(l), &gn_h36m17);
        int seen[2] = { 0 }, flipped = 0;
        for (int step = 0; step < 4; step++) {
            OK(gn_loader_next(l, &b));
            for (int i = 0; i < b->n; i++) {
                const int set = b->set[i];
                assert_int_equal(b->label[i].J, 17);
                assert_ptr_equal(b->label[i].skeleton, &gn_h36m17);
                assert_int_equal((b->label[i].has & GN_HAS_joints3d) != 0, set == 0);
                for (int j = 0; j < 17; j++) check_joint(b, i, two[set], set ? of_coco17[j] : of_mpii16[j], j);
                seen[set]++;
                flipped += b->crop[i][0] * b->crop[i][4] - b->crop[i][1] * b->crop[i][3] < 0;
            }
        }
        assert_int_equal(seen[0], N);
        assert_int_equal(seen[1], N);
        assert_true(train ? flipped > 4 && flipped < 20 : flipped == 0);
        gn_arena_free(a);
    }
}

/* The loader's one line about what is wrong. */
static void refused(gn_status status, gn_status expected, const char *words) {
    assert_int_equal(status, expected);
    if (!strstr(gn_reason(), words)) fail_msg("'%s' does not say '%s'", gn_reason(), words);
    assert_null(strchr(gn_reason(), '\n'));
    gn_trail_clear();
}

static void nothing_common(void **state) {
    (void)state;
    static const char *hand[] = { "interhand" };
    const gn_texts sets = { 1, hand };
    gn_arena *a = gn_arena_new("test");
    gn_loader *l;
    gn_loader_spec spec = spec_of(&sets, 1);
    spec.skeleton = &gn_mpii16;
    refused(gn_loader_open(a, &spec, &l), GN_BAD_CONFIG, "'interhand': skeleton hand21 has no joint that mpii16 has");
    gn_arena_free(a);
}

/* --- pictures --- */

static void jpeg_is_raw(void **state) {
    (void)state;
    static const char *one[] = { "mpii" };
    const gn_texts sets = { 1, one };
    for (int train = 0; train < 2; train++) {
        gn_arena *a = gn_arena_new("test");
        gn_loader *raw, *jpeg;
        gn_batch *r, *j;
        gn_loader_spec spec = spec_of(&sets, train);
        OK(gn_loader_open(a, &spec, &raw));
        spec.root = other;
        OK(gn_loader_open(a, &spec, &jpeg));
        for (int step = 0; step < 2; step++) {
            OK(gn_loader_next(raw, &r));
            OK(gn_loader_next(jpeg, &j));
            assert_int_equal(r->n, j->n);
            double off = 0;
            const int values = r->n * SIDE * SIDE * 3;
            for (int k = 0; k < values; k++) {
                NEAR(j->image[k], r->image[k], 0.05);
                off += fabs((double)j->image[k] - (double)r->image[k]) / values;
            }
            assert_true(off > 0 && off < 0.006);
            assert_memory_equal(r->crop, j->crop, sizeof *r->crop * (size_t)r->n);
            for (int i = 0; i < r->n; i++) assert_memory_equal(r->label[i].joints2d, j->label[i].joints2d, sizeof(float) * 32);
        }
        gn_arena_free(a);
    }
}

static gn_status walk(const char *below, const char *set, int bare) {
    const gn_texts sets = { 1, &set };
    gn_arena *a = gn_arena_new("test");
    gn_loader *l;
    gn_batch *b;
    gn_loader_spec spec = spec_of(&sets, 0);
    spec.root = below;
    spec.bare = bare;
    gn_status status = gn_loader_open(a, &spec, &l);
    for (int step = 0; !status && step < 2; step++) status = gn_loader_next(l, &b);
    gn_trail trail;
    gn_trail_keep(&trail);
    gn_arena_free(a);
    gn_trail_restore(&trail);
    return status;
}

static void broken(void **state) {
    (void)state;
    char place[256];
    made m = { .set = "mpii", .pictures = JPEG, .n = N, .spoilt = 5 };
    make_shard(other, 0, &m);
    snprintf(place, sizeof place, "%s/mpii/valid.h5: sample 4: broken JPEG: ", other);
    refused(walk(other, "mpii", 0), GN_BAD_DATA, place);
    assert_int_equal(walk(other, "mpii", 1), GN_OK); /* nobody looks */
    m.spoilt = 0;
    make_shard(other, 0, &m);
    assert_int_equal(walk(other, "mpii", 0), GN_OK);
}

/* --- no pictures --- */

static void pictureless(void **state) {
    (void)state;
    static const char *one[] = { "puppet_poses" };
    const gn_texts sets = { 1, one };
    const made m = { .set = one[0], .pictures = NONE };
    for (int train = 0; train < 2; train++) {
        gn_arena *a = gn_arena_new("test");
        gn_loader *l;
        gn_batch *b;
        gn_loader_spec spec = spec_of(&sets, train);
        spec.bare = 1;
        spec.augment = (gn_augment){ 0 };
        OK(gn_loader_open(a, &spec, &l));
        for (int step = 0; step < 2; step++) {
            OK(gn_loader_next(l, &b));
            assert_int_equal(b->n, 6);
            assert_null(b->image);
            for (int i = 0; i < b->n; i++) {
                int32_t size[2];
                size_of_picture(&m, b->sample[i], size);
                const double zoom = (double)SIDE / (size[0] > size[1] ? size[0] : size[1]);
                NEAR(b->label[i].camera[0], 60 * zoom, 1e-4);
                for (int j = 0; j < 16; j++)
                    for (int k = 0; k < 2; k++)
                        NEAR(b->label[i].joints2d[2 * j + k], (at2d(one[0], b->sample[i], j, k) - (size[k] - 1) / 2.0) * zoom + (SIDE - 1) / 2.0, 1e-4);
            }
        }
        gn_arena_free(a);
    }
    refused(walk(root, one[0], 0), GN_BAD_DATA, "puppet_poses/valid.h5: holds no pictures, which the model reads");
    const made empty = { .set = one[0], .pictures = NONE, .n = N, .empty = 8 };
    make_shard(other, 0, &empty);
    refused(walk(other, one[0], 1), GN_BAD_DATA, "valid.h5: sample 7: of a picture of 0 x ");
}

/* Every way of `gnomon bench loader` measures something, of pictures stored either way. */
static void bench(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("test");
    gn_loader_rates r;
    for (int jpeg = 0; jpeg < 2; jpeg++) {
        const char *path = gn_arena_text(a, "%s/mpii/train.h5", jpeg ? other : root);
        OK(gn_loader_bench(a, path, 2, GN_LOADER_AFFINE, &r));
        assert_true(r.samples == N && r.affine > 0);
        OK(gn_loader_bench(a, path, 2, GN_LOADER_JPEG, &r));
        assert_true(r.samples == N && r.bytes > 100 && r.decoded > 0 && r.alone > 0);
    }
    OK(gn_loader_bench(a, gn_arena_text(a, "%s/mpii/train.h5", root), 2, GN_LOADER_RAW, &r));
    assert_true(r.samples == N && r.bytes == 3 * EDGE * EDGE && r.first > 0 && r.again > 0 && r.copy > 0);
    refused(gn_loader_bench(a, gn_arena_text(a, "%s/mpii/valid.h5", root), 2, GN_LOADER_AFFINE, &r), GN_BAD_USAGE, "mpii/valid.h5: is no data set's training shard");
    refused(gn_loader_bench(a, gn_arena_text(a, "%s/puppet_poses/train.h5", root), 1, GN_LOADER_JPEG, &r), GN_BAD_DATA, "holds neither 'image' nor 'jpeg'");
    gn_arena_free(a);
}

static int make_sets(void **state) {
    (void)state;
    if (!mkdtemp(root) || !mkdtemp(other)) return -1;
    for (int train = 0; train < 2; train++) {
        make_shard(root, train, &(made){ .set = "puppet_lab", .n = N });
        make_shard(root, train, &(made){ .set = "coco", .n = N });
        make_shard(root, train, &(made){ .set = "mpii", .n = N });
        make_shard(other, train, &(made){ .set = "mpii", .pictures = JPEG, .n = N });
        make_shard(root, train, &(made){ .set = "puppet_poses", .pictures = NONE, .n = N });
        make_shard(root, train, &(made){ .set = "interhand", .n = N });
    }
    return 0;
}
static int remove_sets(void **state) {
    (void)state;
    return gn_io_remove(root) || gn_io_remove(other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joined), cmocka_unit_test(nothing_common), cmocka_unit_test(jpeg_is_raw), cmocka_unit_test(broken), cmocka_unit_test(pictureless), cmocka_unit_test(bench),
    };
    return cmocka_run_group_tests(tests, make_sets, remove_sets);
}
