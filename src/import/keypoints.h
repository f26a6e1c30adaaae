/* keypoints.h - person keypoints in COCO's form of JSON, which many sets share: lists `images`, `annotations`, `categories`.
 *
 * An annotation has `keypoints` (x, y, flag a joint; flag 0: not labelled), `bbox` (x y width height), and the number of its
 * picture. Persons come picture by picture, whatever the file's order; memory is an index of both lists. */
#ifndef GN_KEYPOINTS_H
#define GN_KEYPOINTS_H
#include "gnomon/import.h"
#include "gnomon/json.h"

typedef struct {
    const char *begins;              /* the names of its files */
    int joints;                      /* of `keypoints` */
    const char *const *word;         /* [joints] as `categories` calls them; "a|b": either */
    int hidden;                      /* 1: flag 1 is a joint that is hidden, 2 one that is seen; 0: flags say labelled alone */
    int video;                       /* 1: x->frame counts the frames of a take; 0: it is the annotation's number */
    gn_status (*more)(const gn_json *image, const gn_json *person, gn_import_sample *x); /* what it has beside; NULL: nothing */
} gn_keypoints;
gn_status gn_keypoints_run(gn_arena *a, const gn_import *from, gn_sink *to, const gn_keypoints *form);

/* A person's list of n joints, into the sample's joints from `first` on. */
gn_status gn_keypoints_read(const gn_json *person, const char *key, int n, int hidden, int first, gn_import_sample *x);
#define GN_COCO_WORDS                                                                                                     \
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",            \
        "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle"
#endif
