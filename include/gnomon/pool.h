/* pool.h - threads: a pool that works in step, a crew that works ahead.
 *
 * A pool runs one function on every worker and returns when all are done; the caller is worker 0.
 * Inside, gn_pool_meet is a barrier. Libraries inside a worker run single-threaded.
 * A crew takes jobs and does them in the background, in the order they were posted. */
#ifndef GN_POOL_H
#define GN_POOL_H
#include "gnomon/arena.h"
#include <stdatomic.h>

typedef struct gn_pool gn_pool;
typedef gn_status gn_work(void *what, int worker, int workers);

gn_status gn_pool_open(gn_arena *a, int workers, gn_pool **pool); /* 0: one a core; ends with the arena */
int gn_pool_workers(const gn_pool *pool);
/* First failure by worker number, its trail restored here. A worker that fails before a meeting
 * must still come to it: gn_pool_meet returns GN_FAILED to everybody once anyone has failed. */
gn_status gn_pool_run(gn_pool *pool, gn_work *work, void *what);
gn_status gn_pool_meet(gn_pool *pool, gn_status so_far);

typedef struct gn_crew gn_crew;
typedef struct { atomic_int left; } gn_tally; /* jobs posted and not yet done */
typedef void gn_job(void *what, int64_t index);

gn_status gn_crew_open(gn_arena *a, int threads, gn_crew **crew);
void gn_crew_post(gn_crew *crew, gn_job *job, void *what, int64_t index, gn_tally *tally);
void gn_crew_wait(gn_crew *crew, gn_tally *tally); /* until tally->left is 0 */

int gn_cores(void);       /* processors this process may use */
double gn_seconds(void);  /* a clock that only goes forward */
#endif
