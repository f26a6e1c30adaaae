/* shards.c - from the spool to train.h5 and valid.h5: pictures decoded and cropped by all cores, labels carried along. */
#include "src/import/sink.h"
#include "gnomon/io.h"
#include "gnomon/log.h"
#include "gnomon/pool.h"
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { NAME = 64, QUALITY = 95, PADDED = 16 /* pixels that video encoders add or cut */ };
enum { IMAGE, JPEG, JPEG_BYTES, DEPTH_MAP, TAKE, FRAME, GROUP, SIZE, OWN }; /* fields that are no labels */

typedef struct {
    gn_sink *sink;
    const gn_spooled *record;          /* of both splits, as they were put */
    const unsigned char *depth;
    int64_t records, *mine;            /* [n] records of this split */
    int64_t n;
    const char *path;
    int cropped;                       /* 1: labels are pixels of a crop; 0: of the whole picture, which is not there */
    int own[OWN], label[GN_FIELD_COUNT], fields; /* place in the shard, -1: has none */
    gn_shard_field field[GN_FIELD_COUNT + OWN];
    gn_shard_writer *writer;
    gn_pool *pool;
    gn_spool jpeg;
    int64_t *jpeg_at, *jpeg_bytes, longest;
    atomic_llong next, jpeg_end;
} split;

static int field(split *t, gn_shard_field f) {
    t->field[t->fields] = f;
    return t->fields++;
}

static void lay_own(split *t) {
    const gn_sink *s = t->sink;
    const int64_t size = s->from->size;
    t->cropped = s->pictured || s->ranged;
    for (int k = 0; k < OWN; k++) t->own[k] = -1;
    if (s->pictured && s->from->keep == GN_KEEP_RAW) t->own[IMAGE] = field(t, (gn_shard_field){ "image", 1, 'u', 3, { size, size, 3 }, "sRGB", "crop" });
    if (s->pictured && s->from->keep == GN_KEEP_JPEG) {
        t->own[JPEG] = field(t, (gn_shard_field){ "jpeg", 1, 'u', 1, { t->longest }, "JPEG", "crop" });
        t->own[JPEG_BYTES] = field(t, (gn_shard_field){ "jpeg_bytes", 4, 'u', 0, { 0 }, "bytes", "" });
    }
    if (s->ranged) t->own[DEPTH_MAP] = field(t, (gn_shard_field){ "depth_map", 2, 'u', 2, { size, size }, "mm", "crop" });
    if (t->own[IMAGE] < 0) t->own[SIZE] = field(t, (gn_shard_field){ "size", 4, 'i', 1, { 2 }, "pixels", "width, height of what labels are pixels of" });
    t->own[TAKE] = field(t, (gn_shard_field){ "take", 1, 'u', 1, { NAME }, "text", "" });
    t->own[FRAME] = field(t, (gn_shard_field){ "frame", 8, 'i', 0, { 0 }, "", "in the take" });
    t->own[GROUP] = field(t, (gn_shard_field){ "group", 8, 'i', 0, { 0 }, "", "equal and in a row: one moment or block; -1: alone" });
}

static void lay_labels(split *t) {
    const gn_skeleton *k = t->sink->importer->skeleton;
    const int64_t J = k->joints;
    const gn_shard_field known[] = {
        [GN_PLACE_joints2d] = { "joints2d", 4, 'f', 2, { J, 2 }, "pixels", "crop" },
        [GN_PLACE_labelled2d] = { "labelled2d", 1, 'u', 1, { J }, "", "" },
        [GN_PLACE_occluded2d] = { "occluded2d", 1, 'u', 1, { J }, "", "" },
        [GN_PLACE_confidence2d] = { "confidence2d", 4, 'f', 1, { J }, "", "" },
        [GN_PLACE_joints3d] = { "joints3d", 4, 'f', 2, { J, 3 }, "metres", "camera" },
        [GN_PLACE_labelled3d] = { "labelled3d", 1, 'u', 1, { J }, "", "" },
        [GN_PLACE_camera] = { "camera", 4, 'f', 1, { 4 }, "pixels", "crop" },
        [GN_PLACE_pose_of_view] = { "pose_of_view", 4, 'f', 2, { 3, 4 }, "metres", "world to camera" },
        [GN_PLACE_head_size] = { "head_size", 4, 'f', 1, { 1 }, "pixels", "crop" },
    };
    const uint32_t joints = GN_HAS_joints2d | GN_HAS_labelled2d | GN_HAS_occluded2d | GN_HAS_confidence2d | GN_HAS_joints3d | GN_HAS_labelled3d;
    const uint32_t has = (t->sink->any & joints) | t->sink->all; /* a missing joint is not labelled; a missing camera would be a wrong one */
    for (int f = 0; f < GN_FIELD_COUNT; f++) {
        t->label[f] = -1;
        if (f < (int)(sizeof known / sizeof *known) && known[f].name && has >> f & 1) t->label[f] = field(t, known[f]);
    }
}

/* --- one sample --- */

typedef struct { gn_arena *arena, *bytes; char path[512]; gn_image picture, crop; } desk; /* a worker's */

static gn_status crop(const split *t, desk *d, const gn_import_sample *x) {
    const int size = t->sink->from->size;
    if (strcmp(d->path, x->picture)) { /* persons of one picture follow each other */
        gn_arena_rewind(d->arena);
        d->path[0] = 0;
        GN_TRY(gn_image_new(d->arena, size, size, &d->crop));
        GN_TRY(gn_image_read(d->arena, x->picture, &d->picture));
        if (x->w > 0 && x->h > 0 && (abs(x->w - d->picture.w) > PADDED || abs(x->h - d->picture.h) > PADDED)) /* a copy made smaller */
            GN_FAIL(BAD_DATA, "%s: %d x %d pixels, its labels are of %d x %d", x->picture, d->picture.w, d->picture.h, x->w, x->h);
        strcpy(d->path, x->picture);
    }
    gn_crop_picture(&d->picture, x->has & GN_HAS_camera ? &x->lens : NULL, x->square, size, d->crop.rgb);
    return GN_OK;
}

static gn_status encode(split *t, desk *d, int64_t i) {
    void *bytes;
    size_t n;
    gn_arena_rewind(d->bytes);
    GN_TRY(gn_jpeg_encode(d->bytes, &d->crop, QUALITY, &bytes, &n));
    const int64_t at = atomic_fetch_add(&t->jpeg_end, (int64_t)n);
    GN_TRY(gn_spool_put(&t->jpeg, t->sink->from->out, bytes, n, at));
    t->jpeg_at[i] = at;
    t->jpeg_bytes[i] = (int64_t)n;
    return GN_OK;
}

/* Labels of the straightened picture as those of the crop, in the shard's types. */
static gn_status put_labels(const split *t, int64_t i, const gn_import_sample *x) {
    const int J = t->sink->importer->skeleton->joints, size = t->sink->from->size, cropped = t->cropped;
    float uv[2 * GN_JOINTS], sure[GN_JOINTS], xyz[3 * GN_JOINTS], camera[4], pose[12], head = (float)x->head_size;
    const double zoom = cropped ? size / x->square[2] : 1;
    double c[2] = { x->lens.c[0], x->lens.c[1] };
    for (int j = 0; j < J; j++) {
        double at[2] = { x->joints2d[j][0], x->joints2d[j][1] };
        if (cropped && x->labelled2d[j]) gn_crop_point(x->square, size, at);
        for (int k = 0; k < 2; k++) uv[2 * j + k] = (float)at[k];
        for (int k = 0; k < 3; k++) xyz[3 * j + k] = (float)x->joints3d[j][k];
        sure[j] = (float)x->confidence2d[j];
    }
    if (cropped) gn_crop_point(x->square, size, c);
    for (int k = 0; k < 2; k++) camera[k] = (float)(x->lens.f[k] * zoom), camera[2 + k] = (float)c[k];
    for (int k = 0; k < 12; k++) pose[k] = (float)x->pose_of_view[k];
    head *= (float)zoom;
    const void *value[GN_FIELD_COUNT] = {
        [GN_PLACE_joints2d] = uv, [GN_PLACE_labelled2d] = x->labelled2d, [GN_PLACE_occluded2d] = x->occluded2d, [GN_PLACE_confidence2d] = sure,
        [GN_PLACE_joints3d] = xyz, [GN_PLACE_labelled3d] = x->labelled3d, [GN_PLACE_camera] = camera, [GN_PLACE_pose_of_view] = pose,
        [GN_PLACE_head_size] = &head,
    };
    for (int f = 0; f < GN_FIELD_COUNT; f++)
        if (t->label[f] >= 0) GN_TRY(gn_shard_put(t->writer, i, t->label[f], value[f]));
    return GN_OK;
}

static gn_status put_own(const split *t, desk *d, int64_t i, const gn_spooled *r) {
    const gn_import_sample *x = &r->x;
    gn_arena_rewind(d->bytes);
    const int32_t size[2] = { t->cropped ? t->sink->from->size : x->w, t->cropped ? t->sink->from->size : x->h };
    if (t->own[IMAGE] >= 0) {
        GN_TRY(crop(t, d, x));
        GN_TRY(gn_shard_put(t->writer, i, t->own[IMAGE], d->crop.rgb));
    }
    if (t->own[JPEG] >= 0) {
        unsigned char *bytes;
        const uint32_t n = (uint32_t)t->jpeg_bytes[i];
        GN_TAKE(bytes, d->bytes, t->longest);
        if (pread(t->jpeg.fd, bytes, n, t->jpeg_at[i]) != (ssize_t)n) GN_FAIL(IO, "%s: a JPEG cannot be read back", t->sink->from->out);
        GN_TRY(gn_shard_put(t->writer, i, t->own[JPEG], bytes));
        GN_TRY(gn_shard_put(t->writer, i, t->own[JPEG_BYTES], &n));
    }
    if (t->own[DEPTH_MAP] >= 0) {
        uint16_t *nothing = NULL; /* a sample without depth beside others that have it */
        if (!r->ranged) GN_TAKE(nothing, d->bytes, (size_t)t->sink->from->size * (size_t)t->sink->from->size);
        GN_TRY(gn_shard_put(t->writer, i, t->own[DEPTH_MAP], nothing ? (const void *)nothing : t->depth + r->blob));
    }
    if (t->own[SIZE] >= 0) GN_TRY(gn_shard_put(t->writer, i, t->own[SIZE], size));
    GN_TRY(gn_shard_put(t->writer, i, t->own[TAKE], x->take));
    GN_TRY(gn_shard_put(t->writer, i, t->own[FRAME], &x->frame));
    return gn_shard_put(t->writer, i, t->own[GROUP], &x->group);
}

/* --- all samples of a split, by all cores --- */

static gn_status each(split *t, gn_status (*of)(split *t, desk *d, int64_t i)) {
    desk d = { .arena = gn_arena_new("a picture's crop"), .bytes = gn_arena_new("a JPEG") };
    gn_status status = d.arena && d.bytes ? GN_OK : gn_fail(GN_NO_MEMORY, __FILE__, __LINE__, "out of memory: a picture's crop");
    for (int64_t i; !status && (i = atomic_fetch_add(&t->next, 1)) < t->n;) {
        status = of(t, &d, i);
        if (i && i % 64 == 0) gn_progress((double)i / (double)t->n, "%s: %lld of %lld samples", t->sink->from->out, (long long)i, (long long)t->n);
    }
    if (status) atomic_store(&t->next, t->n); /* nobody goes on for hours before it is said */
    gn_arena_free(d.arena), gn_arena_free(d.bytes);
    return status;
}

static gn_status encode_one(split *t, desk *d, int64_t i) {
    GN_TRY(crop(t, d, &t->record[t->mine[i]].x));
    return encode(t, d, i);
}
static gn_status put_one(split *t, desk *d, int64_t i) {
    const gn_spooled *r = &t->record[t->mine[i]];
    GN_TRY(put_own(t, d, i, r));
    return put_labels(t, i, &r->x);
}
static gn_status encode_work(void *what, int worker, int workers) {
    (void)worker, (void)workers;
    return each(what, encode_one);
}
static gn_status put_work(void *what, int worker, int workers) {
    (void)worker, (void)workers;
    return each(what, put_one);
}

static gn_status encode_all(split *t) {
    GN_TAKE(t->jpeg_at, t->sink->arena, t->n);
    GN_TAKE(t->jpeg_bytes, t->sink->arena, t->n);
    GN_TRY(gn_spool_open(t->sink->arena, t->sink->from->out, &t->jpeg));
    GN_TRY(gn_pool_run(t->pool, encode_work, t));
    for (int64_t i = 0; i < t->n; i++)
        if (t->jpeg_bytes[i] > t->longest) t->longest = t->jpeg_bytes[i];
    atomic_store(&t->next, 0);
    return GN_OK;
}

static gn_status provenance(const gn_sink *s, const char **text) {
    const gn_importer *m = s->importer;
    const char *crops = "labels alone";
    if (s->pictured || s->ranged) GN_TAKE_TEXT(crops, s->arena, "crops of %d pixels", s->from->size);
    GN_TAKE_TEXT(*text, s->arena, "format: %s; from: %s; %s%s; one frame in %lld; %lld samples passed over, %lld without their picture left out", m->name, m->about, s->notes, crops,
                 (long long)s->from->every, (long long)s->passed, (long long)s->missing);
    return GN_OK;
}

static gn_status write_split(split *t, int valid) {
    gn_sink *s = t->sink;
    const char *from;
    t->n = 0;
    GN_TAKE(t->mine, s->arena, s->n[valid]);
    for (int64_t i = 0; i < t->records; i++)
        if ((t->record[i].x.valid != 0) == valid) t->mine[t->n++] = i;
    if (s->pictured && s->from->keep == GN_KEEP_JPEG) GN_TRY(encode_all(t));
    lay_own(t);
    lay_labels(t);
    GN_TAKE_TEXT(t->path, s->arena, "%s/%s.h5", s->from->out, valid ? "valid" : "train");
    GN_TRY(provenance(s, &from));
    GN_TRY(gn_shard_create(s->arena, t->path, t->n, s->importer->skeleton, t->field, t->fields, from, &t->writer));
    GN_TRY(gn_pool_run(t->pool, put_work, t));
    GN_TRY(gn_shard_seal(t->writer));
    if (t->jpeg_at && ftruncate(t->jpeg.fd, 0)) GN_FAIL(IO, "%s: cannot be cut: %s", s->from->out, strerror(errno)); /* the disk may be short of it */
    gn_progress_end();
    return GN_OK;
}

static gn_status map_spool(const gn_sink *s, const gn_spool *p, const void **at) {
    *at = NULL;
    if (!p->bytes) return GN_OK;
    void *map = mmap(NULL, (size_t)p->bytes, PROT_READ, MAP_SHARED, p->fd, 0); /* until the process ends */
    if (map == MAP_FAILED) GN_FAIL(NO_MEMORY, "%s: what was read cannot be mapped: %s", s->from->out, strerror(errno));
    *at = map;
    return GN_OK;
}

/* One shard, one kind of sample. */
static gn_status check_alike(const gn_sink *s) {
    const int64_t n = s->n[0] + s->n[1];
    const uint32_t dropped = s->any & ~s->all & (GN_HAS_camera | GN_HAS_pose_of_view | GN_HAS_head_size);
    if (s->pictured && s->pictured != n)
        GN_FAIL(BAD_DATA, "%s: %lld samples have no picture, others have: --keep none imports labels alone", s->from->source, (long long)(n - s->pictured));
    if (s->ranged && !s->pictured && s->ranged != n)
        GN_FAIL(BAD_DATA, "%s: %lld samples have no depth map, others have: --keep none imports labels alone", s->from->source, (long long)(n - s->ranged));
    if (dropped) fprintf(s->to, "  left out, since some samples have none: %s\n", gn_fields_text(dropped));
    return GN_OK;
}

gn_status gn_sink_finish(gn_sink *s) {
    if (s->unsound) fprintf(s->to, "  %lld labelled joints are no numbers: not labelled now\n", (long long)s->unsound);
    if (s->beyond) fprintf(s->to, "  %lld labelled joints lie beyond what the lens shows: not labelled in 2D now\n", (long long)s->beyond);
    if (s->passed) fprintf(s->to, "  %lld samples passed over\n", (long long)s->passed);
    if (s->missing) fprintf(s->to, "  %lld samples lack their picture: left out\n", (long long)s->missing);
    if (!(s->n[0] + s->n[1]) && s->missing)
        GN_FAIL(MISSING, "%s: no sample's picture is there; --pictures DIR says where they are, --keep none imports labels alone", s->from->source);
    if (!(s->n[0] + s->n[1])) GN_FAIL(BAD_DATA, "%s: holds no labelled sample", s->from->source);
    GN_TRY(check_alike(s));
    GN_TRY(gn_fit_say(s->fit, s->to, s->from->source, s->importer->pixels));
    const void *records, *depth;
    GN_TRY(map_spool(s, &s->spool[0], &records));
    GN_TRY(map_spool(s, &s->spool[1], &depth));
    split *written[2] = { NULL };
    gn_pool *pool;
    GN_TRY(gn_pool_open(s->arena, 0, &pool));
    for (int valid = 0; valid < 2; valid++) {
        if (!s->n[valid]) continue;
        split *t;
        GN_TAKE(t, s->arena, 1);
        t->sink = s;
        t->pool = pool;
        t->record = records;
        t->depth = depth;
        t->records = s->n[0] + s->n[1];
        GN_TRY(write_split(t, valid));
        written[valid] = t;
    }
    for (int valid = 0; valid < 2; valid++) { /* both or none: parts of two imports would pass for one set */
        if (!written[valid]) continue;
        GN_TRY(gn_shard_finish(written[valid]->writer));
        fprintf(s->to, "  %s: %lld samples\n", written[valid]->path, (long long)written[valid]->n);
    }
    return GN_OK;
}
