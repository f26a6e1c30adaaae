/* skeleton.c - the skeletons there are; their tables are skeleton_2d.c and skeleton_3d.c. */
#include "gnomon/skeleton.h"
#include <stddef.h>
#include <string.h>

#define PLACE(name) &gn_##name,
const gn_skeleton *const gn_skeletons[] = { GN_SKELETONS(PLACE) NULL };

const gn_skeleton *gn_skeleton_find(const char *name) {
    for (int i = 0; gn_skeletons[i]; i++)
        if (!strcmp(gn_skeletons[i]->name, name)) return gn_skeletons[i];
    return NULL;
}

int gn_joint_parent(const gn_skeleton *s, int joint) {
    for (int e = 0; e < s->bones; e++)
        if (s->bone[e].b == joint) return s->bone[e].a;
    return -1;
}

int gn_joint_is_limb(const gn_skeleton *s, int joint) {
    for (int e = 0; e < s->bones; e++) {
        const gn_bone *b = &s->bone[e];
        if ((b->group == GN_LEGS || b->group == GN_ARMS) && (b->a == joint || b->b == joint)) return 1;
    }
    return 0;
}

int gn_joint_neck(const gn_skeleton *s) {
    static const char *const names[] = { "upper_neck", "neck", "spine_shoulder", "thorax" }; /* H36M's thorax is its base */
    int neck = -1;
    for (int i = 0; neck < 0 && i < 4; i++) neck = gn_joint_find(s, names[i]);
    return neck;
}
