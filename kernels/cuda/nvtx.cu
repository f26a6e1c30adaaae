// nvtx.cu - what a profiler is told: ranges of the host's work, and which steps to look at.
#include "launch.cuh"
extern "C" {
#include "gnomon/device.h"
}

#ifndef GN_EMULATE
#include <cuda_profiler_api.h>
#include <nvtx3/nvToolsExt.h>

static nvtxDomainHandle_t domain() {
    static nvtxDomainHandle_t d = nvtxDomainCreateA("gnomon");
    return d;
}

// Threads that come at once register one name twice, which NVTX allows. Without a tool there is no handle.
extern "C" void gn_device_range_push(gn_range *r) {
    void *name = __atomic_load_n(&r->handle, __ATOMIC_RELAXED);
    if (!name) {
        name = (void *)nvtxDomainRegisterStringA(domain(), r->name);
        __atomic_store_n(&r->handle, name, __ATOMIC_RELAXED);
    }
    nvtxEventAttributes_t e = {};
    e.version = NVTX_VERSION;
    e.size = NVTX_EVENT_ATTRIB_STRUCT_SIZE;
    e.messageType = NVTX_MESSAGE_TYPE_REGISTERED;
    e.message.registered = (nvtxStringHandle_t)name;
    nvtxDomainRangePushEx(domain(), &e);
}

extern "C" gn_status gn_device_range_pop(gn_status so_far) {
    nvtxDomainRangePop(domain());
    return so_far;
}

extern "C" void gn_device_watch(int yes) { yes ? cudaProfilerStart() : cudaProfilerStop(); }

#else
extern "C" void gn_device_range_push(gn_range *r) { (void)r; }
extern "C" gn_status gn_device_range_pop(gn_status so_far) { return so_far; }
extern "C" void gn_device_watch(int yes) { (void)yes; }
#endif
