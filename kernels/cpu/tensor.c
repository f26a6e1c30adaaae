/* tensor.c - tensors on the CPU: sizes, names, memory, and the layout that suits the machine. */
#include "gnomon/op.h"
#include <stdio.h>
#include <sys/mman.h>

size_t gn_type_bytes(gn_type type) {
    switch (type) {
    case GN_TYPE_REAL: return sizeof(gn_real);
    case GN_TYPE_BF16: return 2;
    case GN_TYPE_U8: return 1;
    case GN_TYPE_I32: return 4;
    case GN_TYPE_F64: return 8;
    }
    return 0;
}

int64_t gn_shape_count(const gn_shape *s) {
    int64_t n = 1;
    for (int i = 0; i < s->n; i++) n *= s->d[i];
    return n;
}

int64_t gn_tensor_lanes(const gn_tensor *t) {
    int64_t c = t->shape.d[1], b = t->block;
    return b ? (c + b - 1) / b * b : c;
}

int64_t gn_tensor_count(const gn_tensor *t) {
    const int64_t *d = t->shape.d;
    return t->block ? d[0] * gn_tensor_lanes(t) * d[2] * d[3] : gn_shape_count(&t->shape);
}

size_t gn_tensor_bytes(const gn_tensor *t) { return (size_t)gn_tensor_count(t) * gn_type_bytes(t->type); }

int64_t gn_rows(const gn_tensor *t) {
    int64_t places = gn_shape_count(&t->shape) / t->shape.d[1];
    return (places + GN_ROW_PLACES - 1) / GN_ROW_PLACES;
}

int gn_shape_same(const gn_shape *a, const gn_shape *b) {
    if (a->n != b->n) return 0;
    for (int i = 0; i < a->n; i++)
        if (a->d[i] != b->d[i]) return 0;
    return 1;
}

const char *gn_shape_text(const gn_shape *s) {
    static _Thread_local char text[4][128];
    static _Thread_local unsigned turn;
    char *t = text[turn++ % 4];
    size_t at = (size_t)snprintf(t, sizeof text[0], "[");
    for (int i = 0; i < s->n; i++)
        at += (size_t)snprintf(t + at, sizeof text[0] - at, i ? " %lld" : "%lld", (long long)s->d[i]);
    snprintf(t + at, sizeof text[0] - at, "]");
    return t;
}

typedef struct { void *at; size_t bytes; } mapping;

static void unmap(void *what) {
    mapping *m = what;
    munmap(m->at, m->bytes);
}

/* Steps of a network walk hundreds of megabytes: with large pages that is a hundred times fewer faults
 * at first touch, and fewer misses of the address cache ever after. */
gn_status gn_slab_reserve(gn_arena *a, size_t bytes, void **slab) {
    enum { LARGE = 2 << 20 };
    mapping *m;
    GN_TAKE(m, a, 1);
    m->bytes = bytes < LARGE ? (bytes ? bytes : 1) : (bytes + LARGE - 1) / LARGE * LARGE;
    m->at = mmap(NULL, m->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (m->at == MAP_FAILED) GN_FAIL(NO_MEMORY, "out of memory: a slab of %.1f MB", (double)bytes * 1e-6);
    madvise(m->at, m->bytes, MADV_HUGEPAGE); /* a wish: where it is refused, pages are small */
    *slab = m->at;
    return gn_arena_at_end(a, unmap, m);
}

int gn_block_fastest(gn_impl impl) {
#if defined GN_ONEDNN && defined __x86_64__
    if (impl != GN_IMPL_OWN && sizeof(gn_real) == sizeof(float)) {
        if (__builtin_cpu_supports("avx512f")) return 16;
        if (__builtin_cpu_supports("avx2")) return 8;
    }
#endif
    (void)impl;
    return 0;
}
