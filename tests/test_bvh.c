/* test_bvh.c - BVH in its three dialects: what the files say, what is refused, what puppets make of it. */
#include "gnomon/io.h"
#include "gnomon/log.h"
#include "gnomon/puppet.h"
#include "near.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SHARED GN_SOURCE "/../shared/data/"
static gn_arena *arena;

static gn_bvh *read_shared(const char *name) {
    const char *path = gn_arena_text(arena, "%s%s", SHARED, name);
    if (!gn_io_exists(path)) skip();
    gn_bvh *m = NULL;
    OK(gn_bvh_read(arena, path, &m));
    return m;
}

typedef struct { double at[256][3]; } placed;

static double bone(const gn_bvh *m, int64_t frame, gn_bvh_role a, gn_bvh_role b, int side) {
    static placed p;
    gn_bvh_pose(m, frame, p.at, NULL);
    double sum = 0;
    for (int k = 0; k < 3; k++) {
        double d = p.at[gn_bvh_of(m, a, side)][k] - p.at[gn_bvh_of(m, b, side)][k];
        sum += d * d;
    }
    return sqrt(sum);
}

/* Heights of the body's joints, fingers and toes apart, over the kept frames: what index.csv measures. */
static void heights(const gn_bvh *m, double *least, double *most) {
    static placed p;
    *least = 1e9, *most = -1e9;
    for (int64_t k = gn_bvh_first(m); k < gn_bvh_frames(m); k++) {
        gn_bvh_pose(m, k, p.at, NULL);
        for (int j = 0; j < GN_BVH_ROLES * 2; j++) {
            if (j / 2 == GN_BVH_HAND || j / 2 == GN_BVH_TOE) continue;
            double y = p.at[gn_bvh_of(m, (gn_bvh_role)(j / 2), j % 2)][1];
            *least = fmin(*least, y), *most = fmax(*most, y);
        }
    }
}

static void test_daz(void **state) {
    (void)state;
    gn_bvh *m = read_shared("cmu_mocap/daz/02_01.bvh");
    assert_string_equal(gn_bvh_dialect(m), "daz");
    NEAR(gn_bvh_unit(m), 0.01, 0);
    assert_int_equal(gn_bvh_frames(m), 344);
    assert_int_equal(gn_bvh_first(m), 5);
    NEAR(gn_bvh_rate(m), 120, 0.01);
    for (int side = 0; side < 2; side++)
        for (int64_t k = 5; k < 344; k += 100) {
            NEAR(bone(m, k, GN_BVH_HIP, GN_BVH_KNEE, side), 0.368, 0.0006);
            NEAR(bone(m, k, GN_BVH_KNEE, GN_BVH_ANKLE, side), 0.454, 0.0006);
            NEAR(bone(m, k, GN_BVH_SHOULDER, GN_BVH_ELBOW, side), 0.282, 0.0006);
            NEAR(bone(m, k, GN_BVH_ELBOW, GN_BVH_WRIST, side), 0.237, 0.0006);
        }
    double least, most;
    heights(m, &least, &most);
    NEAR(least, 0.10, 0.006);
    NEAR(most, 1.52, 0.006);
    OK(gn_bvh_check(m));
    static placed p;
    gn_bvh_pose(m, 0, p.at, NULL); /* T-pose: faces +Z, left at +X */
    double middle = p.at[gn_bvh_of(m, GN_BVH_ROOT, 0)][0];
    NEAR(p.at[gn_bvh_of(m, GN_BVH_WRIST, 1)][0] - middle, 0.62, 0.01);
    NEAR(p.at[gn_bvh_of(m, GN_BVH_WRIST, 0)][0] - middle, -0.62, 0.01);
}

static void test_max(void **state) {
    (void)state;
    gn_bvh *native = read_shared("cmu_mocap/max/131_01.bvh"),
           *metres = read_shared("cmu_mocap/max/scaled_131_01.bvh");
    assert_string_equal(gn_bvh_dialect(native), "3dsmax");
    NEAR(gn_bvh_unit(native), 0.0564444, 1e-6);
    NEAR(gn_bvh_unit(metres), 1, 0);
    assert_int_equal(gn_bvh_frames(native), 994);
    assert_int_equal(gn_bvh_frames(metres), 995);
    assert_int_equal(gn_bvh_first(native), 0);
    gn_bvh *both[2] = { native, metres };
    for (int k = 0; k < 2; k++) {
        double least, most;
        heights(both[k], &least, &most);
        NEAR(least, 0.05, 0.006);
        NEAR(most, 1.43, 0.006);
        OK(gn_bvh_check(both[k]));
    }
    for (int side = 0; side < 2; side++)
        NEAR(bone(native, 500, GN_BVH_HIP, GN_BVH_KNEE, side),
             bone(metres, 500, GN_BVH_HIP, GN_BVH_KNEE, side), 1e-4);
}

static void test_bandai(void **state) {
    (void)state;
    gn_bvh *m = read_shared("bandai_namco_1/dataset-1_bow_active_001.bvh");
    assert_string_equal(gn_bvh_dialect(m), "bandai");
    NEAR(gn_bvh_unit(m), 0.01, 0);
    NEAR(gn_bvh_rate(m), 30, 0.01);
    for (int side = 0; side < 2; side++)
        for (int64_t k = 0; k < gn_bvh_frames(m); k += 20) { /* offsets replaced, not added */
            NEAR(bone(m, k, GN_BVH_HIP, GN_BVH_KNEE, side), 0.3908, 1e-4);
            NEAR(bone(m, k, GN_BVH_KNEE, GN_BVH_ANKLE, side), 0.4099, 1e-4);
        }
    double least, most;
    heights(m, &least, &most);
    assert_true(least > 0 && most < 2.0 && most > 1.3);
}

static void test_broken_takes(void **state) {
    (void)state;
    FAILS(gn_bvh_check(read_shared("cmu_mocap/daz/07_12.bvh")), BAD_DATA);
    assert_non_null(strstr(gn_reason(), "07_12.bvh: refused"));
    assert_non_null(strstr(gn_reason(), "below the floor"));
    FAILS(gn_bvh_check(read_shared("cmu_mocap/daz/09_10.bvh")), BAD_DATA);
    assert_non_null(strstr(gn_reason(), "below the floor"));
    OK(gn_bvh_check(read_shared("cmu_mocap/daz/03_01.bvh"))); /* uneven ground */
    OK(gn_bvh_check(read_shared("cmu_mocap/daz/01_08.bvh"))); /* lone leaps */
}

static const char *const tree = "HIERARCHY\nROOT hip\n{\n OFFSET 0 0 0\n CHANNELS 3 Xposition Yposition "
                                "Zposition\n End Site\n {\n OFFSET 0 1 0\n }\n}\n";

static void refused(const char *text, const char *why) {
    const char *path = "/tmp/gn_test_bad.bvh";
    char name[64];
    snprintf(name, sizeof name, "%s.%d", path, (int)getpid());
    OK(gn_io_write(name, text, strlen(text)));
    gn_bvh *m;
    FAILS(gn_bvh_read(arena, name, &m), BAD_DATA);
    if (!strstr(gn_reason(), why)) fail_msg("'%s' should say '%s'", gn_reason(), why);
    OK(gn_io_remove(name));
}

static void test_bad_files(void **state) {
    (void)state;
    refused("", ":1: expected 'HIERARCHY', found ''");
    refused("HIERARCHY\r\nROOT a\r\n{\r\nOFFSET 0 x 0", ":4: an offset: expected a number, found 'x'");
    refused("HIERARCHY\nROOT a\n{\nOFFSET 0 0 0\nCHANNELS 1 Wrotation", ":5: channel 'Wrotation'");
    refused("HIERARCHY\nROOT a\n{\nOFFSET 0 0 0\nCHANNELS 9", "9 channels");
    const char *motion = gn_arena_text(arena, "%sMOTION\nFrames:\t2\nFrame Time:\t.01\n1 2 3\r\n4 5\n", tree);
    refused(motion, ":16: the file ends");
    refused(gn_arena_text(arena, "%sMOTION\nFrames: 9000000\nFrame Time: .01\n1 2 3\n", tree),
            "does not hold");
    refused(gn_arena_text(arena, "%sMOTION\nFrames: 1\nFrame Time: .01\n1 nan 3\n", tree), "found 'nan'");
    refused(gn_arena_text(arena, "%sMOTION\nFrames: 1\nFrame Time: .01\n1 2 3 4\n", tree),
            "'4' after the last");
    refused(gn_arena_text(arena, "%sMOTION\nFrames: 1\nFrame Time: .01\n1 2 3\n", tree), "no known dialect");
}

/* A folder with takes of three subjects, one broken: puppets move by the others. */
static void test_puppets_move_by_takes(void **state) {
    (void)state;
    char folder[] = "/tmp/gn_takes_XXXXXX";
    static const char *const names[] = { "daz/02_01.bvh", "daz/07_12.bvh", "max/131_01.bvh" };
    if (!gn_io_exists(SHARED "cmu_mocap/daz/02_01.bvh")) skip();
    assert_non_null(mkdtemp(folder));
    for (int k = 0; k < 3; k++) {
        char *take = realpath(gn_arena_text(arena, SHARED "cmu_mocap/%s", names[k]), NULL);
        assert_int_equal(symlink(take, gn_arena_text(arena, "%s/%s", folder, strchr(names[k], '/') + 1)), 0);
        free(take);
    }
    gn_puppet_options o = { .train = 1,
                            .valid = 1,
                            .size = 64,
                            .seed = 3,
                            .views = 1,
                            .frames = 2,
                            .motion = folder,
                            .backgrounds = "" };
    gn_log_quiet(1);
    static uint8_t rgb[64 * 64 * 3];
    int usable = 0;
    for (int valid = 0; valid < 2; valid++) {
        gn_puppet *p;
        if (gn_puppet_open(arena, "puppet_wild", valid, &o, &p)) {
            assert_non_null(strstr(gn_reason(), "can be used")); /* the broken one alone */
            continue;
        }
        usable++;
        for (int k = 0; k < 20; k++) {
            gn_puppet_truth y;
            OK(gn_puppet_draw(p, k, rgb, NULL, NULL, &y));
            /* walking: the head stays above the pelvis, in the world */
            double up = 0;
            for (int r = 0; r < 3; r++)
                up += y.pose_of_view[4 * r + 1] * (y.joints3d[9][r] - y.joints3d[6][r]);
            assert_true(up > 0.35 && up < 0.9);
        }
    }
    assert_true(usable >= 1);
    gn_log_quiet(0);
    OK(gn_io_remove(folder));
    gn_puppet *p;
    FAILS(gn_puppet_open(arena, "puppet_wild", 0, &o, &p), MISSING);
}

static int begin(void **state) { (void)state; return (arena = gn_arena_new("test")) ? 0 : -1; }
static int end(void **state) { (void)state; gn_arena_free(arena); return 0; }

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)
        T(test_daz),          T(test_max),       T(test_bandai),
        T(test_broken_takes), T(test_bad_files), T(test_puppets_move_by_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
