/* verify.c - is a shard sound? Every hash, then whether its samples can be what they say. */
#include "src/data/verify.h"
#include "gnomon/config.h"
#include <stdarg.h>
#include <string.h>

enum { SHOWN = 5 }; /* samples named a fault */
static const struct { int bad; const char *name; } faults[] = {
#define ROW(name, bad, text) { bad, text },
    GN_FAULTS(ROW)
#undef ROW
};

const void *gn_check_at(const gn_check *c, int place, int64_t sample) { return place < 0 ? NULL : gn_shard_at(c->shard, place, sample); }

void gn_check_size(const gn_check *c, int64_t sample, int *w, int *h) {
    const int32_t *size = c->w ? NULL : gn_check_at(c, c->size, sample);
    *w = size ? size[0] : c->w;
    *h = size ? size[1] : c->h;
}

/* " (S9 Directions 54138969, frame 12)", as far as it is known; foreign text, so shown as such. */
static void say_where(const gn_check *c, int64_t sample) {
    char take[65] = "";
    const char *text = gn_check_at(c, c->take, sample);
    const int64_t *frame = gn_check_at(c, c->frame, sample);
    if (text) memcpy(take, text, sizeof take - 1);
    fprintf(c->to, " sample %lld", (long long)sample);
    if (take[0]) fprintf(c->to, " (%s", gn_shown(take));
    if (frame) fprintf(c->to, "%sframe %lld", take[0] ? ", " : " (", (long long)*frame);
    if (take[0] || frame) fputc(')', c->to);
}

void gn_check_found(gn_check *c, int fault, int64_t sample, const char *field, const char *fmt, ...) {
    va_list args;
    if (c->count[fault]++ >= SHOWN) return;
    fprintf(c->to, "%s: %s", c->path, field);
    say_where(c, sample);
    fprintf(c->to, ": %s%s", faults[fault].bad ? "" : "warning: ", faults[fault].name);
    if (fmt) {
        fputs(": ", c->to);
        va_start(args, fmt);
        vfprintf(c->to, fmt, args);
        va_end(args);
    }
    fputc('\n', c->to);
}

static int place_of(const gn_shard *s, const char *field, char kind, int element, int64_t elements) {
    int place;
    const gn_shard_field *f = gn_shard_find(s, field, &place);
    return f && f->kind == kind && f->element == element && (!elements || gn_shard_bytes(s, place) == (size_t)(element * elements)) ? place : -1;
}

static gn_status open_check(gn_check *c, gn_arena *a) {
    GN_TRY(gn_shard_open(a, c->path, &c->shard));
    const gn_shard *s = c->shard;
    c->n = gn_shard_samples(s);
    c->skeleton = gn_shard_skeleton(s);
    for (int f = 0; f < GN_FIELD_COUNT; f++) {
        c->place[f] = -1;
        gn_shard_find(s, gn_field_name(f), &c->place[f]);
    }
    c->image = place_of(s, "image", 'u', 1, 0);
    c->jpeg = place_of(s, "jpeg", 'u', 1, 0);
    c->jpeg_bytes = place_of(s, "jpeg_bytes", 'u', 4, 1);
    c->depth_map = place_of(s, "depth_map", 'u', 2, 0);
    if (c->depth_map >= 0 && gn_shard_field_at(s, c->depth_map)->rank != 2) c->depth_map = -1;
    c->size = place_of(s, "size", 'i', 4, 2);
    c->take = place_of(s, "take", 'u', 1, 64);
    c->frame = place_of(s, "frame", 'i', 8, 1);
    c->group = place_of(s, "group", 'i', 8, 1);
    if (c->jpeg >= 0 && (c->jpeg_bytes < 0 || c->size < 0)) GN_FAIL(BAD_DATA, "%s: 'jpeg' without 'jpeg_bytes' and 'size'", c->path);
    if (c->jpeg >= 0) GN_TRY(gn_decoder_open(a, &c->decoder));
    const int whole = c->image >= 0 ? c->image : c->size < 0 ? c->depth_map : -1;
    if (whole < 0 && c->size < 0) GN_FAIL(BAD_DATA, "%s: holds no picture, no depth map and no 'size' of what its labels are pixels of", c->path);
    if (whole >= 0) c->h = (int)gn_shard_field_at(s, whole)->d[0], c->w = (int)gn_shard_field_at(s, whole)->d[1];
    return GN_OK;
}

static gn_status verify_shard(FILE *to, const char *path, gn_arena *a) {
    gn_check *c;
    GN_TAKE(c, a, 1);
    c->to = to;
    c->path = path;
    GN_TRY(open_check(c, a));
    for (int64_t i = 0; i < c->n; i++) GN_TRY(gn_check_sample(c, a, i));
    GN_TRY(gn_check_bones(c, a));
    GN_TRY(gn_check_set(c, a));
    int64_t bad = 0;
    const char *lead = ":";
    fprintf(to, "%s: %lld samples, %d fields, hash %016llx", path, (long long)c->n, gn_shard_fields(c->shard), (unsigned long long)gn_shard_hash(c->shard));
    for (int f = 0; f < GN_FAULT_COUNT; f++) bad += faults[f].bad * c->count[f];
    if (!bad) fprintf(to, ": sound"), lead = ", but";
    for (int f = 0; f < GN_FAULT_COUNT; f++) {
        if (c->count[f]) fprintf(to, "%s %s %lld", lead, faults[f].name, (long long)c->count[f]), lead = ",";
    }
    fputc('\n', to);
    gn_trail_clear();
    if (bad) GN_FAIL(BAD_DATA, "%s: %lld faults in %lld samples", path, (long long)bad, (long long)c->n);
    return GN_OK;
}

gn_status gn_data_verify(FILE *to, const char *root, const char *what, gn_arena *a) {
    const gn_dataset *set = gn_dataset_find(what);
    if (!set) return verify_shard(to, what, a);
    const char *part[2] = { set->train, set->valid }, *path;
    gn_status status = GN_OK;
    gn_trail trail = { 0 };
    for (int k = 0; k < 2; k++) { /* both are looked at, whatever the first is like */
        GN_TAKE_TEXT(path, a, "%s/%s", root, part[k]);
        gn_status one = verify_shard(to, path, a);
        if (one && !status) {
            status = one;
            gn_trail_keep(&trail);
        }
    }
    if (!status) return GN_OK;
    gn_trail_restore(&trail);
    return gn_pass(status, __FILE__, __LINE__);
}
