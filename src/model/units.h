/* units.h - what several models are made of. A scope names each part's parameters. */
#ifndef GN_MODEL_UNITS_H
#define GN_MODEL_UNITS_H
#include "gnomon/graph.h"

gn_node gn_unit_conv(gn_graph *g, const char *name, gn_node x, gn_conv_spec spec);
gn_node gn_unit_norm(gn_graph *g, const char *name, gn_node x);             /* BN, ReLU */
gn_node gn_residual(gn_graph *g, const char *name, gn_node x, int in, int out);
gn_node gn_residuals(gn_graph *g, const char *name, gn_node x, int count, int width);
gn_node gn_stem(gn_graph *g, int side, int width);                          /* picture to [width side/4 side/4] */

/* units and halving until the map is small, then one number a joint: [N joints] */
typedef struct { int stages, units, width, norm, zero; } gn_head_spec; /* halvings at most; units before each; BN and
                                                                        ReLU before the linear layer; it starts at 0 */
gn_node gn_pooled_head(gn_graph *g, const char *name, gn_node x, int side, int joints, gn_head_spec spec);
#endif
