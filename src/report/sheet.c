/* sheet.c - a shard as a contact sheet: samples evenly through it, or, where it has views of one moment, a moment a row. */
#include "gnomon/report.h"
#include "tile.h"
#include <math.h>
#include <string.h>

enum { GAP = 8, LETTER = 6, LINE = 14, SIDES = 64 };
typedef struct { int64_t first; int n; } moment;
typedef struct {
    gn_tiles tiles;
    int columns, rows;               /* asked for */
    int64_t moments;                 /* 0: samples, one beside another */
    moment *moment;
    int across, down;                /* tiles, or moments' rows */
    int wide, head;                  /* pixels of a cell; of the title */
} plan;

/* Other cameras, in one group; frames of a block have the same. */
static int is_view(const gn_tiles *t, int64_t i, int64_t other) {
    const int64_t *g = gn_tiles_at(t, t->group, i), *h = gn_tiles_at(t, t->group, other);
    const int64_t *f = gn_tiles_at(t, t->frame, i), *k = gn_tiles_at(t, t->frame, other);
    return *g >= 0 && *g == *h && (!f || *f == *k) && memcmp(gn_tiles_at(t, t->pose, i), gn_tiles_at(t, t->pose, other), 48) != 0;
}

static gn_status find_moments(gn_arena *a, plan *p) {
    const gn_tiles *t = &p->tiles;
    const int64_t n = gn_shard_samples(t->shard);
    int64_t all = 0, several = 0;
    if (t->group < 0 || t->pose < 0 || t->xyz < 0) return GN_OK;
    GN_TAKE(p->moment, a, n);
    for (int64_t i = 0; i < n; i++) {
        moment *m = all ? &p->moment[all - 1] : NULL;
        if (m && is_view(t, i, m->first)) several += m->n++ == 1;
        else p->moment[all++] = (moment){ i, 1 };
    }
    if (several) p->moments = all;
    return GN_OK;
}

static int64_t shown(const plan *p) { return (int64_t)p->down * (p->moments ? 1 : p->across); }

static void lay_out(plan *p) {
    const int64_t n = gn_shard_samples(p->tiles.shard), many = (int64_t)p->columns * p->rows < n ? (int64_t)p->columns * p->rows : n;
    p->wide = GN_TILE * gn_tiles_across(&p->tiles);
    if (!p->moments) {
        p->across = many < p->columns ? (int)many : p->columns;
        p->down = (int)((many + p->columns - 1) / p->columns);
        return;
    }
    p->down = p->moments < p->rows ? (int)p->moments : p->rows;
    for (int r = 0; r < p->down; r++) {
        const int views = p->moment[r * p->moments / p->down].n;
        if (views > p->across) p->across = views < p->columns ? views : p->columns;
    }
}

/* Of a long path the end; on one line with the legend where both fit, else below it, else alone. */
static gn_status write_head(gn_arena *a, const plan *p, const char *path, gn_image *on) {
    const gn_tiles *t = &p->tiles;
    const char *what, *title, *legend = "left orange, right blue, hidden hollow; 3D in the corner, turned by 60 degrees";
    const int64_t n = gn_shard_samples(t->shard), many = p->moments ? p->down : shown(p) < n ? shown(p) : n;
    if (p->moments) GN_TAKE_TEXT(what, a, ": %lld of %lld moments, %lld samples, skeleton %s", (long long)many, (long long)p->moments, (long long)n, t->skeleton->name);
    else GN_TAKE_TEXT(what, a, ": %lld of %lld samples, skeleton %s", (long long)many, (long long)n, t->skeleton->name);
    const int room = on->w - 2 * GAP, whole = (int)(strlen(path) + strlen(what)), size = 2 * LETTER * whole <= room ? 2 : 1;
    const int over = size * LETTER * whole > room ? whole - room / LETTER + 2 : 0, skip = over > (int)strlen(path) ? (int)strlen(path) : over;
    GN_TAKE_TEXT(title, a, "%s%s%s", skip ? ".." : "", path + skip, what);
    gn_draw_text(on, GAP, 8, size, gn_tile_ink, title);
    const int wide = LETTER * (int)strlen(legend), from = on->w - GAP - wide;
    if (p->head > 2 * LINE && from >= GAP) gn_draw_text(on, GAP, 8 + 2 * LINE - 6, 1, gn_tile_ink, legend);
    else if (from > 2 * GAP + size * LETTER * (int)strlen(title)) gn_draw_text(on, from, 8 + (size - 1) * 4, 1, gn_tile_ink, legend);
    return GN_OK;
}

static gn_status draw_cell(gn_arena *scratch, const plan *p, gn_image *on, int64_t i, int column, int row) {
    gn_arena_rewind(scratch);
    const int x = GAP + column * (p->wide + GAP), y = p->head + row * (GN_TILE + GN_TILE_CAPTION + GAP);
    GN_TRY_AS(gn_tile_draw(scratch, on, &p->tiles, i, x, y), "%s: sample %lld", gn_shard_path(p->tiles.shard), (long long)i);
    return GN_OK;
}

static gn_status draw_all(gn_arena *scratch, const plan *p, gn_image *on) {
    const int64_t n = gn_shard_samples(p->tiles.shard), many = shown(p) < n ? shown(p) : n;
    for (int64_t k = 0; k < many && !p->moments; k++) /* evenly through the shard */
        GN_TRY(draw_cell(scratch, p, on, k * n / many, (int)(k % p->across), (int)(k / p->across)));
    for (int r = 0; r < p->down && p->moments; r++) {
        const moment *m = &p->moment[r * p->moments / p->down];
        const int views = m->n < p->across ? m->n : p->across;
        for (int v = 0; v < views; v++) GN_TRY(draw_cell(scratch, p, on, m->first + (int64_t)v * m->n / views, v, r));
        gn_tile_world(on, &p->tiles, m->first, m->n, GAP + views * (p->wide + GAP), p->head + r * (GN_TILE + GN_TILE_CAPTION + GAP));
    }
    return GN_OK;
}

gn_status gn_sheet(const char *shard, int columns, int rows, const char *png, gn_arena *a) {
    plan p = { .columns = columns, .rows = rows, .head = 2 * LINE };
    gn_image sheet;
    if (columns < 1 || rows < 1 || columns > SIDES || rows > SIDES)
        GN_FAIL(BAD_USAGE, "a sheet of %d x %d pictures: each side takes 1 to %d", columns, rows, SIDES);
    GN_TRY(gn_tiles_open(a, shard, &p.tiles));
    GN_TRY(find_moments(a, &p));
    lay_out(&p);
    const int wide = GAP + p.across * (p.wide + GAP) + (p.moments ? GN_TILE + GAP : 0);
    if (wide < 1200) p.head = 3 * LINE;
    GN_TRY(gn_image_new(a, wide, p.head + p.down * (GN_TILE + GN_TILE_CAPTION + GAP), &sheet));
    for (int i = 0; i < sheet.w * sheet.h; i++) memcpy(sheet.rgb + 3 * (size_t)i, &gn_tile_ground, 3);
    GN_TRY(write_head(a, &p, shard, &sheet));
    gn_arena *scratch = gn_arena_new("a tile");
    if (!scratch) GN_FAIL(NO_MEMORY, "out of memory: a sheet");
    const gn_status status = draw_all(scratch, &p, &sheet);
    gn_arena_free(scratch);
    if (status) return gn_pass(status, __FILE__, __LINE__);
    return gn_png_write(png, &sheet);
}
