/* draw.h - what the files of this room share: pieces of a page, and skeletons on pictures.
 *
 * A piece of a page is written to a stream; streams are in memory, so a failure shows once, when
 * the page is taken. Left is warm, right is cool, the middle is grey, everywhere. */
#ifndef GN_DRAW_H
#define GN_DRAW_H
#include "gnomon/image.h"
#include "gnomon/metric.h"

typedef enum { GN_SIDE_LEFT, GN_SIDE_RIGHT, GN_SIDE_MIDDLE } gn_side;
gn_side gn_joint_side(const gn_skeleton *s, int joint);
gn_side gn_bone_side(const gn_skeleton *s, const gn_bone *b);
gn_colour gn_side_colour(gn_side side);
extern const char *const gn_side_class[]; /* of a stroke in the page's style sheet */

/* --- a page --- */
void gn_html_text(FILE *to, const char *text); /* escaped */
void gn_base64_write(FILE *to, const void *bytes, size_t n);
gn_status gn_html_picture(FILE *to, gn_arena *a, const gn_image *image); /* a data: address */

typedef struct { const char *name; int n; double *x, *y; } gn_series;
typedef struct { const char *name; double from; } gn_span;   /* a stage, and the step it starts at */
typedef struct {
    const char *title, *unit;
    int n; const gn_series *series;
    int n_span; const gn_span *span;
    int log;                          /* of y, where all values allow it */
    const double *level;              /* of each series: a dashed line, NaN: none; NULL: of none */
} gn_chart;
void gn_svg_chart(FILE *to, const gn_chart *c);

/* 2D over a picture, [side side]; truth may be NULL. */
gn_status gn_svg_overlay(FILE *to, gn_arena *a, const gn_skeleton *s, const gn_image *picture, const double (*said)[2],
                    const double (*truth)[2], const uint8_t *labelled, const uint8_t *occluded);
/* 3D about the root, seen turned about the vertical; metres within `reach` of the root fill the figure. */
void gn_svg_pose(FILE *to, const gn_skeleton *s, const double (*said)[3], const double (*truth)[3],
                 const uint8_t *labelled, double turn_deg, double reach, const char *caption);

/* --- pictures --- */
/* scale and shift take pose pixels to picture pixels; joints that are hidden are drawn hollow */
typedef struct { double scale, x, y; } gn_place;
void gn_draw_pose2d(gn_image *on, const gn_skeleton *s, const double (*uv)[2], const uint8_t *labelled,
                    const uint8_t *hidden, gn_place place, double width);
/* `xyz` [J 3] about the root, or about the middle of what is labelled where the skeleton has no root; 0: there is no such
 * place. `labelled` NULL: all are. */
int gn_pose_about_root(const gn_skeleton *s, const float *xyz, const uint8_t *labelled, double (*about)[3]);
/* in the square of `size` at (x, y), turned about the vertical */
void gn_draw_pose3d(gn_image *on, const gn_skeleton *s, const double (*xyz)[3], const uint8_t *labelled, double x,
                    double y, double size, double reach, double turn_deg);
#endif
