/* look.c - what a person looks at: runs, a sheet of a shard. */
#include "src/cli/verbs.h"
#include "gnomon/report.h"

gn_status cli_runs_ls(const cli_command *c) { return gn_runs_list(stdout, c->n ? c->arg[0] : "runs", c->arena); }

gn_status cli_runs_show(const cli_command *c) {
    const char *folder;
    GN_TRY(gn_run_folder(c->arena, c->arg[0], &folder));
    return gn_runs_show(stdout, folder, c->arena);
}

gn_status cli_data_show(const cli_command *c) {
    const char *shard = c->arg[0], *out = cli_given_or(c, "out", "sheet.png");
    const gn_dataset *d = gn_dataset_find(shard);
    int columns, rows;
    GN_TRY(cli_given_count(c, "columns", 8, 1, 64, &columns));
    GN_TRY(cli_given_count(c, "rows", 6, 1, 64, &rows));
    if (d) GN_TAKE_TEXT(shard, c->arena, "%s/%s", cli_given_or(c, "root", "data"), cli_given(c, "valid") ? d->valid : d->train);
    GN_TRY(gn_sheet(shard, columns, rows, out, c->arena));
    printf("%s\n", out);
    return GN_OK;
}
