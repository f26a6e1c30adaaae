/* importers.c - the list of importers, made from all.h. */
#include "gnomon/import.h"

#define GN_IMPORTER(name) extern const gn_importer gn_import_##name;
#include "src/import/all.h"
#undef GN_IMPORTER

const gn_importer *const gn_importers[] = {
#define GN_IMPORTER(name) &gn_import_##name,
#include "src/import/all.h"
#undef GN_IMPORTER
    NULL,
};
