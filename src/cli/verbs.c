/* verbs.c - every verb, once. */
#include "src/cli/verbs.h"

static const cli_flag check_flags[] = {
    { "resolved", NULL, "print the experiment with every default written out" },
    { NULL, NULL, NULL },
};

static const cli_verb
    check = { "check", NULL, "EXPERIMENT [key=value ...]", "bind losses to labels, plan memory; no device is touched", 1, 1, 1, check_flags, cli_check },
    describe = { "describe", NULL, "[NAME]", "every option there is, or those of one thing", 0, 1, 0, NULL, cli_describe },
    doctor = { "doctor", NULL, "", "libraries, processor, memory, GPU", 0, 0, 0, NULL, cli_doctor };

const cli_verb *const cli_verbs[] = { &check, &describe, &doctor, NULL };
