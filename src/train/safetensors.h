/* safetensors.h - named tensors in a file: 8 bytes of length, a JSON header, the numbers.
 *
 * The reader trusts nothing: header at most 100 MB, known types, size = product of the shape, offsets
 * without gap or overlap and up to the end of the file. */
#ifndef GN_SAFETENSORS_H
#define GN_SAFETENSORS_H
#include "gnomon/arena.h"
#include "gnomon/tensor.h"

typedef struct {
    const char *name, *type;   /* "F32" */
    gn_shape shape;
    size_t bytes;
    const void *data;          /* of a file that was read */
    uint64_t hash;             /* of the bytes written, or read */
} gn_named;

/* Writes n float tensors of the given names and shapes; fill puts those of tensor i, dense, where it is told. `hash` of
 * every tensor, and of all that comes before them, are what was meant to be written, not what a disk made of it. */
typedef void gn_fill(const void *what, int i, float *dense);
gn_status gn_safetensors_write(gn_arena *a, const char *path, int n, gn_named *list, gn_fill *fill, const void *what,
                               uint64_t *head, size_t *bytes);
/* From the bytes of a file, which stay borrowed. `path` is for the reasons. */
gn_status gn_safetensors_parse(gn_arena *a, const char *path, const void *bytes, size_t n, int *count, gn_named **list, uint64_t *head);
const gn_named *gn_named_find(int n, const gn_named *list, const char *name); /* NULL: none */
#endif
