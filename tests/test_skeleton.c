/* test_skeleton.c - the skeletons there are, those without a root among them. */
#include "gnomon/metric.h"
#include "near.h"
#include "src/data/sample.h"
#include "src/report/draw.h"
#include <string.h>
#define GN_LOSS(name, OPTIONS, help, reads, least, views, needs)
#include "loss/bone.h"
#include "loss/position.h"

#define EACH_SKELETON(s) for (const gn_skeleton *const *s##_ = gn_skeletons, *s; (s = *s##_); s##_++)

/* --- the tables --- */

static void mirrors(void **state) {
    (void)state;
    EACH_SKELETON(s) {
        assert_ptr_equal(gn_skeleton_find(s->name), s);
        assert_true(s->joints > 0 && s->joints <= GN_JOINTS);
        for (int j = 0; j < s->joints; j++) {
            const char *name = s->joint[j], *other = s->joint[s->mirror[j]];
            assert_int_equal(s->mirror[s->mirror[j]], j);
            assert_int_equal(gn_joint_find(s, name), j); /* no name twice */
            if (name[1] == '_')
                assert_true(name[0] != other[0] && strchr("lr", other[0]) && !strcmp(name + 1, other + 1));
            else
                assert_ptr_equal(name, other);
        }
    }
    assert_null(gn_skeleton_find("coco"));
    assert_int_equal(gn_joint_find(&gn_mpii16, "tail"), -1);
}

static void bones(void **state) {
    (void)state;
    EACH_SKELETON(s) {
        int group[GN_BONE_GROUPS] = { 0 };
        assert_true(s->bones <= GN_JOINTS);
        for (int e = 0; e < s->bones; e++) {
            const gn_bone *b = &s->bone[e], *m = &s->bone[b->mirror];
            assert_true(b->a >= 0 && b->a < s->joints && b->b >= 0 && b->b < s->joints && b->a != b->b);
            assert_int_equal(m->mirror, e);
            assert_int_equal(m->group, b->group);
            int same = m->a == s->mirror[b->a] && m->b == s->mirror[b->b];
            assert_true(same || (m == b && b->a == s->mirror[b->b])); /* or across the body */
            if (b->group >= 0) group[b->group]++;
            NEAR(m->mean_mm, b->mean_mm, 1.1); /* SMAP's sides differ by up to 1 mm */
        }
        for (int g = 0; g < GN_BONE_GROUPS; g++) assert_true(group[g] % 2 == 0 && group[g] <= BONE_MOST);
        if (s != &gn_hand21) assert_true(group[GN_LEGS] == 4 && group[GN_ARMS] == 4);
        for (const int8_t *j = s->limb_end; *j >= 0; j++) assert_true(gn_joint_parent(s, *j) >= 0);
    }
}

/* From each joint that is in a bone, parents lead to the root; only the thorax of MPII is in none. */
static void trees(void **state) {
    (void)state;
    EACH_SKELETON(s) {
        if (s->root < 0) {
            assert_int_equal(gn_joint_find(s, "pelvis"), -1);
            continue;
        }
        assert_int_equal(gn_joint_parent(s, s->root), -1);
        for (int j = 0; j < s->joints; j++) {
            int parents = 0, at = j, steps = 0;
            for (int e = 0; e < s->bones; e++) parents += s->bone[e].b == j;
            assert_int_equal(parents, j != s->root && !(s == &gn_mpii16 && !strcmp(s->joint[j], "thorax")));
            while (gn_joint_parent(s, at) >= 0 && steps++ < GN_JOINTS) at = gn_joint_parent(s, at);
            if (parents) assert_int_equal(at, s->root);
        }
    }
}

/* 3DPCK's 14 in 3DHP's own joints; nothing of the face in COCO's. */
static void limbs(void **state) {
    (void)state;
    int n = 0;
    for (int j = 0; j < gn_mpi28.joints; j++) n += gn_pck3d_joint(&gn_mpi28, j);
    assert_int_equal(n, 14);
    assert_true(gn_joint_is_limb(&gn_coco17, 5) && !gn_joint_is_limb(&gn_coco17, 1));
    assert_string_equal(gn_h36m17.joint[gn_joint_neck(&gn_h36m17)], "thorax");
    assert_string_equal(gn_mpii16.joint[gn_joint_neck(&gn_mpii16)], "upper_neck");
    assert_int_equal(gn_joint_neck(&gn_coco17), -1);
}

/* Shards and quoted runs hang on these. */
static void orders(void **state) {
    (void)state;
    static const struct { const char *skeleton, *joints; } known[] = {
        { "mpii16", "r_ankle r_knee r_hip l_hip l_knee l_ankle pelvis thorax upper_neck head_top r_wrist r_elbow r_shoulder l_shoulder "
                    "l_elbow l_wrist " },
        { "h36m17", "pelvis r_hip r_knee r_ankle l_hip l_knee l_ankle spine thorax nose head_top l_shoulder l_elbow l_wrist r_shoulder "
                    "r_elbow r_wrist " },
        { "crowdpose14", "l_shoulder r_shoulder l_elbow r_elbow l_wrist r_wrist l_hip r_hip l_knee r_knee l_ankle r_ankle head_top neck " },
        { "posetrack17", "nose upper_neck head_top l_ear r_ear l_shoulder r_shoulder l_elbow r_elbow l_wrist r_wrist l_hip r_hip l_knee "
                         "r_knee l_ankle r_ankle " },
        { "body25", "nose neck r_shoulder r_elbow r_wrist l_shoulder l_elbow l_wrist pelvis r_hip r_knee r_ankle l_hip l_knee l_ankle r_eye "
                    "l_eye r_ear l_ear l_big_toe l_small_toe l_heel r_big_toe r_small_toe r_heel " },
        { "body25b", "nose l_eye r_eye l_ear r_ear l_shoulder r_shoulder l_elbow r_elbow l_wrist r_wrist l_hip r_hip l_knee r_knee l_ankle "
                     "r_ankle upper_neck head_top l_big_toe l_small_toe l_heel r_big_toe r_small_toe r_heel " },
        { "itop15", "head neck r_shoulder l_shoulder r_elbow l_elbow r_hand l_hand torso r_hip l_hip r_knee l_knee r_foot l_foot " },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const gn_skeleton *s = gn_skeleton_find(known[i].skeleton);
        char text[512] = "";
        for (int j = 0; j < s->joints; j++) strcat(strcat(text, s->joint[j]), " ");
        assert_string_equal(text, known[i].joints);
    }
    NEAR(gn_mpii16.bone[12].mean_mm, 421.517337247 + 77.938555657, 1e-4);
    assert_int_equal(gn_mpii16.bone[8].mirror, 9);
    assert_int_equal(gn_h36m17.bone[15].a, 15);
}

/* --- skeletons without a root, bones of unknown length --- */

static void no_root(void **state) {
    (void)state;
    static gn_real uv[GN_JOINTS * 2], space[GN_JOINTS * 3], depth[GN_JOINTS];
    static uint8_t flags[1 + GN_JOINTS] = { 1 }, *all = flags + 1; /* a flag before the first would give joint -1 a label */
    gn_label_store store = { .joints2d = uv, .labelled2d = all, .joints3d = space, .labelled3d = all, .depth = depth };
    for (int j = 0; j < 17; j++) {
        all[j] = 1;
        uv[2 * j] = (gn_real)(3 * j), uv[2 * j + 1] = (gn_real)(j * j % 7);
        space[3 * j] = (gn_real)(0.1 * j), space[3 * j + 1] = (gn_real)(0.2 * (j % 5)), space[3 * j + 2] = 3;
    }
    const uint32_t has = GN_HAS_joints2d | GN_HAS_labelled2d | GN_HAS_joints3d | GN_HAS_labelled3d;
    assert_int_equal(gn_rules_apply(NULL, &gn_coco17, has, 64, &store), has); /* no depth */
    gn_labels y = gn_label_store_labels(&store, &gn_coco17, has, 0, 64);
    gn_group g = { .y = &y };
    position_options about = { .about = POSITION_ROOT };
    assert_int_equal(position_offers(&about, &g, 5), 0);
    about.about = POSITION_CAMERA;
    assert_int_equal(position_offers(&about, &g, 5), 1);

    double xyz[GN_JOINTS][3], sum = 0;
    assert_true(gn_pose_about_root(&gn_coco17, space, all, xyz));
    for (int j = 0; j < 17; j++) sum += xyz[j][0];
    NEAR(sum, 0, 1e-5); /* about the middle */
    memset(all, 0, GN_JOINTS);
    assert_false(gn_pose_about_root(&gn_coco17, space, all, xyz));
    assert_true(gn_pose_about_root(&gn_h36m17, space, NULL, xyz));
    NEAR(xyz[0][0], 0, 0);
    memset(all, 1, GN_JOINTS);

    gn_arena *a = gn_arena_new("no root");
    gn_meter *m;
    OK(gn_meter_open(a, &gn_coco17, 1, &m));
    gn_prediction said = { .has_uv = 1, .has_z = 1 };
    for (int j = 0; j < 17; j++) said.uv[j][0] = 3 * j, said.uv[j][1] = j * j % 7, said.z[j] = 0.01 * j;
    OK(gn_meter_add(m, &y, &said));
    assert_int_equal(gn_meter_at(m, 0)->has3d, 0);
    sum = 0;
    gn_canonical_pose(&gn_coco17, 64, &said, GN_ZHOU_BONES_MM, xyz);
    for (int j = 0; j < 17; j++) sum += xyz[j][0];
    NEAR(sum, 0, 1e-6);
    gn_arena_free(a);
}

static void unknown_lengths(void **state) {
    (void)state;
    gn_real uv[GN_JOINTS * 2], z[GN_JOINTS];
    uint8_t all[GN_JOINTS];
    memset(all, 1, sizeof all);
    for (int j = 0; j < GN_JOINTS; j++) z[j] = (gn_real)(j % 7), uv[2 * j] = (gn_real)(j * j % 11), uv[2 * j + 1] = (gn_real)j;
    bone_options o = { .scale = BONE_PAPER, .where = BONE_ALL };
    EACH_SKELETON(k) {
        gn_labels y = { .has = GN_HAS_joints2d | GN_HAS_labelled2d, .J = k->joints, .side = 64, .skeleton = k, .joints2d = uv, .labelled2d = all };
        gn_points points = { .out = { z } };
        gn_group g = { .y = &y, .x = &points };
        for (int t = 0; t < GN_BONE_GROUPS; t++) {
            gn_pull pull = { 0 };
            int known = 0;
            for (int e = 0; e < k->bones; e++) known += k->bone[e].group == t && k->bone[e].mean_mm > 0;
            assert_int_equal(bone_offers(&o, &g, t), known >= 2);
            assert_true(isfinite(bone_term(&o, &g, t, &pull)));
        }
    }
    assert_string_equal(gn_fields_text(GN_HAS_joints2d | GN_HAS_camera), "joints2d camera");
    assert_string_equal(gn_fields_text(0), "none");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mirrors), cmocka_unit_test(bones),  cmocka_unit_test(trees),           cmocka_unit_test(limbs),
        cmocka_unit_test(orders),  cmocka_unit_test(no_root), cmocka_unit_test(unknown_lengths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
