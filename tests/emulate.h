/* emulate.h - CUDA's words with another meaning, so that g++ compiles our .cu files unchanged and they run here.
 *
 *     g++ -x c++ -include tests/emulate.h kernels/cuda/conv.cu
 *
 * One block runs at a time, a fibre a thread. A fibre runs until it must wait for its warp or its block, and a warp as
 * far ahead of the others as it can, so a run repeats exactly; gn_emulate_backwards runs the last thread and the last
 * block first, and a result that changes is a race. A thread that leaves while others wait, and lanes of a warp that
 * ask for different things, are refused. Device memory is the heap, so the address sanitizer sees it. Shared memory is
 * filled with NaN before every block. Proves nothing about speed. The few runtime calls below do what the device would,
 * at once, or when a captured graph is launched. */
#ifndef GN_EMULATE_H
#define GN_EMULATE_H
#define GN_EMULATE 1
#define __CUDACC__ 1
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>

#define __global__
#define __host__
#define __device__
#define __grid_constant__
#define __forceinline__ inline
#define __align__(n) __attribute__((aligned(n)))
#define __launch_bounds__(...)
#define __shared__ static thread_local /* a host thread runs a device, its blocks one after the other */

struct dim3 {
    unsigned x, y, z;
    constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};
struct alignas(16) uint4 { unsigned x, y, z, w; };
struct alignas(8) uint2 { unsigned x, y; };
struct alignas(16) float4 { float x, y, z, w; };
struct alignas(8) float2 { float x, y; };

extern thread_local dim3 threadIdx, blockIdx, blockDim, gridDim;
extern bool gn_emulate_backwards; /* last thread and last block first */

void gn_emulate_launch(const char *name, dim3 grid, dim3 block, size_t shared, std::function<void()> body);
void gn_emulate_queue(std::function<void()> work); /* now, or when what is being captured is replayed */
void *gn_emulate_shared(void);         /* dynamic shared memory of the running block */
void gn_emulate_block_wait(const char *at);
/* Every lane of the warp leaves `bytes`, at most GN_SLOT, and gets the place of all lanes', GN_SLOT apart, which
 * stay until the lane's next call. */
enum { GN_SLOT = 128 };
const char *gn_emulate_warp_share(const char *what, const void *mine, size_t bytes);
int gn_emulate_lane(void);
/* What emulate_tile.cc and emulate_product.cc need of threads, and are asked by the block: when it begins, when all of its
 * threads wait (0: for ever), when threads have met, and when it has ended. */
unsigned gn_emulate_thread(void), gn_emulate_threads(void);
size_t gn_emulate_shared_bytes(void);
void gn_emulate_sleep(const char *what), gn_emulate_wake(unsigned thread);
[[noreturn]] void gn_emulate_refuse(const char *what, const char *where);
void gn_emulate_tiles_begin(void), gn_emulate_tiles_end(void), gn_emulate_products_start(void), gn_emulate_products_end(void);
int gn_emulate_tiles_come(void);
void gn_emulate_shared_see(void);
/* A thread's asynchronous copies happen when it waits for them, not before; backwards, at once. */
void gn_emulate_copy(void *to, const void *from, size_t bytes, int there);
void gn_emulate_copy_commit(void);
void gn_emulate_copy_wait(int left);

#define GN_TEXT2(x) #x
#define GN_TEXT(x) GN_TEXT2(x)
#define __syncthreads() gn_emulate_block_wait(__FILE__ ":" GN_TEXT(__LINE__))

/* Arguments are worked out at the launch, as on a device: a captured launch keeps them. */
template <class... P> struct gn_emulate_start {
    const char *name;
    dim3 grid, block;
    size_t shared;
    void (*kernel)(P...);
    void operator()(P... p) const {
        auto run = kernel;
        gn_emulate_launch(name, grid, block, shared, [=] { run(p...); });
    }
};
template <class... P>
gn_emulate_start<P...> gn_emulate_starter(const char *name, dim3 grid, dim3 block, size_t shared, void (*kernel)(P...)) {
    return { name, grid, block, shared, kernel };
}
#define GN_LAUNCH(kernel, grid, block, shared, stream, ...)                                                \
    ((void)(stream), gn_emulate_starter(#kernel, (grid), (block), (shared), kernel)(__VA_ARGS__))
#define GN_SHARED(type, name) type *name = (type *)gn_emulate_shared()
#define GN_UNROLL

/* --- the runtime, as far as device.cu uses it --- */
typedef enum { cudaSuccess, cudaErrorInvalidValue, cudaErrorMemoryAllocation = 2, cudaErrorNotReady = 600, cudaErrorLaunchFailure = 719, cudaErrorNoDevice = 100, cudaErrorStreamCaptureUnsupported = 900 } cudaError_t;
typedef struct gn_emulated_stream *cudaStream_t;
typedef struct gn_emulated_graph *cudaGraph_t, *cudaGraphExec_t;
typedef struct gn_emulated_event *cudaEvent_t;
enum cudaMemcpyKind { cudaMemcpyHostToDevice = 1, cudaMemcpyDeviceToHost, cudaMemcpyDeviceToDevice };
enum { cudaStreamNonBlocking = 1, cudaStreamCaptureModeThreadLocal = 1, cudaEventDisableTiming = 2 };
struct cudaDeviceProp {
    char name[256];
    size_t totalGlobalMem, sharedMemPerBlockOptin;
    int major, minor, multiProcessorCount;
};
cudaError_t cudaGetDeviceCount(int *n);
cudaError_t cudaSetDevice(int index);
cudaError_t cudaGetDevice(int *index);
enum cudaDeviceAttr { cudaDevAttrMaxSharedMemoryPerBlockOptin = 97 };
cudaError_t cudaDeviceGetAttribute(int *value, cudaDeviceAttr what, int index);
cudaError_t cudaGetDeviceProperties(cudaDeviceProp *p, int index);
cudaError_t cudaMemGetInfo(size_t *left, size_t *all);
cudaError_t cudaDriverGetVersion(int *version);
cudaError_t cudaRuntimeGetVersion(int *version);
cudaError_t cudaMalloc(void **p, size_t bytes);
cudaError_t cudaFree(void *p);
cudaError_t cudaMallocHost(void **p, size_t bytes);
cudaError_t cudaFreeHost(void *p);
cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream);
cudaError_t cudaMemsetAsync(void *at, int byte, size_t bytes, cudaStream_t stream);
cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned flags);
cudaError_t cudaStreamDestroy(cudaStream_t stream);
cudaError_t cudaStreamSynchronize(cudaStream_t stream);
cudaError_t cudaStreamQuery(cudaStream_t stream);
typedef enum { cudaStreamCaptureStatusNone, cudaStreamCaptureStatusActive } cudaStreamCaptureStatus;
cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus *status);
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, int mode);
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *graph);
cudaError_t cudaGraphInstantiate(cudaGraphExec_t *run, cudaGraph_t graph, unsigned long long flags);
cudaError_t cudaGraphLaunch(cudaGraphExec_t run, cudaStream_t stream);
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t run);
cudaError_t cudaGraphDestroy(cudaGraph_t graph);
cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned flags);
cudaError_t cudaEventCreate(cudaEvent_t *event);
cudaError_t cudaEventDestroy(cudaEvent_t event);
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream);
cudaError_t cudaEventSynchronize(cudaEvent_t event);
cudaError_t cudaEventElapsedTime(float *ms, cudaEvent_t from, cudaEvent_t to);
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned flags);
cudaError_t cudaGetLastError(void);
const char *cudaGetErrorString(cudaError_t error);
template <class F> cudaError_t cudaFuncSetAttribute(F, int, int) { return cudaSuccess; }
enum { cudaFuncAttributeMaxDynamicSharedMemorySize = 8 };

/* --- the driver, as far as map.cu uses it --- */
#define CUDART_VERSION 13000
typedef uint32_t cuuint32_t;
typedef uint64_t cuuint64_t;
struct alignas(64) CUtensorMap { cuuint64_t opaque[16]; };
typedef enum { CUDA_SUCCESS, CUDA_ERROR_INVALID_VALUE } CUresult;
typedef enum { CU_TENSOR_MAP_DATA_TYPE_BFLOAT16 = 9 } CUtensorMapDataType;
typedef enum { CU_TENSOR_MAP_INTERLEAVE_NONE } CUtensorMapInterleave;
typedef enum { CU_TENSOR_MAP_SWIZZLE_64B = 2, CU_TENSOR_MAP_SWIZZLE_128B } CUtensorMapSwizzle;
typedef enum { CU_TENSOR_MAP_L2_PROMOTION_L2_256B = 3 } CUtensorMapL2promotion;
typedef enum { CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE } CUtensorMapFloatOOBfill;
typedef enum { cudaDriverEntryPointSuccess, cudaDriverEntryPointSymbolNotFound } cudaDriverEntryPointQueryResult;
enum { cudaEnableDefault };
cudaError_t cudaGetDriverEntryPointByVersion(const char *name, void **found, unsigned version, unsigned long long flags,
                                             cudaDriverEntryPointQueryResult *how);
#endif
