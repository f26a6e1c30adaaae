/* profile.c - a step node by node, then kind by kind, beside what the machine could do and beside the step as it runs. */
#include "rehearsal.h"
#include <stdlib.h>
#include <string.h>

enum { NAME = 43 };

typedef struct {
    gn_rehearsal r;
    int nodes, steps;
    gn_node_cost *node;      /* medians */
    double *seconds;         /* [nodes][2][steps] */
    double *part, *whole;    /* [GN_STEP_PARTS][steps], with nodes timed; [steps], without */
    gn_ceiling ceiling;
} profile;

/* --- measuring --- */

static double median(double *x, int n) {
    qsort(x, (size_t)n, sizeof *x, gn_by_value);
    return x[n / 2];
}

static gn_status time_nodes(profile *p) {
    gn_session *s = &p->r.session;
    double all;
    gn_rehearsal_time(&p->r, 1);
    GN_TRY(gn_rehearsal_step(&p->r, &all)); /* marks are made at first use */
    gn_device_watch(1);
    for (int k = 0; k < p->steps; k++) {
        GN_TRY(gn_rehearsal_step(&p->r, &all));
        GN_TRY(gn_graph_costs(s->graph, p->node, p->nodes, &p->nodes));
        for (int i = 0; i < p->nodes; i++) {
            p->seconds[2 * i * p->steps + k] = p->node[i].forward_s;
            p->seconds[(2 * i + 1) * p->steps + k] = p->node[i].backward_s;
        }
        for (int i = 0; i < GN_STEP_PARTS; i++) p->part[i * p->steps + k] = s->note.part_s[i];
    }
    gn_device_watch(0);
    gn_rehearsal_time(&p->r, 0);
    for (int i = 0; i < p->nodes; i++) {
        p->node[i].forward_s = median(p->seconds + 2 * i * p->steps, p->steps);
        p->node[i].backward_s = median(p->seconds + (2 * i + 1) * p->steps, p->steps);
    }
    return GN_OK;
}

static gn_status measure(profile *p, const gn_experiment *e, int warmup, gn_arena *a) {
    double s;
    GN_TRY(gn_rehearsal_open(&p->r, e, a));
    GN_TAKE(p->node, a, GN_REHEARSAL_NODES);
    GN_TRY(gn_graph_costs(p->r.session.graph, p->node, GN_REHEARSAL_NODES, &p->nodes));
    GN_TAKE(p->seconds, a, 2 * p->nodes * p->steps);
    GN_TAKE(p->part, a, GN_STEP_PARTS * p->steps);
    GN_TAKE(p->whole, a, p->steps);
    for (int k = 0; k < warmup; k++) GN_TRY(gn_rehearsal_step(&p->r, &s));
    for (int k = 0; k < p->steps; k++) GN_TRY(gn_rehearsal_step(&p->r, &p->whole[k]));
    GN_TRY(time_nodes(p));
    return gn_rehearsal_ceiling(&p->r, a, &p->ceiling);
}

/* --- saying: no line has more than 100 columns --- */

/* "a.b.b.b.c" is shown as "a.b^3.c", and of what is still too long the end. */
static const char *shown(const char *name, char text[256]) {
    size_t n = 0;
    while (*name && n < 200) {
        const size_t part = strcspn(name, ".");
        const char *end = name + part;
        int times = 1;
        for (; *end == '.' && !strncmp(end + 1, name, part) && strcspn(end + 1, ".") == part; end += part + 1) times++;
        n += (size_t)snprintf(text + n, 256 - n, "%.*s", part < 40 ? (int)part : 40, name);
        if (times > 1) n += (size_t)snprintf(text + n, 256 - n, "^%d", times);
        if (*end == '.') text[n++] = '.';
        name = end + (*end == '.');
    }
    text[n] = 0;
    return n > NAME ? text + n - NAME : text;
}

static void row(FILE *to, const char *name, const gn_node_cost *n, double least) {
    const double s = n->forward_s + n->backward_s;
    char text[256];
    fprintf(to, "%-*s %-8s %7.3f %8.3f %7.2f %7.1f %7.3f %4.0f\n", NAME, shown(name, text), n->op, 1e3 * n->forward_s,
            1e3 * n->backward_s, n->flop / 1e9, n->bytes / 1e6, 1e3 * least, s > 0 ? 100 * least / s : 0.0);
}

/* One row a kind of op, in the order in which they first come. */
static void rows_by_kind(FILE *to, const profile *p) {
    for (int i = 0; i < p->nodes; i++) {
        gn_node_cost all = { .op = p->node[i].op };
        double least = 0;
        int seen = 0, n = 0;
        char name[32];
        for (int k = 0; k < i; k++) seen |= !strcmp(p->node[k].op, all.op);
        for (int k = i; k < p->nodes && !seen; k++) {
            const gn_node_cost *c = &p->node[k];
            if (strcmp(c->op, all.op)) continue;
            all.flop += c->flop, all.bytes += c->bytes, all.forward_s += c->forward_s, all.backward_s += c->backward_s;
            least += gn_rehearsal_floor(&p->r, &p->ceiling, c, 1);
            n++;
        }
        snprintf(name, sizeof name, "all %d", n);
        if (!seen) row(to, name, &all, least);
    }
}

static void head(FILE *to, const profile *p) {
    const gn_session *s = &p->r.session;
    fprintf(to, "%.26s, stage %.14s: %d drawn pictures of %d pixels in %d shard%s\n", s->e->name, s->name, p->r.batch.n, p->r.batch.side,
            s->shards, s->shards == 1 ? "" : "s");
    fprintf(to, "on %.97s\n", s->where);
    fprintf(to, "it does %.0f GFLOP/s and copies %.0f GB/s, which makes the floor; median of %d step%s\n\n",
            p->ceiling.flop_s / 1e9, p->ceiling.bytes_s / 1e9, p->steps, p->steps == 1 ? "" : "s");
    fprintf(to, "%-*s %-8s %7s %8s %7s %7s %7s\n", NAME, "node", "op", "forward", "backward", "GFLOP", "MB", "floor");
    fprintf(to, "%-*s %-8s %7s %8s %7s %7s %7s %4s\n", NAME, "", "", "ms", "ms", "", "", "ms", "%");
}

static void foot(FILE *to, profile *p) {
    const double least = gn_rehearsal_floor(&p->r, &p->ceiling, p->node, p->nodes), whole = median(p->whole, p->steps);
    double forward = 0, backward = 0, part[GN_STEP_PARTS];
    for (int i = 0; i < p->nodes; i++) forward += p->node[i].forward_s, backward += p->node[i].backward_s;
    for (int i = 0; i < GN_STEP_PARTS; i++) part[i] = median(p->part + i * p->steps, p->steps);
    fprintf(to, "\nnodes %10.3f ms   forward %.3f, backward %.3f\n", 1e3 * (forward + backward), 1e3 * forward, 1e3 * backward);
    fprintf(to, "parts %10.3f ms   forward %.3f, losses %.3f, backward %.3f, optimizer %.3f\n",
            1e3 * (part[0] + part[1] + part[2] + part[3]), 1e3 * part[GN_STEP_forward], 1e3 * part[GN_STEP_loss],
            1e3 * part[GN_STEP_backward], 1e3 * part[GN_STEP_optimizer]);
    fprintf(to, "step  %10.3f ms   %s; %.1f pictures a second; floor %.3f ms, %.0f %% reached\n", 1e3 * whole,
            p->r.session.gpu ? "captured and replayed" : "as it trains", p->r.batch.n / whole, 1e3 * least, 100 * least / whole);
}

gn_status gn_profile(FILE *to, const gn_experiment *e, int warmup, int steps, gn_arena *a) {
    profile *p;
    GN_TAKE(p, a, 1);
    p->steps = steps;
    GN_TRY(measure(p, e, warmup, a));
    head(to, p);
    for (int i = 0; i < p->nodes; i++) row(to, p->node[i].name, &p->node[i], gn_rehearsal_floor(&p->r, &p->ceiling, &p->node[i], 1));
    fputc('\n', to);
    rows_by_kind(to, p);
    foot(to, p);
    return GN_OK;
}
