/* on_gpu.h - a test that wants a GPU, or the emulated one that is always there. */
#ifndef ON_GPU_H
#define ON_GPU_H
#include "gnomon/device.h"
#include "near.h"

/* Says why a test cannot run; it then ends with SKIP_EXIT. */
static inline int no_gpu(void) {
    const char *why;
    if (gn_device_count(&why)) return 0;
    printf("skipped: %s\n", why);
    return 1;
}
#endif
