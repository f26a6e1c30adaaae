/* draw.c - skeletons on pictures. */
#include "draw.h"
#include <math.h>

static int has(const uint8_t *labelled, int j) { return !labelled || labelled[j]; }

void gn_draw_pose2d(gn_image *on, const gn_skeleton *s, const double (*uv)[2], const uint8_t *labelled,
                    const uint8_t *hidden, gn_place p, double width) {
    const gn_colour dark = { 16, 18, 22 };
    for (int outline = 1; outline >= 0; outline--) /* a dark edge first: bones stay visible on any ground */
        for (int e = 0; e < s->bones; e++) {
            int a = s->bone[e].a, b = s->bone[e].b;
            if (!has(labelled, a) || !has(labelled, b)) continue;
            gn_draw_line(on, uv[a][0] * p.scale + p.x, uv[a][1] * p.scale + p.y, uv[b][0] * p.scale + p.x,
                         uv[b][1] * p.scale + p.y, outline ? width + 1.5 : width,
                         outline ? dark : gn_side_colour(gn_bone_side(s, &s->bone[e])));
        }
    for (int j = 0; j < s->joints; j++) {
        if (!has(labelled, j)) continue;
        double x = uv[j][0] * p.scale + p.x, y = uv[j][1] * p.scale + p.y;
        gn_colour c = gn_side_colour(gn_joint_side(s, j));
        gn_draw_dot(on, x, y, width * 1.3 + 0.8, dark);
        gn_draw_dot(on, x, y, width * 1.3, c);
        if (hidden && hidden[j]) gn_draw_dot(on, x, y, width * 0.7, dark);
    }
}

void gn_draw_pose3d(gn_image *on, const gn_skeleton *s, const double (*xyz)[3], const uint8_t *labelled, double x0,
                    double y0, double size, double reach, double turn_deg) {
    double c = cos(turn_deg * GN_PI / 180), d = sin(turn_deg * GN_PI / 180), uv[GN_JOINTS][2];
    for (int j = 0; j < s->joints; j++) {
        uv[j][0] = c * xyz[j][0] + d * xyz[j][2];
        uv[j][1] = xyz[j][1];
    }
    gn_place p = { size / (2 * reach), x0 + size / 2, y0 + size / 2 };
    gn_draw_pose2d(on, s, (const double (*)[2])uv, labelled, NULL, p, fmax(1.2, size / 70));
}

int gn_pose_about_root(const gn_skeleton *s, const float *xyz, const uint8_t *labelled, double (*about)[3]) {
    double middle[3] = { 0 };
    int n = 0;
    for (int j = 0; j < s->joints; j++) {
        if ((labelled && !labelled[j]) || (s->root >= 0 && j != s->root)) continue;
        for (int k = 0; k < 3; k++) middle[k] += (double)xyz[3 * j + k];
        n++;
    }
    for (int j = 0; n && j < s->joints; j++)
        for (int k = 0; k < 3; k++) about[j][k] = (double)xyz[3 * j + k] - middle[k] / n;
    return n > 0;
}
