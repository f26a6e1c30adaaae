/* rows.h - the rows of an experiment, with every model, loss and optimizer there is. */
#ifndef TRAIN_ROWS_H
#define TRAIN_ROWS_H
#include "gnomon/train.h"

gn_status gn_experiment_rows(gn_arena *a, const gn_option **rows);
gn_status gn_loss_rows(gn_arena *a, const gn_loss *loss, const gn_option **rows); /* common, then its own */
size_t gn_loss_use_bytes(void);      /* where a loss's own options begin */
#endif
