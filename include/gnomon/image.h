/* image.h - pictures in and out, and drawing on them. 8-bit RGB, [H W 3]; 16-bit grey for depth. */
#ifndef GN_IMAGE_H
#define GN_IMAGE_H
#include "gnomon/arena.h"

typedef struct { int w, h; uint8_t *rgb; } gn_image;
typedef struct { uint8_t r, g, b; } gn_colour;

gn_status gn_image_new(gn_arena *a, int w, int h, gn_image *image);
gn_status gn_image_read(gn_arena *a, const char *path, gn_image *image);          /* png or jpeg, by content */
gn_status gn_jpeg_decode(gn_arena *a, const void *bytes, size_t n, gn_image *image);
gn_status gn_jpeg_encode(gn_arena *a, const gn_image *image, int quality, void **bytes, size_t *n); /* colour at full resolution */
gn_status gn_png_write(const char *path, const gn_image *image);
gn_status gn_png_encode(gn_arena *a, const gn_image *image, void **bytes, size_t *n);
gn_status gn_png_read_grey16(gn_arena *a, const char *path, int *w, int *h, uint16_t **grey);
gn_status gn_png_write_grey16(const char *path, int w, int h, const uint16_t *grey);

/* Drawing is antialiased; what lies outside is clipped. Positions are pixels, centres at integers. */
void gn_draw_line(gn_image *on, double x0, double y0, double x1, double y1, double width, gn_colour c);
void gn_draw_dot(gn_image *on, double x, double y, double radius, gn_colour c);
/* (x, y) is the upper left corner; letters are 6 x 10 dots of `size` pixels, '\n' begins a line */
void gn_draw_text(gn_image *on, double x, double y, int size, gn_colour c, const char *text);
void gn_draw_image(gn_image *on, int x, int y, const gn_image *what);
/* out(x, y) = in(A (x, y, 1)), bilinear, `edge` colour outside; A is [2 3] from out to in */
void gn_image_warp(const gn_image *in, const double A[6], gn_colour edge, gn_image *out);
#endif
