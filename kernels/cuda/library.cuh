// library.cuh - cuBLAS and cuDNN as rivals of our own products (device.impl: library).
//
// Each is loaded when it is first asked for, so that a machine without them runs everything else. Only the products
// are theirs: norm, ReLU, bias, residual and rows of sums stay ours, in passes before and after. cuDNN wants weights
// laid out otherwise, so they are turned into scratch in every run, and their gradients back. `fastest` is our own.
#ifndef GN_LIBRARY_CUH
#define GN_LIBRARY_CUH
#include "norm.cuh"

struct conv;   // conv_tile.cuh, as is
struct ending;

struct gn_cudnn;  // one call's convolution
struct gn_cublas; // one call's linear

// From byte `from` of scratch on; *scratch: where it ends. Without the library: GN_NO_DEVICE.
gn_status gn_cudnn_plan(const gn_call *c, gn_arena *a, const conv &g, size_t from, gn_cudnn **l, size_t *scratch);
gn_status gn_cudnn_forward(const gn_cudnn *l, const gn_call *c, const norm_by &by, const ending &e);
gn_status gn_cudnn_data(const gn_cudnn *l, const gn_call *c, const ending &e);
gn_status gn_cudnn_weights(const gn_cudnn *l, const gn_call *c, const norm_by &by); // and the bias's

gn_status gn_cublas_plan(const gn_call *c, gn_arena *a, gn_cublas **l, size_t *scratch);
gn_status gn_cublas_forward(const gn_cublas *l, const gn_call *c);
gn_status gn_cublas_weights(const gn_cublas *l, const gn_call *c);
gn_status gn_cublas_data(const gn_cublas *l, const gn_call *c);
#endif
