/* world.h - the puppet world's own words. World: metres, y up; the floor is y = 0.
 *
 * All solid things are one kind of shape: a round cone (two spheres and what is between) or a box,
 * seen through a linear map that may flatten it. People are some fifty of them. */
#ifndef GN_PUPPET_WORLD_H
#define GN_PUPPET_WORLD_H
#include "gnomon/image.h"
#include "gnomon/puppet.h"
#include "src/puppet/dice.h"

enum { SHAPES = 400, SURFACES = 160, PEOPLE = 4, NOBODY = 255 };
enum { RIGHT, LEFT };

typedef enum {
    PLAIN,
    STRIPES_ACROSS,
    STRIPES_ALONG,
    CHECKS,
    DOTS,
    CLOTH,
    SPECKLE,
    PLANKS,
    TILES,
    BRICKS,
    GRASS,
    WINDOWS,
    PRINT,
    SHIRT,
    FACE,
    LEAVES,
    SPAN, /* colour a below, b above, as a studio's backdrop */
} pattern;

typedef struct {
    pattern kind;
    vec a, b;          /* linear reflectance */
    float per_metre;   /* repeats */
    float shine;
    uint32_t seed;
} surface;

typedef struct {
    frame row;         /* into local: x, y, z are rows, that is world axes over scale */
    vec at;            /* local origin in the world */
    int box;           /* 1: |local| <= (ra, h, rb); 0: round cone from 0 (radius ra) up y to h (radius rb) */
    float h, ra, rb;
    float a, b, s, u;  /* of the cone's side: a rho + b y = ra; rho = u - s y */
    float reach;       /* largest stretch from local to world */
    uint16_t surface;
    uint8_t person, part;
} shape;

/* How a body is held, without its lengths. Limbs: right, left; then from the trunk outwards. */
typedef struct {
    vec root;          /* pelvis; y in units of the standing hip height, x and z metres */
    int grounded;      /* 1: the lowest point touches the floor; 0: root.y says, but never below the floor */
    float lift;        /* metres above where that would be */
    frame pelvis, chest, head;
    vec arm[2][3], leg[2][3]; /* unit: upper arm, forearm, hand; thigh, shin, foot */
    float seat;        /* > 0: sits, on something */
} pose;

typedef struct {
    float height, hip, waist, chest, neck, head, shoulder; /* metres */
    float upper, fore, hand, thigh, shin, ankle, foot;
    float girth, belly;
    int female, child, old;
    int skin, hair, face, shirt, front, trousers, shoes, sole, extra; /* surfaces */
    float sleeve, leg;       /* share of the arm, of the leg that is covered, 0-2 */
    enum { SHORT_HAIR, LONG_HAIR, PONYTAIL, BUN, BALD } style;
    int skirt, hat, pack, beard;
    float loose;             /* metres that cloth stands off */
} body;

typedef struct {           /* a posed body's points; MPII order */
    vec at[16], toe[2], tip[2];
    frame pelvis, chest, head;
} figure;

typedef struct {
    vec eye;
    frame axes;            /* right, down, forward */
    float f, cx, cy;       /* pixels */
} view;

typedef struct { vec to, sun, sky, bounce; } light; /* `to` the sun */

typedef struct {
    int shapes, surfaces, people;
    shape shape[SHAPES];
    surface surface[SURFACES];
    figure figure[PEOPLE];
    vec stand[PEOPLE];     /* where they entered; places are laid out around that, whatever moves later */
    figure anchor;         /* the first person's first moment */
    light light;
    enum { OUTDOORS, ROOM, STUDIO, PHOTOGRAPH, NOISE } place;
    int ground, wall[4], ceiling_surface;          /* surfaces */
    float room[4], ceiling;                        /* least x, most x, least z, most z */
    vec zenith, horizon;
    float cloud, hills;
    uint32_t seed;
    const gn_image *photo;
    float photo_at[3];                             /* x, y, picture pixels a pixel; of NOISE: its cells a pixel */
    float exposure, noise, blur, warm, haze;
} scene;

/* body.c, wear.c */
void gn_body_make(dice *d, scene *s, body *b, int lab);
void gn_body_pose(const body *b, const pose *p, figure *f);
void gn_body_add(scene *s, const body *b, const figure *f, int person);

/* solid.c */
shape *gn_solid_round(scene *s, vec from, vec to, float ra, float rb, int surface);
shape *gn_solid_flat(scene *s, vec from, vec to, float ra, float rb, vec side, float wide, float deep,
                     int surface);
shape *gn_solid_blob(scene *s, vec at, frame f, vec radii, int surface);
shape *gn_solid_box(scene *s, vec at, frame f, vec half, int surface);
int gn_surface_add(scene *s, surface what);

/* motion.c: acts; take.c: captured takes */
typedef struct gn_motions gn_motions;
typedef struct gn_take gn_take;
typedef struct {
    int act, mirrored;
    uint64_t seed, number;
    float start;           /* seconds */
    const gn_take *take;   /* NULL: an act */
} motion;
void gn_motion_pick(dice *d, int lab, const gn_motions *captured, motion *m);
void gn_motion_at(const motion *m, float seconds, pose *p);
void gn_pose_move(pose *p, float yaw, vec by);
gn_status gn_motions_open(gn_arena *a, const char *folder, int valid, gn_motions **m);
void gn_take_pick(dice *d, const gn_motions *captured, motion *m);
void gn_take_at(const motion *m, float seconds, pose *p);

/* files.c: below a folder, by name; photographs as backgrounds */
typedef struct { int n; const char **path; } files;
gn_status gn_files_below(gn_arena *a, const char *folder, const char *const *endings, files *l);
gn_status gn_photos_open(gn_arena *a, const char *folder, int valid, int *n, gn_image **photo);

/* stage.c: what stands around; camera.c */
void gn_stage_set(dice *d, scene *s, int lab, const view *v, int views);
void gn_stage_light(dice *d, scene *s, int lab);
void gn_stage_hide(dice *d, scene *s, const view *v); /* something in front of the first person */
void gn_camera_place(dice *d, const figure *f, int lab, int number, int views, view *v);
void gn_camera_ring(dice *d, int number, int views, int size, view *v); /* each draws from where the last stopped */
void gn_camera_crop(dice *d, const figure *f, int lab, int size, view *v);
static inline vec view_of(const view *v, vec world) { return into(v->axes, sub(world, v->eye)); }

/* trace.c */
typedef struct { float z; int shape; } hit;
typedef struct { /* the two nearest surfaces */
    int side;
    float *z[2];     /* depth */
    uint16_t *id[2]; /* shape, or EMPTY */
} canvas;
enum { EMPTY = 0xffff };
gn_status gn_trace(gn_arena *a, const scene *s, const view *v, int side, canvas *c);
gn_status gn_trace_shadow(gn_arena *a, const scene *s, canvas *c, view *sun);
hit gn_trace_ray(const scene *s, const view *v, vec direction);
vec gn_solid_normal(const shape *p, vec local);
static inline vec local_of(const shape *p, vec world) {
    vec d = sub(world, p->at);
    return v3(dot(p->row.x, d), dot(p->row.y, d), dot(p->row.z, d));
}

/* paint.c: reflectance of a surface; shade.c: the picture */
vec gn_paint(const surface *s, vec local, vec normal, float blur);
vec gn_paint_sky(const scene *s, vec direction);
float gn_noise(float x, float y, float z, uint32_t seed);  /* [0, 1], smooth */
float gn_clouds(float x, float y, float z, int octaves, uint32_t seed);
gn_status gn_shade(gn_arena *a, const scene *s, const view *v, int size, const canvas *c, uint8_t *rgb,
                   uint16_t *depth_mm, uint8_t *parts, const dice *sensor);
#endif
