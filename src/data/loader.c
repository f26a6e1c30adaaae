/* loader.c - batches filled ahead by a crew.
 *
 * Batch k lies in slot k mod 4: two are with the caller, two are being filled. A sample is a function of
 * (seed, place in the stream), so neither the threads nor a seek can change it. After gn_loader_open
 * nothing allocates. */
#include "gnomon/hash.h"
#include "gnomon/pool.h"
#include "src/data/source.h"
#include <limits.h>
#include <string.h>

enum { SLOTS = 4, AHEAD = 2, JOBS = 16 };

typedef struct {
    gn_loader *loader;
    int64_t step;                     /* of the run */
    gn_batch batch;
    gn_label_store *label, *truth;    /* [batch] */
    gn_desk desk[JOBS];
    gn_tally tally;
    struct { gn_status status; gn_trail trail; } job[JOBS];
} slot;

struct gn_loader {
    gn_loader_spec spec;
    gn_source source[GN_SETS];
    gn_order order;
    const gn_skeleton *skeleton;
    gn_crew *crew;
    slot slot[SLOTS];
    int64_t next, posted;             /* batches handed out, and given to the crew */
    double waited;
};

/* --- filling --- */

/* The people of a sample before the picture of another, of another set where there is one. The other is
 * rolled by half its width, so that who stands in its middle does not stand right behind. */
static gn_status place_before(gn_loader *l, gn_desk *desk, const gn_source *s, int64_t sample, const gn_view *v, const uint8_t **picture) {
    int others = l->order.sets > 1 ? l->order.sets - 1 : 1, self = (int)(s - l->source);
    gn_source *d = &l->source[(self + 1 + (int)(v->donor_set * others)) % l->order.sets];
    if (d->w != s->w || d->h != s->h || d->image < 0) return GN_OK;
    int64_t donor = (int64_t)(v->donor * (double)gn_shard_samples(d->shard));
    GN_TRY(gn_shard_check(d->shard, donor));
    const uint8_t *front = *picture, *back = gn_shard_at(d->shard, d->image, donor);
    const uint8_t *part = gn_shard_at(s->shard, s->parts, sample);
    for (int y = 0; y < s->h; y++)
        for (int x = 0; x < s->w; x++) {
            size_t at = (size_t)(y * s->w + x), from = (size_t)(y * s->w + (x + s->w / 2) % s->w);
            memcpy(desk->canvas + 3 * at, part[at] ? front + 3 * at : back + 3 * from, 3);
        }
    *picture = desk->canvas;
    return GN_OK;
}

/* Sample i of the batch. What comes together lies in one shard of the batch, one after another. */
static gn_turn turn_of(const gn_loader *l, int64_t step, int i) {
    const gn_loader_spec *spec = &l->spec;
    if (spec->together < 2) return gn_order_at(&l->order, step * spec->batch + i);
    const int k = i % spec->shards, n = i / spec->shards;
    gn_turn t = gn_order_at(&l->order, step * spec->batch / spec->together + (int64_t)(n / spec->together) * spec->shards + k);
    const int64_t *group = &l->source[t.set].unit[2 * t.unit];
    t.sample = group[0] + gn_order_member(spec->seed, t, group[1], n % spec->together, spec->together, spec->in_row);
    return t;
}

/* The picture that this thread probably wants after sample i's: of its job, or of the job that its turn brings. */
static const uint8_t *picture_after(const slot *b, const gn_source *s, int i) {
    const gn_loader *l = b->loader;
    const int more = i + JOBS < b->batch.n, next = more ? i + JOBS : i % JOBS + l->spec.threads;
    if (!more && (next >= JOBS || next >= b->batch.n)) return NULL;
    const gn_turn t = turn_of(l, b->step, next);
    const gn_source *from = &l->source[t.set];
    return from->image >= 0 && from->w == s->w && from->h == s->h ? gn_shard_at(from->shard, from->image, t.sample) : NULL;
}

static gn_status fill_picture(slot *b, gn_desk *desk, const gn_source *s, gn_turn t, const gn_view *v, int i) {
    const size_t side = (size_t)b->loader->spec.side;
    const uint8_t *picture;
    GN_TRY(gn_source_picture(s, t.sample, desk, &picture));
    if (v->placed && s->parts >= 0) GN_TRY(place_before(b->loader, desk, s, t.sample, v, &picture));
    gn_view_picture(v, picture, picture_after(b, s, i), b->batch.image + (size_t)i * 3 * side * side);
    return GN_OK;
}

static gn_status fill_sample(slot *b, int i) {
    gn_loader *l = b->loader;
    const gn_loader_spec *spec = &l->spec;
    gn_desk *desk = &b->desk[i % JOBS];
    const gn_turn t = turn_of(l, b->step, i);
    gn_source *s = &l->source[t.set];
    GN_TRY(gn_shard_check(s->shard, t.sample));
    gn_view v;
    int w, h;
    GN_TRY(gn_source_frame(s, t.sample, &w, &h));
    gn_view_draw(s->augment, spec->seed, t, w, h, spec->side, &v);
    if (!spec->bare) GN_TRY(fill_picture(b, desk, s, t, &v, i));

    gn_label_store *label = &b->label[i], *truth = &b->truth[i];
    int P;
    const uint32_t given = gn_source_labels(s, t.sample, desk, label, &P);
    gn_source_labels(s, t.sample, desk, truth, &P);
    gn_view_carry(&v, l->skeleton, given, P, label);
    gn_view_carry(&v, l->skeleton, given, P, truth);
    /* Truth keeps its own joints; its depth has the root and unit that the model is asked for. */
    gn_label_rules same_unit = { .root = spec->rules.root, .unit = spec->rules.unit };
    const uint32_t flags = given & ~s->holds; /* of joints that the map left out */
    uint32_t has = gn_rules_apply(&spec->rules, l->skeleton, given, spec->side, label) & (s->set->has | flags);
    uint32_t all = gn_rules_apply(&same_unit, l->skeleton, given, spec->side, truth);
    b->batch.label[i] = gn_label_store_labels(label, l->skeleton, has, P, spec->side);
    b->batch.truth[i] = gn_label_store_labels(truth, l->skeleton, all, P, spec->side);
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

static gn_status open_sets(gn_loader *l, gn_arena *a) {
    const gn_loader_spec *spec = &l->spec;
    const gn_texts *sets = spec->sets;
    int mixed = spec->train && spec->mix && spec->mix->n;
    if (!sets || sets->n < 1 || sets->n > GN_SETS) GN_FAIL(BAD_CONFIG, "%d data sets, expected 1 to %d", sets ? sets->n : 0, GN_SETS);
    if (mixed && spec->mix->n != sets->n) GN_FAIL(BAD_CONFIG, "data.mix has %d numbers for %d data sets", spec->mix->n, sets->n);
    l->order = (gn_order){ .seed = spec->seed, .sets = sets->n, .shuffled = spec->train };
    int64_t turns = 0;
    for (int k = 0; k < sets->n; k++) {
        GN_TRY(gn_source_open(a, spec, sets->item[k], &l->source[k]));
        l->order.n[k] = l->source[k].units;
        if (!mixed) continue;
        if (spec->mix->item[k] < 0 || spec->mix->item[k] > 1 << 20)
            GN_FAIL(BAD_CONFIG, "data.mix: %lld of '%s' in turn", (long long)spec->mix->item[k], sets->item[k]);
        turns += l->order.mix[k] = spec->mix->item[k];
    }
    if (mixed && !turns) GN_FAIL(BAD_CONFIG, "data.mix: no set has a turn");
    l->skeleton = spec->skeleton ? spec->skeleton : gn_shard_skeleton(l->source[0].shard);
    for (int k = 0; k < sets->n; k++) GN_TRY(gn_source_join(a, l->skeleton, &l->source[k]));
    return GN_OK;
}

/* A backdrop asked for and nobody to cut out is a mistake, not a wish. */
static gn_status check_backdrop(const gn_loader *l) {
    if (!l->spec.train || !(l->spec.augment.backdrop > 0)) return GN_OK;
    for (int k = 0; k < l->order.sets; k++)
        if (l->source[k].augment && l->source[k].parts >= 0) return GN_OK;
    GN_FAIL(BAD_CONFIG, "data.augment.backdrop wants a training set with `parts`; puppets have them with data.puppet.maps=true");
}

static gn_status take_desk(const gn_loader *l, gn_arena *a, int P, gn_desk *d) {
    size_t decoded = 0, placed = 0;
    int joints = 0;
    for (int k = 0; k < l->order.sets; k++) {
        const gn_source *s = &l->source[k];
        const size_t bytes = 3 * (size_t)s->w * (size_t)s->h;
        if (!l->spec.bare && s->image < 0 && bytes > decoded) decoded = bytes;
        if (s->augment && s->parts >= 0 && l->spec.augment.backdrop > 0 && bytes > placed) placed = bytes;
        if (s->map && s->map->from->joints > joints) joints = s->map->from->joints;
    }
    if (decoded) GN_TRY(gn_decoder_open(a, &d->decoder));
    if (decoded) GN_TAKE(d->picture, a, decoded);
    if (placed) GN_TAKE(d->canvas, a, placed);
    return joints ? gn_label_store_take(a, joints, P, &d->raw) : GN_OK;
}

static gn_status take_slot(gn_loader *l, gn_arena *a, int P, slot *b) {
    size_t n = (size_t)l->spec.batch, side = (size_t)l->spec.side;
    b->loader = l;
    b->batch.side = l->spec.side;
    if (!l->spec.bare) GN_TAKE(b->batch.image, a, n * side * side * 3);
    GN_TAKE(b->batch.label, a, n);
    GN_TAKE(b->batch.truth, a, n);
    GN_TAKE(b->batch.set, a, n);
    GN_TAKE(b->batch.sample, a, n);
    GN_TAKE(b->batch.crop, a, n);
    GN_TAKE(b->label, a, n);
    GN_TAKE(b->truth, a, n);
    for (int k = 0; k < JOBS; k++) GN_TRY(take_desk(l, a, P, &b->desk[k]));
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
    if (spec->together > 1 && (spec->shards < 1 || spec->batch % (spec->together * spec->shards)))
        GN_FAIL(BAD_CONFIG, "a batch of %d cannot be %d shards of units of %d samples", spec->batch, spec->shards, spec->together);
    gn_loader *l;
    GN_TAKE(l, a, 1);
    l->spec = *spec;
    if (!spec->train) l->spec.together = 1; /* every sample once */
    GN_TRY(open_sets(l, a));
    GN_TRY(check_backdrop(l));
    for (int k = 0; k < SLOTS; k++) GN_TRY(take_slot(l, a, gn_loader_pairs(l), &l->slot[k]));
    GN_TRY(gn_crew_open(a, spec->threads > 0 ? spec->threads : 1, &l->crew));
    *loader = l;
    return GN_OK;
}

int64_t gn_loader_samples(const gn_loader *l) {
    int64_t n = 0;
    for (int k = 0; k < l->order.sets; k++) n += gn_shard_samples(l->source[k].shard);
    return n;
}

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
