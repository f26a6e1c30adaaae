/* random.h - numbers drawn by counting: a draw is a function of (seed, stream, index) and nothing else.
 *
 * Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011). Neither the
 * order of draws nor the number of threads can change them. A stream is what is drawn for: a parameter,
 * a sample of an epoch, a node of a step; name it by gn_hash or by its number. */
#ifndef GN_RANDOM_H
#define GN_RANDOM_H
#include "gnomon/formula.h"

typedef struct { uint32_t word[4]; } gn_draw;

GN_FN gn_draw gn_draw_at(uint64_t seed, uint64_t stream, uint64_t index) {
    gn_draw d = { { (uint32_t)index, (uint32_t)(index >> 32), (uint32_t)stream, (uint32_t)(stream >> 32) } };
    uint32_t key[2] = { (uint32_t)seed, (uint32_t)(seed >> 32) };
    for (int round = 0; round < 10; round++) {
        uint64_t a = UINT64_C(0xD2511F53) * d.word[0], b = UINT64_C(0xCD9E8D57) * d.word[2];
        gn_draw next = { { (uint32_t)(b >> 32) ^ d.word[1] ^ key[0], (uint32_t)b, (uint32_t)(a >> 32) ^ d.word[3] ^ key[1],
                           (uint32_t)a } };
        d = next;
        key[0] += 0x9E3779B9u, key[1] += 0xBB67AE85u;
    }
    return d;
}

/* Words `pair` and `pair` + 1 as a number in [0, 1), all 53 bits of it. */
static inline double gn_draw_uniform(gn_draw d, int pair) {
    uint64_t bits = (uint64_t)d.word[pair + 1] << 32 | d.word[pair];
    return (double)(bits >> 11) * 0x1p-53;
}

/* Uniform in [0, 1). */
static inline double gn_uniform(uint64_t seed, uint64_t stream, uint64_t index) {
    return gn_draw_uniform(gn_draw_at(seed, stream, index), 0);
}

/* Normal, mean 0, variance 1 (Box and Muller). */
static inline double gn_normal(uint64_t seed, uint64_t stream, uint64_t index) {
    gn_draw d = gn_draw_at(seed, stream, index);
    double radius = sqrt(-2.0 * log(1.0 - gn_draw_uniform(d, 0)));
    return radius * cos(2.0 * GN_PI * gn_draw_uniform(d, 2));
}

/* An integer in [0, n), n > 0. */
static inline int64_t gn_below(uint64_t seed, uint64_t stream, uint64_t index, int64_t n) {
    return (int64_t)(gn_uniform(seed, stream, index) * (double)n);
}
#endif
