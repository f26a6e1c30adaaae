/* bf16.h - the upper half of a float: a load and a store, never another formula. */
#ifndef GN_BF16_H
#define GN_BF16_H
#include "gnomon/formula.h"

typedef union {
    float value;
    uint32_t bits;
} gn_float_bits;

GN_FN gn_real gn_bf16_read(uint16_t h) {
    gn_float_bits f;
    f.bits = (uint32_t)h << 16;
    return GN_R(f.value);
}

/* To nearest, ties to even; NaN stays NaN. */
GN_FN uint16_t gn_bf16_write(gn_real x) {
    gn_float_bits f;
    f.value = (float)x;
    uint32_t rounded = f.bits + 0x7fffu + ((f.bits >> 16) & 1u);
    uint32_t quiet = f.bits | 0x400000u;
    return (uint16_t)((f.value == f.value ? rounded : quiet) >> 16);
}
#endif
