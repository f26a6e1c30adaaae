/* bench.c - this machine's numbers. */
#include "src/cli/verbs.h"

gn_status cli_bench_loader(const cli_command *c) {
    gn_loader_rates r;
    int threads;
    GN_TRY(cli_given_count(c, "threads", 1, 1, 256, &threads));
    GN_TRY(gn_loader_bench(c->arena, c->n ? c->arg[0] : NULL, threads, &r));
    double floor = r.copy / r.bytes;
    printf("samples        %lld of %.0f bytes, read at random by %d thread%s\n", (long long)r.samples, r.bytes, threads, threads == 1 ? "" : "s");
    printf("first touch    %.0f samples/s a thread, hashed\n", r.first);
    printf("touched        %.0f samples/s a thread, %.2f GB/s\n", r.again, r.again * r.bytes * 1e-9);
    printf("floor          %.0f samples/s, a plain copy at %.2f GB/s; reached %.2f of it\n", floor, r.copy * 1e-9, r.again / floor);
    return GN_OK;
}
