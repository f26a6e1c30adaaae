/* metric.h - numbers that say how good a model is, each with its protocol.
 *
 * A meter keeps the truth and the prediction of every sample it is shown; everything is computed
 * from those in sample order, in double, when it is read: no value depends on the batch or on the
 * number of workers. Baselines are the best constant answers to the very same samples: a model that
 * does not beat them has learnt nothing. */
#ifndef GN_METRIC_H
#define GN_METRIC_H
#include "gnomon/arena.h"
#include "gnomon/labels.h"
#include <stdio.h>

/* What a model says about one sample, decoded. */
typedef struct {
    double uv[GN_JOINTS][2], confidence[GN_JOINTS]; /* pixels of the input picture; height of the peak */
    double z[GN_JOINTS];                /* half-picture units, as the model says it */
    double xyz[GN_JOINTS][3];           /* metres about the root, camera frame, by the true root depth */
    double root[3];                     /* metres, camera frame: where the root of xyz is said to be */
    int has_uv, has_z, has_xyz;         /* xyz and root need the true camera and root depth */
} gn_prediction;

typedef struct {
    const char *name, *group, *title, *unit, *protocol; /* group: 2D, 3D, depth, symmetry */
    const char *baseline;               /* what the constant answer is; NULL: there is none */
    int less_is_better;
} gn_metric;
extern const gn_metric *const gn_metrics[]; /* NULL ends */
const gn_metric *gn_metric_find(const char *name);

/* NaN: nothing to score. A metric's value is the mean of its terms over all samples and joints. */
typedef struct {
    const gn_metric *metric;
    double value, baseline;
    int64_t terms;
    double joint[GN_JOINTS], joint_baseline[GN_JOINTS];
} gn_score;

typedef struct gn_meter gn_meter;
typedef struct {
    const char *set;
    int64_t samples;
    int mirrored;                       /* each picture was asked about with its mirror image (data.flip_test) */
    int n;
    gn_score *score;                    /* in the order of gn_metrics, those with terms only */
    const gn_skeleton *skeleton;
    const gn_meter *meter;              /* sample by sample */
} gn_scores;

/* One sample, as a meter keeps it. */
typedef struct {
    gn_prediction said;
    double uv[GN_JOINTS][2], xyz[GN_JOINTS][3]; /* truth: pixels; metres about the root */
    double camera[4], root[3], head_size;       /* root: metres, camera frame; head_size 0: none */
    uint8_t labelled2d[GN_JOINTS], labelled3d[GN_JOINTS], occluded[GN_JOINTS];
    int has3d, side;
} gn_judged;

gn_status gn_meter_open(gn_arena *a, const gn_skeleton *skeleton, int64_t most, gn_meter **m);
gn_status gn_meter_add(gn_meter *m, const gn_labels *truth, const gn_prediction *said);
int64_t gn_meter_samples(const gn_meter *m);
const gn_judged *gn_meter_at(const gn_meter *m, int64_t sample);
gn_status gn_meter_read(const gn_meter *m, gn_arena *a, gn_scores *scores);
const gn_score *gn_score_find(const gn_scores *s, const char *metric); /* NULL: not scored */
double gn_score_ratio(const gn_score *s);   /* to the constant answer's; NaN: there is none */
int gn_score_beats(const gn_score *s);      /* 1: better than the constant answer */
/* One aligned line a metric; `titles`: with the names the field uses. Then, once, what each name means. */
void gn_scores_print(const gn_scores *s, int titles, FILE *to);
void gn_protocols_print(const gn_scores *s, FILE *to);

/* Mean error of one sample that a picture can be judged by: root-aligned 3D in mm, else 2D in pixels. */
double gn_judged_error(const gn_judged *judged, const gn_skeleton *skeleton);

/* What metrics of one person and of several share. */
double gn_distance(const double *a, const double *b);       /* of two points in space */
int gn_pck3d_joint(const gn_skeleton *s, int joint);        /* 1: one of 3DPCK's 14, limbs, neck, head top */
double gn_auc3d(double mm);                                 /* % of the thresholds 0, 5, ... 150 mm above this error */

/* The best similarity (scale, rotation without reflection, shift) of `from` on `to`, applied to `from`.
 * Defined for every finite input: coinciding or collinear points included. */
void gn_similarity_fit(int n, const double (*from)[3], const double (*to)[3], double (*fitted)[3]);
/* Weak perspective, pixels and half-picture depths, scaled so that the skeleton's bones sum to `bones_mm`;
 * mm about the root (Zhou 2017 A5: 4296.99233013). */
#define GN_ZHOU_BONES_MM 4296.99233013
void gn_canonical_pose(const gn_skeleton *s, int side, const gn_prediction *said, double bones_mm, double (*xyz)[3]);
#endif
