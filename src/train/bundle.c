/* bundle.c - the manifest is made twice by the same function: from what was meant to be written, and from
 * what is read back. A checkpoint verifies when both texts are the same. */
#include "bundle.h"
#include "gnomon/hash.h"
#include "gnomon/io.h"
#include "gnomon/train.h"
#include <string.h>

const char *const gn_bundle_name[] = { "model.safetensors", "optimizer.safetensors", "state.json" };
static const size_t most_state = 1 << 16, most_manifest = 1 << 26, most_tensors = (size_t)1 << 36;

gn_status gn_bundle_manifest(gn_arena *a, const gn_bundle *b, char **text, size_t *n) {
    size_t room = 512, at = 0;
    for (int f = 0; f < GN_BUNDLE_FILES; f++)
        for (int i = 0; i < b->file[f].n; i++) room += strlen(b->file[f].list[i].name) + 128;
    char *m;
    GN_TAKE(m, a, room);
    at += (size_t)snprintf(m, room, "gnomon checkpoint 1: file[:tensor], bytes, XXH3 (of a file of tensors: of its header)\n");
    for (int f = 0; f < GN_BUNDLE_FILES; f++) {
        const gn_bundle_file *p = &b->file[f];
        at += (size_t)snprintf(m + at, room - at, "%s %zu %016llx\n", gn_bundle_name[f], p->bytes, (unsigned long long)p->hash);
        for (int i = 0; i < p->n; i++)
            at += (size_t)snprintf(m + at, room - at, "%s:%s %zu %016llx\n", gn_bundle_name[f], p->list[i].name, p->list[i].bytes,
                                   (unsigned long long)p->list[i].hash);
    }
    at += (size_t)snprintf(m + at, room - at, "end %016llx\n", (unsigned long long)gn_hash(m, at));
    *text = m;
    *n = at;
    return GN_OK;
}

/* A manifest that is not its own hash is damaged itself; else its first line that is not ours names the damage. */
static gn_status compare(const char *folder, const char *kept, size_t n, const char *found) {
    char end[32];
    const size_t tail = 4 + 16 + 1;
    if (n > tail) snprintf(end, sizeof end, "end %016llx\n", (unsigned long long)gn_hash(kept, n - tail));
    if (n <= tail || memcmp(kept + n - tail, end, tail)) GN_FAIL(BAD_DATA, "%s/MANIFEST: not as it was written", folder);
    while (*kept && *found) {
        size_t k = strcspn(kept, "\n"), m = strcspn(found, "\n");
        if (k != m || memcmp(kept, found, k)) GN_FAIL(BAD_DATA, "%s: expected %.*s, found %.*s", folder, (int)k, kept, (int)m, found);
        kept += k + 1;
        found += m + 1;
    }
    return GN_OK;
}

static const char *join(gn_arena *a, const char *folder, const char *name) { return gn_arena_text(a, "%s/%s", folder, name); }

gn_status gn_bundle_open(gn_arena *a, const char *folder, gn_bundle *b) {
    void *kept, *bytes;
    size_t n;
    *b = (gn_bundle){ 0 };
    const char *path = join(a, folder, "MANIFEST");
    if (!path) GN_FAIL(NO_MEMORY, "out of memory: %s", folder);
    GN_TRY(gn_io_read(a, path, most_manifest, &kept, &n));
    const size_t kept_n = n;
    for (int f = 0; f < GN_BUNDLE_FILES; f++) {
        gn_bundle_file *p = &b->file[f];
        GN_TAKE_TEXT(path, a, "%s/%s", folder, gn_bundle_name[f]);
        GN_TRY(gn_io_read(a, path, f == GN_STATE_FILE ? most_state : most_tensors, &bytes, &p->bytes));
        if (f != GN_STATE_FILE) {
            GN_TRY(gn_safetensors_parse(a, path, bytes, p->bytes, &p->n, &p->list, &p->hash));
        } else {
            p->hash = gn_hash(bytes, p->bytes);
            GN_TRY(gn_json_parse(a, path, bytes, p->bytes, &b->state));
        }
    }
    char *found;
    GN_TRY(gn_bundle_manifest(a, b, &found, &n));
    return compare(folder, kept, kept_n, found);
}

gn_status gn_checkpoint_verify(const char *folder) {
    gn_arena *a = gn_arena_new("verify");
    gn_bundle b;
    gn_status status = gn_bundle_open(a, folder, &b);
    gn_arena_free(a);
    return status;
}
