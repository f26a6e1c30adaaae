/* cli.h - a verb as a row: what it takes, what it does. Parser and --help read the same table. */
#ifndef CLI_H
#define CLI_H
#include "gnomon/train.h"

typedef struct { const char *name, *value, *help; } cli_flag; /* value NULL: a switch; name NULL ends */

typedef struct cli_command cli_command;
typedef struct {
    const char *word, *second;   /* "data", "make"; second NULL: a verb of one word */
    const char *takes, *help;
    int least, most;             /* arguments besides assignments */
    int assigns;                 /* 1: key=value are overrides */
    const cli_flag *flags;
    gn_status (*run)(const cli_command *c);
} cli_verb;

#define CLI_MOST 256
struct cli_command {
    const cli_verb *verb;
    gn_arena *arena;             /* of the whole run */
    int n, n_assign, n_given;
    const char *arg[CLI_MOST];
    char *assign[CLI_MOST];
    struct { const cli_flag *flag; const char *value; } given[CLI_MOST];
};

extern const cli_verb *const cli_verbs;        /* src/cli/verbs.c; word NULL ends */
extern const cli_flag cli_everywhere[];        /* flags of every verb */

gn_status cli_parse(int argc, char **argv, cli_command *c); /* verb NULL: none was named */
const char *cli_given(const cli_command *c, const char *flag);      /* value, "" for a switch; NULL: not given */
const char *cli_given_or(const cli_command *c, const char *flag, const char *otherwise);
gn_status cli_given_count(const cli_command *c, const char *flag, int otherwise, int least, int most, int *n);
void cli_help(FILE *to, const cli_verb *verb); /* NULL: all verbs */
void cli_version(FILE *to);
int cli_main(int argc, char **argv);
#endif
