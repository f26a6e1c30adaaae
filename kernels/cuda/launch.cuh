// launch.cuh - the only way to start a kernel, and what every .cu includes first.
//
// Kernels start through GN_LAUNCH and take their dynamic shared memory through GN_SHARED, so that
// tests/emulate.h can run them without a device. A launch only queues; gn_launched turns what the runtime
// says about it into a status, in the words of the op. GN_SYNC=1 waits after each and so names the culprit.
#ifndef GN_LAUNCH_CUH
#define GN_LAUNCH_CUH
#ifndef GN_EMULATE
#include <cuda_runtime.h>
#define GN_LAUNCH(kernel, grid, block, shared, stream, ...)                                                \
    (kernel)<<<(grid), (block), (shared), (cudaStream_t)(stream)>>>(__VA_ARGS__)
#define GN_SHARED(type, name)                                                                              \
    extern __shared__ __align__(1024) unsigned char gn_shared_bytes[];                                     \
    type *name = (type *)gn_shared_bytes
#define GN_UNROLL _Pragma("unroll") // before a loop whose counter picks registers
#endif
extern "C" {
#include "gnomon/op.h"
}

#define GN_DEVICE static __device__ __forceinline__
#define WARP 32

extern "C" gn_status gn_launched(const char *what, void *stream); // device.cu
// Of the thread's device: 10 major + minor. GN_CAPABILITY=80 makes it that at most: a newer GPU runs an older one's kernels.
extern "C" int gn_capability(void);
// Blocks that fill a large GPU once: 132, so that no result depends on the GPU. GN_FILL=4: small shapes meet the kernels of large ones.
extern "C" int gn_fill(void);

// A kernel that wants more than 48 KB of shared memory says so once, when it is planned.
template <class F> static gn_status gn_wants_shared(F kernel, size_t bytes, const char *what) {
    if (bytes <= 48 << 10) return GN_OK;
    cudaError_t e = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, (int)bytes);
    if (e != cudaSuccess)
        GN_FAIL(NO_DEVICE, "%s: wants %zu bytes of shared memory: %s", what, bytes, cudaGetErrorString(e));
    return GN_OK;
}

static inline unsigned gn_blocks(int64_t n, int64_t each) { return (unsigned)((n + each - 1) / each); }
#endif
