/* order.c - the order of samples as a formula.
 *
 * An epoch of a set is a permutation that can be asked at any place: a Feistel network over the next even
 * number of bits, walked on while it points past the end (Black and Rogaway, "Ciphers with arbitrary finite
 * domains", CT-RSA 2002). So a run resumes at any step at no cost, and no list is kept. */
#include "formula/random.h"
#include "gnomon/hash.h"
#include "src/data/sample.h"

enum { ROUNDS = 6 };

static uint64_t mix(uint64_t x) { /* the finisher of splitmix64 */
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static int64_t permuted(uint64_t seed, uint64_t stream, int64_t n, int64_t i) {
    uint64_t key[ROUNDS];
    for (int r = 0; r < ROUNDS; r += 2) {
        gn_draw d = gn_draw_at(seed, stream, (uint64_t)r);
        key[r] = (uint64_t)d.word[1] << 32 | d.word[0];
        key[r + 1] = (uint64_t)d.word[3] << 32 | d.word[2];
    }
    int half = 1;
    while (half < 31 && INT64_C(1) << 2 * half < n) half++;
    uint64_t mask = (UINT64_C(1) << half) - 1, at = (uint64_t)i;
    do {
        uint64_t left = at >> half, right = at & mask;
        for (int r = 0; r < ROUNDS; r++) {
            uint64_t next = left ^ (mix(right + key[r]) & mask);
            left = right;
            right = next;
        }
        at = left << half | right;
    } while (at >= (uint64_t)n);
    return (int64_t)at;
}

int64_t gn_order_samples(const gn_order *o) {
    int64_t n = 0;
    for (int k = 0; k < o->sets; k++) n += o->n[k];
    return n;
}

/* The set's own stream when mixed, the whole run's when by size. */
static uint64_t stream(int64_t epoch, int set) { return (uint64_t)epoch * (GN_SETS + 1) + (uint64_t)set; }

gn_turn gn_order_at(const gn_order *o, int64_t place) {
    uint64_t seed = gn_hash_more(o->seed, "order", 5);
    int64_t period = 0, all = gn_order_samples(o);
    for (int k = 0; k < o->sets; k++) period += o->mix[k];
    gn_turn t = { 0 };
    if (!period) {
        t.epoch = place / all;
        t.sample = o->shuffled ? permuted(seed, stream(t.epoch, GN_SETS), all, place % all) : place % all;
        for (; t.sample >= o->n[t.set]; t.set++) t.sample -= o->n[t.set];
        t.unit = t.sample;
        return t;
    }
    int64_t within = place % period;
    for (; within >= o->mix[t.set]; t.set++) within -= o->mix[t.set];
    int64_t visit = place / period * o->mix[t.set] + within, n = o->n[t.set];
    t.epoch = visit / n;
    t.sample = o->shuffled ? permuted(seed, stream(t.epoch, t.set), n, visit % n) : visit % n;
    t.unit = t.sample;
    return t;
}

int64_t gn_order_member(uint64_t seed, gn_turn unit, int64_t n, int k, int together, int in_row) {
    const int64_t which[3] = { unit.set, unit.unit, unit.epoch };
    const uint64_t own = gn_hash_more(gn_hash_more(seed, "member", 6), which, sizeof which);
    if (in_row) return (int64_t)(gn_draw_at(own, 0, 0).word[0] % (uint64_t)(n - together + 1)) + k;
    return permuted(own, 1, n, k);
}
