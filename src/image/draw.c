/* draw.c - lines, dots, letters and pictures on pictures. Every shape is a coverage in [0, 1] a pixel. */
#include "gnomon/image.h"
#include <math.h>
#include <string.h>

static void blend(gn_image *on, int x, int y, double cover, gn_colour c) {
    if (x < 0 || y < 0 || x >= on->w || y >= on->h || !(cover > 0)) return;
    if (cover > 1) cover = 1;
    uint8_t *p = on->rgb + 3 * ((size_t)y * (size_t)on->w + (size_t)x);
    const uint8_t ink[3] = { c.r, c.g, c.b };
    for (int k = 0; k < 3; k++) p[k] = (uint8_t)(p[k] + cover * (ink[k] - p[k]) + 0.5);
}

/* Pixels [from, to] that may be touched between two numbers; none for what is not a number. */
static int span(double least, double most, int size, int *from, int *to) {
    if (!(most >= 0 && least <= size - 1)) return 0;
    *from = least > 0 ? (int)least : 0;
    *to = most < size - 1 ? (int)ceil(most) : size - 1;
    return 1;
}

/* All points within half the width of the segment; a pixel is covered by how far its centre is inside. */
void gn_draw_line(gn_image *on, double x0, double y0, double x1, double y1, double width, gn_colour c) {
    double dx = x1 - x0, dy = y1 - y0, squared = dx * dx + dy * dy, reach = width / 2 + 1;
    int left, right, top, bottom;
    if (!isfinite(squared)) return;
    if (!span(fmin(x0, x1) - reach, fmax(x0, x1) + reach, on->w, &left, &right)) return;
    if (!span(fmin(y0, y1) - reach, fmax(y0, y1) + reach, on->h, &top, &bottom)) return;
    for (int y = top; y <= bottom; y++)
        for (int x = left; x <= right; x++) {
            double t = squared > 0 ? ((x - x0) * dx + (y - y0) * dy) / squared : 0;
            t = t < 0 ? 0 : t > 1 ? 1 : t;
            blend(on, x, y, width / 2 + 0.5 - hypot(x - x0 - t * dx, y - y0 - t * dy), c);
        }
}

void gn_draw_dot(gn_image *on, double x, double y, double radius, gn_colour c) { gn_draw_line(on, x, y, x, y, 2 * radius, c); }

void gn_draw_image(gn_image *on, int x, int y, const gn_image *what) {
    int64_t left = x < 0 ? -(int64_t)x : 0, right = (int64_t)on->w - x < what->w ? (int64_t)on->w - x : what->w;
    for (int64_t row = 0; row < what->h; row++) {
        int64_t to = y + row;
        if (to < 0 || to >= on->h || right <= left) continue;
        memcpy(on->rgb + 3 * (to * on->w + x + left), what->rgb + 3 * (row * what->w + left), 3 * (size_t)(right - left));
    }
}

/* A letter is five columns (bit 0 is the left one) by eight rows, the last below the line. */
enum { FIRST = ' ', LAST = '~', COLUMNS = 5, ROWS = 8 };
static const uint8_t glyph[LAST - FIRST + 1][ROWS] = {
    { 0, 0, 0, 0, 0, 0, 0, 0 }, { 4, 4, 4, 4, 4, 0, 4, 0 }, { 10, 10, 10, 0, 0, 0, 0, 0 }, { 10, 10, 31, 10, 31, 10, 10, 0 },
    { 4, 30, 5, 14, 20, 15, 4, 0 }, { 19, 19, 8, 4, 2, 25, 25, 0 }, { 6, 9, 5, 2, 21, 9, 22, 0 }, { 4, 4, 4, 0, 0, 0, 0, 0 },
    { 8, 4, 2, 2, 2, 4, 8, 0 }, { 2, 4, 8, 8, 8, 4, 2, 0 }, { 0, 4, 21, 14, 21, 4, 0, 0 }, { 0, 4, 4, 31, 4, 4, 0, 0 },
    { 0, 0, 0, 0, 0, 12, 4, 2 }, { 0, 0, 0, 31, 0, 0, 0, 0 }, { 0, 0, 0, 0, 0, 6, 6, 0 }, { 16, 16, 8, 4, 2, 1, 1, 0 },
    { 14, 17, 25, 21, 19, 17, 14, 0 }, { 4, 6, 5, 4, 4, 4, 31, 0 }, { 14, 17, 16, 12, 2, 1, 31, 0 }, { 31, 8, 4, 8, 16, 17, 14, 0 },
    { 8, 12, 10, 9, 31, 8, 8, 0 }, { 31, 1, 15, 16, 16, 17, 14, 0 }, { 12, 2, 1, 15, 17, 17, 14, 0 }, { 31, 16, 8, 8, 4, 4, 4, 0 },
    { 14, 17, 17, 14, 17, 17, 14, 0 }, { 14, 17, 17, 30, 16, 8, 6, 0 }, { 0, 6, 6, 0, 6, 6, 0, 0 }, { 0, 6, 6, 0, 6, 4, 2, 0 },
    { 8, 4, 2, 1, 2, 4, 8, 0 }, { 0, 0, 31, 0, 31, 0, 0, 0 }, { 2, 4, 8, 16, 8, 4, 2, 0 }, { 14, 17, 16, 8, 4, 0, 4, 0 },
    { 14, 17, 29, 21, 29, 1, 14, 0 }, { 4, 10, 17, 17, 31, 17, 17, 0 }, { 15, 17, 17, 15, 17, 17, 15, 0 }, { 14, 17, 1, 1, 1, 17, 14, 0 },
    { 7, 9, 17, 17, 17, 9, 7, 0 }, { 31, 1, 1, 15, 1, 1, 31, 0 }, { 31, 1, 1, 15, 1, 1, 1, 0 }, { 14, 17, 1, 25, 17, 17, 30, 0 },
    { 17, 17, 17, 31, 17, 17, 17, 0 }, { 14, 4, 4, 4, 4, 4, 14, 0 }, { 28, 8, 8, 8, 8, 9, 6, 0 }, { 17, 9, 5, 3, 5, 9, 17, 0 },
    { 1, 1, 1, 1, 1, 1, 31, 0 }, { 17, 27, 21, 21, 17, 17, 17, 0 }, { 17, 19, 19, 21, 25, 25, 17, 0 }, { 14, 17, 17, 17, 17, 17, 14, 0 },
    { 15, 17, 17, 15, 1, 1, 1, 0 }, { 14, 17, 17, 17, 21, 9, 22, 0 }, { 15, 17, 17, 15, 5, 9, 17, 0 }, { 30, 1, 1, 14, 16, 16, 15, 0 },
    { 31, 4, 4, 4, 4, 4, 4, 0 }, { 17, 17, 17, 17, 17, 17, 14, 0 }, { 17, 17, 17, 17, 10, 10, 4, 0 }, { 17, 17, 17, 21, 21, 27, 17, 0 },
    { 17, 17, 10, 4, 10, 17, 17, 0 }, { 17, 17, 10, 4, 4, 4, 4, 0 }, { 31, 16, 8, 4, 2, 1, 31, 0 }, { 14, 2, 2, 2, 2, 2, 14, 0 },
    { 1, 1, 2, 4, 8, 16, 16, 0 }, { 14, 8, 8, 8, 8, 8, 14, 0 }, { 4, 10, 17, 0, 0, 0, 0, 0 }, { 0, 0, 0, 0, 0, 0, 0, 31 },
    { 2, 4, 0, 0, 0, 0, 0, 0 }, { 0, 0, 14, 16, 30, 17, 30, 0 }, { 1, 1, 15, 17, 17, 17, 15, 0 }, { 0, 0, 30, 1, 1, 1, 30, 0 },
    { 16, 16, 30, 17, 17, 17, 30, 0 }, { 0, 0, 14, 17, 31, 1, 14, 0 }, { 12, 2, 2, 15, 2, 2, 2, 0 }, { 0, 0, 30, 17, 17, 30, 16, 14 },
    { 1, 1, 15, 17, 17, 17, 17, 0 }, { 4, 0, 6, 4, 4, 4, 14, 0 }, { 8, 0, 12, 8, 8, 8, 9, 6 }, { 1, 1, 9, 5, 3, 5, 9, 0 },
    { 6, 4, 4, 4, 4, 4, 14, 0 }, { 0, 0, 11, 21, 21, 21, 21, 0 }, { 0, 0, 15, 17, 17, 17, 17, 0 }, { 0, 0, 14, 17, 17, 17, 14, 0 },
    { 0, 0, 15, 17, 17, 15, 1, 1 }, { 0, 0, 30, 17, 17, 30, 16, 16 }, { 0, 0, 13, 19, 1, 1, 1, 0 }, { 0, 0, 30, 1, 14, 16, 15, 0 },
    { 2, 2, 15, 2, 2, 2, 12, 0 }, { 0, 0, 17, 17, 17, 17, 30, 0 }, { 0, 0, 17, 17, 17, 10, 4, 0 }, { 0, 0, 17, 21, 21, 21, 10, 0 },
    { 0, 0, 17, 10, 4, 10, 17, 0 }, { 0, 0, 17, 17, 17, 30, 16, 14 }, { 0, 0, 31, 8, 4, 2, 31, 0 }, { 24, 4, 4, 2, 4, 4, 24, 0 },
    { 4, 4, 4, 4, 4, 4, 4, 0 }, { 3, 4, 4, 8, 4, 4, 3, 0 }, { 0, 0, 2, 21, 8, 0, 0, 0 },
};

/* (x, y) is the upper left corner; size is the side of a dot in pixels; '\n' begins a new line. */
void gn_draw_text(gn_image *on, double x, double y, int size, gn_colour c, const char *text) {
    if (!(fabs(x) < 1e6 && fabs(y) < 1e6) || size < 1 || size > 256) return;
    int left = (int)lrint(x), column = left, line = (int)lrint(y);
    for (const char *s = text; *s; s++) {
        if (*s == '\n') {
            column = left;
            line += (ROWS + 2) * size;
            continue;
        }
        const uint8_t *rows = glyph[(*s < FIRST || *s > LAST ? '?' : *s) - FIRST];
        for (int r = 0; r < ROWS * size; r++)
            for (int k = 0; k < COLUMNS * size; k++)
                if (rows[r / size] >> k / size & 1) blend(on, column + k, line + r, 1, c);
        column += (COLUMNS + 1) * size;
        if (column > on->w && !strchr(s, '\n')) return;
    }
}
