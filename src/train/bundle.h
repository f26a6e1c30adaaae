/* bundle.h - the three files of a checkpoint, and the manifest that holds the hash of every byte of them. */
#ifndef GN_BUNDLE_H
#define GN_BUNDLE_H
#include "gnomon/json.h"
#include "safetensors.h"

enum { GN_MODEL_FILE, GN_OPTIMIZER_FILE, GN_STATE_FILE, GN_BUNDLE_FILES };
extern const char *const gn_bundle_name[GN_BUNDLE_FILES];

typedef struct {
    size_t bytes;
    uint64_t hash;           /* of what comes before the tensors; of all, where there are none */
    int n;
    gn_named *list;
} gn_bundle_file;
typedef struct {
    gn_bundle_file file[GN_BUNDLE_FILES];
    const gn_json *state;    /* of a bundle that was read */
} gn_bundle;

gn_status gn_bundle_manifest(gn_arena *a, const gn_bundle *b, char **text, size_t *n);
gn_status gn_bundle_open(gn_arena *a, const char *folder, gn_bundle *b); /* everything, verified */
#endif
