/* session.h - a run while it lasts: the stage at hand, its graph, data, losses, optimizer and records. */
#ifndef GN_SESSION_H
#define GN_SESSION_H
#include "events.h"
#include "gnomon/train.h"

typedef struct {                /* one loss of the stage */
    const gn_loss_use *use;
    int outputs, output[GN_READS];
    gn_loss_call *call;         /* [shards] */
    double *value;              /* [shards] */
    double normaliser, mean;    /* of the step at hand */
} gn_loss_line;

typedef struct {                /* the parts of a step that a record tells */
    double loss, rate, norm;    /* weighted sum; of the schedule; of the gradient before clipping */
    double ms, data_ms;
} gn_step_note;

typedef struct gn_session {
    const gn_experiment *e;     /* the whole */
    const gn_experiment *stage; /* the part that runs */
    const char *folder, *name;  /* of the run; of the stage */
    gn_arena *run, *of_stage;
    gn_pool *pool;
    gn_events *events;

    gn_graph *graph;
    gn_loader *loader;
    int shards, each;           /* samples a shard */
    gn_labels *labels;          /* [shards][each], in the order of the shards */
    int n_loss;
    gn_loss_line *loss;

    const gn_optimizer *optimizer;
    gn_real *state[GN_OPTIMIZER_STATES], *ema;
    int64_t trained, elements, chunks;
    double *squares;            /* [chunks] */

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
/* step.c */
gn_status gn_session_step(gn_session *s);
double gn_schedule(const gn_experiment *stage, int64_t at); /* what the rate is multiplied by at step `at`, from 0 */
/* losses.c */
gn_status gn_losses_bind(gn_session *s);
gn_status gn_losses_run(gn_session *s);                     /* values, and slopes into the graph */
gn_status gn_diverged(gn_session *s, const char *what, double value); /* names the first output that is not finite */
/* learn.c */
gn_status gn_learn_open(gn_session *s);
gn_status gn_learn_step(gn_session *s);
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
