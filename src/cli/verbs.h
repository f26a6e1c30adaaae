/* verbs.h - what each verb runs; the table is verbs.c. */
#ifndef CLI_VERBS_H
#define CLI_VERBS_H
#include "src/cli/cli.h"

gn_status cli_data_make(const cli_command *c);
gn_status cli_data_import(const cli_command *c);
gn_status cli_data_verify(const cli_command *c);
gn_status cli_data_ls(const cli_command *c);
gn_status cli_data_show(const cli_command *c);
gn_status cli_check(const cli_command *c);
gn_status cli_train(const cli_command *c);
gn_status cli_eval(const cli_command *c);
gn_status cli_predict(const cli_command *c);
gn_status cli_report(const cli_command *c);
gn_status cli_runs_ls(const cli_command *c);
gn_status cli_runs_show(const cli_command *c);
gn_status cli_bench_step(const cli_command *c);
gn_status cli_bench_op(const cli_command *c);
gn_status cli_bench_softargmax(const cli_command *c);
gn_status cli_bench_loader(const cli_command *c);
gn_status cli_profile(const cli_command *c);
gn_status cli_describe(const cli_command *c);
gn_status cli_doctor(const cli_command *c);
#endif
