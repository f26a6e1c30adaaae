/* test_base.c - statuses, arenas, pools, crews. */
#include "near.h"
#include "gnomon/hash.h"
#include "gnomon/pool.h"
#include <string.h>

/* --- status --- */

static gn_status deep(void) { GN_FAIL(BAD_DATA, "joint %d is not finite", 7); }
static gn_status middle(void) {
    GN_TRY(deep());
    return GN_OK;
}
static gn_status high(void) {
    GN_TRY_AS(middle(), "shard '%s'", "a.h5");
    return GN_OK;
}

static void reasons_pile_up(void **unused) {
    (void)unused;
    FAILS(high(), BAD_DATA);
    assert_string_equal(gn_reason(), "shard 'a.h5': joint 7 is not finite");
    assert_int_equal(gn_exit_code(GN_BAD_DATA), 65);

    gn_trail kept;
    gn_trail_keep(&kept);
    int places = 0;
    for (const char *at = kept.place; (at = strstr(at, "at ")); at++) places++;
    assert_int_equal(places, 3); /* deep, middle, high */
    gn_trail_clear();
    assert_string_equal(gn_reason(), "");
    gn_trail_restore(&kept);
    assert_string_equal(gn_reason(), "shard 'a.h5': joint 7 is not finite");
}

static gn_status endless(int depth) {
    if (!depth) GN_FAIL(FAILED, "%0999d", 1);
    GN_TRY_AS(endless(depth - 1), "%0999d", depth);
    return GN_OK;
}

static void a_long_trail_is_cut_not_spilt(void **unused) {
    (void)unused;
    FAILS(endless(50), FAILED);
    assert_true(strlen(gn_reason()) < sizeof((gn_trail *)0)->reason);
}

/* --- arena --- */

static int undone[3], undone_n;
static void undo(void *what) { undone[undone_n++] = *(int *)what; }

static void memory_is_zero_aligned_and_ends(void **unused) {
    (void)unused;
    gn_arena *a = gn_arena_new("test");
    static int one = 1, two = 2;
    undone_n = 0;
    OK(gn_arena_at_end(a, undo, &one));
    OK(gn_arena_at_end(a, undo, &two));
    for (size_t n = 0; n < 300000; n = 2 * n + 1) {
        unsigned char *p = gn_arena_take(a, n);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 64, 0);
        for (size_t i = 0; i < n; i++) assert_int_equal(p[i], 0);
        memset(p, 0xff, n);
    }
    size_t taken = gn_arena_bytes(a);
    gn_arena_rewind(a);
    assert_int_equal(undone_n, 2);
    assert_int_equal(undone[0], 2); /* newest first */
    assert_int_equal(gn_arena_bytes(a), 0);
    unsigned char *p = gn_arena_take(a, 5000); /* dirty memory comes back clean */
    for (size_t i = 0; i < 5000; i++) assert_int_equal(p[i], 0);
    assert_true(taken > 500000);
    assert_null(gn_arena_take(a, SIZE_MAX / 2));
    assert_string_equal(gn_arena_text(a, "%d joints", 16), "16 joints");
    gn_arena_free(a);
    gn_arena_free(NULL);
}

/* --- pool --- */

enum { CELLS = 1000, MEETINGS = 50 };
typedef struct {
    gn_pool *pool;
    int cell[CELLS], wrong;
} board;

/* Each meeting, everybody adds 1 to its own cells after checking that all cells of the last round are done. */
static gn_status rounds(void *what, int worker, int workers) {
    board *b = what;
    for (int r = 0; r < MEETINGS; r++) {
        for (int i = worker; i < CELLS; i += workers) b->cell[i]++;
        GN_TRY(gn_pool_meet(b->pool, GN_OK));
        for (int i = 0; i < CELLS; i++)
            if (b->cell[i] != r + 1) b->wrong = 1;
        GN_TRY(gn_pool_meet(b->pool, GN_OK));
    }
    return GN_OK;
}

static void workers_meet(void **unused) {
    (void)unused;
    for (int workers = 1; workers <= 5; workers++) {
        gn_arena *a = gn_arena_new("test");
        board b = { 0 };
        OK(gn_pool_open(a, workers, &b.pool));
        OK(gn_pool_run(b.pool, rounds, &b));
        assert_int_equal(b.wrong, 0);
        for (int i = 0; i < CELLS; i++) assert_int_equal(b.cell[i], MEETINGS);
        gn_arena_free(a);
    }
}

typedef struct {
    gn_pool *pool;
    int bad, after;
} failing;

static gn_status one_fails(void *what, int worker, int workers) {
    (void)workers;
    failing *f = what;
    gn_status mine = worker == f->bad ? gn_fail(GN_DIVERGED, __FILE__, __LINE__, "worker %d says so", worker) : GN_OK;
    gn_status all = gn_pool_meet(f->pool, mine);
    if (mine || all) return mine ? mine : all;
    f->after = 1;
    return GN_OK;
}

static void a_failure_stops_everybody_and_keeps_its_reason(void **unused) {
    (void)unused;
    for (int bad = 0; bad < 3; bad++) {
        gn_arena *a = gn_arena_new("test");
        failing f = { .bad = bad };
        char expected[32];
        snprintf(expected, sizeof expected, "worker %d says so", bad);
        OK(gn_pool_open(a, 3, &f.pool));
        FAILS(gn_pool_run(f.pool, one_fails, &f), DIVERGED);
        assert_string_equal(gn_reason(), expected);
        assert_int_equal(f.after, 0);
        f.bad = -1; /* the pool works again afterwards */
        OK(gn_pool_run(f.pool, one_fails, &f));
        assert_int_equal(f.after, 1);
        gn_arena_free(a);
    }
}

static void square(void *what, int64_t i) { ((int64_t *)what)[i] = i * i; }

static void a_crew_does_every_job(void **unused) {
    (void)unused;
    gn_arena *a = gn_arena_new("test");
    gn_crew *crew;
    enum { JOBS = 10000 }; /* more than the queue holds */
    static int64_t out[JOBS];
    gn_tally tally = { 0 };
    OK(gn_crew_open(a, 3, &crew));
    for (int64_t i = 0; i < JOBS; i++) gn_crew_post(crew, square, out, i, &tally);
    gn_crew_wait(crew, &tally);
    for (int64_t i = 0; i < JOBS; i++) assert_int_equal(out[i], i * i);
    gn_arena_free(a);
}

static void a_hash_sees_every_bit_and_their_order(void **unused) {
    (void)unused;
    unsigned char x[100] = { 0 };
    uint64_t h = gn_hash(x, sizeof x);
    for (int i = 0; i < 800; i++) {
        x[i / 8] ^= (unsigned char)(1 << i % 8);
        assert_true(gn_hash(x, sizeof x) != h);
        x[i / 8] ^= (unsigned char)(1 << i % 8);
    }
    assert_true(gn_hash_more(gn_hash_more(0, "a", 1), "b", 1) != gn_hash_more(gn_hash_more(0, "b", 1), "a", 1));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reasons_pile_up),
        cmocka_unit_test(a_long_trail_is_cut_not_spilt),
        cmocka_unit_test(memory_is_zero_aligned_and_ends),
        cmocka_unit_test(workers_meet),
        cmocka_unit_test(a_failure_stops_everybody_and_keeps_its_reason),
        cmocka_unit_test(a_crew_does_every_job),
        cmocka_unit_test(a_hash_sees_every_bit_and_their_order),
    };
    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
