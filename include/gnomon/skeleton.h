/* skeleton.h - joints by name, mirrors, bones; what one skeleton's joints say of another's.
 *
 * The tables are in kernels/cpu/skeleton_2d.c and skeleton_3d.c, once; everything that needs a joint asks for it by
 * name. "Left" and "right" are the person's. */
#ifndef GN_SKELETON_H
#define GN_SKELETON_H
#include "gnomon/formula.h"

#define GN_JOINTS 32     /* at most; a CUDA thread owns a joint */
enum { GN_LEGS, GN_ARMS, GN_HIPS, GN_SHOULDERS, GN_BONE_GROUPS };

typedef struct {
    int8_t a, b;         /* joints; a is nearer to the pelvis */
    int8_t group;        /* of the bone loss (Zhou 2017, eq. 3), or -1 */
    gn_real mean_mm;     /* mean length in the reference skeleton; 0: not known */
    int8_t mirror;       /* the same bone on the other side, or itself */
} gn_bone;

typedef struct gn_skeleton {
    const char *name;
    int joints, bones;
    const char *const *joint;  /* names */
    const int8_t *mirror;      /* a joint's partner when the picture is flipped */
    const gn_bone *bone;       /* edges of every length sum: the weak-perspective factor, canonical scale */
    int root;                  /* mostly the pelvis: where 3D poses are aligned; -1: has none, so no 3D pose can be */
    const int8_t *limb_end;    /* joints whose depth order against their parent is scored; -1 ends */
} gn_skeleton;

/* Every skeleton, once: gn_mpii16 and so on. */
#define GN_SKELETONS(S)                                                                            \
    S(mpii16) S(coco17) S(coco23) S(crowdpose14) S(posetrack17) S(body25) S(body25b)               \
    S(h36m17) S(mpi17) S(mpi28) S(muco21) S(panoptic19) S(smap15) S(itop15) S(kinect25) S(hand21)
#define GN_SKELETON_EXTERN(name) extern const gn_skeleton gn_##name;
GN_SKELETONS(GN_SKELETON_EXTERN)
#undef GN_SKELETON_EXTERN
extern const gn_skeleton *const gn_skeletons[]; /* NULL ends */

const gn_skeleton *gn_skeleton_find(const char *name);              /* NULL: none of that name */
int gn_joint_parent(const gn_skeleton *s, int joint);               /* the bone's other end; -1: has none */
int gn_joint_is_limb(const gn_skeleton *s, int joint);              /* shoulders and hips to hands and feet; no eye, no toe */
int gn_joint_neck(const gn_skeleton *s);                            /* whatever it is called; -1: has none */

/* -1: none of that name. For formulas, too: a GPU has no strcmp. */
GN_FN int gn_joint_find(const gn_skeleton *s, const char *joint) {
    for (int j = 0; j < s->joints; j++) {
        const char *a = s->joint[j], *b = joint;
        while (*a && *a == *b) a++, b++;
        if (*a == *b) return j;
    }
    return -1;
}

/* --- from one skeleton to another: by name, then by what can be made of other joints --- */
#define GN_JOINT_PARTS 4 /* joints that one can be made of */
#define GN_TRAPS 8

typedef struct {
    int8_t n;                      /* 0: the other skeleton has no such point */
    int8_t of[GN_JOINT_PARTS];     /* its joints, whose weighted sum this is */
    gn_real share[GN_JOINT_PARTS]; /* weights; they sum to 1, one may be negative */
} gn_joint_parts;

/* Points of one name that do not lie in one place: "hips", where `from` has them, where `to` has them. */
typedef struct { const char *what, *from, *to; } gn_trap;

typedef struct {
    const gn_skeleton *from, *to;
    gn_joint_parts joint[GN_JOINTS]; /* of `to` */
    int traps;
    gn_trap trap[GN_TRAPS];
} gn_joint_map;

void gn_joint_map_make(const gn_skeleton *from, const gn_skeleton *to, gn_joint_map *m);

/* Carry a sample's arrays, [joints of `from`] to [joints of `to`]; not in place. `labelled` NULL: all are. A joint is
 * labelled where all its parts are, else its coordinates are 0. */
void gn_joint_map_labelled(const gn_joint_map *m, const uint8_t *labelled, uint8_t *to);
void gn_joint_map_occluded(const gn_joint_map *m, const uint8_t *occluded, uint8_t *to);     /* where a part is */
void gn_joint_map_confidence(const gn_joint_map *m, const gn_real *confidence, gn_real *to); /* the least of its parts */
void gn_joint_map_points(const gn_joint_map *m, int d, const gn_real *x, const uint8_t *labelled, gn_real *to); /* [J d] */
#endif
