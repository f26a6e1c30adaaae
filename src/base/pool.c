/* pool.c - the one file that knows pthreads.
 *
 * The pool's barrier spins for a while before it sleeps: at a batch norm the others are microseconds
 * away, and waking a sleeper costs more than the wait. */
#include "gnomon/pool.h"
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { SPINS = 4000 };

int gn_cores(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) return CPU_COUNT(&set);
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (int)n : 1;
}

double gn_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* --- a pool works in step --- */

typedef struct {
    gn_pool *pool;
    int number;
    pthread_t thread;
    gn_status status;
    gn_trail trail;
} worker;

struct gn_pool {
    int workers, started;
    worker *worker;
    gn_work *work;
    void *what;
    atomic_int failed;
    atomic_int verdict;       /* had anyone failed when the last meeting ended? */
    atomic_int arrived;       /* at the present meeting */
    atomic_uint meeting;      /* how many there have been */
    pthread_mutex_t lock;
    pthread_cond_t turn;      /* a meeting is over, or there is work */
    unsigned round;           /* of work given out; guarded by lock */
    int closing;
};

/* Everybody arrives, then everybody goes on. */
static void meet(gn_pool *p) {
    unsigned now = atomic_load(&p->meeting);
    if (atomic_fetch_add(&p->arrived, 1) == p->workers - 1) {
        atomic_store(&p->arrived, 0);
        atomic_store(&p->verdict, atomic_load(&p->failed));
        pthread_mutex_lock(&p->lock);
        atomic_store(&p->meeting, now + 1);
        pthread_cond_broadcast(&p->turn);
        pthread_mutex_unlock(&p->lock);
        return;
    }
    for (int i = 0; i < SPINS; i++) {
        if (atomic_load(&p->meeting) != now) return;
#ifdef __x86_64__
        __builtin_ia32_pause();
#endif
    }
    pthread_mutex_lock(&p->lock);
    while (atomic_load(&p->meeting) == now) pthread_cond_wait(&p->turn, &p->lock);
    pthread_mutex_unlock(&p->lock);
}

/* The verdict is the meeting's, not the moment's: a worker that leaves late must not hear of a failure
 * after the meeting, or it would stay away from the next one while the others wait there. */
gn_status gn_pool_meet(gn_pool *p, gn_status so_far) {
    if (so_far) atomic_store(&p->failed, 1);
    if (p->workers > 1) meet(p);
    else atomic_store(&p->verdict, atomic_load(&p->failed));
    return atomic_load(&p->verdict) ? GN_FAILED : GN_OK;
}

static void work(worker *w) {
    gn_trail_clear();
    w->status = w->pool->work(w->pool->what, w->number, w->pool->workers);
    if (w->status) {
        atomic_store(&w->pool->failed, 1);
        gn_trail_keep(&w->trail);
    }
    if (w->pool->workers > 1) meet(w->pool);
}

static void *live(void *what) {
    worker *w = what;
    gn_pool *p = w->pool;
    for (unsigned done = 0;;) {
        pthread_mutex_lock(&p->lock);
        while (p->round == done && !p->closing) pthread_cond_wait(&p->turn, &p->lock);
        int closing = p->closing;
        done = p->round;
        pthread_mutex_unlock(&p->lock);
        if (closing) return NULL;
        work(w);
    }
}

static void close_pool(void *what) {
    gn_pool *p = what;
    pthread_mutex_lock(&p->lock);
    p->closing = 1;
    pthread_cond_broadcast(&p->turn);
    pthread_mutex_unlock(&p->lock);
    for (int i = 1; i <= p->started; i++) pthread_join(p->worker[i].thread, NULL);
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->turn);
}

gn_status gn_pool_open(gn_arena *a, int workers, gn_pool **pool) {
    gn_pool *p;
    GN_TAKE(p, a, 1);
    p->workers = workers > 0 ? workers : gn_cores();
    GN_TAKE(p->worker, a, p->workers);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->turn, NULL);
    GN_TRY(gn_arena_at_end(a, close_pool, p));
    for (int i = 0; i < p->workers; i++) {
        p->worker[i].pool = p;
        p->worker[i].number = i;
        if (i && pthread_create(&p->worker[i].thread, NULL, live, &p->worker[i]))
            GN_FAIL(FAILED, "cannot start thread %d of %d", i + 1, p->workers);
        if (i) p->started = i;
    }
    *pool = p;
    return GN_OK;
}

int gn_pool_workers(const gn_pool *p) { return p->workers; }

gn_status gn_pool_run(gn_pool *p, gn_work *job, void *what) {
    atomic_store(&p->failed, 0);
    pthread_mutex_lock(&p->lock);
    p->work = job;
    p->what = what;
    p->round++;
    pthread_cond_broadcast(&p->turn);
    pthread_mutex_unlock(&p->lock);
    work(&p->worker[0]);
    worker *first = NULL; /* whoever merely heard of another's failure has no reason of its own */
    for (int i = 0; i < p->workers; i++) {
        worker *w = &p->worker[i];
        if (w->status && (!first || (!first->trail.reason[0] && w->trail.reason[0]))) first = w;
    }
    if (!first) return GN_OK;
    gn_trail_restore(&first->trail);
    return first->status;
}

/* --- a crew works ahead --- */

typedef struct {
    gn_job *job;
    void *what;
    int64_t index;
    gn_tally *tally;
} task;

enum { QUEUE = 1 << 12 };

struct gn_crew {
    pthread_mutex_t lock;
    pthread_cond_t work, done;
    pthread_t *thread;
    int threads, closing;
    unsigned head, tail;      /* tasks [head, tail) wait */
    task queue[QUEUE];
};

static void *serve(void *what) {
    gn_crew *c = what;
    for (;;) {
        pthread_mutex_lock(&c->lock);
        while (c->head == c->tail && !c->closing) pthread_cond_wait(&c->work, &c->lock);
        if (c->closing) {
            pthread_mutex_unlock(&c->lock);
            return NULL;
        }
        task t = c->queue[c->head++ % QUEUE];
        pthread_mutex_unlock(&c->lock);

        t.job(t.what, t.index);

        pthread_mutex_lock(&c->lock);
        atomic_fetch_sub(&t.tally->left, 1);
        pthread_cond_broadcast(&c->done);
        pthread_mutex_unlock(&c->lock);
    }
}

static void close_crew(void *what) {
    gn_crew *c = what;
    pthread_mutex_lock(&c->lock);
    c->closing = 1;
    pthread_cond_broadcast(&c->work);
    pthread_mutex_unlock(&c->lock);
    for (int i = 0; i < c->threads; i++) pthread_join(c->thread[i], NULL);
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->work);
    pthread_cond_destroy(&c->done);
}

gn_status gn_crew_open(gn_arena *a, int threads, gn_crew **crew) {
    gn_crew *c;
    GN_TAKE(c, a, 1);
    GN_TAKE(c->thread, a, threads);
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->work, NULL);
    pthread_cond_init(&c->done, NULL);
    GN_TRY(gn_arena_at_end(a, close_crew, c));
    for (; c->threads < threads; c->threads++)
        if (pthread_create(&c->thread[c->threads], NULL, serve, c))
            GN_FAIL(FAILED, "cannot start thread %d of %d", c->threads + 1, threads);
    *crew = c;
    return GN_OK;
}

void gn_crew_post(gn_crew *c, gn_job *job, void *what, int64_t index, gn_tally *tally) {
    pthread_mutex_lock(&c->lock);
    while (c->tail - c->head == QUEUE) pthread_cond_wait(&c->done, &c->lock);
    c->queue[c->tail++ % QUEUE] = (task){ job, what, index, tally };
    atomic_fetch_add(&tally->left, 1);
    pthread_cond_signal(&c->work);
    pthread_mutex_unlock(&c->lock);
}

void gn_crew_wait(gn_crew *c, gn_tally *tally) {
    pthread_mutex_lock(&c->lock);
    while (atomic_load(&tally->left) > 0) pthread_cond_wait(&c->done, &c->lock);
    pthread_mutex_unlock(&c->lock);
}
