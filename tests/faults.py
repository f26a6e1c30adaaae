#!/usr/bin/env python3
"""faults.py - would the parity tests notice? Plants faults into a copy of the kernels, one at a time.

    faults.py BUILD [--quarter] [word ...]   words: only the faults of such a file, test or description

--quarter plants one in four, the kernels' own text saying which: changes meet them all in turn.

The changed file is compiled emulated, as BUILD compiles it, linked with BUILD's objects, and the test that should
notice is run: it must pass without the fault and fail with it. Fails, too, if a fault's text is not in the kernels
exactly once, so that the list stays true. A sanitized BUILD notices most.
"""
import concurrent.futures, json, os, pathlib, shlex, shutil, subprocess, sys, tempfile, time, zlib

HOUSE = pathlib.Path(__file__).resolve().parent.parent
ROOMS = ["kernels/cuda", "tests"]  # where a fault's file may be: kernels of a test alone are beside it
PATIENCE = 120  # seconds

# What is wrong; the file, and the one to compile where that is a header; the test, and of it; the text, and the fault.
FAULTS = [
    ("a gradient is overwritten, not added to", "add.cu", "", "passes", "test_add",
     "if (add) spread<V>(old[k], sum);", ""),
    ("half a warp is merged", "pass.cuh", "norm", "passes", "test_rows",
     "for (int k = p.wide; k < WARP; k *= 2)", "for (int k = p.wide; k < WARP / 2; k *= 2)"),
    ("one place past the last", "pass.cuh", "upsample", "passes", "test_upsample",
     "left < GN_ROW_PLACES ? (int)left : GN_ROW_PLACES", "left < GN_ROW_PLACES ? (int)left + 1 : GN_ROW_PLACES"),
    ("the lines of windows are too near", "pass.cuh", "pool", "passes", "test_pool",
     "(w * size * size)", "(w * size)"),
    ("rows of sums are about 0, not the centre", "pass.cuh", "norm", "passes", "test_rows",
     "if (rows && centre && c < p.channels)", "if (0)"),
    ("the second half of a row of sums lies one place off", "norm.cuh", "norm", "passes", "test_rows",
     "row[(int64_t)half * channels + c]", "row[(int64_t)half * (channels + 1) + c]"),
    ("the mean is not subtracted", "norm.cuh", "norm", "passes", "test_norm",
     "return (x - k.mean) * k.deviation;", "return x * k.deviation;"),
    ("a ReLU drops NaN", "norm.cuh", "norm", "passes", "test_norm_nan",
     "return y < least ? least : y;", "return y > least ? y : least;"),
    ("half the lanes are summed", "norm.cuh", "norm", "passes", "test_totals",
     "for (int k = apart; k < WARP; k *= 2)", "for (int k = apart; k < WARP / 2; k *= 2)"),
    ("no barrier before warps' sums are added", "norm.cu", "", "passes", "test_finish",
     "part[t / WARP][half][lane + v] = sum[v];\n    }\n    __syncthreads();", "part[t / WARP][half][lane + v] = sum[v];\n    }"),
    ("rounding leaves a variance below 0", "norm.cu", "", "passes", "test_odd_statistics",
     "if (variance < 0) variance = 0;", ""),
    ("the running variance is the biased one", "norm.cu", "", "passes", "test_totals",
     "variance * (n / (n - 1))", "variance"),
    ("NaN does not win a window", "pool.cu", "", "passes", "test_pool_winner",
     "one[v] > best[v] || one[v] != one[v]", "one[v] > best[v]"),
    ("a window's first column is skipped", "pool.cu", "", "passes", "test_pool",
     "for (int q = !y; q < size; q++)", "for (int q = 1; q < size; q++)"),
    ("neighbours are not repeated", "upsample.cu", "", "passes", "test_upsample",
     "(w / factor) + to.x / factor", "(w / factor) + to.x"),
    ("a window's last column has no slope", "upsample.cu", "", "passes", "test_upsample",
     "for (int x = 0; x < factor; x++)", "for (int x = 0; x + 1 < factor; x++)"),
    ("four draws are used twice", "dropout.cu", "", "passes", "test_dropout",
     "word[v + 4] = b.word[v]", "word[v + 4] = a.word[v] + 0 * b.word[v]"),
    ("what is kept is not scaled", "dropout.cu", "", "passes", "test_dropout",
     "o.gain * x[v]", "x[v]"),
    ("eight neighbours come in another order", "store.cuh", "add", "passes", "test_add",
     "gn_spread2(a.z, v + 4), gn_spread2(a.w, v + 6)", "gn_spread2(a.w, v + 4), gn_spread2(a.z, v + 6)"),
    ("points that share a cell overwrite each other", "gather.cu", "", "points", "test_gather",
     "sum += gn_load(d_out, n * points + p) * k.weight[q];", "sum = gn_load(d_out, n * points + p) * k.weight[q];"),
    ("one point past the last is read", "gather.cu", "", "points", "test_gather",
     "O *out, int points, places m) {\n    const int64_t i = (int64_t)blockIdx.x * THREADS + threadIdx.x;\n    if (i >= m.n * points)",
     "O *out, int points, places m) {\n    const int64_t i = (int64_t)blockIdx.x * THREADS + threadIdx.x;\n    if (i > m.n * points)"),
    ("no barrier before readings are merged", "softargmax.cu", "", "points", "test_softargmax",
     "part[t] = mine;\n    __syncthreads();", "part[t] = mine;"),
    ("one channel past an odd C is read", "softargmax.cu", "", "points", "test_softargmax",
     "if (first + ch < c) {", "if (first + ch <= c) {"),
    ("idle threads leave before a barrier", "softargmax.cu", "", "points", "test_softargmax",
     "    gn_soft mine = gn_soft_none();", "    if (t >= wide * deep) return;\n    gn_soft mine = gn_soft_none();"),
    ("the last strand adds, and nobody waits for it: right if the last thread runs last", "linear.cu", "", "linear", "test_rows",
     "    __syncthreads();\n    if (strand || j >= o) return;\n    for (int s = 1; s < STRANDS; s++)",
     "    if (strand < STRANDS - 1 || j >= o) return;\n    for (int s = 0; s < STRANDS - 1; s++)"),
    ("a bias is added twice where a sum is cut", "product.cuh", "linear", "linear", "test_long",
     "* y.columns + j] = v;", "* y.columns + j] = v + (y.bias ? y.bias[j] : 0);"),
    ("the last cut of a sum is forgotten", "product.cuh", "linear", "linear", "test_long",
     "for (int k = 0; k < cuts; k++)", "for (int k = 0; k + 1 < cuts; k++)"),
    ("no barrier between a tile's stores and its reads", "product.cuh", "linear", "linear", "test_activation",
     "tile_write<COLUMNS, B_DEEP>(to + LEFT, right);\n        }\n        __syncthreads();",
     "tile_write<COLUMNS, B_DEEP>(to + LEFT, right);\n        }"),
    ("half of a fragment is read twice", "product.cuh", "linear", "linear", "test_rows",
     "tile_at<DEEP>(i + l % 16, r + l / 16 * 8)", "tile_at<DEEP>(i + l % 8, r + l / 16 * 8)"),
    ("a target ends one cell early", "heatmap.cu", "", "losses", "map_sizes",
     "cell <= t.last", "cell < t.last"),
    ("a map's slope is overwritten, not added to", "heatmap.cu", "", "losses", "map_sizes",
     "*to = d[k] + g[k];", "*to = g[k];"),
    ("cells beyond those kept are those of before", "heatmap.cu", "", "losses", "map_sizes",
     "float few = 0;\n        if (s.n > KEPT) read<KEPT>(s, from, -INFINITY, h);", "float few = 0;"),
    ("shared memory is written while others read it", "loss.cuh", "heatmap", "losses", "map_sizes",
     "x = join(x, part[w * apart + lane]);\n    __syncthreads();", "x = join(x, part[w * apart + lane]);"),
    ("the second view pulls on the first", "loss.cu", "", "losses", "together",
     "tug->view * points + tug->point != i", "tug->point != i"),
    ("no barrier before pulls are gathered", "loss.cu", "", "losses", "together",
     "        __syncthreads();\n        gather(", "        gather("),
    ("a sample without a needed label has terms", "loss.cu", "", "losses", "together",
     "if (!has_all(&g, L::needs)) return 0;", ""),
    ("the clip is ignored", "optimizer.cu", "", "learn", "a_long_sum",
     "if (clip > 0.0f && *norm > clip) p.scale *= clip / *norm;", ""),
    ("half a warp's squares are summed", "optimizer.cu", "", "learn", "a_long_sum",
     "for (int k = WARP / 2; k; k /= 2)", "for (int k = WARP / 4; k; k /= 2)"),
    ("weights move along NaN", "optimizer.cu", "", "learn", "nobody_moves_without_a_norm",
     "if (!(*norm < INFINITY)) return;", "if (*norm >= INFINITY) return;"),
    ("the ninth shard is the first again", "optimizer.cu", "", "learn", "shards_to_the_bit",
     "x[(n * EACH + k) * stride + i]", "x[k * stride + i]"),
    ("reserved memory is not zeroed", "device.cu", "", "learn", "a_long_sum",
     "return gn_device_fill(d, *slab, 0, bytes);", "return GN_OK;"),
    ("a copy is used before it has come", "conv_mma.cuh", "conv", "conv", "test_tensor_cores",
     "gn_copy_wait<STAGES - 2>();", "gn_copy_wait<STAGES>();"),
    ("the taps of the data's gradient are not mirrored", "conv_mma.cuh", "conv", "conv", "test_tensor_cores_3x3",
     "(BACK ? TAPS - 1 - tap : tap)", "tap"),
    ("a fragment is read from columns that are not swizzled", "conv_mma.cuh", "conv", "conv", "test_tensor_cores",
     "panel_at<SLAB / 8>(column + lane % 8 + lane / 16 * 8, lane / 8 % 2)",
     "((column + lane % 8 + lane / 16 * 8) * SLAB / 8 + lane / 8 % 2) * 16"),
    ("left of a picture lies the line before", "conv_panel.cuh", "conv", "conv", "test_tensor_cores_3x3",
     "(x > 0) | 2u", "1u | 2u"),
    ("the ring of places does not close", "conv_mma_weights.cuh", "conv", "conv", "test_tensor_cores_3x3",
     "shift_of(k, t) : 0)) & mask", "shift_of(k, t) : 0)) & 0xffff"),
    ("a picture has one line more", "conv_plain.cuh", "conv", "conv", "test_plain",
     "iy >= g.h || ix >= g.w", "iy > g.h || ix >= g.w"),
    ("threads past the last channel leave before a barrier", "conv_tile.cuh", "conv", "conv", "test_plain",
     "if (!e.rows) return;\n    tile_wait<SOME>(); // all have read the tile", "if (!e.rows || !end) return;\n    tile_wait<SOME>();"),
    ("sums are written over what others still read", "conv_tile.cuh", "conv", "conv", "test_tensor_cores",
     "    __syncthreads(); // what lay in `part` has been read", ""),
    ("slabs are waited for by the other parity", "test_parity_warpgroup.cu", "", "warpgroup", "test_ring",
     "gn_barrier_wait(full + p.stage, p.parity);", "gn_barrier_wait(full + p.stage, p.parity ^ 1);"),
    ("the ring turns, its parity does not", "test_parity_warpgroup.cu", "", "warpgroup", "test_ring",
     "p.stage = 0, p.parity ^= 1;", "p.stage = 0;"),
    ("half of a slab's bytes are not announced", "test_parity_warpgroup.cu", "", "warpgroup", "test_ring",
     "gn_barrier_expect(full + p.stage, ring_shared<N>::SLAB);", "gn_barrier_expect(full + p.stage, SLAB_A);"),
    ("a slab is given free before it is multiplied", "test_parity_warpgroup.cu", "", "warpgroup", "test_ring",
     "gn_products_wait<1>(acc);", "gn_products_wait<2>(acc);"),
    ("two arrivals are counted where eight come", "test_parity_warpgroup.cu", "", "warpgroup", "test_ring",
     "gn_barrier_begin(empty + i, 2 * GROUP / WARP);", "gn_barrier_begin(empty + i, 2);"),
    ("sums are read before they are waited for", "test_parity_warpgroup.cu", "", "warpgroup", "test_ring",
     "        gn_products_wait<0>(acc);\n        if (gn_lane() == 0)", "        if (gn_lane() == 0)"),
    ("half of a warpgroup multiplies", "test_parity_warpgroup.cu", "", "warpgroup", "test_ring",
     "gn_product_shared<N, 0, 1>(acc,", "if (threadIdx.x % GROUP < GROUP / 2) gn_product_shared<N, 0, 1>(acc,"),
    ("nobody tells the copy engine what was written", "test_parity_warpgroup.cu", "", "warpgroup", "test_ring",
     "panels_write<N>(out, acc);\n        gn_shared_ready();", "panels_write<N>(out, acc);"),
    ("a tile is written while the last one leaves", "test_parity_warpgroup.cu", "", "warpgroup", "test_ring",
     "if (speaks) gn_tile_wait<0>(); // the last", "// the last"),
    ("no barrier of the warps that wrote a tile", "test_parity_warpgroup.cu", "", "warpgroup", "test_ring",
     "gn_shared_ready();\n        gn_group_wait(1 + group, GROUP);", "gn_shared_ready();"),
    ("a block ends while a tile leaves", "test_parity_warpgroup.cu", "", "warpgroup", "test_ring",
     "    if (speaks) gn_tile_wait<0>();\n}", "}"),
    ("a tile is read before it came", "test_parity_warpgroup.cu", "", "warpgroup", "test_tile",
     "gn_barrier_wait(there, 0);\n    const int wide", "const int wide"),
    ("fragments are read from rows that are not swizzled", "test_parity_warpgroup.cu", "", "warpgroup", "test_product",
     "piece_at(128, row, 2 * k + gn_lane() / 16)", "128 * row + 16 * (2 * k + gn_lane() / 16)"),
    ("products do not know that a was written", "test_parity_warpgroup.cu", "", "warpgroup", "test_product",
     "gn_products_begin(acc, r);", "gn_products_begin(acc);"),
    ("eight rows of a descriptor are four", "warpgroup_matrix.cuh", "test_parity_warpgroup", "warpgroup", "test_product",
     "gn_matrix_of(shared, 16, 8 * bytes,", "gn_matrix_of(shared, 16, 4 * bytes,"),
    ("the next 64 columns are the first", "warpgroup_matrix.cuh", "test_parity_warpgroup", "warpgroup", "test_product",
     "gn_matrix_of(shared, next, 1024, 1)", "gn_matrix_of(shared, 0, 1024, 1)"),
    ("8 further along the sum, not 16", "warpgroup_matrix.cuh", "test_parity_warpgroup", "warpgroup", "test_product",
     "GN_NEXT_WIDE = 16 * 128 / 16", "GN_NEXT_WIDE = 8 * 128 / 16"),
    ("the rest of a line is part of the matrix", "map.cu", "", "warpgroup", "test_tile",
     "size[2] = { (cuuint64_t)columns,", "size[2] = { (cuuint64_t)pitch,"),
    ("places are read before they have come", "conv_wgmma.cuh", "conv", "conv_wgmma", "test_1x1",
     "gn_barrier_wait(&there[r.slice.at], r.slice.turn);", ""),
    ("weights are read before they have come", "conv_wgmma.cuh", "conv", "conv_wgmma", "test_3x3",
     "gn_barrier_wait(&s.gate->step[step], TAPS > 1 ? r.step.turn : 0);", ""),
    ("places are normalised before they have come", "conv_wgmma.cuh", "conv", "conv_wgmma", "test_3x3",
     "gn_barrier_wait(&s.gate->slice[slice.at], slice.turn);\n            unsigned", "unsigned"),
    ("places are multiplied before they are normalised", "conv_wgmma.cuh", "conv", "conv_wgmma", "test_3x3",
     "normal && TAPS > 1 ? s.gate->normal : s.gate->slice", "s.gate->slice"),
    ("a step is given back before its products are over", "conv_wgmma.cuh", "conv", "conv_wgmma", "test_3x3",
     "if (half == 0 && (k || tap)) step_leave();\n                gn_products_begin(acc, a[half]);",
     "gn_products_begin(acc, a[half]);\n                if (half == 0 && TAPS > 1 && lane == 0 && (k + 1 < l.slices || tap + 1 < TAPS))\n"
     "                    gn_barrier_arrive(&s.gate->step_free[r.step.at]);"),
    ("a slice is given back when one warp has read it", "conv_wgmma.cuh", "conv", "conv_wgmma", "test_1x1",
     "gn_barrier_begin(&s.gate->slice_free[i], THREADS / WARP);", "gn_barrier_begin(&s.gate->slice_free[i], 1);"),
    ("slices are loaded into places that nobody left", "conv_wgmma.cuh", "conv", "conv_wgmma", "test_1x1",
     "gn_barrier_wait(&s.gate->slice_free[slice.at], slice.turn ^ 1);", ""),
    ("the parity of a ring does not turn", "conv_wgmma.cuh", "conv", "conv_wgmma", "test_1x1",
     "r.at = 0, r.turn ^= 1;", "r.at = 0;"),
    ("a tap's first row is its mirror's", "conv_wgmma.cuh", "conv", "conv_wgmma", "test_3x3",
     "shift_of(picture, tap) : 0), lane / 16)", "shift_of(picture, TAPS - 1 - tap) : 0), lane / 16)"),
    ("what lies outside a picture is read, and normalised", "conv_wgmma.cuh", "conv", "conv_wgmma", "test_3x3",
     "TAPS == 1 || inside >> (tap + 16 * i) & 1 ? at", "TAPS == 1 || place + i * TILE < p.places ? at"),
    ("the second row of a tile has the first's pictures", "conv_wgmma.cuh", "conv", "conv_wgmma", "test_3x3_large",
     "inside >> (tap + 16 * i) & 1", "inside >> tap & 1"),
    ("all slices are normalised as the first", "conv_wgmma.cuh", "conv", "conv_wgmma", "test_1x1",
     "+ k * SLICE + first, p.by.least", "+ first, p.by.least"),
    ("sums are written over what others still read", "conv_wgmma.cuh", "conv", "conv_wgmma", "test_1x1",
     "tile_wait<1>(); // all have read the sums that lie there", ""),
    ("the data's weights are not mirrored", "conv_wgmma.cuh", "conv", "conv_wgmma", "test_3x3",
     "(TAPS - 1 - tap) * channels + first, b);", "tap * channels + first, b);"),
    ("a block's tiles are of several channels' weights", "conv_wgmma.cuh", "conv", "conv_wgmma", "test_1x1",
     "most < across ? across : most / across * across", "most"),
    ("the first chunks' gradient is forgotten", "conv_tile.cuh", "conv", "conv", "test_tensor_cores",
     "for (int k = mine; k < chunks", "for (int k = mine + PARTS; k < chunks"),
    ("a stage is given back by one adder of two", "conv_both.cuh", "conv", "conv_both", "test_shapes",
     "gn_barrier_begin(&r->empty[k], rooms::ADDERS);", "gn_barrier_begin(&r->empty[k], 1);"),
    ("what threads wrote is stored before the copy engine sees it", "conv_both.cuh", "conv", "conv_both", "test_kinds",
     "gn_shared_ready();", ""),
    ("a slope is written over one that has not left", "conv_both.cuh", "conv", "conv_both", "test_shapes",
     "if (leads) gn_tile_wait<0>();\n        if", "if"),
    ("a row of sums begins anew in its second half", "conv_both.cuh", "conv", "conv_both", "test_shapes",
     "step % 2 ? *to + all : all", "all"),
    ("a row is written over before it has left", "conv_both.cuh", "conv", "conv_both", "test_shapes",
     "gn_group_wait(DATA, GROUP); // the last dx", "// the last dx"),
    ("eight lanes keep each other's sums", "conv_both.cuh", "conv", "conv_both", "test_shapes",
     "g & n ? v[i + n] : v[i], given = g & n ? v[i] : v[i + n]", "g & n ? v[i] : v[i + n], given = g & n ? v[i + n] : v[i]"),
    ("the slope that was there is not waited for", "conv_both.cuh", "conv", "conv_both", "test_kinds",
     "if (q.add) gn_barrier_wait(&r->old, step & 1);", ""),
    ("half the channels are normalised as others are", "conv_both.cuh", "conv", "conv_both", "test_kinds",
     "n[e % 2 * 8]", "n[0]"),
    ("all blocks have the first channels' weights", "conv_both.cuh", "conv", "conv_both", "test_shapes",
     "weight, 64 * p, at,", "weight, 64 * p, 0,"),
    ("places between are missing in a bias", "conv_both.cuh", "conv", "conv_both", "test_kinds",
     "for (int s = 1; s < strands_of(O); s++)", "for (int s = 2; s < strands_of(O); s++)"),
    ("parts lie over the slope", "conv.cu", "", "conv_both", "test_shapes",
     "p->at_parts = (slope + 255) / 256 * 256;", "p->at_parts = 0;"),
    ("left of a picture's first column lies the line before", "conv_wgmma_weights.cuh", "conv", "conv_weights", "test_sizes",
     "inside >> t & 1 ? ring", "1 ? ring"),
    ("a warpgroup has the first line's taps", "conv_wgmma_weights.cuh", "conv", "conv_weights", "test_sizes",
     "p + line * q.k.w + t", "p + t"),
    ("the ring of places turns too late", "conv_wgmma_weights.cuh", "conv", "conv_weights", "test_sizes",
     "p + line * q.k.w + t) & (rows - 1)", "p + line * q.k.w + t) & (2 * rows - 1)"),
    ("a bias has the next chunk's places, too", "conv_wgmma_weights.cuh", "conv", "conv_weights", "test_sizes",
     "left < from + 16 ? left : from + 16", "from + 16"),
    ("places are read before all have normalised theirs", "conv_wgmma_weights.cuh", "conv", "conv_weights", "test_kinds",
     "__syncthreads(); // this step", "// this step"),
    ("a step's tiles are asked for over those in use", "conv_wgmma_weights.cuh", "conv", "conv_weights", "test_sizes",
     "if (thread == 0 && step + AHEAD - 1 < steps) ask(step + AHEAD - 1);", "if (thread == 0 && step + AHEAD < steps) ask(step + AHEAD);"),
]


class Build:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder).resolve()
        out = subprocess.run(["ninja", "-C", self.folder, "-t", "compdb"], capture_output=True, text=True, check=True).stdout
        self.made = {e["output"]: shlex.split(e["command"]) for e in json.loads(out)}

    def run(self, command):
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, errors="replace", timeout=PATIENCE)

    def compile(self, source, unit, to):
        words = list(self.made[f"CMakeFiles/gnomon_emulated.dir/emulated/{unit}.cc.o"])
        words[words.index("-o") + 1], words[words.index("-c") + 1] = to, source
        words.insert(1, f"-I{pathlib.Path(source).parent}")
        drop = words.index("-MD")
        return self.run(words[:drop] + words[drop + 5 :] + ["-w"])  # -MD -MT to -MF file

    def link(self, test, unit, with_object, to):
        words = [w for w in self.made[test] if w not in (":", "&&")]
        words[words.index(f"CMakeFiles/gnomon_emulated.dir/emulated/{unit}.cc.o")] = with_object
        words[words.index("-o") + 1] = to
        return self.run(words)

    def test(self, program, only):
        return subprocess.run([program], cwd=self.folder, env={**os.environ, "CMOCKA_TEST_FILTER": only}, capture_output=True,
                              text=True, errors="replace", timeout=PATIENCE)


def name_of(test):
    return f"test_parity_{test}_emulated"


def reason(run):
    """The line that says why a test failed."""
    lines = (run.stdout + run.stderr).splitlines()
    for mark in ("emulate: block", "ERROR: AddressSanitizer: ", "runtime error: ", "off by", "ERROR: ", "[  ERROR   ] --- ", "error: "):
        for line in lines:
            if mark in line:
                return line[line.index(mark) :].removeprefix("ERROR: ").strip()[:90]
    return f"exit {run.returncode}"


def sound(build, test, only):
    run = build.test(build.folder / name_of(test), only)
    ran = "0 test(s) run" not in run.stdout + run.stderr
    return None if run.returncode == 0 and ran else f"{name_of(test)} {only} fails without a fault, or is not there"


def plant(build, fault):
    """Caught?, and how."""
    what, file, unit, test, only, old, new = fault
    unit = unit or file.removesuffix(".cu")
    room = next(r for r in ROOMS if (HOUSE / r / file).exists())
    times = (HOUSE / room / file).read_text().count(old)
    if times != 1:
        return False, f"its text is there {times} times: {old.splitlines()[-1].strip()}"
    with tempfile.TemporaryDirectory() as at:
        copy = pathlib.Path(at)
        for r in ROOMS:
            shutil.copytree(HOUSE / r, copy / r, ignore=lambda _, names: [n for n in names if not n.endswith((".cu", ".cuh", ".h"))])
        text = (copy / room / file).read_text()
        (copy / room / file).write_text(text.replace(old, new))
        home = next(r for r in ROOMS if (copy / r / f"{unit}.cu").exists())
        (copy / "unit.cc").write_text(f'#include "{copy}/{home}/{unit}.cu"\n')
        try:
            made = build.compile(str(copy / "unit.cc"), unit, str(copy / "unit.o"))
            if made.returncode == 0:
                made = build.link(name_of(test), unit, str(copy / "unit.o"), str(copy / "test"))
            if made.returncode:
                return False, f"cannot be built: {reason(made)}"
            run = build.test(copy / "test", only)
        except subprocess.TimeoutExpired:
            return True, f"does not end in {PATIENCE} s"
        return run.returncode != 0, reason(run) if run.returncode else f"{name_of(test)} {only} passes"


def main():
    began, build, words = time.time(), Build(sys.argv[1]), [w for w in sys.argv[2:] if w != "--quarter"]
    faults = [f for f in FAULTS if all(any(w in part for part in f[:5]) for w in words)]
    if len(words) + 2 < len(sys.argv):
        text = b"".join(p.read_bytes() for p in sorted((HOUSE / "kernels/cuda").iterdir()))
        faults = faults[zlib.crc32(text) % 4 :: 4]
    caught = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        ill = [said for said in pool.map(lambda t: sound(build, *t), sorted({f[3:5] for f in faults})) if said]
        for fault, (seen, how) in zip(faults, pool.map(lambda f: plant(build, f), faults)):
            print(f"{'caught' if seen else 'MISSED'}  {fault[1]:18} {fault[0]}: {how}", flush=True)
            caught += seen
    print("\n".join(ill + [f"{caught} caught, {len(faults) - caught} missed in {time.time() - began:.0f} s"]))
    return 1 if ill or caught < len(faults) or not faults else 0


sys.exit(main())
