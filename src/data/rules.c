/* rules.c - labels as Zhou 2017 trains on them (A3.4), each rule beside its corrected form. */
#include "formula/crop.h"
#include "src/data/sample.h"
#include <string.h>

enum { PROJECTED, WEAK };
enum { OWN, SHOULDERS };
enum { PELVIS, THORAX };
enum { PICTURE, PAPER };

const gn_option gn_label_rule_options[] = {
    { "points", GN_KIND_CHOICE, offsetof(gn_label_rules, points), 0, 0, 0, "projected|weak",
      "2D of samples with 3D: as projected, or the 3D pose seen along the axis at one scale (the paper's)", 0, 0 },
    { "thorax", GN_KIND_CHOICE, offsetof(gn_label_rules, thorax), 0, 0, 0, "own|shoulders",
      "joint 'thorax' of samples with 3D: its own, or the shoulders' middle (the paper's)", 0, 0 },
    { "root", GN_KIND_CHOICE, offsetof(gn_label_rules, root), 0, 0, 0, "pelvis|thorax",
      "joint whose depth is 0; the paper's is 'thorax', H36M's spine", 0, 0 },
    { "unit", GN_KIND_CHOICE, offsetof(gn_label_rules, unit), 0, 0, 0, "picture|paper",
      "depth 1 is half the picture; the paper's adds its 1-based offset of 0.0223", 0, 0 },
    { 0 },
};

/* A joint made of two is labelled where both are. */
static void join_flags(uint8_t *flags, int thorax, int left, int right) { flags[thorax] = flags[left] && flags[right]; }

uint32_t gn_rules_apply(const gn_label_rules *r, const gn_skeleton *s, uint32_t has, int side, gn_label_store *y) {
    const uint32_t both = GN_HAS_joints2d | GN_HAS_joints3d;
    if ((has & both) != both) return has;
    static const gn_label_rules plain;
    if (!r) r = &plain;
    int thorax = gn_joint_find(s, "thorax"), left = gn_joint_find(s, "l_shoulder"), right = gn_joint_find(s, "r_shoulder");
    int root = r->root == THORAX && thorax >= 0 ? thorax : s->root;
    gn_real scale = gn_weak_factor(s, y->joints2d, y->joints3d, has & GN_HAS_labelled3d ? y->labelled3d : NULL);
    if (root < 0 || !(scale > GN_R(0)) || (has & GN_HAS_labelled3d && !y->labelled3d[root])) return has & ~(uint32_t)GN_HAS_depth;
    gn_real offset = r->unit == PAPER ? GN_R(GN_DEPTH_OFFSET_PAPER) : GN_R(0);
    for (int j = 0; j < s->joints; j++)
        y->depth[j] = gn_depth_from_metres(y->joints3d[3 * j + 2], y->joints3d[3 * root + 2], scale, GN_R(side), offset);
    if (r->points == WEAK) gn_weak_points(s->joints, root, scale, y->joints3d, y->joints2d);
    if (r->thorax == SHOULDERS && thorax >= 0 && left >= 0 && right >= 0) {
        gn_thorax_from_shoulders(thorax, left, right, 2, y->joints2d);
        gn_thorax_from_shoulders(thorax, left, right, 1, y->depth);
        gn_thorax_from_shoulders(thorax, left, right, 3, y->joints3d);
        if (has & GN_HAS_labelled2d) join_flags(y->labelled2d, thorax, left, right);
        if (has & GN_HAS_labelled3d) join_flags(y->labelled3d, thorax, left, right);
    }
    return has | GN_HAS_depth;
}
