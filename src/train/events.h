/* events.h - scalars for TensorBoard: framed protobuf records with masked CRC32C. */
#ifndef GN_EVENTS_H
#define GN_EVENTS_H
#include "gnomon/io.h"

typedef struct { gn_io_file file; } gn_events;

/* A new events.out.tfevents file. With resumed, a session start at `step`: readers drop what an earlier file said from there on. */
gn_status gn_events_open(gn_arena *a, const char *folder, int64_t step, int resumed, gn_events **e);
gn_status gn_events_put(gn_events *e, int64_t step, int n, const char *const *tag, const double *value);
uint32_t gn_crc32c(const void *bytes, size_t n);
#endif
