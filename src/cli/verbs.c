/* verbs.c - every verb, once. */
#include "src/cli/verbs.h"

static const cli_verb
    doctor = { "doctor", NULL, "", "libraries, processor, memory, GPU", 0, 0, 0, NULL, cli_doctor };

const cli_verb *const cli_verbs[] = { &doctor, NULL };
