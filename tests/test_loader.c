/* test_loader.c - what a batch promises: its order, its truth, and the same for any threads and any start. */
#include "near.h"
#include "person.h"
#include "gnomon/hash.h"
#include "gnomon/io.h"
#include "src/data/sample.h"
#include <stdlib.h>
#include <string.h>

static char root[] = "/tmp/gnomon_loader_XXXXXX";
enum { TRAIN = 37, VALID = 11 };

static void write_set(const char *name, int64_t n, uint64_t seed) {
    static const gn_shard_field fields[] = {
        { "image", 1, 'u', 3, { SIDE, SIDE, 3 }, "", "" },     { "joints2d", 4, 'f', 2, { J, 2 }, "pixels", "" },
        { "labelled2d", 1, 'u', 1, { J }, "", "" },            { "occluded2d", 1, 'u', 1, { J }, "", "" },
        { "joints3d", 4, 'f', 2, { J, 3 }, "metres", "" },     { "labelled3d", 1, 'u', 1, { J }, "", "" },
        { "camera", 4, 'f', 1, { 4 }, "pixels", "" },          { "pose_of_view", 4, 'f', 2, { 3, 4 }, "metres", "" },
        { "head_size", 4, 'f', 1, { 1 }, "pixels", "" },
    };
    gn_arena *a = gn_arena_new("write");
    gn_shard_writer *w;
    sample *p;
    char path[256];
    snprintf(path, sizeof path, "%s/%s", root, name);
    p = gn_arena_take(a, sizeof *p);
    OK(gn_shard_create(a, path, n, &gn_mpii16, fields, 9, "test_loader", &w));
    for (int64_t i = 0; i < n; i++) {
        make_sample(seed + (uint64_t)i, 1, p);
        const void *part[] = { p->image, p->joints2d, p->labelled, p->occluded, p->joints3d, p->labelled, p->camera, p->pose, p->head };
        for (int f = 0; f < 9; f++) OK(gn_shard_put(w, i, f, part[f]));
    }
    OK(gn_shard_finish(w));
    gn_arena_free(a);
}

static const char *both[] = { "puppet_lab", "puppet_wild" };
static const gn_texts sets = { 2, both };
static int64_t turns[] = { 1, 1 };
static const gn_counts one_to_one = { 2, turns };

static gn_loader_spec spec_of(int train, const gn_counts *mix, int threads) {
    return (gn_loader_spec){ .root = root, .sets = &sets, .mix = mix, .train = train, .batch = 7, .side = 48, .threads = threads, .seed = 3,
                             .augment = { .rotate = 30, .rotate_share = 0.4, .scale = 0.25, .shift = 0.05, .flip = 0.5, .colour = 0.4, .occlude = 0.3 } };
}

static uint64_t hash_batch(const gn_batch *b) {
    uint64_t h = gn_hash(b->image, sizeof *b->image * (size_t)(b->n * b->side * b->side * 3));
    h = gn_hash_more(h, b->crop, sizeof *b->crop * (size_t)b->n);
    for (int i = 0; i < b->n; i++) {
        const gn_labels *y = &b->label[i], *t = &b->truth[i];
        h = gn_hash_more(h, y->joints2d, sizeof(float) * J * 2);
        h = gn_hash_more(h, y->occluded2d, J);
        h = gn_hash_more(h, t->joints3d, sizeof(float) * J * 3);
        h = gn_hash_more(h, t->depth, sizeof(float) * J);
        h = gn_hash_more(h, t->camera, sizeof(float) * 4);
        h = gn_hash_more(h, &y->has, sizeof y->has);
        h = gn_hash_more(h, &b->sample[i], sizeof b->sample[i]);
    }
    return h;
}

static void same_for_any_threads(void **state) {
    (void)state;
    enum { STEPS = 25 };
    for (int mixed = 0; mixed < 2; mixed++) {
        uint64_t hash[STEPS];
        for (int threads = 1; threads <= 4; threads *= 2) {
            gn_arena *a = gn_arena_new("test");
            gn_loader *l;
            gn_batch *b;
            gn_loader_spec spec = spec_of(1, mixed ? &one_to_one : NULL, threads);
            OK(gn_loader_open(a, &spec, &l));
            assert_int_equal(gn_loader_samples(l), 2 * TRAIN);
            size_t taken = gn_arena_bytes(a);
            for (int k = 0; k < STEPS; k++) {
                OK(gn_loader_next(l, &b));
                assert_int_equal(b->n, 7);
                if (threads == 1) hash[k] = hash_batch(b);
                else assert_true(hash[k] == hash_batch(b));
            }
            for (int k = STEPS - 1; k >= 0; k -= 6) {
                OK(gn_loader_seek(l, k));
                OK(gn_loader_next(l, &b));
                assert_true(hash[k] == hash_batch(b));
            }
            assert_int_equal(gn_arena_bytes(a), taken);
            gn_arena_free(a);
        }
        for (int k = 1; k < STEPS; k++) assert_true(hash[k] != hash[k - 1]);
    }
}

/* A batch may be read until the next call but one. */
static void previous_stays(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("test");
    gn_loader *l;
    gn_batch *b = NULL, *before = NULL;
    gn_loader_spec spec = spec_of(1, NULL, 2);
    OK(gn_loader_open(a, &spec, &l));
    uint64_t was = 0;
    for (int k = 0; k < 12; k++) {
        OK(gn_loader_next(l, &b));
        if (before) assert_true(hash_batch(before) == was);
        before = b;
        was = hash_batch(b);
    }
    gn_arena_free(a);
}

static void validation(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("test");
    gn_loader *l;
    gn_batch *b;
    gn_loader_spec spec = spec_of(0, &one_to_one, 2);
    OK(gn_loader_open(a, &spec, &l));
    for (int round = 0; round < 2; round++) {
        int64_t seen = 0;
        for (;;) {
            OK(gn_loader_next(l, &b));
            if (!b->n) break;
            for (int i = 0; i < b->n; i++, seen++) {
                assert_int_equal(b->set[i], seen / VALID);
                assert_int_equal(b->sample[i], seen % VALID);
                assert_true(b->label[i].has == gn_dataset_find(both[b->set[i]])->has);
                assert_true(b->truth[i].has & GN_HAS_joints3d && b->truth[i].has & GN_HAS_depth);
                sample p;
                make_sample(1000 * (uint64_t)(1 + b->set[i]) + (uint64_t)b->sample[i], 1, &p);
                for (int j = 0; j < 2 * J; j++) NEAR(b->truth[i].joints2d[j], (p.joints2d[j] + 0.5) * 48 / SIDE - 0.5, 1e-4);
                for (int j = 0; j < 3 * J; j++) NEAR(b->truth[i].joints3d[j], p.joints3d[j], 0);
            }
        }
        assert_int_equal(seen, 2 * VALID);
        OK(gn_loader_next(l, &b));
        assert_int_equal(b->n, 0);
        OK(gn_loader_seek(l, 0));
    }
    gn_arena_free(a);
}

static void orders(void **state) {
    (void)state;
    static const int64_t sizes[] = { 1, 2, 3, 5, 64, 65, 1000 };
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        int64_t n = sizes[k];
        gn_order o = { .seed = 9, .sets = 2, .shuffled = 1, .n = { n, 2 * n } };
        int moved = 0;
        for (int64_t epoch = 0; epoch < 3; epoch++) {
            uint8_t seen[2][2000] = { { 0 } };
            for (int64_t i = 0; i < 3 * n; i++) {
                gn_turn t = gn_order_at(&o, epoch * 3 * n + i);
                assert_true(t.epoch == epoch && t.sample >= 0 && t.sample < o.n[t.set]);
                assert_int_equal(seen[t.set][t.sample]++, 0);
                moved += t.set * n + t.sample != i;
            }
        }
        if (n > 3) assert_true(moved > 2 * n);
        gn_order mixed = { .seed = 9, .sets = 2, .shuffled = 1, .n = { n, 2 * n }, .mix = { 1, 3 } };
        uint8_t seen[2000] = { 0 };
        for (int64_t i = 0; i < 4 * n; i++) {
            gn_turn t = gn_order_at(&mixed, i);
            assert_int_equal(t.set, i % 4 > 0);
            if (t.set == 0) assert_int_equal(seen[t.sample]++, 0);
        }
    }
}

static void refusals(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("test");
    gn_loader *l;
    const char *unknown[] = { "puppet_lap" }, *absent[] = { "mpii" };
    gn_texts names = { 1, unknown };
    gn_loader_spec spec = spec_of(1, NULL, 1);
    spec.sets = &names;
    FAILS(gn_loader_open(a, &spec, &l), BAD_CONFIG);
    names.item = absent;
    FAILS(gn_loader_open(a, &spec, &l), MISSING);
    assert_non_null(strstr(gn_reason(), "mpii/train.h5"));
    spec = spec_of(1, &one_to_one, 1);
    int64_t three[] = { 1, 1, 1 };
    gn_counts mix = { 3, three };
    spec.mix = &mix;
    FAILS(gn_loader_open(a, &spec, &l), BAD_CONFIG);
    gn_arena_free(a);
}

/* One bit of one sample: the batch it is in fails, with the file, the field and the sample. */
static void flipped_bit(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("test");
    gn_shard *s;
    char path[256];
    snprintf(path, sizeof path, "%s/puppet_wild/valid.h5", root);
    OK(gn_shard_open(a, path, &s));
    int place;
    gn_shard_find(s, "joints2d", &place);
    void *bytes;
    size_t n;
    OK(gn_io_read(a, path, 1 << 28, &bytes, &n));
    unsigned char *at = memmem(bytes, n, gn_shard_at(s, place, 4), gn_shard_bytes(s, place));
    assert_non_null(at);
    at[17] ^= 4;
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
    gn_loader *l;
    gn_batch *b;
    gn_loader_spec spec = spec_of(0, NULL, 2);
    OK(gn_loader_open(a, &spec, &l));
    OK(gn_loader_next(l, &b));
    OK(gn_loader_next(l, &b));
    FAILS(gn_loader_next(l, &b), BAD_DATA);
    assert_non_null(strstr(gn_reason(), "valid.h5: joints2d sample 4: hash differs"));
    gn_arena_free(a);
}

static int make_sets(void **state) {
    (void)state;
    char path[256];
    if (!mkdtemp(root)) return -1;
    for (int k = 0; k < 2; k++) {
        snprintf(path, sizeof path, "%s/%s", root, both[k]);
        if (gn_io_folder(path)) return -1;
    }
    write_set("puppet_lab/train.h5", TRAIN, 1);
    write_set("puppet_wild/train.h5", TRAIN, 2);
    write_set("puppet_lab/valid.h5", VALID, 1000);
    write_set("puppet_wild/valid.h5", VALID, 2000);
    return 0;
}
static int remove_sets(void **state) {
    (void)state;
    return gn_io_remove(root) != GN_OK;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_for_any_threads), cmocka_unit_test(previous_stays), cmocka_unit_test(validation),
        cmocka_unit_test(orders),               cmocka_unit_test(refusals),       cmocka_unit_test(flipped_bit),
    };
    return cmocka_run_group_tests(tests, make_sets, remove_sets);
}
