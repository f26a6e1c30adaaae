// nccl.cu - comm.h by NCCL, whose library is opened when somebody wants several GPUs and not before.
//
// Two communicators a rank: batch norm's sums on the way and gradients beside them, on two streams. Two kernels that wait for
// the other GPUs may both wait for ever where GPUs begin them in different orders: NCCL keeps the order of the calls, which is
// one for all ranks (launch order from 2.26 on; one after the other in stretches captured under a driver before 12.9).
// Whatever it connects and allocates it does as the ranks join: no later call waits for another rank on the host, so a rank that
// fails, or hears of it, is never inside a call when it leaves.
// NVLS adds in an order of its own from run to run; it is switched off unless the user says otherwise.
#include "launch.cuh"
extern "C" {
#include "gnomon/comm.h"
}
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#if defined GN_EMULATE
#include "emulate_nccl.h"
#define GN_NCCL 1
#elif __has_include(<nccl.h>)
#include <dlfcn.h>
#include <nccl.h>
#define GN_NCCL 1
#endif

enum { LANES = 2, RANKS = 64 };

#ifdef GN_NCCL
#define CALLS(F)                                                                                           \
    F(ncclGetVersion) F(ncclGetUniqueId) F(ncclCommInitRank) F(ncclCommDestroy) F(ncclCommAbort) F(ncclGroupStart)             \
    F(ncclGroupEnd) F(ncclAllGather) F(ncclAllReduce) F(ncclGetErrorString)

static struct {
#define MEMBER(name) decltype(&::name) name;
    CALLS(MEMBER)
#undef MEMBER
} nccl;

static gn_status load() {
    if (nccl.ncclGetVersion) return GN_OK;
#ifdef GN_EMULATE
#define FIND(name) nccl.name = ::name;
    CALLS(FIND)
#undef FIND
#else
    setenv("NCCL_NVLS_ENABLE", "0", 0);
    setenv("NCCL_LAUNCH_ORDER_IMPLICIT", "1", 0);
    setenv("NCCL_RUNTIME_CONNECT", "0", 0);
    void *library = dlopen("libnccl.so.2", RTLD_NOW | RTLD_LOCAL);
    if (!library) GN_FAIL(NO_DEVICE, "several GPUs want NCCL: %s", dlerror());
#define FIND(name)                                                                                         \
    nccl.name = (decltype(&::name))dlsym(library, #name);                                                  \
    if (!nccl.name) GN_FAIL(NO_DEVICE, "several GPUs want NCCL: libnccl.so.2 has no %s", #name);
    CALLS(FIND)
#undef FIND
#endif
    return GN_OK;
}

struct gn_comm {
    int ranks;
    int failed; // 1 + the rank that did first; by atomic calls
    ncclUniqueId id[LANES];
    ncclComm_t of[RANKS][LANES];
};

#define ASK(call, what)                                                                                    \
    do {                                                                                                   \
        ncclResult_t e_ = (call);                                                                          \
        if (e_ != ncclSuccess) GN_FAIL(NO_DEVICE, "NCCL: %s: %s", what, nccl.ncclGetErrorString(e_));      \
    } while (0)

extern "C" int gn_comm_fail(gn_comm *c, int rank) {
    int nobody = 0;
    if (!__atomic_compare_exchange_n(&c->failed, &nobody, 1 + rank, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) return nobody == 1 + rank;
#ifdef GN_EMULATE
    for (int k = 0; k < LANES; k++) gn_emulate_give_up(c->of[rank][k]);
#endif
    return 1;
}

// As a group: what is freed of one lane waits for the device, and so for the other lane's kernels.
extern "C" void gn_comm_leave(gn_comm *c, int rank) {
    nccl.ncclGroupStart();
    for (int k = 0; k < LANES; k++)
        if (c->of[rank][k]) nccl.ncclCommAbort(c->of[rank][k]);
    nccl.ncclGroupEnd();
    for (int k = 0; k < LANES; k++) c->of[rank][k] = NULL;
}

static int over(const gn_comm *c) { return __atomic_load_n(&c->failed, __ATOMIC_SEQ_CST); }

extern "C" gn_status gn_comm_wait(gn_comm *c, gn_device *d) {
    while (!over(c) && cudaStreamQuery((cudaStream_t)gn_device_stream(d)) == cudaErrorNotReady) sched_yield();
    if (over(c)) return GN_FAILED;
    GN_TRY(gn_device_wait(d));
    return over(c) ? GN_FAILED : GN_OK;
}

static void close(void *what) {
    gn_comm *c = (gn_comm *)what;
    for (int r = 0; r < c->ranks; r++)
        for (int k = 0; k < LANES; k++)
            if (c->of[r][k]) nccl.ncclCommDestroy(c->of[r][k]);
}

extern "C" gn_status gn_comm_open(gn_arena *a, int ranks, gn_comm **c) {
    if (ranks > RANKS) GN_FAIL(BAD_CONFIG, "%d GPUs; at most %d", ranks, (int)RANKS);
    GN_TRY(load());
    GN_TAKE(*c, a, 1);
    (*c)->ranks = ranks;
    for (int k = 0; k < LANES; k++) ASK(nccl.ncclGetUniqueId(&(*c)->id[k]), "no id");
    return gn_arena_at_end(a, close, *c);
}

extern "C" gn_status gn_comm_join(gn_comm *c, int rank, gn_device *d) {
    GN_TRY(gn_device_use(d));
    for (int k = 0; k < LANES; k++) ASK(nccl.ncclCommInitRank(&c->of[rank][k], c->ranks, c->id[k], rank), "the GPUs do not meet");
    return GN_OK;
}

extern "C" gn_status gn_comm_gather(gn_comm *c, int rank, int lane, void *all, int64_t each, void *stream) {
    ASK(nccl.ncclAllGather((const float *)all + rank * each, all, (size_t)each, ncclFloat, c->of[rank][lane], (cudaStream_t)stream), "gather");
    return GN_OK;
}

extern "C" gn_status gn_comm_sum(gn_comm *c, int rank, int lane, void *x, int64_t n, void *stream) {
    ASK(nccl.ncclAllReduce(x, x, (size_t)n, ncclFloat, ncclSum, c->of[rank][lane], (cudaStream_t)stream), "sum");
    return GN_OK;
}

extern "C" const char *gn_comm_library(void) {
    static char text[32];
    int v = 0;
    if (load() || nccl.ncclGetVersion(&v) != ncclSuccess) {
        gn_trail_clear();
        return "absent";
    }
    snprintf(text, sizeof text, "NCCL %d.%d.%d", v / 10000, v / 100 % 100, v % 100);
    return text;
}

#else
static gn_status absent() { GN_FAIL(NO_DEVICE, "several GPUs want NCCL, which this build was made without"); }
extern "C" gn_status gn_comm_open(gn_arena *, int, gn_comm **) { return absent(); }
extern "C" gn_status gn_comm_join(gn_comm *, int, gn_device *) { return absent(); }
extern "C" gn_status gn_comm_gather(gn_comm *, int, int, void *, int64_t, void *) { return absent(); }
extern "C" gn_status gn_comm_sum(gn_comm *, int, int, void *, int64_t, void *) { return absent(); }
extern "C" int gn_comm_fail(gn_comm *, int) { return 1; }
extern "C" gn_status gn_comm_wait(gn_comm *, gn_device *) { return absent(); }
extern "C" void gn_comm_leave(gn_comm *, int) {}
extern "C" const char *gn_comm_library(void) { return "absent"; }
#endif
