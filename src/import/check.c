/* check.c - do an import's 3D, camera and 2D agree, and can its bones be a person's?
 *
 * The commonest faults of a pose set - units, axes, a camera's place taken for its translation, left for right -
 * move projections by tens of pixels or lengthen bones tenfold. */
#include "src/import/sink.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double longest = 1.0;  /* metres: no bone of a person is longer */
static const double shortest = 0.02; /* nor is a person's, or a hand's, longest shorter */

void gn_shares_add(gn_shares *t, double x) {
    if (!t->stride) t->stride = 1;
    if (t->seen++ % t->stride) return;
    if (t->n == GN_SHARES) {
        for (int i = 0; i < GN_SHARES / 2; i++) t->value[i] = t->value[2 * i];
        t->n = GN_SHARES / 2;
        t->stride *= 2;
        if ((t->seen - 1) % t->stride) return;
    }
    t->value[t->n++] = (float)x;
}

static int ascending(const void *x, const void *y) {
    const float a = *(const float *)x, b = *(const float *)y;
    return (a > b) - (a < b);
}

double gn_shares_at(gn_shares *t, double share) {
    if (!t->n) return NAN;
    qsort(t->value, (size_t)t->n, sizeof *t->value, ascending);
    const int at = (int)(share * t->n);
    return (double)t->value[at < t->n ? at : t->n - 1];
}

gn_status gn_fit_new(gn_arena *a, const gn_skeleton *s, gn_fit **fit) {
    gn_fit *f;
    GN_TAKE(f, a, 1);
    GN_TAKE(f->bone, a, s->bones ? s->bones : 1);
    f->skeleton = s;
    *fit = f;
    return GN_OK;
}

static double length(const gn_import_sample *x, const gn_bone *b) {
    double sum = 0;
    for (int k = 0; k < 3; k++) sum += pow(x->joints3d[b->a][k] - x->joints3d[b->b][k], 2);
    return sqrt(sum);
}

void gn_fit_add(gn_fit *f, const gn_import_sample *x) {
    const gn_skeleton *s = f->skeleton;
    if (!(x->has & GN_HAS_joints3d)) return;
    const uint32_t whole = GN_HAS_joints2d | GN_HAS_camera;
    for (int j = 0; j < s->joints; j++) {
        double uv[2];
        if (!x->labelled3d[j]) continue;
        if (!(x->has & GN_HAS_camera)) continue;
        if (!(x->joints3d[j][2] > 0)) {
            f->behind++;
            continue;
        }
        f->before++;
        if ((x->has & whole) != whole || !x->labelled2d[j]) continue;
        gn_lens_project(&x->lens, x->joints3d[j], uv);
        gn_shares_add(&f->pixels, hypot(uv[0] - x->joints2d[j][0], uv[1] - x->joints2d[j][1]));
    }
    for (int e = 0; e < s->bones; e++) {
        const gn_bone *b = &s->bone[e], *m = &s->bone[b->mirror];
        if (!x->labelled3d[b->a] || !x->labelled3d[b->b]) continue;
        gn_shares_add(&f->bone[e], length(x, b));
        if (b->mirror > e && x->labelled3d[m->a] && x->labelled3d[m->b]) gn_shares_add(&f->sides, fabs(length(x, b) - length(x, m)));
    }
}

static void say_bones(gn_fit *f, FILE *to) {
    const gn_skeleton *s = f->skeleton;
    const char *lead = "  bones, median mm:";
    for (int e = 0; e < s->bones; e++) {
        const gn_bone *b = &s->bone[e];
        if (b->mirror < e || !f->bone[e].n) continue; /* one of a pair */
        const char *from = s->joint[b->a], *end = s->joint[b->b];
        fprintf(to, "%s %s-%s %.0f", lead, from, end, 1000 * gn_shares_at(&f->bone[e], 0.5));
        lead = ",";
    }
    if (*lead == ',') fputc('\n', to);
}

static gn_status check_bones(gn_fit *f, const char *name) {
    const gn_skeleton *s = f->skeleton;
    int most = -1;
    double of_most = 0;
    for (int e = 0; e < s->bones; e++) {
        const double m = gn_shares_at(&f->bone[e], 0.5);
        if (f->bone[e].n && (most < 0 || !(m <= of_most))) most = e, of_most = m;
    }
    if (most >= 0 && !(of_most <= longest && of_most >= shortest))
        GN_FAIL(BAD_DATA, "%s: bone %s-%s, the longest, measures %.3g m (median): not a person in metres", name, s->joint[s->bone[most].a],
                s->joint[s->bone[most].b], of_most);
    return GN_OK;
}

gn_status gn_fit_say(gn_fit *f, FILE *to, const char *name, double pixels) {
    const double median = gn_shares_at(&f->pixels, 0.5);
    if (f->pixels.n)
        fprintf(to, "  self-check: 3D projected lies %.3f px from the 2D (median of %lld; 95 %% below %.3f, all below %.3f)\n", median,
                (long long)f->pixels.seen, gn_shares_at(&f->pixels, 0.95), gn_shares_at(&f->pixels, 1));
    if (f->behind) fprintf(to, "  behind the camera: %lld labelled joints\n", (long long)f->behind);
    say_bones(f, to);
    if (f->sides.n) fprintf(to, "  left against right: %.1f mm (median of all bone pairs)\n", 1000 * gn_shares_at(&f->sides, 0.5));
    if (f->pixels.n && pixels > 0 && !(median <= pixels))
        GN_FAIL(BAD_DATA, "%s: 3D projected with the stored camera lies %.1f px from the stored 2D (median), expected at most %g", name, median, pixels);
    if (f->behind > f->before)
        GN_FAIL(BAD_DATA, "%s: %lld of %lld labelled joints lie behind their camera", name, (long long)f->behind, (long long)(f->behind + f->before));
    return check_bones(f, name);
}
