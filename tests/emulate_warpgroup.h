/* emulate_warpgroup.h - the functions of kernels/cuda/warpgroup.cuh in the emulator's terms: same names, same bits of
 * descriptors, same swizzles.
 *
 * What is asynchronous happens as late as it may: a product when its warp waits, a tile when all threads sleep, the newest
 * first, a store when its thread waits; backwards, at once. So what is read too early, or given free too early, is wrong in
 * one of the two. Products and stores read shared memory as the asynchronous proxy sees it: without gn_shared_ready, as it
 * was. Not seen: a gn_shared_ready that some of the writing threads forget, or that comes before the last write but without a
 * barrier between; a warp that others overtake in one product (each runs its 16 rows alone). */
#ifndef GN_EMULATE_WARPGROUP_H
#define GN_EMULATE_WARPGROUP_H

/* --- emulate_tile.cc --- */
unsigned gn_emulate_shared_at(const void *p);            /* an address as a descriptor has it; refused outside dynamic shared memory */
const unsigned char *gn_emulate_seen(unsigned at, int bytes); /* by the asynchronous proxy */
void gn_emulate_barrier_begin(void *b, int arrivals);
void gn_emulate_barriers_ready(void);
void gn_emulate_barrier_arrive(void *b, int bytes);
void gn_emulate_barrier_wait(const void *b, unsigned parity);
void gn_emulate_tile_load(void *shared, const CUtensorMap *m, int column, int row, void *barrier);
void gn_emulate_tile_store(const CUtensorMap *m, int column, int row, const void *shared);
void gn_emulate_tile_commit(void);
void gn_emulate_tile_wait(int left);
void gn_emulate_shared_ready(void);
/* --- emulate_product.cc --- */
struct gn_emulate_wgmma { /* what all threads of a warpgroup say alike; `a` is NULL's where a is in registers */
    int n, in_registers, turned_a, turned_b;
    uint64_t a, b;
};
void gn_emulate_product(gn_emulate_wgmma what, float *acc, const unsigned *a);
void gn_emulate_products_name(const void *registers, size_t bytes); /* to the next begin or wait */
void gn_emulate_products_begin(void);
void gn_emulate_products_commit(void);
void gn_emulate_products_wait(int left);
void gn_emulate_group_wait(int barrier, int threads);
void gn_emulate_registers(int n, int more);

#ifdef GN_WARPGROUP_CUH
GN_DEVICE unsigned gn_shared_at(const void *p) { return gn_emulate_shared_at(p); }
GN_DEVICE void gn_barrier_begin(gn_barrier *b, int arrivals) { gn_emulate_barrier_begin(b, arrivals); }
GN_DEVICE void gn_barriers_ready() { gn_emulate_barriers_ready(); }
GN_DEVICE void gn_barrier_arrive(gn_barrier *b) { gn_emulate_barrier_arrive(b, 0); }
GN_DEVICE void gn_barrier_expect(gn_barrier *b, int bytes) { gn_emulate_barrier_arrive(b, bytes); }
GN_DEVICE void gn_barrier_wait(const gn_barrier *b, unsigned parity) { gn_emulate_barrier_wait(b, parity); }
GN_DEVICE void gn_tile_load(void *shared, const gn_map *m, int column, int row, gn_barrier *b) {
    gn_emulate_tile_load(shared, m, column, row, b);
}
GN_DEVICE void gn_tile_store(const gn_map *m, int column, int row, const void *shared) {
    gn_emulate_tile_store(m, column, row, shared);
}
GN_DEVICE void gn_tile_commit() { gn_emulate_tile_commit(); }
template <int left> GN_DEVICE void gn_tile_wait() { gn_emulate_tile_wait(left); }
GN_DEVICE void gn_shared_ready() { gn_emulate_shared_ready(); }

template <int N, int TURNED> GN_DEVICE void gn_product_wide(float acc[][4], const unsigned a[4], gn_matrix b) {
    static_assert(N == 64 || N == 128 || N == 256, "columns of a product");
    gn_emulate_product({ N, 1, 0, TURNED, 0, b }, acc[0], a);
}
template <int N, int TA, int TB> GN_DEVICE void gn_product_shared(float acc[][4], gn_matrix a, gn_matrix b) {
    static_assert(N == 64 || N == 128 || N == 256, "columns of a product");
    gn_emulate_product({ N, 0, TA, TB, a, b }, acc[0], nullptr);
}
template <class... A> GN_DEVICE void gn_products_begin(A &...used) {
    (gn_emulate_products_name(&used, sizeof used), ...);
    gn_emulate_products_begin();
}
GN_DEVICE void gn_products_commit() { gn_emulate_products_commit(); }
template <int left, class... A> GN_DEVICE void gn_products_wait(A &...sums) {
    (gn_emulate_products_name(&sums, sizeof sums), ...);
    gn_emulate_products_wait(left);
}
GN_DEVICE void gn_group_wait(int barrier, int threads) { gn_emulate_group_wait(barrier, threads); }
template <int n> GN_DEVICE void gn_registers_fewer() {
    static_assert(n % 8 == 0 && n >= 24 && n <= 256, "registers of a thread");
    gn_emulate_registers(n, 0);
}
template <int n> GN_DEVICE void gn_registers_more() {
    static_assert(n % 8 == 0 && n >= 24 && n <= 256, "registers of a thread");
    gn_emulate_registers(n, 1);
}
#endif
#endif
