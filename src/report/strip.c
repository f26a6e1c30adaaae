/* strip.c - a few held-out samples as one picture: the prediction over the picture, its pose in space below, the truth pale
 * behind it. Samples are taken evenly through the shard: nobody chose them. */
#include "draw.h"
#include "gnomon/dataset.h"
#include "gnomon/report.h"
#include "trained.h"
#include <math.h>
#include <string.h>

enum { ACROSS = 4, TILE = 240, GAP = 8, WIDE = (TILE - GAP) / 2, FOOT = 28, MOST = 64 };
static const gn_colour ground = { 24, 27, 33 }, panel = { 33, 37, 45 }, pale = { 104, 112, 126 }, ink = { 208, 213, 221 };

typedef struct { gn_shard *shard; const gn_skeleton *skeleton; int image, xyz, w, h; } source;

static gn_status source_open(gn_arena *a, const char *path, source *s) {
    GN_TRY(gn_shard_open(a, path, &s->shard));
    s->skeleton = gn_shard_skeleton(s->shard);
    const gn_shard_field *image = gn_shard_find(s->shard, "image", &s->image);
    if (!image || image->element != 1 || image->rank != 3 || image->d[2] != 3) GN_FAIL(BAD_DATA, "%s: no field 'image' of bytes [H W 3]", path);
    s->h = (int)image->d[0], s->w = (int)image->d[1];
    const gn_shard_field *xyz = gn_shard_find(s->shard, "joints3d", &s->xyz);
    if (!xyz || xyz->element != 4) s->xyz = -1;
    return GN_OK;
}

static void fill(gn_image *on, gn_colour c) {
    for (int64_t p = 0; p < (int64_t)on->w * on->h; p++) memcpy(on->rgb + 3 * p, &c, 3);
}

/* Scaled as the prediction is (A5), so that size, which no picture tells, does not show as an error. */
static int truth_of(const source *s, int64_t i, double (*xyz)[3]) {
    const float *from = s->xyz < 0 ? NULL : gn_shard_at(s->shard, s->xyz, i);
    double sum = 0;
    if (!from || !gn_pose_about_root(s->skeleton, from, NULL, xyz)) return 0;
    for (int e = 0; e < s->skeleton->bones; e++) {
        const double *p = xyz[s->skeleton->bone[e].a], *q = xyz[s->skeleton->bone[e].b];
        sum += sqrt((p[0] - q[0]) * (p[0] - q[0]) + (p[1] - q[1]) * (p[1] - q[1]) + (p[2] - q[2]) * (p[2] - q[2]));
    }
    for (int j = 0; j < s->skeleton->joints; j++)
        for (int k = 0; k < 3; k++) xyz[j][k] *= sum > 0 ? GN_ZHOU_BONES_MM / 1000 / sum : 0;
    return isfinite(sum) && sum > 0;
}

/* What the views of a sample have in common: pixels a metre. */
typedef struct { const gn_skeleton *skeleton; int n; const double (*pose[2])[3]; double scale; } scene; /* said, truth */

static void reach_of(const scene *s, double turn_deg, double least[2], double most[2]) {
    double c = cos(turn_deg * GN_PI / 180), d = sin(turn_deg * GN_PI / 180);
    least[0] = least[1] = INFINITY, most[0] = most[1] = -INFINITY;
    for (int p = 0; p < s->n; p++)
        for (int j = 0; j < s->skeleton->joints; j++) {
            const double *x = s->pose[p][j], at[2] = { c * x[0] + d * x[2], x[1] };
            for (int k = 0; k < 2; k++) least[k] = fmin(least[k], at[k]), most[k] = fmax(most[k], at[k]);
        }
}

static const double turns[] = { 0, 75 };

static void scale_of(scene *s) {
    s->scale = 120; /* of a person who stands */
    for (int v = 0; v < 2; v++) {
        double least[2], most[2];
        reach_of(s, turns[v], least, most);
        s->scale = fmin(s->scale, fmin((WIDE - 20) / (most[0] - least[0]), (TILE - 36) / (most[1] - least[1])));
    }
}

static gn_status space(gn_arena *a, gn_image *on, const scene *s, int view_of, int x, int y) {
    const double turn = turns[view_of] * GN_PI / 180, c = cos(turn), d = sin(turn), size = s->scale * 2;
    double least[2], most[2];
    gn_image view;
    GN_TRY(gn_image_new(a, WIDE, TILE, &view));
    fill(&view, panel);
    reach_of(s, turns[view_of], least, most);
    const double x0 = WIDE / 2.0 - s->scale * (least[0] + most[0]) / 2, y0 = TILE / 2.0 + 6 - s->scale * (least[1] + most[1]) / 2;
    for (int e = 0; s->n > 1 && e < s->skeleton->bones; e++) {
        const double *p = s->pose[1][s->skeleton->bone[e].a], *q = s->pose[1][s->skeleton->bone[e].b];
        gn_draw_line(&view, x0 + s->scale * (c * p[0] + d * p[2]), y0 + s->scale * p[1],
                     x0 + s->scale * (c * q[0] + d * q[2]), y0 + s->scale * q[1], 5, pale);
    }
    gn_draw_pose3d(&view, s->skeleton, s->pose[0], NULL, x0 - size / 2, y0 - size / 2, size, 1, turns[view_of]);
    gn_draw_text(&view, 6, 6, 1, ink, view_of ? "side" : "front");
    gn_draw_image(on, x, y, &view);
    return GN_OK;
}

static gn_status cell(gn_arena *a, const gn_trained *t, const source *s, int64_t i, gn_image *on, int x, int y) {
    gn_image stored, shown;
    gn_prediction said;
    double pixels = fmin(s->w, s->h), uv[GN_JOINTS][2], xyz[GN_JOINTS][3], truth[GN_JOINTS][3];
    const double square[3] = { (s->w - pixels) / 2, (s->h - pixels) / 2, pixels }, step = pixels / TILE, side = t->last->data.input;
    const double A[6] = { step, 0, square[0] + step / 2 - 0.5, 0, step, square[1] + step / 2 - 0.5 };
    GN_TRY(gn_shard_check(s->shard, i));
    GN_TRY(gn_image_new(a, s->w, s->h, &stored));
    memcpy(stored.rgb, gn_shard_at(s->shard, s->image, i), (size_t)s->w * (size_t)s->h * 3);
    GN_TRY(gn_trained_ask(a, t, s->skeleton, &stored, square, &said));
    GN_TRY(gn_image_new(a, TILE, TILE, &shown));
    gn_image_warp(&stored, A, ground, &shown);
    for (int j = 0; j < s->skeleton->joints; j++)
        for (int k = 0; k < 2; k++) uv[j][k] = (said.uv[j][k] + 0.5) * TILE / side - 0.5;
    gn_draw_pose2d(&shown, s->skeleton, (const double (*)[2])uv, NULL, NULL, (gn_place){ 1, 0, 0 }, 2.4);
    gn_draw_image(on, x, y, &shown);
    if (!said.has_z) return GN_OK;
    gn_canonical_pose(s->skeleton, t->last->data.input, &said, GN_ZHOU_BONES_MM / 1000, xyz);
    scene both = { s->skeleton, 1 + truth_of(s, i, truth), { (const double (*)[3])xyz, (const double (*)[3])truth }, 0 };
    scale_of(&both);
    for (int v = 0; v < 2; v++) GN_TRY(space(a, on, &both, v, x + v * (WIDE + GAP), y + TILE + GAP));
    return GN_OK;
}

gn_status gn_predict_sheet(const char *run, const char *shard, int count, const char *png, gn_arena *a) {
    gn_trained t;
    gn_image sheet;
    source s;
    if (count < 1 || count > MOST) GN_FAIL(BAD_USAGE, "a sheet of %d samples: takes 1 to %d", count, MOST);
    GN_TRY(gn_trained_open(a, run, 1, &t));
    GN_TRY(source_open(a, shard, &s));
    const int64_t n = gn_shard_samples(s.shard);
    const int shown = count < n ? count : (int)n, across = shown < ACROSS ? shown : ACROSS, down = (shown + across - 1) / across;
    const int high = (t.last->depth_untrained || gn_graph_output_find(t.graph, "depth") < 0 ? 1 : 2) * (TILE + GAP) + GAP;
    GN_TRY(gn_image_new(a, GAP + across * (TILE + GAP), GAP + down * high + FOOT - GAP, &sheet));
    fill(&sheet, ground);
    for (int k = 0; k < shown; k++)
        GN_TRY_AS(cell(a, &t, &s, k * n / shown, &sheet, GAP + k % across * (TILE + GAP), GAP + k / across * high), "%s", shard);
    const int y = sheet.h - 20;
    gn_draw_text(&sheet, GAP, y, 1, gn_side_colour(GN_SIDE_LEFT), "left");
    gn_draw_text(&sheet, GAP + 32, y, 1, gn_side_colour(GN_SIDE_RIGHT), "right");
    gn_draw_text(&sheet, GAP + 70, y, 1, pale, "truth");
    gn_draw_text(&sheet, GAP + 108, y, 1, ink, high > 2 * TILE ? "predicted over held-out pictures; below, the pose in space from the front, and turned by 75 degrees"
                                                               : "predicted over held-out pictures");
    return gn_png_write(png, &sheet);
}
