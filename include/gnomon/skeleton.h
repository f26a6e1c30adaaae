/* skeleton.h - joints by name, mirrors, bones.
 *
 * The tables are in kernels/cpu/skeleton.c, once; everything that needs a joint asks for it by name.
 * "Left" and "right" are the person's. */
#ifndef GN_SKELETON_H
#define GN_SKELETON_H
#include "gnomon/formula.h"

#define GN_JOINTS 32     /* at most; a CUDA thread owns a joint */
#define GN_BONE_GROUPS 4 /* legs, arms, hips, shoulders */

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
    int root;                  /* pelvis: where 3D metrics are aligned */
    const int8_t *limb_end;    /* joints whose depth order against their parent is scored; -1 ends */
} gn_skeleton;

extern const gn_skeleton gn_mpii16; /* Zhou 2017, A3.1 */
extern const gn_skeleton gn_h36m17;

const gn_skeleton *gn_skeleton_find(const char *name);              /* NULL: none of that name */
int gn_joint_parent(const gn_skeleton *s, int joint);               /* the bone's other end; -1: has none */

/* -1: none of that name. For formulas, too: a GPU has no strcmp. */
GN_FN int gn_joint_find(const gn_skeleton *s, const char *joint) {
    for (int j = 0; j < s->joints; j++) {
        const char *a = s->joint[j], *b = joint;
        while (*a && *a == *b) a++, b++;
        if (*a == *b) return j;
    }
    return -1;
}
#endif
