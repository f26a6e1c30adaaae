/* bench.c - this machine's numbers. */
#include "src/cli/verbs.h"
#include "gnomon/bench.h"
#include <string.h>

static void say_raw(const gn_loader_rates *r, int threads) {
    const double floor = r->copy / r->bytes;
    printf("samples        %lld of %.0f bytes, read at random by %d thread%s\n", (long long)r->samples, r->bytes, threads, threads == 1 ? "" : "s");
    printf("first touch    %.0f samples/s a thread, hashed\n", r->first);
    printf("touched        %.0f samples/s a thread, %.2f GB/s\n", r->again, r->again * r->bytes * 1e-9);
    printf("floor          %.0f samples/s, a plain copy at %.2f GB/s; reached %.2f of it\n", floor, r->copy * 1e-9, r->again / floor);
}

static void say(const gn_loader_rates *r, int threads, int mode) {
    if (mode == GN_LOADER_RAW) say_raw(r, threads);
    if (mode == GN_LOADER_AFFINE)
        printf("affine         %.0f samples/s by %d thread%s: %lld turned, scaled and coloured to 256x256 floats\n", r->affine, threads,
               threads == 1 ? "" : "s", (long long)r->samples);
    if (mode == GN_LOADER_JPEG)
        printf("jpeg           %.0f pictures/s a thread, %lld of %.0f bytes by %d thread%s; turbojpeg alone %.0f, reached %.3f of it\n", r->decoded,
               (long long)r->samples, r->bytes, threads, threads == 1 ? "" : "s", r->alone, r->decoded / r->alone);
}

gn_status cli_bench_loader(const cli_command *c) {
    static const char *const modes[] = { "raw", "affine", "jpeg" };
    const char *word = cli_given_or(c, "mode", "raw");
    gn_loader_rates r;
    int threads, mode = 0;
    GN_TRY(cli_given_count(c, "threads", 1, 1, 256, &threads));
    while (mode < 3 && strcmp(word, modes[mode])) mode++;
    if (mode == 3) GN_FAIL(BAD_USAGE, "--mode '%s': expected raw, affine or jpeg", word);
    GN_TRY(gn_loader_bench(c->arena, c->n ? c->arg[0] : NULL, threads, mode, &r));
    say(&r, threads, mode);
    return GN_OK;
}

typedef gn_status bench_fn(FILE *to, const gn_bench_options *o, gn_arena *a);

static gn_status bench(const cli_command *c, bench_fn *run) {
    gn_bench_options o = { 0 };
    gn_yaml *tree;
    GN_TRY(gn_yaml_parse(c->arena, "command line", "{}", 2, &tree));
    for (int i = 0; i < c->n_assign; i++) GN_TRY(gn_yaml_override(c->arena, tree, c->assign[i]));
    GN_TRY(gn_config_bind(c->arena, tree, gn_bench_rows, &o));
    return run(stdout, &o, c->arena);
}

gn_status cli_bench_step(const cli_command *c) { return bench(c, gn_bench_step); }
gn_status cli_bench_op(const cli_command *c) { return bench(c, gn_bench_op); }
gn_status cli_profile(const cli_command *c) {
    gn_experiment e;
    int steps;
    GN_TRY(cli_given_count(c, "steps", 5, 1, 1000, &steps));
    GN_TRY(gn_experiment_read(c->arena, c->arg[0], c->n_assign, c->assign, &e));
    GN_TRY(gn_experiment_check(&e, c->arena, NULL));
    return gn_profile(stdout, &e, 3, steps, c->arena);
}

gn_status cli_bench_softargmax(const cli_command *c) { return bench(c, gn_bench_softargmax); }
