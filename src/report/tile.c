/* tile.c - a sample as a tile: its picture, or its depth, or the empty frame; its joints; its 3D in a corner. */
#include "tile.h"
#include <math.h>
#include <string.h>

enum { INSET = GN_TILE / 3, LETTER = 6, TAKE = 64 };
const gn_colour gn_tile_ground = { 24, 27, 33 }, gn_tile_ink = { 208, 213, 221 };
static const gn_colour frame_ground = { 40, 45, 54 }, frame_edge = { 98, 107, 122 };
static const double window = 2;/* persons' sizes that are seen of an empty frame, at most */

static int find(const gn_shard *s, const char *name, int element, int rank) {
    int place;
    const gn_shard_field *f = gn_shard_find(s, name, &place);
    return f && f->element == element && f->rank == rank ? place : -1;
}

static int64_t extent(const gn_tiles *t, int field, int k) { return gn_shard_field_at(t->shard, field)->d[k]; }

gn_status gn_tiles_open(gn_arena *a, const char *path, gn_tiles *t) {
    GN_TRY(gn_shard_open(a, path, &t->shard));
    const gn_shard *d = t->shard;
    t->skeleton = gn_shard_skeleton(d);
    t->image = find(d, "image", 1, 3), t->jpeg = find(d, "jpeg", 1, 1), t->jpeg_bytes = find(d, "jpeg_bytes", 4, 0);
    t->size = find(d, "size", 4, 1), t->depth = find(d, "depth_map", 2, 2), t->parts = find(d, "parts", 1, 2);
    t->uv = find(d, "joints2d", 4, 2), t->seen = find(d, "labelled2d", 1, 1), t->hidden = find(d, "occluded2d", 1, 1);
    t->xyz = find(d, "joints3d", 4, 2), t->seen3d = find(d, "labelled3d", 1, 1), t->pose = find(d, "pose_of_view", 4, 2);
    t->take = find(d, "take", 1, 1), t->frame = find(d, "frame", 8, 0), t->group = find(d, "group", 8, 0);
    if (t->jpeg_bytes < 0) t->jpeg = -1;
    if (t->size >= 0 && gn_shard_bytes(d, t->size) != 8) t->size = -1;
    if (t->take >= 0 && extent(t, t->take, 0) != TAKE) t->take = -1;
    if (t->image < 0) t->parts = -1;
    if (t->image < 0 && t->jpeg < 0 && t->depth < 0 && t->size < 0)
        GN_FAIL(BAD_DATA, "%s: no field 'image', 'jpeg' or 'depth_map', and no 'size' of what its labels are pixels of", path);
    return GN_OK;
}

static int pictured(const gn_tiles *t) { return t->image >= 0 || t->jpeg >= 0; }
int gn_tiles_across(const gn_tiles *t) { return 1 + (pictured(t) && t->depth >= 0) + (t->parts >= 0); }
const void *gn_tiles_at(const gn_tiles *t, int field, int64_t i) { return field < 0 ? NULL : gn_shard_at(t->shard, field, i); }

static void fill(gn_image *on, int x0, int y0, int w, int h, gn_colour c) {
    for (int y = y0 < 0 ? 0 : y0; y < y0 + h && y < on->h; y++)
        for (int x = x0 < 0 ? 0 : x0; x < x0 + w && x < on->w; x++) memcpy(on->rgb + 3 * ((size_t)y * (size_t)on->w + (size_t)x), &c, 3);
}

/* --- what is behind the joints --- */

/* Blown up or shrunk to a tile; the place takes stored pixels to the tile's. */
static gn_status put(gn_arena *a, gn_image *on, const gn_image *what, int x, int y, gn_place *place) {
    gn_image to;
    double scale = (double)GN_TILE / (what->w > what->h ? what->w : what->h);
    const double A[6] = { 1 / scale, 0, 0.5 / scale - 0.5, 0, 1 / scale, 0.5 / scale - 0.5 };
    GN_TRY(gn_image_new(a, GN_TILE, GN_TILE, &to));
    gn_image_warp(what, A, gn_tile_ground, &to);
    gn_draw_image(on, x, y, &to);
    *place = (gn_place){ scale, 0.5 * scale - 0.5, 0.5 * scale - 0.5 };
    return GN_OK;
}

/* Near is bright, unknown is dark. */
static gn_status depth_of(gn_arena *a, const gn_tiles *t, int64_t i, gn_image *grey) {
    const uint16_t *mm = gn_tiles_at(t, t->depth, i);
    int least = 65535, most = 0;
    GN_TRY(gn_image_new(a, (int)extent(t, t->depth, 1), (int)extent(t, t->depth, 0), grey));
    const int n = grey->w * grey->h;
    for (int p = 0; p < n; p++)
        if (mm[p]) least = mm[p] < least ? mm[p] : least, most = mm[p] > most ? mm[p] : most;
    for (int p = 0; p < n; p++) {
        const int v = mm[p] && most > least ? 255 - 215 * (mm[p] - least) / (most - least) : 20;
        memset(grey->rgb + 3 * p, v, 3);
    }
    return GN_OK;
}

static gn_status parts_of(gn_arena *a, const gn_tiles *t, int64_t i, gn_image *flat) {
    const uint8_t *part = gn_tiles_at(t, t->parts, i);
    GN_TRY(gn_image_new(a, (int)extent(t, t->parts, 1), (int)extent(t, t->parts, 0), flat));
    for (int p = 0; p < flat->w * flat->h; p++)
        for (int k = 0; k < 3; k++) /* hues a golden turn apart, so that neighbours differ */
            flat->rgb[3 * p + k] = part[p] ? (uint8_t)(140 + 110 * cos(2 * GN_PI * (part[p] * 0.618034 + k / 3.0))) : 20;
    return GN_OK;
}

static gn_status picture_of(gn_arena *a, const gn_tiles *t, int64_t i, gn_image *p) {
    if (t->image >= 0) {
        *p = (gn_image){ (int)extent(t, t->image, 1), (int)extent(t, t->image, 0), (uint8_t *)(uintptr_t)gn_tiles_at(t, t->image, i) }; /* read alone */
        return GN_OK;
    }
    if (t->jpeg < 0) return depth_of(a, t, i, p);
    const uint32_t n = *(const uint32_t *)gn_tiles_at(t, t->jpeg_bytes, i);
    if (n > gn_shard_bytes(t->shard, t->jpeg)) GN_FAIL(BAD_DATA, "a JPEG of %u bytes in %zu", n, gn_shard_bytes(t->shard, t->jpeg));
    return gn_jpeg_decode(a, gn_tiles_at(t, t->jpeg, i), n, p);
}

/* Of the labelled joints: least x, y, most x, y. 0: there are none. */
static int bounds(const gn_tiles *t, int64_t i, double b[4]) {
    const float *uv = gn_tiles_at(t, t->uv, i);
    const uint8_t *seen = gn_tiles_at(t, t->seen, i);
    b[0] = b[1] = INFINITY, b[2] = b[3] = -INFINITY;
    for (int j = 0; uv && j < t->skeleton->joints; j++)
        for (int k = 0; k < 2 && (!seen || seen[j]); k++) b[k] = fmin(b[k], (double)uv[2 * j + k]), b[2 + k] = fmax(b[2 + k], (double)uv[2 * j + k]);
    return b[2] >= b[0] && isfinite(b[0] + b[1] + b[2] + b[3]);
}

/* A frame without a picture. Where a person is small in it, a window of it. */
static void empty_frame(gn_image *on, const gn_tiles *t, int64_t i, int x, int y, gn_place *place) {
    const int32_t *size = gn_tiles_at(t, t->size, i);
    double b[4], side = size[0] > size[1] ? size[0] : size[1], from[2] = { (size[0] - side) / 2, (size[1] - side) / 2 };
    if (bounds(t, i, b)) {
        const double person = fmax(b[2] - b[0], b[3] - b[1]), wanted = fmin(side, window * fmax(person, 8));
        for (int k = 0; k < 2; k++) { /* about the person, within the frame as far as it goes */
            const double middle = (b[k] + b[2 + k]) / 2 - wanted / 2, most = from[k] + side - wanted;
            from[k] = fmin(fmax(middle, from[k]), most);
            if (b[k] < from[k] || b[2 + k] > from[k] + wanted) from[k] = middle; /* beyond the frame's edge */
        }
        side = fmax(wanted, 1.05 * person);
    }
    const double scale = GN_TILE / side;
    *place = (gn_place){ scale, (0.5 - from[0]) * scale - 0.5, (0.5 - from[1]) * scale - 0.5 };
    int edge[4];
    for (int k = 0; k < 2; k++) {
        edge[k] = (int)fmax(0, rint(-from[k] * scale));
        edge[2 + k] = (int)fmin(GN_TILE, rint((size[k] - from[k]) * scale));
    }
    fill(on, x + edge[0], y + edge[1], edge[2] - edge[0], edge[3] - edge[1], frame_edge);
    for (int k = 0; k < 2; k++) { /* an edge is drawn where the frame ends, not where the window does */
        edge[k] += from[k] <= 0;
        edge[2 + k] -= from[k] + side >= size[k];
    }
    fill(on, x + edge[0], y + edge[1], edge[2] - edge[0], edge[3] - edge[1], frame_ground);
}

/* --- poses --- */

/* The corner of the tile, 0 to 3, that hides the fewest joints. */
static int free_corner(const gn_skeleton *s, const double (*uv)[2], const uint8_t *seen, int joints) {
    int best = 3, least = GN_JOINTS + 1;
    for (int corner = 3; corner >= 0; corner--) {
        int hidden = 0;
        for (int j = 0; joints && j < s->joints; j++)
            hidden += (!seen || seen[j]) && (corner & 1 ? uv[j][0] > GN_TILE - INSET - 4 : uv[j][0] < INSET + 4) &&
                      (corner & 2 ? uv[j][1] > GN_TILE - INSET - 4 : uv[j][1] < INSET + 4);
        if (hidden < least) least = hidden, best = corner;
    }
    return best;
}

static double reach_of(const gn_skeleton *s, const double (*about)[3], const uint8_t *seen) {
    double reach = 0;
    for (int j = 0; j < s->joints; j++) /* however it is turned */
        if (!seen || seen[j]) reach = fmax(reach, 1.1 * fmax(hypot(about[j][0], about[j][2]), fabs(about[j][1])));
    return isfinite(reach) ? fmax(reach, 0.05) : 1;
}

/* Where there is no 2D the whole tile is the 3D from ahead; the corner shows it turned. */
static void draw_3d(gn_image *on, const gn_tiles *t, int64_t i, int x, int y, const double (*uv)[2]) {
    const float *xyz = gn_tiles_at(t, t->xyz, i);
    const uint8_t *seen = gn_tiles_at(t, t->seen3d, i);
    double about[GN_JOINTS][3], flat[GN_JOINTS][2];
    if (!xyz || !gn_pose_about_root(t->skeleton, xyz, seen, about)) return;
    const double reach = reach_of(t->skeleton, (const double (*)[3])about, seen);
    if (!uv) {
        fill(on, x, y, GN_TILE, GN_TILE, frame_ground);
        gn_draw_pose3d(on, t->skeleton, (const double (*)[3])about, seen, x, y, GN_TILE, reach, 0);
        for (int j = 0; j < t->skeleton->joints; j++)
            for (int k = 0; k < 2; k++) flat[j][k] = GN_TILE / 2.0 * (1 + about[j][k] / reach);
    }
    const int corner = free_corner(t->skeleton, uv ? uv : (const double (*)[2])flat, uv ? gn_tiles_at(t, t->seen, i) : seen, 1);
    x += corner & 1 ? GN_TILE - INSET : 0, y += corner & 2 ? GN_TILE - INSET : 0;
    fill(on, x, y, INSET, INSET, gn_tile_ground);
    gn_draw_pose3d(on, t->skeleton, (const double (*)[3])about, seen, x, y, INSET, reach, 60);
}

/* A pose cut off at the tile's edge: joints may lie outside, on the neighbour. */
static gn_status draw_2d(gn_arena *a, gn_image *on, const gn_tiles *t, int64_t i, int x, int y, gn_place place, double (*uv)[2]) {
    const float *points = gn_tiles_at(t, t->uv, i);
    gn_image tile;
    GN_TRY(gn_image_new(a, GN_TILE, GN_TILE, &tile));
    for (int row = 0; row < GN_TILE; row++)
        memcpy(tile.rgb + 3 * row * GN_TILE, on->rgb + 3 * ((size_t)(y + row) * (size_t)on->w + (size_t)x), 3 * GN_TILE);
    for (int j = 0; j < t->skeleton->joints; j++) {
        uv[j][0] = (double)points[2 * j] * place.scale + place.x;
        uv[j][1] = (double)points[2 * j + 1] * place.scale + place.y;
    }
    gn_draw_pose2d(&tile, t->skeleton, (const double (*)[2])uv, gn_tiles_at(t, t->seen, i), gn_tiles_at(t, t->hidden, i), (gn_place){ 1, 0, 0 }, 1.6);
    gn_draw_image(on, x, y, &tile);
    return GN_OK;
}

/* "12  S9 Directions 54138969  frame 7"; of a long take the end, which tells more. */
static void caption(gn_image *on, const gn_tiles *t, int64_t i, int x, int y, int wide) {
    char number[24], frame[32] = "", take[TAKE + 1] = "", text[160];
    const int64_t *f = gn_tiles_at(t, t->frame, i);
    const int room = wide / LETTER;
    snprintf(number, sizeof number, "%lld", (long long)i);
    if (f) snprintf(frame, sizeof frame, "  frame %lld", (long long)*f);
    if (t->take >= 0) memcpy(take, gn_tiles_at(t, t->take, i), TAKE);
    const int left = room - (int)(strlen(number) + strlen(frame)) - 4, n = (int)strlen(take), cut = n > left && left > 0 ? n - left + 2 : 0;
    snprintf(text, sizeof text, "%s%s%s%s%s", number, *take ? "  " : "", cut ? ".." : "", take + (cut < n ? cut : n), frame);
    gn_draw_text(on, x + 2, y, 1, gn_tile_ink, text);
}

gn_status gn_tile_draw(gn_arena *a, gn_image *on, const gn_tiles *t, int64_t i, int x, int y) {
    gn_image what;
    gn_place place, ignore;
    double uv[GN_JOINTS][2], b[4];
    GN_TRY(gn_shard_check(t->shard, i));
    if (pictured(t) || t->depth >= 0) {
        GN_TRY(picture_of(a, t, i, &what));
        GN_TRY(put(a, on, &what, x, y, &place));
    } else {
        empty_frame(on, t, i, x, y, &place);
    }
    const int flat = bounds(t, i, b);
    if (flat) GN_TRY(draw_2d(a, on, t, i, x, y, place, uv));
    if (flat || !pictured(t)) draw_3d(on, t, i, x, y, flat ? (const double (*)[2])uv : NULL);
    int next = x + GN_TILE;
    if (pictured(t) && t->depth >= 0) {
        GN_TRY(depth_of(a, t, i, &what));
        GN_TRY(put(a, on, &what, next, y, &ignore));
        next += GN_TILE;
    }
    if (t->parts >= 0) {
        GN_TRY(parts_of(a, t, i, &what));
        GN_TRY(put(a, on, &what, next, y, &ignore));
    }
    caption(on, t, i, x, y + GN_TILE + 4, GN_TILE * gn_tiles_across(t));
    return GN_OK;
}

/* --- views of one moment --- */

static void unit(double v[3]) {
    const double n = sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
    for (int k = 0; k < 3; k++) v[k] /= n > 1e-9 ? n : 1;
}

/* Down is what the cameras call so together; right is the first one's. */
static void axes(const gn_tiles *t, int64_t first, int n, double to[3][3]) {
    memset(to, 0, 9 * sizeof(double));
    for (int v = 0; v < n; v++) {
        const float *r = gn_tiles_at(t, t->pose, first + v);
        for (int k = 0; k < 3; k++) to[1][k] += (double)r[4 + k], to[0][k] = v ? to[0][k] : (double)r[k];
    }
    unit(to[1]);
    const double along = to[0][0] * to[1][0] + to[0][1] * to[1][1] + to[0][2] * to[1][2];
    for (int k = 0; k < 3; k++) to[0][k] -= along * to[1][k];
    unit(to[0]);
    for (int k = 0; k < 3; k++) to[2][k] = to[0][(k + 1) % 3] * to[1][(k + 2) % 3] - to[0][(k + 2) % 3] * to[1][(k + 1) % 3];
}

void gn_tile_world(gn_image *on, const gn_tiles *t, int64_t first, int n, int x, int y) {
    float xyz[3 * GN_JOINTS] = { 0 };
    uint8_t known[GN_JOINTS] = { 0 };
    double to[3][3], about[GN_JOINTS][3];
    axes(t, first, n, to);
    for (int v = n - 1; v >= 0; v--) { /* a joint is where the first view that has it says */
        const float *r = gn_tiles_at(t, t->pose, first + v), *at = gn_tiles_at(t, t->xyz, first + v);
        const uint8_t *seen = gn_tiles_at(t, t->seen3d, first + v);
        for (int j = 0; j < t->skeleton->joints; j++) {
            double world[3] = { 0 };
            if (seen && !seen[j]) continue;
            for (int k = 0; k < 3; k++)
                for (int m = 0; m < 3; m++) world[k] += (double)r[4 * m + k] * ((double)at[3 * j + m] - (double)r[4 * m + 3]);
            for (int k = 0; k < 3; k++) xyz[3 * j + k] = (float)(to[k][0] * world[0] + to[k][1] * world[1] + to[k][2] * world[2]);
            known[j] = 1;
        }
    }
    fill(on, x, y, GN_TILE, GN_TILE, frame_ground);
    if (gn_pose_about_root(t->skeleton, xyz, known, about))
        gn_draw_pose3d(on, t->skeleton, (const double (*)[3])about, known, x, y, GN_TILE, reach_of(t->skeleton, (const double (*)[3])about, known), 30);
    gn_draw_text(on, x + 2, y + GN_TILE + 4, 1, gn_tile_ink, "in the world, turned by 30 degrees");
}
