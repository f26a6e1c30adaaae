/* all.h - every data set, once. Whoever includes this first says what GN_DATASET(name, ...) means; the list
 * is read twice, so neither this file nor the declarations have a guard. */
#include "datasets/puppet.h"
#include "datasets/mpii.h"
#include "datasets/h36m.h"
