/* check.c - reads an experiment, binds its losses, plans its memory; touches no device. */
#include "src/cli/verbs.h"

gn_status cli_check(const cli_command *c) {
    gn_experiment e;
    GN_TRY(gn_experiment_read(c->arena, c->arg[0], c->n_assign, c->assign, &e));
    if (cli_given(c, "resolved")) {
        GN_TRY(gn_experiment_check(&e, c->arena, NULL));
        gn_experiment_print(&e, stdout);
        return GN_OK;
    }
    return gn_experiment_check(&e, c->arena, stdout);
}

gn_status cli_describe(const cli_command *c) { return gn_describe(stdout, c->n ? c->arg[0] : NULL); }
