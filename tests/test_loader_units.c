/* test_loader_units.c - samples that come together: of one group, in one shard of the batch, anywhere in the run, for any threads. */
#include "near.h"
#include "shards.h"
#include <stdatomic.h>

static char root[] = "/tmp/gnomon_units_XXXXXX";

/* Groups of 1 to 7, then a sample of none, which is never together with another. */
enum { N = 120, BATCH = 16, SIDE = 16, STEPS = 12, LARGEST = 7 };
static int64_t group[N];
static struct { int64_t first, n; } of_group[N];

static void make_groups(void) {
    int64_t g = 100;
    for (int64_t i = 0, n = 1; i < N; n = n % LARGEST + 1, g++) {
        of_group[g % N].first = i;
        for (int64_t k = 0; k < n && i < N; k++, i++) group[i] = g, of_group[g % N].n++;
        if (i < N) group[i++] = -1;
    }
}

static const char *names[] = { "puppet_poses", "h36m" };
static const gn_texts one_set = { 1, names }, two_sets = { 2, names };

static gn_loader_spec spec_of(const gn_texts *sets, int together, int shards, int threads) {
    return (gn_loader_spec){ .root = root, .sets = sets, .bare = 1, .train = 1, .batch = BATCH, .side = SIDE, .threads = threads, .seed = 11, .together = together,
                             .shards = shards, .augment = { .rotate = 20, .rotate_share = 1, .flip = 0.5 } };
}

static int is_mirrored(const gn_batch *b, int i) { return b->crop[i][0] * b->crop[i][4] - b->crop[i][1] * b->crop[i][3] < 0; }

/* Unit u of a shard is its samples u together and on, sample n of shard k being n shards + k of the batch. */
static void check_unit(const gn_batch *b, const gn_loader_spec *spec, int k, int u, int *turned) {
    const int together = spec->together, first = u * together * spec->shards + k;
    uint8_t seen[N] = { 0 };
    assert_true(group[b->sample[first]] >= 0);
    for (int m = 0; m < together; m++) {
        const int i = first + m * spec->shards;
        assert_int_equal(b->set[i], b->set[first]);
        assert_int_equal(group[b->sample[i]], group[b->sample[first]]);
        assert_int_equal(is_mirrored(b, i), is_mirrored(b, first));
        assert_int_equal(seen[b->sample[i]]++, 0);
        if (spec->in_row) assert_int_equal(b->sample[i], b->sample[first] + m);
        *turned += fabs(b->crop[i][1] - b->crop[first][1]) > 1e-6;
    }
    assert_true(of_group[group[b->sample[first]] % N].n >= together);
}

static void members(void **state) {
    (void)state;
    for (int together = 2; together <= 4; together += 2)
        for (int shards = 1; shards <= 4; shards *= 2)
            for (int in_row = 0; in_row < 2; in_row++) {
                gn_arena *a = gn_arena_new("test");
                gn_loader *l;
                gn_batch *b;
                gn_loader_spec spec = spec_of(&two_sets, together, shards, 2);
                spec.in_row = in_row;
                OK(gn_loader_open(a, &spec, &l));
                assert_int_equal(gn_loader_samples(l), 2 * N);
                int mirrored = 0, turned = 0, later = 0;
                for (int step = 0; step < STEPS; step++) {
                    OK(gn_loader_next(l, &b));
                    for (int k = 0; k < shards; k++)
                        for (int u = 0; u < BATCH / shards / together; u++) {
                            check_unit(b, &spec, k, u, &turned);
                            const int first = u * together * shards + k;
                            mirrored += is_mirrored(b, first);
                            later += b->sample[first] != of_group[group[b->sample[first]] % N].first;
                        }
                }
                const int units = STEPS * BATCH / together;
                assert_true(mirrored > units / 4 && mirrored < units * 3 / 4); /* a unit is; not always */
                assert_true(turned > units / 2);                              /* each sample on its own */
                assert_true(later > units / 8);                               /* not always a group's first */
                gn_arena_free(a);
            }
}

/* Every group that is large enough, once an epoch; which of its samples differs from epoch to epoch. */
static void epochs(void **state) {
    (void)state;
    int64_t units = 0;
    for (int g = 0; g < N; g++) units += of_group[g].n >= 4;
    assert_true(units > 8);
    gn_arena *a = gn_arena_new("test");
    gn_loader *l;
    gn_batch *b;
    gn_loader_spec spec = spec_of(&one_set, 4, 2, 1);
    OK(gn_loader_open(a, &spec, &l));
    int visits[N] = { 0 }, drawn[N] = { 0 };
    const int64_t steps = 4 * units; /* 4 units a step: 16 epochs */
    for (int64_t step = 0; step < steps; step++) {
        OK(gn_loader_next(l, &b));
        for (int i = 0; i < BATCH; i++) visits[group[b->sample[i]] % N]++, drawn[b->sample[i]]++;
    }
    for (int g = 0; g < N; g++) assert_int_equal(visits[g], of_group[g].n >= 4 ? 16 * 4 : 0);
    for (int i = 0; i < N; i++) assert_int_equal(drawn[i] > 0, group[i] >= 0 && of_group[group[i] % N].n >= 4);
    gn_arena_free(a);
}

/* --- the same anywhere, for any threads; nothing taken --- */

#ifndef SANITIZED
void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
static atomic_int allocations;
void *malloc(size_t n) { return atomic_fetch_add(&allocations, 1), __libc_malloc(n); }
void *calloc(size_t n, size_t each) { return atomic_fetch_add(&allocations, 1), __libc_calloc(n, each); }
void *realloc(void *p, size_t n) { return atomic_fetch_add(&allocations, 1), __libc_realloc(p, n); }
#else
static int allocations;
#endif

static void anywhere(void **state) {
    (void)state;
    for (int together = 1; together <= 4; together *= 2) {
        uint64_t hash[STEPS];
        for (int threads = 1; threads <= 4; threads++) {
            gn_arena *a = gn_arena_new("test");
            gn_loader *l;
            gn_batch *b;
            gn_loader_spec spec = spec_of(&two_sets, together, 2, threads);
            spec.skeleton = &gn_h36m17; /* mapped, so that the desk's memory is used, too */
            spec.bare = 0;
            spec.sets = &(gn_texts){ 1, names + 1 };
            OK(gn_loader_open(a, &spec, &l));
            OK(gn_loader_next(l, &b));
            const size_t taken = gn_arena_bytes(a);
            const int before = allocations;
            for (int step = 0; step < STEPS; step++) {
                if (step) OK(gn_loader_next(l, &b));
                if (threads == 1) hash[step] = hash_of(b);
                else assert_true(hash_of(b) == hash[step]);
            }
            for (int step = STEPS - 1; step >= 0; step -= 3) {
                OK(gn_loader_seek(l, step));
                OK(gn_loader_next(l, &b));
                assert_true(hash_of(b) == hash[step]);
            }
            assert_int_equal(gn_arena_bytes(a), taken);
            assert_int_equal(allocations, before);
            const int64_t far = INT64_C(1) << 40; /* as quickly as the next */
            OK(gn_loader_seek(l, far));
            OK(gn_loader_next(l, &b));
            gn_arena_free(a);
        }
        for (int step = 1; step < STEPS; step++) assert_true(hash[step] != hash[step - 1]);
    }
}

/* --- sets in turn --- */

static void balanced(void **state) {
    (void)state;
    static const int64_t mixes[][2] = { { 1, 1 }, { 3, 1 }, { 2, 5 }, { 0, 1 }, { 7, 0 } };
    for (int together = 1; together <= 4; together *= 2)
        for (size_t m = 0; m < sizeof mixes / sizeof *mixes; m++) {
            int64_t turns[2] = { mixes[m][0], mixes[m][1] };
            const gn_counts mix = { 2, turns };
            const int shards = 2, units = BATCH / together, period = (int)(turns[0] + turns[1]);
            gn_arena *a = gn_arena_new("test");
            gn_loader *l;
            gn_batch *b;
            gn_loader_spec spec = spec_of(&two_sets, together, shards, 2);
            spec.mix = &mix;
            OK(gn_loader_open(a, &spec, &l));
            int64_t seen[2] = { 0 }, unit = 0;
            for (int step = 0; step < 2 * period; step++) {
                OK(gn_loader_next(l, &b));
                for (int u = 0; u < units; u++) { /* in the stream's order: units go round the shards */
                    const int i = together == 1 ? u : u / shards * together * shards + u % shards;
                    seen[b->set[i]]++;
                    if (++unit % period) continue;
                    for (int k = 0; k < 2; k++) assert_int_equal(seen[k], unit / period * turns[k]);
                }
            }
            gn_arena_free(a);
        }
}

static void refusals(void **state) {
    (void)state;
    static const char *alone[] = { "mpii" };
    gn_arena *a = gn_arena_new("test");
    gn_loader *l;
    gn_loader_spec spec = spec_of(&one_set, 3, 2, 1);
    FAILS(gn_loader_open(a, &spec, &l), BAD_CONFIG);
    assert_non_null(strstr(gn_reason(), "a batch of 16 cannot be 2 shards of units of 3 samples"));
    spec = spec_of(&one_set, 8, 1, 1);
    FAILS(gn_loader_open(a, &spec, &l), BAD_DATA);
    assert_non_null(strstr(gn_reason(), "puppet_poses/train.h5: no group has the 8 samples that are wanted together"));
    spec = spec_of(&(gn_texts){ 1, alone }, 2, 1, 1);
    FAILS(gn_loader_open(a, &spec, &l), BAD_DATA);
    assert_non_null(strstr(gn_reason(), "mpii/train.h5: holds no field 'group', and 2 samples of one are wanted together"));
    gn_arena_free(a);
}

/* Validation takes every sample once, whatever comes together in training. */
static void validation(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("test");
    gn_loader *l;
    gn_batch *b;
    gn_loader_spec spec = spec_of(&one_set, 2, 2, 2);
    spec.train = 0;
    OK(gn_loader_open(a, &spec, &l));
    assert_int_equal(gn_loader_samples(l), N);
    int64_t seen = 0;
    for (;;) {
        OK(gn_loader_next(l, &b));
        if (!b->n) break;
        for (int i = 0; i < b->n; i++) assert_int_equal(b->sample[i], seen++);
    }
    assert_int_equal(seen, N);
    gn_arena_free(a);
}

static int make_sets(void **state) {
    (void)state;
    if (!mkdtemp(root)) return -1;
    make_groups();
    for (int train = 0; train < 2; train++) {
        make_shard(root, train, &(made){ .set = "puppet_poses", .pictures = NONE, .n = N, .group = group });
        make_shard(root, train, &(made){ .set = "h36m", .n = N, .group = group });
        make_shard(root, train, &(made){ .set = "mpii", .n = 4 });
    }
    return 0;
}
static int remove_sets(void **state) {
    (void)state;
    return gn_io_remove(root) != GN_OK;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members),  cmocka_unit_test(epochs),   cmocka_unit_test(anywhere),
        cmocka_unit_test(balanced), cmocka_unit_test(refusals), cmocka_unit_test(validation),
    };
    return cmocka_run_group_tests(tests, make_sets, remove_sets);
}
