// device.cu - the runtime behind device.h: one device, its stream, its memory, its captured stretches.
#include "launch.cuh"
extern "C" {
#include "gnomon/device.h"
}
#include <stdio.h>
#include <stdlib.h>

struct gn_replay { cudaGraphExec_t run; };

struct gn_device {
    gn_arena *arena;  // its own: several devices are spoken to at once, and an arena belongs to one thread
    int index;        // the runtime's
    cudaStream_t stream, side;
    cudaEvent_t forked, joined;
    cudaEvent_t mark[GN_MARKS];
};

#define ASK(d, call, ...)                                                                                  \
    do {                                                                                                   \
        cudaError_t e_ = (call);                                                                           \
        if (e_ != cudaSuccess) {                                                                           \
            char what_[256];                                                                               \
            snprintf(what_, sizeof what_, __VA_ARGS__);                                                    \
            cudaGetLastError();                                                                            \
            GN_FAIL(NO_DEVICE, "GPU %d: %s: %s", (d), what_, cudaGetErrorString(e_));                      \
        }                                                                                                  \
    } while (0)

static int major_minor(int index) {
    cudaDeviceProp p;
    return cudaGetDeviceProperties(&p, index) == cudaSuccess ? 10 * p.major + p.minor : 0;
}

static int number_of(const char *variable, int usual) {
    const char *text = getenv(variable);
    const int n = text ? atoi(text) : 0;
    return n > 0 ? n : usual;
}

extern "C" int gn_capability(void) {
    int index;
    const int have = cudaGetDevice(&index) == cudaSuccess ? major_minor(index) : 0, most = number_of("GN_CAPABILITY", have);
    return most < have ? most : have;
}

extern "C" int gn_fill(void) {
    static int fill;
    if (!fill) fill = number_of("GN_FILL", 132);
    return fill;
}

extern "C" int gn_device_count(const char **why) {
    static char text[160];
    int n = 0, usable = 0;
    cudaError_t e = cudaGetDeviceCount(&n);
    if (e != cudaSuccess) snprintf(text, sizeof text, "%s", cudaGetErrorString(e)), cudaGetLastError(), n = 0;
    else if (!n) snprintf(text, sizeof text, "no GPU is there");
    for (int i = 0; i < n; i++) {
        int have = major_minor(i);
        if (have >= GN_DEVICE_LEAST) usable++;
        else
            snprintf(text, sizeof text, "GPU %d is too old: compute capability %d.%d, at least %d.%d is needed", i, have / 10, have % 10,
                     GN_DEVICE_LEAST / 10, GN_DEVICE_LEAST % 10);
    }
    if (why) *why = usable ? "" : text;
    return usable;
}

static void close(void *what) {
    gn_device *d = (gn_device *)what;
    cudaSetDevice(d->index);
    gn_arena_free(d->arena);
    for (int i = 0; i < GN_MARKS; i++)
        if (d->mark[i]) cudaEventDestroy(d->mark[i]);
    if (d->forked) cudaEventDestroy(d->forked);
    if (d->joined) cudaEventDestroy(d->joined);
    if (d->side) cudaStreamDestroy(d->side);
    if (d->stream) cudaStreamDestroy(d->stream);
}

// The runtime's number of a usable GPU: those that are too old do not count.
static int ordinal(int usable) {
    int i = 0;
    for (;; i++)
        if (major_minor(i) >= GN_DEVICE_LEAST && !usable--) return i;
}

extern "C" gn_status gn_device_open(gn_arena *a, int index, gn_device **d) {
    const char *why;
    int n = gn_device_count(&why);
    if (!n) GN_FAIL(NO_DEVICE, "no usable GPU: %s", why);
    if (index >= n) GN_FAIL(NO_DEVICE, "GPU %d is not there: %d usable", index, n);
    index = ordinal(index);
    GN_TAKE(*d, a, 1);
    (*d)->index = index;
    GN_TRY(gn_arena_at_end(a, close, *d));
    (*d)->arena = gn_arena_new("device");
    if (!(*d)->arena) GN_FAIL(NO_MEMORY, "out of memory: GPU %d", index);
    ASK(index, cudaSetDevice(index), "cannot be used");
    ASK(index, cudaStreamCreateWithFlags(&(*d)->stream, cudaStreamNonBlocking), "no stream");
    ASK(index, cudaStreamCreateWithFlags(&(*d)->side, cudaStreamNonBlocking), "no second stream");
    ASK(index, cudaEventCreateWithFlags(&(*d)->forked, cudaEventDisableTiming), "no event");
    ASK(index, cudaEventCreateWithFlags(&(*d)->joined, cudaEventDisableTiming), "no event");
    return GN_OK;
}

extern "C" gn_status gn_device_use(gn_device *d) {
    ASK(d->index, cudaSetDevice(d->index), "cannot be used");
    return GN_OK;
}

extern "C" gn_status gn_device_look(gn_device *d, gn_device_facts *f) {
    cudaDeviceProp p;
    ASK(d->index, cudaGetDeviceProperties(&p, d->index), "cannot be asked");
    snprintf(f->name, sizeof f->name, "%.63s", p.name);
    f->major = p.major;
    f->minor = p.minor;
    f->multiprocessors = p.multiProcessorCount;
    ASK(d->index, cudaMemGetInfo(&f->left, &f->memory), "cannot be asked for its memory");
    return GN_OK;
}

extern "C" void *gn_device_stream(const gn_device *d) { return d->stream; }
extern "C" void *gn_device_side(const gn_device *d) { return d->side; }

extern "C" gn_status gn_device_fork(gn_device *d) {
    ASK(d->index, cudaEventRecord(d->forked, d->stream), "fork");
    ASK(d->index, cudaStreamWaitEvent(d->side, d->forked, 0), "fork");
    return GN_OK;
}

extern "C" gn_status gn_device_join(gn_device *d) {
    ASK(d->index, cudaEventRecord(d->joined, d->side), "join");
    ASK(d->index, cudaStreamWaitEvent(d->stream, d->joined, 0), "join");
    return GN_OK;
}

// --- memory ---

static void free_device(void *p) { cudaFree(p); }
static void free_pinned(void *p) { cudaFreeHost(p); }

extern "C" gn_status gn_device_reserve(gn_device *d, size_t bytes, void **slab) {
    if (cudaMalloc(slab, bytes ? bytes : 1) != cudaSuccess) {
        size_t left = 0, all = 0;
        cudaGetLastError();
        cudaMemGetInfo(&left, &all);
        GN_FAIL(NO_DEVICE, "GPU %d is full: %.0f MB are needed, %.0f of %.0f MB are left", d->index, (double)bytes * 1e-6,
                (double)left * 1e-6, (double)all * 1e-6);
    }
    gn_status s = gn_arena_at_end(d->arena, free_device, *slab);
    if (s) {
        cudaFree(*slab);
        return gn_pass(s, __FILE__, __LINE__);
    }
    return gn_device_fill(d, *slab, 0, bytes);
}

extern "C" gn_status gn_device_pinned(gn_device *d, size_t bytes, void **host) {
    ASK(d->index, cudaMallocHost(host, bytes ? bytes : 1), "%.0f MB of pinned memory", (double)bytes * 1e-6);
    gn_status s = gn_arena_at_end(d->arena, free_pinned, *host);
    if (s) {
        cudaFreeHost(*host);
        return gn_pass(s, __FILE__, __LINE__);
    }
    memset(*host, 0, bytes);
    return GN_OK;
}

extern "C" gn_status gn_device_upload(gn_device *d, void *to, const void *from, size_t bytes) {
    ASK(d->index, cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, d->stream), "upload of %zu bytes", bytes);
    return GN_OK;
}

extern "C" gn_status gn_device_upload_beside(gn_device *d, void *to, const void *from, size_t bytes) {
    ASK(d->index, cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, d->side), "upload of %zu bytes", bytes);
    return GN_OK;
}

extern "C" gn_status gn_device_copy(gn_device *d, void *to, const void *from, size_t bytes) {
    ASK(d->index, cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, d->stream), "copy of %zu bytes", bytes);
    return GN_OK;
}

extern "C" gn_status gn_device_download(gn_device *d, void *to, const void *from, size_t bytes) {
    ASK(d->index, cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, d->stream), "download of %zu bytes", bytes);
    return GN_OK;
}

extern "C" gn_status gn_device_fill(gn_device *d, void *at, int byte, size_t bytes) {
    ASK(d->index, cudaMemsetAsync(at, byte, bytes, d->stream), "fill of %zu bytes", bytes);
    return GN_OK;
}

extern "C" gn_status gn_device_wait(gn_device *d) {
    ASK(d->index, cudaStreamSynchronize(d->stream), "failed while it computed");
    return GN_OK;
}

// --- launches ---

extern "C" gn_status gn_launched(const char *what, void *stream) {
    static int sync = -1;
    cudaError_t e = cudaGetLastError();
    if (sync < 0) sync = getenv("GN_SYNC") && strcmp(getenv("GN_SYNC"), "0");
    cudaStreamCaptureStatus captured = cudaStreamCaptureStatusNone; // what is being captured does not run: no waiting
    if (e == cudaSuccess && sync) e = cudaStreamIsCapturing((cudaStream_t)stream, &captured);
    if (e == cudaSuccess && sync && captured == cudaStreamCaptureStatusNone) e = cudaStreamSynchronize((cudaStream_t)stream);
    if (e != cudaSuccess) GN_FAIL(NO_DEVICE, "%s: %s", what, cudaGetErrorString(e));
    return GN_OK;
}

// --- stretches ---

extern "C" void gn_device_forget(gn_replay *r) {
    if (r && r->run) cudaGraphExecDestroy(r->run);
    if (r) r->run = NULL;
}
static void forget(void *what) { gn_device_forget((gn_replay *)what); }

extern "C" gn_status gn_device_capture(gn_device *d) {
    ASK(d->index, cudaStreamBeginCapture(d->stream, cudaStreamCaptureModeThreadLocal), "cannot capture");
    return GN_OK;
}

extern "C" gn_status gn_device_captured(gn_device *d, gn_replay **r) {
    cudaGraph_t graph;
    GN_TAKE(*r, d->arena, 1);
    ASK(d->index, cudaStreamEndCapture(d->stream, &graph), "the captured stretch");
    cudaError_t e = cudaGraphInstantiate(&(*r)->run, graph, 0);
    cudaGraphDestroy(graph);
    ASK(d->index, e, "the captured stretch cannot be made to run");
    return gn_arena_at_end(d->arena, forget, *r);
}

extern "C" gn_status gn_device_replay(gn_device *d, const gn_replay *r) {
    ASK(d->index, cudaGraphLaunch(r->run, d->stream), "replay");
    return GN_OK;
}

// --- time ---

extern "C" gn_status gn_device_mark(gn_device *d, int mark) {
    if (mark < 0 || mark >= GN_MARKS) GN_FAIL(INTERNAL, "mark %d of %d", mark, GN_MARKS);
    if (!d->mark[mark]) ASK(d->index, cudaEventCreate(&d->mark[mark]), "no event");
    ASK(d->index, cudaEventRecord(d->mark[mark], d->stream), "mark %d", mark);
    return GN_OK;
}

extern "C" gn_status gn_device_between(gn_device *d, int from, int to, double *seconds) {
    float ms = 0;
    ASK(d->index, cudaEventSynchronize(d->mark[to]), "mark %d", to);
    ASK(d->index, cudaEventElapsedTime(&ms, d->mark[from], d->mark[to]), "marks %d and %d", from, to);
    *seconds = 1e-3 * (double)ms;
    return GN_OK;
}

extern "C" const char *gn_device_library(void) {
    static char text[64];
    int v = 0, driver = 0;
    cudaRuntimeGetVersion(&v);
    cudaDriverGetVersion(&driver);
    snprintf(text, sizeof text, driver ? "CUDA %d.%d, driver for %d.%d" : "CUDA %d.%d, no driver", v / 1000, v % 1000 / 10,
             driver / 1000, driver % 1000 / 10);
    return text;
}
