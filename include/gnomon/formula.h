/* formula.h - the dialect that gcc, clang and nvcc all read.
 *
 * A formula is a pure function of numbers, written once. It is compiled in float for the
 * CPU loop and for the kernel, and in double for the tests: say GN_REAL double first, then
 * include the formula. sqrt(x) is float in float code and double in double code. */
#ifndef GN_FORMULA_H
#define GN_FORMULA_H
#include <stdint.h>

#ifdef __CUDACC__
#include <math.h> /* overloads: sqrt(float) is a float */
#define GN_FN static __host__ __device__ __forceinline__
#elif defined(__cplusplus)
#include <math.h> /* not <cmath>, which leaves the global sqrt(float) a double */
#define GN_FN static inline
#else
#include <tgmath.h> /* type-generic: the same spelling, the same type */
#define GN_FN static inline
#endif

#ifndef GN_REAL
#define GN_REAL float
#endif
typedef GN_REAL gn_real;
#define GN_R(x) ((gn_real)(x))
#define GN_PI 3.14159265358979323846

GN_FN gn_real gn_sq(gn_real x) { return x * x; }

GN_FN gn_real gn_clamp(gn_real x, gn_real least, gn_real most) {
    return x < least ? least : x > most ? most : x;
}

/* 1 / (1 + e^-x), for any x. */
GN_FN gn_real gn_sigmoid(gn_real x) {
    gn_real e = exp(-fabs(x));
    return (x < GN_R(0) ? e : GN_R(1)) / (GN_R(1) + e);
}

/* ln(1 + e^x), for any x. */
GN_FN gn_real gn_softplus(gn_real x) { return fmax(x, GN_R(0)) + log1p(exp(-fabs(x))); }

/* x^2/2 up to the knee, then a line of slope `knee`. */
GN_FN gn_real gn_huber(gn_real x, gn_real knee) {
    gn_real a = fabs(x);
    return a <= knee ? GN_R(0.5) * x * x : knee * (a - GN_R(0.5) * knee);
}
GN_FN gn_real gn_huber_slope(gn_real x, gn_real knee) { return gn_clamp(x, -knee, knee); }
#endif
