/* figure.c - poses as SVG: over their picture, and in space. */
#include "draw.h"
#include <math.h>

static int has(const uint8_t *labelled, int j) { return !labelled || labelled[j]; }

static int drawable(const double (*uv)[2], int a, int b) {
    return isfinite(uv[a][0]) && isfinite(uv[a][1]) && isfinite(uv[b][0]) && isfinite(uv[b][1]);
}

static void bones(FILE *to, const gn_skeleton *s, const double (*uv)[2], const uint8_t *labelled, const char *kind) {
    fprintf(to, "<g class='%s'>", kind);
    for (int e = 0; e < s->bones; e++) {
        int a = s->bone[e].a, b = s->bone[e].b;
        if (!has(labelled, a) || !has(labelled, b) || !drawable(uv, a, b)) continue;
        fprintf(to, "<path class='%s' d='M%.2f %.2fL%.2f %.2f'/>", gn_side_class[gn_bone_side(s, &s->bone[e])], uv[a][0],
                uv[a][1], uv[b][0], uv[b][1]);
    }
    fputs("</g>", to);
}

static void joints(FILE *to, const gn_skeleton *s, const double (*uv)[2], const uint8_t *labelled,
                   const uint8_t *occluded, double radius, const char *kind) {
    fprintf(to, "<g class='%s'>", kind);
    for (int j = 0; j < s->joints; j++)
        if (has(labelled, j) && drawable(uv, j, j))
            fprintf(to, "<circle class='%s%s' cx='%.2f' cy='%.2f' r='%.2f'/>", gn_side_class[gn_joint_side(s, j)],
                    occluded && occluded[j] ? " hidden" : "", uv[j][0], uv[j][1], radius);
    fputs("</g>", to);
}

gn_status gn_svg_overlay(FILE *to, gn_arena *a, const gn_skeleton *s, const gn_image *picture, const double (*said)[2],
                    const double (*truth)[2], const uint8_t *labelled, const uint8_t *occluded) {
    /* pixel centres are at integers: the picture spans from -0.5 */
    fprintf(to, "<svg viewBox='-0.5 -0.5 %d %d' class='picture' style='--w:%.3g'><image x='-0.5' y='-0.5' width='%d' "
                "height='%d' href='", picture->w, picture->h, picture->w / 96.0, picture->w, picture->h);
    GN_TRY(gn_html_picture(to, a, picture));
    fputs("'/>", to);
    if (truth) {
        bones(to, s, truth, labelled, "true");
        joints(to, s, truth, labelled, occluded, picture->w * 0.012, "true");
    }
    if (said) {
        bones(to, s, said, NULL, "said");
        joints(to, s, said, NULL, NULL, picture->w * 0.012, "said");
    }
    fputs("</svg>", to);
    return GN_OK;
}

static void turn(const gn_skeleton *s, const double (*xyz)[3], double deg, double (*uv)[2]) {
    double c = cos(deg * GN_PI / 180), d = sin(deg * GN_PI / 180);
    for (int j = 0; j < s->joints; j++) {
        uv[j][0] = 100 * (c * xyz[j][0] + d * xyz[j][2]);
        uv[j][1] = 100 * xyz[j][1];
    }
}

void gn_svg_pose(FILE *to, const gn_skeleton *s, const double (*said)[3], const double (*truth)[3],
                 const uint8_t *labelled, double turn_deg, double reach, const char *caption) {
    double r = 100 * reach, uv[GN_JOINTS][2];
    fprintf(to, "<svg viewBox='%.1f %.1f %.1f %.1f' class='space' style='--w:%.3g'>", -r, -r, 2 * r, 2 * r, r / 48);
    fprintf(to, "<path class='grid' d='M%.1f 0H%.1fM0 %.1fV%.1f'/>", -r, r, -r, r);
    if (truth) {
        turn(s, truth, turn_deg, uv);
        bones(to, s, (const double (*)[2])uv, labelled, "true");
    }
    if (said) {
        turn(s, said, turn_deg, uv);
        bones(to, s, (const double (*)[2])uv, NULL, "said");
        joints(to, s, (const double (*)[2])uv, NULL, NULL, r * 0.018, "said");
    }
    fprintf(to, "<text x='%.1f' y='%.1f' class='corner' style='font-size:%.1fpx'>", -r * 0.94, -r * 0.8, r * 0.16);
    gn_html_text(to, caption);
    fputs("</text></svg>", to);
}
