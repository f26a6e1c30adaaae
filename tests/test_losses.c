/* test_losses.c - the losses as they are trained with, in float: a NaN is never swallowed, maps of full size keep
 * their sums, and labels packed into one block say the same elsewhere. */
#include "loss_rig.h"
#include <stdlib.h>

#define FULL 64

/* Whatever the options, a prediction that is no number makes a loss that is none, where there are terms. */
static void not_a_number(void **state) {
    (void)state;
    static fixture f;
    for (const gn_loss *const *l = gn_losses; *l; l++)
        for (int pick = 0; pick < draw_option_sets((*l)->options); pick++) {
            int offered = 0;
            for (int i = 0; i < 8; i++) {
                draws d = { 60 + (uint64_t)i, 0 };
                f.views = 2;
                draw_group(&d, &gn_mpii16, SIDE, 2, 2, f.store, f.y);
                for (int v = 0; v < 2; v++) f.y[v].has &= ~(uint32_t)(GN_HAS_depth & ~(*l)->needs);
                bind(&f, i % 2 ? &d : NULL, *l, pick, (*l)->least);
                for (int64_t n = 0; n < f.count[0]; n++) f.x[0][n] = NAN;
                if ((*l)->terms(f.options, f.y, (*l)->views, f.out) == 0) continue;
                offered++;
                if (!isnan(run(&f, 1))) fail_msg("%s, options %d: NaN became %g", (*l)->name, pick, f.value);
            }
            if (!offered) fail_msg("%s, options %d: no term in 8 groups", (*l)->name, pick);
        }
}

/* A softmax and its target both add up to 1, so the pulls on a map add up to 0. */
static void entropy_balance(void **state) {
    (void)state;
    static gn_real x[16 * FULL * FULL], slope[16 * FULL * FULL];
    static draw_store store;
    gn_labels y;
    draws d = { 70, 0 };
    draw_group(&d, &gn_mpii16, 256, 1, 2, &store, &y);
    for (int i = 0; i < 16 * FULL * FULL; i++) x[i] = (gn_real)draw_normal(&d, 4);
    const gn_loss *l = gn_loss_find("heatmap");
    char options[64];
    draw_options(NULL, l->options, 1, options);
    gn_tensor out = { GN_TYPE_REAL, 16, { 4, { 1, 16, FULL, FULL } }, x }, d_out = out;
    d_out.data = slope;
    double value;
    gn_loss_call c = { .options = options, .samples = 1, .views = 1, .labels = &y, .outputs = 1, .out = &out,
                       .d_out = &d_out, .scale = 1, .value = &value };
    OK(l->run(&c));
    assert_true(isfinite(value) && value > 0);
    for (int64_t j = 0; j < 16; j++) {
        double sum = 0, size = 0;
        for (int64_t p = 0; p < FULL * FULL; p++) {
            double s = (double)slope[gn_at(&out, 0, j, p / FULL, p % FULL)];
            sum += s;
            size += fabs(s);
        }
        NEAR(sum, 0, 2e-6);
        assert_true(store.labelled2d[j] ? size > 0.1 && size < 2.00001 : size == 0);
    }
}

static int within(const void *p, const void *block, size_t bytes) {
    return (uintptr_t)p >= (uintptr_t)block && (uintptr_t)p < (uintptr_t)block + bytes;
}

/* Packed in one place for another, where all that labels lead to is found once the first is gone. */
static void packed(void **state) {
    (void)state;
    static fixture f;
    for (int i = 0; i < 2; i++) {
        const gn_skeleton *s = i ? &gn_h36m17 : &gn_mpii16;
        const size_t bytes = gn_labels_pack_bytes(s, 2, DRAW_PAIRS);
        char *first = aligned_alloc(16, bytes), *there = aligned_alloc(16, bytes);
        for (const gn_loss *const *l = gn_losses; *l; l++) {
            draws d = { 80 + (uint64_t)i, 0 };
            f.views = 2;
            draw_group(&d, s, SIDE, 2, 2, f.store, f.y);
            f.y[1].has &= ~(uint32_t)GN_HAS_head_size;
            f.y[1].head_size = NULL;
            f.y[1].P = DRAW_PAIRS - i;
            bind(&f, &d, *l, 0, (*l)->least);
            predict(&f, &d);
            const double value = run(&f, 1);
            gn_labels_pack(f.y, 2, DRAW_PAIRS, first, there);
            memcpy(there, first, bytes);
            memset(first, 0xff, bytes);
            memset(f.store, 0xff, sizeof f.store);
            memcpy(f.y, there, 2 * sizeof *f.y);
            assert_null(f.y[1].head_size);
            assert_true(run(&f, 1) == value);
        }
        const gn_skeleton *k = f.y[1].skeleton;
        assert_true(within(k, there, bytes) && k->root == s->root && !strcmp(k->name, s->name));
        for (int j = 0; j < s->joints; j++) {
            assert_true(within(k->joint[j], there, bytes) && k->mirror[j] == s->mirror[j]);
            assert_int_equal(gn_joint_find(k, s->joint[j]), j);
            assert_int_equal(gn_joint_parent(k, j), gn_joint_parent(s, j));
        }
        for (int e = 0; e < s->bones; e++) assert_true(k->bone[e].mean_mm == s->bone[e].mean_mm);
        int end = 0;
        do assert_int_equal(k->limb_end[end], s->limb_end[end]);
        while (s->limb_end[end++] >= 0);
        assert_true(within(k->bone, there, bytes) && within(k->limb_end + end - 1, there, bytes));
        free(first), free(there);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(not_a_number),
        cmocka_unit_test(entropy_balance),
        cmocka_unit_test(packed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
