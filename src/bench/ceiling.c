/* ceiling.c - what this machine can do at most: multiply-adds from registers, and bytes copied from memory.
 * A GPU measures its own: kernels/cuda/ceiling.cu. */
#include "gnomon/bench.h"
#include <math.h>
#include <string.h>
#ifdef __AVX512BF16__
#include <immintrin.h>
#endif

typedef float lanes __attribute__((vector_size(64)));
enum { CHAINS = 12, ROUNDS = 400000, TRIES = 5, COPY = 64 << 20 };

typedef struct {
    double flop_s, bf16_s, bytes_s;
    unsigned char *from, *to;
    float sink;
} share;
typedef struct {
    share *of; /* one a worker */
} all;

/* Twelve independent chains cover the latency of two units; the result is kept so that the work is. */
static float multiply_add(void) {
    lanes x[CHAINS], a, b;
    for (int k = 0; k < 16; k++) a[k] = 0.999f, b[k] = 1e-3f;
    for (int i = 0; i < CHAINS; i++)
        for (int k = 0; k < 16; k++) x[i][k] = (float)(i + k);
    for (int r = 0; r < ROUNDS; r++)
        for (int i = 0; i < CHAINS; i++) x[i] = x[i] * a + b;
    float sum = 0;
    for (int i = 0; i < CHAINS; i++)
        for (int k = 0; k < 16; k++) sum += x[i][k];
    return sum;
}

/* The same in bf16; 0 where the processor does not multiply it. */
static float multiply_add_pairs(int *flop) {
#ifdef __AVX512BF16__
    __m512 x[CHAINS];
    __m512bh a = (__m512bh)_mm512_set1_epi16(0x3f00), b = (__m512bh)_mm512_set1_epi16(0x3f00);
    for (int i = 0; i < CHAINS; i++) x[i] = _mm512_setzero_ps();
    for (int r = 0; r < ROUNDS; r++)
        for (int i = 0; i < CHAINS; i++) x[i] = _mm512_dpbf16_ps(x[i], a, b);
    __m512 sum = x[0];
    for (int i = 1; i < CHAINS; i++) sum = _mm512_add_ps(sum, x[i]);
    *flop = 4 * 16;
    return _mm512_reduce_add_ps(sum);
#else
    *flop = 0;
    return 0;
#endif
}

static gn_status measure(void *what, int worker, int workers) {
    (void)workers;
    share *s = &((all *)what)->of[worker];
    for (int t = 0; t < TRIES; t++) {
        double start = gn_seconds();
        s->sink += multiply_add();
        double rate = 2.0 * 16 * CHAINS * ROUNDS / (gn_seconds() - start);
        if (rate > s->flop_s) s->flop_s = rate;

        int flop;
        start = gn_seconds();
        s->sink += multiply_add_pairs(&flop);
        rate = (double)flop * CHAINS * ROUNDS / (gn_seconds() - start);
        if (rate > s->bf16_s) s->bf16_s = rate;

        start = gn_seconds();
        memcpy(s->to, s->from, COPY);
        rate = 2.0 * COPY / (gn_seconds() - start);
        if (t && rate > s->bytes_s) s->bytes_s = rate;
    }
    return GN_OK;
}

gn_status gn_ceiling_measure(gn_pool *pool, gn_device *d, gn_arena *a, gn_ceiling *c) {
    if (d) return gn_device_ceiling(d, &c->flop_s, &c->bf16_s, &c->bytes_s);
    int workers = gn_pool_workers(pool);
    all shares;
    GN_TAKE(shares.of, a, workers);
    for (int i = 0; i < workers; i++) {
        GN_TAKE(shares.of[i].from, a, COPY);
        GN_TAKE(shares.of[i].to, a, COPY);
    }
    GN_TRY(gn_pool_run(pool, measure, &shares));
    *c = (gn_ceiling){ 0 };
    for (int i = 0; i < workers; i++) {
        c->flop_s += shares.of[i].flop_s;
        c->bf16_s += fmax(shares.of[i].bf16_s, shares.of[i].flop_s);
        c->bytes_s += shares.of[i].bytes_s;
    }
    return GN_OK;
}
