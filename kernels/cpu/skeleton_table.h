/* skeleton_table.h - one skeleton's tables, from its joints by name; included once below each declaration.
 *
 *   S       its name             ROOT   where 3D poses are aligned, or `none`
 *   JOINTS  J(name, its mirror)  BONES  B(a, b, group, mean mm, the mirrored bone's a, b)
 *   ENDS    E(joint)             of each whose depth order against its parent is scored
 *
 * A name that is misspelt, or that the skeleton has not, does not compile. */
#ifndef SKELETON_WORDS
#define SKELETON_WORDS
#include "gnomon/skeleton.h"

/* The mean skeleton behind the released bone weights of Zhou 2017 (A2.2), mm. */
#define SHIN GN_R(452.125519758)
#define THIGH GN_R(456.008604234)
#define HIP GN_R(134.201602044)
#define TORSO GN_R(421.517337247 + 77.938555657) /* pelvis to thorax to neck, stretched out */
#define HEAD GN_R(182.550526846)
#define FOREARM GN_R(249.772589249)
#define UPPER_ARM GN_R(284.125346475)
#define SHOULDER GN_R(180.776851782)

enum { NONE = -1, LEGS = GN_LEGS, ARMS = GN_ARMS, HIPS = GN_HIPS, SHOULDERS = GN_SHOULDERS };

/* What many share. TRUNK closes the torso where no joint is the pelvis. */
#define LIMBS(B) \
    B(l_hip, l_knee, LEGS, THIGH, r_hip, r_knee) B(r_hip, r_knee, LEGS, THIGH, l_hip, l_knee) \
    B(l_knee, l_ankle, LEGS, SHIN, r_knee, r_ankle) B(r_knee, r_ankle, LEGS, SHIN, l_knee, l_ankle) \
    B(l_shoulder, l_elbow, ARMS, UPPER_ARM, r_shoulder, r_elbow) \
    B(r_shoulder, r_elbow, ARMS, UPPER_ARM, l_shoulder, l_elbow) \
    B(l_elbow, l_wrist, ARMS, FOREARM, r_elbow, r_wrist) B(r_elbow, r_wrist, ARMS, FOREARM, l_elbow, l_wrist)
#define FACE(B) \
    B(nose, l_eye, NONE, 0, nose, r_eye) B(nose, r_eye, NONE, 0, nose, l_eye) \
    B(l_eye, l_ear, NONE, 0, r_eye, r_ear) B(r_eye, r_ear, NONE, 0, l_eye, l_ear)
#define TRUNK(B) \
    B(l_hip, r_hip, NONE, 0, l_hip, r_hip) \
    B(l_hip, l_shoulder, NONE, 0, r_hip, r_shoulder) B(r_hip, r_shoulder, NONE, 0, l_hip, l_shoulder) \
    B(l_shoulder, r_shoulder, NONE, 0, l_shoulder, r_shoulder)
#define FEET(B) \
    B(l_ankle, l_big_toe, NONE, 0, r_ankle, r_big_toe) B(r_ankle, r_big_toe, NONE, 0, l_ankle, l_big_toe) \
    B(l_big_toe, l_small_toe, NONE, 0, r_big_toe, r_small_toe) \
    B(r_big_toe, r_small_toe, NONE, 0, l_big_toe, l_small_toe) \
    B(l_ankle, l_heel, NONE, 0, r_ankle, r_heel) B(r_ankle, r_heel, NONE, 0, l_ankle, l_heel)
#define LIMB_ENDS(E) \
    E(l_elbow) E(l_wrist) E(r_elbow) E(r_wrist) E(l_knee) E(l_ankle) E(r_knee) E(r_ankle)

#define GLUE_(s, x) s##_##x
#define GLUE(s, x) GLUE_(s, x)
#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
#define JOINT_PLACE(name, mirror) GLUE(S, name),
#define JOINT_NAME(name, mirror) #name,
#define JOINT_MIRROR(name, mirror) GLUE(S, mirror),
#define BONE_PLACE(a, b, group, mm, c, d) GLUE(S, a##_to_##b),
#define BONE_ROW(a, b, group, mm, c, d) { GLUE(S, a), GLUE(S, b), group, mm, GLUE(S, c##_to_##d) },
#define END_PLACE(name) GLUE(S, name),
#endif

enum { GLUE(S, none) = -1, JOINTS(JOINT_PLACE) GLUE(S, joint_count) };
enum { BONES(BONE_PLACE) GLUE(S, bone_count) };
_Static_assert(GLUE(S, joint_count) <= GN_JOINTS, "a skeleton has more joints than there is room for");

static const char *const GLUE(S, name)[] = { JOINTS(JOINT_NAME) };
static const int8_t GLUE(S, mirror)[] = { JOINTS(JOINT_MIRROR) };
static const gn_bone GLUE(S, bone)[] = { BONES(BONE_ROW) };
static const int8_t GLUE(S, end)[] = { ENDS(END_PLACE) -1 };

const gn_skeleton GLUE(gn, S) = {
    .name = TEXT(S),
    .joints = GLUE(S, joint_count),
    .bones = GLUE(S, bone_count),
    .joint = GLUE(S, name),
    .mirror = GLUE(S, mirror),
    .bone = GLUE(S, bone),
    .root = GLUE(S, ROOT),
    .limb_end = GLUE(S, end),
};
#undef S
#undef ROOT
#undef JOINTS
#undef BONES
#undef ENDS
