/* log.h - lines for people. Records for machines go to metrics.jsonl (train.h).
 *
 * A line goes to standard error and, once a run folder is open, to its log.txt. On a terminal the
 * last line may be a progress bar, redrawn in place; elsewhere progress is a line at most once a
 * second. NO_COLOR and TERM=dumb are respected. */
#ifndef GN_LOG_H
#define GN_LOG_H
#include "gnomon/status.h"

void gn_log(const char *fmt, ...) GN_PRINTF(1, 2);
void gn_warn(const char *fmt, ...) GN_PRINTF(1, 2);
/* share of the work done in [0, 1], and what to say beside it; drawn at most ten times a second */
void gn_progress(double share, const char *fmt, ...) GN_PRINTF(2, 3);
void gn_progress_end(void);            /* clears the bar */
int gn_log_live(void);                 /* 1: a bar is drawn, so progress may come every step */
void gn_log_quiet(int quiet);          /* 1: warnings alone, and the run's log */
gn_status gn_log_open(const char *path); /* append every line here too; NULL closes */
#endif
