/* cli.c - help, version, and the way from words to an exit code. */
#include "src/cli/verbs.h"
#include "gnomon/import.h"
#include "gnomon/log.h"
#include <string.h>

static void say_verb(FILE *to, const cli_verb *v, int width) {
    char left[120];
    snprintf(left, sizeof left, "%s%s%s %s", v->word, v->second ? " " : "", v->second ? v->second : "", v->takes);
    fprintf(to, "  gnomon %-*s  %s\n", width, left, v->help);
}

static void say_flags(FILE *to, const cli_flag *f) {
    for (; f && f->name; f++) {
        char left[80];
        snprintf(left, sizeof left, "--%s%s%s", f->name, f->value ? " " : "", f->value ? f->value : "");
        fprintf(to, "    %-20s %s\n", left, f->help);
    }
}

static void say_formats(FILE *to) {
    fputs("formats, and what SOURCE is:\n", to);
    for (int i = 0; gn_importers[i]; i++) fprintf(to, "    %-20s %s\n", gn_importers[i]->name, gn_importers[i]->takes);
}

void cli_help(FILE *to, const cli_verb *verb) {
    for (int i = 0; cli_verbs[i].word; i++)
        if (!verb || verb == &cli_verbs[i]) {
            say_verb(to, &cli_verbs[i], verb ? 0 : 41);
            if (verb) say_flags(to, verb->flags);
        }
    if (verb && verb->assigns) fputs("    section.key=value    overrides a key; null removes it\n", to);
    if (verb && verb->run == cli_data_import) say_formats(to);
    if (!verb) fputs("with any verb:\n", to), say_flags(to, cli_everywhere);
}

void cli_version(FILE *to) {
    fprintf(to, "gnomon %s, %s\n", GN_VERSION,
#ifdef __clang__
            "clang " __clang_version__
#else
            "gcc " __VERSION__
#endif
    );
}

static gn_status command(int argc, char **argv, cli_command *c) {
    GN_TRY(cli_parse(argc, argv, c));
    if (cli_given(c, "version")) return cli_version(stdout), GN_OK;
    if (cli_given(c, "help")) return cli_help(stdout, c->verb), GN_OK;
    if (!c->verb) {
        cli_help(stderr, NULL);
        GN_FAIL(BAD_USAGE, "no verb");
    }
    gn_log_quiet(cli_given(c, "quiet") != NULL);
    GN_TRY(c->verb->run(c));
    if (fflush(stdout) || ferror(stdout)) GN_FAIL(IO, "standard output: cannot write");
    return GN_OK;
}

int cli_main(int argc, char **argv) {
    cli_command c = { .arena = gn_arena_new("run") };
    gn_status status = command(argc, argv, &c);
    if (status) {
        gn_progress_end();
        if (status != GN_BAD_CONFIG) fputs("gnomon: ", stderr); /* those begin with their own place */
        gn_trail_print(stderr, cli_given(&c, "trace") != NULL);
    }
    gn_arena_free(c.arena);
    return gn_exit_code(status);
}
