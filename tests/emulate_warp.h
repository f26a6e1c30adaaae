/* emulate_warp.h - the functions of kernels/cuda/warp.cuh in the emulator's terms: same names, same layouts. */
#ifndef GN_EMULATE_WARP_H
#define GN_EMULATE_WARP_H
#include "formula/bf16.h"

GN_DEVICE int gn_lane() { return gn_emulate_lane(); }

GN_DEVICE float gn_shared_float(const char *all, int lane) {
    float y;
    memcpy(&y, all + lane * GN_SLOT, sizeof y);
    return y;
}
GN_DEVICE float gn_from_lane_xor(float x, int k) {
    return gn_shared_float(gn_emulate_warp_share("gn_from_lane_xor", &x, sizeof x), gn_lane() ^ k);
}
GN_DEVICE float gn_from_lane(float x, int lane) {
    return gn_shared_float(gn_emulate_warp_share("gn_from_lane", &x, sizeof x), lane);
}

GN_DEVICE void gn_copy_16(void *shared, const void *global, int there) { gn_emulate_copy(shared, global, 16, there); }
GN_DEVICE void gn_copy_commit() { gn_emulate_copy_commit(); }
template <int left> GN_DEVICE void gn_copy_wait() { gn_emulate_copy_wait(left); }

/* Nobody goes on before all have read: the warp reads at once. */
GN_DEVICE void gn_matrix_read_any(unsigned r[4], const void *row, int turned) {
    if ((uintptr_t)row % 16) fprintf(stderr, "emulate: a row of a matrix that is not aligned\n"), abort();
    const char *all = gn_emulate_warp_share("gn_matrix_read", &row, sizeof row);
    const int g = gn_lane() / 4, t = gn_lane() % 4;
    for (int i = 0; i < 4; i++) {
        uint16_t e[2];
        for (int k = 0; k < 2; k++) {
            const uint16_t *from;
            memcpy(&from, all + (8 * i + (turned ? 2 * t + k : g)) * GN_SLOT, sizeof from);
            e[k] = from[turned ? g : 2 * t + k];
        }
        r[i] = e[0] | (unsigned)e[1] << 16;
    }
    gn_emulate_warp_share("gn_matrix_read, done", &row, sizeof row);
}
GN_DEVICE void gn_matrix_read(unsigned r[4], const void *row) { gn_matrix_read_any(r, row, 0); }
GN_DEVICE void gn_matrix_read_turned(unsigned r[4], const void *row) { gn_matrix_read_any(r, row, 1); }

GN_DEVICE float gn_half_of(unsigned pair, int k) { return gn_bf16_read((uint16_t)(pair >> 16 * k)); }
GN_DEVICE unsigned gn_shared_word(const char *all, int lane, int word) {
    unsigned y;
    memcpy(&y, all + lane * GN_SLOT + word * (int)sizeof y, sizeof y);
    return y;
}

GN_DEVICE void gn_product(float d[4], const unsigned a[4], const unsigned b[2]) {
    unsigned mine[6] = { a[0], a[1], a[2], a[3], b[0], b[1] };
    const char *all = gn_emulate_warp_share("gn_product", mine, sizeof mine);
    const int g = gn_lane() / 4, t = gn_lane() % 4;
    for (int e = 0; e < 4; e++) {
        const int half = e / 2, column = 2 * t + e % 2; /* of row g or g + 8 */
        float sum = 0;
        for (int k = 0; k < 16; k += 2) {
            const unsigned left = gn_shared_word(all, g * 4 + k % 8 / 2, half + k / 8 * 2);
            const unsigned right = gn_shared_word(all, column * 4 + k % 8 / 2, 4 + k / 8);
            sum += gn_half_of(left, 0) * gn_half_of(right, 0);
            sum += gn_half_of(left, 1) * gn_half_of(right, 1);
        }
        d[e] += sum;
    }
}

GN_DEVICE unsigned gn_narrow2(float low, float high) {
    return (unsigned)gn_bf16_write(low) | (unsigned)gn_bf16_write(high) << 16;
}
#endif
