/* decoder.h - JPEGs one after another, without taking memory. */
#ifndef GN_DECODER_H
#define GN_DECODER_H
#include "gnomon/arena.h"

typedef struct gn_decoder gn_decoder;
gn_status gn_decoder_open(gn_arena *a, gn_decoder **d);
/* rgb [h w 3]; GN_BAD_DATA when the JPEG is broken or has another size. */
gn_status gn_decoder_run(gn_decoder *d, const void *bytes, size_t n, int w, int h, uint8_t *rgb);
/* The library's own call and nothing beside it: what benches measure against. */
gn_status gn_decoder_alone(gn_decoder *d, const void *bytes, size_t n, int w, int h, uint8_t *rgb);
#endif
