/* emulate.cc - fibres, warps, blocks, and the runtime calls of emulate.h. */
#include <memory>
#include <vector>

/* Addresses the sanitizer must be told of: a fibre is another stack. */
#if defined(__SANITIZE_ADDRESS__)
#define GN_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GN_ASAN 1
#endif
#endif
#ifdef GN_ASAN
#include <sanitizer/common_interface_defs.h>
#endif
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>

thread_local dim3 threadIdx, blockIdx, blockDim, gridDim;
bool gn_emulate_backwards;

namespace {
enum { WARP = 32, STACK = 256 << 10, SHARED = 227 << 10 };

[[noreturn]] void refuse(const char *what, const char *where) {
    fprintf(stderr, "emulate: block (%u %u %u) thread %u: %s%s%s\n", blockIdx.x, blockIdx.y, blockIdx.z, threadIdx.x, what,
            where ? " at " : "", where ? where : "");
    abort();
}

/* --- fibres: a switch keeps the registers that a call keeps --- */

struct copy { void *to; const void *from; size_t bytes; int there; };
struct fibre {
    void *sp = nullptr;   /* where it stopped */
    char *stack = nullptr;
    bool done = true;
    dim3 id;
    const char *waits = nullptr; /* for what; NULL: may run */
    void *fake = nullptr;        /* the sanitizer's */
    std::vector<copy> open;      /* asynchronous copies not yet in a group */
    std::vector<std::vector<copy>> group;
};

#ifdef __x86_64__
extern "C" void gn_fibre_switch(void **save, void *load);
__asm__(".text\n.globl gn_fibre_switch\n.type gn_fibre_switch,@function\ngn_fibre_switch:\n"
        "push %rbp\npush %rbx\npush %r12\npush %r13\npush %r14\npush %r15\n"
        "mov %rsp,(%rdi)\nmov %rsi,%rsp\n"
        "pop %r15\npop %r14\npop %r13\npop %r12\npop %rbx\npop %rbp\nret\n"
        ".size gn_fibre_switch,.-gn_fibre_switch\n.section .note.GNU-stack,\"\",@progbits\n.text\n");

void *fibre_start(char *stack, size_t bytes, void (*enter)()) {
    uintptr_t top = ((uintptr_t)stack + bytes) & ~(uintptr_t)63;
    void **sp = (void **)top;
    *--sp = nullptr;        /* where `enter` would return to; it never does */
    *--sp = (void *)enter;
    for (int i = 0; i < 6; i++) *--sp = nullptr;
    return sp;
}
#else /* slower: a system call a switch */
ucontext_t *context_new() { return new ucontext_t; }
extern "C" void gn_fibre_switch(void **save, void *load) {
    auto here = context_new();
    *save = here;
    swapcontext(here, (ucontext_t *)load);
    delete here;
}
void *fibre_start(char *stack, size_t bytes, void (*enter)()) {
    auto c = context_new();
    getcontext(c);
    c->uc_stack.ss_sp = stack;
    c->uc_stack.ss_size = bytes;
    c->uc_link = nullptr;
    makecontext(c, enter, 0);
    return c;
}
#endif

thread_local std::vector<fibre> fibres;
thread_local void *home;                 /* the scheduler's place */
thread_local unsigned now;
thread_local const std::function<void()> *body;
thread_local std::vector<char> shared;
struct warp { int there = 0; unsigned turn = 0; const char *what = nullptr; char slot[2][WARP][GN_SLOT]; size_t bytes = 0; };
thread_local std::vector<warp> warps;
thread_local unsigned block_there, block_turn, block_threads;
thread_local const char *block_at;
#ifdef GN_ASAN
thread_local const void *home_stack;
thread_local size_t home_bytes;
thread_local void *home_fake;
#endif

void arrive() {
#ifdef GN_ASAN
    __sanitizer_finish_switch_fiber(fibres[now].fake, &home_stack, &home_bytes);
#endif
}

void leave(bool for_good) {
    unsigned me = now;
#ifdef GN_ASAN
    __sanitizer_start_switch_fiber(for_good ? nullptr : &fibres[me].fake, home_stack, home_bytes);
#else
    (void)for_good;
#endif
    gn_fibre_switch(&fibres[me].sp, home);
    arrive();
}

void enter() {
    arrive();
    (*body)();
    fibres[now].done = true;
    leave(true);
    abort();
}

void resume(unsigned i) {
    now = i;
    threadIdx = fibres[i].id;
#ifdef GN_ASAN
    __sanitizer_start_switch_fiber(&home_fake, fibres[i].stack, STACK);
#endif
    gn_fibre_switch(&home, fibres[i].sp);
#ifdef GN_ASAN
    __sanitizer_finish_switch_fiber(home_fake, nullptr, nullptr);
#endif
}

void run_block(dim3 block, size_t shared_bytes) {
    block_threads = block.x * block.y * block.z;
    while (fibres.size() < block_threads) {
        fibre f;
        f.stack = (char *)mmap(nullptr, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (f.stack == MAP_FAILED) refuse("no memory for a stack", nullptr);
        fibres.push_back(f);
    }
    warps.assign((block_threads + WARP - 1) / WARP, warp());
    block_there = block_turn = 0;
    if (shared_bytes > SHARED) refuse("more shared memory than any device has", nullptr);
    shared.assign(shared_bytes + 1024, (char)0xff);
    for (unsigned i = 0; i < block_threads; i++) {
        fibre &f = fibres[i];
        f.id = dim3(i % block.x, i / block.x % block.y, i / block.x / block.y);
        f.sp = fibre_start(f.stack, STACK, enter);
        f.done = false;
        f.waits = nullptr;
        f.open.clear();
        f.group.clear();
    }
    gn_emulate_tiles_begin();
    gn_emulate_products_start();
    for (;;) {
        unsigned ended = 0, moved = 0;
        for (unsigned from = 0; from < block_threads; from += WARP) /* a warp goes as far ahead of the next as it can */
            for (unsigned before = ~moved; before != moved;) {
                before = moved;
                for (unsigned k = from; k < from + WARP && k < block_threads; k++) {
                    unsigned i = gn_emulate_backwards ? block_threads - 1 - k : k;
                    if (!fibres[i].done && !fibres[i].waits) resume(i), moved++;
                }
            }
        for (unsigned i = 0; i < block_threads; i++) ended += fibres[i].done;
        if (ended == block_threads) break;
        if (moved || gn_emulate_tiles_come()) continue;
        for (unsigned i = 0; i < block_threads; i++)
            if (!fibres[i].done) {
                now = i, threadIdx = fibres[i].id;
                fprintf(stderr, "emulate: %u of %u threads left or went elsewhere\n", ended, block_threads);
                refuse("waits for ever", fibres[i].waits);
            }
    }
    gn_emulate_tiles_end();
    gn_emulate_products_end();
}
} // namespace

extern "C" void gn_emulate_order(int backwards) { gn_emulate_backwards = backwards; }

int gn_emulate_lane(void) { return (int)(now % WARP); }
unsigned gn_emulate_thread(void) { return now; }
unsigned gn_emulate_threads(void) { return block_threads; }
size_t gn_emulate_shared_bytes(void) { return shared.size() - 1024; }
void gn_emulate_refuse(const char *what, const char *where) { refuse(what, where); }
void gn_emulate_wake(unsigned thread) { fibres[thread].waits = nullptr; }
void gn_emulate_sleep(const char *what) {
    fibres[now].waits = what;
    leave(false);
}

void *gn_emulate_shared(void) {
    return (void *)(((uintptr_t)shared.data() + 1023) & ~(uintptr_t)1023);
}

void gn_emulate_block_wait(const char *at) {
    if (block_there == 0) block_at = at;
    if (strcmp(block_at, at)) refuse("a barrier others do not wait at", at);
    if (++block_there == block_threads) {
        block_there = 0;
        block_turn++;
        gn_emulate_shared_see();
        for (unsigned i = 0; i < block_threads; i++) fibres[i].waits = nullptr;
        return;
    }
    fibres[now].waits = at;
    leave(false);
}

const char *gn_emulate_warp_share(const char *what, const void *mine, size_t bytes) {
    unsigned w = now / WARP, first = w * WARP;
    unsigned lanes = block_threads - first < WARP ? block_threads - first : (unsigned)WARP;
    warp &v = warps[w];
    if (bytes > GN_SLOT) refuse("a lane shares too much", what);
    if (v.there == 0) v.what = what;
    if (strcmp(v.what, what)) refuse("lanes of a warp ask for different things", what);
    unsigned turn = v.turn;
    memcpy(v.slot[turn % 2][now % WARP], mine, bytes);
    if (++v.there == (int)lanes) {
        v.there = 0;
        v.turn++;
        for (unsigned i = 0; i < lanes; i++) fibres[first + i].waits = nullptr;
    } else {
        fibres[now].waits = what;
        leave(false);
    }
    return v.slot[turn % 2][0];
}

static void arrives(const copy &c) {
    if (c.there) memcpy(c.to, c.from, c.bytes);
    else memset(c.to, 0, c.bytes);
}

void gn_emulate_copy(void *to, const void *from, size_t bytes, int there) {
    if ((uintptr_t)to % bytes || (there && (uintptr_t)from % bytes)) refuse("a copy that is not aligned", nullptr);
    const copy c = { to, from, bytes, there };
    if (gn_emulate_backwards) arrives(c);
    else fibres[now].open.push_back(c);
}

void gn_emulate_copy_commit(void) {
    fibres[now].group.push_back(std::move(fibres[now].open));
    fibres[now].open.clear();
}

void gn_emulate_copy_wait(int left) {
    auto &group = fibres[now].group;
    while (group.size() > (size_t)left) {
        for (const copy &c : group.front()) arrives(c);
        group.erase(group.begin());
    }
}

/* --- the runtime --- */

struct gn_emulated_graph { std::vector<std::function<void()>> work; };
struct gn_emulated_stream { gn_emulated_graph *into; };
struct gn_emulated_event { double ms; }; /* when it came by; 0: it did not, or as part of a graph, which tells no time */
static thread_local gn_emulated_graph *capturing; /* a thread captures its own calls */

void gn_emulate_queue(std::function<void()> work) {
    if (capturing) capturing->work.push_back(std::move(work));
    else work();
}

void gn_emulate_launch(const char *name, dim3 grid, dim3 block, size_t shared_bytes, std::function<void()> kernel) {
    if (!grid.x || !grid.y || !grid.z || !block.x || block.x * block.y * block.z > 1024 || grid.y > 65535 || grid.z > 65535) {
        fprintf(stderr, "emulate: %s: grid %u %u %u of blocks %u %u %u\n", name, grid.x, grid.y, grid.z, block.x, block.y, block.z);
        abort();
    }
    gn_emulate_queue([=] {
        gridDim = grid;
        blockDim = block;
        body = &kernel;
        uint64_t blocks = (uint64_t)grid.x * grid.y * grid.z;
        for (uint64_t k = 0; k < blocks; k++) {
            uint64_t b = gn_emulate_backwards ? blocks - 1 - k : k;
            blockIdx = dim3((unsigned)(b % grid.x), (unsigned)(b / grid.x % grid.y), (unsigned)(b / grid.x / grid.y));
            run_block(block, shared_bytes);
        }
    });
}

static thread_local int device_now;
/* What a machine could have instead: GN_EMULATED_DEVICES of them, an older CAPABILITY, fewer BYTES. */
static long machine(const char *what, long usual) {
    const char *n = getenv(what);
    return n ? atol(n) : usual;
}

static struct { int device; long launch, replay; } failing; /* calls until the one that fails; 0: none does */
extern "C" void gn_emulate_fail(int device, long launch, long replay) { failing = { device, launch, replay }; }
static bool fails(long *left) { return device_now == failing.device && *left > 0 && --*left == 0; }

static int devices() { return (int)machine("GN_EMULATED_DEVICES", 1); }
static size_t memory() { return (size_t)machine("GN_EMULATED_BYTES", 1l << 33); }
cudaError_t cudaGetDeviceCount(int *n) { return *n = devices(), *n ? cudaSuccess : cudaErrorNoDevice; }
cudaError_t cudaSetDevice(int index) { return device_now = index, index < devices() ? cudaSuccess : cudaErrorNoDevice; }
cudaError_t cudaGetDevice(int *index) { return *index = device_now, cudaSuccess; }
cudaError_t cudaGetDeviceProperties(cudaDeviceProp *p, int) {
    *p = cudaDeviceProp();
    snprintf(p->name, sizeof p->name, "emulated");
    p->totalGlobalMem = memory();
    p->sharedMemPerBlockOptin = SHARED;
    p->major = (int)machine("GN_EMULATED_CAPABILITY", 90) / 10;
    p->minor = (int)machine("GN_EMULATED_CAPABILITY", 90) % 10;
    p->multiProcessorCount = 4;
    return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int *value, cudaDeviceAttr, int) { return *value = SHARED, cudaSuccess; }
cudaError_t cudaMemGetInfo(size_t *left, size_t *all) { return *left = *all = memory(), cudaSuccess; }
cudaError_t cudaDriverGetVersion(int *version) { return *version = 13000, cudaSuccess; }
cudaError_t cudaRuntimeGetVersion(int *version) { return *version = 13000, cudaSuccess; }
cudaError_t cudaMalloc(void **p, size_t bytes) {
    *p = nullptr;
    if (bytes > memory()) return cudaErrorMemoryAllocation;
    if (posix_memalign(p, 512, bytes ? bytes : 1)) return cudaErrorMemoryAllocation;
    memset(*p, 0xff, bytes);
    return cudaSuccess;
}
cudaError_t cudaFree(void *p) { return free(p), cudaSuccess; }
cudaError_t cudaMallocHost(void **p, size_t bytes) { return cudaMalloc(p, bytes); }
cudaError_t cudaFreeHost(void *p) { return free(p), cudaSuccess; }
cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind, cudaStream_t) {
    gn_emulate_queue([=] { memcpy(to, from, bytes); });
    return cudaSuccess;
}
cudaError_t cudaMemsetAsync(void *at, int byte, size_t bytes, cudaStream_t) {
    gn_emulate_queue([=] { memset(at, byte, bytes); });
    return cudaSuccess;
}
cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned) { return *stream = new gn_emulated_stream(), cudaSuccess; }
cudaError_t cudaStreamDestroy(cudaStream_t stream) { return delete stream, cudaSuccess; }
cudaError_t cudaStreamQuery(cudaStream_t) { return cudaSuccess; } /* whoever asks has waited for its calls */
cudaError_t cudaStreamSynchronize(cudaStream_t) { return capturing ? cudaErrorStreamCaptureUnsupported : cudaSuccess; }
cudaError_t cudaStreamIsCapturing(cudaStream_t, cudaStreamCaptureStatus *status) {
    *status = capturing ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusNone;
    return cudaSuccess;
}
cudaError_t cudaStreamBeginCapture(cudaStream_t, int) { return capturing = new gn_emulated_graph(), cudaSuccess; }
cudaError_t cudaStreamEndCapture(cudaStream_t, cudaGraph_t *graph) {
    *graph = capturing;
    capturing = nullptr;
    return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t *run, cudaGraph_t graph, unsigned long long) {
    *run = new gn_emulated_graph(*graph);
    return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t run, cudaStream_t) {
    if (fails(&failing.replay)) return cudaErrorLaunchFailure;
    for (auto &work : run->work) work();
    return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t run) { return delete run, cudaSuccess; }
cudaError_t cudaGraphDestroy(cudaGraph_t graph) { return delete graph, cudaSuccess; }
cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned) { return *event = new gn_emulated_event(), cudaSuccess; }
cudaError_t cudaEventCreate(cudaEvent_t *event) { return cudaEventCreateWithFlags(event, 0); }
cudaError_t cudaEventDestroy(cudaEvent_t event) { return delete event, cudaSuccess; }
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t) {
    timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    event->ms = capturing ? 0 : 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
    return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t) { return cudaSuccess; }
cudaError_t cudaEventElapsedTime(float *ms, cudaEvent_t from, cudaEvent_t to) {
    if (!from || !to || from->ms == 0 || to->ms == 0) return cudaErrorInvalidValue;
    return *ms = (float)(to->ms - from->ms), cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t, cudaEvent_t, unsigned) { return cudaSuccess; }
cudaError_t cudaGetLastError(void) { return fails(&failing.launch) ? cudaErrorLaunchFailure : cudaSuccess; }
const char *cudaGetErrorString(cudaError_t error) {
    return error == cudaErrorNoDevice           ? "no CUDA-capable device is detected"
           : error == cudaErrorMemoryAllocation ? "out of memory"
           : error == cudaErrorLaunchFailure    ? "unspecified launch failure"
                                                : "no error";
}
