/* datasets.c - the list of data sets, made from the declarations of this folder. */
#include "gnomon/dataset.h"
#include <string.h>

#define GN_DATASET(id, ...) static const gn_dataset id = { .name = #id, __VA_ARGS__ };
#include "datasets/all.h"
#undef GN_DATASET

const gn_dataset *const gn_datasets[] = {
#define GN_DATASET(id, ...) &id,
#include "datasets/all.h"
#undef GN_DATASET
    NULL,
};

const gn_dataset *gn_dataset_find(const char *name) {
    for (int i = 0; gn_datasets[i]; i++)
        if (!strcmp(gn_datasets[i]->name, name)) return gn_datasets[i];
    return NULL;
}
