/* records.c - metrics.jsonl as series. A last line that was cut short by a crash is left out. */
#include "records.h"
#include "gnomon/io.h"
#include "gnomon/json.h"
#include <math.h>
#include <string.h>

const gn_series *gn_records_find(const gn_records *r, const char *name) {
    for (int i = 0; i < r->n; i++)
        if (!strcmp(r->series[i].name, name)) return &r->series[i];
    return NULL;
}

/* Room is the next power of two at or above n. */
static gn_status push(gn_arena *a, gn_series *s, double x, double y) {
    if (!(s->n & (s->n - 1))) {
        double *xs, *ys;
        int room = s->n ? 2 * s->n : 1;
        GN_TAKE(xs, a, room);
        GN_TAKE(ys, a, room);
        if (s->n) memcpy(xs, s->x, sizeof *xs * (size_t)s->n), memcpy(ys, s->y, sizeof *ys * (size_t)s->n);
        s->x = xs, s->y = ys;
    }
    s->x[s->n] = x, s->y[s->n++] = y;
    return GN_OK;
}

static gn_status series_of(gn_arena *a, gn_records *r, const char *name, gn_series **s) {
    for (int i = 0; i < r->n; i++)
        if (!strcmp(r->series[i].name, name)) {
            *s = &r->series[i];
            return GN_OK;
        }
    if (r->n == r->room) {
        gn_series *more;
        r->room = r->room ? 2 * r->room : 32;
        GN_TAKE(more, a, r->room);
        if (r->n) memcpy(more, r->series, sizeof *more * (size_t)r->n);
        r->series = more;
    }
    *s = &r->series[r->n++];
    GN_TAKE_TEXT((*s)->name, a, "%s", name);
    return GN_OK;
}

static gn_status numbers(gn_arena *a, gn_records *r, const gn_json *map, const char *before, double step) {
    for (int i = 0; i < map->n; i++) {
        const gn_json *v = &map->item[i];
        const char *name;
        if (!*before && !strcmp(map->key[i], "step")) continue;
        GN_TAKE_TEXT(name, a, "%s%s", before, map->key[i]);
        double value = v->kind == GN_JSON_NUMBER ? v->number : gn_json_number(gn_json_find(v, "value"), (double)NAN);
        if (v->kind == GN_JSON_NUMBER || isfinite(value)) {
            gn_series *s = NULL;
            GN_TRY(series_of(a, r, name, &s));
            GN_TRY(push(a, s, step, value));
        } else if (v->kind == GN_JSON_MAP) {
            GN_TAKE_TEXT(name, a, "%s.", name);
            GN_TRY(numbers(a, r, v, name, step));
        }
    }
    return GN_OK;
}

static gn_status record(gn_arena *a, gn_records *r, const gn_json *j) {
    double step = gn_json_number(gn_json_find(j, "step"), (double)NAN);
    if (!isfinite(step)) return GN_OK;
    const char *stage = gn_json_text(gn_json_find(j, "stage"), NULL), *set = gn_json_text(gn_json_find(j, "set"), NULL);
    int spans = (int)(sizeof r->span / sizeof *r->span);
    if (stage && r->n_span < spans && (!r->n_span || strcmp(r->span[r->n_span - 1].name, stage)))
        r->span[r->n_span++] = (gn_span){ stage, step };
    const char *before = "";
    const gn_json *scores = gn_json_find(j, "scores");
    if (set) GN_TAKE_TEXT(before, a, "%s/", set);
    return numbers(a, r, scores ? scores : j, before, step);
}

gn_status gn_records_read(gn_arena *a, const char *path, gn_records *r) {
    void *bytes;
    size_t n;
    *r = (gn_records){ 0 };
    GN_TRY(gn_io_read(a, path, (size_t)1 << 30, &bytes, &n));
    const char *at = bytes, *end = at + n;
    for (int line = 1; at < end; line++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at)), *what;
        const gn_json *j;
        if (!stop) break;
        if (stop > at) {
            GN_TAKE_TEXT(what, a, "%s (record %d)", path, line);
            GN_TRY(gn_json_parse(a, what, at, (size_t)(stop - at), &j));
            GN_TRY(record(a, r, j));
        }
        at = stop + 1;
    }
    return GN_OK;
}
