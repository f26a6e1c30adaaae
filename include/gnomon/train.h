/* train.h - experiment, session, step, metric, checkpoint. */
#ifndef GN_TRAIN_H
#define GN_TRAIN_H
#include "gnomon/config.h"
#include "gnomon/dataset.h"
#include "gnomon/graph.h"
#include "gnomon/loss.h"
#include "gnomon/metric.h"
#include "gnomon/optimizer.h"
#include "gnomon/puppet.h"

/* --- the experiment, as its file says it; rows in src/train/experiment.c --- */
typedef struct {
    const gn_loss *loss;
    double weight;
    int mean;                       /* gn_mean */
    gn_texts reads;                 /* outputs of the model; the loss's own names unless said */
    void *options;
} gn_loss_use;

typedef struct gn_experiment gn_experiment;
struct gn_experiment {
    const char *name, *file;
    int64_t seed;
    struct {
        const char *root, *motion;
        gn_texts train, valid;
        gn_counts mix;
        const char *skeleton;       /* the run's joints; "": the data sets' own */
        int together, pick;         /* samples of one group that come together; any | row */
        int batch, input, threads, flip_test;
        gn_augment augment;
        gn_label_rules labels;
        gn_puppet_options puppet;
    } data;
    gn_pick model;
    gn_picks losses;                /* as the file names them; the options of each begin with a gn_loss_use */
    int n_loss;                     /* those whose weight is not 0 */
    gn_loss_use *loss;
    struct {
        const char *start;          /* RUN or CHECKPOINT to take weights from, or "" */
        gn_texts only;              /* scopes taken; none: all */
        int init;                   /* gn_init */
        int shards, norm;           /* norm: batch | shard */
        int64_t steps, warmup;
        gn_counts drops;            /* steps at which the rate falls by `drop` */
        double drop;
        int schedule;               /* step | cosine */
        gn_pick optimizer;          /* sgd | rmsprop | adam | adamw */
        double clip, ema;           /* gradient norm, 0: none; decay of the averaged weights, 0: none */
        gn_texts frozen;            /* scopes that do not learn */
        int64_t valid_every, save_every, log_every;
        int keep;
        const char *best;           /* metric that chooses the best checkpoint: "pckh", "mpjpe_mm" */
        int numerics;               /* exact | fast */
        const gn_yaml *stages;      /* an ordered map: what each stage overrides, from the root down */
    } train;
    struct {
        int backend;                /* auto | cpu | cuda */
        int workers, gpus, impl, type;
    } device;
    int n_stage;                    /* at least 1 once read: a file without stages is one stage "main" */
    const char **stage_name;
    gn_experiment *stage;           /* each complete: the common part with the stage's overrides */
    int depth_untrained;            /* no loss of this stage or an earlier one reads "depth": it is not decoded */
    gn_yaml *tree;                  /* as read, overrides included */
    const gn_option *rows;          /* that this struct was filled by */
};

gn_status gn_experiment_read(gn_arena *a, const char *path, int n_override, char *const *override, gn_experiment *e);
gn_status gn_experiment_parse(gn_arena *a, const char *file, const char *text, gn_experiment *e); /* `file` is what messages call it */
const gn_skeleton *gn_experiment_skeleton(const gn_experiment *e);            /* the joints that its models know */
void gn_experiment_print(const gn_experiment *e, FILE *to);                   /* resolved: every default written out */
gn_status gn_experiment_write(const gn_experiment *e, const char *path);      /* the same: experiment.yaml */
gn_status gn_experiment_origins(const gn_experiment *e, const char *path);    /* origin.txt */
/* Of all that can change the result: not of workers, threads, the data root, how much is kept or logged. */
uint64_t gn_experiment_hash(const gn_experiment *e);
/* Every loss finds each needed field in a training set and each output in the model, or GN_BAD_CONFIG. */
gn_status gn_experiment_check(const gn_experiment *e, gn_arena *a, FILE *say);
gn_status gn_experiment_build(const gn_experiment *e, gn_arena *a, gn_graph **g); /* the model, not planned */
/* Where it runs: device.backend, or with auto a GPU if one is usable; one that was asked for and is not there is GN_NO_DEVICE. */
gn_status gn_experiment_plan(const gn_experiment *e, gn_pool *pool, int backward, gn_plan *p);
gn_status gn_plan_describe(const gn_plan *p, gn_graph *g, char *text, size_t room); /* "CPU, 2 workers, float" */
gn_status gn_describe(FILE *to, const char *name);      /* every option of every model, loss, data set; or of one */

/* --- evaluation; metrics are in metric.h --- */
/* The model over a batch, as it is scored and shown: what gn_decode reads. With data.flip_test each picture is
 * asked twice, as it is and mirrored, and maps and depths are averaged. */
gn_status gn_ask(const gn_experiment *e, gn_graph *g, gn_pool *pool, int shards, const gn_skeleton *k, const gn_batch *b);
/* Predictions of the n samples last asked about; of `truth` only skeleton, camera and root depth are used. */
gn_status gn_decode(const gn_experiment *e, gn_graph *g, int n, int shards, const gn_labels *truth, gn_prediction *p);
/* The maps of one of them, [J h w], each 1 at its peak, for looking at. */
gn_status gn_decode_maps(const gn_experiment *e, gn_graph *g, int sample, int shards, int joints, gn_arena *a, int *w, int *h, float **maps);
/* All metrics of a set over its validation shards, with the weights as they are. The graph is planned for
 * e->data.batch samples in e->train.shards shards. The scores and what they were made of live in `a`. */
gn_status gn_evaluate(const gn_experiment *e, gn_graph *g, gn_pool *pool, const char *set, gn_arena *a, gn_scores *scores);
gn_status gn_scores_write(const gn_scores *s, const char *run, gn_arena *a); /* RUN/eval/SET@valid.json */

/* --- runs --- */
/* Trains in `folder`, which must be new unless `resume`. Signals TERM, INT and USR1 finish the step, write a checkpoint
 * and end with GN_STOPPED; what cannot be continued, a loss that is not finite, is GN_DIVERGED. */
gn_status gn_train(const gn_experiment *e, gn_arena *run, const char *folder, int resume);
gn_status gn_run_new(gn_arena *a, const gn_experiment *e, const char *runs, const char **folder);  /* RUNS/NAME/20261121-010203-7f3a, made */
gn_status gn_run_unfinished(gn_arena *a, const gn_experiment *e, const char *runs, const char **folder); /* newest of the same hash; NULL: none */
gn_status gn_run_folder(gn_arena *a, const char *run, const char **folder);       /* a path, an id below runs/, "latest" */
gn_status gn_run_experiment(gn_arena *a, const char *folder, gn_experiment *e);
/* RUN or CHECKPOINT to a checkpoint that verifies: of a run the best, or else the newest. */
gn_status gn_run_checkpoint(gn_arena *a, const char *what, const char **folder);

/* Pictures of a batch into the graph's input: sample i is sample i/S of shard i%S; places past the batch become 0. */
gn_status gn_batch_feed(const gn_batch *b, gn_graph *g, gn_pool *pool, int shards);
/* Into a graph that has only `here` of the shards, from `first` on. */
gn_status gn_batch_feed_mirrored(const gn_batch *b, gn_graph *g, gn_pool *pool, int shards); /* joints as in the mirrored picture */
gn_status gn_batch_feed_part(const gn_batch *b, gn_graph *g, gn_pool *pool, int first, int here, int shards);

/* --- checkpoints: safetensors and a manifest with hashes --- */
typedef struct {
    int64_t step, stage, stage_step;
    uint64_t experiment, data;          /* hashes */
    double best; int64_t best_step;     /* NaN: nothing was validated yet */
} gn_progress_state;
/* RUN/checkpoint/step_00012000; state[k] are the optimizer's slabs, ema the averaged weights (NULL: none). It is read back
 * and verified before `latest` and `best` point to it and before any older one goes: the newest `keep` and the best stay. */
gn_status gn_checkpoint_write(const char *run, const gn_graph *g, int states, gn_real *const *state, const gn_real *ema,
                              const gn_progress_state *at, int keep, int is_best);
gn_status gn_checkpoint_verify(const char *folder);                                /* names file and tensor */
gn_status gn_checkpoint_progress(const char *folder, gn_progress_state *at);           /* verifies */
/* Newest that verifies; says what it passed over. None there: GN_MISSING; none that verifies: GN_BAD_DATA. */
gn_status gn_checkpoint_newest(gn_arena *a, const char *run, const char **folder);
gn_status gn_checkpoint_best(gn_arena *a, const char *run, const char **folder);   /* or the newest, where there is none */
gn_status gn_checkpoint_read(const char *folder, gn_graph *g, int states, gn_real *const *state, gn_real *ema,
                             gn_progress_state *at);
/* `only`: scopes taken, none: all that the model has; averaged: the averaged weights, where there are any */
gn_status gn_checkpoint_weights(const char *folder, gn_graph *g, const gn_texts *only, int averaged);
/* of all parameters and running statistics, dense, by name */
uint64_t gn_weights_hash(const gn_graph *g);
#endif
