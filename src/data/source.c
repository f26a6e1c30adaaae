/* source.c - one set: opened, and read sample by sample without taking memory. */
#include "src/data/source.h"
#include <string.h>

static int place_of(const gn_shard *s, const char *field, char kind, int element, int rank) {
    int place;
    const gn_shard_field *f = gn_shard_find(s, field, &place);
    return f && f->kind == kind && f->element == element && f->rank == rank ? place : -1;
}

static int listed(const gn_texts *names, const char *name) {
    for (int i = 0; i < names->n; i++)
        if (!strcmp(names->item[i], name)) return 1;
    return !names->n;
}

static gn_status find_picture(const gn_loader_spec *spec, const char *path, gn_source *s) {
    s->image = place_of(s->shard, "image", 'u', 1, 3);
    s->jpeg = place_of(s->shard, "jpeg", 'u', 1, 1);
    s->jpeg_bytes = place_of(s->shard, "jpeg_bytes", 'u', 4, 0);
    s->size = place_of(s->shard, "size", 'i', 4, 1);
    if (s->size >= 0 && gn_shard_field_at(s->shard, s->size)->d[0] != 2) s->size = -1;
    if (s->image >= 0) {
        const gn_shard_field *f = gn_shard_field_at(s->shard, s->image);
        s->h = (int)f->d[0], s->w = (int)f->d[1];
    } else if (s->jpeg >= 0 && s->jpeg_bytes >= 0 && s->size >= 0) {
        const int32_t *size = gn_shard_at(s->shard, s->size, 0);
        s->w = size[0], s->h = size[1];
    } else {
        s->jpeg = -1;
    }
    if (!spec->bare && s->image < 0 && s->jpeg < 0) GN_FAIL(BAD_DATA, "%s: holds no pictures, which the model reads", path);
    if (s->image < 0 && s->size < 0) GN_FAIL(BAD_DATA, "%s: holds neither 'image' nor the 'size' of what its labels are pixels of", path);
    if (s->jpeg >= 0 && (s->w < 1 || s->h < 1 || s->w > 1 << 14 || s->h > 1 << 14)) GN_FAIL(BAD_DATA, "%s: pictures of %d x %d pixels", path, s->w, s->h);
    return GN_OK;
}

/* Samples with one number, in a row, are a group; those that have fewer than are wanted together are not drawn. */
static gn_status find_groups(gn_arena *a, const gn_loader_spec *spec, const char *path, gn_source *s) {
    const int64_t n = gn_shard_samples(s->shard);
    s->units = n;
    if (spec->together < 2) return GN_OK;
    const int place = place_of(s->shard, "group", 'i', 8, 0);
    if (place < 0) GN_FAIL(BAD_DATA, "%s: holds no field 'group', and %d samples of one are wanted together", path, spec->together);
    GN_TAKE(s->unit, a, 2 * n);
    s->units = 0;
    for (int64_t i = 0, from = 0; i < n; i++) {
        const int64_t group = *(const int64_t *)gn_shard_at(s->shard, place, i);
        if (i + 1 < n && group >= 0 && *(const int64_t *)gn_shard_at(s->shard, place, i + 1) == group) continue;
        if (i + 1 - from >= spec->together) {
            s->unit[2 * s->units] = from;
            s->unit[2 * s->units++ + 1] = i + 1 - from;
        }
        from = i + 1;
    }
    if (!s->units) GN_FAIL(BAD_DATA, "%s: no group has the %d samples that are wanted together", path, spec->together);
    return GN_OK;
}

gn_status gn_source_open(gn_arena *a, const gn_loader_spec *spec, const char *name, gn_source *s) {
    s->set = gn_dataset_find(name);
    if (!s->set) GN_FAIL(BAD_CONFIG, "no data set is called '%s'", name);
    const char *path;
    GN_TAKE_TEXT(path, a, "%s/%s", spec->root, spec->train ? s->set->train : s->set->valid);
    GN_TRY_AS(gn_shard_open(a, path, &s->shard), "data set '%s'", name);
    const gn_skeleton *joints = gn_shard_skeleton(s->shard);
    if (strcmp(joints->name, s->set->skeleton->name))
        GN_FAIL(BAD_DATA, "%s: skeleton '%s', data set '%s' has '%s'", path, joints->name, name, s->set->skeleton->name);
    GN_TRY(find_picture(spec, path, s));
    for (int f = 0; f < GN_FIELD_COUNT; f++) {
        const gn_shard_field *field = gn_shard_find(s->shard, gn_field_name(f), &s->place[f]);
        if (!field) continue;
        s->holds |= UINT32_C(1) << f;
        if (f == GN_PLACE_order) s->P = (int)field->d[0];
    }
    const gn_shard_field *parts = gn_shard_find(s->shard, "parts", &s->parts);
    if (!parts || parts->d[0] != s->h || parts->d[1] != s->w) s->parts = -1;
    uint32_t missing = s->set->holds & ~s->holds;
    if (missing) GN_FAIL(BAD_DATA, "%s: lacks %s, which data set '%s' declares", path, gn_fields_text(missing), name);
    s->augment = spec->train && listed(&spec->augment.sets, name) ? &spec->augment : NULL;
    return find_groups(a, spec, path, s);
}

gn_status gn_source_join(gn_arena *a, const gn_skeleton *joints, gn_source *s) {
    const gn_skeleton *own = gn_shard_skeleton(s->shard);
    gn_joint_map *m;
    if (own == joints) return GN_OK;
    GN_TAKE(m, a, 1);
    gn_joint_map_make(own, joints, m);
    s->map = m;
    for (int j = 0; j < joints->joints; j++)
        if (m->joint[j].n) return GN_OK;
    GN_FAIL(BAD_CONFIG, "data set '%s': skeleton %s has no joint that %s has", s->set->name, own->name, joints->name);
}

gn_status gn_source_frame(const gn_source *s, int64_t sample, int *w, int *h) {
    const int32_t *size = s->w ? NULL : gn_shard_at(s->shard, s->size, sample);
    *w = size ? size[0] : s->w;
    *h = size ? size[1] : s->h;
    if (*w < 1 || *h < 1) GN_FAIL(BAD_DATA, "%s: sample %lld: of a picture of %d x %d pixels", gn_shard_path(s->shard), (long long)sample, *w, *h);
    return GN_OK;
}

gn_status gn_source_picture(const gn_source *s, int64_t sample, gn_desk *d, const uint8_t **rgb) {
    *rgb = s->image >= 0 ? gn_shard_at(s->shard, s->image, sample) : d->picture;
    if (s->image >= 0) return GN_OK;
    const uint32_t *n = gn_shard_at(s->shard, s->jpeg_bytes, sample);
    if (*n > gn_shard_bytes(s->shard, s->jpeg))
        GN_FAIL(BAD_DATA, "%s: sample %lld: a JPEG of %u bytes in %zu", gn_shard_path(s->shard), (long long)sample, *n, gn_shard_bytes(s->shard, s->jpeg));
    GN_TRY_AS(gn_decoder_run(d->decoder, gn_shard_at(s->shard, s->jpeg, sample), *n, s->w, s->h, d->picture), "%s: sample %lld",
              gn_shard_path(s->shard), (long long)sample);
    return GN_OK;
}

static void read_fields(const gn_source *s, int64_t sample, gn_label_store *y) {
#define READ(name, type, count, carry, help)                                                       \
    if (s->holds & GN_HAS_##name) {                                                                \
        int at = s->place[GN_PLACE_##name];                                                        \
        memcpy(y->name, gn_shard_at(s->shard, at, sample), gn_shard_bytes(s->shard, at));          \
    }
    GN_FIELDS(READ)
#undef READ
}

uint32_t gn_source_labels(const gn_source *s, int64_t sample, gn_desk *d, gn_label_store *y, int *P) {
    *P = s->P;
    read_fields(s, sample, s->map ? &d->raw : y);
    if (!s->map) return s->holds;
    const gn_labels raw = gn_label_store_labels(&d->raw, s->map->from, s->holds, s->P, 0);
    return gn_labels_carry(s->map, &raw, y, P);
}
