/* parse.c - words into a command. The order of verb, flags and arguments does not matter. */
#include "src/cli/cli.h"
#include <stdlib.h>
#include <string.h>

const cli_flag cli_everywhere[] = {
    { "help", NULL, "what a verb takes" },
    { "version", NULL, "what this program is" },
    { "trace", NULL, "with an error: the places in the code" },
    { "quiet", NULL, "warnings and results alone" },
    { NULL, NULL, NULL },
};

typedef struct { int n; const char *word[CLI_MOST]; } words;

static const cli_flag *flag_in(const cli_flag *list, const char *name, size_t n) {
    for (; list && list->name; list++)
        if (!strncmp(list->name, name, n) && !list->name[n]) return list;
    return NULL;
}

/* A flag may stand before its verb, so it is looked for in all; one name is one kind everywhere. */
static const cli_flag *flag_find(const char *name, size_t n) {
    const cli_flag *f = flag_in(cli_everywhere, name, n);
    for (int i = 0; !f && cli_verbs[i].word; i++) f = flag_in(cli_verbs[i].flags, name, n);
    return f;
}

static int know(words *w, const char *word) {
    for (int i = 0; i < w->n; i++)
        if (!strcmp(w->word[i], word)) return 1;
    if (w->n < CLI_MOST) w->word[w->n++] = word;
    return 0;
}

static void know_flags(words *w, const cli_flag *f) {
    for (; f && f->name; f++) know(w, f->name);
}

static gn_status unknown(const char *what, const char *word, const words *known, int list) {
    const char *near = word ? gn_nearest(word, known->n, known->word) : NULL;
    if (near) GN_FAIL(BAD_USAGE, "unknown %s '%s'; did you mean '%s'?", what, gn_shown(word), near);
    if (!list) GN_FAIL(BAD_USAGE, "unknown %s '%s'; see --help", what, gn_shown(word));
    char all[600];
    size_t used = 0;
    for (int i = 0; i < known->n && used < sizeof all; i++)
        used += (size_t)snprintf(all + used, sizeof all - used, " %s", known->word[i]);
    if (!word) GN_FAIL(BAD_USAGE, "%s wants one of%s", what, all);
    GN_FAIL(BAD_USAGE, "unknown %s '%s'; there are%s", what, gn_shown(word), all);
}

static gn_status take_flag(int argc, char **argv, int *i, cli_command *c) {
    const char *word = argv[*i] + 2;
    size_t n = strcspn(word, "=");
    const cli_flag *f = flag_find(word, n);
    if (!f) {
        words known = { 0 };
        const char *name;
        know_flags(&known, cli_everywhere);
        for (int v = 0; cli_verbs[v].word; v++) know_flags(&known, cli_verbs[v].flags);
        GN_TAKE_TEXT(name, c->arena, "%.*s", (int)n, word);
        return unknown("option", name, &known, 0);
    }
    const char *value = "";
    if (f->value && word[n]) value = word + n + 1;
    else if (f->value && *i + 1 < argc) value = argv[++*i];
    else if (f->value) GN_FAIL(BAD_USAGE, "--%s wants %s", f->name, f->value);
    else if (word[n]) GN_FAIL(BAD_USAGE, "--%s takes no value", f->name);
    c->given[c->n_given].flag = f;
    c->given[c->n_given++].value = value;
    return GN_OK;
}

/* section.key=value, but not ./a=b.png */
static int assigns(const char *word) {
    size_t n = strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.");
    return n && word[n] == '=' && *word != '.';
}

static gn_status find_verb(cli_command *c, int n, char **plain, int *used) {
    words known = { 0 };
    int first = 0, second = -1;
    while (first < n && assigns(plain[first])) first++;
    if (first == n) return GN_OK;
    for (int k = first + 1; k < n && second < 0; k++)
        if (!assigns(plain[k])) second = k;
    int group = 0;
    for (int v = 0; cli_verbs[v].word; v++) group |= cli_verbs[v].second && !strcmp(cli_verbs[v].word, plain[first]);
    for (int v = 0; cli_verbs[v].word; v++) {
        const cli_verb *verb = &cli_verbs[v];
        int same = !strcmp(verb->word, plain[first]);
        if (!group) know(&known, verb->word);
        else if (same) know(&known, verb->second);
        if (same && (!verb->second || (second >= 0 && !strcmp(verb->second, plain[second])))) c->verb = verb;
    }
    used[first] = 1;
    if (c->verb && c->verb->second) used[second] = 1;
    if (c->verb) return GN_OK;
    if (!group) return unknown("verb", plain[first], &known, 1);
    if (cli_given(c, "help")) return GN_OK;
    return unknown(plain[first], second < 0 ? NULL : plain[second], &known, 1); /* "data wants one of make verify ls" */
}

static gn_status check_flags(const cli_command *c) {
    for (int i = 0; i < c->n_given; i++) {
        const char *name = c->given[i].flag->name;
        size_t n = strlen(name);
        if (flag_in(cli_everywhere, name, n) || flag_in(c->verb->flags, name, n)) continue;
        words known = { 0 };
        know_flags(&known, c->verb->flags);
        const char *near = gn_nearest(name, known.n, known.word);
        GN_FAIL(BAD_USAGE, "%s%s%s takes no --%s%s%s%s", c->verb->word, c->verb->second ? " " : "",
                c->verb->second ? c->verb->second : "", name, near ? "; did you mean '--" : "", near ? near : "", near ? "'?" : "");
    }
    return GN_OK;
}

gn_status cli_parse(int argc, char **argv, cli_command *c) {
    char *plain[CLI_MOST];
    int used[CLI_MOST] = { 0 }, n = 0, flags_end = 0;
    if (argc > CLI_MOST) GN_FAIL(BAD_USAGE, "%d words; at most %d", argc - 1, CLI_MOST - 1);
    for (int i = 1; i < argc; i++) {
        char *word = argv[i];
        if (!flags_end && !strcmp(word, "--")) flags_end = 1;
        else if (!flags_end && !strncmp(word, "--", 2)) GN_TRY(take_flag(argc, argv, &i, c));
        else if (!flags_end && word[0] == '-' && word[1]) GN_FAIL(BAD_USAGE, "unknown option '%s'; see --help", gn_shown(word));
        else plain[n++] = word;
    }
    GN_TRY(find_verb(c, n, plain, used));
    if (!c->verb || cli_given(c, "help") || cli_given(c, "version")) return GN_OK;
    GN_TRY(check_flags(c));
    for (int i = 0; i < n; i++) {
        if (used[i]) continue;
        if (c->verb->assigns && assigns(plain[i])) c->assign[c->n_assign++] = plain[i];
        else c->arg[c->n++] = plain[i];
    }
    const char *second = c->verb->second;
    if (c->n < c->verb->least)
        GN_FAIL(BAD_USAGE, "%s%s%s wants %s", c->verb->word, second ? " " : "", second ? second : "", c->verb->takes);
    if (c->n > c->verb->most)
        GN_FAIL(BAD_USAGE, "%s%s%s: one argument too many: '%s'", c->verb->word, second ? " " : "", second ? second : "",
                gn_shown(c->arg[c->verb->most]));
    return GN_OK;
}

const char *cli_given(const cli_command *c, const char *flag) {
    const char *value = NULL; /* the last one counts */
    for (int i = 0; i < c->n_given; i++)
        if (!strcmp(c->given[i].flag->name, flag)) value = c->given[i].value;
    return value;
}

const char *cli_given_or(const cli_command *c, const char *flag, const char *otherwise) {
    const char *value = cli_given(c, flag);
    return value ? value : otherwise;
}

gn_status cli_given_count(const cli_command *c, const char *flag, int otherwise, int least, int most, int *n) {
    const char *text = cli_given(c, flag);
    char *end = NULL;
    long x = text ? strtol(text, &end, 10) : otherwise;
    if (text && (!*text || *end || x < least || x > most))
        GN_FAIL(BAD_USAGE, "--%s: expected %d to %d, found '%s'", flag, least, most, gn_shown(text));
    *n = (int)x;
    return GN_OK;
}
