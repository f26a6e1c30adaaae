/* near.h - cmocka, and comparisons written so that NaN fails. */
#ifndef NEAR_H
#define NEAR_H
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define NEAR(a, b, tol)                                                                            \
    do {                                                                                           \
        double near_a = (double)(a), near_b = (double)(b), near_t = (double)(tol);                 \
        if (!(fabs(near_a - near_b) <= near_t))                                                    \
            fail_msg("%s = %.12g, expected %s = %.12g within %.3g", #a, near_a, #b, near_b, near_t); \
    } while (0)
/* relative to the larger magnitude, but never finer than `tol` of `unit` */
#define NEAR_REL(a, b, tol, unit)                                                                  \
    NEAR(a, b, (tol) * fmax((double)(unit), fmax(fabs((double)(a)), fabs((double)(b)))))
/* a call that must succeed; prints the reason when it does not */
#define OK(call)                                                                                   \
    do {                                                                                           \
        gn_status ok_ = (call);                                                                    \
        if (ok_) fail_msg("%s: %s: %s", #call, gn_status_text(ok_), gn_reason());                  \
    } while (0)
#define FAILS(call, code) assert_int_equal((call), GN_##code)
/* gcc says so by a macro, clang by a feature. The sanitizer's allocator stands where a test would count. */
#if defined __SANITIZE_ADDRESS__
#define SANITIZED 1
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#define SKIP_EXIT 77 /* "cannot run here": shown as skipped, never as passed */
/* CMOCKA_TEST_FILTER=pattern runs the tests of such names alone. */
__attribute__((constructor)) static void near_filter(void) { cmocka_set_test_filter(getenv("CMOCKA_TEST_FILTER")); }
#endif
