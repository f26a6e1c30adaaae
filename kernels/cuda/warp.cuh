// warp.cuh - the few instructions that threads of a warp carry out together, and asynchronous copies.
//
// Each is one named function with a second body in tests/emulate_warp.h, so that one kernel text runs on a
// device and without one, with the real fragment layouts (PTX ISA: mma.m16n8k16, ldmatrix).
// All lanes of the warp must call.
#ifndef GN_WARP_CUH
#define GN_WARP_CUH
#include "launch.cuh"

#ifndef GN_EMULATE
#include "formula/bf16.h"

GN_DEVICE int gn_lane() { return (int)(threadIdx.x % WARP); }
GN_DEVICE float gn_from_lane_xor(float x, int k) { return __shfl_xor_sync(0xffffffffu, x, k); }
GN_DEVICE float gn_from_lane(float x, int lane) { return __shfl_sync(0xffffffffu, x, lane); }

// 16 bytes from global to shared memory, behind the thread's back; zeros when `there` is 0. As gn_product, not below sm_80.
GN_DEVICE void gn_copy_16(void *shared, const void *global, int there) {
#if __CUDA_ARCH__ >= 800
    unsigned to = (unsigned)__cvta_generic_to_shared(shared);
    int bytes = there ? 16 : 0;
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(global), "r"(bytes) : "memory");
#else
    (void)shared, (void)global, (void)there;
    __trap();
#endif
}
GN_DEVICE void gn_copy_commit() {
#if __CUDA_ARCH__ >= 800
    asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}
// until at most `left` of the thread's groups are under way
template <int left> GN_DEVICE void gn_copy_wait() {
#if __CUDA_ARCH__ >= 800
    asm volatile("cp.async.wait_group %0;" ::"n"(left) : "memory");
#endif
}

// Four 8x8 matrices of 16-bit numbers: lane l names row l%8 of matrix l/8, and gets of each matrix i the
// elements 2(l%4), +1 of row l/4 in r[i]; transposed: of column l/4.
GN_DEVICE void gn_matrix_read(unsigned r[4], const void *row) {
    unsigned at = (unsigned)__cvta_generic_to_shared(row);
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(at) : "memory");
}
GN_DEVICE void gn_matrix_read_turned(unsigned r[4], const void *row) {
    unsigned at = (unsigned)__cvta_generic_to_shared(row);
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(at) : "memory");
}

// d += a b: a [16 x 16] bf16, b [16 x 8] bf16, d [16 x 8] float. With g = lane/4, t = lane%4:
//   a[0] row g, columns 2t, 2t+1; a[1] row g+8; a[2] row g, columns +8; a[3] row g+8, columns +8
//   b[0] rows 2t, 2t+1 of column g; b[1] rows +8      d[0], d[1] row g, columns 2t, 2t+1; d[2], d[3] row g+8
// Below sm_80 there is no such product; plans choose another kernel there.
GN_DEVICE void gn_product(float d[4], const unsigned a[4], const unsigned b[2]) {
#if __CUDA_ARCH__ >= 800
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
    (void)d, (void)a, (void)b;
    __trap();
#endif
}

// Two floats to bf16, to nearest, ties to even; `low` into the low half.
GN_DEVICE unsigned gn_narrow2(float low, float high) {
#if __CUDA_ARCH__ >= 800
    unsigned r;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(high), "f"(low));
    return r;
#else
    return (unsigned)gn_bf16_write(low) | (unsigned)gn_bf16_write(high) << 16;
#endif
}

#else
#include "emulate_warp.h"
#endif
#endif
