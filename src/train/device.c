/* device.c - where an experiment's network runs, and the plan that follows. */
#include "gnomon/device.h"
#include "gnomon/train.h"
#include <string.h>

enum { AUTO, CPU, CUDA }; /* of device.backend */

static gn_status pick(const gn_experiment *e, gn_backend *on) {
    const char *why;
    *on = GN_CPU;
    if (e->device.backend == CPU) return GN_OK;
    const int there = gn_device_count(&why);
    if (e->device.backend == AUTO && !there) return GN_OK;
    if (!there) GN_FAIL(NO_DEVICE, "device.backend is cuda, but %s", why);
    if (e->device.gpus > there) GN_FAIL(NO_DEVICE, "device.gpus is %d, %d usable here", e->device.gpus, there);
    *on = GN_CUDA;
    return GN_OK;
}

gn_status gn_experiment_plan(const gn_experiment *e, gn_pool *pool, int backward, gn_plan *p) {
    *p = (gn_plan){ .impl = (gn_impl)e->device.impl, .type = e->device.type ? GN_TYPE_BF16 : GN_TYPE_REAL, .batch = e->data.batch,
                    .shards = e->train.shards, .norm_shard = e->train.norm, .backward = backward, .pool = pool };
    return pick(e, &p->backend);
}

gn_status gn_plan_describe(const gn_plan *p, gn_graph *g, char *text, size_t room) {
    const char *type = p->type == GN_TYPE_BF16 ? "bf16" : "float";
    gn_device *d = gn_graph_on_gpu(g).device;
    if (!d) {
        snprintf(text, room, "CPU, %d workers, %s", p->pool ? gn_pool_workers(p->pool) : 1, type);
        return GN_OK;
    }
    gn_device_facts f;
    GN_TRY(gn_device_look(d, &f));
    snprintf(text, room, "GPU %d, %s (%d.%d), %s", p->device, f.name, f.major, f.minor, type);
    return GN_OK;
}
