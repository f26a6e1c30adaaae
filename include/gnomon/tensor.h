/* tensor.h - numbers with a shape.
 *
 * An activation has the logical shape [N C H W] and keeps its channels in blocks, last: in memory
 * it is [N][ceil(C/B)][H W][B], with zeros in the lanes past C. B = C is [N H W C], the layout of the
 * reference loops and of CUDA; B = 16 or 8 is the layout in which CPU libraries are fastest. One loop
 * with B as a number serves both. Everything else is dense and row-major (block 0). */
#ifndef GN_TENSOR_H
#define GN_TENSOR_H
#include "gnomon/arena.h"
#include "gnomon/formula.h"
#include <stddef.h>

typedef enum { GN_TYPE_REAL, GN_TYPE_BF16, GN_TYPE_U8, GN_TYPE_I32, GN_TYPE_F64 } gn_type;

typedef struct { int n; int64_t d[5]; } gn_shape;

typedef struct {
    gn_type type;
    int block;      /* 0: row-major; else channels a block, and shape is [N C H W] */
    gn_shape shape;
    void *data;     /* borrowed; NULL: not wanted */
} gn_tensor;

size_t gn_type_bytes(gn_type type);
int64_t gn_shape_count(const gn_shape *s);         /* product of the extents */
int64_t gn_tensor_count(const gn_tensor *t);       /* elements in memory, padded lanes included */
size_t gn_tensor_bytes(const gn_tensor *t);
int64_t gn_tensor_lanes(const gn_tensor *t);       /* channels, padded ones included; of a row-major tensor its d[1] */
const char *gn_shape_text(const gn_shape *s);      /* "[4 256 64 64]"; four may be in use at once, a thread */
int gn_shape_same(const gn_shape *a, const gn_shape *b);

/* Zeroed memory from the system, whole pages, large ones where there are; ends with the arena. */
gn_status gn_slab_reserve(gn_arena *a, size_t bytes, void **slab);

/* Place of (n, c, y, x) in an activation. */
GN_FN int64_t gn_at(const gn_tensor *t, int64_t n, int64_t c, int64_t y, int64_t x) {
    const int64_t *d = t->shape.d;
    int64_t b = t->block, blocks = (d[1] + b - 1) / b;
    return (((n * blocks + c / b) * d[2] + y) * d[3] + x) * b + c % b;
}
#endif
