// store.cuh - activations as kernels walk them: [places][C], float or bf16 in memory, float in registers.
#ifndef GN_STORE_CUH
#define GN_STORE_CUH
#include "warp.cuh"

struct bf16 { uint16_t bits; };

GN_DEVICE float gn_load(const float *x, int64_t i) { return x[i]; }
GN_DEVICE float gn_load(const bf16 *x, int64_t i) { return gn_bf16_read(x[i].bits); }
GN_DEVICE void gn_store(float *x, int64_t i, float v) { x[i] = v; }
GN_DEVICE void gn_store(bf16 *x, int64_t i, float v) { x[i].bits = gn_bf16_write(v); }

// Eight neighbours, from a place that is a multiple of eight: taken as they lie in memory, spread when they are needed,
// so that several may be under way.
struct float8 { float4 a, b; };
GN_DEVICE float8 gn_take8(const float *x, int64_t i) {
    float8 a = { *(const float4 *)(x + i), *(const float4 *)(x + i + 4) };
    return a;
}
GN_DEVICE uint4 gn_take8(const bf16 *x, int64_t i) { return *(const uint4 *)(x + i); }
GN_DEVICE void gn_spread8(float8 x, float v[8]) {
    v[0] = x.a.x, v[1] = x.a.y, v[2] = x.a.z, v[3] = x.a.w, v[4] = x.b.x, v[5] = x.b.y, v[6] = x.b.z, v[7] = x.b.w;
}
GN_DEVICE void gn_spread2(unsigned pair, float *v) {
    v[0] = gn_bf16_read((uint16_t)pair);
    v[1] = gn_bf16_read((uint16_t)(pair >> 16));
}
GN_DEVICE void gn_spread8(uint4 a, float v[8]) {
    gn_spread2(a.x, v), gn_spread2(a.y, v + 2), gn_spread2(a.z, v + 4), gn_spread2(a.w, v + 6);
}
template <class T> GN_DEVICE void gn_load8(const T *x, int64_t i, float v[8]) { gn_spread8(gn_take8(x, i), v); }
GN_DEVICE void gn_store8(float *x, int64_t i, const float v[8]) {
    float4 a, b;
    a.x = v[0], a.y = v[1], a.z = v[2], a.w = v[3], b.x = v[4], b.y = v[5], b.z = v[6], b.w = v[7];
    *(float4 *)(x + i) = a;
    *(float4 *)(x + i + 4) = b;
}
GN_DEVICE uint4 gn_narrow8(const float v[8]) {
    uint4 a;
    a.x = gn_narrow2(v[0], v[1]), a.y = gn_narrow2(v[2], v[3]), a.z = gn_narrow2(v[4], v[5]), a.w = gn_narrow2(v[6], v[7]);
    return a;
}
GN_DEVICE void gn_store8(bf16 *x, int64_t i, const float v[8]) { *(uint4 *)(x + i) = gn_narrow8(v); }

// GN_BY_TYPE(tensor.type, T, statement with T)
#define GN_BY_TYPE(type, T, ...)                                                                           \
    do {                                                                                                   \
        if ((type) == GN_TYPE_BF16) {                                                                      \
            using T = bf16;                                                                                \
            __VA_ARGS__;                                                                                   \
        } else {                                                                                           \
            using T = float;                                                                               \
            __VA_ARGS__;                                                                                   \
        }                                                                                                  \
    } while (0)

// An activation as the kernels see it; [N C] is [N][C], too.
struct places {
    int64_t n, places;      // samples; places a sample
    int c, h, w;
};
static inline places places_of(const gn_tensor *t) {
    const int64_t *d = t->shape.d;
    places p = { d[0], 1, (int)d[1], t->shape.n > 2 ? (int)d[2] : 1, t->shape.n > 3 ? (int)d[3] : 1 };
    p.places = (int64_t)p.h * p.w;
    return p;
}
#endif
