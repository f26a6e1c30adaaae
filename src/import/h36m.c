/* h36m.c - Human3.6M (Ionescu et al., TPAMI 2014) in the three forms that circulate; the owners' own is CDF, which is not read.
 *
 * VideoPose3D's data_3d_h36m.npz (and 2D beside it), h36m-fetch's annot.h5, Moon's three files of JSON a subject. The 17 of
 * the 32 joints that move; subjects 9 and 11 for validation; S11's Directions left out, as everybody does. */
#include "src/import/h36m.h"
#include "gnomon/io.h"
#include <string.h>

enum { FILES = 1 << 16 };

const int gn_h36m_of_raw[GN_H36M_JOINTS] = { 0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27 };

int gn_h36m_valid(int subject) { return subject == 9 || subject == 11; }

/* Its second part; which is named without a number where the first is "Directions 1". */
int gn_h36m_broken(int subject, const char *action) { return subject == 11 && (!strcmp(action, "Directions") || !strcmp(action, "Directions-2")); }

void gn_h36m_project(gn_import_sample *x) {
    x->has |= GN_HAS_joints2d;
    for (int j = 0; j < GN_H36M_JOINTS; j++) {
        x->labelled2d[j] = x->labelled3d[j] && x->joints3d[j][2] > 0;
        if (x->labelled2d[j]) gn_lens_project(&x->lens, x->joints3d[j], x->joints2d[j]);
    }
}

static int ends(const char *path, const char *with) {
    const size_t n = strlen(path), k = strlen(with);
    return n >= k && !strcmp(path + n - k, with);
}

static gn_status folder(gn_arena *a, const gn_import *from, gn_sink *to) {
    const char *npz, **all;
    int n, data = 0;
    GN_TRY(gn_source_file(a, from, "data_3d_h36m.npz", &npz));
    if (npz) return gn_h36m_npz(a, from, npz, to);
    GN_TRY(gn_source_list(a, from->source, "annot.h5", FILES, &n, &all));
    if (n) return gn_h36m_annot(a, from, n, all, to);
    GN_TRY(gn_source_list(a, from->source, "_data.json", FILES, &n, &all));
    for (int i = 0; i < n; i++)
        if (strstr(strrchr(all[i], '/'), "Human36M_subject")) all[data++] = all[i];
    if (data) return gn_h36m_json(a, from, data, all, to);
    GN_FAIL(MISSING, "%s: no data_3d_h36m.npz, no annot.h5, no Human36M_subjectN_data.json there", from->source);
}

static gn_status run(gn_arena *a, const gn_import *from, gn_sink *to) {
    const char *itself, *path = from->source;
    GN_TRY(gn_source_file(a, from, ".", &itself));
    if (itself != from->source) return folder(a, from, to);
    if (ends(path, ".npz")) return gn_h36m_npz(a, from, path, to);
    if (ends(path, ".h5")) return gn_h36m_annot(a, from, 1, &path, to);
    if (ends(path, "_data.json")) return gn_h36m_json(a, from, 1, &path, to);
    GN_FAIL(BAD_DATA, "%s: expected data_3d_h36m.npz, annot.h5 or Human36M_subjectN_data.json%s", path,
            ends(path, ".cdf") ? "; the owners' CDF is not read" : "");
}

const gn_importer gn_import_h36m = {
    .name = "h36m",
    .takes = "VideoPose3D's data_3d_h36m.npz, h36m-fetch's annot.h5 or Moon's Human36M_subjectN_data.json, or a folder of one of these",
    .about = "Human3.6M (Ionescu et al. 2014), vision.imar.ro/human3.6m; academic use, no redistribution",
    .skeleton = &gn_h36m17,
    .pixels = 10, /* a detector's 2D lies some pixels off, another camera's hundreds */
    .run = run,
};
