/* emulate_tile.cc - shared memory as the asynchronous proxy sees it, barriers in it, and tiles that come and go. */
#include "emulate_warpgroup.h"
#include <memory>
#include <vector>

namespace {
enum { FIRST = 1024 }; /* the address of dynamic shared memory: below lies the system's */

struct barrier { /* told by the address, for what lies there is a mark that nothing may overwrite */
    void *at;
    int count, left;        /* arrivals of a phase; of this one, still to come */
    int64_t bytes;          /* announced and not there, or there before they were announced */
    unsigned phase;
    bool ready;             /* may be told to the copy engine */
    std::vector<unsigned> asleep;
};
struct encoded { uint64_t mark; char *base; uint64_t columns, rows, pitch; uint32_t box_columns, box_rows, swizzle; };
struct tile { encoded m; int column, row; unsigned at; void *barrier; };
struct stores { std::vector<tile> open; std::vector<std::vector<tile>> group; };
const uint64_t MARK = 0x676e6f6d6f6eb0a7;

thread_local std::vector<unsigned char> seen;
thread_local bool some_ready;
thread_local std::vector<std::unique_ptr<barrier>> barriers;
thread_local std::vector<tile> coming;
thread_local std::vector<stores> going;

void refuse_if(bool wrong, const char *what) {
    if (wrong) gn_emulate_refuse(what, nullptr);
}
uint64_t mark_of(const void *at) { return MARK ^ (uintptr_t)at; }

barrier &barrier_at(const void *b) {
    for (auto &one : barriers)
        if (one->at == b) {
            uint64_t there;
            memcpy(&there, b, sizeof there);
            refuse_if(there != mark_of(b), "a barrier that was overwritten");
            return *one;
        }
    gn_emulate_refuse("a barrier that was not begun", nullptr);
}

void phase_end(barrier &b) {
    if (b.left || b.bytes) return;
    b.phase++;
    b.left = b.count;
    gn_emulate_shared_see();
    for (unsigned thread : b.asleep) gn_emulate_wake(thread);
    b.asleep.clear();
}

encoded map_read(const CUtensorMap *m) {
    encoded e;
    memcpy(&e, m, sizeof e);
    refuse_if(e.mark != MARK, "a map that gn_map_of has not made");
    return e;
}

/* body(where in shared memory, number of the matrix or NULL) for each number of a tile */
template <class Body> void each_number(const tile &t, Body body) {
    const uint32_t span = 2 * t.m.box_columns;
    for (uint32_t r = 0; r < t.m.box_rows; r++)
        for (uint32_t c = 0; c < t.m.box_columns; c++) {
            const int64_t row = (int64_t)t.row + r, column = (int64_t)t.column + c;
            const bool inside = row >= 0 && row < (int64_t)t.m.rows && column >= 0 && column < (int64_t)t.m.columns;
            unsigned at = t.at + r * span + 2 * c;
            at ^= (at >> 7 & (span == 128 ? 7u : 3u)) << 4;
            body(at - FIRST, inside ? t.m.base + row * (int64_t)t.m.pitch + 2 * column : nullptr);
        }
}

tile tile_of(const CUtensorMap *m, int column, int row, const void *shared, void *b) {
    tile t = { map_read(m), column, row, gn_emulate_shared_at(shared), b };
    refuse_if(t.at % (t.m.box_columns == 64 ? 1024 : 512), "a tile that does not begin with its pattern");
    gn_emulate_seen(t.at, (int)(2 * t.m.box_columns * t.m.box_rows));
    return t;
}

void comes(const tile &t) {
    char *shared = (char *)gn_emulate_shared();
    each_number(t, [&](unsigned at, const char *number) {
        const uint16_t zero = 0;
        memcpy(shared + at, number ? (const void *)number : &zero, 2);
        memcpy(&seen[at], shared + at, 2);
    });
    barrier &b = barrier_at(t.barrier);
    b.bytes -= 2 * t.m.box_columns * t.m.box_rows;
    phase_end(b);
}

void goes(const tile &t) {
    each_number(t, [&](unsigned at, char *number) {
        if (number) memcpy(number, &seen[at], 2);
    });
}

/* What the driver refuses, and of what it allows, what comes() knows nothing of */
CUresult encode(CUtensorMap *map, CUtensorMapDataType type, cuuint32_t rank, void *base, const cuuint64_t *size,
                const cuuint64_t *pitch, const cuuint32_t *box, const cuuint32_t *step, CUtensorMapInterleave,
                CUtensorMapSwizzle swizzle, CUtensorMapL2promotion, CUtensorMapFloatOOBfill) {
    const uint32_t span = swizzle == CU_TENSOR_MAP_SWIZZLE_128B ? 128 : 64;
    const uint64_t most = 1ull << 32;
    bool wrong = (uintptr_t)map % 64 || (uintptr_t)base % 16 || pitch[0] % 16 || pitch[0] >= 1ull << 40 || 2 * box[0] % 16 || 2 * box[0] > span;
    for (int i = 0; i < 2; i++) wrong = wrong || !size[i] || size[i] > most || !box[i] || box[i] > 256;
    if (wrong) return CUDA_ERROR_INVALID_VALUE;
    refuse_if(type != CU_TENSOR_MAP_DATA_TYPE_BFLOAT16 || rank != 2 || step[0] != 1 || step[1] != 1 || 2 * box[0] != span,
              "a map of other than tiles of bf16 as wide as their swizzle");
    refuse_if(pitch[0] < 2 * size[0], "a matrix whose rows overlap");
    const encoded e = { MARK, (char *)base, size[0], size[1], pitch[0], box[0], box[1], span };
    memset(map, 0, sizeof *map);
    memcpy(map, &e, sizeof e);
    return CUDA_SUCCESS;
}
} // namespace

cudaError_t cudaGetDriverEntryPointByVersion(const char *name, void **found, unsigned, unsigned long long,
                                             cudaDriverEntryPointQueryResult *how) {
    *how = strcmp(name, "cuTensorMapEncodeTiled") ? cudaDriverEntryPointSymbolNotFound : cudaDriverEntryPointSuccess;
    *found = *how == cudaDriverEntryPointSuccess ? (void *)encode : nullptr;
    return cudaSuccess;
}

unsigned gn_emulate_shared_at(const void *p) {
    const ptrdiff_t at = (const char *)p - (const char *)gn_emulate_shared();
    refuse_if(at < 0 || (size_t)at >= gn_emulate_shared_bytes(), "an address outside dynamic shared memory");
    return FIRST + (unsigned)at;
}

const unsigned char *gn_emulate_seen(unsigned at, int bytes) {
    refuse_if(at < FIRST || at - FIRST + (unsigned)bytes > seen.size(), "an address outside dynamic shared memory");
    return &seen[at - FIRST];
}

void gn_emulate_shared_ready(void) { some_ready = true; }
/* Copied when it may be used, not at each thread's call */
void gn_emulate_shared_see(void) {
    if (some_ready) memcpy(seen.data(), gn_emulate_shared(), seen.size());
    some_ready = false;
}

void gn_emulate_tiles_begin(void) {
    seen.assign(gn_emulate_shared_bytes(), 0xff);
    some_ready = false;
    barriers.clear();
    going.assign(gn_emulate_threads(), stores());
}

int gn_emulate_tiles_come(void) {
    if (coming.empty()) return 0;
    const tile t = coming.back(); /* the newest first: nobody may rely on an order */
    coming.pop_back();
    comes(t);
    return 1;
}

void gn_emulate_tiles_end(void) {
    refuse_if(!coming.empty(), "a tile nobody waited for");
    for (auto &s : going) refuse_if(!s.open.empty() || !s.group.empty(), "a block ends that stores tiles: no gn_tile_wait<0>");
    for (auto &b : barriers) refuse_if(b->bytes, "a barrier was told of bytes that never came, or not of some that did");
}

void gn_emulate_barrier_begin(void *b, int arrivals) {
    refuse_if((uintptr_t)b % 8 || arrivals < 1 || arrivals >= 1 << 20, "no barrier can be like this");
    for (auto &one : barriers) refuse_if(one->at == b, "a barrier that is begun twice");
    barriers.push_back(std::unique_ptr<barrier>(new barrier{ b, arrivals, arrivals, 0, 0, false, {} }));
    const uint64_t mark = mark_of(b);
    memcpy(b, &mark, sizeof mark);
}

void gn_emulate_barriers_ready(void) {
    for (auto &one : barriers) one->ready = true;
}

void gn_emulate_barrier_arrive(void *at, int bytes) {
    barrier &b = barrier_at(at);
    refuse_if(!b.left, "more arrivals than the barrier counts");
    b.left--;
    b.bytes += bytes;
    phase_end(b);
}

void gn_emulate_barrier_wait(const void *at, unsigned parity) {
    barrier &b = barrier_at(at);
    refuse_if(parity > 1, "a parity that is neither 0 nor 1");
    while ((b.phase & 1) == parity) {
        b.asleep.push_back(gn_emulate_thread());
        gn_emulate_sleep(parity ? "gn_barrier_wait, parity 1" : "gn_barrier_wait, parity 0");
    }
}

void gn_emulate_tile_load(void *shared, const CUtensorMap *m, int column, int row, void *b) {
    const tile t = tile_of(m, column, row, shared, b);
    refuse_if(!barrier_at(b).ready, "a tile for a barrier without gn_barriers_ready");
    if (gn_emulate_backwards) comes(t);
    else coming.push_back(t);
}

void gn_emulate_tile_store(const CUtensorMap *m, int column, int row, const void *shared) {
    const tile t = tile_of(m, column, row, shared, nullptr);
    gn_emulate_shared_see();
    if (gn_emulate_backwards) goes(t);
    going[gn_emulate_thread()].open.push_back(t);
}

void gn_emulate_tile_commit(void) {
    stores &s = going[gn_emulate_thread()];
    s.group.push_back(std::move(s.open));
    s.open.clear();
}

void gn_emulate_tile_wait(int left) {
    stores &s = going[gn_emulate_thread()];
    refuse_if(!s.open.empty(), "a tile's store without gn_tile_commit");
    while (s.group.size() > (size_t)left) {
        for (const tile &t : s.group.front())
            if (!gn_emulate_backwards) goes(t);
        s.group.erase(s.group.begin());
    }
}
