/* records.h - metrics.jsonl as series.
 *
 * A record is one JSON object a line with a "step"; every other number in it is a value of the series
 * of its name, inner ones "OUTER.INNER". An evaluation has a "set" and "scores", each a number or an
 * object with a "value": the series "SET/SCORE". */
#ifndef GN_RECORDS_H
#define GN_RECORDS_H
#include "draw.h"

typedef struct { int n, room; gn_series *series; int n_span; gn_span span[64]; } gn_records;
gn_status gn_records_read(gn_arena *a, const char *path, gn_records *r);
const gn_series *gn_records_find(const gn_records *r, const char *name); /* NULL: none of that name */
#endif
