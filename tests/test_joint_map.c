/* test_joint_map.c - the way from one skeleton to another. */
#include "near.h"
#include "src/data/sample.h"
#include <string.h>

#define EACH_SKELETON(s) for (const gn_skeleton *const *s##_ = gn_skeletons, *s; (s = *s##_); s##_++)

static gn_joint_map map_of(const char *from, const char *to) {
    gn_joint_map m;
    gn_joint_map_make(gn_skeleton_find(from), gn_skeleton_find(to), &m);
    return m;
}

/* --- the conversions of the field, index by index --- */

enum { MADE = 100 }; /* of several */
typedef struct { const char *from, *to; int n, base, list[32]; } conversion;

static const conversion conversions[] = {
    { "panoptic19", "coco17", 17, 0, { 1, 15, 17, 16, 18, 3, 9, 4, 10, 5, 11, 6, 12, 7, 13, 8, 14 } }, /* C3P's cmu.py */
    { "coco17", "smap15", 15, 0, { MADE, -1, MADE, 5, 7, 9, 11, 13, 15, 6, 8, 10, 12, 14, 16 } },      /* SMAP's create_annot.py */
    { "smap15", "mpi17", 15, 1, { 2, 1, 10, 11, 12, 4, 5, 6, 13, 14, 15, 7, 8, 9, 3 } },               /* SMAP's mupots_smap.m */
    { "coco17", "itop15", 15, 0, { MADE, MADE, 6, 5, 8, 7, 10, 9, MADE, 12, 11, 14, 13, 16, 15 } },
    { "kinect25", "coco17", 17, 1, { 0, 0, 0, 0, 0, 5, 9, 6, 10, 7, 11, 13, 17, 14, 18, 15, 19 } },
    { "h36m17", "mpii16", 16, 0, { 3, 2, 1, 4, 5, 6, 0, 7, 8, 10, 16, 15, 14, 11, 12, 13 } },  /* Zhou 2017, A3.1 */
    { "mpi17", "mpii16", 16, 0, { 10, 9, 8, 11, 12, 13, 14, 15, 1, 0, 4, 3, 2, 5, 6, 7 } },    /* Zhou 2017, A3.1 */
    { "mpi28", "mpi17", 17, 0, { 7, 5, 14, 15, 16, 9, 10, 11, 23, 24, 25, 18, 19, 20, 4, 3, 6 } }, /* mpii_get_joints.m */
    { "muco21", "mpi17", 17, 0, { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 } },
    /* those of no like point in the source are absent: head, spine */
    { "kinect25", "h36m17", 17, 0, { 0, 16, 17, 18, 12, 13, 14, 1, 20, -1, -1, 4, 5, 6, 8, 9, 10 } },
    { "panoptic19", "h36m17", 17, 0, { 2, 12, 13, 14, 6, 7, 8, -1, 0, 1, -1, 3, 4, 5, 9, 10, 11 } },
    { "mpi28", "muco21", 21, 0, { 7, 5, 14, 15, 16, 9, 10, 11, 23, 24, 25, 18, 19, 20, 4, 3, 6, 17, 12, 27, 22 } },
    { "coco17", "body25", 25, 0,
      { 0, MADE, 6, 8, 10, 5, 7, 9, MADE, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3, -1, -1, -1, -1, -1, -1 } },
};

static void documented(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof conversions / sizeof *conversions; i++) {
        const conversion *c = &conversions[i];
        gn_joint_map m = map_of(c->from, c->to);
        for (int j = 0; j < c->n; j++) {
            const gn_joint_parts *p = &m.joint[j];
            int got = p->n == 0 ? -1 : p->n > 1 ? MADE : p->of[0], want = c->list[j] == MADE ? MADE : c->list[j] - c->base;
            if (got != want) fail_msg("%s to %s, joint %d: %d, expected %d", c->from, c->to, j, got, want);
        }
    }
}

static void check_parts(const gn_joint_map *m, const char *joint, int n, const char *const *of, const double *share) {
    const gn_joint_parts *p = &m->joint[gn_joint_find(m->to, joint)];
    assert_int_equal(p->n, n);
    for (int k = 0; k < n; k++) {
        assert_string_equal(m->from->joint[p->of[k]], of[k]);
        NEAR(p->share[k], share[k], 1e-7);
    }
}

static void made(void **state) {
    (void)state;
    static const char *const hips[] = { "l_hip", "r_hip" }, *const shoulders[] = { "l_shoulder", "r_shoulder" };
    static const char *const four[] = { "l_shoulder", "r_shoulder", "l_hip", "r_hip" }, *const face[] = { "nose", "l_ear", "r_ear" };
    static const double half[] = { 0.5, 0.5 }, third[] = { 1 / 3.0, 1 / 3.0, 1 / 3.0 }, quarter[] = { 0.25, 0.25, 0.25, 0.25 };
    static const double up[] = { 1.185 / 2, 1.185 / 2, -0.185 / 2, -0.185 / 2 };
    gn_joint_map m = map_of("coco17", "smap15");
    check_parts(&m, "pelvis", 2, hips, half);
    check_parts(&m, "neck", 4, four, up);
    m = map_of("coco17", "itop15");
    check_parts(&m, "head", 3, face, third);
    check_parts(&m, "neck", 2, shoulders, half);
    check_parts(&m, "torso", 4, four, quarter);
    m = map_of("coco17", "mpii16");
    check_parts(&m, "pelvis", 2, hips, half);
    check_parts(&m, "thorax", 2, shoulders, half);
    assert_int_equal(m.joint[gn_joint_find(&gn_mpii16, "upper_neck")].n, 0);
    m = map_of("mpii16", "h36m17");
    check_parts(&m, "spine", 2, (const char *const[]){ "pelvis", "upper_neck" }, half);
    check_parts(&m, "thorax", 1, (const char *const[]){ "upper_neck" }, (const double[]){ 1 });
}

/* --- maps in general --- */

static void lawful(void **state) {
    (void)state;
    EACH_SKELETON(a)
        EACH_SKELETON(b) {
            gn_joint_map m;
            gn_joint_map_make(a, b, &m);
            assert_true(m.traps <= GN_TRAPS);
            for (int j = 0; j < b->joints; j++) {
                const gn_joint_parts *p = &m.joint[j], *q = &m.joint[b->mirror[j]];
                double sum = 0;
                assert_int_equal(p->n, q->n); /* mirrored joints are made of mirrored ones */
                for (int k = 0; k < p->n; k++) {
                    int other = 0;
                    for (int i = 0; i < q->n; i++) other |= q->of[i] == a->mirror[p->of[k]] && q->share[i] == p->share[k];
                    assert_true(other);
                    sum += (double)p->share[k];
                }
                if (p->n) NEAR(sum, 1, 1e-6);
                if (a == b) assert_true(p->n == 1 && p->of[0] == j && p->share[0] == 1);
            }
            if (a == b) assert_int_equal(m.traps, 0);
        }
}

static void there_and_back(void **state) {
    (void)state;
    static const char *const pairs[][2] = { { "mpii16", "h36m17" }, { "mpi17", "mpi28" }, { "h36m17", "mpi17" }, { "mpii16", "mpi17" },
                                            { "coco17", "panoptic19" }, { "smap15", "panoptic19" }, { "body25", "body25b" } };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        gn_joint_map out = map_of(pairs[i][0], pairs[i][1]), back = map_of(pairs[i][1], pairs[i][0]);
        int same = 0;
        for (int j = 0; j < out.from->joints; j++) {
            const gn_joint_parts *p = &back.joint[j];
            if (p->n != 1 || out.joint[p->of[0]].n != 1) continue;
            assert_int_equal(out.joint[p->of[0]].of[0], j);
            same++;
        }
        assert_true(same >= 12);
    }
}

static void traps(void **state) {
    (void)state;
    gn_joint_map m = map_of("h36m17", "mpii16");
    int hips = -1, neck = -1;
    for (int k = 0; k < m.traps; k++) {
        if (!strcmp(m.trap[k].what, "hips")) hips = k;
        if (!strcmp(m.trap[k].what, "neck")) neck = k;
        assert_string_not_equal(m.trap[k].from, m.trap[k].to);
    }
    assert_true(hips >= 0 && neck >= 0);
    assert_non_null(strstr(m.trap[hips].from, "markers"));
    assert_non_null(strstr(m.trap[hips].to, "picture"));
    m = map_of("mpi28", "mpi17"); /* one body model */
    assert_int_equal(m.traps, 0);
    m = map_of("hand21", "panoptic19"); /* nothing carried */
    assert_int_equal(m.traps, 0);
    for (int j = 0; j < m.to->joints; j++) assert_int_equal(m.joint[j].n, 0);
    m = map_of("body25", "mpii16"); /* is not body25b */
    int k = 0;
    while (k < m.traps && strcmp(m.trap[k].what, "root")) k++;
    assert_true(k < m.traps);
    assert_string_equal(m.trap[k].from, "the middle of the hips");
}

/* --- a sample carried --- */

typedef struct {
    gn_real joints2d[GN_JOINTS * 2], confidence2d[GN_JOINTS], joints3d[GN_JOINTS * 3], depth[GN_JOINTS], camera[4], pose[12], head;
    uint8_t labelled2d[GN_JOINTS], occluded2d[GN_JOINTS], labelled3d[GN_JOINTS];
    int16_t order[3 * GN_JOINTS];
} storage;

static gn_label_store store_of(storage *s) {
    memset(s, 0x55, sizeof *s); /* what a call does not write shows */
    return (gn_label_store){ .joints2d = s->joints2d, .labelled2d = s->labelled2d, .occluded2d = s->occluded2d,
                             .confidence2d = s->confidence2d, .joints3d = s->joints3d, .labelled3d = s->labelled3d, .depth = s->depth,
                             .order = s->order, .camera = s->camera, .pose_of_view = s->pose, .head_size = &s->head };
}

static void carried(void **state) {
    (void)state;
    storage a, b;
    gn_label_store from = store_of(&a), to = store_of(&b);
    for (int j = 0; j < 17; j++) {
        for (int k = 0; k < 2; k++) a.joints2d[2 * j + k] = (gn_real)(10 * j + k);
        for (int k = 0; k < 3; k++) a.joints3d[3 * j + k] = (gn_real)(j + 100 * k);
        a.labelled2d[j] = 1, a.labelled3d[j] = j != 14, a.occluded2d[j] = j == 6 || j == 9;
        a.confidence2d[j] = (gn_real)(j == 12 ? 0.25 : 0.5), a.depth[j] = (gn_real)j;
    }
    a.labelled2d[9] = 0, a.labelled2d[11] = 0;                     /* left wrist, left hip */
    a.joints2d[2 * 11] = a.joints3d[3 * 14] = (gn_real)NAN;        /* what is not labelled may be anything */
    const int16_t order[] = { 5, 6, 1, 0, 6, -1, 1, 2, -1, 16, 15, 0 }; /* shoulders, nose, eyes, ankles */
    memcpy(a.order, order, sizeof order);
    for (int k = 0; k < 12; k++) a.pose[k] = (gn_real)k;
    for (int k = 0; k < 4; k++) a.camera[k] = (gn_real)(7 + k);
    a.head = 33;
    const uint32_t all = (1u << GN_FIELD_COUNT) - 1;
    gn_labels y = gn_label_store_labels(&from, &gn_coco17, all, 4, 64);
    gn_joint_map m = map_of("coco17", "smap15");
    int P = -1;
    assert_int_equal(gn_labels_carry(&m, &y, &to, &P), all);
    assert_int_equal(P, 2); /* nose and eyes have no counterpart */
    assert_true(b.order[0] == 3 && b.order[1] == 9 && b.order[2] == 1 && b.order[3] == 14 && b.order[4] == 8 && b.order[5] == 0);
    static const uint8_t labelled2d[] = { 0, 0, 0, 1, 1, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1 }; /* neck and pelvis need the left hip */
    static const uint8_t labelled3d[] = { 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1 }; /* right knee */
    static const uint8_t occluded2d[] = { 1, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0 }; /* neck: the right shoulder is */
    assert_memory_equal(b.labelled2d, labelled2d, 15);
    assert_memory_equal(b.labelled3d, labelled3d, 15);
    assert_memory_equal(b.occluded2d, occluded2d, 15);
    NEAR(b.confidence2d[2], 0.25, 0); /* the least of the hips */
    NEAR(b.confidence2d[0], 0.25, 0);
    NEAR(b.confidence2d[3], 0.5, 0);
    NEAR(b.confidence2d[1], 0, 0);
    NEAR(b.joints2d[2 * 4], 70, 0);
    NEAR(b.joints2d[2 * 4 + 1], 71, 0);
    NEAR(b.joints3d[3 * 2], 11.5, 1e-6);
    NEAR(b.joints3d[3 * 0], 1.185 * 5.5 - 0.185 * 11.5, 1e-5);
    NEAR(b.joints3d[3 * 0 + 2], 1.185 * 205.5 - 0.185 * 211.5, 1e-3);
    NEAR(b.depth[2], 11.5, 1e-6);
    for (int k = 0; k < 4; k++) NEAR(b.joints2d[k], 0, 0); /* neck, head top */
    NEAR(b.joints2d[2 * 6], 0, 0);
    for (int k = 0; k < 3; k++) NEAR(b.joints3d[3 * 13 + k], 0, 0);
    assert_memory_equal(b.pose, a.pose, sizeof b.pose);
    assert_memory_equal(b.camera, a.camera, sizeof b.camera);
    NEAR(b.head, 33, 0);
    assert_int_equal(b.labelled2d[15], 0x55); /* no joint past the last */
}

/* Flags that were not needed before are needed after: not every joint has a counterpart. */
static void carried_without_flags(void **state) {
    (void)state;
    storage a, b;
    gn_label_store from = store_of(&a), to = store_of(&b);
    for (int j = 0; j < 2 * GN_JOINTS; j++) a.joints2d[j] = (gn_real)j;
    gn_labels y = gn_label_store_labels(&from, &gn_kinect25, GN_HAS_joints2d, 0, 64);
    gn_joint_map m = map_of("kinect25", "coco17");
    int P;
    assert_int_equal(gn_labels_carry(&m, &y, &to, &P), GN_HAS_joints2d | GN_HAS_labelled2d);
    assert_int_equal(P, 0);
    for (int j = 0; j < 17; j++) assert_int_equal(b.labelled2d[j], j >= 5);
    NEAR(b.joints2d[2 * 5], 8, 0);
    assert_int_equal(b.labelled3d[0], 0x55);
}

static void carried_as_it_is(void **state) {
    (void)state;
    storage a, b;
    gn_label_store from = store_of(&a), to = store_of(&b);
    for (int j = 0; j < 3 * GN_JOINTS; j++) a.joints3d[j] = (gn_real)(j * j), a.labelled3d[j / 3] = 1;
    gn_labels y = gn_label_store_labels(&from, &gn_h36m17, GN_HAS_joints3d | GN_HAS_labelled3d, 0, 64);
    gn_joint_map m = map_of("h36m17", "h36m17");
    int P;
    gn_labels_carry(&m, &y, &to, &P);
    assert_memory_equal(a.joints3d, b.joints3d, 17 * 3 * sizeof *a.joints3d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documented), cmocka_unit_test(made),    cmocka_unit_test(lawful),
        cmocka_unit_test(there_and_back), cmocka_unit_test(traps), cmocka_unit_test(carried),
        cmocka_unit_test(carried_without_flags), cmocka_unit_test(carried_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
