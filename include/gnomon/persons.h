/* persons.h - several people in a picture: who is who, and the numbers of MuPoTS-3D, Panoptic and RootNet.
 *
 * A prediction is matched to at most one annotated person by its pixels. Protocols differ in what becomes of a person
 * whom nobody found, so it is asked for. Values are means over sequences where the protocol says so, else over people. */
#ifndef GN_PERSONS_H
#define GN_PERSONS_H
#include "gnomon/metric.h"

typedef struct {
    double xyz[GN_JOINTS][3]; /* mm, camera frame; of a prediction NaN where it says nothing: an error */
    double uv[GN_JOINTS][2];  /* pixels of the picture */
    uint8_t known[GN_JOINTS]; /* of an annotation: the joint is there; of a prediction: its pixels are */
    double score;             /* of a prediction: the surer the higher */
} gn_person;

typedef struct {
    int sequence;             /* 0, 1, ...; Panoptic's activity */
    int truths, saids;        /* truths: only people whose annotation is valid */
    const gn_person *truth, *said;
} gn_people;                  /* of one picture */

enum { GN_EVERYBODY, GN_MATCHED }; /* people nobody found fail (MuPoTS-3D's mode 0); are left out (mode 1) */

extern const gn_metric *const gn_person_metrics[]; /* NULL ends */

/* MuPoTS-3D: annotated people in turn; each gets the free prediction with most joints, of neck and limbs, less than
 * 40 pixels off in x and in y. match [truths]: its prediction, or -1. */
void gn_persons_match(const gn_skeleton *s, const gn_people *picture, int *match);
/* The said pose with the true bones' lengths, outward from the root, its directions kept. Bones end at 3DPCK's joints; one
 * that is not annotated keeps its length, one said without length has no direction: NaN. */
void gn_persons_stretch(const gn_skeleton *s, const gn_person *truth, const double (*said)[3], double (*to)[3]);
/* Scores in the order of gn_person_metrics, those with terms only; no constant answers. */
gn_status gn_persons_score(const gn_skeleton *s, const gn_people *picture, int64_t n, int whom, gn_arena *a, gn_scores *scores);
#endif
