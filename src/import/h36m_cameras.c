/* h36m_cameras.c - where Human3.6M's cameras stand, from whichever file says so, and which way it means it. */
#include "gnomon/config.h"
#include "gnomon/io.h"
#include "gnomon/json.h"
#include "src/import/h36m.h"
#include "src/import/hdf5.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* [6 11 4] extrinsic values, then [9 4] intrinsic ones, f c k p; in a file of a few MB */
enum { EXTRINSIC = 264, VALUES = 300, MOST = 64 << 20 };
static const double FITS = 60, WORST = 1000; /* pixels */

const gn_h36m_eye gn_h36m_eyes[GN_H36M_VIEWS] = {
#define EYE(name, h, fx, fy, cx, cy, k1, k2, k3, p1, p2) { name, 1000, h, { { fx, fy }, { cx, cy }, { k1, k2, k3 }, { p1, p2 }, 1 } }
    EYE("54138969", 1002, 1145.0494384765625, 1143.7811279296875, 512.54150390625, 515.4514770507812, -0.20709891617298126, 0.24777518212795258,
        -0.0030751503072679043, -0.0009756988729350269, -0.00142447161488235),
    EYE("55011271", 1000, 1149.6756591796875, 1147.5916748046875, 508.8486328125, 508.0649108886719, -0.1942136287689209, 0.2404085397720337,
        0.006819975562393665, -0.0016190266469493508, -0.0027408944442868233),
    EYE("58860488", 1000, 1149.1407470703125, 1148.7989501953125, 519.8158569335938, 501.40264892578125, -0.2083381861448288, 0.25548800826072693,
        -0.0024604974314570427, 0.0014843869721516967, -0.0007599993259645998),
    EYE("60457274", 1002, 1145.5113525390625, 1144.77392578125, 514.9682006835938, 501.88201904296875, -0.198384091258049, 0.21832367777824402,
        -0.008947807364165783, -0.0005872055771760643, -0.0018133620033040643),
#undef EYE
};

static void metres(double t[3]) {
    const double far = sqrt(t[0] * t[0] + t[1] * t[1] + t[2] * t[2]);
    for (int k = 0; k < 3 && far > 100; k++) t[k] /= 1000; /* a studio is no hundred metres wide: millimetres */
}

static void transpose(double R[9]) {
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < i; k++) {
            const double x = R[3 * i + k];
            R[3 * i + k] = R[3 * k + i], R[3 * k + i] = x;
        }
}

/* --- cameras.h5: what Martinez et al. (2017) made of the metadata; R as MATLAB wrote it, transposed --- */

static gn_status few(const gn_hdf *f, const char *place, int n, double *x) {
    gn_hdf_set s;
    GN_TRY(gn_hdf_look(f, place, &s));
    if (s.kind != GN_HDF_NUMBERS || s.n != n) GN_FAIL(BAD_DATA, "%s: %s: expected %d numbers", gn_hdf_path(f), place, n);
    return gn_hdf_doubles(f, place, 0, s.d[0], x);
}

static gn_status read_hdf(gn_arena *a, const char *path, gn_h36m_cameras *c) {
    gn_hdf *f;
    gn_hdf_set s;
    GN_TRY(gn_hdf_open(a, path, &f));
    for (int person = 1; person <= GN_H36M_PEOPLE; person++)
        for (int k = 0; k < GN_H36M_VIEWS; k++) {
            gn_h36m_view *v = &c->view[person][k];
            char place[64];
#define AT(name) (snprintf(place, sizeof place, "subject%d/camera%d/" name, person, k + 1), place)
            GN_TRY(gn_hdf_look(f, AT("R"), &s));
            if (s.kind == GN_HDF_NONE) continue;
            GN_TRY(few(f, AT("R"), 9, v->R));
            GN_TRY(few(f, AT("T"), 3, v->t));
            GN_TRY(few(f, AT("f"), 2, v->lens.f));
            GN_TRY(few(f, AT("c"), 2, v->lens.c));
            GN_TRY(few(f, AT("k"), 3, v->lens.k));
            GN_TRY(few(f, AT("p"), 2, v->lens.p));
#undef AT
            v->lens.tangent = 1;
            transpose(v->R);
            v->known = 1;
        }
    return GN_OK;
}

/* --- metadata.xml: the owners' --- */

static void turn(const double angle[3], double R[9]) { /* Rx Ry Rz, columns */
    const double a = cos(angle[0]), b = sin(angle[0]), c = cos(angle[1]), d = sin(angle[1]), e = cos(angle[2]), f = sin(angle[2]);
    const double r[9] = { c * e, -c * f, d, a * f + b * d * e, a * e - b * d * f, -b * c, b * f - a * d * e, b * e + a * d * f, a * c };
    memcpy(R, r, sizeof r);
}

static gn_status read_xml(const char *path, const char *text, gn_h36m_cameras *c) {
    double w[VALUES];
    const char *at = strstr(text, "<w0>");
    if (!at) GN_FAIL(BAD_DATA, "%s: has no <w0>, in which Human3.6M's cameras are", path);
    at += strlen("<w0>");
    at += strspn(at, " \n\r\t[");
    for (int i = 0; i < VALUES; i++) {
        char *end;
        w[i] = strtod(at, &end);
        if (end == at || !isfinite(w[i])) GN_FAIL(BAD_DATA, "%s: <w0>: expected %d numbers, found '%s' after %d", path, VALUES, gn_shown(at), i);
        at = end + strspn(end, " ,;\n\r\t");
    }
    for (int person = 1; person <= GN_H36M_PEOPLE; person++)
        for (int k = 0; k < GN_H36M_VIEWS; k++) {
            gn_h36m_view *v = &c->view[person][k];
            const double *out = w + 6 * (k * GN_H36M_PEOPLE + person - 1), *in = w + EXTRINSIC + 9 * k;
            turn(out, v->R);
            memcpy(v->t, out + 3, sizeof v->t);
            v->lens = (gn_lens){ { in[0], in[1] }, { in[2], in[3] }, { in[4], in[5], in[6] }, { in[7], in[8] }, 1 };
            v->known = 1;
        }
    return GN_OK;
}

/* --- h36m_dataset.py: VideoPose3D's source, a quaternion w x y z that turns the other way --- */

static gn_status listed(const char *path, const char *at, const char *name, int n, double *x) {
    at += strcspn(at, "[\n");
    for (int k = 0; k < n; k++) {
        char *end;
        x[k] = strtod(at + 1, &end);
        if (!strchr("[,", *at) || end == at + 1 || !isfinite(x[k])) GN_FAIL(BAD_DATA, "%s: %s: expected a list of %d numbers, found '%s'", path, name, n, gn_shown(at));
        at = end;
    }
    return GN_OK;
}

static void unspin(const double q[4], double R[9]) {
    const double w = q[0], x = q[1], y = q[2], z = q[3];
    const double r[9] = { 1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y), 2 * (x * y - w * z), 1 - 2 * (x * x + z * z),
                          2 * (y * z + w * x), 2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y) };
    memcpy(R, r, sizeof r);
}

/* Word by word: 'S1': [{'orientation': [4 numbers], 'translation': [3]}, ... */
static gn_status read_source(const char *path, const char *text, gn_h36m_cameras *c) {
    static const char mark[] = "h36m_cameras_extrinsic_params";
    const char *at = strstr(text, mark);
    int person = 0, k = -1;
    if (!at) GN_FAIL(BAD_DATA, "%s: has no %s", path, mark);
    for (at = strchr(at, '\''); at; at = strchr(at, '\'')) {
        const char *word = at + 1, *end = strchr(word, '\'');
        if (!end) break;
        at = end + 1;
        const int place = !strncmp(word, "translation'", 12);
        if (word[0] == 'S') person = atoi(word + 1), k = -1;
        else if (!place && strncmp(word, "orientation'", 12)) break; /* the next thing in the source */
        if (word[0] == 'S' || person < 1 || person > GN_H36M_PEOPLE) continue;
        k += !place;
        if (k < 0 || k >= GN_H36M_VIEWS) GN_FAIL(BAD_DATA, "%s: S%d: more than %d cameras, or a translation before its orientation", path, person, GN_H36M_VIEWS);
        gn_h36m_view *v = &c->view[person][k];
        double q[4];
        if (place) GN_TRY(listed(path, at, "translation", 3, v->t));
        else {
            GN_TRY(listed(path, at, "orientation", 4, q));
            unspin(q, v->R);
        }
        v->lens = gn_h36m_eyes[k].lens;
        v->known = place;
    }
    return GN_OK;
}

/* --- Human36M_subjectN_camera.json: Moon's --- */

static gn_status one_of_json(const char *path, const gn_json *j, const char *key, const gn_lens *glass, gn_h36m_view *v) {
    const gn_json *R = gn_json_find(j, "R");
    int known = R && R->kind == GN_JSON_LIST && R->n == 3;
    for (int i = 0; i < 3 && known; i++) known = gn_json_numbers(&R->item[i], 3, v->R + 3 * i);
    known = known && gn_json_numbers(gn_json_find(j, "t"), 3, v->t) && gn_json_numbers(gn_json_find(j, "f"), 2, v->lens.f) &&
            gn_json_numbers(gn_json_find(j, "c"), 2, v->lens.c);
    if (!known) GN_FAIL(BAD_DATA, "%s: camera '%s': expected R 3x3, t 3, f 2, c 2", path, key);
    double off = 0; /* the file leaves the glass out: it is known of the published cameras */
    for (int k = 0; k < 2; k++) off = fmax(off, fmax(fabs(v->lens.f[k] - glass->f[k]), fabs(v->lens.c[k] - glass->c[k])));
    if (off < 1) {
        memcpy(v->lens.k, glass->k, sizeof v->lens.k);
        memcpy(v->lens.p, glass->p, sizeof v->lens.p);
    }
    v->lens.tangent = 1;
    v->known = 1;
    return GN_OK;
}

gn_status gn_h36m_cameras_json(gn_arena *a, const char *path, int subject, gn_h36m_cameras *c) {
    void *bytes;
    size_t n;
    const gn_json *tree;
    GN_TRY(gn_io_read(a, path, MOST, &bytes, &n));
    GN_TRY(gn_json_parse(a, path, bytes, n, &tree));
    c->path = path;
    for (int k = 0; k < GN_H36M_VIEWS; k++) {
        const char key[2] = { (char)('1' + k), 0 };
        const gn_json *j = gn_json_find(tree, key);
        if (!j) continue;
        GN_TRY(one_of_json(path, j, key, &gn_h36m_eyes[k].lens, &c->view[subject][k]));
        metres(c->view[subject][k].t);
    }
    return GN_OK;
}

/* --- whichever is there --- */

static gn_status read_text(gn_arena *a, const char *path, int source, gn_h36m_cameras *c) {
    void *bytes;
    size_t n;
    GN_TRY(gn_io_read(a, path, MOST, &bytes, &n));
    return source ? read_source(path, bytes, c) : read_xml(path, bytes, c);
}

gn_status gn_h36m_cameras_find(gn_arena *a, const char *folder, gn_h36m_cameras *c) {
    static const char *const names[] = { "cameras.h5", "metadata.xml", "h36m_dataset.py" };
    *c = (gn_h36m_cameras){ 0 };
    for (int i = 0; i < 3 && !c->path; i++) {
        const char *path;
        GN_TAKE_TEXT(path, a, "%s/%s", folder, names[i]);
        if (!gn_io_exists(path)) continue;
        c->path = path;
        GN_TRY(i ? read_text(a, path, i == 2, c) : read_hdf(a, path, c));
    }
    for (int person = 1; person <= GN_H36M_PEOPLE; person++) {
        const char *path;
        for (int k = 0; k < GN_H36M_VIEWS && c->path; k++) metres(c->view[person][k].t);
        GN_TAKE_TEXT(path, a, "%s/Human36M_subject%d_camera.json", folder, person);
        if ((!c->path || strstr(c->path, "_camera.json")) && gn_io_exists(path)) GN_TRY(gn_h36m_cameras_json(a, path, person, c));
    }
    if (!c->path)
        GN_FAIL(MISSING, "%s: poses of the world, but no file that says where the cameras stand: cameras.h5, metadata.xml, VideoPose3D's h36m_dataset.py or "
                "Human36M_subjectN_camera.json", folder);
    return GN_OK;
}

/* --- which way is it meant? --- */

int gn_h36m_pose(const gn_h36m_cameras *c, int reading, int subject, int view, double pose[12]) {
    const gn_h36m_view *v = &c->view[subject][view];
    double R[9];
    memcpy(R, v->R, sizeof R);
    if (reading & 1) transpose(R);
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < 3; k++) pose[4 * i + k] = R[3 * i + k];
        pose[4 * i + 3] = reading & 2 ? v->t[i] : -(R[3 * i] * v->t[0] + R[3 * i + 1] * v->t[1] + R[3 * i + 2] * v->t[2]);
    }
    return v->known;
}

static void see(const double pose[12], const double X[3], double to[3]) {
    for (int i = 0; i < 3; i++) to[i] = pose[4 * i] * X[0] + pose[4 * i + 1] * X[1] + pose[4 * i + 2] * X[2] + pose[4 * i + 3];
}

static double miss(const gn_lens *l, const double xyz[3], const double *uv, const double box[4]) {
    double at[2];
    if (!(xyz[2] > 0)) return WORST;
    gn_lens_project(l, xyz, at);
    double off[2] = { 0 };
    for (int k = 0; k < 2; k++) off[k] = uv ? at[k] - uv[k] : fmax(0, fmax(box[k] - at[k], at[k] - box[k] - box[2 + k]));
    const double far = hypot(off[0], off[1]);
    return far < WORST ? far : WORST;
}

void gn_h36m_try(const gn_h36m_cameras *c, int subject, int view, double (*world)[3], double (*uv)[2], const double box[4], gn_h36m_trial *t) {
    double pose[12], xyz[3];
    for (int reading = 0; reading < 4; reading++) {
        if (!gn_h36m_pose(c, reading, subject, view, pose)) return;
        for (int j = 0; j < GN_H36M_JOINTS; j++) {
            see(pose, world[j], xyz);
            t->pixels[reading] += miss(&c->view[subject][view].lens, xyz, uv ? uv[j] : NULL, box);
        }
    }
    t->n += GN_H36M_JOINTS;
}

gn_status gn_h36m_settle(gn_h36m_cameras *c, const gn_h36m_trial *t, gn_sink *to) {
    int best = 0, second = 1;
    for (int k = 1; k < 4; k++)
        if (t->pixels[k] < t->pixels[best]) best = k;
    for (int k = second = best == 0; k < 4; k++)
        if (k != best && t->pixels[k] < t->pixels[second]) second = k;
    const double n = (double)t->n, off = t->pixels[best] / n;
    if (!(off < FITS))
        GN_FAIL(BAD_DATA, "%s: read any of the four ways, joints project %.0f px and more from where they are seen: not the cameras of these poses", c->path, off);
    c->reading = best;
    return gn_sink_note(to, "%s: R %s, t is %s, by projecting: %.2f px off, the next reading %.0f", strrchr(c->path, '/') ? strrchr(c->path, '/') + 1 : c->path,
                        best & 1 ? "transposed" : "from world to camera", best & 2 ? "the world's origin (-R C)" : "the camera's place", off, t->pixels[second] / n);
}

void gn_h36m_place(const double pose[12], const gn_lens *lens, double (*world)[3], gn_import_sample *x) {
    memcpy(x->pose_of_view, pose, sizeof x->pose_of_view);
    x->lens = *lens;
    x->has |= GN_HAS_joints3d | GN_HAS_camera | GN_HAS_pose_of_view;
    for (int j = 0; j < GN_H36M_JOINTS; j++) {
        see(pose, world[j], x->joints3d[j]);
        x->labelled3d[j] = 1;
    }
}
