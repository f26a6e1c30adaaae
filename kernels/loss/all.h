/* all.h - every loss, once: this list is the registry.
 *
 * A new loss x is a header x.h with x_options, x_terms (the most terms a group has), x_offers (is term t
 * there? from labels alone) and x_term (its value, and how it pulls), and one include below; ranking.h is
 * a good one to copy. Its last lines, outside the guard, register it: they are read once a pass, and mean
 * what whoever includes this file says GN_LOSS and GN_MAP_LOSS mean; GN_T names the options struct there.
 * It then has a loop, a kernel, YAML keys, help, and the tests of test_losses_f64.c and test_parity_losses.c. */
#ifndef GN_LOSS
#define GN_LOSS(name, OPTIONS, help, reads, least, views, needs)
#endif
#ifndef GN_MAP_LOSS
#define GN_MAP_LOSS(name, OPTIONS, help, output, needs)
#endif
#define GN_READ1(a, wa) { #a }, { wa }
#define GN_READ2(a, wa, b, wb) { #a, #b }, { wa, wb }

#include "loss/heatmap.h"
#include "loss/position.h"
#include "loss/position2d.h"
#include "loss/depth.h"
#include "loss/bone.h"
#include "loss/symmetry.h"
#include "loss/ranking.h"
#include "loss/reproject.h"
#include "loss/transform.h"
#include "loss/agree.h"
#include "loss/ray.h"

#undef GN_LOSS
#undef GN_MAP_LOSS
#undef GN_READ1
#undef GN_READ2
