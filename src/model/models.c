/* models.c - the list of models. */
#include "gnomon/graph.h"

#define GN_MODEL(name) extern const gn_model gn_model_##name;
#include "models.def"
#undef GN_MODEL

const gn_model *const gn_models[] = {
#define GN_MODEL(name) &gn_model_##name,
#include "models.def"
#undef GN_MODEL
    NULL,
};
