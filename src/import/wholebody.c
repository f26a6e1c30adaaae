/* wholebody.c - COCO-WholeBody (Jin et al., ECCV 2020): COCO's persons with feet; faces and hands are left in the file. */
#include "src/import/keypoints.h"

static const char *const word[] = { GN_COCO_WORDS };

static gn_status more(const gn_json *image, const gn_json *person, gn_import_sample *x) {
    (void)image;
    return gn_keypoints_read(person, "foot_kpts", 6, 1, 17, x); /* big toe, small toe, heel of the left foot, then of the right */
}

static const gn_keypoints form = { .begins = "coco_wholebody_", .joints = 17, .word = word, .hidden = 1, .more = more };

static gn_status run(gn_arena *a, const gn_import *from, gn_sink *to) { return gn_keypoints_run(a, from, to, &form); }

const gn_importer gn_import_wholebody = {
    .name = "wholebody",
    .takes = "a coco_wholebody_*.json, or a folder of them",
    .about = "COCO-WholeBody (Jin et al. 2020), github.com/jin-s13/COCO-WholeBody; annotations for research alone, CC BY-NC 4.0",
    .skeleton = &gn_coco23,
    .run = run,
};
