/* runs.c - runs listed and shown, their report, their predictions. */
#include "src/cli/verbs.h"
#include "gnomon/report.h"

gn_status cli_runs_ls(const cli_command *c) { return gn_runs_list(stdout, c->n ? c->arg[0] : "runs", c->arena); }

gn_status cli_runs_show(const cli_command *c) {
    const char *folder;
    GN_TRY(gn_run_folder(c->arena, c->arg[0], &folder));
    return gn_runs_show(stdout, folder, c->arena);
}

gn_status cli_report(const cli_command *c) {
    const char *folder, *page;
    GN_TRY(gn_run_folder(c->arena, c->arg[0], &folder));
    GN_TRY(gn_report(folder, c->arena, &page));
    printf("%s\n", page);
    return GN_OK;
}
