/* loader.c - batches filled ahead by a crew.
 *
 * Batch k lies in slot k mod 4: two are with the caller, two are being filled. A sample is a function of
 * (seed, place in the stream), so neither the threads nor a seek can change it. After gn_loader_open
 * nothing allocates. */
#include "gnomon/hash.h"
#include "gnomon/pool.h"
#include "src/data/sample.h"
#include <limits.h>
#include <string.h>

enum { SLOTS = 4, AHEAD = 2, JOBS = 16 };

typedef struct {
    const gn_dataset *set;
    gn_shard *shard;
    const gn_augment *augment;        /* NULL: none */
    int image, parts, place[GN_FIELD_COUNT]; /* in the shard, -1: has none */
    uint32_t holds;
    int w, h, P;
} source;

typedef struct {
    gn_loader *loader;
    int64_t step;                     /* of the run */
    gn_batch batch;
    gn_label_store *label, *truth;    /* [batch] */
    uint8_t *canvas[JOBS];            /* a stored picture, where people are put before another's backdrop */
    gn_tally tally;
    struct { gn_status status; gn_trail trail; } job[JOBS];
} slot;

struct gn_loader {
    gn_loader_spec spec;
    source source[GN_SETS];
    gn_order order;
    const gn_skeleton *skeleton;
    gn_crew *crew;
    slot slot[SLOTS];
    int64_t next, posted;             /* batches handed out, and given to the crew */
    double waited;
};

/* --- filling --- */

static void read_fields(const source *s, int64_t sample, gn_label_store *y) {
#define READ(name, type, count, carry, help)                                                       \
    if (s->holds & GN_HAS_##name) {                                                                \
        int at = s->place[GN_PLACE_##name];                                                        \
        memcpy(y->name, gn_shard_at(s->shard, at, sample), gn_shard_bytes(s->shard, at));          \
    }
    GN_FIELDS(READ)
#undef READ
}

/* The people of a sample before the picture of another, of another set where there is one. The other is
 * rolled by half its width, so that who stands in its middle does not stand right behind. */
static gn_status place_before(slot *b, int job, const source *s, int64_t sample, const gn_view *v, const uint8_t **picture) {
    gn_loader *l = b->loader;
    int others = l->order.sets > 1 ? l->order.sets - 1 : 1, self = (int)(s - l->source);
    source *d = &l->source[(self + 1 + (int)(v->donor_set * others)) % l->order.sets];
    if (d->w != s->w || d->h != s->h) return GN_OK;
    int64_t donor = (int64_t)(v->donor * (double)gn_shard_samples(d->shard));
    GN_TRY(gn_shard_check(d->shard, donor));
    const uint8_t *front = *picture, *back = gn_shard_at(d->shard, d->image, donor);
    const uint8_t *part = gn_shard_at(s->shard, s->parts, sample);
    for (int y = 0; y < s->h; y++)
        for (int x = 0; x < s->w; x++) {
            size_t at = (size_t)(y * s->w + x), from = (size_t)(y * s->w + (x + s->w / 2) % s->w);
            memcpy(b->canvas[job] + 3 * at, part[at] ? front + 3 * at : back + 3 * from, 3);
        }
    *picture = b->canvas[job];
    return GN_OK;
}

static gn_status fill_sample(slot *b, int i) {
    gn_loader *l = b->loader;
    const gn_loader_spec *spec = &l->spec;
    gn_turn t = gn_order_at(&l->order, b->step * spec->batch + i);
    source *s = &l->source[t.set];
    GN_TRY(gn_shard_check(s->shard, t.sample));
    gn_view v;
    gn_view_draw(s->augment, spec->seed, t, s->w, s->h, spec->side, &v);
    const uint8_t *picture = gn_shard_at(s->shard, s->image, t.sample);
    if (v.placed && s->parts >= 0) GN_TRY(place_before(b, i % JOBS, s, t.sample, &v, &picture));
    gn_view_picture(&v, picture, b->batch.image + (size_t)i * 3 * (size_t)spec->side * (size_t)spec->side);

    gn_label_store *label = &b->label[i], *truth = &b->truth[i];
    read_fields(s, t.sample, label);
    gn_view_carry(&v, l->skeleton, s->holds, s->P, label);
    read_fields(s, t.sample, truth);
    gn_view_carry(&v, l->skeleton, s->holds, s->P, truth);
    /* Truth keeps its own joints; its depth has the root and unit that the model is asked for. */
    gn_label_rules same_unit = { .root = spec->rules.root, .unit = spec->rules.unit };
    uint32_t has = gn_rules_apply(&spec->rules, l->skeleton, s->holds, spec->side, label) & s->set->has;
    uint32_t all = gn_rules_apply(&same_unit, l->skeleton, s->holds, spec->side, truth);
    b->batch.label[i] = gn_label_store_labels(label, l->skeleton, has, s->P, spec->side);
    b->batch.truth[i] = gn_label_store_labels(truth, l->skeleton, all, s->P, spec->side);
    b->batch.set[i] = t.set;
    b->batch.sample[i] = t.sample;
    memcpy(b->batch.crop[i], v.to_stored, sizeof v.to_stored);
    return GN_OK;
}

/* Samples job, job + JOBS, ... of the batch. */
static void fill(void *what, int64_t job) {
    slot *b = what;
    gn_status status = GN_OK;
    gn_trail_clear();
    for (int i = (int)job; !status && i < b->batch.n; i += JOBS) status = fill_sample(b, i);
    b->job[job].status = status;
    if (status) gn_trail_keep(&b->job[job].trail);
}

static int64_t size_of(const gn_loader *l, int64_t step) {
    if (l->spec.train) return l->spec.batch;
    int64_t left = gn_order_samples(&l->order) - step * l->spec.batch;
    return left < 0 ? 0 : left < l->spec.batch ? left : l->spec.batch;
}

static void post(gn_loader *l) {
    slot *b = &l->slot[l->posted % SLOTS];
    b->step = l->posted++;
    b->batch.n = (int)size_of(l, b->step);
    int jobs = b->batch.n < JOBS ? b->batch.n : JOBS;
    for (int k = 0; k < JOBS; k++) b->job[k].status = GN_OK;
    for (int k = 0; k < jobs; k++) gn_crew_post(l->crew, fill, b, k, &b->tally);
}

gn_status gn_loader_next(gn_loader *l, gn_batch **batch) {
    while (l->posted <= l->next + AHEAD) post(l);
    slot *b = &l->slot[l->next % SLOTS];
    double before = gn_seconds();
    gn_crew_wait(l->crew, &b->tally);
    l->waited += gn_seconds() - before;
    for (int k = 0; k < JOBS; k++)
        if (b->job[k].status) {
            gn_trail_restore(&b->job[k].trail);
            return gn_pass(b->job[k].status, __FILE__, __LINE__);
        }
    l->next++;
    *batch = &b->batch;
    return GN_OK;
}

gn_status gn_loader_seek(gn_loader *l, int64_t step) {
    if (step < 0 || step > INT64_MAX / 4 / l->spec.batch) GN_FAIL(BAD_USAGE, "loader: cannot start at step %lld", (long long)step);
    for (int k = 0; k < SLOTS; k++) gn_crew_wait(l->crew, &l->slot[k].tally);
    l->next = l->posted = step;
    return GN_OK;
}

/* --- opening --- */

static int listed(const gn_texts *names, const char *name) {
    for (int i = 0; i < names->n; i++)
        if (!strcmp(names->item[i], name)) return 1;
    return !names->n;
}

static gn_status open_source(gn_loader *l, gn_arena *a, const char *name, source *s) {
    const gn_loader_spec *spec = &l->spec;
    s->set = gn_dataset_find(name);
    if (!s->set) GN_FAIL(BAD_CONFIG, "no data set is called '%s'", name);
    const char *path;
    GN_TAKE_TEXT(path, a, "%s/%s", spec->root, spec->train ? s->set->train : s->set->valid);
    GN_TRY_AS(gn_shard_open(a, path, &s->shard), "data set '%s'", name);
    const gn_skeleton *joints = gn_shard_skeleton(s->shard);
    if (strcmp(joints->name, s->set->skeleton->name))
        GN_FAIL(BAD_DATA, "%s: skeleton '%s', data set '%s' has '%s'", path, joints->name, name, s->set->skeleton->name);
    const gn_shard_field *image = gn_shard_find(s->shard, "image", &s->image);
    if (!image) GN_FAIL(BAD_DATA, "%s: holds no field 'image'", path);
    s->h = (int)image->d[0];
    s->w = (int)image->d[1];
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
    s->augment = spec->train && listed(&spec->augment.sets, name) ? &l->spec.augment : NULL;
    return GN_OK;
}

static gn_status open_sets(gn_loader *l, gn_arena *a) {
    const gn_loader_spec *spec = &l->spec;
    const gn_texts *sets = spec->sets;
    int mixed = spec->train && spec->mix && spec->mix->n;
    if (!sets || sets->n < 1 || sets->n > GN_SETS) GN_FAIL(BAD_CONFIG, "%d data sets, expected 1 to %d", sets ? sets->n : 0, GN_SETS);
    if (mixed && spec->mix->n != sets->n) GN_FAIL(BAD_CONFIG, "data.mix has %d numbers for %d data sets", spec->mix->n, sets->n);
    l->order = (gn_order){ .seed = spec->seed, .sets = sets->n, .shuffled = spec->train };
    int64_t turns = 0;
    for (int k = 0; k < sets->n; k++) {
        GN_TRY(open_source(l, a, sets->item[k], &l->source[k]));
        l->order.n[k] = gn_shard_samples(l->source[k].shard);
        if (!mixed) continue;
        if (spec->mix->item[k] < 0 || spec->mix->item[k] > 1 << 20)
            GN_FAIL(BAD_CONFIG, "data.mix: %lld of '%s' in turn", (long long)spec->mix->item[k], sets->item[k]);
        turns += l->order.mix[k] = spec->mix->item[k];
    }
    if (mixed && !turns) GN_FAIL(BAD_CONFIG, "data.mix: no set has a turn");
    l->skeleton = gn_shard_skeleton(l->source[0].shard);
    for (int k = 1; k < sets->n; k++)
        if (gn_shard_skeleton(l->source[k].shard) != l->skeleton)
            GN_FAIL(BAD_CONFIG, "data sets '%s' and '%s' have different skeletons", sets->item[0], sets->item[k]);
    return GN_OK;
}

/* A backdrop asked for and nobody to cut out is a mistake, not a wish. */
static gn_status check_backdrop(const gn_loader *l) {
    if (!l->spec.train || !(l->spec.augment.backdrop > 0)) return GN_OK;
    for (int k = 0; k < l->order.sets; k++)
        if (l->source[k].augment && l->source[k].parts >= 0) return GN_OK;
    GN_FAIL(BAD_CONFIG, "data.augment.backdrop wants a training set with `parts`; puppets have them with data.puppet.maps=true");
}

static gn_status take_slot(gn_loader *l, gn_arena *a, int P, slot *b) {
    size_t n = (size_t)l->spec.batch, side = (size_t)l->spec.side;
    b->loader = l;
    b->batch.side = l->spec.side;
    GN_TAKE(b->batch.image, a, n * side * side * 3);
    GN_TAKE(b->batch.label, a, n);
    GN_TAKE(b->batch.truth, a, n);
    GN_TAKE(b->batch.set, a, n);
    GN_TAKE(b->batch.sample, a, n);
    GN_TAKE(b->batch.crop, a, n);
    GN_TAKE(b->label, a, n);
    GN_TAKE(b->truth, a, n);
    size_t largest = 0;
    for (int k = 0; k < l->order.sets; k++) {
        size_t bytes = 3 * (size_t)l->source[k].w * (size_t)l->source[k].h;
        if (l->source[k].augment && l->source[k].parts >= 0 && bytes > largest) largest = bytes;
    }
    for (int k = 0; k < JOBS && l->spec.augment.backdrop > 0; k++) GN_TAKE(b->canvas[k], a, largest);
    for (size_t i = 0; i < n; i++) {
        GN_TRY(gn_label_store_take(a, l->skeleton->joints, P, &b->label[i]));
        GN_TRY(gn_label_store_take(a, l->skeleton->joints, P, &b->truth[i]));
    }
    return GN_OK;
}

int gn_loader_pairs(const gn_loader *l) {
    int most = 0;
    for (int k = 0; k < l->order.sets; k++) most = l->source[k].P > most ? l->source[k].P : most;
    return most;
}

gn_status gn_loader_open(gn_arena *a, const gn_loader_spec *spec, gn_loader **loader) {
    if (spec->batch < 1 || spec->batch > 1 << 16 || spec->side < 1 || spec->side > 1 << 13)
        GN_FAIL(BAD_CONFIG, "a batch of %d pictures of %d pixels a side", spec->batch, spec->side);
    gn_loader *l;
    GN_TAKE(l, a, 1);
    l->spec = *spec;
    GN_TRY(open_sets(l, a));
    GN_TRY(check_backdrop(l));
    for (int k = 0; k < SLOTS; k++) GN_TRY(take_slot(l, a, gn_loader_pairs(l), &l->slot[k]));
    GN_TRY(gn_crew_open(a, spec->threads > 0 ? spec->threads : 1, &l->crew));
    *loader = l;
    return GN_OK;
}

int64_t gn_loader_samples(const gn_loader *l) { return gn_order_samples(&l->order); }
const gn_skeleton *gn_loader_skeleton(const gn_loader *l) { return l->skeleton; }
double gn_loader_waited(const gn_loader *l) { return l->waited; }

uint64_t gn_loader_hash(const gn_loader *l) {
    uint64_t h = 0;
    for (int k = 0; k < l->order.sets; k++) {
        uint64_t one = gn_shard_hash(l->source[k].shard);
        h = gn_hash_more(h, &one, sizeof one);
    }
    return h;
}
