/* all.h - every loss, once: this list is the registry.
 *
 * No include guard: it is read once a pass. Whoever includes it first says what GN_LOSS and GN_MAP_LOSS
 * mean; each header ends, outside its own guard, with the line that uses one of them, and GN_T names
 * its options struct there. */
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
