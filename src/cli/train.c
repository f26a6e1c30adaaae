/* train.c - starts a run, or goes on with one. */
#include "src/cli/verbs.h"
#include "gnomon/io.h"
#include "gnomon/log.h"

gn_status cli_train(const cli_command *c) {
    gn_experiment e;
    const char *folder = cli_given(c, "run");
    int resume = cli_given(c, "resume") != NULL;
    GN_TRY(gn_experiment_read(c->arena, c->arg[0], c->n_assign, c->assign, &e));
    GN_TRY(gn_experiment_check(&e, c->arena, NULL));
    if (!folder && resume) GN_TRY(gn_run_unfinished(c->arena, &e, "runs", &folder));
    else if (folder && !gn_io_exists(folder)) resume = 0; /* resume means: or start one */
    if (!folder) {
        resume = 0;
        GN_TRY(gn_run_new(c->arena, &e, "runs", &folder));
    }
    gn_log("%s %s", resume ? "going on with" : "run", folder);
    return gn_train(&e, c->arena, folder, resume);
}
