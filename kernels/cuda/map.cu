// map.cu - what the copy engine must know of a matrix (warpgroup.cuh): the driver encodes it.
#include "warpgroup.cuh"

typedef CUresult encode(CUtensorMap *map, CUtensorMapDataType type, cuuint32_t rank, void *base, const cuuint64_t *size,
                        const cuuint64_t *pitch, const cuuint32_t *box, const cuuint32_t *step, CUtensorMapInterleave interleave,
                        CUtensorMapSwizzle swizzle, CUtensorMapL2promotion promotion, CUtensorMapFloatOOBfill fill);

// The program is not linked with the driver, which is absent where there is no GPU.
static encode *encode_find() {
    void *found = NULL;
    cudaDriverEntryPointQueryResult how = cudaDriverEntryPointSymbolNotFound;
#if CUDART_VERSION >= 12050
    cudaError_t e = cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &found, 12000, cudaEnableDefault, &how);
#else
    cudaError_t e = cudaGetDriverEntryPoint("cuTensorMapEncodeTiled", &found, cudaEnableDefault, &how);
#endif
    if (e != cudaSuccess) cudaGetLastError();
    return e == cudaSuccess && how == cudaDriverEntryPointSuccess ? (encode *)found : NULL;
}

extern "C" gn_status gn_map_of(gn_map *m, const void *base, int64_t rows, int64_t columns, int64_t pitch, int box_rows,
                               int box_columns) {
    static encode *const driver = encode_find();
    if (!driver) GN_FAIL(NO_DEVICE, "tiles: the driver has no cuTensorMapEncodeTiled");
    if ((uintptr_t)base % 16) GN_FAIL(BAD_SHAPE, "tiles: the matrix begins at %p, not at a multiple of 16 bytes", base);
    if (2 * pitch % 16) GN_FAIL(BAD_SHAPE, "tiles: a row of %lld bytes, not a multiple of 16", 2 * (long long)pitch);
    if (box_columns != 64 && box_columns != 32) GN_FAIL(BAD_SHAPE, "tiles: %d columns, not 64 or 32", box_columns);
    const cuuint64_t size[2] = { (cuuint64_t)columns, (cuuint64_t)rows }, bytes[1] = { 2 * (cuuint64_t)pitch };
    const cuuint32_t box[2] = { (cuuint32_t)box_columns, (cuuint32_t)box_rows }, step[2] = { 1, 1 };
    CUresult e = driver(m, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, 2, (void *)base, size, bytes, box, step,
                        CU_TENSOR_MAP_INTERLEAVE_NONE, box_columns == 64 ? CU_TENSOR_MAP_SWIZZLE_128B : CU_TENSOR_MAP_SWIZZLE_64B,
                        CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
    if (e != CUDA_SUCCESS)
        GN_FAIL(BAD_SHAPE, "tiles of %d x %d of a matrix %lld x %lld, %lld from row to row: the driver says %d", box_rows,
                box_columns, (long long)rows, (long long)columns, (long long)pitch, (int)e);
    return GN_OK;
}
