/* coco.c - COCO keypoints (Lin et al., ECCV 2014): person_keypoints_train2017.json and person_keypoints_val2017.json. */
#include "src/import/keypoints.h"

static const char *const word[] = { GN_COCO_WORDS };
static const gn_keypoints form = { .begins = "person_keypoints_", .joints = 17, .word = word, .hidden = 1 };

static gn_status run(gn_arena *a, const gn_import *from, gn_sink *to) { return gn_keypoints_run(a, from, to, &form); }

const gn_importer gn_import_coco = {
    .name = "coco",
    .takes = "a person_keypoints_*.json, or a folder of them",
    .about = "COCO keypoints (Lin et al. 2014), cocodataset.org; annotations CC BY 4.0, pictures under their Flickr licences",
    .skeleton = &gn_coco17,
    .run = run,
};
