/* The report: a page made of made-up poses holds together as HTML and shows what it was given. */
#include "near.h"
#include "gnomon/io.h"
#include "src/report/page.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { J = 16, SAMPLES = 40, SIDE = 96 };
static const double standing[J][3] = {
    { -0.12, 0.86, 0.02 },  { -0.11, 0.43, -0.03 }, { -0.11, 0, 0 },     { 0.11, 0, 0 },
    { 0.12, 0.43, -0.05 },  { 0.12, 0.86, 0.03 },   { 0, 0, 0 },         { 0, -0.42, 0.02 },
    { 0, -0.5, 0.02 },      { 0, -0.7, 0 },         { -0.32, 0.02, -0.2 }, { -0.28, -0.2, 0.02 },
    { -0.18, -0.46, 0.02 }, { 0.18, -0.46, 0.02 },  { 0.3, -0.25, 0.05 }, { 0.4, -0.1, -0.15 },
};

static double draw(unsigned *seed) { return (double)(*seed = *seed * 1664525u + 1013904223u) / 4294967296.0 - 0.5; }

static void fill(gn_arena *a, gn_meter **m) {
    OK(gn_meter_open(a, &gn_mpii16, SAMPLES, m));
    for (unsigned i = 0, seed = 7; i < SAMPLES; i++) {
        gn_real uv[J * 2], xyz[J * 3], camera[4] = { 105, 105, 47.5f, 47.5f }, head = 7;
        uint8_t all[J], hidden[J];
        gn_prediction said = { .has_uv = 1, .has_z = 1, .has_xyz = 1 };
        double turn = 6 * draw(&seed), c = cos(turn), s = sin(turn), worse = 0.02 + 0.12 * i / SAMPLES;
        for (int j = 0; j < J; j++) {
            double x[3], swing = j == gn_mpii16.root ? 0 : 0.12;
            for (int k = 0; k < 3; k++) x[k] = standing[j][k] + swing * draw(&seed);
            xyz[3 * j] = (gn_real)(c * x[0] + s * x[2]), xyz[3 * j + 1] = (gn_real)x[1];
            xyz[3 * j + 2] = (gn_real)(3 - s * x[0] + c * x[2]);
            for (int k = 0; k < 2; k++) uv[2 * j + k] = xyz[3 * j + k] / xyz[3 * j + 2] * 105 + 47.5f;
            all[j] = 1, hidden[j] = j % 5 == 1;
        }
        for (int j = 0; j < J; j++) {
            double off = j == gn_mpii16.root ? 0 : worse;
            for (int k = 0; k < 3; k++)
                said.xyz[j][k] = (double)xyz[3 * j + k] - (double)xyz[3 * gn_mpii16.root + k] + off * 2 * draw(&seed);
            for (int k = 0; k < 2; k++)
                said.uv[j][k] = (said.xyz[j][k] + (double)xyz[3 * gn_mpii16.root + k]) / (double)xyz[3 * j + 2] * 105 + 47.5;
            said.z[j] = said.xyz[j][2] * 105 / 3 / (SIDE / 2.0);
        }
        gn_labels y = { .has = GN_HAS_joints2d | GN_HAS_labelled2d | GN_HAS_occluded2d | GN_HAS_joints3d | GN_HAS_labelled3d |
                               GN_HAS_camera | GN_HAS_head_size,
                        .J = J, .side = SIDE, .skeleton = &gn_mpii16, .joints2d = uv, .labelled2d = all, .occluded2d = hidden,
                        .joints3d = xyz, .labelled3d = all, .camera = camera, .head_size = &head };
        OK(gn_meter_add(*m, &y, &said));
    }
}

static void show(gn_arena *a, const gn_meter *m, int64_t i, gn_exhibit *x) {
    *x = (gn_exhibit){ .caption = "sample <7> & more", .judged = gn_meter_at(m, i) };
    OK(gn_image_new(a, SIDE, SIDE, &x->picture));
    for (int p = 0; p < SIDE * SIDE; p++) {
        int u = p % SIDE, v = p / SIDE;
        x->picture.rgb[3 * p] = (uint8_t)(90 + u), x->picture.rgb[3 * p + 1] = (uint8_t)(70 + v), x->picture.rgb[3 * p + 2] = 110;
    }
    float *map = gn_arena_take(a, sizeof *map * J * 24 * 24);
    for (int j = 0; j < J; j++)
        for (int c = 0; c < 24 * 24; c++) {
            double u = c % 24 - (x->judged->said.uv[j][0] + 0.5) / 4 + 0.5, v = c / 24 - (x->judged->said.uv[j][1] + 0.5) / 4 + 0.5;
            map[j * 24 * 24 + c] = (float)exp(-(u * u + v * v) / 2);
        }
    OK(gn_heat_picture(a, &gn_mpii16, &x->picture, 24, 24, map, &x->heat));
}

static const char *folder(gn_arena *a) {
    static char name[] = "/tmp/gnomon-test-report-XXXXXX";
    static int made;
    if (!made++) assert_non_null(mkdtemp(name));
    return gn_arena_text(a, "%s", name);
}

static void write_records(const char *path) {
    static const char *const stage[] = { "heatmap", "depth", "geometry" };
    FILE *to = fopen(path, "w");
    assert_non_null(to);
    for (int i = 1; i <= 3000; i++) {
        double t = i / 3000.0, wave = 1 + 0.2 * sin(i * 12.9);
        fprintf(to, "{\"step\": %d, \"stage\": \"%s\", \"loss\": %g, \"losses\": {\"heatmap\": %g, \"depth\": %g}, \"rate\": %g, \"ms\": 12}\n",
                i, stage[i * 3 / 3001], (0.4 * exp(-4 * t) + 0.02) * wave, (0.3 * exp(-5 * t) + 0.01) * wave,
                (0.1 * exp(-2 * t) + 0.01) * wave, i < 2000 ? 2.5e-3 : 2.5e-4);
        if (i % 250 == 0)
            fprintf(to, "{\"step\": %d, \"set\": \"puppet_wild\", \"samples\": 40, \"scores\": {\"mpjpe_mm\": {\"value\": %g, \"baseline\": 200}, \"pckh\": %g}}\n", i, 90 + 200 * exp(-3 * t), 90 - 80 * exp(-3 * t));
    }
    fputs("{\"step\": 3001, \"lo", to); /* the process died here */
    fclose(to);
}

static void test_records(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("test");
    gn_records r;
    const char *path = gn_arena_text(a, "%s/metrics.jsonl", folder(a));
    write_records(path);
    OK(gn_records_read(a, path, &r));
    assert_int_equal(gn_records_find(&r, "loss")->n, 3000);
    assert_int_equal(gn_records_find(&r, "losses.depth")->n, 3000);
    assert_int_equal(gn_records_find(&r, "puppet_wild/pckh")->n, 12);
    NEAR(gn_records_find(&r, "puppet_wild/pckh")->x[11], 3000, 0);
    NEAR(gn_records_find(&r, "rate")->y[2999], 2.5e-4, 1e-12);
    assert_int_equal(r.n_span, 3);
    assert_string_equal(r.span[2].name, "geometry");
    FAILS(gn_records_read(a, "/nowhere/metrics.jsonl", &r), MISSING);
    FILE *to = fopen(path, "a");
    fputs("\n{\"step\": 4}\n", to), fclose(to);
    FAILS(gn_records_read(a, path, &r), BAD_DATA); /* a broken line that is not the last is named */
    assert_non_null(strstr(gn_reason(), "record 3013"));
    gn_arena_free(a);
}

/* Every element that must be closed is, in order. */
static void check_nesting(const char *page) {
    static const char *const needs_end[] = { "html", "head", "title", "style", "body", "main", "h1", "h2", "h3", "dl", "dt", "dd", "div", "figure", "figcaption", "svg", "g", "table", "pre", "details", "summary", "code", "b", "small", "span", "p" };
    char open[64][16];
    int depth = 0;
    for (const char *at = strchr(page, '<'); at; at = strchr(at + 1, '<')) {
        int end = at[1] == '/';
        char name[16] = "";
        sscanf(at + 1 + end, "%15[a-z0-9]", name);
        int known = 0;
        for (size_t i = 0; i < sizeof needs_end / sizeof *needs_end; i++) known |= !strcmp(name, needs_end[i]);
        if (!known) continue;
        if (!end) {
            assert_true(depth < 64);
            strcpy(open[depth++], name);
        } else {
            if (!depth || strcmp(open[depth - 1], name)) fail_msg("</%s> closes <%s>: %.60s", name, depth ? open[depth - 1] : "", at);
            depth--;
        }
    }
    assert_int_equal(depth, 0);
}

static void test_page(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("test");
    gn_meter *m;
    gn_section section = { .scores = { .set = "puppet_wild" }, .about = "made up for a test", .licence = "CC0", .n_row = 2 };
    gn_exhibit shown[2][4];
    gn_records r;
    fill(a, &m);
    OK(gn_meter_read(m, a, &section.scores));
    for (int w = 0; w < 2; w++) {
        for (int i = 0; i < 4; i++) show(a, m, w ? SAMPLES - 1 - i : SAMPLES / 2 + i, &shown[w][i]);
        section.row[w] = (gn_row){ w ? "Worst" : "Median", 4, shown[w] };
    }
    const char *records = gn_arena_text(a, "%s/metrics.jsonl", folder(a)), *path = gn_arena_text(a, "%s/report.html", folder(a));
    write_records(records);
    OK(gn_records_read(a, records, &r));
    gn_fact fact[] = { { "run", "20261121-010203-7f3a" }, { "weights", "0123456789abcdef" }, { "data", "<script>alert(1)</script>" } };
    gn_page page = { .title = "zhou2017 small", .subtitle = "a made-up run", .n_fact = 3, .fact = fact, .records = &r,
                     .n_section = 1, .section = &section, .experiment = "name: small\ndata: {batch: 8}\n" };
    FILE *to = fopen(path, "w");
    OK(gn_page_write(to, a, &page));
    fclose(to);
    void *bytes;
    size_t n;
    OK(gn_io_read(a, path, 64 << 20, &bytes, &n));
    const char *html = bytes;
    check_nesting(html);
    assert_null(strstr(html, "<script"));
    assert_null(strstr(html, "http:"));
    assert_null(strstr(html, "https:"));
    assert_null(strstr(html, "nan"));
    assert_null(strstr(html, "sample <7>"));
    assert_non_null(strstr(html, "sample &lt;7&gt; &amp; more"));
    for (int i = 0; i < section.scores.n; i++) assert_non_null(strstr(html, section.scores.score[i].metric->name));
    assert_non_null(strstr(html, "20261121-010203-7f3a"));
    int pictures = 0;
    for (const char *at = strstr(html, "data:image/png;base64,iVBORw0KGgo"); at; at = strstr(at + 1, "data:image/png;base64,iVBORw0KGgo")) pictures++;
    assert_int_equal(pictures, 16);
    gn_arena_free(a);
}

/* Every metric and its protocol, in lines that a terminal of a hundred columns holds. */
static void test_table(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("test");
    gn_meter *m;
    gn_scores s = { .set = "puppet_wild" };
    char *text;
    size_t n;
    fill(a, &m);
    OK(gn_meter_read(m, a, &s));
    FILE *to = open_memstream(&text, &n);
    gn_scores_print(&s, 1, to);
    gn_protocols_print(&s, to);
    fclose(to);
    for (const char *at = text; *at; at += strcspn(at, "\n") + 1) assert_true(strcspn(at, "\n") <= 100);
    const gn_score *c = gn_score_find(&s, "mpjpe_mm");
    NEAR(gn_score_ratio(c), c->value / c->baseline, 1e-12);
    assert_int_equal(gn_score_beats(c), c->value < c->baseline);
    const char *row = strstr(text, gn_arena_text(a, "%-18s %8.1f mm %8.1f mm  %5.2f  MPJPE, root-aligned\n", "mpjpe_mm", c->value, c->baseline,
                                                 c->value / c->baseline));
    assert_non_null(row);
    assert_non_null(strstr(row, "root aligned"));
    assert_true(isnan(gn_score_ratio(gn_score_find(&s, "upper_arm_mm")))); /* nothing constant to compare with */
    free(text);
    gn_arena_free(a);
}

static void test_base64(void **state) {
    (void)state;
    static const char *const pair[][2] = { { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" }, { "foobar", "Zm9vYmFy" } };
    for (int i = 0; i < 5; i++) {
        char *text;
        size_t n;
        FILE *to = open_memstream(&text, &n);
        gn_base64_write(to, pair[i][0], strlen(pair[i][0]));
        fclose(to);
        assert_string_equal(text, pair[i][1]);
        free(text);
    }
}

static int clean(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("test");
    if (!getenv("GN_KEEP")) OK(gn_io_remove(folder(a)));
    gn_arena_free(a);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base64),
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_page),
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, NULL, clean);
}
