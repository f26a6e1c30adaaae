/* skeleton_3d.c - skeletons of sets that know joints in space.
 *
 * Lengths of legs and arms are the mean skeleton's of Zhou 2017 unless a set has its own; 0 is not known. Points that
 * lie in different places have different names: H36M's thorax is the neck's base, Kinect's spine_shoulder too, its
 * "neck" is above (mid_neck); ITOP has hands and feet where others have wrists and ankles. */

/* Human3.6M, 17 of its 32: [0,1,2,3,6,7,8,12,13,14,15,17,18,19,25,26,27]. Zhou 2017, A3.1. */
#define S h36m17
#define ROOT pelvis
#define JOINTS(J) \
    J(pelvis, pelvis) J(r_hip, l_hip) J(r_knee, l_knee) J(r_ankle, l_ankle) J(l_hip, r_hip) J(l_knee, r_knee) \
    J(l_ankle, r_ankle) J(spine, spine) J(thorax, thorax) J(nose, nose) J(head_top, head_top) \
    J(l_shoulder, r_shoulder) J(l_elbow, r_elbow) J(l_wrist, r_wrist) J(r_shoulder, l_shoulder) J(r_elbow, l_elbow) \
    J(r_wrist, l_wrist)
#define BONES(B) \
    B(pelvis, r_hip, HIPS, HIP, pelvis, l_hip) \
    B(r_hip, r_knee, LEGS, THIGH, l_hip, l_knee) \
    B(r_knee, r_ankle, LEGS, SHIN, l_knee, l_ankle) \
    B(pelvis, l_hip, HIPS, HIP, pelvis, r_hip) \
    B(l_hip, l_knee, LEGS, THIGH, r_hip, r_knee) \
    B(l_knee, l_ankle, LEGS, SHIN, r_knee, r_ankle) \
    B(pelvis, spine, NONE, 0, pelvis, spine) \
    B(spine, thorax, NONE, 0, spine, thorax) \
    B(thorax, nose, NONE, 0, thorax, nose) \
    B(nose, head_top, NONE, 0, nose, head_top) \
    B(thorax, l_shoulder, SHOULDERS, SHOULDER, thorax, r_shoulder) \
    B(l_shoulder, l_elbow, ARMS, UPPER_ARM, r_shoulder, r_elbow) \
    B(l_elbow, l_wrist, ARMS, FOREARM, r_elbow, r_wrist) \
    B(thorax, r_shoulder, SHOULDERS, SHOULDER, thorax, l_shoulder) \
    B(r_shoulder, r_elbow, ARMS, UPPER_ARM, l_shoulder, l_elbow) \
    B(r_elbow, r_wrist, ARMS, FOREARM, l_elbow, l_wrist)
#define ENDS(E) E(r_knee) E(r_ankle) E(l_knee) E(l_ankle) E(l_elbow) E(l_wrist) E(r_elbow) E(r_wrist)
#include "cpu/skeleton_table.h"

/* MPI-INF-3DHP's test set and MuPoTS-3D; its first 15 are MuPoTS-15. */
#define S mpi17
#define ROOT pelvis
#define MPI17_JOINTS(J) \
    J(head_top, head_top) J(neck, neck) J(r_shoulder, l_shoulder) J(r_elbow, l_elbow) J(r_wrist, l_wrist) \
    J(l_shoulder, r_shoulder) J(l_elbow, r_elbow) J(l_wrist, r_wrist) J(r_hip, l_hip) J(r_knee, l_knee) \
    J(r_ankle, l_ankle) J(l_hip, r_hip) J(l_knee, r_knee) J(l_ankle, r_ankle) J(pelvis, pelvis) J(spine, spine) \
    J(head, head)
#define JOINTS(J) MPI17_JOINTS(J)
#define MPI17_BONES(B) \
    B(pelvis, spine, NONE, 0, pelvis, spine) B(spine, neck, NONE, 0, spine, neck) \
    B(neck, head_top, NONE, 0, neck, head_top) B(neck, head, NONE, 0, neck, head) \
    B(pelvis, l_hip, HIPS, 0, pelvis, r_hip) B(pelvis, r_hip, HIPS, 0, pelvis, l_hip) \
    B(neck, l_shoulder, SHOULDERS, 0, neck, r_shoulder) B(neck, r_shoulder, SHOULDERS, 0, neck, l_shoulder) \
    LIMBS(B)
#define BONES(B) MPI17_BONES(B)
#define ENDS(E) LIMB_ENDS(E)
#include "cpu/skeleton_table.h"

/* MPI-INF-3DHP's training set. */
#define S mpi28
#define ROOT pelvis
#define JOINTS(J) \
    J(spine3, spine3) J(spine4, spine4) J(spine2, spine2) J(spine, spine) J(pelvis, pelvis) J(neck, neck) \
    J(head, head) J(head_top, head_top) J(l_clavicle, r_clavicle) J(l_shoulder, r_shoulder) J(l_elbow, r_elbow) \
    J(l_wrist, r_wrist) J(l_hand, r_hand) J(r_clavicle, l_clavicle) J(r_shoulder, l_shoulder) J(r_elbow, l_elbow) \
    J(r_wrist, l_wrist) J(r_hand, l_hand) J(l_hip, r_hip) J(l_knee, r_knee) J(l_ankle, r_ankle) J(l_foot, r_foot) \
    J(l_toe, r_toe) J(r_hip, l_hip) J(r_knee, l_knee) J(r_ankle, l_ankle) J(r_foot, l_foot) J(r_toe, l_toe)
#define BONES(B) \
    B(pelvis, spine, NONE, 0, pelvis, spine) B(spine, spine2, NONE, 0, spine, spine2) \
    B(spine2, spine3, NONE, 0, spine2, spine3) B(spine3, spine4, NONE, 0, spine3, spine4) \
    B(spine4, neck, NONE, 0, spine4, neck) B(neck, head, NONE, 0, neck, head) \
    B(head, head_top, NONE, 0, head, head_top) \
    B(pelvis, l_hip, HIPS, 0, pelvis, r_hip) B(pelvis, r_hip, HIPS, 0, pelvis, l_hip) \
    B(neck, l_clavicle, NONE, 0, neck, r_clavicle) B(neck, r_clavicle, NONE, 0, neck, l_clavicle) \
    B(l_clavicle, l_shoulder, SHOULDERS, 0, r_clavicle, r_shoulder) \
    B(r_clavicle, r_shoulder, SHOULDERS, 0, l_clavicle, l_shoulder) \
    LIMBS(B) \
    B(l_wrist, l_hand, NONE, 0, r_wrist, r_hand) B(r_wrist, r_hand, NONE, 0, l_wrist, l_hand) \
    B(l_ankle, l_foot, NONE, 0, r_ankle, r_foot) B(r_ankle, r_foot, NONE, 0, l_ankle, l_foot) \
    B(l_foot, l_toe, NONE, 0, r_foot, r_toe) B(r_foot, r_toe, NONE, 0, l_foot, l_toe)
#define ENDS(E) LIMB_ENDS(E)
#include "cpu/skeleton_table.h"

/* MuCo-3DHP as released; its file says Thorax for the neck. */
#define S muco21
#define ROOT pelvis
#define JOINTS(J) MPI17_JOINTS(J) J(r_hand, l_hand) J(l_hand, r_hand) J(r_toe, l_toe) J(l_toe, r_toe)
#define BONES(B) \
    MPI17_BONES(B) \
    B(r_wrist, r_hand, NONE, 0, l_wrist, l_hand) B(l_wrist, l_hand, NONE, 0, r_wrist, r_hand) \
    B(r_ankle, r_toe, NONE, 0, l_ankle, l_toe) B(l_ankle, l_toe, NONE, 0, r_ankle, r_toe)
#define ENDS(E) LIMB_ENDS(E)
#include "cpu/skeleton_table.h"

/* CMU Panoptic, coco19: neck and pelvis ("body centre") are the middles of shoulders and hips. */
#define S panoptic19
#define ROOT pelvis
#define JOINTS(J) \
    J(neck, neck) J(nose, nose) J(pelvis, pelvis) J(l_shoulder, r_shoulder) J(l_elbow, r_elbow) J(l_wrist, r_wrist) \
    J(l_hip, r_hip) J(l_knee, r_knee) J(l_ankle, r_ankle) J(r_shoulder, l_shoulder) J(r_elbow, l_elbow) \
    J(r_wrist, l_wrist) J(r_hip, l_hip) J(r_knee, l_knee) J(r_ankle, l_ankle) J(l_eye, r_eye) J(l_ear, r_ear) \
    J(r_eye, l_eye) J(r_ear, l_ear)
#define BONES(B) \
    B(pelvis, neck, NONE, 0, pelvis, neck) B(neck, nose, NONE, 0, neck, nose) \
    FACE(B) \
    B(pelvis, l_hip, HIPS, 0, pelvis, r_hip) B(pelvis, r_hip, HIPS, 0, pelvis, l_hip) \
    B(neck, l_shoulder, SHOULDERS, 0, neck, r_shoulder) B(neck, r_shoulder, SHOULDERS, 0, neck, l_shoulder) \
    LIMBS(B)
#define ENDS(E) LIMB_ENDS(E)
#include "cpu/skeleton_table.h"

/* CMU Panoptic's older mpi15, SMAP's joints; lengths from SMAP's association.cpp. */
#define S smap15
#define ROOT pelvis
#define JOINTS(J) \
    J(neck, neck) J(head_top, head_top) J(pelvis, pelvis) J(l_shoulder, r_shoulder) J(l_elbow, r_elbow) \
    J(l_wrist, r_wrist) J(l_hip, r_hip) J(l_knee, r_knee) J(l_ankle, r_ankle) J(r_shoulder, l_shoulder) \
    J(r_elbow, l_elbow) J(r_wrist, l_wrist) J(r_hip, l_hip) J(r_knee, l_knee) J(r_ankle, l_ankle)
#define BONES(B) \
    B(pelvis, neck, NONE, GN_R(483.7), pelvis, neck) B(neck, head_top, NONE, GN_R(264.2), neck, head_top) \
    B(neck, l_shoulder, SHOULDERS, GN_R(149.8), neck, r_shoulder) \
    B(neck, r_shoulder, SHOULDERS, GN_R(148.8), neck, l_shoulder) \
    B(l_shoulder, l_elbow, ARMS, GN_R(312.8), r_shoulder, r_elbow) \
    B(r_shoulder, r_elbow, ARMS, GN_R(312.8), l_shoulder, l_elbow) \
    B(l_elbow, l_wrist, ARMS, GN_R(239.2), r_elbow, r_wrist) \
    B(r_elbow, r_wrist, ARMS, GN_R(239.2), l_elbow, l_wrist) \
    B(pelvis, l_hip, HIPS, GN_R(124.6), pelvis, r_hip) B(pelvis, r_hip, HIPS, GN_R(124.6), pelvis, l_hip) \
    B(l_hip, l_knee, LEGS, GN_R(481.9), r_hip, r_knee) B(r_hip, r_knee, LEGS, GN_R(482.7), l_hip, l_knee) \
    B(l_knee, l_ankle, LEGS, GN_R(390.4), r_knee, r_ankle) B(r_knee, r_ankle, LEGS, GN_R(390.4), l_knee, l_ankle)
#define ENDS(E) LIMB_ENDS(E)
#include "cpu/skeleton_table.h"

/* ITOP: no pelvis; its torso, the body's middle, is the root. */
#define S itop15
#define ROOT torso
#define JOINTS(J) \
    J(head, head) J(neck, neck) J(r_shoulder, l_shoulder) J(l_shoulder, r_shoulder) J(r_elbow, l_elbow) \
    J(l_elbow, r_elbow) J(r_hand, l_hand) J(l_hand, r_hand) J(torso, torso) J(r_hip, l_hip) J(l_hip, r_hip) \
    J(r_knee, l_knee) J(l_knee, r_knee) J(r_foot, l_foot) J(l_foot, r_foot)
#define BONES(B) \
    B(torso, neck, NONE, 0, torso, neck) B(neck, head, NONE, 0, neck, head) \
    B(neck, l_shoulder, SHOULDERS, 0, neck, r_shoulder) B(neck, r_shoulder, SHOULDERS, 0, neck, l_shoulder) \
    B(torso, l_hip, HIPS, 0, torso, r_hip) B(torso, r_hip, HIPS, 0, torso, l_hip) \
    B(l_hip, l_knee, LEGS, THIGH, r_hip, r_knee) B(r_hip, r_knee, LEGS, THIGH, l_hip, l_knee) \
    B(l_knee, l_foot, LEGS, 0, r_knee, r_foot) B(r_knee, r_foot, LEGS, 0, l_knee, l_foot) \
    B(l_shoulder, l_elbow, ARMS, UPPER_ARM, r_shoulder, r_elbow) \
    B(r_shoulder, r_elbow, ARMS, UPPER_ARM, l_shoulder, l_elbow) \
    B(l_elbow, l_hand, ARMS, 0, r_elbow, r_hand) B(r_elbow, r_hand, ARMS, 0, l_elbow, l_hand)
#define ENDS(E) E(l_knee) E(r_knee) E(l_elbow) E(r_elbow) E(l_foot) E(r_foot) E(l_hand) E(r_hand)
#include "cpu/skeleton_table.h"

/* Kinect v2 and NTU RGB+D; the tree is the SDK's, from the spine's base. */
#define S kinect25
#define ROOT spine_base
#define JOINTS(J) \
    J(spine_base, spine_base) J(spine_mid, spine_mid) J(mid_neck, mid_neck) J(head, head) J(l_shoulder, r_shoulder) \
    J(l_elbow, r_elbow) J(l_wrist, r_wrist) J(l_hand, r_hand) J(r_shoulder, l_shoulder) J(r_elbow, l_elbow) \
    J(r_wrist, l_wrist) J(r_hand, l_hand) J(l_hip, r_hip) J(l_knee, r_knee) J(l_ankle, r_ankle) J(l_foot, r_foot) \
    J(r_hip, l_hip) J(r_knee, l_knee) J(r_ankle, l_ankle) J(r_foot, l_foot) J(spine_shoulder, spine_shoulder) \
    J(l_hand_tip, r_hand_tip) J(l_thumb, r_thumb) J(r_hand_tip, l_hand_tip) J(r_thumb, l_thumb)
#define BONES(B) \
    B(spine_base, spine_mid, NONE, 0, spine_base, spine_mid) \
    B(spine_mid, spine_shoulder, NONE, 0, spine_mid, spine_shoulder) \
    B(spine_shoulder, mid_neck, NONE, 0, spine_shoulder, mid_neck) B(mid_neck, head, NONE, 0, mid_neck, head) \
    B(spine_base, l_hip, HIPS, 0, spine_base, r_hip) B(spine_base, r_hip, HIPS, 0, spine_base, l_hip) \
    B(spine_shoulder, l_shoulder, SHOULDERS, 0, spine_shoulder, r_shoulder) \
    B(spine_shoulder, r_shoulder, SHOULDERS, 0, spine_shoulder, l_shoulder) \
    LIMBS(B) \
    B(l_wrist, l_hand, NONE, 0, r_wrist, r_hand) B(r_wrist, r_hand, NONE, 0, l_wrist, l_hand) \
    B(l_hand, l_hand_tip, NONE, 0, r_hand, r_hand_tip) B(r_hand, r_hand_tip, NONE, 0, l_hand, l_hand_tip) \
    B(l_hand, l_thumb, NONE, 0, r_hand, r_thumb) B(r_hand, r_thumb, NONE, 0, l_hand, l_thumb) \
    B(l_ankle, l_foot, NONE, 0, r_ankle, r_foot) B(r_ankle, r_foot, NONE, 0, l_ankle, l_foot)
#define ENDS(E) LIMB_ENDS(E)
#include "cpu/skeleton_table.h"

/* InterHand2.6M, one hand: finger by finger from its tip (4). A mirrored left hand is a right one. */
#define S hand21
#define ROOT wrist
#define JOINTS(J) \
    J(thumb4, thumb4) J(thumb3, thumb3) J(thumb2, thumb2) J(thumb1, thumb1) J(index4, index4) J(index3, index3) \
    J(index2, index2) J(index1, index1) J(middle4, middle4) J(middle3, middle3) J(middle2, middle2) \
    J(middle1, middle1) J(ring4, ring4) J(ring3, ring3) J(ring2, ring2) J(ring1, ring1) J(pinky4, pinky4) \
    J(pinky3, pinky3) J(pinky2, pinky2) J(pinky1, pinky1) J(wrist, wrist)
#define BONES(B) \
    B(wrist, thumb1, NONE, 0, wrist, thumb1) B(thumb1, thumb2, NONE, 0, thumb1, thumb2) \
    B(thumb2, thumb3, NONE, 0, thumb2, thumb3) B(thumb3, thumb4, NONE, 0, thumb3, thumb4) \
    B(wrist, index1, NONE, 0, wrist, index1) B(index1, index2, NONE, 0, index1, index2) \
    B(index2, index3, NONE, 0, index2, index3) B(index3, index4, NONE, 0, index3, index4) \
    B(wrist, middle1, NONE, 0, wrist, middle1) B(middle1, middle2, NONE, 0, middle1, middle2) \
    B(middle2, middle3, NONE, 0, middle2, middle3) B(middle3, middle4, NONE, 0, middle3, middle4) \
    B(wrist, ring1, NONE, 0, wrist, ring1) B(ring1, ring2, NONE, 0, ring1, ring2) \
    B(ring2, ring3, NONE, 0, ring2, ring3) B(ring3, ring4, NONE, 0, ring3, ring4) \
    B(wrist, pinky1, NONE, 0, wrist, pinky1) B(pinky1, pinky2, NONE, 0, pinky1, pinky2) \
    B(pinky2, pinky3, NONE, 0, pinky2, pinky3) B(pinky3, pinky4, NONE, 0, pinky3, pinky4)
#define ENDS(E)
#include "cpu/skeleton_table.h"
