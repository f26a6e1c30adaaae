/* bvh.c - BVH motion: a tree of joints, then one line of channel values a frame.
 *
 * A joint stands at its parent's place plus the parent's turning of its OFFSET; position channels replace
 * the offset. Rotations multiply in the order in which the joint lists them (column vectors). The file
 * has no unit: it is told by the length of the legs, among the units that the dialects are written in. */
#include "gnomon/io.h"
#include "gnomon/puppet.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { JOINTS = 256, CHANNELS = 6 * JOINTS, MOST_BYTES = 1 << 28, BLEND = 5 };

typedef struct {
    const char *name;          /* of an End Site: its parent's, with a following "." */
    int end;
    int parent, first, channels;
    char kind[6];              /* 0-2: position x y z; 3-5: rotation about x y z */
    double offset[3];
} joint;

struct gn_bvh {
    const char *path, *dialect;
    int joints, channels;
    joint joint[JOINTS];
    int64_t frames, first;
    double seconds, unit;
    float *value;              /* [frames channels] */
    uint8_t *leaps;
    int role[GN_BVH_ROLES][2];
};

typedef struct { gn_arena *a; const char *path, *at; char word[128]; int line; } reader;

static int space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/* The next word; "" at the end of the file. Line ends may be LF, CRLF or both. */
static const char *next(reader *r) {
    for (; *r->at && space(*r->at); r->at++) r->line += *r->at == '\n';
    size_t n = 0;
    for (; *r->at && !space(*r->at); r->at++)
        if (n < sizeof r->word - 1) r->word[n++] = (unsigned char)*r->at < ' ' || *r->at == 127 ? '?' : *r->at; /* words go into complaints */
    r->word[n] = 0;
    return r->word;
}

static gn_status expect(reader *r, const char *word) {
    if (strcmp(next(r), word))
        GN_FAIL(BAD_DATA, "%s:%d: expected '%s', found '%s'", r->path, r->line, word, r->word);
    return GN_OK;
}

static gn_status number(reader *r, const char *what, double *x) {
    char *end;
    *x = strtod(next(r), &end);
    if (!r->word[0]) GN_FAIL(BAD_DATA, "%s:%d: the file ends where %s should be", r->path, r->line, what);
    if (*end || !(fabs(*x) < 1e9))
        GN_FAIL(BAD_DATA, "%s:%d: %s: expected a number, found '%s'", r->path, r->line, what, r->word);
    return GN_OK;
}

static gn_status read_channels(reader *r, gn_bvh *m, joint *j) {
    static const char *const kinds[] = { "Xposition", "Yposition", "Zposition",
                                         "Xrotation", "Yrotation", "Zrotation" };
    double n;
    GN_TRY(number(r, "the number of channels", &n));
    if (!(n >= 0 && n <= 6))
        GN_FAIL(BAD_DATA, "%s:%d: %s has %g channels, expected at most 6", r->path, r->line, j->name, n);
    j->first = m->channels;
    j->channels = (int)n;
    m->channels += j->channels;
    for (int k = 0; k < j->channels; k++) {
        int kind = 0;
        next(r);
        while (kind < 6 && strcmp(r->word, kinds[kind])) kind++;
        if (kind == 6)
            GN_FAIL(BAD_DATA, "%s:%d: channel '%s' of %s: expected Xposition ... Zrotation", r->path, r->line,
                    r->word, j->name);
        j->kind[k] = (char)kind;
    }
    return GN_OK;
}

static gn_status read_tree(reader *r, gn_bvh *m) {
    int open[JOINTS], depth = 0, parent = -1;
    GN_TRY(expect(r, "HIERARCHY"));
    do {
        next(r);
        if (!strcmp(r->word, "}")) {
            parent = --depth ? open[depth - 1] : -1;
            continue;
        }
        int end = !strcmp(r->word, "End");
        if (!end && strcmp(r->word, depth ? "JOINT" : "ROOT"))
            GN_FAIL(BAD_DATA, "%s:%d: expected %s, found '%s'", r->path, r->line,
                    depth ? "JOINT, End Site or }" : "ROOT", r->word);
        if (m->joints == JOINTS) GN_FAIL(BAD_DATA, "%s:%d: more than %d joints", r->path, r->line, JOINTS);
        if (end && !depth) GN_FAIL(BAD_DATA, "%s:%d: End Site outside a joint", r->path, r->line);
        joint *j = &m->joint[m->joints];
        next(r);
        if (end) GN_TAKE_TEXT(j->name, r->a, "%s.", m->joint[parent].name);
        else GN_TAKE_TEXT(j->name, r->a, "%s", r->word);
        j->parent = parent;
        j->end = end;
        GN_TRY(expect(r, "{"));
        GN_TRY(expect(r, "OFFSET"));
        for (int k = 0; k < 3; k++) GN_TRY(number(r, "an offset", &j->offset[k]));
        if (end) GN_TRY(expect(r, "}"));
        else {
            GN_TRY(expect(r, "CHANNELS"));
            GN_TRY(read_channels(r, m, j));
            open[depth++] = parent = m->joints;
        }
        m->joints++;
    } while (depth);
    return GN_OK;
}

static gn_status read_frames(reader *r, gn_bvh *m) {
    double n, x;
    GN_TRY(expect(r, "MOTION"));
    GN_TRY(expect(r, "Frames:"));
    GN_TRY(number(r, "the number of frames", &n));
    GN_TRY(expect(r, "Frame"));
    GN_TRY(expect(r, "Time:"));
    GN_TRY(number(r, "the frame time", &m->seconds));
    if (!(m->seconds > 1e-4 && m->seconds < 1))
        GN_FAIL(BAD_DATA, "%s:%d: frame time %g s, expected 0.0001 to 1", r->path, r->line, m->seconds);
    /* a value takes two bytes at least: no more frames can be there than the rest of the file holds */
    if (!(n >= 1 && n == floor(n) && n * m->channels <= (double)strlen(r->at)))
        GN_FAIL(BAD_DATA, "%s:%d: %g frames of %d channels: the file does not hold them", r->path, r->line, n,
                m->channels);
    m->frames = (int64_t)n;
    GN_TAKE(m->value, r->a, m->frames * m->channels + 1);
    GN_TAKE(m->leaps, r->a, m->frames);
    for (int64_t k = 0; k < m->frames * m->channels; k++) {
        GN_TRY(number(r, "a channel's value", &x));
        m->value[k] = (float)x;
    }
    if (*next(r))
        GN_FAIL(BAD_DATA, "%s:%d: '%s' after the last of %lld frames", r->path, r->line, r->word,
                (long long)m->frames);
    return GN_OK;
}

static void turn_by(double *m, int axis, double degrees) { /* m := m R, columns */
    double c = cos(degrees * GN_PI / 180), s = sin(degrees * GN_PI / 180);
    double *p = m + 3 * ((axis + 1) % 3), *q = m + 3 * ((axis + 2) % 3);
    for (int k = 0; k < 3; k++) {
        double x = p[k], y = q[k];
        p[k] = c * x + s * y;
        q[k] = c * y - s * x;
    }
}

int gn_bvh_joints(const gn_bvh *m) { return m->joints; }
const char *gn_bvh_name(const gn_bvh *m, int k) { return m->joint[k].name; }

void gn_bvh_pose(const gn_bvh *m, int64_t frame, double (*at)[3], double (*axes)[9]) {
    double own[JOINTS][9];
    if (!axes) axes = own;
    for (int k = 0; k < m->joints; k++) {
        const joint *j = &m->joint[k];
        double place[3] = { j->offset[0], j->offset[1], j->offset[2] }, *R = axes[k];
        const double none[9] = { 1, 0, 0, 0, 1, 0, 0, 0, 1 };
        memcpy(R, j->parent < 0 ? none : axes[j->parent], sizeof none);
        const float *value = m->value + frame * m->channels + j->first;
        double P[9];
        memcpy(P, R, sizeof P);
        for (int c = 0; c < j->channels; c++) {
            if (j->kind[c] < 3) place[(int)j->kind[c]] = value[c];
            else turn_by(R, j->kind[c] - 3, value[c]);
        }
        for (int c = 0; c < 3; c++)
            at[k][c] = (P[c] * place[0] + P[3 + c] * place[1] + P[6 + c] * place[2]) * m->unit +
                       (j->parent < 0 ? 0 : at[j->parent][c]);
    }
}

int gn_bvh_joint(const gn_bvh *m, const char *name) {
    for (int k = 0; k < m->joints; k++)
        if (!strcmp(m->joint[k].name, name)) return k;
    return -1;
}

/* A row a role: the joint that stands at the start of the bone. "-": the dialect has none. */
static const struct { const char *name, *of[GN_BVH_ROLES][2];
} dialects[] = {
    { "daz",
      { { "hip", "hip" },
        { "chest", "chest" },
        { "neck", "neck" },
        { "head", "head" },
        { "rShldr", "lShldr" },
        { "rForeArm", "lForeArm" },
        { "rHand", "lHand" },
        { "rMid1", "lMid1" },
        { "rThigh", "lThigh" },
        { "rShin", "lShin" },
        { "rFoot", "lFoot" },
        { "rFoot.", "lFoot." } } },
    { "3dsmax",
      { { "Hips", "Hips" },
        { "Chest2", "Chest2" },
        { "Neck", "Neck" },
        { "Head", "Head" },
        { "RightShoulder", "LeftShoulder" },
        { "RightElbow", "LeftElbow" },
        { "RightWrist", "LeftWrist" },
        { "RFingers", "LFingers" },
        { "RightHip", "LeftHip" },
        { "RightKnee", "LeftKnee" },
        { "RightAnkle", "LeftAnkle" },
        { "RightToe", "LeftToe" } } },
    { "bandai",
      { { "Hips", "Hips" },
        { "Chest", "Chest" },
        { "Neck", "Neck" },
        { "Head", "Head" },
        { "UpperArm_R", "UpperArm_L" },
        { "LowerArm_R", "LowerArm_L" },
        { "Hand_R", "Hand_L" },
        { "-", "-" },
        { "UpperLeg_R", "UpperLeg_L" },
        { "LowerLeg_R", "LowerLeg_L" },
        { "Foot_R", "Foot_L" },
        { "Toes_R", "Toes_L" } } },
};
enum { DIALECTS = sizeof dialects / sizeof *dialects };

static gn_status find_roles(gn_bvh *m) {
    const char *missing = NULL;
    int nearest = GN_BVH_ROLES * 2 + 1, of = 0;
    for (int d = 0; d < DIALECTS; d++) {
        int lost = 0;
        const char *first = NULL;
        for (int k = 0; k < GN_BVH_ROLES * 2; k++) {
            const char *name = dialects[d].of[k / 2][k % 2];
            m->role[k / 2][k % 2] = gn_bvh_joint(m, name);
            if (name[0] != '-' && m->role[k / 2][k % 2] < 0) lost++, first = first ? first : name;
        }
        m->dialect = dialects[d].name;
        if (!lost) return GN_OK;
        if (lost < nearest) nearest = lost, missing = first, of = d;
    }
    GN_FAIL(BAD_DATA, "%s: its joints are of no known dialect; nearest %s, which has a joint '%s'", m->path,
            dialects[of].name, missing);
}

static double reach(double (*at)[3], int a, int b) {
    double sum = 0;
    for (int k = 0; k < 3; k++) sum += (at[a][k] - at[b][k]) * (at[a][k] - at[b][k]);
    return sqrt(sum);
}

static gn_status find_unit(gn_bvh *m) {
    static const double units[] = { 0.01, 0.0254 / 0.45, 1 }; /* cm, CMU's own, m */
    double at[JOINTS][3];
    m->unit = 1;
    gn_bvh_pose(m, 0, at, NULL);
    double leg = reach(at, gn_bvh_of(m, GN_BVH_HIP, 0), gn_bvh_of(m, GN_BVH_KNEE, 0)) +
                 reach(at, gn_bvh_of(m, GN_BVH_KNEE, 0), gn_bvh_of(m, GN_BVH_ANKLE, 0));
    for (size_t k = 0; k < sizeof units / sizeof *units; k++)
        if (leg * units[k] > 0.5 && leg * units[k] < 1.15) {
            m->unit = units[k];
            return GN_OK;
        }
    GN_FAIL(BAD_DATA, "%s: legs %g units long, expected 0.5 to 1.15 m in cm, 0.0564 m or m", m->path, leg);
}

static const double MOST_SPEED = 12, LEAST_HEIGHT = -0.3, MOST_LEAPS = 0.2; /* m/s; m; share of the frames */

static void find_leaps(gn_bvh *m) {
    double both[2][JOINTS][3];
    for (int64_t k = m->first; k < m->frames; k++) {
        gn_bvh_pose(m, k, both[k & 1], NULL);
        if (k == m->first) continue;
        for (int j = 0; j < m->joints; j++) {
            if (m->joint[j].end) continue;
            double step = 0;
            for (int c = 0; c < 3; c++)
                step += (both[0][j][c] - both[1][j][c]) * (both[0][j][c] - both[1][j][c]);
            if (!(sqrt(step) <= MOST_SPEED * m->seconds)) m->leaps[k - 1] = m->leaps[k] = 1;
        }
    }
}

gn_status gn_bvh_read(gn_arena *a, const char *path, gn_bvh **out) {
    gn_bvh *m;
    void *bytes;
    size_t n;
    gn_arena *file = gn_arena_new("bvh file");
    if (!file) GN_FAIL(NO_MEMORY, "out of memory: a BVH file");
    gn_status status = GN_OK;
    GN_TRY_OR(gn_io_read(file, path, MOST_BYTES, &bytes, &n), done);
    if (!(m = gn_arena_take(a, sizeof *m)) || !(m->path = gn_arena_text(a, "%s", path))) {
        status = gn_fail(GN_NO_MEMORY, __FILE__, __LINE__, "out of memory: %s", path);
        goto done;
    }
    reader r = { .a = a, .path = m->path, .at = bytes, .line = 1 };
    GN_TRY_OR(read_tree(&r, m), done);
    GN_TRY_OR(read_frames(&r, m), done);
    GN_TRY_OR(find_roles(m), done);
    GN_TRY_OR(find_unit(m), done);
    /* cgspeed's release for Daz puts a T-pose first and blends from it into the take */
    m->first = !strcmp(m->dialect, "daz") && m->frames > 2 * BLEND ? BLEND : 0;
    find_leaps(m);
    *out = m;
done:
    gn_arena_free(file);
    return status;
}

gn_status gn_bvh_check(const gn_bvh *m) {
    double at[JOINTS][3], low = DBL_MAX;
    int64_t leaps = 0, where = 0;
    int who = 0;
    for (int64_t k = m->first; k < m->frames; k++) {
        gn_bvh_pose(m, k, at, NULL);
        leaps += m->leaps[k];
        for (int j = 0; j < m->joints; j++)
            if (!m->joint[j].end && !(at[j][1] >= low)) low = at[j][1], where = k, who = j;
    }
    if (!(low >= LEAST_HEIGHT))
        GN_FAIL(BAD_DATA,
                "%s: refused: %s is %.2f m below the floor in frame %lld: the body flips through it", m->path,
                m->joint[who].name, -low, (long long)where);
    if (!((double)leaps <= MOST_LEAPS * (double)(m->frames - m->first)))
        GN_FAIL(BAD_DATA, "%s: refused: a joint is faster than %g m/s in %lld of %lld frames", m->path,
                MOST_SPEED, (long long)leaps, (long long)(m->frames - m->first));
    return GN_OK;
}

const char *gn_bvh_dialect(const gn_bvh *m) { return m->dialect; }
double gn_bvh_unit(const gn_bvh *m) { return m->unit; }
double gn_bvh_rate(const gn_bvh *m) { return 1 / m->seconds; }
int64_t gn_bvh_frames(const gn_bvh *m) { return m->frames; }
int64_t gn_bvh_first(const gn_bvh *m) { return m->first; }
int gn_bvh_leaps(const gn_bvh *m, int64_t frame) { return m->leaps[frame]; }
int gn_bvh_of(const gn_bvh *m, gn_bvh_role role, int side) { return m->role[role][side]; }
