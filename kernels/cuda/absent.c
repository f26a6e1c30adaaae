/* absent.c - stands in for every .cu when there is no CUDA: the same symbols, which say so. */
#include "gnomon/comm.h"
#include "gnomon/device.h"
#include "gnomon/loss.h"
#include "gnomon/op.h"
#include "gnomon/optimizer.h"
#include "gnomon/version.h"

int gn_capability(void); /* launch.cuh */
int gn_capability(void) { return 0; }
static gn_status absent(void) { GN_FAIL(NO_DEVICE, "this build has no CUDA"); }

#define GN_OP(name)                                                                                        \
    gn_status gn_##name##_plan_cuda(const gn_call *c, gn_arena *a, gn_impl impl, void **state, size_t *scratch, size_t *shadow) { \
        (void)c, (void)a, (void)impl, (void)state, (void)scratch, (void)shadow;                            \
        return absent();                                                                                   \
    }                                                                                                      \
    gn_status gn_##name##_forward_cuda(const gn_call *c) { return (void)c, absent(); }                     \
    gn_status gn_##name##_backward_cuda(const gn_call *c) { return (void)c, absent(); }
#define GN_PLACE(name)
#include "ops.def"

gn_status gn_rows_cuda(const gn_call *c) { return (void)c, absent(); }
gn_status gn_finish_cuda(const gn_finish *f, void *stream) { return (void)f, (void)stream, absent(); }
gn_status gn_totals_cuda(const float *totals, int shards, const gn_finish *f, void *stream) {
    return (void)totals, (void)shards, (void)f, (void)stream, absent();
}
gn_status gn_stat_cuda(const gn_real *mean, const gn_real *variance, int channels, gn_real *stat, void *stream) {
    return (void)mean, (void)variance, (void)channels, (void)stat, (void)stream, absent();
}

size_t gn_learn_gpu_parts(int64_t trained) { return (void)trained, (size_t)0; }
gn_status gn_learn_cuda(const gn_optimizer *o, const gn_learn_gpu *l, void *stream) {
    return (void)o, (void)l, (void)stream, absent();
}
gn_status gn_narrow_cuda(const gn_real *w, int64_t n, uint16_t *narrow, void *stream) {
    return (void)w, (void)n, (void)narrow, (void)stream, absent();
}
gn_status gn_shards_sum_cuda(const gn_real *x, int64_t stride, int64_t count, int shards, gn_real *sum, void *stream) {
    return (void)x, (void)stride, (void)count, (void)shards, (void)sum, (void)stream, absent();
}

int gn_device_count(const char **why) {
    if (why) *why = "this build has no CUDA";
    return 0;
}
gn_status gn_device_open(gn_arena *a, int index, gn_device **d) { return (void)a, (void)index, (void)d, absent(); }
gn_status gn_device_look(gn_device *d, gn_device_facts *f) { return (void)d, (void)f, absent(); }
void *gn_device_stream(const gn_device *d) { return (void)d, (void *)0; }
gn_status gn_device_use(gn_device *d) { return (void)d, absent(); }
void *gn_device_side(const gn_device *d) { return (void)d, (void *)0; }
gn_status gn_device_fork(gn_device *d) { return (void)d, absent(); }
gn_status gn_device_join(gn_device *d) { return (void)d, absent(); }
gn_status gn_device_reserve(gn_device *d, size_t bytes, void **slab) { return (void)d, (void)bytes, (void)slab, absent(); }
gn_status gn_device_pinned(gn_device *d, size_t bytes, void **host) { return (void)d, (void)bytes, (void)host, absent(); }
gn_status gn_device_upload(gn_device *d, void *to, const void *from, size_t bytes) {
    return (void)d, (void)to, (void)from, (void)bytes, absent();
}
gn_status gn_device_upload_beside(gn_device *d, void *to, const void *from, size_t bytes) {
    return (void)d, (void)to, (void)from, (void)bytes, absent();
}
gn_status gn_device_copy(gn_device *d, void *to, const void *from, size_t bytes) {
    return (void)d, (void)to, (void)from, (void)bytes, absent();
}
gn_status gn_device_download(gn_device *d, void *to, const void *from, size_t bytes) {
    return (void)d, (void)to, (void)from, (void)bytes, absent();
}
gn_status gn_device_fill(gn_device *d, void *at, int byte, size_t bytes) {
    return (void)d, (void)at, (void)byte, (void)bytes, absent();
}
gn_status gn_device_wait(gn_device *d) { return (void)d, absent(); }
gn_status gn_device_capture(gn_device *d) { return (void)d, absent(); }
gn_status gn_device_captured(gn_device *d, gn_replay **r) { return (void)d, (void)r, absent(); }
gn_status gn_device_replay(gn_device *d, const gn_replay *r) { return (void)d, (void)r, absent(); }
void gn_device_forget(gn_replay *r) { (void)r; }
gn_status gn_device_mark(gn_device *d, int mark) { return (void)d, (void)mark, absent(); }
gn_status gn_device_between(gn_device *d, int from, int to, double *seconds) {
    return (void)d, (void)from, (void)to, (void)seconds, absent();
}
gn_status gn_device_ceiling(gn_device *d, double *flop_s, double *bf16_s, double *bytes_s) {
    return (void)d, (void)flop_s, (void)bf16_s, (void)bytes_s, absent();
}
void gn_device_range_push(gn_range *r) { (void)r; }
gn_status gn_device_range_pop(gn_status so_far) { return so_far; }
void gn_device_watch(int yes) { (void)yes; }
const char *gn_device_library(void) { return "absent"; }
const char *gn_cublas_version(void) { return "absent"; }
const char *gn_cudnn_version(void) { return "absent"; }

gn_status gn_comm_open(gn_arena *a, int ranks, gn_comm **c) { return (void)a, (void)ranks, (void)c, absent(); }
gn_status gn_comm_join(gn_comm *c, int rank, gn_device *d) { return (void)c, (void)rank, (void)d, absent(); }
gn_status gn_comm_gather(gn_comm *c, int rank, int lane, void *all, int64_t each, void *stream) {
    return (void)c, (void)rank, (void)lane, (void)all, (void)each, (void)stream, absent();
}
gn_status gn_comm_sum(gn_comm *c, int rank, int lane, void *x, int64_t n, void *stream) {
    return (void)c, (void)rank, (void)lane, (void)x, (void)n, (void)stream, absent();
}
int gn_comm_fail(gn_comm *c, int rank) { return (void)c, (void)rank, 1; }
gn_status gn_comm_wait(gn_comm *c, gn_device *d) { return (void)c, (void)d, absent(); }
void gn_comm_leave(gn_comm *c, int rank) { (void)c, (void)rank; }
const char *gn_comm_library(void) { return "absent"; }

gn_status gn_losses_cuda(int n, const gn_loss *const *loss, const gn_loss_call *call, void *scratch, void *stream) {
    return (void)n, (void)loss, (void)call, (void)scratch, (void)stream, absent();
}
size_t gn_losses_cuda_scratch(int n, const gn_loss_call *call) { return (void)n, (void)call, (size_t)0; }
