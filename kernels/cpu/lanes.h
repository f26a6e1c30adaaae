/* lanes.h - 16 channels of a place at once, as a vector that gcc and clang know on every processor.
 *
 * Left to themselves they turn a ReLU into a branch and bf16 into shuffles, ten times slower. Vectors go by
 * pointer: by value their calling convention would depend on the instruction set. */
#ifndef GN_CPU_LANES_H
#define GN_CPU_LANES_H
#include "store.h"
#include <string.h>
#ifdef __AVX512F__
#include <immintrin.h>
#endif

typedef gn_real gn_lanes __attribute__((vector_size(GN_LANES * sizeof(gn_real))));
typedef float gn_lanes_f32 __attribute__((vector_size(GN_LANES * sizeof(float))));
typedef uint32_t gn_lanes_u32 __attribute__((vector_size(GN_LANES * sizeof(uint32_t))));
typedef uint16_t gn_lanes_u16 __attribute__((vector_size(GN_LANES * sizeof(uint16_t))));
typedef __typeof__(_Generic((gn_real)0, float : (int32_t)0, double : (int64_t)0)) gn_lane_int;
typedef gn_lane_int gn_lanes_mask
    __attribute__((vector_size(GN_LANES * sizeof(gn_real)))); /* of a comparison: all bits or none */

#ifdef __AVX512BF16__
/* The instructions themselves: both compilers spell them out in halves otherwise. Denormals become 0. */
GN_INLINE void gn_lanes_widen(gn_lanes_f32 *to, const uint16_t *from) {
    *to = (gn_lanes_f32)_mm512_slli_epi32(
        _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(const void *)from)), 16);
}
GN_INLINE void gn_lanes_narrow(uint16_t *to, const gn_lanes_f32 *from) {
    _mm256_storeu_si256((__m256i *)(void *)to, (__m256i)_mm512_cvtneps_pbh((__m512)*from));
}
#else
GN_INLINE void gn_lanes_widen(gn_lanes_f32 *to, const uint16_t *from) {
    gn_lanes_u16 h;
    memcpy(&h, from, sizeof h);
    *to = (gn_lanes_f32)(__builtin_convertvector(h, gn_lanes_u32) << 16);
}
/* As gn_bf16_write: to nearest, ties to even, NaN stays NaN. */
GN_INLINE void gn_lanes_narrow(uint16_t *to, const gn_lanes_f32 *from) {
    gn_lanes_u32 bits = (gn_lanes_u32)*from, number = (gn_lanes_u32)(*from == *from);
    bits = (number & (bits + 0x7fffu + ((bits >> 16) & 1u))) | (~number & (bits | 0x400000u));
    gn_lanes_u16 h = __builtin_convertvector(bits >> 16, gn_lanes_u16);
    memcpy(to, &h, sizeof h);
}
#endif

/* n lanes from element `at` on; the others are 0. n is a constant 16 where speed matters. */
GN_INLINE void gn_lanes_get(gn_lanes *v, const void *from, gn_type type, int64_t at, int n) {
    if (n < GN_LANES) {
        *v = (gn_lanes){ 0 };
        for (int i = 0; i < n; i++) (*v)[i] = gn_get(from, type, at + i);
    } else if (type == GN_TYPE_BF16) {
        gn_lanes_f32 f;
        gn_lanes_widen(&f, (const uint16_t *)from + at);
        *v = __builtin_convertvector(f, gn_lanes);
    } else {
        memcpy(v, (const gn_real *)from + at, sizeof *v);
    }
}

GN_INLINE void gn_lanes_put(void *to, gn_type type, int64_t at, int n, const gn_lanes *v) {
    if (n < GN_LANES) {
        for (int i = 0; i < n; i++) gn_put(to, type, at + i, (*v)[i]);
    } else if (type == GN_TYPE_BF16) {
        gn_lanes_f32 f = __builtin_convertvector(*v, gn_lanes_f32);
        gn_lanes_narrow((uint16_t *)to + at, &f);
    } else {
        memcpy((gn_real *)to + at, v, sizeof *v);
    }
}

/* As gn_lanes_put of 16 lanes to memory at a multiple of 64 bytes, past the caches where the processor can:
 * for results far larger than they are, whose lines would be fetched only to be overwritten. A fence ends a
 * run of them. */
GN_INLINE void gn_lanes_stream(void *to, gn_type type, int64_t at, const gn_lanes *v) {
#ifdef __AVX512F__
    if (type == GN_TYPE_REAL && sizeof(gn_lanes) == sizeof(__m512)) {
        __m512 bits;
        memcpy(&bits, v, sizeof bits);
        _mm512_stream_ps((float *)to + at, bits);
        return;
    }
#endif
    gn_lanes_put(to, type, at, GN_LANES, v);
}
GN_INLINE void gn_stream_fence(void) {
#ifdef __AVX512F__
    _mm_sfence();
#endif
}

/* sum += v; what is added is itself a sum of a few places, so that widening costs little. */
GN_INLINE void gn_lanes_add(double *restrict sum, const gn_lanes *v) {
    for (int i = 0; i < GN_LANES; i++) sum[i] += (double)(*v)[i];
}

/* v where mask, else 0 */
GN_INLINE void gn_lanes_keep(gn_lanes *v, const gn_lanes_mask *mask) {
    *v = (gn_lanes)((gn_lanes_mask)*v & *mask);
}
#endif
