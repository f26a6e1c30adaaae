/* emulate_product.cc - products of warpgroups, warps that meet, registers given away. */
#include "emulate_warpgroup.h"
#include "formula/bf16.h"
#include <vector>

namespace {
enum { WARP = 32, GROUP = 4, ROWS = 16, DEEP = 16, MOST = 256, NAMED = 16, ALL_REGISTERS = 65536 };

struct product {
    gn_emulate_wgmma what;
    bool done;
    struct { float *acc; const unsigned *a; } of[WARP];
};
struct warp {
    unsigned turn = 0;                       /* what the warp has done together */
    size_t asked = 0;                        /* products, all of them */
    std::vector<product> open;
    std::vector<std::vector<product>> group;
    int registers = 0;
};
struct range { const char *at; std::vector<char> was; };
struct lane { unsigned turn = 0; std::vector<range> naming, begun; };
struct meeting { int there = 0, threads = 0; std::vector<unsigned> asleep; };

thread_local std::vector<warp> warps;
thread_local std::vector<lane> lanes;
thread_local std::vector<std::vector<gn_emulate_wgmma>> ledger; /* of each warpgroup: what its first warp asked for */
thread_local meeting meetings[NAMED];

void refuse_if(bool wrong, const char *what) {
    if (wrong) gn_emulate_refuse(what, nullptr);
}
warp &mine() { return warps[gn_emulate_thread() / WARP]; }
/* After the warp has met: one of its lanes acts for all. */
bool first_of_warp() {
    lane &l = lanes[gn_emulate_thread()];
    warp &w = mine();
    return ++l.turn > w.turn ? (w.turn = l.turn, true) : false;
}
bool same(const gn_emulate_wgmma &x, const gn_emulate_wgmma &y) { return !memcmp(&x, &y, sizeof x); }

const range *named(const std::vector<range> &in, const void *at, size_t bytes) {
    for (const range &r : in)
        if ((const char *)at >= r.at && (const char *)at + bytes <= r.at + r.was.size()) return &r;
    return nullptr;
}
size_t sums_of(const product &p) { return (size_t)p.what.n / 2 * sizeof(float); }

/* --- matrices --- */

struct matrix { unsigned at, leading, stride, span; bool turned; };

matrix matrix_read(uint64_t d, int size, int turned) {
    const unsigned swizzle = (unsigned)(d >> 62), span = swizzle == 1 ? 128 : 64, pattern = 8 * span;
    const matrix m = { (unsigned)(d & 0x3fff) << 4, (unsigned)(d >> 16 & 0x3fff) << 4, (unsigned)(d >> 32 & 0x3fff) << 4, span,
                       turned != 0 };
    refuse_if(swizzle != 1 && swizzle != 2, "a descriptor without a swizzle of 128 or 64 bytes");
    refuse_if(d & 0x3fffc000c000c000, "a descriptor with a base offset, or with bits that mean nothing");
    refuse_if(m.stride % pattern, "a matrix whose stride is not of whole patterns");
    if (turned) {
        refuse_if(span != 128, "a wide matrix of rows of 64 bytes");
        refuse_if(m.at % pattern, "a wide matrix that does not begin with its pattern");
        refuse_if(m.leading == 16 || (size > 64 && m.leading % pattern), "a wide matrix with a deep one's strides");
    } else {
        refuse_if(m.at % pattern >= span, "a deep matrix that does not begin with its pattern");
        refuse_if(m.at % span + 2 * DEEP > span, "a deep matrix that goes past the end of its rows");
        refuse_if(m.leading != 16, "a deep matrix with a wide one's strides");
    }
    return m;
}

/* Number i of a's rows or b's columns, k of the sum */
float number(const matrix &m, unsigned i, unsigned k) {
    unsigned at = m.at + (m.turned ? i / 64 * m.leading + i % 64 * 2 + k / 8 * m.stride + k % 8 * 128
                                   : i / 8 * m.stride + i % 8 * m.span + 2 * k);
    at ^= (at >> 7 & (m.span == 128 ? 7u : 3u)) << 4;
    uint16_t x;
    memcpy(&x, gn_emulate_seen(at, 2), sizeof x);
    return gn_bf16_read(x);
}

/* Most of the time goes here, and the sanitizers have nothing to find. */
__attribute__((no_sanitize("address"), no_sanitize("undefined")))
void multiply(const float (*a)[DEEP], const float (*b)[MOST], float (*sum)[MOST], int n) {
    for (int i = 0; i < ROWS; i++) {
        for (int j = 0; j < n; j++) sum[i][j] = 0;
        for (int k = 0; k < DEEP; k++)
            for (int j = 0; j < n; j++) sum[i][j] += a[i][k] * b[k][j];
    }
}

void run(product &p, unsigned w) {
    static thread_local float a[ROWS][DEEP], b[DEEP][MOST], sum[ROWS][MOST];
    const int n = p.what.n;
    if (p.done) return;
    p.done = true;
    const matrix right = matrix_read(p.what.b, n, p.what.turned_b);
    for (int k = 0; k < DEEP; k++)
        for (int j = 0; j < n; j++) b[k][j] = number(right, (unsigned)j, (unsigned)k);
    if (p.what.in_registers) {
        for (int l = 0; l < WARP; l++)
            for (int e = 0; e < 8; e++) /* pair e / 2 */
                a[l / 4 + e / 2 % 2 * 8][l % 4 * 2 + e % 2 + e / 4 * 8] =
                    gn_bf16_read((uint16_t)(p.of[l].a[e / 2] >> e % 2 * 16));
    } else {
        const matrix left = matrix_read(p.what.a, GROUP * ROWS, p.what.turned_a);
        for (int i = 0; i < ROWS; i++)
            for (int k = 0; k < DEEP; k++) a[i][k] = number(left, w % GROUP * ROWS + (unsigned)i, (unsigned)k);
    }
    multiply(a, b, sum, n);
    for (int l = 0; l < WARP; l++)
        for (int j = 0; j < n / 8; j++)
            for (int e = 0; e < 4; e++) p.of[l].acc[4 * j + e] += sum[l / 4 + e / 2 * 8][8 * j + l % 4 * 2 + e % 2];
}
} // namespace

void gn_emulate_products_start(void) {
    const size_t threads = gn_emulate_threads();
    warps.assign((threads + WARP - 1) / WARP, warp());
    lanes.assign(threads, lane());
    ledger.assign(warps.size() / GROUP + 1, {});
    for (meeting &m : meetings) m = meeting();
}

void gn_emulate_products_end(void) {
    int64_t registers = 0;
    bool all = true;
    for (size_t i = 0; i < warps.size(); i++) {
        const warp &w = warps[i];
        refuse_if(!w.open.empty() || !w.group.empty(), "a product nobody waited for");
        refuse_if(w.asked != ledger[i / GROUP].size(), "a product that not all warps of its warpgroup asked for");
        refuse_if(w.registers != warps[i / GROUP * GROUP].registers, "registers that not all warps of a warpgroup gave or took");
        registers += w.registers * WARP;
        all = all && w.registers;
    }
    refuse_if(all && registers > ALL_REGISTERS, "more registers than there are");
}

void gn_emulate_product(gn_emulate_wgmma what, float *acc, const unsigned *a) {
    struct { gn_emulate_wgmma what; float *acc; const unsigned *a; } said = { what, acc, a }, other;
    const unsigned w = gn_emulate_thread() / WARP;
    const lane &l = lanes[gn_emulate_thread()];
    refuse_if((w / GROUP + 1) * GROUP * WARP > gn_emulate_threads(), "a product of less than a warpgroup");
    refuse_if(!named(l.begun, acc, (size_t)what.n / 2 * sizeof *acc), "a product whose sums gn_products_begin does not name");
    if (a) {
        const range *r = named(l.begun, a, 4 * sizeof *a);
        refuse_if(!r, "a product whose a gn_products_begin does not name");
        const char *was = r->was.data() + ((const char *)a - r->at);
        refuse_if(memcmp(was, a, 4 * sizeof *a), "a product whose a was written after gn_products_begin");
    }
    gn_emulate_shared_see();
    const char *all = gn_emulate_warp_share("a product of a warpgroup", &said, sizeof said);
    if (!first_of_warp()) return;
    product p = { what, false, {} };
    for (int i = 0; i < WARP; i++) {
        memcpy(&other, all + i * GN_SLOT, sizeof other);
        refuse_if(!same(other.what, what), "a product that lanes of a warp describe differently");
        p.of[i].acc = other.acc, p.of[i].a = other.a;
    }
    auto &said_first = ledger[w / GROUP];
    const size_t k = mine().asked++;
    if (k == said_first.size()) said_first.push_back(what);
    refuse_if(!same(said_first[k], what), "a product that warps of a warpgroup describe differently");
    matrix_read(what.b, what.n, what.turned_b);
    if (!what.in_registers) matrix_read(what.a, GROUP * ROWS, what.turned_a);
    if (gn_emulate_backwards) run(p, w);
    mine().open.push_back(p);
}

void gn_emulate_products_name(const void *registers, size_t bytes) {
    const char *at = (const char *)registers;
    lanes[gn_emulate_thread()].naming.push_back({ at, std::vector<char>(at, at + bytes) });
}

void gn_emulate_products_begin(void) {
    lane &l = lanes[gn_emulate_thread()];
    l.begun = std::move(l.naming);
    l.naming.clear();
    const int none = 0;
    gn_emulate_warp_share("gn_products_begin", &none, sizeof none);
    first_of_warp();
}

void gn_emulate_products_commit(void) {
    const int none = 0;
    gn_emulate_warp_share("gn_products_commit", &none, sizeof none);
    if (!first_of_warp()) return;
    mine().group.push_back(std::move(mine().open));
    mine().open.clear();
}

void gn_emulate_products_wait(int left) {
    const unsigned first = gn_emulate_thread() / WARP * WARP;
    lanes[gn_emulate_thread()].begun.clear();
    gn_emulate_warp_share("gn_products_wait", &left, sizeof left);
    if (first_of_warp()) {
        auto &group = mine().group;
        refuse_if(!mine().open.empty(), "products without gn_products_commit");
        while (group.size() > (size_t)left) {
            for (product &p : group.front()) {
                for (unsigned i = 0; i < WARP; i++)
                    refuse_if(!named(lanes[first + i].naming, p.of[i].acc, sums_of(p)), "sums that gn_products_wait does not name");
                run(p, first / WARP);
            }
            group.erase(group.begin());
        }
    }
    gn_emulate_warp_share("gn_products_wait, done", &left, sizeof left);
    lanes[gn_emulate_thread()].naming.clear();
    first_of_warp();
}

void gn_emulate_group_wait(int barrier, int threads) {
#define NAME(i) "gn_group_wait " #i
    static const char *const name[NAMED] = { "", NAME(1), NAME(2), NAME(3), NAME(4), NAME(5), NAME(6), NAME(7), NAME(8),
                                             NAME(9), NAME(10), NAME(11), NAME(12), NAME(13), NAME(14), NAME(15) };
    refuse_if(barrier < 1 || barrier >= NAMED || threads < WARP || threads % WARP || threads > (int)gn_emulate_threads(),
              "no gn_group_wait can be like this");
    gn_emulate_warp_share(name[barrier], &threads, sizeof threads);
    meeting &m = meetings[barrier];
    if (!m.there) m.threads = threads;
    if (m.threads != threads) gn_emulate_refuse("a barrier for which others count otherwise", name[barrier]);
    if (++m.there < threads) {
        m.asleep.push_back(gn_emulate_thread());
        gn_emulate_sleep(name[barrier]);
        return;
    }
    m.there = 0;
    gn_emulate_shared_see();
    for (unsigned thread : m.asleep) gn_emulate_wake(thread);
    m.asleep.clear();
}

void gn_emulate_registers(int n, int more) {
    gn_emulate_warp_share("gn_registers", &n, sizeof n);
    if (!first_of_warp()) return;
    int &has = mine().registers;
    refuse_if(has && (more ? n < has : n > has), "fewer registers that are more, or more that are fewer");
    has = n;
}
