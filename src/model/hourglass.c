/* hourglass.c - stacked hourglasses with a head for depth (Zhou et al. 2017, A1; Newell et al. 2016).
 *
 * With the defaults, a picture of 256 pixels and 16 joints: the paper's network, 14,429,104 trained numbers. */
#include "units.h"

typedef struct { int stacks, width, depth, modules, depth_head, depth_modules, depth_norm, depth_zero; } options;

#define AT(member) offsetof(options, member)
static const gn_option rows[] = {
    { "stacks", GN_KIND_INT, AT(stacks), 2, 1, 16, 0, "hourglasses, one after the other", 0, 0 },
    { "width", GN_KIND_INT, AT(width), 256, 8, 1024, 0, "channels of the maps; a multiple of 4", 0, 0 },
    { "depth", GN_KIND_INT, AT(depth), 4, 1, 6, 0, "halvings in an hourglass; input / 4 must be a multiple of 2^depth", 0, 0 },
    { "modules", GN_KIND_INT, AT(modules), 2, 1, 8, 0, "residual units at a position", 0, 0 },
    { "depth_head", GN_KIND_FLAG, AT(depth_head), 1, 0, 1, 0, "say each joint's depth too", 0, 0 },
    { "depth_modules", GN_KIND_INT, AT(depth_modules), 2, 1, 8, 0,
      "residual units before each halving of the depth head; it halves four times, but never below a side of 4", 0, 0 },
    { "depth_norm", GN_KIND_FLAG, AT(depth_norm), 0, 0, 1, 0,
      "BN and ReLU before the depth head's linear layer, whose input is otherwise a sum of many residuals", 0, 0 },
    { "depth_zero", GN_KIND_FLAG, AT(depth_zero), 0, 0, 1, 0,
      "the linear layer starts at 0: features that never vary where depth is labelled then say nothing elsewhere", 0, 0 },
    { 0 },
};

static gn_node hourglass(gn_graph *g, const char *name, gn_node x, int depth, const options *o) {
    gn_scope_in(g, "%s", name);
    gn_node detail = gn_residuals(g, "detail", x, o->modules, o->width);
    gn_node y = gn_residuals(g, "down", gn_pool_max(g, x, 2), o->modules, o->width);
    y = depth > 1 ? hourglass(g, "inner", y, depth - 1, o) : gn_residuals(g, "inner", y, o->modules, o->width);
    y = gn_residuals(g, "up", y, o->modules, o->width);
    y = gn_upsample(g, y, 2, detail);
    gn_scope_out(g);
    return y;
}

/* One stack: features, heatmaps from them, and both merged back into x. */
static gn_node stack(gn_graph *g, gn_node x, int joints, const options *o, gn_node *heatmap) {
    gn_node y = hourglass(g, "hourglass", x, o->depth, o);
    y = gn_residuals(g, "out", y, o->modules, o->width);
    gn_scope_in(g, "feature");
    y = gn_unit_conv(g, "conv", y, (gn_conv_spec){ .channels = o->width, .kernel = 1 });
    y = gn_unit_norm(g, "norm", y);
    gn_scope_out(g);
    *heatmap = gn_unit_conv(g, "heatmap", y, (gn_conv_spec){ .channels = joints, .kernel = 1, .real = 1 });
    x = gn_unit_conv(g, "merge_feature", y, (gn_conv_spec){ .channels = o->width, .kernel = 1, .add = x });
    return gn_unit_conv(g, "merge_heatmap", *heatmap, (gn_conv_spec){ .channels = o->width, .kernel = 1, .add = x });
}

static gn_status check(const options *o, int side, int joints) {
    int step = 4 << o->depth;
    if (joints < 1) GN_FAIL(BAD_CONFIG, "model hourglass: %d joints", joints);
    if (o->width % 4) GN_FAIL(BAD_CONFIG, "model hourglass: width %d is not a multiple of 4", o->width);
    if (side < step || side % step)
        GN_FAIL(BAD_CONFIG, "model hourglass: depth %d needs an input that is a multiple of %d pixels, got %d", o->depth, step, side);
    return GN_OK;
}

static gn_status build(gn_graph *g, const void *opt, int side, int joints) {
    const options *o = opt;
    GN_TRY(check(o, side, joints));
    gn_node x = gn_stem(g, side, o->width), heatmap = { 0 };
    for (int s = 1; s <= o->stacks; s++) {
        char name[32];
        snprintf(name, sizeof name, "heatmap%d", s);
        gn_scope_in(g, "stack%d", s);
        x = stack(g, x, joints, o, &heatmap);
        gn_scope_out(g);
        gn_output(g, name, heatmap);
    }
    gn_output(g, "heatmap", heatmap);
    const gn_head_spec head = { .stages = 4, .units = o->depth_modules, .width = o->width, .norm = o->depth_norm,
                                .zero = o->depth_zero };
    if (o->depth_head) gn_output(g, "depth", gn_pooled_head(g, "depth", x, side / 4, joints, head));
    return GN_OK;
}

const gn_model gn_model_hourglass = {
    .name = "hourglass",
    .help = "stacked hourglasses; outputs heatmap1 .. heatmapS (heatmap is the last) and depth (Zhou 2017)",
    .bytes = sizeof(options),
    .options = rows,
    .build = build,
};
