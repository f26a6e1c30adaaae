/* skeleton_map.c - from one skeleton to another.
 *
 * A joint is looked for among the rules of the two skeletons, then by its name, then among the rules of any two. What
 * is not found is absent. Sources: A3.1 and A5 are of Zhou 2017; SMAP's create_annot.py; the others beside them. */
#include "gnomon/labels.h"
#include <string.h>

#define MPI "mpi17 mpi28 muco21"     /* MPI-INF-3DHP's */
#define PANOPTIC "panoptic19 smap15"
#define COCO "coco17 coco23"

typedef struct {
    const char *from, *to;         /* names of skeletons, one or several; NULL: any */
    const char *joint;
    const char *of[GN_JOINT_PARTS];
    double share[GN_JOINT_PARTS];  /* all 0: their mean */
} rule;

static const rule of_two[] = {
    /* A3.1: upper neck and thorax of MPII are H36M's and 3DHP's neck base and spine */
    { "h36m17", "mpii16", "upper_neck", { "thorax" }, { 0 } },
    { "h36m17", "mpii16", "thorax", { "spine" }, { 0 } },
    { MPI, "mpii16", "upper_neck", { "neck" }, { 0 } },
    { MPI, "mpii16", "thorax", { "spine" }, { 0 } },
    { "mpii16", "h36m17", "thorax", { "upper_neck" }, { 0 } },
    { "mpii16", "h36m17", "spine", { "pelvis", "upper_neck" }, { 0 } }, /* A5: to match H36M's spine */
    { "mpii16", MPI, "neck", { "upper_neck" }, { 0 } },
    /* both are MPII's upper neck (A3.1) */
    { "h36m17", MPI, "neck", { "thorax" }, { 0 } },
    { MPI, "h36m17", "thorax", { "neck" }, { 0 } },
    /* OpenPose's neck is the middle of the shoulders, near H36M's neck base; Kinect's own is above it */
    { "h36m17", PANOPTIC, "neck", { "thorax" }, { 0 } },
    { PANOPTIC, "h36m17", "thorax", { "neck" }, { 0 } },
    { "kinect25", "h36m17", "thorax", { "spine_shoulder" }, { 0 } },
    { "kinect25", "h36m17", "spine", { "spine_mid" }, { 0 } },
    /* create_annot.py: the shoulders' middle, and 0.185 of the way from the hips' to it further up */
    { COCO, "smap15", "neck", { "l_shoulder", "r_shoulder", "l_hip", "r_hip" }, { 0.5925, 0.5925, -0.0925, -0.0925 } },
    /* limbs as they are; how others do it is not known */
    { COCO, "itop15", "head", { "nose", "l_ear", "r_ear" }, { 0 } },
    { COCO, "itop15", "torso", { "l_shoulder", "r_shoulder", "l_hip", "r_hip" }, { 0 } },
    { COCO, "itop15", "l_hand", { "l_wrist" }, { 0 } },
    { COCO, "itop15", "r_hand", { "r_wrist" }, { 0 } },
    { COCO, "itop15", "l_foot", { "l_ankle" }, { 0 } },
    { COCO, "itop15", "r_foot", { "r_ankle" }, { 0 } },
    { 0 },
};

static const rule of_any[] = {
    { NULL, NULL, "pelvis", { "spine_base" }, { 0 } },         /* Kinect: the middle of the hips */
    { NULL, NULL, "spine_base", { "pelvis" }, { 0 } },
    { NULL, NULL, "pelvis", { "l_hip", "r_hip" }, { 0 } },     /* create_annot.py; OpenPose */
    { NULL, NULL, "thorax", { "l_shoulder", "r_shoulder" }, { 0 } }, /* A3.4 */
    { NULL, NULL, "neck", { "l_shoulder", "r_shoulder" }, { 0 } },   /* OpenPose */
    { 0 },
};

/* Points of one name in several places. The joints by which a map is caught; where they lie. */
static const struct { const char *what, *joints; } kinds[] = {
    { "hips", "l_hip r_hip" },
    { "root", "pelvis spine_base torso" },
    { "neck", "neck upper_neck thorax mid_neck spine_shoulder" },
    { "head", "head head_top" },
    { "nose", "nose" },
    { "wrists", "l_wrist r_wrist" },
    { "hands", "l_hand r_hand" },
    { "feet", "l_foot r_foot l_toe r_toe" },
};
_Static_assert(sizeof kinds / sizeof *kinds <= GN_TRAPS, "more traps than a map has room for");

#define CLICKED "mpii16 " COCO " crowdpose14 posetrack17 body25 body25b"
static const struct { const char *what, *skeletons, *where; } places[] = { /* the first that fits; *: any */
    { "hips", CLICKED, "where people see them in a picture" },
    { "hips", "h36m17", "in the joints, by markers" },
    { "hips", MPI, "a fifth of pelvis to neck above H36M's (Zhou 2017, A5)" },
    { "hips", PANOPTIC, "where detectors trained on pictures see them from many sides" },
    { "hips", "itop15 kinect25", "as a depth camera's tracker has them" },
    { "root", COCO " crowdpose14 posetrack17 body25b", "none of its own: the middle of the hips" },
    { "root", PANOPTIC " body25", "the middle of the hips" },
    { "root", "mpii16", "the pelvis, clicked" },
    { "root", "h36m17", "the pelvis, by markers" },
    { "root", MPI, "the pelvis, above H36M's as the hips are" },
    { "root", "itop15", "the torso, the body's middle" },
    { "root", "kinect25", "the spine's base" },
    { "neck", "mpii16", "upper neck at the skull, thorax between the shoulders" },
    { "neck", "posetrack17 body25b", "upper neck, at the skull" },
    { "neck", "h36m17", "thorax at the neck's base, spine half way to the pelvis" },
    { "neck", MPI, "the neck's base" },
    { "neck", PANOPTIC " body25 " COCO, "the middle of the shoulders, or a little above" },
    { "neck", "crowdpose14", "clicked" },
    { "neck", "itop15", "as a depth camera's tracker has it" },
    { "neck", "kinect25", "spine_shoulder at the neck's base, mid_neck above" },
    { "head", CLICKED, "the top, clicked" },
    { "head", "h36m17", "the end of the markers' head" },
    { "head", MPI, "the top, and a joint inside" },
    { "head", PANOPTIC, "the top" },
    { "head", "itop15 kinect25", "its middle" },
    { "nose", "h36m17", "between neck and face" },
    { "nose", "*", "its tip" },
    { "wrists", "panoptic19", "nearer the hand than elsewhere" },
    { "wrists", "*", "the wrist" },
    { "hands", COCO, "none of its own: the wrists" },
    { "hands", MPI, "beyond the wrist, by a body model" },
    { "hands", "itop15 kinect25", "the middle of the hand" },
    { "feet", COCO, "none of its own: the ankles" },
    { "feet", MPI, "by a body model, the toe apart" },
    { "feet", "itop15", "the end of the leg" },
    { "feet", "kinect25", "in front of the ankle" },
};

/* Whether `word` is one of those in `list`; any is in "*" and in NULL. */
static int among(const char *list, const char *word) {
    if (!list || !strcmp(list, "*")) return 1;
    const size_t n = strlen(word);
    for (const char *at = list; (at = strstr(at, word)); at += n)
        if ((at == list || at[-1] == ' ') && (at[n] == ' ' || !at[n])) return 1;
    return 0;
}

/* By the first rule that fits and whose parts `from` has. */
static int by_rule(const rule *r, const gn_skeleton *from, const gn_skeleton *to, const char *joint, gn_joint_parts *p) {
    for (; r->joint; r++) {
        if (strcmp(r->joint, joint) || !among(r->from, from->name) || !among(r->to, to->name)) continue;
        int n = 0, found = 1;
        for (; n < GN_JOINT_PARTS && r->of[n]; n++) {
            int j = gn_joint_find(from, r->of[n]);
            found = found && j >= 0;
            p->of[n] = (int8_t)j;
        }
        if (!found) continue;
        for (int k = 0; k < n; k++) p->share[k] = r->share[0] == 0 ? GN_R(1) / GN_R(n) : GN_R(r->share[k]);
        p->n = (int8_t)n;
        return 1;
    }
    return 0;
}

static int by_name(const gn_skeleton *from, const char *joint, gn_joint_parts *p) {
    int j = gn_joint_find(from, joint);
    if (j >= 0) *p = (gn_joint_parts){ .n = 1, .of = { (int8_t)j }, .share = { 1 } };
    return j >= 0;
}

static const char *place_of(const char *what, const gn_skeleton *s) {
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (!strcmp(places[i].what, what) && among(places[i].skeletons, s->name)) return places[i].where;
    return NULL;
}

static void find_traps(gn_joint_map *m) {
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        int carried = 0;
        for (int j = 0; j < m->to->joints; j++) carried |= m->joint[j].n && among(kinds[k].joints, m->to->joint[j]);
        const char *here = place_of(kinds[k].what, m->from), *there = place_of(kinds[k].what, m->to);
        if (carried && here && there && strcmp(here, there)) m->trap[m->traps++] = (gn_trap){ kinds[k].what, here, there };
    }
}

void gn_joint_map_make(const gn_skeleton *from, const gn_skeleton *to, gn_joint_map *m) {
    *m = (gn_joint_map){ .from = from, .to = to };
    for (int j = 0; j < to->joints; j++) {
        gn_joint_parts p = { 0 };
        if (by_rule(of_two, from, to, to->joint[j], &p) || by_name(from, to->joint[j], &p) ||
            by_rule(of_any, from, to, to->joint[j], &p))
            m->joint[j] = p;
    }
    find_traps(m);
}

static int is_labelled(const gn_joint_parts *p, const uint8_t *labelled) {
    int all = p->n > 0;
    for (int k = 0; k < p->n; k++) all = all && (!labelled || labelled[p->of[k]]);
    return all;
}

void gn_joint_map_labelled(const gn_joint_map *m, const uint8_t *labelled, uint8_t *to) {
    for (int j = 0; j < m->to->joints; j++) to[j] = (uint8_t)is_labelled(&m->joint[j], labelled);
}

void gn_joint_map_occluded(const gn_joint_map *m, const uint8_t *occluded, uint8_t *to) {
    for (int j = 0; j < m->to->joints; j++) {
        to[j] = 0;
        for (int k = 0; k < m->joint[j].n; k++) to[j] |= occluded[m->joint[j].of[k]] != 0;
    }
}

void gn_joint_map_confidence(const gn_joint_map *m, const gn_real *confidence, gn_real *to) {
    for (int j = 0; j < m->to->joints; j++) {
        const gn_joint_parts *p = &m->joint[j];
        to[j] = p->n ? confidence[p->of[0]] : GN_R(0);
        for (int k = 1; k < p->n; k++)
            if (!(confidence[p->of[k]] >= to[j])) to[j] = confidence[p->of[k]];
    }
}

void gn_joint_map_points(const gn_joint_map *m, int d, const gn_real *x, const uint8_t *labelled, gn_real *to) {
    for (int j = 0; j < m->to->joints; j++) {
        const gn_joint_parts *p = &m->joint[j];
        int known = is_labelled(p, labelled);
        for (int i = 0; i < d; i++) {
            to[d * j + i] = GN_R(0);
            for (int k = 0; known && k < p->n; k++) to[d * j + i] += p->share[k] * x[d * p->of[k] + i];
        }
    }
}

/* The joint that is this one and nothing else; -1: there is none. */
static int same_joint(const gn_joint_map *m, int joint) {
    for (int j = 0; j < m->to->joints; j++)
        if (m->joint[j].n == 1 && m->joint[j].of[0] == joint) return j;
    return -1;
}

static int carry_order(const gn_joint_map *m, int P, const int16_t *from, int16_t *to) {
    int n = 0;
    for (int i = 0; i < P; i++) {
        int a = same_joint(m, from[3 * i]), b = same_joint(m, from[3 * i + 1]);
        if (a < 0 || b < 0) continue;
        to[3 * n] = (int16_t)a, to[3 * n + 1] = (int16_t)b, to[3 * n + 2] = from[3 * i + 2];
        n++;
    }
    return n;
}

uint32_t gn_labels_carry(const gn_joint_map *m, const gn_labels *y, gn_label_store *to, int *P) {
    const uint8_t *in2d = y->has & GN_HAS_labelled2d ? y->labelled2d : NULL;
    const uint8_t *in3d = y->has & GN_HAS_labelled3d ? y->labelled3d : NULL;
    uint32_t has = y->has;
    if (has & GN_HAS_joints2d) has |= GN_HAS_labelled2d;
    if (has & (GN_HAS_joints3d | GN_HAS_depth)) has |= GN_HAS_labelled3d;
    if (has & GN_HAS_labelled2d) gn_joint_map_labelled(m, in2d, to->labelled2d);
    if (has & GN_HAS_labelled3d) gn_joint_map_labelled(m, in3d, to->labelled3d);
    if (has & GN_HAS_joints2d) gn_joint_map_points(m, 2, y->joints2d, in2d, to->joints2d);
    if (has & GN_HAS_joints3d) gn_joint_map_points(m, 3, y->joints3d, in3d, to->joints3d);
    if (has & GN_HAS_depth) gn_joint_map_points(m, 1, y->depth, in3d, to->depth);
    if (has & GN_HAS_occluded2d) gn_joint_map_occluded(m, y->occluded2d, to->occluded2d);
    if (has & GN_HAS_confidence2d) gn_joint_map_confidence(m, y->confidence2d, to->confidence2d);
    if (has & GN_HAS_camera) memcpy(to->camera, y->camera, 4 * sizeof *to->camera);
    if (has & GN_HAS_pose_of_view) memcpy(to->pose_of_view, y->pose_of_view, 12 * sizeof *to->pose_of_view);
    if (has & GN_HAS_head_size) *to->head_size = *y->head_size;
    *P = has & GN_HAS_order ? carry_order(m, y->P, y->order, to->order) : 0;
    return has;
}
