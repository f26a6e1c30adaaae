/* make.c - puppet sets as shards: drawn by all workers, each sample wherever there is time for it. */
#include "gnomon/dataset.h"
#include "gnomon/io.h"
#include "gnomon/log.h"
#include "gnomon/puppet.h"
#include <string.h>

/* Part of every provenance: raise it when the same options would give other pictures. */
enum { WORLD_VERSION = 5 };

enum {
    IMAGE,
    JOINTS2D,
    LABELLED2D,
    OCCLUDED2D,
    JOINTS3D,
    LABELLED3D,
    CAMERA,
    POSE_OF_VIEW,
    HEAD_SIZE,
    DEPTH_MAP,
    PARTS,
    SIZE,
    GROUP,
    FIELDS
};

typedef struct {
    const gn_puppet *p;
    gn_shard_writer *w;
    const char *name;
    int size, maps, drawn;              /* drawn 0: poses alone */
    int64_t n, together;                /* samples of a moment, or of a sequence where it has one view */
    int fields, at[FIELDS];             /* place in the shard, -1: left out */
    gn_shard_field field[FIELDS];
    atomic_llong next;
    atomic_int stop;
} job;

static gn_status draw_one(job *j, int64_t sample, uint8_t *rgb, uint16_t *depth, uint8_t *parts) {
    gn_puppet_truth y;
    uint8_t all[GN_JOINTS];
    memset(all, 1, sizeof all);
    const int32_t size[2] = { j->size, j->size };
    const int64_t group = sample / j->together;
    GN_TRY(gn_puppet_draw(j->p, sample, rgb, depth, parts, &y));
    const void *value[FIELDS] = {
        [IMAGE] = rgb,
        [JOINTS2D] = y.joints2d,
        [LABELLED2D] = y.labelled,
        [OCCLUDED2D] = y.occluded,
        [JOINTS3D] = y.joints3d,
        [LABELLED3D] = all,
        [CAMERA] = y.camera,
        [POSE_OF_VIEW] = y.pose_of_view,
        [HEAD_SIZE] = &y.head_size,
        [DEPTH_MAP] = depth,
        [PARTS] = parts,
        [SIZE] = size,
        [GROUP] = &group,
    };
    for (int k = 0; k < FIELDS; k++)
        if (j->at[k] >= 0) GN_TRY(gn_shard_put(j->w, sample, j->at[k], value[k]));
    return GN_OK;
}

static gn_status draw_many(job *j, int worker, gn_arena *a) {
    uint8_t *rgb = NULL, *parts = NULL;
    uint16_t *depth = NULL;
    int pixels = j->size * j->size;
    if (j->drawn) GN_TAKE(rgb, a, 3 * pixels);
    if (j->maps) {
        GN_TAKE(depth, a, pixels);
        GN_TAKE(parts, a, pixels);
    }
    double start = gn_seconds();
    for (int64_t k; !atomic_load(&j->stop) && (k = atomic_fetch_add(&j->next, 1)) < j->n;) {
        GN_TRY_AS(draw_one(j, k, rgb, depth, parts), "%s, sample %lld", j->name, (long long)k);
        if (worker == 0)
            gn_progress((double)k / (double)j->n, "%s  %lld of %lld pictures, %.0f/s", j->name, (long long)k,
                        (long long)j->n, (double)k / (gn_seconds() - start + 1e-9));
    }
    return GN_OK;
}

static gn_status draw_share(void *what, int worker, int workers) {
    (void)workers;
    job *j = what;
    gn_arena *a = gn_arena_new("puppet job");
    if (!a) GN_FAIL(NO_MEMORY, "out of memory: a puppet worker's arena");
    gn_status status = draw_many(j, worker, a);
    if (status) atomic_store(&j->stop, 1);
    gn_arena_free(a);
    return status;
}

static gn_status provenance_of(gn_arena *a, const char *domain, int valid, const gn_puppet_options *o,
                               const char **text) {
    GN_TAKE_TEXT(*text, a,
                 "made by gnomon's puppet world %d: domain=%s split=%s pictures=%lld size=%d seed=%lld "
                 "views=%d frames=%d motion='%s' backgrounds='%s' maps=%s",
                 WORLD_VERSION, domain, valid ? "valid" : "train", (long long)(valid ? o->valid : o->train),
                 o->size, (long long)o->seed, o->views, o->frames, o->motion, o->backgrounds,
                 o->maps ? "true" : "false");
    return GN_OK;
}

/* A shard that cannot be read, or was made otherwise, is made anew. */
static int is_made(gn_arena *a, const char *path, const char *provenance) {
    gn_shard *s;
    if (!gn_io_exists(path)) return 0;
    if (gn_shard_open(a, path, &s)) {
        gn_warn("%s; making it anew", gn_reason());
        gn_trail_clear();
        return 0;
    }
    return strcmp(gn_shard_provenance(s), provenance) == 0;
}

static int drawn(const char *domain) { return strcmp(domain, "puppet_poses") != 0; }
static int side_of(const char *domain, const gn_puppet_options *o) { return drawn(domain) ? o->size : GN_PUPPET_FRAME; }

/* Which fields there are: pictures or the size of what would be one; maps where asked; groups where there are any. */
static void lay(job *j) {
    const int J = gn_mpii16.joints, side = j->size;
    const gn_shard_field all[FIELDS] = {
        [IMAGE] = { "image", 1, 'u', 3, { side, side, 3 }, "sRGB 0-255", "picture" },
        [JOINTS2D] = { "joints2d", 4, 'f', 2, { J, 2 }, "pixels", "picture" },
        [LABELLED2D] = { "labelled2d", 1, 'u', 1, { J }, "flag", "" },
        [OCCLUDED2D] = { "occluded2d", 1, 'u', 1, { J }, "flag", "" },
        [JOINTS3D] = { "joints3d", 4, 'f', 2, { J, 3 }, "metres", "camera" },
        [LABELLED3D] = { "labelled3d", 1, 'u', 1, { J }, "flag", "" },
        [CAMERA] = { "camera", 4, 'f', 1, { 4 }, "pixels", "picture" },
        [POSE_OF_VIEW] = { "pose_of_view", 4, 'f', 2, { 3, 4 }, "metres", "world to camera" },
        [HEAD_SIZE] = { "head_size", 4, 'f', 1, { 1 }, "pixels", "picture" },
        [DEPTH_MAP] = { "depth_map", 2, 'u', 2, { side, side }, "millimetres, 0 unknown", "camera" },
        [PARTS] = { "parts", 1, 'u', 2, { side, side }, "part", "picture" },
        [SIZE] = { "size", 4, 'i', 1, { 2 }, "pixels", "width, height of what labels are pixels of" },
        [GROUP] = { "group", 8, 'i', 0, { 0 }, "", "equal and in a row: one moment or block" },
    };
    for (int k = 0; k < FIELDS; k++) {
        const int there = k == IMAGE ? j->drawn : k == DEPTH_MAP || k == PARTS ? j->maps : k == SIZE ? !j->drawn : k == GROUP ? j->together > 1 : 1;
        j->at[k] = there ? j->fields : -1;
        if (there) j->field[j->fields++] = all[k];
    }
}

static gn_status make_split(gn_arena *a, const char *root, const char *domain, int valid,
                            const gn_puppet_options *o, gn_pool *pool) {
    const char *path, *provenance;
    GN_TAKE_TEXT(path, a, "%s/%s/%s.h5", root, domain, valid ? "valid" : "train");
    GN_TRY(provenance_of(a, domain, valid, o, &provenance));
    if (is_made(a, path, provenance)) return GN_OK;
    job j = { .name = domain, .size = side_of(domain, o), .maps = o->maps && drawn(domain), .drawn = drawn(domain), .n = valid ? o->valid : o->train,
              .together = o->views > 1 ? o->views : o->frames };
    lay(&j);

    gn_puppet *p;
    GN_TRY(gn_puppet_open(a, domain, valid, o, &p));
    j.p = p;
    GN_TRY(gn_shard_create(a, path, j.n, &gn_mpii16, j.field, j.fields, provenance, &j.w));
    double start = gn_seconds();
    gn_status status = gn_pool_run(pool, draw_share, &j);
    gn_progress_end();
    GN_TRY(status);
    GN_TRY(gn_shard_finish(j.w));
    double took = gn_seconds() - start;
    gn_log("made %s: %lld pictures in %.1f s, %.0f/s", path, (long long)j.n, took,
           (double)j.n / (took + 1e-9));
    return GN_OK;
}

gn_status gn_puppet_make(const char *root, const char *domain, const gn_puppet_options *o, gn_pool *pool) {
    gn_status status = GN_OK;
    for (int valid = 0; valid < 2 && !status; valid++) {
        gn_arena *a = gn_arena_new("puppet set");
        if (!a) GN_FAIL(NO_MEMORY, "out of memory: a puppet set's arena");
        const char *folder = gn_arena_text(a, "%s/%s", root, domain);
        status = folder ? gn_io_folder(folder)
                        : gn_fail(GN_NO_MEMORY, __FILE__, __LINE__, "out of memory: a path");
        if (!status) status = make_split(a, root, domain, valid, o, pool);
        gn_arena_free(a);
    }
    return status;
}
