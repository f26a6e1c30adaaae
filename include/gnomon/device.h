/* device.h - a GPU, as far as memory and order go; what computes on it are the ops (op.h).
 *
 * A device has one stream: what is queued runs in the order of the calls, after they returned. A stretch of
 * calls can be captured once and replayed as one. In a build without CUDA every call is GN_NO_DEVICE.
 * A device belongs to one thread at a time. */
#ifndef GN_DEVICE_H
#define GN_DEVICE_H
#include "gnomon/arena.h"

typedef struct gn_device gn_device;
typedef struct gn_replay gn_replay;

typedef struct {
    char name[64];
    int major, minor;          /* compute capability */
    int multiprocessors;
    size_t memory, left;       /* bytes */
} gn_device_facts;

#define GN_DEVICE_LEAST 75     /* oldest compute capability that our kernels run on: 7.5 */

int gn_device_count(const char **why);                          /* usable ones; none: *why says in words */
gn_status gn_device_open(gn_arena *a, int index, gn_device **d); /* missing or too old: GN_NO_DEVICE; ends with the arena */
gn_status gn_device_look(gn_device *d, gn_device_facts *f);
gn_status gn_device_use(gn_device *d);                           /* by a thread, before it queues on the device */
void *gn_device_stream(const gn_device *d);                      /* what gn_call.stream wants */
void *gn_device_side(const gn_device *d);                        /* a second stream, for what runs beside */
gn_status gn_device_fork(gn_device *d);                          /* the side waits for what the stream was given so far */
gn_status gn_device_join(gn_device *d);                          /* the stream waits for the side */

/* Memory that ends with the device, zeroed. Full: GN_NO_DEVICE, with what was asked for and what is left. */
gn_status gn_device_reserve(gn_device *d, size_t bytes, void **slab);
gn_status gn_device_pinned(gn_device *d, size_t bytes, void **host); /* on the host, for copies that do not wait */

gn_status gn_device_upload(gn_device *d, void *to, const void *from, size_t bytes);   /* queued */
gn_status gn_device_upload_beside(gn_device *d, void *to, const void *from, size_t bytes); /* queued on the second stream */
gn_status gn_device_download(gn_device *d, void *to, const void *from, size_t bytes); /* queued */
gn_status gn_device_copy(gn_device *d, void *to, const void *from, size_t bytes);     /* queued, from it to itself */
gn_status gn_device_fill(gn_device *d, void *at, int byte, size_t bytes);             /* queued */
gn_status gn_device_wait(gn_device *d);                          /* until all is done; reports what failed meanwhile */

gn_status gn_device_capture(gn_device *d);                       /* calls until gn_device_captured are noted, not run */
gn_status gn_device_captured(gn_device *d, gn_replay **r);       /* ends with the device */
gn_status gn_device_replay(gn_device *d, const gn_replay *r);
void gn_device_forget(gn_replay *r);                              /* before the device ends; once it runs no more it is gone */

/* Seconds that the device spent between two marks of GN_MARKS; waits for the later. Not where calls are captured. */
#define GN_MARKS (1 << 14)
gn_status gn_device_mark(gn_device *d, int mark);
gn_status gn_device_between(gn_device *d, int from, int to, double *seconds);
/* The most it does in a second: multiply-adds from registers, of float and of bf16 on tensor cores; bytes read and
 * written. Takes the first two marks, and memory that ends with the device. */
gn_status gn_device_ceiling(gn_device *d, double *flop_s, double *bf16_s, double *bytes_s);

/* What a profiler is told: ranges of the host's work, in the domain "gnomon", and between gn_device_watch(1) and (0) what it
 * is to look at. When nobody looks, and in a build without CUDA, nothing is done. */
typedef struct { const char *name; void *handle; } gn_range;     /* the name is registered at first use */
void gn_device_range_push(gn_range *r);
gn_status gn_device_range_pop(gn_status so_far);                 /* hands it on */
#define GN_RANGE(range, call) (gn_device_range_push(range), gn_device_range_pop(call))
void gn_device_watch(int yes);

const char *gn_device_library(void);                             /* "CUDA 13.0", "absent" */
#endif
