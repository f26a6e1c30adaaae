/* build.c - builders, scopes, outputs. The first failure sticks, and every later call does nothing. */
#include "inside.h"
#include <stdarg.h>
#include <string.h>

gn_status gn_graph_new(gn_arena *a, gn_graph **g) {
    GN_TAKE(*g, a, 1);
    (*g)->arena = a;
    GN_TAKE((*g)->node, a, 64);
    (*g)->room = 64;
    (*g)->n = 1;
    return GN_OK;
}

static void keep(gn_graph *g, gn_status status) {
    if (!status || g->failed) return;
    g->failed = status;
    gn_trail_keep(&g->trail);
}

/* --- scopes --- */

static gn_status scope_in(gn_graph *g, const char *fmt, va_list args) {
    if (g->depth == SCOPES) GN_FAIL(INTERNAL, "scope '%s' is %d deep", g->scope, SCOPES);
    size_t end = strlen(g->scope);
    g->scope_end[g->depth++] = end;
    if (end) g->scope[end++] = '.';
    int n = vsnprintf(g->scope + end, sizeof g->scope - end, fmt, args);
    if (n <= 0 || (size_t)n >= sizeof g->scope - end) GN_FAIL(INTERNAL, "scope '%s' is too long or empty", g->scope);
    return GN_OK;
}

void gn_scope_in(gn_graph *g, const char *fmt, ...) {
    if (g->failed) return;
    va_list args;
    va_start(args, fmt);
    keep(g, scope_in(g, fmt, args));
    va_end(args);
}

static gn_status scope_out(gn_graph *g) {
    if (!g->depth) GN_FAIL(INTERNAL, "a scope is left that was not entered");
    g->scope[g->scope_end[--g->depth]] = 0;
    return GN_OK;
}

void gn_scope_out(gn_graph *g) {
    if (!g->failed) keep(g, scope_out(g));
}

/* --- parameters of a node --- */

/* An op lists weight, then bias, then, if it normalises, scale, shift, mean, variance. */
static gn_role role_of(const gn_op_shape *s, int k) {
    int norm = s->norm_channels ? s->n_param - 4 : s->n_param;
    if (k >= norm) return GN_SCALE + (gn_role)(k - norm);
    return s->param[k].n > 1 ? GN_WEIGHT : GN_BIAS;
}

static gn_status param_name(gn_graph *g, const gn_op_shape *s, gn_role role, const char **name) {
    static const char *const word[] = { "weight", "bias", "scale", "shift", "mean", "variance" };
    int carried = role >= GN_SCALE && s->n_param > 4; /* by a convolution, which has a weight of its own */
    GN_TAKE_TEXT(*name, g->arena, "%s%s%s%s", g->scope, *g->scope ? "." : "", carried ? "norm." : "", word[role]);
    for (int i = 0; i < g->n_param; i++)
        if (!strcmp(g->param[i].name, *name))
            GN_FAIL(INTERNAL, "two parameters '%s': give each op with parameters a scope of its own", *name);
    return GN_OK;
}

/* twice the room, when it is full */
#define GROW(list, n, room, arena)                                                                 \
    do {                                                                                           \
        if ((n) == (room)) {                                                                       \
            void *old_ = (list);                                                                   \
            (room) = (room) ? 2 * (room) : 16;                                                     \
            GN_TAKE((list), (arena), (room));                                                      \
            if (n) memcpy((list), old_, (size_t)(n) * sizeof *(list));                             \
        }                                                                                          \
    } while (0)

static gn_status params_add(gn_graph *g, const gn_op_shape *s) {
    int64_t fan_in = 0;
    for (int k = 0; k < s->n_param; k++) {
        gn_role role = role_of(s, k);
        if (role == GN_WEIGHT) fan_in = gn_shape_count(&s->param[k]) / s->param[k].d[0];
        gn_param p = { .shape = s->param[k], .role = role, .trained = role < GN_MEAN,
                       .fan_in = role <= GN_BIAS ? (int)fan_in : 0 };
        GN_TRY(param_name(g, s, role, &p.name));
        GROW(g->param, g->n_param, g->param_room, g->arena);
        g->param[g->n_param++] = p;
    }
    return GN_OK;
}

/* --- nodes --- */

static gn_status append(gn_graph *g, const gn_op *op, const void *attr, size_t bytes, int n_in, const gn_node *in, int real) {
    node d = { .op = op, .n_in = n_in, .real = real, .param = g->n_param };
    gn_shape shape[GN_OP_IN];
    for (int i = 0; i < n_in; i++) {
        if (in[i].id < 1 || in[i].id >= g->n) GN_FAIL(INTERNAL, "%s: input %d is no node of this graph", op->name, i + 1);
        d.in[i] = in[i].id;
        shape[i] = g->node[in[i].id].s.out;
    }
    if (attr) {
        void *copy = gn_arena_take(g->arena, bytes);
        if (!copy) GN_FAIL(NO_MEMORY, "out of memory: options of %s", op->name);
        d.attr = memcpy(copy, attr, bytes);
    }
    GN_TRY_AS(op->shape(d.attr, n_in, shape, &d.s), "%s%s%s", g->scope, *g->scope ? ": " : "", op->name);
    GN_TRY(params_add(g, &d.s));
    GN_TAKE_TEXT(d.name, g->arena, "%s%s%s", g->scope, *g->scope && !d.s.n_param ? "." : "",
                 *g->scope && d.s.n_param ? "" : op->name);
    GROW(g->node, g->n, g->room, g->arena);
    g->node[g->n++] = d;
    return GN_OK;
}

static gn_node add_node(gn_graph *g, const gn_op *op, const void *attr, size_t bytes, int n_in, const gn_node *in, int real) {
    if (!g->failed) keep(g, append(g, op, attr, bytes, n_in, in, real));
    return (gn_node){ g->failed ? 0 : g->n - 1 };
}

#define NODE(op, attr, n_in, ...) add_node(g, &gn_op_##op, attr, sizeof *(attr), n_in, (gn_node[]){ __VA_ARGS__ }, 0)

gn_node gn_input(gn_graph *g, const char *name, int channels, int height, int width) {
    gn_node x = add_node(g, &gn_op_input, &(gn_input_attr){ channels, height, width }, sizeof(gn_input_attr), 0, NULL, 1);
    if (!g->failed && !(g->node[x.id].name = gn_arena_text(g->arena, "%s", name)))
        keep(g, gn_fail(GN_NO_MEMORY, __FILE__, __LINE__, "out of memory: input '%s'", name));
    return x;
}

gn_node gn_conv(gn_graph *g, gn_node x, gn_conv_spec s) {
    gn_conv_attr a = { .channels = s.channels, .kernel = s.kernel, .stride = s.stride ? s.stride : 1, .norm = s.norm,
                       .relu = s.relu, .bias = !s.no_bias, .add = s.add.id != 0 };
    if (a.add && s.add.id == x.id) /* its two gradients would be first and second writer in one call */
        keep(g, gn_fail(GN_BAD_SHAPE, __FILE__, __LINE__, "%s: a convolution cannot add its own input", g->scope));
    return add_node(g, &gn_op_conv, &a, sizeof a, a.add ? 2 : 1, (gn_node[]){ x, s.add }, s.real);
}

gn_node gn_norm(gn_graph *g, gn_node x, int relu) { return NODE(norm, &(gn_norm_attr){ relu }, 1, x); }

gn_node gn_add(gn_graph *g, gn_node a, gn_node b) {
    return add_node(g, &gn_op_add, NULL, 0, 2, (gn_node[]){ a, b }, 0);
}

gn_node gn_pool_max(gn_graph *g, gn_node x, int size) { return NODE(pool, &(gn_pool_attr){ size }, 1, x); }

gn_node gn_upsample(gn_graph *g, gn_node x, int factor, gn_node add) {
    return NODE(upsample, &(gn_upsample_attr){ factor }, add.id ? 2 : 1, x, add);
}

gn_node gn_linear(gn_graph *g, gn_node x, gn_conv_spec s) {
    int before = g->n_param;
    gn_node y = NODE(linear, (&(gn_linear_attr){ .channels = s.channels, .bias = !s.no_bias }), 1, x);
    for (int i = before; i < g->n_param; i++) g->param[i].zero = s.zero;
    return y;
}

gn_node gn_dropout(gn_graph *g, gn_node x, double share) { return NODE(dropout, &(gn_dropout_attr){ share }, 1, x); }

gn_node gn_softargmax(gn_graph *g, gn_node x, int joints, int depth) {
    return NODE(softargmax, (&(gn_softargmax_attr){ joints, depth }), 1, x);
}

gn_node gn_gather(gn_graph *g, gn_node map, gn_node at) {
    return add_node(g, &gn_op_gather, NULL, 0, 2, (gn_node[]){ map, at }, 0);
}

static gn_status output_add(gn_graph *g, const char *name, gn_node x, int wide) {
    if (x.id < 1 || x.id >= g->n) GN_FAIL(INTERNAL, "output '%s' is no node of this graph", name);
    if (gn_graph_output_find(g, name) >= 0) GN_FAIL(INTERNAL, "two outputs '%s'", name);
    GROW(g->output, g->n_output, g->output_room, g->arena);
    output *o = &g->output[g->n_output];
    GN_TAKE_TEXT(o->name, g->arena, "%s", name);
    o->node = x.id;
    o->wide = wide;
    const gn_shape *s = &g->node[x.id].s.out;
    if (s->n == 2 && s->d[1] % wide) GN_FAIL(INTERNAL, "output '%s' of %lld numbers is no list of points of %d", name, (long long)s->d[1], wide);
    g->n_output++;
    return GN_OK;
}

void gn_output(gn_graph *g, const char *name, gn_node x) {
    if (!g->failed) keep(g, output_add(g, name, x, 1));
}
void gn_output_points(gn_graph *g, const char *name, gn_node x, int wide) {
    if (!g->failed) keep(g, output_add(g, name, x, wide));
}

int gn_graph_outputs(const gn_graph *g) { return g->n_output; }
const char *gn_graph_output_name(const gn_graph *g, int i) { return g->output[i].name; }

int gn_graph_output_find(const gn_graph *g, const char *name) {
    for (int i = 0; i < g->n_output; i++)
        if (!strcmp(g->output[i].name, name)) return i;
    return -1;
}
