/* session.h - a run while it lasts: the stage at hand, its graph, data, losses, optimizer and records. */
#ifndef GN_SESSION_H
#define GN_SESSION_H
#include "events.h"
#include "gnomon/device.h"
#include "gnomon/train.h"

typedef struct {                /* one loss of the stage */
    const gn_loss_use *use;
    int outputs, output[GN_READS];
    gn_loss_call *call;         /* [shards] */
    double *value;              /* [shards] */
    double normaliser, mean;    /* of the step at hand */
} gn_loss_line;

enum { GN_STEP_forward, GN_STEP_loss, GN_STEP_backward, GN_STEP_optimizer, GN_STEP_PARTS };

typedef struct {                /* what is told of a step */
    double loss, rate, norm;    /* weighted sum; of the schedule; of the gradient before clipping */
    double ms, data_ms;
    double part_s[GN_STEP_PARTS];    /* on a GPU of timed steps alone */
} gn_step_note;

typedef struct gn_session {
    const gn_experiment *e;     /* the whole */
    const gn_experiment *stage; /* the part that runs */
    const char *folder, *name;  /* of the run; of the stage */
    gn_arena *run, *of_stage;
    gn_pool *pool;
    gn_events *events;

    gn_graph *graph;
    char where[160];            /* it runs: "CPU, 2 workers, float" */
    gn_loader *loader;
    gn_batch *ahead;            /* the next, fetched while a GPU computed; NULL: not yet */
    const gn_skeleton *skeleton; /* of the labels */
    int pairs;                  /* of a sample's `order`, at most */
    int shards, each;           /* samples a shard */
    gn_labels *labels;          /* [shards][each], in the order of the shards */
    int n_loss;
    gn_loss_line *loss;

    const gn_optimizer *optimizer;
    gn_real *state[GN_OPTIMIZER_STATES], *ema;
    int64_t trained, elements, chunks;
    double *squares;            /* [chunks] */

    struct gn_gpu *gpu;         /* NULL: the stage runs on the CPU */
    int timed;                  /* parts of a step are timed; on a GPU such a step is queued, not replayed */

    gn_progress_state at;
    int64_t steps;              /* of all stages */
    gn_step_note note;
    int64_t saved;              /* step of the last checkpoint, -1: none */
    double started, pace;       /* seconds; a step, smoothed */
    double waited, written;     /* seconds: of the loader so far; when status.json was */
    int64_t fresh;              /* steps taken by this process */
    const gn_metric *best;      /* NULL: `train.best` is no metric's name */
} gn_session;

/* session.c: opens stage k with the weights of the last, by name; fresh optimizer, own data, own plan */
gn_status gn_session_stage(gn_session *s, int k);
gn_status gn_session_plan(gn_session *s);                   /* the stage's graph, with its first weights, where it will run */
/* step.c */
gn_status gn_session_step(gn_session *s);                   /* the next batch, and what is learnt from it */
gn_status gn_session_learn(gn_session *s, const gn_batch *b); /* feed, forward, losses, backward, optimizer */
extern gn_range gn_step_range[GN_STEP_PARTS];
double gn_schedule(const gn_experiment *stage, int64_t at); /* what the rate is multiplied by at step `at`, from 0 */
/* Of the step at hand, by seed, stage and step: a resumed run draws what the undisturbed one does. */
uint64_t gn_session_seed(const gn_session *s);
/* losses.c */
gn_status gn_losses_bind(gn_session *s);
gn_status gn_losses_run(gn_session *s);                     /* values, and slopes into the graph */
gn_status gn_diverged(gn_session *s, const char *what, double value); /* names the first output that is not finite */
void gn_losses_scale(gn_session *s);                        /* normalisers of the labels at hand */
gn_status gn_losses_sum(gn_session *s);                     /* means and the weighted sum, from the values of the shards */
/* gpu.c: the same stage on a GPU; nothing on a CPU */
gn_status gn_gpu_plan(gn_session *s, gn_plan *p);          /* makes p the plan of the session's graph, replica 0 */
gn_status gn_gpu_open(gn_session *s);                       /* when losses and optimizer are there */
gn_status gn_gpu_step(gn_session *s, const gn_batch *b);    /* feed, forward, losses, backward, optimizer */
gn_status gn_gpu_push(gn_session *s), gn_gpu_pull(gn_session *s); /* weights, states and averages to the GPU and back */
/* learn.c */
gn_status gn_learn_open(gn_session *s);
gn_status gn_learn_step(gn_session *s);
void gn_learn_pace(gn_session *s, gn_pace *p);              /* of the step at hand, for a GPU */
/* record.c */
gn_status gn_records_open(gn_session *s, int resumed);      /* cuts metrics.jsonl to the step at hand */
gn_status gn_record_step(gn_session *s);
gn_status gn_record_scores(gn_session *s, const gn_scores *scores);
gn_status gn_record_status(gn_session *s, const char *state, const char *reason);
gn_status gn_record_origin(gn_session *s);                  /* experiment.yaml origin.txt build.txt shards.txt */
void gn_record_end(gn_session *s, const char *reason);      /* the five lines, and the weights' hash */
/* validate.c */
gn_status gn_session_validate(gn_session *s, int *better);
/* signals.c */
void gn_signals_catch(void);
void gn_signals_leave(void);
const char *gn_signal_caught(void); /* "SIGTERM"; NULL: none */
#endif
