/* predict.c - poses in pictures of the user's, or in held-out samples of a set. */
#include "src/cli/verbs.h"
#include "gnomon/image.h"
#include "gnomon/io.h"
#include "gnomon/report.h"
#include <string.h>

/* The first validation samples of a set become pictures in OUT/SET, to be read like anybody's. */
static gn_status pictures_of(const cli_command *c, const gn_dataset *d, const char *out, int count, const char **folder) {
    gn_shard *shard;
    const char *path;
    int place;
    GN_TAKE_TEXT(path, c->arena, "%s/%s", cli_given_or(c, "root", "data"), d->valid);
    GN_TAKE_TEXT(*folder, c->arena, "%s/%s", out, d->name);
    GN_TRY(gn_shard_open(c->arena, path, &shard));
    const gn_shard_field *image = gn_shard_find(shard, "image", &place);
    if (!image) GN_FAIL(BAD_DATA, "%s: holds no field 'image'", path);
    if (count > gn_shard_samples(shard)) count = (int)gn_shard_samples(shard);
    GN_TRY(gn_io_folder(*folder));
    for (int i = 0; i < count; i++) {
        gn_image picture;
        GN_TRY(gn_shard_check(shard, i));
        GN_TRY(gn_image_new(c->arena, (int)image->d[1], (int)image->d[0], &picture));
        memcpy(picture.rgb, gn_shard_at(shard, place, i), (size_t)(3 * image->d[0] * image->d[1]));
        GN_TAKE_TEXT(path, c->arena, "%s/%s_%04d.png", *folder, d->name, i);
        GN_TRY(gn_png_write(path, &picture));
    }
    return GN_OK;
}

static gn_status sheet(const cli_command *c, const gn_dataset *d, int count, const char *png) {
    const char *shard;
    if (!d) GN_FAIL(BAD_USAGE, "--sheet: '%s' is no data set, so there is no truth to show", gn_shown(c->arg[1]));
    GN_TAKE_TEXT(shard, c->arena, "%s/%s", cli_given_or(c, "root", "data"), d->valid);
    GN_TRY(gn_predict_sheet(c->arg[0], shard, count, png, c->arena));
    printf("%s\n", png);
    return GN_OK;
}

gn_status cli_predict(const cli_command *c) {
    const char *run = c->arg[0], *input = c->arg[1], *out = cli_given(c, "out"), *said = cli_given(c, "box");
    const gn_dataset *d = gn_io_exists(input) ? NULL : gn_dataset_find(input);
    double box[4];
    int count, end = 0;
    GN_TRY(cli_given_count(c, "count", 8, 1, 100000, &count));
    if (said && (sscanf(said, "%lf,%lf,%lf,%lf%n", &box[0], &box[1], &box[2], &box[3], &end) != 4 || said[end]))
        GN_FAIL(BAD_USAGE, "--box: expected X,Y,W,H in pixels, found '%s'", gn_shown(said));
    if (cli_given(c, "sheet")) return sheet(c, d, count, cli_given(c, "sheet"));
    if (!out) {
        const char *folder;
        GN_TRY(gn_run_folder(c->arena, run, &folder));
        GN_TAKE_TEXT(out, c->arena, "%s/predictions", folder);
    }
    GN_TRY(gn_io_folder(out));
    if (d) GN_TRY(pictures_of(c, d, out, count, &input));
    GN_TRY(gn_predict(run, input, said ? box : NULL, out, c->arena));
    printf("%s\n", out);
    return GN_OK;
}
