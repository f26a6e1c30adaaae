/* comm.h - the GPUs of one machine that add numbers together, a thread each.
 *
 * NCCL underneath, found when it is asked for; without it, and in a build without CUDA, GN_NO_DEVICE. All ranks make
 * the same calls in the same order; calls are queued on the stream that is named, and may be captured. */
#ifndef GN_COMM_H
#define GN_COMM_H
#include "gnomon/device.h"

typedef struct gn_comm gn_comm;

gn_status gn_comm_open(gn_arena *a, int ranks, gn_comm **c);             /* ends with the arena */
gn_status gn_comm_join(gn_comm *c, int rank, gn_device *d);              /* by the thread of each rank; returns when all have */
/* `lane` 0 and 1 are two orders of calls that do not wait for each other. */
gn_status gn_comm_gather(gn_comm *c, int rank, int lane, void *all, int64_t each, void *stream); /* [ranks][each] floats; mine are in place */
gn_status gn_comm_sum(gn_comm *c, int rank, int lane, void *x, int64_t n, void *stream);         /* [n] floats, in NCCL's order */

/* Who fails says so, and is answered 1 if it is the first; others stop waiting, with GN_FAILED and no reason: the first one's
 * is what happened. Then all leave, each by its own thread: what they still wait for ends. Captured stretches must be gone. */
int gn_comm_fail(gn_comm *c, int rank);
gn_status gn_comm_wait(gn_comm *c, gn_device *d);                        /* gn_device_wait, or until a rank failed */
void gn_comm_leave(gn_comm *c, int rank);

const char *gn_comm_library(void);                                       /* "NCCL 2.28.9", "absent" */
#endif
