/* posetrack18.c - PoseTrack18 (Andriluka et al., CVPR 2018): COCO's form, a file a video.
 *
 * Flags say labelled alone. Nobody labelled the ears: zeros. A frame with `is_labeled` false has no annotation. Pictures have
 * no size in the file. PCKh's head size is 0.6 of the head box's diagonal, as poseval takes it. */
#include "src/import/keypoints.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const word[] = { "nose", "head_bottom", "head_top", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
                                    "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
                                    "right_ankle" };

/* "images/val/003418_mpii_test/000012.jpg" is frame 12 of take "003418_mpii_test person 3". */
static void name_take(const char *file, const gn_json *person, gn_import_sample *x) {
    const char *name = strrchr(file, '/'), *folder = name ? name : file;
    while (folder > file && folder[-1] != '/') folder--;
    const int n = name && name - folder < 40 ? (int)(name - folder) : name ? 40 : 0;
    snprintf(x->take, sizeof x->take, "%.*s person %.0f", n, folder, gn_json_number(gn_json_find(person, "track_id"), -1));
    x->frame = strtoll(name ? name + 1 : file, NULL, 10);
}

static gn_status more(const gn_json *image, const gn_json *person, gn_import_sample *x) {
    double head[4];
    if (!x->picture[0] && !(x->w && x->h)) GN_FAIL(BAD_DATA, "its image has no 'width' and 'height', as PoseTrack18's have not: they are imported with pictures alone");
    name_take(gn_json_text(gn_json_find(image, "file_name"), ""), person, x);
    if (gn_json_numbers(gn_json_find(person, "bbox_head"), 4, head) && head[2] > 0 && head[3] > 0) {
        x->head_size = 0.6 * hypot(head[2], head[3]);
        x->has |= GN_HAS_head_size;
    }
    return GN_OK;
}

static const gn_keypoints form = { .begins = "", .joints = 17, .word = word, .video = 1, .more = more };

static gn_status run(gn_arena *a, const gn_import *from, gn_sink *to) { return gn_keypoints_run(a, from, to, &form); }

const gn_importer gn_import_posetrack18 = {
    .name = "posetrack18",
    .takes = "a video's .json, or a folder of them",
    .about = "PoseTrack18 (Andriluka et al. 2018), posetrack.net; licence not found",
    .skeleton = &gn_posetrack17,
    .run = run,
};
