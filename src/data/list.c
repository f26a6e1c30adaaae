/* list.c - which sets are here, what they hold, and which losses they can feed. */
#include "gnomon/dataset.h"
#include "gnomon/io.h"
#include "gnomon/loss.h"

enum { ACROSS = 100 };

static gn_status list_shard(FILE *to, const char *root, const char *part, const char *file, gn_arena *a) {
    const char *path;
    gn_shard *s;
    GN_TAKE_TEXT(path, a, "%s/%s", root, file);
    if (!gn_io_exists(path)) {
        fprintf(to, "  %-8s not here: %s\n", part, path);
        return GN_OK;
    }
    if (gn_shard_open(a, path, &s)) {
        fprintf(to, "  %-8s %s\n", part, gn_reason());
        gn_trail_clear();
        return GN_OK;
    }
    fprintf(to, "  %-8s %lld samples, hash %016llx\n", part, (long long)gn_shard_samples(s), (unsigned long long)gn_shard_hash(s));
    for (int f = 0, at = ACROSS; f < gn_shard_fields(s); f++) {
        const gn_shard_field *field = gn_shard_field_at(s, f);
        char one[96];
        int n = snprintf(one, sizeof one, "%s", field->name);
        for (int k = 0; k < field->rank && n < 60; k++)
            n += snprintf(one + n, sizeof one - (size_t)n, "%s%lld%s", k ? "x" : "[", (long long)field->d[k], k + 1 < field->rank ? "" : "]");
        if (at + 1 + n > ACROSS) at = fprintf(to, "%s  %-8s", f ? "\n" : "", "") - !!f;
        at += fprintf(to, " %s", one);
    }
    fputc('\n', to);
    return GN_OK;
}

gn_status gn_data_list(FILE *to, const char *root, gn_arena *a) {
    for (int i = 0; gn_datasets[i]; i++) {
        const gn_dataset *d = gn_datasets[i];
        fprintf(to, "%s: %s\n", d->name, d->about);
        GN_TRY(list_shard(to, root, "train", d->train, a));
        GN_TRY(list_shard(to, root, "valid", d->valid, a));
        fprintf(to, "  %-8s %s\n", "learns", gn_fields_text(d->has));
        if (d->holds & ~d->has) fprintf(to, "  %-8s %s\n", "judges", gn_fields_text(d->holds & ~d->has));
        fprintf(to, "  %-8s", "feeds");
        for (int k = 0; gn_losses[k]; k++)
            if (!(gn_losses[k]->needs & ~d->has)) fprintf(to, " %s", gn_losses[k]->name);
        fprintf(to, "\n  %-8s %s\n  %-8s %s\n", "skeleton", d->skeleton->name, "licence", d->licence);
    }
    return GN_OK;
}
