/* sample.h - between a shard and a batch: which sample comes when, how it is looked at, what its labels become. */
#ifndef GN_SAMPLE_H
#define GN_SAMPLE_H
#include "gnomon/dataset.h"

/* --- order.c: place k of a run's endless stream, in O(1) --- */
enum { GN_SETS = 16 };
typedef struct {
    uint64_t seed;
    int sets, shuffled;
    int64_t n[GN_SETS];
    int64_t mix[GN_SETS];       /* samples of each set in turn; all 0: by size */
} gn_order;
typedef struct { int set; int64_t sample, epoch, unit; } gn_turn; /* unit: what it comes together with has the same */
int64_t gn_order_samples(const gn_order *o);
gn_turn gn_order_at(const gn_order *o, int64_t place);
/* Which of a group's n samples is the k-th of `together`, at this visit: neighbours, or a draw without repetition. */
int64_t gn_order_member(uint64_t seed, gn_turn unit, int64_t n, int k, int together, int in_row);

/* --- augment.c --- */
typedef struct {
    int w, h, side;             /* stored picture, input picture */
    double to_input[6];         /* [2 3] stored pixels to input pixels */
    double to_stored[6];        /* its inverse */
    double turn[4];             /* [2 2] what the camera's x and y become: rotation, mirrored first if flipped */
    double zoom;                /* input pixels a stored pixel */
    int flip;
    float gain[3];              /* of red, green, blue */
    int box[4];                 /* x0 y0 x1 y1 painted over, input pixels; empty: x1 <= x0 */
    float paint[3];
    int placed;                 /* before another sample's picture; in [0, 1): of which set, which sample */
    double donor_set, donor;
} gn_view;
/* `g` NULL: the whole picture, centred, as it is. Whether it is mirrored is drawn for the unit: what comes together is
 * one world. */
void gn_view_draw(const gn_augment *g, uint64_t seed, gn_turn t, int w, int h, int side, gn_view *v);

gn_status gn_label_store_take(gn_arena *a, int J, int P, gn_label_store *s);
gn_labels gn_label_store_labels(const gn_label_store *s, const gn_skeleton *skeleton, uint32_t has, int P, int side);
/* Carries the fields in `has` from the stored picture's frame to the input's, each by its kind. */
void gn_view_carry(const gn_view *v, const gn_skeleton *skeleton, uint32_t has, int P, gn_label_store *s);
/* [side side 3] in [0, 1]; `next`, of the same size, is probably wanted after this: NULL: not known */
void gn_view_picture(const gn_view *v, const uint8_t *stored, const uint8_t *next, float *input);

/* --- rules.c: adds depth where 2D and 3D are known, then applies the rules; returns the fields there are now.
 * No depth where the root's is not known. `r` NULL: depth about the pelvis, labels as they are. */
uint32_t gn_rules_apply(const gn_label_rules *r, const gn_skeleton *skeleton, uint32_t has, int side, gn_label_store *s);
#endif
