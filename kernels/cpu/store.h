/* store.h - activations as the CPU loops walk them: lanes of a block, whatever the storage type.
 *
 * Loops go over at most GN_LANES channels of one block at a time, so that with blocks of 16 the inner
 * loop has a constant length and becomes one vector. */
#ifndef GN_STORE_H
#define GN_STORE_H
#include "formula/bf16.h"
#include "gnomon/tensor.h"

#define GN_INLINE static inline __attribute__((always_inline))
enum { GN_LANES = 16 };

/* Element i of memory that holds gn_real or bf16; `type` is a constant after inlining. */
GN_INLINE gn_real gn_get(const void *from, gn_type type, int64_t i) {
    return type == GN_TYPE_BF16 ? gn_bf16_read(((const uint16_t *)from)[i]) : ((const gn_real *)from)[i];
}
GN_INLINE void gn_put(void *to, gn_type type, int64_t i, gn_real x) {
    if (type == GN_TYPE_BF16)
        ((uint16_t *)to)[i] = gn_bf16_write(x);
    else
        ((gn_real *)to)[i] = x;
}

typedef struct {
    int64_t n, c, places, block, blocks; /* memory is [n][blocks][places][block] */
} gn_planes;

GN_INLINE gn_planes gn_planes_of(const gn_tensor *t) {
    const int64_t *d = t->shape.d;
    gn_planes p = { d[0], d[1], 1, t->block ? t->block : d[1], 1 };
    for (int i = 2; i < t->shape.n; i++) p.places *= d[i];
    p.blocks = (p.c + p.block - 1) / p.block;
    return p;
}
#endif
