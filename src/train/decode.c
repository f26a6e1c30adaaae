/* decode.c - asking a model, and from what it says to joints: maps to pixels, depths to metres. */
#include "formula/crop.h"
#include "formula/heatmap.h"
#include "gnomon/train.h"
#include <string.h>

typedef struct {
    int pose;         /* output [N J 3], metres about the root; -1: the model says maps */
    int maps, depth;  /* outputs; depth -1: the model says none */
    int entropy;      /* maps are logits of a softmax over the map */
    int quarter;      /* the authors' decoding, for maps drawn by the authors' rule */
} reading;

static int choice(const gn_loss_use *u, const char *row, const char *word) {
    for (const gn_option *o = u->loss->options; o->name; o++) {
        if (o->kind != GN_KIND_CHOICE || strcmp(o->name, row)) continue;
        const char *at = o->text;
        for (int skip = *(const int *)((const char *)u->options + o->offset); skip && at; skip--) {
            at = strchr(at, '|');
            if (at) at++;
        }
        size_t n = strlen(word);
        return at && !strncmp(at, word, n) && (at[n] == '|' || !at[n]);
    }
    return 0;
}

static int is_maps(gn_graph *g, int output, int joints) {
    gn_tensor t = gn_graph_output(g, output, 0);
    return t.shape.n == 4 && t.shape.d[1] == joints;
}

static gn_status check_pose(gn_graph *g, int output, int joints) {
    const gn_shape s = gn_graph_output_shape(g, output);
    if (s.n != 3 || s.d[1] != joints || s.d[2] != 3)
        GN_FAIL(BAD_CONFIG, "the model's output 'joints' is %s, expected 3 numbers for each of %d joints", gn_shape_text(&s), joints);
    return GN_OK;
}

/* A pose, which needs no decoding; else the maps that the heatmap loss trains, of the last stack; without such a loss the last maps of all. */
static gn_status reading_of(const gn_experiment *e, gn_graph *g, int joints, reading *r) {
    *r = (reading){ .pose = gn_graph_output_find(g, "joints"), .maps = -1, .depth = e->depth_untrained ? -1 : gn_graph_output_find(g, "depth") };
    if (r->pose >= 0) return check_pose(g, r->pose, joints);
    for (int i = 0; i < e->n_loss; i++) {
        const gn_loss_use *u = &e->loss[i];
        if (strcmp(u->loss->name, "heatmap")) continue;
        r->entropy = choice(u, "form", "entropy");
        r->quarter = choice(u, "target", "paper");
        const char *last = u->reads.n ? u->reads.item[u->reads.n - 1] : u->loss->reads[0];
        int output = gn_graph_output_find(g, last);
        if (output >= 0 && is_maps(g, output, joints)) r->maps = output;
    }
    for (int i = gn_graph_outputs(g) - 1; i >= 0 && r->maps < 0; i--)
        if (is_maps(g, i, joints)) r->maps = i;
    if (r->maps < 0) GN_FAIL(BAD_CONFIG, "the model has no output with a map for each of %d joints", joints);
    return GN_OK;
}

typedef struct { const float *at; int64_t w, h, step, row; } map;

static double cell(const map *m, int64_t x, int64_t y) {
    if (x < 0 || y < 0 || x >= m->w || y >= m->h) return 0;
    return (double)m->at[y * m->row + x * m->step];
}

/* Share of the softmax at the peak: logits are exp'd about it, so nothing overflows. */
static double softmax_at(const map *m, double peak) {
    double sum = 0;
    for (int64_t y = 0; y < m->h; y++)
        for (int64_t x = 0; x < m->w; x++) sum += exp(cell(m, x, y) - peak);
    return 1 / sum;
}

static double along(const reading *r, double before, double at, double after, int64_t place, int64_t cells) {
    if (r->quarter) return (double)gn_decode_quarter((int)place, (int)cells, GN_R(before), GN_R(after));
    if (r->entropy) before -= at, after -= at, at = 0; /* small numbers keep their digits in float */
    else if (before > 0 && at > 0 && after > 0) before = log(before), at = log(at), after = log(after);
    return (double)gn_decode_peak((int)place, (int)cells, GN_R(before), GN_R(at), GN_R(after));
}

static void decode_map(const reading *r, const map *m, int side, double uv[2], double *confidence) {
    int64_t x = 0, y = 0;
    double peak = cell(m, 0, 0);
    for (int64_t j = 0; j < m->h; j++)
        for (int64_t i = 0; i < m->w; i++)
            if (cell(m, i, j) > peak) peak = cell(m, i, j), x = i, y = j;
    double u = along(r, cell(m, x - 1, y), peak, cell(m, x + 1, y), x, m->w);
    double v = along(r, cell(m, x, y - 1), peak, cell(m, x, y + 1), y, m->h);
    uv[0] = (u + 0.5) * side / (double)m->w - 0.5;
    uv[1] = (v + 0.5) * side / (double)m->h - 0.5;
    *confidence = r->entropy ? softmax_at(m, peak) : fmin(fmax(peak, 0), 1);
}

/* Perspective: a pixel is a direction, a depth below the root a place on it. Pixels a metre at the root's
 * depth are f / z, so half-picture units become metres without any length of the person being known. */
static void to_space(const gn_label_rules *rules, const gn_labels *y, int side, gn_prediction *p) {
    const int root = y->skeleton->root;
    int zero = rules->root ? gn_joint_find(y->skeleton, "thorax") : root;
    if (zero < 0) zero = root;
    double z0 = (double)y->joints3d[3 * zero + 2], fx = (double)y->camera[0], fy = (double)y->camera[1];
    double offset = rules->unit ? GN_DEPTH_OFFSET_PAPER : 0;
    for (int j = 0; j < y->J; j++) {
        double z = z0 + (p->z[j] - offset) * (side / 2.0) * z0 / fx;
        p->xyz[j][0] = (p->uv[j][0] - (double)y->camera[2]) / fx * z;
        p->xyz[j][1] = (p->uv[j][1] - (double)y->camera[3]) / fy * z;
        p->xyz[j][2] = z;
    }
    memcpy(p->root, p->xyz[root], sizeof p->root);
    for (int j = 0; j < y->J; j++)
        for (int k = 0; k < 3; k++) p->xyz[j][k] -= p->root[k];
    p->has_xyz = 1;
}

static map map_of(const gn_tensor *t, int64_t place, int joint) {
    return (map){ (const float *)t->data + gn_at(t, place, joint, 0, 0), t->shape.d[3], t->shape.d[2], t->block, t->block * t->shape.d[3] };
}

/* --- asking --- */

static void mirror_pictures(const gn_batch *b) {
    for (int64_t row = 0; row < (int64_t)b->n * b->side; row++) {
        float *p = b->image + row * b->side * 3, was[3];
        for (int i = 0, j = b->side - 1; i < j; i++, j--) {
            memcpy(was, p + 3 * i, sizeof was);
            memcpy(p + 3 * i, p + 3 * j, sizeof was);
            memcpy(p + 3 * j, was, sizeof was);
        }
    }
}

/* Where joint j's number for cell (x, y) is: maps are blocked, depths [N J 1] are dense. */
static float *number_at(const gn_tensor *t, int64_t n, int64_t j, int64_t x, int64_t y) {
    float *at = t->data;
    return t->shape.n == 4 ? at + gn_at(t, n, j, y, x) : at + n * t->shape.d[1] + j;
}

/* sum += what the output says, mirrored back where the picture was; or, at last, the output = sum / 2. */
enum { AS_IT_IS, MIRRORED, AVERAGED };
static float *answer(const gn_tensor *t, const gn_skeleton *k, int how, float *sum) {
    const int64_t h = t->shape.n == 4 ? t->shape.d[2] : 1, w = t->shape.n == 4 ? t->shape.d[3] : 1;
    for (int64_t n = 0; n < t->shape.d[0]; n++)
        for (int j = 0; j < k->joints; j++)
            for (int64_t y = 0; y < h; y++)
                for (int64_t x = 0; x < w; x++, sum++) {
                    if (how == AVERAGED) *number_at(t, n, j, x, y) = *sum / 2;
                    else if (how == MIRRORED) *sum += *number_at(t, n, k->mirror[j], w - 1 - x, y);
                    else *sum += *number_at(t, n, j, x, y);
                }
    return sum;
}

static void answers(gn_graph *g, const reading *r, int shards, const gn_skeleton *k, int how, float *sum) {
    for (int s = 0; s < shards; s++) {
        gn_tensor t = gn_graph_output(g, r->maps, s);
        sum = answer(&t, k, how, sum);
        if (r->depth < 0) continue;
        t = gn_graph_output(g, r->depth, s);
        sum = answer(&t, k, how, sum);
    }
}

/* The pose said of the mirrored joints, mirrored back. */
static gn_status ask_pose_both_ways(gn_graph *g, gn_pool *pool, const reading *r, int shards, const gn_skeleton *k, const gn_batch *b,
                                    gn_arena *a) {
    const int64_t each = gn_graph_output(g, r->pose, 0).shape.d[0];
    float *was;
    GN_TAKE(was, a, shards * each * k->joints * 3);
    for (int how = 0; how < 2; how++) {
        float *at = was;
        if (how) GN_TRY(gn_batch_feed_mirrored(b, g, pool, shards));
        if (how) GN_TRY(gn_graph_forward(g, GN_EVAL, 0));
        for (int s = 0; s < shards; s++) {
            const gn_tensor t = gn_graph_output(g, r->pose, s);
            float *x = t.data;
            if (!how) memcpy(at, x, sizeof *x * (size_t)(each * k->joints * 3));
            for (int64_t n = 0; how && n < each; n++) {
                float turned[GN_JOINTS][3];
                memcpy(turned, x + n * k->joints * 3, sizeof *turned * (size_t)k->joints);
                for (int j = 0; j < k->joints; j++)
                    for (int c = 0; c < 3; c++)
                        x[(n * k->joints + j) * 3 + c] = (at[(n * k->joints + j) * 3 + c] + (c ? 1 : -1) * turned[k->mirror[j]][c]) / 2;
            }
            at += each * k->joints * 3;
        }
    }
    return GN_OK;
}

static gn_status ask_both_ways(gn_graph *g, gn_pool *pool, const reading *r, int shards, const gn_skeleton *k, const gn_batch *b,
                               gn_arena *a) {
    gn_tensor t = gn_graph_output(g, r->maps, 0);
    float *sum;
    GN_TAKE(sum, a, shards * t.shape.d[0] * k->joints * (t.shape.d[2] * t.shape.d[3] + 1));
    answers(g, r, shards, k, AS_IT_IS, sum);
    mirror_pictures(b);
    gn_status status = gn_batch_feed(b, g, pool, shards);
    mirror_pictures(b); /* the batch is the loader's */
    if (!status) status = gn_graph_forward(g, GN_EVAL, 0);
    if (status) return gn_pass(status, __FILE__, __LINE__);
    answers(g, r, shards, k, MIRRORED, sum);
    answers(g, r, shards, k, AVERAGED, sum);
    return GN_OK;
}

gn_status gn_ask(const gn_experiment *e, gn_graph *g, gn_pool *pool, int shards, const gn_skeleton *k, const gn_batch *b) {
    GN_TRY(gn_batch_feed(b, g, pool, shards));
    GN_TRY(gn_graph_forward(g, GN_EVAL, 0));
    if (!e->data.flip_test) return GN_OK;
    reading r;
    GN_TRY(reading_of(e, g, k->joints, &r));
    gn_arena *a = gn_arena_new("ask");
    if (!a) GN_FAIL(NO_MEMORY, "out of memory: answers");
    gn_status status = r.pose >= 0 ? ask_pose_both_ways(g, pool, &r, shards, k, b, a) : ask_both_ways(g, pool, &r, shards, k, b, a);
    gn_arena_free(a);
    if (status) return gn_pass(status, __FILE__, __LINE__);
    return GN_OK;
}

gn_status gn_decode_maps(const gn_experiment *e, gn_graph *g, int sample, int shards, int joints, gn_arena *a, int *w, int *h,
                         float **maps) {
    reading r;
    GN_TRY(reading_of(e, g, joints, &r));
    if (r.maps < 0) GN_FAIL(BAD_CONFIG, "the model says a pose and no maps");
    gn_tensor t = gn_graph_output(g, r.maps, sample % shards);
    *w = (int)t.shape.d[3], *h = (int)t.shape.d[2];
    GN_TAKE(*maps, a, joints * *w * *h);
    for (int j = 0; j < joints; j++) {
        map m = map_of(&t, sample / shards, j);
        float *to = *maps + j * *w * *h;
        double peak = cell(&m, 0, 0);
        for (int i = 0; i < *w * *h; i++) peak = fmax(peak, cell(&m, i % *w, i / *w));
        for (int i = 0; i < *w * *h; i++) {
            double x = cell(&m, i % *w, i / *w);
            to[i] = (float)(r.entropy ? exp(x - peak) : peak > 0 ? fmax(x / peak, 0) : 0);
        }
    }
    return GN_OK;
}

/* What a lifter says, about its own root; the joints in the picture are those it was given. */
static void read_pose(const gn_tensor *t, int64_t place, const gn_labels *y, gn_prediction *p) {
    const float *x = (const float *)t->data + place * y->J * 3;
    const int root = y->skeleton->root;
    *p = (gn_prediction){ .has_xyz = root >= 0 && y->has & GN_HAS_joints3d };
    for (int j = 0; j < y->J && p->has_xyz; j++)
        for (int k = 0; k < 3; k++) p->xyz[j][k] = (double)x[3 * j + k] - (double)x[3 * root + k];
    for (int k = 0; k < 3 && p->has_xyz; k++) p->root[k] = (double)y->joints3d[3 * root + k];
}

gn_status gn_decode(const gn_experiment *e, gn_graph *g, int n, int shards, const gn_labels *truth, gn_prediction *p) {
    const int joints = truth->skeleton->joints, side = e->data.input;
    reading r;
    GN_TRY(reading_of(e, g, joints, &r));
    for (int i = 0; i < n; i++) {
        const gn_labels *y = &truth[i];
        int64_t place = i / shards;
        gn_tensor t = gn_graph_output(g, r.pose >= 0 ? r.pose : r.maps, i % shards);
        if (r.pose >= 0) {
            read_pose(&t, place, y, &p[i]);
            continue;
        }
        p[i] = (gn_prediction){ .has_uv = 1 };
        for (int j = 0; j < joints; j++) {
            map m = map_of(&t, place, j);
            decode_map(&r, &m, side, p[i].uv[j], &p[i].confidence[j]);
        }
        if (r.depth < 0) continue;
        t = gn_graph_output(g, r.depth, i % shards);
        if (gn_shape_count(&t.shape) / t.shape.d[0] != joints)
            GN_FAIL(BAD_CONFIG, "the model's output 'depth' is %s, expected a number for each of %d joints",
                    gn_shape_text(&t.shape), joints);
        for (int j = 0; j < joints; j++) p[i].z[j] = (double)((const float *)t.data)[place * joints + j];
        p[i].has_z = 1;
        if ((y->has & GN_HAS_camera) && (y->has & GN_HAS_joints3d) && y->skeleton->root >= 0) to_space(&e->data.labels, y, side, &p[i]);
    }
    return GN_OK;
}
