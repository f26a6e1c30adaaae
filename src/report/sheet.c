/* sheet.c - a shard as a contact sheet: pictures with what is known of them drawn in. */
#include "draw.h"
#include "gnomon/dataset.h"
#include "gnomon/io.h"
#include "gnomon/report.h"
#include <math.h>
#include <string.h>

enum { TILE = 224, GAP = 8, CAPTION = 16, HEAD = 28, SIDES = 64 };
static const gn_colour ground = { 24, 27, 33 }, ink = { 208, 213, 221 };

typedef struct {
    gn_shard *shard;
    const gn_skeleton *skeleton;
    int image, uv, seen, hidden, xyz, seen3d, depth, parts; /* fields; -1: has none */
    int w, h;
} source;

static int find(const gn_shard *s, const char *name, int element, int rank) {
    int place;
    const gn_shard_field *f = gn_shard_find(s, name, &place);
    return f && f->element == element && f->rank == rank ? place : -1;
}

static gn_status source_open(gn_arena *a, const char *path, source *s) {
    GN_TRY(gn_shard_open(a, path, &s->shard));
    const gn_shard *d = s->shard;
    s->skeleton = gn_shard_skeleton(d);
    s->image = find(d, "image", 1, 3);
    if (s->image < 0 || gn_shard_field_at(d, s->image)->d[2] != 3) GN_FAIL(BAD_DATA, "%s: no field 'image' of bytes [H W 3]", path);
    s->h = (int)gn_shard_field_at(d, s->image)->d[0], s->w = (int)gn_shard_field_at(d, s->image)->d[1];
    s->uv = find(d, "joints2d", 4, 2), s->seen = find(d, "labelled2d", 1, 1), s->hidden = find(d, "occluded2d", 1, 1);
    s->xyz = find(d, "joints3d", 4, 2), s->seen3d = find(d, "labelled3d", 1, 1);
    s->depth = find(d, "depth_map", 2, 2), s->parts = find(d, "parts", 1, 2);
    return GN_OK;
}

static const void *at(const source *s, int field, int64_t i) { return field < 0 ? NULL : gn_shard_at(s->shard, field, i); }

static void fill(gn_image *on, int x0, int y0, int w, int h, gn_colour c) {
    for (int y = y0; y < y0 + h; y++)
        for (int x = x0; x < x0 + w; x++) memcpy(on->rgb + 3 * ((size_t)y * (size_t)on->w + (size_t)x), &c, 3);
}

/* Blown up or shrunk to a tile; the place takes stored pixels to sheet pixels. */
static gn_status tile(gn_arena *a, gn_image *on, const gn_image *what, int x, int y, gn_place *place) {
    gn_image to;
    double scale = (double)TILE / (what->w > what->h ? what->w : what->h);
    const double A[6] = { 1 / scale, 0, 0.5 / scale - 0.5, 0, 1 / scale, 0.5 / scale - 0.5 };
    GN_TRY(gn_image_new(a, TILE, TILE, &to));
    gn_image_warp(what, A, ground, &to);
    gn_draw_image(on, x, y, &to);
    *place = (gn_place){ scale, x + (0.5 * scale - 0.5), y + (0.5 * scale - 0.5) };
    return GN_OK;
}

/* The corner of the tile, 0 to 3, that hides the fewest joints. */
static int free_corner(const source *s, int64_t i, int size) {
    const float *uv = at(s, s->uv, i);
    const float limit = (float)size / TILE;
    int best = 3, least = GN_JOINTS + 1;
    for (int corner = 3; corner >= 0; corner--) {
        int hidden = 0;
        for (int j = 0; uv && j < s->skeleton->joints; j++) {
            float u = uv[2 * j] / (float)s->w, v = uv[2 * j + 1] / (float)s->h;
            hidden += (corner & 1 ? u > 1 - limit : u < limit) && (corner & 2 ? v > 1 - limit : v < limit);
        }
        if (hidden < least) least = hidden, best = corner;
    }
    return best;
}

static void draw_3d(gn_image *on, const source *s, int64_t i, int x, int y) {
    const float *xyz = at(s, s->xyz, i);
    const uint8_t *seen = at(s, s->seen3d, i);
    double about[GN_JOINTS][3], reach = 0.5;
    int size = TILE / 3;
    if (!xyz || !gn_pose_about_root(s->skeleton, xyz, seen, about)) return;
    for (int j = 0; j < s->skeleton->joints; j++)
        for (int k = 0; k < 3; k++)
            if ((!seen || seen[j]) && isfinite(about[j][k])) reach = fmax(reach, 1.1 * fabs(about[j][k]));
    int corner = free_corner(s, i, size);
    x += corner & 1 ? TILE - size : 0, y += corner & 2 ? TILE - size : 0;
    fill(on, x, y, size, size, ground);
    gn_draw_pose3d(on, s->skeleton, (const double (*)[3])about, seen, x, y, size, reach, 60);
}

/* Near is bright, unknown is dark. */
static gn_status depth_tile(gn_arena *a, gn_image *on, const source *s, int64_t i, int x, int y) {
    const uint16_t *mm = at(s, s->depth, i);
    gn_image grey;
    gn_place ignore;
    int n = s->w * s->h, least = 65535, most = 0;
    GN_TRY(gn_image_new(a, s->w, s->h, &grey));
    for (int p = 0; p < n; p++)
        if (mm[p]) least = mm[p] < least ? mm[p] : least, most = mm[p] > most ? mm[p] : most;
    for (int p = 0; p < n; p++) {
        int v = mm[p] && most > least ? 255 - 215 * (mm[p] - least) / (most - least) : 20;
        memset(grey.rgb + 3 * p, v, 3);
    }
    return tile(a, on, &grey, x, y, &ignore);
}

static gn_status parts_tile(gn_arena *a, gn_image *on, const source *s, int64_t i, int x, int y) {
    const uint8_t *part = at(s, s->parts, i);
    gn_image flat;
    gn_place ignore;
    GN_TRY(gn_image_new(a, s->w, s->h, &flat));
    for (int p = 0; p < s->w * s->h; p++)
        for (int k = 0; k < 3; k++) /* hues a golden turn apart, so that neighbours differ */
            flat.rgb[3 * p + k] = part[p] ? (uint8_t)(140 + 110 * cos(2 * GN_PI * (part[p] * 0.618034 + k / 3.0))) : 20;
    return tile(a, on, &flat, x, y, &ignore);
}

static gn_status cell(gn_arena *a, gn_image *on, const source *s, int64_t i, int x, int y) {
    gn_image stored = { s->w, s->h, NULL };
    gn_place place;
    const float *points = at(s, s->uv, i);
    double uv[GN_JOINTS][2];
    char caption[32];
    GN_TRY(gn_shard_check(s->shard, i));
    GN_TRY(gn_image_new(a, s->w, s->h, &stored));
    memcpy(stored.rgb, at(s, s->image, i), (size_t)s->w * (size_t)s->h * 3);
    GN_TRY(tile(a, on, &stored, x, y, &place));
    if (points) {
        for (int j = 0; j < s->skeleton->joints; j++)
            for (int k = 0; k < 2; k++) uv[j][k] = (double)points[2 * j + k];
        gn_draw_pose2d(on, s->skeleton, (const double (*)[2])uv, at(s, s->seen, i), at(s, s->hidden, i), place, 1.6);
    }
    draw_3d(on, s, i, x, y);
    int next = x + TILE;
    if (s->depth >= 0) {
        GN_TRY(depth_tile(a, on, s, i, next, y));
        next += TILE;
    }
    if (s->parts >= 0) GN_TRY(parts_tile(a, on, s, i, next, y));
    snprintf(caption, sizeof caption, "%lld", (long long)i);
    gn_draw_text(on, x + 2, y + TILE + 4, 1, ink, caption);
    return GN_OK;
}

gn_status gn_sheet(const char *shard, int columns, int rows, const char *png, gn_arena *a) {
    source s;
    gn_image sheet;
    const char *title;
    if (columns < 1 || rows < 1 || columns > SIDES || rows > SIDES)
        GN_FAIL(BAD_USAGE, "a sheet of %d x %d pictures: each side takes 1 to %d", columns, rows, SIDES);
    GN_TRY(source_open(a, shard, &s));
    int64_t n = gn_shard_samples(s.shard), shown = (int64_t)columns * rows < n ? (int64_t)columns * rows : n;
    int wide = TILE * (1 + (s.depth >= 0) + (s.parts >= 0)), across = shown < columns ? (int)shown : columns;
    int down = (int)((shown + columns - 1) / columns);
    GN_TRY(gn_image_new(a, GAP + across * (wide + GAP), HEAD + down * (TILE + CAPTION + GAP), &sheet));
    fill(&sheet, 0, 0, sheet.w, sheet.h, ground);
    GN_TAKE_TEXT(title, a, "%s: %lld of %lld samples, skeleton %s", shard, (long long)shown, (long long)n, s.skeleton->name);
    gn_draw_text(&sheet, GAP, 8, 2, ink, title);
    const char *legend = "left orange, right blue, hidden hollow; inset: 3D, turned by 60 degrees";
    const int wide_legend = 6 * (int)strlen(legend), from = sheet.w - GAP - wide_legend;
    if (from > 2 * GAP + 12 * (int)strlen(title)) gn_draw_text(&sheet, from, 12, 1, ink, legend);
    for (int64_t k = 0; k < shown; k++) { /* evenly through the shard */
        int x = GAP + (int)(k % columns) * (wide + GAP), y = HEAD + (int)(k / columns) * (TILE + CAPTION + GAP);
        GN_TRY_AS(cell(a, &sheet, &s, k * n / shown, x, y), "%s: sample %lld", shard, (long long)(k * n / shown));
    }
    return gn_png_write(png, &sheet);
}
