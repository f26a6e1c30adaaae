/* test_puppet.c - what puppet samples promise: labels that fit the picture, whatever the threads. */
#include "gnomon/dataset.h"
#include "gnomon/hash.h"
#include "gnomon/io.h"
#include "gnomon/log.h"
#include "gnomon/puppet.h"
#include "near.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SIZE = 96, SOME = 24 };
enum { RA, RK, RH, LH, LK, LA, PELVIS, THORAX, NECK, TOP, RW, RE, RS, LS, LE, LW };

static const gn_puppet_options plain = { .train = 8,
                                         .valid = 4,
                                         .size = SIZE,
                                         .seed = 7,
                                         .views = 1,
                                         .frames = 1,
                                         .motion = "",
                                         .backgrounds = "",
                                         .maps = 1 };
static gn_arena *arena;

static gn_puppet *open_puppet(const char *domain, gn_puppet_options o) {
    gn_puppet *p = NULL;
    OK(gn_puppet_open(arena, domain, 0, &o, &p));
    return p;
}

typedef struct {
    uint8_t rgb[SIZE * SIZE * 3], parts[SIZE * SIZE];
    uint16_t depth[SIZE * SIZE];
    gn_puppet_truth y;
} picture;

static picture *draw(const gn_puppet *p, int64_t sample) {
    picture *t = gn_arena_take(arena, sizeof *t);
    assert_non_null(t);
    OK(gn_puppet_draw(p, sample, t->rgb, t->depth, t->parts, &t->y));
    return t;
}

typedef struct { const gn_puppet *p; uint64_t hash[SOME]; } crowd;

static gn_status draw_share(void *what, int worker, int workers) {
    crowd *c = what;
    for (int k = workers - 1 - worker; k < SOME; k += workers) {
        picture *t = calloc(1, sizeof *t);
        gn_status status = gn_puppet_draw(c->p, k, t->rgb, t->depth, t->parts, &t->y);
        c->hash[k] = gn_hash(t, sizeof *t);
        free(t);
        if (status) return status;
    }
    return GN_OK;
}

static void test_threads_change_nothing(void **state) {
    (void)state;
    crowd one = { open_puppet("puppet_wild", plain), { 0 } },
          three = { open_puppet("puppet_wild", plain), { 0 } };
    gn_pool *pool;
    OK(gn_pool_open(arena, 1, &pool));
    OK(gn_pool_run(pool, draw_share, &one));
    OK(gn_pool_open(arena, 3, &pool));
    OK(gn_pool_run(pool, draw_share, &three));
    for (int k = 0; k < SOME; k++) assert_true(one.hash[k] == three.hash[k]);
    assert_true(one.hash[0] != one.hash[1]);
    gn_puppet_options other = plain;
    other.seed = 8;
    assert_true(gn_hash(draw(open_puppet("puppet_wild", other), 0), sizeof(picture)) != one.hash[0]);
}

static void test_joints_project(void **state) {
    (void)state;
    for (int lab = 0; lab < 2; lab++) {
        gn_puppet *p = open_puppet(lab ? "puppet_lab" : "puppet_wild", plain);
        for (int k = 0; k < SOME; k++) {
            gn_puppet_truth y = draw(p, k)->y;
            int inside = 0;
            for (int j = 0; j < 16; j++) {
                const float *c = y.joints3d[j];
                NEAR(y.joints2d[j][0], y.camera[0] * c[0] / c[2] + y.camera[2], 0.01);
                NEAR(y.joints2d[j][1], y.camera[1] * c[1] / c[2] + y.camera[3], 0.01);
                inside += y.labelled[j];
            }
            assert_true(inside >= 12);
            assert_true(y.head_size > 3 && y.head_size < SIZE / 2);
        }
    }
}

static float distance(const float *a, const float *b) {
    return sqrtf((a[0] - b[0]) * (a[0] - b[0]) + (a[1] - b[1]) * (a[1] - b[1]) +
                 (a[2] - b[2]) * (a[2] - b[2]));
}

/* Degrees by which the chain a-b-c departs from straight. */
static float bend(const float *a, const float *b, const float *c) {
    float dot = 0;
    for (int k = 0; k < 3; k++) dot += (b[k] - a[k]) * (c[k] - b[k]);
    return acosf(fmaxf(-1, fminf(1, dot / (distance(a, b) * distance(b, c))))) * 57.29578f;
}

static void test_bodies_are_possible(void **state) {
    (void)state;
    gn_puppet *p = open_puppet("puppet_wild", plain);
    for (int k = 0; k < 2 * SOME; k++) {
        gn_puppet_truth y = draw(p, k)->y;
        static const int limbs[4][3] = { { RH, RK, RA }, { LH, LK, LA }, { RS, RE, RW }, { LS, LE, LW } };
        for (int n = 0; n < 4; n++) {
            float angle = bend(y.joints3d[limbs[n][0]], y.joints3d[limbs[n][1]], y.joints3d[limbs[n][2]]);
            assert_true(angle > 1.5f && angle < (n < 2 ? 140.5f : 145.5f));
        }
        NEAR(distance(y.joints3d[RH], y.joints3d[RK]), distance(y.joints3d[LH], y.joints3d[LK]), 1e-4);
        NEAR(distance(y.joints3d[RS], y.joints3d[RE]), distance(y.joints3d[LS], y.joints3d[LE]), 1e-4);
        assert_true(distance(y.joints3d[RH], y.joints3d[RK]) > 0.22f &&
                    distance(y.joints3d[RH], y.joints3d[RK]) < 0.6f);
        for (int j = 0; j < 3; j++)
            NEAR(y.joints3d[PELVIS][j], 0.5 * (y.joints3d[RH][j] + y.joints3d[LH][j]), 1e-4);
    }
}

/* Hands and feet are where the wrists and ankles of the same side are. */
static void test_right_is_right(void **state) {
    (void)state;
    static const int end[2][4] = { { GN_PART_R_HAND, GN_PART_L_HAND, RW, LW },
                                   { GN_PART_R_FOOT, GN_PART_L_FOOT, RA, LA } };
    gn_puppet *p = open_puppet("puppet_lab", plain);
    for (int limb = 0; limb < 2; limb++) {
        int agree = 0, seen = 0;
        for (int k = 0; k < 3 * SOME; k++) {
            picture *t = draw(p, k);
            int sum[2] = { 0 }, n[2] = { 0 };
            for (int i = 0; i < SIZE * SIZE; i++)
                for (int side = 0; side < 2; side++)
                    if (t->parts[i] == end[limb][side]) sum[side] += i % SIZE, n[side]++;
            float gap = t->y.joints2d[end[limb][2]][0] - t->y.joints2d[end[limb][3]][0];
            if (!n[0] || !n[1] || fabsf(gap) < 12) continue;
            seen++;
            agree += (gap > 0) == ((float)sum[0] / (float)n[0] > (float)sum[1] / (float)n[1]);
        }
        assert_true(seen > 10);
        assert_int_equal(agree, seen);
    }
}

/* Over many people the left joint lies left of the right one as often as not, in front as often as behind. */
static void test_sides_are_even(void **state) {
    (void)state;
    static uint8_t rgb[32 * 32 * 3];
    gn_puppet_options o = plain;
    o.size = 32;
    gn_puppet *p = open_puppet("puppet_wild", o);
    int left = 0, near = 0, high = 0, n = 400;
    for (int k = 0; k < n; k++) {
        gn_puppet_truth y;
        OK(gn_puppet_draw(p, k, rgb, NULL, NULL, &y));
        left += y.joints3d[LS][0] < y.joints3d[RS][0];
        near += y.joints3d[LS][2] < y.joints3d[RS][2];
        high += y.joints3d[LW][1] < y.joints3d[RW][1];
    }
    NEAR(left, n / 2, n / 8);
    NEAR(near, n / 2, n / 8);
    NEAR(high, n / 2, n / 8);
}

static void test_depth_fits_joints(void **state) {
    (void)state;
    static const float flesh[16] = { 0.10f, 0.12f, 0.25f, 0.25f, 0.12f, 0.10f, 0.30f, 0.25f,
                                     0.22f, 0.16f, 0.08f, 0.09f, 0.16f, 0.16f, 0.09f, 0.08f };
    gn_puppet *p = open_puppet("puppet_wild", plain);
    int open = 0, fits = 0, covered = 0, behind = 0; /* a ray and its pixel may differ at an outline */
    for (int k = 0; k < 2 * SOME; k++) {
        picture *t = draw(p, k);
        for (int j = 0; j < 16; j++) {
            if (!t->y.labelled[j]) continue;
            int i = (int)(t->y.joints2d[j][1] + 0.5f) * SIZE + (int)(t->y.joints2d[j][0] + 0.5f);
            float gap = t->y.joints3d[j][2] - (float)t->depth[i] / 1000;
            if (!t->y.occluded[j] && t->parts[i] && t->parts[i] != GN_PART_OTHER) {
                fits += gap < flesh[j] + 0.02f;
                open++;
            }
            if (t->y.occluded[j]) covered++, behind += gap > 0.02f;
        }
    }
    assert_true(open > 200 && covered > 60);
    assert_true(fits > open * 0.97);
    assert_true(behind > covered * 0.95);
}

static void test_parts_are_all_there(void **state) {
    (void)state;
    gn_puppet *p = open_puppet("puppet_wild", plain);
    int pixels[GN_PARTS] = { 0 };
    for (int k = 0; k < 50; k++) {
        picture *t = draw(p, k);
        for (int i = 0; i < SIZE * SIZE; i++) {
            assert_true(t->parts[i] < GN_PARTS);
            pixels[t->parts[i]]++;
        }
    }
    for (int k = 0; k < GN_PARTS; k++) assert_true(pixels[k] > 100);
}

static void test_views_share_a_moment(void **state) {
    (void)state;
    gn_puppet_options o = plain;
    o.views = 4;
    o.frames = 3;
    for (int lab = 0; lab < 2; lab++) {
        gn_puppet *p = open_puppet(lab ? "puppet_lab" : "puppet_wild", o);
        float world[12][16][3], eye[12][12];
        for (int k = 0; k < 12; k++) {
            gn_puppet_truth y = draw(p, k)->y;
            memcpy(eye[k], y.pose_of_view, sizeof eye[k]);
            for (int j = 0; j < 16; j++)
                for (int c = 0; c < 3; c++) {
                    world[k][j][c] = 0;
                    for (int r = 0; r < 3; r++)
                        world[k][j][c] +=
                            y.pose_of_view[4 * r + c] * (y.joints3d[j][r] - y.pose_of_view[4 * r + 3]);
                }
        }
        for (int k = 0; k < 12; k++)
            for (int j = 0; j < 16; j++) assert_true(distance(world[k][j], world[k / 4 * 4][j]) < 1e-3f);
        for (int j = 0; j < 16; j++) assert_true(distance(world[0][j], world[4][j]) < 0.7f); /* 0.04 s */
        assert_true(memcmp(world[0], world[4], sizeof world[0]) != 0);
        assert_memory_equal(eye[1], eye[5], sizeof eye[1]);
        assert_true(memcmp(eye[0], eye[1], sizeof eye[0]) != 0);
    }
}

static void test_bad_options(void **state) {
    (void)state;
    gn_puppet *p;
    gn_puppet_options o = plain;
    FAILS(gn_puppet_open(arena, "puppet_moon", 0, &o, &p), BAD_USAGE);
    o.size = 4;
    FAILS(gn_puppet_open(arena, "puppet_lab", 0, &o, &p), BAD_CONFIG);
    o = plain, o.views = 99;
    FAILS(gn_puppet_open(arena, "puppet_lab", 0, &o, &p), BAD_CONFIG);
}

static gn_shard *shard_of(const char *root, const char *name) {
    gn_shard *s = NULL;
    OK(gn_shard_open(arena, gn_arena_text(arena, "%s/%s", root, name), &s));
    return s;
}

static void test_sets_are_made_once(void **state) {
    (void)state;
    char folder[] = "/tmp/gn_puppet_XXXXXX";
    assert_non_null(mkdtemp(folder));
    const char *a = gn_arena_text(arena, "%s/one", folder), *b = gn_arena_text(arena, "%s/three", folder);
    const char *file = gn_arena_text(arena, "%s/puppet_wild/train.h5", a);
    gn_pool *one, *three;
    OK(gn_pool_open(arena, 1, &one));
    OK(gn_pool_open(arena, 3, &three));
    gn_log_quiet(1);
    OK(gn_puppet_make(a, "puppet_wild", &plain, one));
    OK(gn_puppet_make(b, "puppet_wild", &plain, three));
    gn_shard *s = shard_of(a, "puppet_wild/train.h5");
    assert_true(gn_shard_hash(s) == gn_shard_hash(shard_of(b, "puppet_wild/train.h5")));
    assert_true(gn_shard_hash(s) != gn_shard_hash(shard_of(a, "puppet_wild/valid.h5")));
    assert_int_equal(gn_shard_samples(s), plain.train);
    int place;
    assert_non_null(gn_shard_find(s, "image", &place));
    picture *t = draw(open_puppet("puppet_wild", plain), 5);
    assert_memory_equal(gn_shard_at(s, place, 5), t->rgb, sizeof t->rgb);
    assert_non_null(gn_shard_find(s, "depth_map", &place));
    assert_memory_equal(gn_shard_at(s, place, 5), t->depth, sizeof t->depth);
    struct stat first, then;
    assert_int_equal(stat(file, &first), 0);
    OK(gn_puppet_make(a, "puppet_wild", &plain, three));
    assert_int_equal(stat(file, &then), 0);
    assert_true(first.st_ino == then.st_ino);
    gn_puppet_options o = plain;
    o.seed++;
    OK(gn_puppet_make(a, "puppet_wild", &o, three));
    assert_int_equal(stat(file, &then), 0);
    assert_true(first.st_ino != then.st_ino);
    gn_log_quiet(0);
    OK(gn_io_remove(folder));
}

static int begin(void **state) { (void)state; return (arena = gn_arena_new("test")) ? 0 : -1; }
static int end(void **state) { (void)state; gn_arena_free(arena); return 0; }

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)
        T(test_threads_change_nothing), T(test_joints_project),       T(test_bodies_are_possible),
        T(test_right_is_right),         T(test_sides_are_even),       T(test_depth_fits_joints),
        T(test_parts_are_all_there),    T(test_views_share_a_moment), T(test_bad_options),
        T(test_sets_are_made_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
