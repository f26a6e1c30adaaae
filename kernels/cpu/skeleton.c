/* skeleton.c - the skeletons there are, as tables.
 *
 * Mean lengths are those behind the released bone weights of Zhou 2017 (A2.2). */
#include "gnomon/skeleton.h"
#include <stddef.h>
#include <string.h>

#define SHIN GN_R(452.125519758)
#define THIGH GN_R(456.008604234)
#define HIP GN_R(134.201602044)
#define TORSO GN_R(421.517337247 + 77.938555657) /* pelvis to thorax to neck, stretched out */
#define HEAD GN_R(182.550526846)
#define FOREARM GN_R(249.772589249)
#define UPPER_ARM GN_R(284.125346475)
#define SHOULDER GN_R(180.776851782)

enum { NONE = -1, LEGS, ARMS, HIPS, SHOULDERS };

#define COUNT(list) ((int)(sizeof(list) / sizeof *(list)))

static const char *const mpii_joint[] = {
    "r_ankle",    "r_knee",   "r_hip",   "l_hip",   "l_knee",     "l_ankle",    "pelvis",  "thorax",
    "upper_neck", "head_top", "r_wrist", "r_elbow", "r_shoulder", "l_shoulder", "l_elbow", "l_wrist",
};
static const int8_t mpii_mirror[] = { 5, 4, 3, 2, 1, 0, 6, 7, 8, 9, 15, 14, 13, 12, 11, 10 };
static const gn_bone mpii_bone[] = { /* the 14 edges of A3.1; the thorax is in none */
    { 1, 0, LEGS, SHIN, 5 },
    { 2, 1, LEGS, THIGH, 4 },
    { 6, 2, HIPS, HIP, 3 },
    { 6, 3, HIPS, HIP, 2 },
    { 3, 4, LEGS, THIGH, 1 },
    { 4, 5, LEGS, SHIN, 0 },
    { 11, 10, ARMS, FOREARM, 11 },
    { 12, 11, ARMS, UPPER_ARM, 10 },
    { 8, 12, SHOULDERS, SHOULDER, 9 },
    { 8, 13, SHOULDERS, SHOULDER, 8 },
    { 13, 14, ARMS, UPPER_ARM, 7 },
    { 14, 15, ARMS, FOREARM, 6 },
    { 6, 8, NONE, TORSO, 12 },
    { 8, 9, NONE, HEAD, 13 },
};
static const int8_t mpii_limb_end[] = { 0, 1, 4, 5, 10, 11, 14, 15, -1 };

const gn_skeleton gn_mpii16 = {
    .name = "mpii16",
    .joints = COUNT(mpii_joint),
    .bones = COUNT(mpii_bone),
    .joint = mpii_joint,
    .mirror = mpii_mirror,
    .bone = mpii_bone,
    .root = 6,
    .limb_end = mpii_limb_end,
};

static const char *const h36m_joint[] = {
    "pelvis", "r_hip",    "r_knee",     "r_ankle", "l_hip",   "l_knee",     "l_ankle", "spine",   "thorax",
    "nose",   "head_top", "l_shoulder", "l_elbow", "l_wrist", "r_shoulder", "r_elbow", "r_wrist",
};
static const int8_t h36m_mirror[] = { 0, 4, 5, 6, 1, 2, 3, 7, 8, 9, 10, 14, 15, 16, 11, 12, 13 };
static const gn_bone h36m_bone[] = {
    { 0, 1, HIPS, HIP, 3 },
    { 1, 2, LEGS, THIGH, 4 },
    { 2, 3, LEGS, SHIN, 5 },
    { 0, 4, HIPS, HIP, 0 },
    { 4, 5, LEGS, THIGH, 1 },
    { 5, 6, LEGS, SHIN, 2 },
    { 0, 7, NONE, 0, 6 },
    { 7, 8, NONE, 0, 7 },
    { 8, 9, NONE, 0, 8 },
    { 9, 10, NONE, 0, 9 },
    { 8, 11, SHOULDERS, SHOULDER, 13 },
    { 11, 12, ARMS, UPPER_ARM, 14 },
    { 12, 13, ARMS, FOREARM, 15 },
    { 8, 14, SHOULDERS, SHOULDER, 10 },
    { 14, 15, ARMS, UPPER_ARM, 11 },
    { 15, 16, ARMS, FOREARM, 12 },
};
static const int8_t h36m_limb_end[] = { 2, 3, 5, 6, 12, 13, 15, 16, -1 };

const gn_skeleton gn_h36m17 = {
    .name = "h36m17",
    .joints = COUNT(h36m_joint),
    .bones = COUNT(h36m_bone),
    .joint = h36m_joint,
    .mirror = h36m_mirror,
    .bone = h36m_bone,
    .root = 0,
    .limb_end = h36m_limb_end,
};

static const gn_skeleton *const skeletons[] = { &gn_mpii16, &gn_h36m17 };

const gn_skeleton *gn_skeleton_find(const char *name) {
    for (int i = 0; i < COUNT(skeletons); i++)
        if (!strcmp(skeletons[i]->name, name)) return skeletons[i];
    return NULL;
}

int gn_joint_parent(const gn_skeleton *s, int joint) {
    for (int e = 0; e < s->bones; e++)
        if (s->bone[e].b == joint) return s->bone[e].a;
    return -1;
}
