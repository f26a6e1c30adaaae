/* test_parity_learn.c - optimizers on a GPU: ten captured steps beside the CPU's, refusals, sums of shards. */
#include "formula/bf16.h"
#include "gnomon/config.h"
#include "on_gpu.h"
#include "gnomon/optimizer.h"
#include "near.h"
#include <string.h>

enum { STEPS = 10 };

#ifdef GN_EMULATED
void gn_emulate_order(int backwards);
#endif

static uint64_t dice;
static gn_real draw(void) { /* uniform in [-1, 1] */
    dice = dice * 6364136223846793005u + 1442695040888963407u;
    return (gn_real)((double)(int64_t)(dice >> 11) / (double)(1ll << 52) - 1);
}

typedef struct {
    const char *name, *options;
    int64_t trained, frozen;
    int ema, narrow;
    double clip; /* times the norm that a large gradient has */
} lesson;

typedef struct {
    const lesson *as;
    gn_arena *a;
    gn_device *d;
    const gn_optimizer *o;
    void *options;
    int64_t elements;
    gn_real *w, *g, *ema, *state[GN_OPTIMIZER_STATES]; /* the CPU's */
    gn_learn_gpu gpu;
    gn_real *gpu_g;
    gn_pace *pace;
    gn_replay *step;
} pupil;

static void *device(pupil *s, const void *from, size_t bytes) {
    void *p;
    OK(gn_device_reserve(s->d, bytes, &p));
    OK(gn_device_upload(s->d, p, from, bytes));
    OK(gn_device_wait(s->d));
    return p;
}
static void *here(pupil *s, const void *from, size_t bytes) {
    void *p = gn_arena_take(s->a, bytes + 1);
    OK(gn_device_download(s->d, p, from, bytes));
    OK(gn_device_wait(s->d));
    return p;
}
static gn_real *numbers(pupil *s, int64_t n) {
    gn_real *x = gn_arena_take(s->a, sizeof *x * (size_t)(n + 1));
    for (int64_t i = 0; i < n; i++) x[i] = draw();
    return x;
}

static void open(pupil *s, const lesson *as) {
    *s = (pupil){ .as = as, .a = gn_arena_new("pupil"), .o = gn_optimizer_find(as->name), .elements = as->trained + as->frozen };
    const size_t all = sizeof(gn_real) * (size_t)s->elements, learning = sizeof(gn_real) * (size_t)as->trained;
    gn_yaml *tree;
    dice = (uint64_t)s->elements * 77 + 5;
    OK(gn_device_open(s->a, 0, &s->d));
    OK(gn_yaml_parse(s->a, "test", as->options, strlen(as->options), &tree));
    s->options = gn_arena_take(s->a, s->o->bytes);
    OK(gn_config_bind(s->a, tree, s->o->options, s->options));
    s->w = numbers(s, s->elements), s->ema = numbers(s, s->elements), s->g = numbers(s, as->trained);
    s->gpu_g = device(s, s->g, learning);
    s->pace = device(s, &(gn_pace){ .rate = (gn_real)NAN }, sizeof(gn_pace));
    s->gpu = (gn_learn_gpu){ .w = device(s, s->w, all), .g = s->gpu_g, .trained = as->trained, .elements = s->elements,
                             .pace = s->pace, .ema_decay = 0.9 };
    s->gpu.clip = as->clip * sqrt((double)as->trained / 3);
    if (as->ema) s->gpu.ema = device(s, s->ema, all);
    if (as->narrow) OK(gn_device_reserve(s->d, 2 * (size_t)s->elements, (void **)&s->gpu.narrow));
    for (int k = 0; k < s->o->states; k++) {
        s->state[k] = gn_arena_take(s->a, learning + 1);
        OK(gn_device_reserve(s->d, learning, (void **)&s->gpu.state[k]));
    }
    OK(gn_device_reserve(s->d, gn_learn_gpu_parts(as->trained), (void **)&s->gpu.parts));
    OK(gn_device_reserve(s->d, sizeof(float), (void **)&s->gpu.norm));
    OK(gn_device_wait(s->d));
    OK(gn_device_capture(s->d));
    OK(gn_learn_cuda(s->o, &s->gpu, gn_device_stream(s->d)));
    OK(gn_device_captured(s->d, &s->step));
}
static void close(pupil *s) { gn_arena_free(s->a); }

/* What the GPU says of the norm after step t along s->g. */
static double step(pupil *s, int64_t t, double rate) {
    gn_pace p;
    s->o->pace(s->options, t, rate, &p);
    OK(gn_device_upload(s->d, s->gpu_g, s->g, sizeof(gn_real) * (size_t)s->as->trained));
    OK(gn_device_upload(s->d, s->pace, &p, sizeof p));
    OK(gn_device_replay(s->d, s->step));
    return (double)*(float *)here(s, s->gpu.norm, sizeof(float));
}

static double step_here(pupil *s, int64_t t, double rate) {
    const double norm = sqrt(gn_sum_squares(s->g, 0, s->as->trained));
    gn_learn l = { .t = t, .rate = rate, .to = s->as->trained, .w = s->w, .g = s->g, .state = s->state,
                   .gradient_scale = s->gpu.clip > 0 && norm > s->gpu.clip ? s->gpu.clip / norm : 1 };
    s->o->run(s->options, &l);
    gn_ema_run(s->gpu.ema_decay, 0, s->elements, s->w, s->ema);
    return norm;
}

static void near(pupil *s, const char *what, const gn_real *gpu, const gn_real *cpu, int64_t n) {
    const gn_real *got = here(s, gpu, sizeof *got * (size_t)n);
    double most = 0, off = 0;
    for (int64_t i = 0; i < n; i++) {
        const double d = fabs((double)got[i] - (double)cpu[i]);
        most = fmax(most, fabs((double)cpu[i]));
        if (!(d <= off)) off = d;
    }
    if (!(off <= 1e-5 * most))
        fail_msg("%s %s, %lld and %lld: %s off by %g, largest %g", s->as->name, s->as->options, (long long)s->as->trained,
                 (long long)s->as->frozen, what, off, most);
}

static void narrow_is(const uint16_t *narrow, const gn_real *w, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        const int nan = isnan(w[i]) && isnan(gn_bf16_read(narrow[i])); /* whose bits are the machine's own */
        if (!nan && narrow[i] != gn_bf16_write(w[i])) fail_msg("%lld: %g is not %04x", (long long)i, (double)w[i], narrow[i]);
    }
}

static void follow(const lesson *as) {
    pupil s;
    open(&s, as);
    for (int t = 1; t <= STEPS; t++) {
        const double rate = 0.01 / t;
        for (int64_t i = 0; i < as->trained; i++) s.g[i] = draw() * (t % 3 ? 1 : (gn_real)0.01);
        const double norm = step(&s, t, rate), norm_here = step_here(&s, t, rate);
        NEAR_REL(norm, norm_here, 1e-5, 0);
    }
    near(&s, "weights", s.gpu.w, s.w, s.elements);
    for (int k = 0; k < s.o->states; k++) near(&s, "state", s.gpu.state[k], s.state[k], as->trained);
    if (as->ema) near(&s, "ema", s.gpu.ema, s.ema, s.elements);
    if (as->narrow)
        narrow_is(here(&s, s.gpu.narrow, 2 * (size_t)s.elements), here(&s, s.gpu.w, sizeof(gn_real) * (size_t)s.elements),
                  s.elements);
    close(&s);
}

/* The running mean takes in everybody; what is frozen has no gradient, and no state. */
static void each_is_the_loop(void **state) {
    (void)state;
    static const char *const way[][2] = {
        { "sgd", "{decay: 0}" },      { "sgd", "{nesterov: true}" },
        { "sgd", "{decay: 0.1}" },    { "sgd", "{nesterov: true, decay: 0.1}" },
        { "rmsprop", "{decay: 0}" },  { "rmsprop", "{decay: 0.1}" },
        { "adam", "{decay: 0}" },     { "adam", "{decay: 0.1}" },
        { "adamw", "{decay: 0}" },    { "adamw", "{decay: 0.1}" },
    };
    static const int64_t count[] = { 33, 1, 7, 4096 + 5 };
    static const lesson form[] = {
        { .frozen = 0 },
        { .frozen = 37, .ema = 1, .narrow = 1, .clip = 0.3 },
        { .frozen = 4099, .narrow = 1 },
        { .frozen = 3, .ema = 1, .clip = 0.3 },
    };
    for (size_t k = 0; k < sizeof way / sizeof *way; k++)
        for (int n = 0; n < cases(4, 1); n++)
            for (int f = 0; f < cases(4, 2); f++) {
                lesson as = form[f];
                as.name = way[k][0], as.options = way[k][1], as.trained = count[n];
                follow(&as);
            }
    follow(&(lesson){ "adam", "{}", 0, 41, 1, 1, 0 }); /* all frozen */
    follow(&(lesson){ "adam", "{}", 0, 41, 0, 0, 0 });
}

/* More than the blocks of the norm take in one sweep. */
static void a_long_sum(void **state) {
    (void)state;
    pupil s;
    open(&s, &(lesson){ "rmsprop", "{}", (1 << 21) + 2045, 0, 0, 0, 0.5 });
    NEAR_REL(step(&s, 1, 0.01), step_here(&s, 1, 0.01), 1e-5, 0);
    near(&s, "weights", s.gpu.w, s.w, s.elements);
    close(&s);
}

static void nobody_moves_without_a_norm(void **state) {
    (void)state;
    static const double bad[] = { (double)NAN, (double)INFINITY, -(double)INFINITY, 1e30 /* its square is no float */ };
    static const char *const name[] = { "sgd", "rmsprop", "adam" };
    for (int k = 0; k < cases(4 * 3, 1); k++)
        for (int clip = 0; clip < 2; clip++) {
            pupil s;
            open(&s, &(lesson){ name[k / 4], "{decay: 0.1}", 33, 9, 1, 1, 0.3 * clip });
            step(&s, 1, 0.01);
            const size_t bytes = sizeof(gn_real) * 42;
            const void *w = here(&s, s.gpu.w, bytes), *ema = here(&s, s.gpu.ema, bytes), *narrow = here(&s, s.gpu.narrow, 2 * 42);
            const void *first = here(&s, s.gpu.state[0], sizeof(gn_real) * 33);
            const gn_real was = s.g[19];
            s.g[19] = (gn_real)bad[k % 4];
            assert_true(!isfinite(step(&s, 2, 0.01)));
            assert_memory_equal(here(&s, s.gpu.w, bytes), w, bytes);
            assert_memory_equal(here(&s, s.gpu.ema, bytes), ema, bytes);
            assert_memory_equal(here(&s, s.gpu.narrow, 2 * 42), narrow, 2 * 42);
            assert_memory_equal(here(&s, s.gpu.state[0], sizeof(gn_real) * 33), first, sizeof(gn_real) * 33);
            s.g[19] = was;
            assert_false(!isfinite(step(&s, 2, 0.01)));
            assert_memory_not_equal(here(&s, s.gpu.w, bytes), w, bytes);
            close(&s);
        }
}

static void weights_in_bf16(void **state) {
    (void)state;
    static const int64_t count[] = { 1, 7, 8, 33, 4096 + 5 };
    static const float odd[] = { NAN, INFINITY, -INFINITY, -0.0f, 1.00390625f, 1.01171875f, 3.4e38f, 1e-40f }; /* ties, ends */
    for (size_t k = 0; k < 5; k++) {
        const int64_t n = count[k];
        pupil s = { .a = gn_arena_new("pupil") };
        uint16_t *narrow;
        OK(gn_device_open(s.a, 0, &s.d));
        gn_real *w = numbers(&s, n);
        for (int64_t i = 0; i < 8 && i < n; i++) w[n - 1 - i] = (gn_real)odd[i];
        OK(gn_device_reserve(s.d, 2 * (size_t)n, (void **)&narrow));
        OK(gn_narrow_cuda(device(&s, w, sizeof *w * (size_t)n), n, narrow, gn_device_stream(s.d)));
        narrow_is(here(&s, narrow, 2 * (size_t)n), w, n);
        close(&s);
    }
}

/* src/graph/run.c's tree: halves at the largest power of two */
static gn_real tree(const gn_real *x, int64_t step, int n) {
    int left = 1;
    if (n == 1) return *x;
    while (2 * left < n) left *= 2;
    return tree(x, step, left) + tree(x + left * step, step, n - left);
}

static void shards_to_the_bit(void **state) {
    (void)state;
    static const int shards[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 17, 31, 40, 129, 255, 256 };
    static const int64_t count[] = { 1, 33, 1029 };
    for (int k = 0; k < cases(sizeof shards / sizeof *shards, 5); k++)
        for (int c = 0; c < cases(3, 2); c++) {
            const int64_t n = count[c];
            pupil s = { .a = gn_arena_new("pupil") };
            OK(gn_device_open(s.a, 0, &s.d));
            gn_real *x = numbers(&s, n * shards[k]);
            for (int i = 0; i < shards[k]; i++) x[i * n] = -0.0f; /* zeros keep their sign */
            gn_real *gpu = device(&s, x, sizeof *x * (size_t)(n * shards[k]));
            OK(gn_shards_sum_cuda(gpu, n, n, shards[k], gpu, gn_device_stream(s.d)));
            const gn_real *got = here(&s, gpu, sizeof *x * (size_t)n);
            for (int64_t i = 0; i < n; i++) {
                const gn_real want = tree(x + i, n, shards[k]);
                if (memcmp(&got[i], &want, sizeof want))
                    fail_msg("%d shards, element %lld: %.9g, not %.9g", shards[k], (long long)i, (double)got[i], (double)want);
            }
            FAILS(gn_shards_sum_cuda(gpu, n, n, 257, gpu, gn_device_stream(s.d)), INTERNAL);
            close(&s);
        }
}

int main(void) {
    if (no_gpu()) return SKIP_EXIT;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_the_loop),
        cmocka_unit_test(a_long_sum),
        cmocka_unit_test(nobody_moves_without_a_norm),
        cmocka_unit_test(weights_in_bf16),
        cmocka_unit_test(shards_to_the_bit),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
#ifdef GN_EMULATED
    gn_emulate_order(1);
    failed += cmocka_run_group_tests(tests, NULL, NULL);
#endif
    return failed;
}
