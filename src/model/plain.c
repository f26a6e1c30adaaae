/* plain.c - the smallest network with the outputs of an hourglass: what a larger one must beat. */
#include "units.h"

typedef struct { int width, units; } options;

static const gn_option rows[] = {
    { "width", GN_KIND_INT, offsetof(options, width), 64, 8, 1024, 0, "channels of the maps; a multiple of 4", 0, 0 },
    { "units", GN_KIND_INT, offsetof(options, units), 4, 1, 64, 0, "residual units at a quarter of the input's side", 0, 0 },
    { 0 },
};

static gn_status build(gn_graph *g, const void *opt, int side, int joints) {
    const options *o = opt;
    if (joints < 1) GN_FAIL(BAD_CONFIG, "model plain: %d joints", joints);
    if (o->width % 4) GN_FAIL(BAD_CONFIG, "model plain: width %d is not a multiple of 4", o->width);
    if (side < 4 || side % 4) GN_FAIL(BAD_CONFIG, "model plain: needs an input that is a multiple of 4 pixels, got %d", side);
    gn_node x = gn_residuals(g, "body", gn_stem(g, side, o->width), o->units, o->width);
    gn_output(g, "heatmap", gn_unit_conv(g, "heatmap", x, (gn_conv_spec){ .channels = joints, .kernel = 1, .norm = 1, .relu = 1, .real = 1 }));
    gn_output(g, "depth", gn_pooled_head(g, "depth", x, side / 4, joints,
                                           (gn_head_spec){ .stages = 4, .units = 1, .width = o->width }));
    return GN_OK;
}

const gn_model gn_model_plain = {
    .name = "plain",
    .help = "residual units at one resolution; outputs heatmap and depth",
    .bytes = sizeof(options),
    .options = rows,
    .build = build,
};
