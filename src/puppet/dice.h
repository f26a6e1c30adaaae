/* dice.h - draws of the puppet world. A throw is a function of the dice's name (seed, what, number)
 * and of how many this very dice threw before. */
#ifndef GN_PUPPET_DICE_H
#define GN_PUPPET_DICE_H
#include "kernels/formula/random.h"
#include "src/puppet/vec.h"

typedef struct {
    uint64_t seed, number;
    uint32_t what, at;
    gn_draw four;
} dice;

static inline dice dice_of(uint64_t seed, uint32_t what, uint64_t number) {
    return (dice){ seed, number, what, 0, { { 0 } } };
}
static inline uint32_t throw32(dice *d) {
    if (d->at % 4 == 0) d->four = gn_draw_at(d->seed, d->number, (uint64_t)d->what << 32 | d->at / 4);
    return d->four.word[d->at++ % 4];
}
static inline float chance(dice *d) { return (float)(throw32(d) >> 8) * 0x1p-24f; } /* [0, 1) */
static inline float between(dice *d, float least, float most) { return least + (most - least) * chance(d); }
static inline int pick(dice *d, int n) { return (int)(((uint64_t)throw32(d) * (uint64_t)n) >> 32); }
static inline int happens(dice *d, float share) { return chance(d) < share; }
/* nearly normal, never beyond 3.4 deviations */
static inline float around(dice *d, float mean, float deviation) {
    float sum = chance(d);
    for (int k = 0; k < 3; k++) sum += chance(d);
    return mean + deviation * (sum - 2) * 1.7320508f;
}
#endif
