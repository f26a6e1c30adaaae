/* skeleton_2d.c - skeletons of sets and detectors that know joints in pictures.
 *
 * Lengths of legs and arms are the mean skeleton's of Zhou 2017; 0 is not known. Orders: MPII, COCO, WholeBody, CrowdPose
 * and PoseTrack18 as in their files; BODY_25 and BODY_25B as OpenPose writes them. Where no joint is the pelvis, bones
 * close the torso: hips, sides, shoulders. */

/* Zhou 2017, A3.1: 14 edges; the thorax is in none. */
#define S mpii16
#define ROOT pelvis
#define JOINTS(J) \
    J(r_ankle, l_ankle) J(r_knee, l_knee) J(r_hip, l_hip) J(l_hip, r_hip) J(l_knee, r_knee) J(l_ankle, r_ankle) \
    J(pelvis, pelvis) J(thorax, thorax) J(upper_neck, upper_neck) J(head_top, head_top) J(r_wrist, l_wrist) \
    J(r_elbow, l_elbow) J(r_shoulder, l_shoulder) J(l_shoulder, r_shoulder) J(l_elbow, r_elbow) J(l_wrist, r_wrist)
#define BONES(B) \
    B(r_knee, r_ankle, LEGS, SHIN, l_knee, l_ankle) \
    B(r_hip, r_knee, LEGS, THIGH, l_hip, l_knee) \
    B(pelvis, r_hip, HIPS, HIP, pelvis, l_hip) \
    B(pelvis, l_hip, HIPS, HIP, pelvis, r_hip) \
    B(l_hip, l_knee, LEGS, THIGH, r_hip, r_knee) \
    B(l_knee, l_ankle, LEGS, SHIN, r_knee, r_ankle) \
    B(r_elbow, r_wrist, ARMS, FOREARM, l_elbow, l_wrist) \
    B(r_shoulder, r_elbow, ARMS, UPPER_ARM, l_shoulder, l_elbow) \
    B(upper_neck, r_shoulder, SHOULDERS, SHOULDER, upper_neck, l_shoulder) \
    B(upper_neck, l_shoulder, SHOULDERS, SHOULDER, upper_neck, r_shoulder) \
    B(l_shoulder, l_elbow, ARMS, UPPER_ARM, r_shoulder, r_elbow) \
    B(l_elbow, l_wrist, ARMS, FOREARM, r_elbow, r_wrist) \
    B(pelvis, upper_neck, NONE, TORSO, pelvis, upper_neck) \
    B(upper_neck, head_top, NONE, HEAD, upper_neck, head_top)
#define ENDS(E) E(r_ankle) E(r_knee) E(l_knee) E(l_ankle) E(r_wrist) E(r_elbow) E(l_elbow) E(l_wrist)
#include "cpu/skeleton_table.h"

/* COCO keypoints. */
#define S coco17
#define ROOT none
#define JOINTS(J) \
    J(nose, nose) J(l_eye, r_eye) J(r_eye, l_eye) J(l_ear, r_ear) J(r_ear, l_ear) J(l_shoulder, r_shoulder) \
    J(r_shoulder, l_shoulder) J(l_elbow, r_elbow) J(r_elbow, l_elbow) J(l_wrist, r_wrist) J(r_wrist, l_wrist) \
    J(l_hip, r_hip) J(r_hip, l_hip) J(l_knee, r_knee) J(r_knee, l_knee) J(l_ankle, r_ankle) J(r_ankle, l_ankle)
#define BONES(B) FACE(B) TRUNK(B) LIMBS(B)
#define ENDS(E) LIMB_ENDS(E)
#include "cpu/skeleton_table.h"

/* COCO-WholeBody without its faces and hands. */
#define S coco23
#define ROOT none
#define JOINTS(J) \
    J(nose, nose) J(l_eye, r_eye) J(r_eye, l_eye) J(l_ear, r_ear) J(r_ear, l_ear) J(l_shoulder, r_shoulder) \
    J(r_shoulder, l_shoulder) J(l_elbow, r_elbow) J(r_elbow, l_elbow) J(l_wrist, r_wrist) J(r_wrist, l_wrist) \
    J(l_hip, r_hip) J(r_hip, l_hip) J(l_knee, r_knee) J(r_knee, l_knee) J(l_ankle, r_ankle) J(r_ankle, l_ankle) \
    J(l_big_toe, r_big_toe) J(l_small_toe, r_small_toe) J(l_heel, r_heel) J(r_big_toe, l_big_toe) \
    J(r_small_toe, l_small_toe) J(r_heel, l_heel)
#define BONES(B) FACE(B) TRUNK(B) LIMBS(B) FEET(B)
#define ENDS(E) LIMB_ENDS(E)
#include "cpu/skeleton_table.h"

/* CrowdPose; its file says top_head. */
#define S crowdpose14
#define ROOT none
#define JOINTS(J) \
    J(l_shoulder, r_shoulder) J(r_shoulder, l_shoulder) J(l_elbow, r_elbow) J(r_elbow, l_elbow) J(l_wrist, r_wrist) \
    J(r_wrist, l_wrist) J(l_hip, r_hip) J(r_hip, l_hip) J(l_knee, r_knee) J(r_knee, l_knee) J(l_ankle, r_ankle) \
    J(r_ankle, l_ankle) J(head_top, head_top) J(neck, neck)
#define BONES(B) \
    TRUNK(B) \
    B(l_shoulder, neck, NONE, 0, r_shoulder, neck) B(r_shoulder, neck, NONE, 0, l_shoulder, neck) \
    B(neck, head_top, NONE, 0, neck, head_top) \
    LIMBS(B)
#define ENDS(E) LIMB_ENDS(E)
#include "cpu/skeleton_table.h"

/* PoseTrack18; its file says head_bottom for upper_neck. Nobody annotated the ears. */
#define S posetrack17
#define ROOT none
#define JOINTS(J) \
    J(nose, nose) J(upper_neck, upper_neck) J(head_top, head_top) J(l_ear, r_ear) J(r_ear, l_ear) \
    J(l_shoulder, r_shoulder) J(r_shoulder, l_shoulder) J(l_elbow, r_elbow) J(r_elbow, l_elbow) J(l_wrist, r_wrist) \
    J(r_wrist, l_wrist) J(l_hip, r_hip) J(r_hip, l_hip) J(l_knee, r_knee) J(r_knee, l_knee) J(l_ankle, r_ankle) \
    J(r_ankle, l_ankle)
#define BONES(B) \
    TRUNK(B) \
    B(l_shoulder, upper_neck, NONE, 0, r_shoulder, upper_neck) \
    B(r_shoulder, upper_neck, NONE, 0, l_shoulder, upper_neck) \
    B(upper_neck, head_top, NONE, 0, upper_neck, head_top) B(upper_neck, nose, NONE, 0, upper_neck, nose) \
    B(nose, l_ear, NONE, 0, nose, r_ear) B(nose, r_ear, NONE, 0, nose, l_ear) \
    LIMBS(B)
#define ENDS(E) LIMB_ENDS(E)
#include "cpu/skeleton_table.h"

/* OpenPose BODY_25: Neck and MidHip are the middles of shoulders and hips. */
#define S body25
#define ROOT pelvis
#define JOINTS(J) \
    J(nose, nose) J(neck, neck) J(r_shoulder, l_shoulder) J(r_elbow, l_elbow) J(r_wrist, l_wrist) \
    J(l_shoulder, r_shoulder) J(l_elbow, r_elbow) J(l_wrist, r_wrist) J(pelvis, pelvis) J(r_hip, l_hip) \
    J(r_knee, l_knee) J(r_ankle, l_ankle) J(l_hip, r_hip) J(l_knee, r_knee) J(l_ankle, r_ankle) J(r_eye, l_eye) \
    J(l_eye, r_eye) J(r_ear, l_ear) J(l_ear, r_ear) J(l_big_toe, r_big_toe) J(l_small_toe, r_small_toe) \
    J(l_heel, r_heel) J(r_big_toe, l_big_toe) J(r_small_toe, l_small_toe) J(r_heel, l_heel)
#define BONES(B) \
    B(pelvis, neck, NONE, 0, pelvis, neck) B(neck, nose, NONE, 0, neck, nose) \
    FACE(B) \
    B(pelvis, l_hip, HIPS, 0, pelvis, r_hip) B(pelvis, r_hip, HIPS, 0, pelvis, l_hip) \
    B(neck, l_shoulder, SHOULDERS, 0, neck, r_shoulder) B(neck, r_shoulder, SHOULDERS, 0, neck, l_shoulder) \
    LIMBS(B) FEET(B)
#define ENDS(E) LIMB_ENDS(E)
#include "cpu/skeleton_table.h"

/* OpenPose BODY_25B: no middles; upper_neck and head_top are MPII's. */
#define S body25b
#define ROOT none
#define JOINTS(J) \
    J(nose, nose) J(l_eye, r_eye) J(r_eye, l_eye) J(l_ear, r_ear) J(r_ear, l_ear) J(l_shoulder, r_shoulder) \
    J(r_shoulder, l_shoulder) J(l_elbow, r_elbow) J(r_elbow, l_elbow) J(l_wrist, r_wrist) J(r_wrist, l_wrist) \
    J(l_hip, r_hip) J(r_hip, l_hip) J(l_knee, r_knee) J(r_knee, l_knee) J(l_ankle, r_ankle) J(r_ankle, l_ankle) \
    J(upper_neck, upper_neck) J(head_top, head_top) J(l_big_toe, r_big_toe) J(l_small_toe, r_small_toe) \
    J(l_heel, r_heel) J(r_big_toe, l_big_toe) J(r_small_toe, l_small_toe) J(r_heel, l_heel)
#define BONES(B) \
    FACE(B) \
    TRUNK(B) \
    B(l_shoulder, upper_neck, NONE, 0, r_shoulder, upper_neck) \
    B(r_shoulder, upper_neck, NONE, 0, l_shoulder, upper_neck) \
    B(upper_neck, head_top, NONE, 0, upper_neck, head_top) \
    LIMBS(B) FEET(B)
#define ENDS(E) LIMB_ENDS(E)
#include "cpu/skeleton_table.h"
