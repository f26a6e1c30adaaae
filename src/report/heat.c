/* heat.c - maps as colour over their picture. */
#include "page.h"
#include <math.h>

static double bilinear(const float *map, int w, int h, double x, double y) {
    x = fmin(fmax(x, 0), w - 1), y = fmin(fmax(y, 0), h - 1);
    int x0 = (int)x, y0 = (int)y, x1 = x0 + 1 < w ? x0 + 1 : x0, y1 = y0 + 1 < h ? y0 + 1 : y0;
    double a = x - x0, b = y - y0;
    double above = (1 - a) * (double)map[y0 * w + x0] + a * (double)map[y0 * w + x1];
    double below = (1 - a) * (double)map[y1 * w + x0] + a * (double)map[y1 * w + x1];
    return (1 - b) * above + b * below;
}

gn_status gn_heat_picture(gn_arena *a, const gn_skeleton *s, const gn_image *picture, int w, int h, const float *map,
                          gn_image *heat) {
    GN_TRY(gn_image_new(a, picture->w, picture->h, heat));
    for (int y = 0; y < picture->h; y++)
        for (int x = 0; x < picture->w; x++) {
            const uint8_t *from = picture->rgb + 3 * (y * picture->w + x);
            double grey = 0.4 * (0.3 * from[0] + 0.59 * from[1] + 0.11 * from[2]), rgb[3] = { grey, grey, grey };
            double u = (x + 0.5) * w / picture->w - 0.5, v = (y + 0.5) * h / picture->h - 0.5;
            double cover = 0, sum = 0, mix[3] = { 0 };
            for (int j = 0; j < s->joints; j++) {
                double p = fmin(fmax(bilinear(map + (int64_t)j * w * h, w, h, u, v), 0), 1);
                gn_colour c = gn_side_colour(gn_joint_side(s, j));
                const double of[3] = { c.r, c.g, c.b };
                for (int k = 0; k < 3; k++) mix[k] += p * p * of[k];
                sum += p * p;
                cover = fmax(cover, p); /* the surest joint's: many joints never burn out */
            }
            for (int k = 0; k < 3 && sum > 0; k++) rgb[k] += cover * (mix[k] / sum - rgb[k]);
            for (int k = 0; k < 3; k++) heat->rgb[3 * (y * picture->w + x) + k] = (uint8_t)(rgb[k] + 0.5);
        }
    return GN_OK;
}
