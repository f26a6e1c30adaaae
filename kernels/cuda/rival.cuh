// rival.cuh - what cublas.cu and cudnn.cu share: how a library is loaded, who has its handle, and matrices turned.
#ifndef GN_RIVAL_CUH
#define GN_RIVAL_CUH
#include "library.cuh"
#include <dlfcn.h>
#include <mutex>
#include <stdio.h>

enum { PIECE = 256 /* bytes: alignment of what lies in scratch */, SQUARE = 32, TURNERS = 256 };

// --- loading ---

struct symbol {
    const char *name;
    void *function; // a pointer to the function's pointer
};

// The first of `names` that loads, with its symbols. Returns what is missing, or NULL.
static inline const char *load(const char *const *names, const symbol *symbols, int n) {
    static char text[512];
    void *library = NULL;
    for (int i = 0; names[i] && !library; i++) {
        library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
        if (!library && !i) snprintf(text, sizeof text, "%s", dlerror());
    }
    if (!library) return text;
    for (int i = 0; i < n; i++) {
        void *found = dlsym(library, symbols[i].name);
        if (!found) {
            snprintf(text, sizeof text, "%s", dlerror());
            return text;
        }
        memcpy(symbols[i].function, &found, sizeof found);
    }
    return NULL;
}

// --- one handle a plan: an arena's nodes share it, and it ends with the arena ---

template <class H> struct handle {
    static std::mutex lock;
    static handle *newest;
    H of;
    gn_arena *arena;
    int device;
    void (*close)(H);
};
template <class H> std::mutex handle<H>::lock;
template <class H> handle<H> *handle<H>::newest;

template <class H> static void handle_end(void *what) {
    handle<H> *h = (handle<H> *)what;
    cudaSetDevice(h->device);
    h->close(h->of);
    std::lock_guard<std::mutex> guard(h->lock);
    if (h->newest == h) h->newest = NULL;
}

template <class H> static gn_status handle_of(gn_arena *a, gn_status (*open)(H *), void (*close)(H), H *of) {
    std::lock_guard<std::mutex> guard(handle<H>::lock);
    handle<H> *h = handle<H>::newest;
    if (!h || h->arena != a) {
        GN_TAKE(h, a, 1);
        if (cudaGetDevice(&h->device) != cudaSuccess) GN_FAIL(NO_DEVICE, "no GPU is there");
        h->arena = a;
        h->close = close;
        GN_TRY(open(&h->of));
        const gn_status s = gn_arena_at_end(a, handle_end<H>, h);
        if (s) close(h->of);
        GN_TRY(s);
        handle<H>::newest = h;
    }
    *of = h->of;
    return GN_OK;
}

// --- matrices ---

// to[n][column][row] = or += from[n][row][column]
template <class A, class B>
static __global__ void __launch_bounds__(TURNERS) turn(const A *from, B *to, int rows, int columns, int add) {
    __shared__ float square[SQUARE][SQUARE + 1];
    constexpr int deep = TURNERS / SQUARE;
    const int across = (columns + SQUARE - 1) / SQUARE, each = (rows + SQUARE - 1) / SQUARE * across;
    const int n = blockIdx.x / each, r0 = (int)(blockIdx.x % each) / across * SQUARE, c0 = (int)(blockIdx.x % each) % across * SQUARE;
    const int lane = threadIdx.x % SQUARE;
    const int64_t base = (int64_t)n * rows * columns;
    for (int k = threadIdx.x / SQUARE; k < SQUARE; k += deep)
        if (r0 + k < rows && c0 + lane < columns) square[k][lane] = gn_load(from, base + (int64_t)(r0 + k) * columns + c0 + lane);
    __syncthreads();
    for (int k = threadIdx.x / SQUARE; k < SQUARE; k += deep) {
        const int64_t at = base + (int64_t)(c0 + k) * rows + r0 + lane;
        if (c0 + k < columns && r0 + lane < rows) gn_store(to, at, square[lane][k] + (add ? gn_load(to, at) : 0.0f));
    }
}

static inline void turn_run(const void *from, gn_type from_type, void *to, gn_type to_type, int64_t n, int rows, int columns, int add,
                            void *stream) {
    const unsigned blocks = (unsigned)n * gn_blocks(rows, SQUARE) * gn_blocks(columns, SQUARE);
    GN_BY_TYPE(from_type, A, GN_BY_TYPE(to_type, B,
        GN_LAUNCH((turn<A, B>), blocks, TURNERS, 0, stream, (const A *)from, (B *)to, rows, columns, add)));
}

// Where the next `bytes` of scratch begin; *end moves past them.
static inline size_t piece(size_t *end, size_t bytes) {
    const size_t at = (*end + PIECE - 1) / PIECE * PIECE;
    *end = at + bytes;
    return at;
}
#endif
