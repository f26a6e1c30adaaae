// warpgroup.cuh - the instructions of sm_90a: barriers in shared memory, tiles moved by the copy engine (TMA), and products
// of a warpgroup (wgmma), the four warps 4i .. 4i + 3.
//
// Each is one named function with a second body in tests/emulate_warpgroup.h, which refuses what the hardware forbids; below
// sm_90a they trap, and plans choose another kernel. Two proxies read and write shared memory: threads, and the asynchronous
// one of tiles and products, which sees what threads wrote only after gn_shared_ready. (PTX ISA: mbarrier,
// cp.async.bulk.tensor, wgmma, setmaxnreg.)
#ifndef GN_WARPGROUP_CUH
#define GN_WARPGROUP_CUH
#ifndef GN_EMULATE
#include <cuda.h> // its types alone: the driver is found when the program runs
#endif
#include "warp.cuh"
#include "warpgroup_matrix.cuh"

// A phase ends when all counted arrivals and all announced bytes are there; then the next begins, with as many arrivals.
struct gn_barrier { alignas(8) uint64_t word; };
typedef CUtensorMap gn_map; // a `const __grid_constant__ gn_map` argument of the kernel

// Tiles of the bf16 matrix [rows][columns], `pitch` numbers from row to row; the base and a row's bytes are multiples of 16.
// A tile of box_columns 64 lies in shared memory as gn_matrix_deep's rows of 128 bytes, one of 32 as its rows of 64.
extern "C" gn_status gn_map_of(gn_map *m, const void *base, int64_t rows, int64_t columns, int64_t pitch, int box_rows,
                               int box_columns);

#ifndef GN_EMULATE
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
#define GN_SM90(...) asm volatile(__VA_ARGS__)
#else
#define GN_SM90(...) __trap()
#endif

// One thread: each barrier, then gn_barriers_ready; __syncthreads before others use them.
GN_DEVICE void gn_barrier_begin([[maybe_unused]] gn_barrier *b, [[maybe_unused]] int arrivals) {
    GN_SM90("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(gn_shared_at(b)), "r"(arrivals) : "memory");
}
GN_DEVICE void gn_barriers_ready() { GN_SM90("fence.mbarrier_init.release.cluster;\nfence.proxy.async;" ::: "memory"); }
GN_DEVICE void gn_barrier_arrive([[maybe_unused]] gn_barrier *b) {
    GN_SM90("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(gn_shared_at(b)) : "memory");
}
// Announces bytes, and arrives: a tile's are all of its box, also those outside the matrix.
GN_DEVICE void gn_barrier_expect([[maybe_unused]] gn_barrier *b, [[maybe_unused]] int bytes) {
    GN_SM90("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(gn_shared_at(b)), "r"(bytes) : "memory");
}
// Until the phase of this parity is over. The first is of parity 0, and before it one of parity 1 is over.
GN_DEVICE void gn_barrier_wait([[maybe_unused]] const gn_barrier *b, [[maybe_unused]] unsigned parity) {
    GN_SM90("{\n.reg .pred over;\nAGAIN:\nmbarrier.try_wait.parity.shared::cta.b64 over, [%0], %1;\n@!over bra AGAIN;\n}"
            ::"r"(gn_shared_at(b)), "r"(parity) : "memory");
}

// One thread. Outside the matrix lie zeros; row and column may be negative. `shared`: a multiple of 1024.
GN_DEVICE void gn_tile_load([[maybe_unused]] void *shared, [[maybe_unused]] const gn_map *m, [[maybe_unused]] int column,
                            [[maybe_unused]] int row, [[maybe_unused]] gn_barrier *b) {
    GN_SM90("cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3}], [%4];"
            ::"r"(gn_shared_at(shared)), "l"(m), "r"(column), "r"(row), "r"(gn_shared_at(b)) : "memory");
}
// One thread, after gn_shared_ready by all that wrote the tile and a barrier of them; outside the matrix nothing is written.
GN_DEVICE void gn_tile_store([[maybe_unused]] const gn_map *m, [[maybe_unused]] int column, [[maybe_unused]] int row,
                             [[maybe_unused]] const void *shared) {
    GN_SM90("cp.async.bulk.tensor.2d.global.shared::cta.bulk_group [%0, {%1, %2}], [%3];"
            ::"l"(m), "r"(column), "r"(row), "r"(gn_shared_at(shared)) : "memory");
}
GN_DEVICE void gn_tile_commit() { GN_SM90("cp.async.bulk.commit_group;" ::: "memory"); }
// Until at most `left` of the thread's groups still read shared memory: 0 before the block ends.
template <int left> GN_DEVICE void gn_tile_wait() { GN_SM90("cp.async.bulk.wait_group.read %0;" ::"n"(left) : "memory"); }
// What this thread has written to shared memory, tiles and products see.
GN_DEVICE void gn_shared_ready() { GN_SM90("fence.proxy.async.shared::cta;" ::: "memory"); }

// acc += a b: acc [64 x N] float, of which warp w of the warpgroup has rows 16w .. 16w + 15, laid as gn_product's d, 8 columns
// after 8 columns. a [64 x 16] in registers, laid as gn_product's a, rows by warps; b [16 x N] in shared memory, TURNED: wide.
// All 128 threads, with the same b. It happens some time before gn_products_wait: neither acc nor a is touched before that,
// and b not before all four warps have waited. ptxas serializes all products of a kernel (C7515) if one with a in registers is
// under way when a loop turns: wait for it before, having read the next a meanwhile.
template <int N, int TURNED>
GN_DEVICE void gn_product_wide([[maybe_unused]] float acc[][4], [[maybe_unused]] const unsigned a[4],
                               [[maybe_unused]] gn_matrix b) {
    static_assert(N == 64 || N == 128 || N == 256, "columns of a product");
    if constexpr (N == 64)
        GN_SM90(GN_WGMMA(64, GN_NUMBERS_32, "{%32, %33, %34, %35}, %36, p, 1, 1, %37")
                : GN_SUMS_32 : GN_LEFT(a), "l"(b), "n"(TURNED) : "memory");
    if constexpr (N == 128)
        GN_SM90(GN_WGMMA(128, GN_NUMBERS_64, "{%64, %65, %66, %67}, %68, p, 1, 1, %69")
                : GN_SUMS_64 : GN_LEFT(a), "l"(b), "n"(TURNED) : "memory");
    if constexpr (N == 256)
        GN_SM90(GN_WGMMA(256, GN_NUMBERS_128, "{%128, %129, %130, %131}, %132, p, 1, 1, %133")
                : GN_SUMS_128 : GN_LEFT(a), "l"(b), "n"(TURNED) : "memory");
}
// The same of an a in shared memory, TA: wide.
template <int N, int TA, int TB>
GN_DEVICE void gn_product_shared([[maybe_unused]] float acc[][4], [[maybe_unused]] gn_matrix a, [[maybe_unused]] gn_matrix b) {
    static_assert(N == 64 || N == 128 || N == 256, "columns of a product");
    if constexpr (N == 64)
        GN_SM90(GN_WGMMA(64, GN_NUMBERS_32, "%32, %33, p, 1, 1, %34, %35")
                : GN_SUMS_32 : "l"(a), "l"(b), "n"(TA), "n"(TB) : "memory");
    if constexpr (N == 128)
        GN_SM90(GN_WGMMA(128, GN_NUMBERS_64, "%64, %65, p, 1, 1, %66, %67")
                : GN_SUMS_64 : "l"(a), "l"(b), "n"(TA), "n"(TB) : "memory");
    if constexpr (N == 256)
        GN_SM90(GN_WGMMA(256, GN_NUMBERS_128, "%128, %129, p, 1, 1, %130, %131")
                : GN_SUMS_128 : "l"(a), "l"(b), "n"(TA), "n"(TB) : "memory");
}

// An empty instruction that reads and writes a register, so that the compiler moves no use of it across.
GN_DEVICE void gn_hold(float &x) { asm volatile("" : "+f"(x)::"memory"); }
GN_DEVICE void gn_hold(unsigned &x) { asm volatile("" : "+r"(x)::"memory"); }
template <class T, int n> GN_DEVICE void gn_hold(T (&x)[n]) {
    GN_UNROLL for (int i = 0; i < n; i++) gn_hold(x[i]);
}
// Before products: names the arrays of registers that they use, sums and a alike, and that anything else touched since the
// last wait. After them commit; then a wait that names the sums, before anything else touches them.
template <class... A> GN_DEVICE void gn_products_begin(A &...used) {
    (gn_hold(used), ...);
    GN_SM90("wgmma.fence.sync.aligned;" ::: "memory");
}
GN_DEVICE void gn_products_commit() { GN_SM90("wgmma.commit_group.sync.aligned;" ::: "memory"); }
// Until at most `left` of the warp's groups are under way.
template <int left, class... A> GN_DEVICE void gn_products_wait(A &...sums) {
    GN_SM90("wgmma.wait_group.sync.aligned %0;" ::"n"(left) : "memory");
    (gn_hold(sums), ...);
}

// All of some warps of the block, `threads` in all, wait for each other; barrier 1 .. 15: 0 is that of __syncthreads.
GN_DEVICE void gn_group_wait(int barrier, int threads) {
    asm volatile("bar.sync %0, %1;" ::"r"(barrier), "r"(threads) : "memory");
}
// All warps of a warpgroup: registers a thread has from here on, a multiple of 8, 24 .. 256; 65,536 in all for the block. Of a
// kernel with __launch_bounds__(threads, 1): without the 1 ptxas ignores it (C7508).
template <int n> GN_DEVICE void gn_registers_fewer() {
    static_assert(n % 8 == 0 && n >= 24 && n <= 256, "registers of a thread");
    GN_SM90("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(n));
}
template <int n> GN_DEVICE void gn_registers_more() {
    static_assert(n % 8 == 0 && n >= 24 && n <= 256, "registers of a thread");
    GN_SM90("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(n));
}
#else
#include "emulate_warpgroup.h"
#endif
#endif
