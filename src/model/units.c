/* units.c - pre-activation bottlenecks (Zhou 2017 A1.1), the stem, the head that pools (A1.2). */
#include "units.h"

enum { SMALLEST = 4 }; /* side of the last map of a pooled head */

gn_node gn_unit_conv(gn_graph *g, const char *name, gn_node x, gn_conv_spec spec) {
    gn_scope_in(g, "%s", name);
    x = gn_conv(g, x, spec);
    gn_scope_out(g);
    return x;
}

gn_node gn_unit_norm(gn_graph *g, const char *name, gn_node x) {
    gn_scope_in(g, "%s", name);
    x = gn_norm(g, x, 1);
    gn_scope_out(g);
    return x;
}

/* 1x1 to half the width, 3x3, 1x1 back, each after BN and ReLU; plus x as it came, through a bare 1x1
 * where the width changes. */
gn_node gn_residual(gn_graph *g, const char *name, gn_node x, int in, int out) {
    gn_scope_in(g, "%s", name);
    gn_node skip = in == out ? x : gn_unit_conv(g, "skip", x, (gn_conv_spec){ .channels = out, .kernel = 1 });
    gn_node y = gn_unit_conv(g, "conv1", x, (gn_conv_spec){ .channels = out / 2, .kernel = 1, .norm = 1, .relu = 1 });
    y = gn_unit_conv(g, "conv2", y, (gn_conv_spec){ .channels = out / 2, .kernel = 3, .norm = 1, .relu = 1 });
    y = gn_unit_conv(g, "conv3", y, (gn_conv_spec){ .channels = out, .kernel = 1, .norm = 1, .relu = 1, .add = skip });
    gn_scope_out(g);
    return y;
}

gn_node gn_residuals(gn_graph *g, const char *name, gn_node x, int count, int width) {
    gn_scope_in(g, "%s", name);
    for (int i = 0; i < count; i++) {
        char unit[32];
        snprintf(unit, sizeof unit, "unit%d", i + 1);
        x = gn_residual(g, unit, x, width, width);
    }
    gn_scope_out(g);
    return x;
}

gn_node gn_stem(gn_graph *g, int side, int width) {
    gn_scope_in(g, "stem");
    gn_node x = gn_input(g, "picture", 3, side, side);
    x = gn_unit_conv(g, "conv", x, (gn_conv_spec){ .channels = width / 4, .kernel = 7, .stride = 2 });
    x = gn_unit_norm(g, "norm", x); /* two read it: the first unit's bottleneck and its skip */
    x = gn_residual(g, "unit1", x, width / 4, width / 2);
    x = gn_pool_max(g, x, 2);
    x = gn_residual(g, "unit2", x, width / 2, width / 2);
    x = gn_residual(g, "unit3", x, width / 2, width);
    gn_scope_out(g);
    return x;
}

gn_node gn_pooled_head(gn_graph *g, const char *name, gn_node x, int side, int joints, gn_head_spec spec) {
    gn_scope_in(g, "%s", name);
    for (int s = 0; s < spec.stages && side % 2 == 0 && side / 2 >= SMALLEST; s++, side /= 2) {
        char stage[32];
        snprintf(stage, sizeof stage, "stage%d", s + 1);
        x = gn_pool_max(g, gn_residuals(g, stage, x, spec.units, spec.width), 2);
    }
    if (spec.norm) x = gn_unit_norm(g, "norm", x);
    gn_scope_in(g, "linear");
    x = gn_linear(g, x, (gn_conv_spec){ .channels = joints, .zero = spec.zero });
    gn_scope_out(g);
    gn_scope_out(g);
    return x;
}
