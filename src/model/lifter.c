/* lifter.c - from where joints are seen to where they are: residual blocks of linear layers.
 *
 * Martinez et al., "A simple yet effective baseline for 3d human pose estimation", ICCV 2017: each layer is
 * linear, batch norm, ReLU, dropout; a block is two, and adds its input. A linear layer is a 1x1 convolution of a
 * picture of one pixel. */
#include "units.h"

typedef struct { int width, blocks, points, confidence; double dropout; } options;

static const gn_option rows[] = {
    { "width", GN_KIND_INT, offsetof(options, width), 1024, 8, 8192, 0, "numbers a layer", 0, 0 },
    { "blocks", GN_KIND_INT, offsetof(options, blocks), 2, 1, 64, 0, "residual blocks of two layers", 0, 0 },
    { "dropout", GN_KIND_NUMBER, offsetof(options, dropout), 0.5, 0, 0.95, 0, "share of a layer's numbers left out in training", 0, 0 },
    { "points", GN_KIND_CHOICE, offsetof(options, points), 0, 0, 0, "rays|screen",
      "joints as the camera's rays, (u - c)/f, or in half-picture units", 0, 0 },
    { "confidence", GN_KIND_FLAG, offsetof(options, confidence), 0, 0, 1, 0, "also read how sure each joint is", 0, 0 },
    { 0 },
};

static gn_node layer(gn_graph *g, const options *o, const char *name, gn_node x) {
    gn_scope_in(g, "%s", name);
    x = gn_unit_conv(g, "linear", x, (gn_conv_spec){ .channels = o->width, .kernel = 1 });
    x = gn_unit_norm(g, "norm", x);
    if (o->dropout > 0) x = gn_dropout(g, x, o->dropout);
    gn_scope_out(g);
    return x;
}

static gn_status build(gn_graph *g, const void *opt, int side, int joints) {
    const options *o = opt;
    (void)side;
    if (joints < 1) GN_FAIL(BAD_CONFIG, "model lifter: %d joints", joints);
    gn_node x = layer(g, o, "first", gn_input(g, o->points ? "screen" : "rays", (o->confidence ? 3 : 2) * joints, 1, 1));
    for (int k = 0; k < o->blocks; k++) {
        gn_scope_in(g, "block%d", k + 1);
        x = gn_add(g, layer(g, o, "two", layer(g, o, "one", x)), x);
        gn_scope_out(g);
    }
    gn_scope_in(g, "last");
    x = gn_linear(g, x, (gn_conv_spec){ .channels = 3 * joints, .real = 1, .zero = 1 });
    gn_scope_out(g);
    gn_output_points(g, "joints", x, 3);
    return GN_OK;
}

const gn_model gn_model_lifter = {
    .name = "lifter",
    .help = "joints in the picture to joints in space, metres about the root; output joints",
    .bytes = sizeof(options),
    .options = rows,
    .build = build,
};
