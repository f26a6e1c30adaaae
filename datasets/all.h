/* all.h - every data set, once. Whoever includes this first says what GN_DATASET(name, ...) means; the list
 * is read twice, so neither this file nor the declarations have a guard. */
#include "datasets/puppet.h"
#include "datasets/mpii.h"
#include "datasets/h36m.h"
#include "datasets/coco.h"
#include "datasets/wholebody.h"
#include "datasets/crowdpose.h"
#include "datasets/posetrack18.h"
#include "datasets/interhand.h"
#include "datasets/itop.h"
#include "datasets/mpi_inf_3dhp.h"
#include "datasets/muco.h"
#include "datasets/mupots.h"
