/* on_gpu.h - a test that wants a GPU, or the emulated one that is always there. */
#ifndef ON_GPU_H
#define ON_GPU_H
#include "gnomon/device.h"
#include "near.h"
#include <string.h>

/* GN_SMALLEST=1: each case is slow, as under compute-sanitizer; of n the first `least` are enough to meet every kernel. */
static inline int smallest(void) {
    const char *s = getenv("GN_SMALLEST");
    return s && strcmp(s, "0");
}
static inline int cases(int n, int least) { return smallest() && least < n ? least : n; }

/* Says why a test cannot run; it then ends with SKIP_EXIT. With few blocks small shapes meet kernels that stay for several tiles. */
static inline int no_gpu(void) {
    const char *why;
    setenv("GN_FILL", smallest() ? "2" : "4", 0);
    if (gn_device_count(&why)) return 0;
    printf("skipped: %s\n", why);
    return 1;
}
#endif
