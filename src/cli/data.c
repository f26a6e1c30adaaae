/* data.c - shards made, checked, listed. */
#include "src/cli/verbs.h"
#include "gnomon/import.h"
#include "gnomon/log.h"
#include <string.h>

/* What the experiment, or the options on the command line, say of the puppets. */
typedef struct { const char *root; gn_puppet_options options; gn_pool *pool; } maker;

static gn_status make(const maker *m, const char *set) {
    gn_log("%s: %lld + %lld pictures of %d x %d below %s", set, (long long)m->options.train, (long long)m->options.valid,
           m->options.size, m->options.size, m->root);
    return gn_puppet_make(m->root, set, &m->options, m->pool);
}

static gn_status make_named(const cli_command *c, maker *m) {
    const char *name = c->arg[0];
    gn_yaml *tree;
    GN_TRY(gn_yaml_parse(c->arena, "command line", "{}", 2, &tree));
    for (int i = 0; i < c->n_assign; i++) GN_TRY(gn_yaml_override(c->arena, tree, c->assign[i]));
    GN_TRY(gn_config_bind(c->arena, tree, gn_puppet_options_rows, &m->options));
    m->root = cli_given_or(c, "root", "data");
    m->options.motion = cli_given_or(c, "motion", m->options.motion);
    int all = !strcmp(name, "puppet"), made = 0, n = 0;
    const char *known[64];
    for (int i = 0; gn_datasets[i] && n < 63; i++) {
        if (!gn_datasets[i]->made) continue;
        known[n++] = gn_datasets[i]->name;
        if (!all && strcmp(name, gn_datasets[i]->name)) continue;
        GN_TRY(make(m, gn_datasets[i]->name));
        made++;
    }
    known[n++] = "puppet";
    const char *near = made ? NULL : gn_nearest(name, n, known);
    if (!made)
        GN_FAIL(BAD_USAGE, "'%s': neither a .yaml experiment nor a set that can be made%s%s%s", gn_shown(name),
                near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    return GN_OK;
}

static gn_status make_experiment(const cli_command *c, maker *m) {
    gn_experiment e;
    GN_TRY(gn_experiment_read(c->arena, c->arg[0], c->n_assign, c->assign, &e));
    m->options = e.data.puppet;
    m->root = cli_given_or(c, "root", e.data.root);
    m->options.motion = cli_given_or(c, "motion", m->options.motion);
    for (int i = 0; gn_datasets[i]; i++) {
        int named = 0;
        for (int s = 0; s < e.n_stage; s++)
            for (int valid = 0; valid < 2; valid++) {
                const gn_texts *t = valid ? &e.stage[s].data.valid : &e.stage[s].data.train;
                for (int k = 0; k < t->n; k++) named |= !strcmp(t->item[k], gn_datasets[i]->name);
            }
        if (named && gn_datasets[i]->made) GN_TRY(make(m, gn_datasets[i]->name));
    }
    return GN_OK;
}

gn_status cli_data_make(const cli_command *c) {
    maker m = { 0 };
    size_t n = strlen(c->arg[0]);
    GN_TRY(gn_pool_open(c->arena, 0, &m.pool));
    if (n > 5 && !strcmp(c->arg[0] + n - 5, ".yaml")) return make_experiment(c, &m);
    return make_named(c, &m);
}

gn_status cli_data_import(const cli_command *c) {
    static const char *const kinds[] = { "raw", "jpeg", "none" };
    gn_import from = { .format = c->arg[0], .source = c->arg[1], .out = cli_given(c, "out"), .pictures = cli_given(c, "pictures") };
    const char *keep = cli_given_or(c, "keep", "raw");
    int every, seconds, megabytes;
    if (!from.out) GN_FAIL(BAD_USAGE, "data import wants --out DIR");
    while (from.keep < 3 && strcmp(kinds[from.keep], keep)) from.keep++;
    if (from.keep == 3) GN_FAIL(BAD_USAGE, "--keep: expected raw, jpeg or none, found '%s'", gn_shown(keep));
    GN_TRY(cli_given_count(c, "size", 256, 16, 2048, &from.size));
    GN_TRY(cli_given_count(c, "every", 1, 1, 1 << 30, &every));
    GN_TRY(cli_given_count(c, "seconds", 86400, 1, 1 << 30, &seconds));
    GN_TRY(cli_given_count(c, "memory", 16384, 64, 1 << 30, &megabytes));
    from.every = every;
    from.skip_missing = cli_given(c, "skip-missing") != NULL;
    from.seconds = seconds;
    from.memory = (int64_t)megabytes << 20;
    return gn_import_run(stdout, &from, c->arena);
}

gn_status cli_data_verify(const cli_command *c) {
    gn_status status = GN_OK;
    gn_trail trail = { 0 };
    for (int i = 0; i < c->n; i++) { /* all are looked at; the first that is not sound is told */
        const gn_status one = gn_data_verify(stdout, cli_given_or(c, "root", "data"), c->arg[i], c->arena);
        if (one && !status) status = one, gn_trail_keep(&trail);
        gn_trail_clear();
    }
    if (!status) return GN_OK;
    gn_trail_restore(&trail);
    return gn_pass(status, __FILE__, __LINE__);
}

gn_status cli_data_ls(const cli_command *c) {
    const char *root = cli_given_or(c, "root", "data");
    if (!c->n) return gn_data_list(stdout, root, c->arena);
    for (int i = 0; i < c->n; i++) GN_TRY(gn_data_list_one(stdout, root, c->arg[i], c->arena));
    return GN_OK;
}
