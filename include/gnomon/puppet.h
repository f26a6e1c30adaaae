/* puppet.h - the world that anyone may ship: seeded bodies, motion, cameras, light, a renderer.
 *
 * World: metres, y up, right-handed. Camera: x right, y down, z forward. Sample i of a set is a function
 * of (options, seed, i) alone. */
#ifndef GN_PUPPET_H
#define GN_PUPPET_H
#include "gnomon/arena.h"
#include "gnomon/option.h"
#include "gnomon/pool.h"
#include "gnomon/skeleton.h"

typedef struct {
    int64_t train, valid;   /* pictures */
    int size;               /* pixels, square */
    int64_t seed;
    int views;              /* cameras a moment; consecutive samples are the views of one moment */
    int frames;             /* consecutive moments of one motion */
    const char *motion;     /* folder of BVH files, or "": the built-in generator */
    const char *backgrounds;/* folder of photographs, or "": procedural */
    int maps;               /* true: also store depth_map and parts */
} gn_puppet_options;
extern const gn_option gn_puppet_options_rows[];

enum { GN_PUPPET_FRAME = 1000 }; /* pixels a side of what a camera of puppet_poses sees, at a focal length of 1145 as Human3.6M's */
/* domain "puppet_poses" (no pictures: any body, a studio's ring of cameras, whole frames), "puppet_lab" (six people a split, fourteen cameras) or "puppet_wild"; writes <root>/<domain>/{train,valid}.h5. With motion, BVH subjects
 * are split between train and valid. A set made with the same options is left as it is. */
gn_status gn_puppet_make(const char *root, const char *domain, const gn_puppet_options *o, gn_pool *pool);

/* What a pixel of `parts` belongs to. Right and left are the person's own; only the
 * first person has parts. */
enum {
    GN_PART_NONE,
    GN_PART_HEAD,
    GN_PART_TORSO,
    GN_PART_R_UPPER_ARM,
    GN_PART_R_FOREARM,
    GN_PART_R_HAND,
    GN_PART_L_UPPER_ARM,
    GN_PART_L_FOREARM,
    GN_PART_L_HAND,
    GN_PART_R_THIGH,
    GN_PART_R_SHIN,
    GN_PART_R_FOOT,
    GN_PART_L_THIGH,
    GN_PART_L_SHIN,
    GN_PART_L_FOOT,
    GN_PART_OTHER, /* another person */
    GN_PARTS
};

/* One sample, for tests, bench and looking: rgb [size size 3], depth_mm and parts [size size] may be NULL. */
typedef struct {
    float joints2d[GN_JOINTS][2], joints3d[GN_JOINTS][3], camera[4], pose_of_view[12], head_size;
    uint8_t labelled[GN_JOINTS], occluded[GN_JOINTS];
} gn_puppet_truth;
typedef struct gn_puppet gn_puppet;
gn_status gn_puppet_open(gn_arena *a, const char *domain, int valid, const gn_puppet_options *o,
                         gn_puppet **p);
gn_status gn_puppet_draw(const gn_puppet *p, int64_t sample, uint8_t *rgb, uint16_t *depth_mm, uint8_t *parts,
                         gn_puppet_truth *truth);

/* BVH motion (src/import/bvh.c). World positions in metres, y up, joints as the file names them. */
typedef struct gn_bvh gn_bvh;
gn_status gn_bvh_read(gn_arena *a, const char *path, gn_bvh **m);     /* GN_BAD_DATA names line and reason */
/* Refuses a broken take: a body through the floor, joints that leap. Lone leaps are
 * only to be passed over. */
gn_status gn_bvh_check(const gn_bvh *m);
const char *gn_bvh_dialect(const gn_bvh *m);                          /* "daz", "3dsmax" or "bandai" */
double gn_bvh_unit(const gn_bvh *m); /* metres a file unit, told by the legs' length */
double gn_bvh_rate(const gn_bvh *m);                                  /* frames a second */
int64_t gn_bvh_frames(const gn_bvh *m);
int64_t gn_bvh_first(const gn_bvh *m);            /* frames before it are a T-pose and a blend */
int gn_bvh_leaps(const gn_bvh *m, int64_t frame); /* 1: a joint moves impossibly fast there */
int gn_bvh_joint(const gn_bvh *m, const char *name);                  /* -1: none */
const char *gn_bvh_name(const gn_bvh *m, int joint); /* an End Site: its parent's name and "." */
/* Of all joints at a frame: [joints][3], and axes [joints][9], column by column (may be NULL). */
int gn_bvh_joints(const gn_bvh *m);
void gn_bvh_pose(const gn_bvh *m, int64_t frame, double (*at)[3], double (*axes)[9]);
/* The file's joint for a part of the body ("knee", side 0 right, 1 left; side is 0 where there is one). */
typedef enum {
    GN_BVH_ROOT,
    GN_BVH_CHEST,
    GN_BVH_NECK,
    GN_BVH_HEAD,
    GN_BVH_SHOULDER,
    GN_BVH_ELBOW,
    GN_BVH_WRIST,
    GN_BVH_HAND,
    GN_BVH_HIP,
    GN_BVH_KNEE,
    GN_BVH_ANKLE,
    GN_BVH_TOE,
    GN_BVH_ROLES
} gn_bvh_role;
int gn_bvh_of(const gn_bvh *m, gn_bvh_role role, int side); /* -1: the dialect has none (a hand in bandai) */
#endif
