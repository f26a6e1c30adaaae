/* report.c - a run as one page. */
#include "src/cli/verbs.h"
#include "gnomon/report.h"

gn_status cli_report(const cli_command *c) {
    const char *folder, *page;
    GN_TRY(gn_run_folder(c->arena, c->arg[0], &folder));
    GN_TRY(gn_report(folder, c->arena, &page));
    printf("%s\n", page);
    return GN_OK;
}
