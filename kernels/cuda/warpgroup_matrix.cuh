// warpgroup_matrix.cuh - matrices in shared memory as wgmma is told of them, and the text of a wgmma.
//
// A descriptor, bits: 0-13 address / 16; 16-29 leading / 16; 32-45 stride / 16; 49-51 base offset, 0 where patterns begin at
// multiples of 1024; 62-63 swizzle: 1 of 128 bytes, 2 of 64. Swizzled: in a row of 128 bytes piece i of 16 bytes lies at i ^
// bits 7-9 of the address, in one of 64 at i ^ bits 7-8; panel_at<8> and panel_at<4> of conv_panel.cuh say the same.
#ifndef GN_WARPGROUP_MATRIX_CUH
#define GN_WARPGROUP_MATRIX_CUH
#include "warp.cuh"

typedef uint64_t gn_matrix;

#ifndef GN_EMULATE
GN_DEVICE unsigned gn_shared_at(const void *p) { return (unsigned)__cvta_generic_to_shared(p); }
#endif
GN_DEVICE unsigned gn_shared_at(const void *p);

GN_DEVICE gn_matrix gn_matrix_of(const void *shared, int leading, int stride, int swizzle) {
    return (gn_shared_at(shared) & 0x3ffff) >> 4 | (gn_matrix)(leading >> 4) << 16 | (gn_matrix)(stride >> 4) << 32 |
           (gn_matrix)swizzle << 62;
}
// Rows of `bytes`, 128 or 64, along the sum's index (K-major); a row is one of a's rows or b's columns. 16 further along the
// sum: + GN_NEXT_DEEP, inside a row.
GN_DEVICE gn_matrix gn_matrix_deep(const void *shared, int bytes) {
    return gn_matrix_of(shared, 16, 8 * bytes, bytes == 128 ? 1 : 2);
}
// Rows of 128 bytes along a's rows or b's columns (MN-major), each row an index of the sum; `next` bytes on lie the next 64 of
// them. 16 further along the sum: + GN_NEXT_WIDE.
GN_DEVICE gn_matrix gn_matrix_wide(const void *shared, int next) { return gn_matrix_of(shared, next, 1024, 1); }
enum { GN_NEXT_DEEP = 32 / 16, GN_NEXT_WIDE = 16 * 128 / 16 };

// The sums are operands 0 .. N / 2 - 1. p says that they are added to.
#define GN_WGMMA(N, numbers, rest)                                                                         \
    "{\n.reg .pred p;\nsetp.eq.u32 p, 0, 0;\nwgmma.mma_async.sync.aligned.m64n" #N                         \
    "k16.f32.bf16.bf16 {" numbers "}, " rest ";\n}"
#define GN_NUMBERS_32                                                                                      \
    "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "                               \
    "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31"
#define GN_NUMBERS_64                                                                                      \
    GN_NUMBERS_32 ", %32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "     \
    "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"
#define GN_NUMBERS_128                                                                                     \
    GN_NUMBERS_64 ", %64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, "     \
    "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95, "                     \
    "%96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111, "         \
    "%112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, %127"
#define GN_SUMS_4(j) "+f"(acc[j][0]), "+f"(acc[j][1]), "+f"(acc[j][2]), "+f"(acc[j][3])
#define GN_SUMS_16(j) GN_SUMS_4(j), GN_SUMS_4((j) + 1), GN_SUMS_4((j) + 2), GN_SUMS_4((j) + 3)
#define GN_SUMS_32 GN_SUMS_16(0), GN_SUMS_16(4)
#define GN_SUMS_64 GN_SUMS_32, GN_SUMS_16(8), GN_SUMS_16(12)
#define GN_SUMS_128 GN_SUMS_64, GN_SUMS_16(16), GN_SUMS_16(20), GN_SUMS_16(24), GN_SUMS_16(28)
#define GN_LEFT(a) "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3])
#endif
