/* test_loader.c - what a batch promises: order, views, labels that move with the picture, the same for any threads. */
#include "near.h"
#include "gnomon/hash.h"
#include "gnomon/io.h"
#include "src/data/sample.h"
#include <stdlib.h>
#include <string.h>

static char root[] = "/tmp/gnomon_loader_XXXXXX";
enum { J = 16, SIDE = 64, TRAIN = 37, VALID = 11, LEFT_WRIST = 15 };

typedef struct {
    uint8_t image[SIDE * SIDE * 3], labelled[J], occluded[J];
    float joints2d[J * 2], joints3d[J * 3], camera[4], pose[12], head[1];
} sample;

static double draw(uint64_t *s, double from, double to) {
    *s = *s * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return from + (to - from) * (double)(*s >> 11) * 0x1p-53;
}

/* A person about 4 m away whose joints2d are joints3d through the camera, a bright spot at the left wrist. */
static void make_sample(uint64_t seed, double fy_over_fx, sample *p) {
    uint64_t s = seed * 977 + 5;
    memset(p, 0, sizeof *p);
    double fx = draw(&s, 80, 120), fy = fx * fy_over_fx, cx = draw(&s, 28, 36), cy = draw(&s, 28, 36), z = draw(&s, 3.5, 5);
    p->camera[0] = (float)fx, p->camera[1] = (float)fy, p->camera[2] = (float)cx, p->camera[3] = (float)cy;
    for (int j = 0; j < J; j++) {
        double x[3] = { draw(&s, -0.8, 0.8), draw(&s, -0.8, 0.8), z + draw(&s, -0.5, 0.5) };
        for (int k = 0; k < 3; k++) p->joints3d[3 * j + k] = (float)x[k];
        p->joints2d[2 * j] = (float)(fx * x[0] / x[2] + cx);
        p->joints2d[2 * j + 1] = (float)(fy * x[1] / x[2] + cy);
        p->labelled[j] = 1;
    }
    for (int r = 0; r < 3; r++) p->pose[5 * r] = 1;
    p->head[0] = 9;
    int u = (int)lrintf(p->joints2d[2 * LEFT_WRIST]), v = (int)lrintf(p->joints2d[2 * LEFT_WRIST + 1]);
    for (int y = v - 2; y <= v + 2; y++)
        for (int x = u - 2; x <= u + 2; x++)
            if (x >= 0 && y >= 0 && x < SIDE && y < SIDE) memset(p->image + 3 * (y * SIDE + x), 255, 3);
}

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

static void store(gn_arena *a, const sample *p, gn_label_store *s) {
    OK(gn_label_store_take(a, J, 2, s));
    memcpy(s->joints2d, p->joints2d, sizeof p->joints2d);
    memcpy(s->joints3d, p->joints3d, sizeof p->joints3d);
    memcpy(s->camera, p->camera, sizeof p->camera);
    memcpy(s->pose_of_view, p->pose, sizeof p->pose);
    memcpy(s->head_size, p->head, sizeof p->head);
    for (int j = 0; j < J; j++) s->labelled2d[j] = s->labelled3d[j] = (uint8_t)(j % 3 > 0);
    const int16_t pairs[] = { 0, 15, 1, 9, 3, -1 };
    memcpy(s->order, pairs, sizeof pairs);
}

enum { ALL = (1 << GN_FIELD_COUNT) - 1 - GN_HAS_depth };

static void flip_twice(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("test");
    sample p;
    gn_label_store s, once;
    make_sample(4, 1, &p);
    store(a, &p, &s);
    store(a, &p, &once);
    gn_augment g = { .flip = 1 };
    gn_view v;
    gn_view_draw(&g, 1, (gn_turn){ 0 }, SIDE, SIDE, SIDE, &v);
    assert_true(v.flip);
    gn_view_carry(&v, &gn_mpii16, ALL, 2, &once);
    assert_int_equal(once.order[0], 5);
    assert_int_equal(once.order[1], 10);
    NEAR(once.joints2d[2 * 10], SIDE - 1 - p.joints2d[2 * 15], 1e-4);
    NEAR(once.joints3d[3 * 10], -p.joints3d[3 * 15], 1e-6);
    assert_int_equal(once.labelled2d[5], s.labelled2d[0]);
    gn_view_carry(&v, &gn_mpii16, ALL, 2, &once);
    for (int k = 0; k < 2 * J; k++) NEAR(once.joints2d[k], s.joints2d[k], 1e-4);
    for (int k = 0; k < 3 * J; k++) NEAR(once.joints3d[k], s.joints3d[k], 0);
    for (int k = 0; k < 4; k++) NEAR(once.camera[k], s.camera[k], 1e-4);
    for (int k = 0; k < 12; k++) NEAR(once.pose_of_view[k], s.pose_of_view[k], 0);
    assert_memory_equal(once.labelled2d, s.labelled2d, J);
    assert_memory_equal(once.order, s.order, 6 * sizeof *s.order);
    gn_arena_free(a);
}

/* After any view, joints3d through camera is joints2d, and the transform from the world stays rigid. */
static void projection_holds(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("test");
    gn_augment g = { .rotate = 30, .rotate_share = 0.7, .scale = 0.25, .shift = 0.1, .flip = 0.5 };
    int turned = 0, flipped = 0;
    for (int t = 0; t < 300; t++) {
        double ratio = t % 3 ? 1 : 1.002; /* H36M's focal lengths differ by a thousandth */
        sample p;
        gn_label_store s;
        gn_view v;
        make_sample((uint64_t)t, ratio, &p);
        store(a, &p, &s);
        gn_view_draw(&g, 5, (gn_turn){ 0, t, 0 }, SIDE, SIDE, 96, &v);
        gn_view_carry(&v, &gn_mpii16, ALL, 2, &s);
        turned += fabs(v.turn[1]) > 0.1, flipped += v.flip;
        for (int j = 0; j < J; j++) {
            const float *x = s.joints3d + 3 * j;
            double bound = 1e-3 + fabs(s.camera[0] - s.camera[1]) * fabs(v.turn[1]) * hypot(x[0], x[1]) / x[2];
            NEAR(hypot(s.camera[0] * x[0] / x[2] + s.camera[2] - s.joints2d[2 * j],
                       s.camera[1] * x[1] / x[2] + s.camera[3] - s.joints2d[2 * j + 1]), 0, bound);
        }
        const float *m = s.pose_of_view;
        double det = m[0] * (m[5] * m[10] - m[6] * m[9]) - m[1] * (m[4] * m[10] - m[6] * m[8]) + m[2] * (m[4] * m[9] - m[5] * m[8]);
        NEAR(det, 1, 1e-6);
        NEAR(s.head_size[0], 9 * v.zoom, 1e-4);
        gn_arena_rewind(a);
    }
    assert_true(turned > 50 && turned < 250 && flipped > 100 && flipped < 200);
    gn_arena_free(a);
}

/* The bright spot at the left wrist is where the label says it is, whatever the view. */
static void picture_follows(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("test");
    gn_augment g = { .rotate = 30, .rotate_share = 0.7, .scale = 0.25, .shift = 0.05, .flip = 0.5 };
    enum { S = 48 };
    float *input = gn_arena_take(a, sizeof *input * S * S * 3);
    int seen = 0;
    for (int t = 0; t < 100; t++) {
        sample p;
        gn_label_store s;
        gn_view v;
        gn_arena *b = gn_arena_new("sample");
        make_sample((uint64_t)t, 1, &p);
        store(b, &p, &s);
        gn_view_draw(t % 4 ? &g : NULL, 5, (gn_turn){ 0, t, 0 }, SIDE, SIDE, S, &v);
        gn_view_carry(&v, &gn_mpii16, ALL, 2, &s);
        gn_view_picture(&v, p.image, input);
        int wrist = v.flip ? gn_mpii16.mirror[LEFT_WRIST] : LEFT_WRIST;
        double u = s.joints2d[2 * wrist], w = s.joints2d[2 * wrist + 1], mass = 0, mu = 0, mw = 0;
        gn_arena_free(b);
        if (!(u > 6 && w > 6 && u < S - 6 && w < S - 6)) continue;
        for (int y = (int)w - 5; y <= (int)w + 6; y++)
            for (int x = (int)u - 5; x <= (int)u + 6; x++) {
                double k = input[3 * (y * S + x)] > 0.505f || input[3 * (y * S + x)] < 0.495f ? input[3 * (y * S + x)] : 0; /* not the grey outside */
                mass += k, mu += k * x, mw += k * y;
            }
        if (mass < 2) continue;
        NEAR(mu / mass, u, 1.2);
        NEAR(mw / mass, w, 1.2);
        seen++;
    }
    assert_true(seen > 40);
    gn_arena_free(a);
}

static void label_rules(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("test");
    sample p;
    gn_label_store y;
    make_sample(8, 1, &p);
    store(a, &p, &y);
    memset(y.labelled3d, 1, J);
    const uint32_t has = GN_HAS_joints2d | GN_HAS_joints3d | GN_HAS_labelled3d;
    assert_int_equal(gn_rules_apply(NULL, &gn_mpii16, GN_HAS_joints2d, SIDE, &y), GN_HAS_joints2d);
    assert_int_equal(gn_rules_apply(NULL, &gn_mpii16, has, SIDE, &y), has | GN_HAS_depth);
    double pixels = 0, metres = 0;
    for (int e = 0; e < gn_mpii16.bones; e++) {
        int i = gn_mpii16.bone[e].a, k = gn_mpii16.bone[e].b;
        pixels += hypot(p.joints2d[2 * i] - p.joints2d[2 * k], p.joints2d[2 * i + 1] - p.joints2d[2 * k + 1]);
        metres += hypot(p.joints3d[3 * i] - p.joints3d[3 * k], p.joints3d[3 * i + 1] - p.joints3d[3 * k + 1]);
    }
    double scale = pixels / metres;
    for (int j = 0; j < J; j++) {
        NEAR(y.depth[j], scale * (p.joints3d[3 * j + 2] - p.joints3d[3 * 6 + 2]) / (SIDE / 2), 1e-5);
        NEAR(y.joints2d[2 * j], p.joints2d[2 * j], 0);
    }
    gn_label_rules paper = { 1, 1, 1, 1 };
    gn_rules_apply(&paper, &gn_mpii16, has, SIDE, &y);
    for (int j = 0; j < J; j++) {
        if (j == 7) continue;
        NEAR(y.depth[j], scale * (p.joints3d[3 * j + 2] - p.joints3d[3 * 7 + 2]) / (SIDE / 2) + 0.0223, 1e-4);
        NEAR(y.joints2d[2 * j], p.joints2d[2 * 7] + scale * (p.joints3d[3 * j] - p.joints3d[3 * 7]), 1e-3);
    }
    NEAR(y.joints2d[2 * 7], (y.joints2d[2 * 12] + y.joints2d[2 * 13]) / 2, 1e-4);
    NEAR(y.depth[7], (y.depth[12] + y.depth[13]) / 2, 1e-6);
    gn_arena_free(a);
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
        cmocka_unit_test(same_for_any_threads), cmocka_unit_test(previous_stays), cmocka_unit_test(validation), cmocka_unit_test(orders),
        cmocka_unit_test(flip_twice),           cmocka_unit_test(projection_holds), cmocka_unit_test(picture_follows),
        cmocka_unit_test(label_rules),          cmocka_unit_test(refusals),         cmocka_unit_test(flipped_bit),
    };
    return cmocka_run_group_tests(tests, make_sets, remove_sets);
}
