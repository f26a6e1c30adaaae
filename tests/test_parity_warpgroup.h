/* test_parity_warpgroup.h - what the test asks of its kernels. */
#ifndef TEST_PARITY_WARPGROUP_H
#define TEST_PARITY_WARPGROUP_H
#include <stdint.h>

enum { DEEP_128, DEEP_64, WIDE, REGISTERS }; /* how an operand lies; the last for a alone */
typedef struct { int rows, columns, pitch, box_rows, box_columns, row, column; } trial_tile;

#ifdef __cplusplus
extern "C" {
#endif
/* y [64][n] = a b, over 64. a [64][64]: deep: rows, then the sum; wide: the sum, then rows. b: deep [n][64], wide [64][n]. */
gn_status trial_product(int n, int left, int right, const void *a, const void *b, int by_threads, float *y, void *stream);
/* plain: the tile as it came; `to` gets it twofold, at the same place. */
gn_status trial_tile_move(trial_tile t, const void *from, void *to, void *plain, void *stream);
/* y [rows][n] = a [rows][deep] b [deep][n], all bf16, n 64 or 128 */
gn_status trial_ring(int n, const void *a, const void *b, void *y, int rows, int deep, int blocks, void *stream);
gn_status trial_map(const void *base, int64_t rows, int64_t columns, int64_t pitch, int box_rows, int box_columns);
#ifdef __cplusplus
}
#endif
#endif
