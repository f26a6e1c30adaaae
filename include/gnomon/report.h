/* report.h - what a person looks at: a run as one page, a shard as a sheet, a prediction as a picture. */
#ifndef GN_REPORT_H
#define GN_REPORT_H
#include "gnomon/train.h"

gn_status gn_report(const char *run, gn_arena *a, const char **page);                      /* RUN/report.html; scores written anew */
gn_status gn_sheet(const char *shard, int columns, int rows, const char *png, gn_arena *a); /* data show */
/* A picture or a folder of them; OUT/NAME.json and OUT/NAME.png. box: [x y w h] pixels, NULL: the middle square. */
gn_status gn_predict(const char *run, const char *input, const double *box, const char *out, gn_arena *a);
/* The best checkpoint's answers to `count` samples, evenly through a shard, joined into one picture with the truth. */
gn_status gn_predict_sheet(const char *run, const char *shard, int count, const char *png, gn_arena *a);
gn_status gn_runs_list(FILE *to, const char *runs, gn_arena *a);
gn_status gn_runs_show(FILE *to, const char *run, gn_arena *a);
#endif
