/* side.c - which side of the body, and its colour. */
#include "draw.h"

const char *const gn_side_class[] = { "left", "right", "middle" };

gn_side gn_joint_side(const gn_skeleton *s, int joint) {
    if (s->mirror[joint] == joint) return GN_SIDE_MIDDLE;
    return s->joint[joint][0] == 'l' ? GN_SIDE_LEFT : GN_SIDE_RIGHT;
}

gn_side gn_bone_side(const gn_skeleton *s, const gn_bone *b) {
    gn_side a = gn_joint_side(s, b->a);
    return a == GN_SIDE_MIDDLE ? gn_joint_side(s, b->b) : a;
}

gn_colour gn_side_colour(gn_side side) {
    static const gn_colour colour[] = { { 245, 130, 32 }, { 30, 150, 235 }, { 210, 214, 220 } };
    return colour[side];
}
