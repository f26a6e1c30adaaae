/* test_import.c - what holds for every format: the lens, the crop, the confined child, and what becomes of a sample. */
#include "gnomon/dataset.h"
#include "gnomon/image.h"
#include "gnomon/import.h"
#include "gnomon/io.h"
#include "near.h"
#include "src/import/confine.h"
#include "src/import/sink.h"
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char root[] = "/tmp/gnomon_import_XXXXXX";
static gn_arena *arena;

static const char *below(const char *name) { return gn_arena_text(arena, "%s/%s", root, name); }

/* --- the lens --- */

/* Panoptic's camera 00_00, as its owner measured it. */
static const gn_lens bent = { { 1395.91, 1392.49 }, { 951.559, 561.251 }, { -0.286227, 0.183081, -0.0355 }, { -0.00067, 0.000163 }, 0 };

static void test_lens_there_and_back(void **state) {
    (void)state;
    for (int t = 1; t <= 2; t++) {
        gn_lens l = bent;
        l.tangent = t;
        for (int u = 100; u < 1900; u += 200)
            for (int v = 50; v < 1050; v += 100) {
                double seen[2] = { u, v }, straight[2], again[2];
                gn_lens_straighten(&l, seen, straight);
                gn_lens_bend(&l, straight, again);
                NEAR(again[0], u, 1e-6);
                NEAR(again[1], v, 1e-6);
                const double z = 3, xyz[3] = { (straight[0] - l.c[0]) / l.f[0] * z, (straight[1] - l.c[1]) / l.f[1] * z, z };
                gn_lens_project(&l, xyz, again);
                NEAR(again[0], u, 1e-6);
                NEAR(again[1], v, 1e-6);
            }
    }
}

/* By hand, OpenCV's formula and Human3.6M's: they differ in the tangential part alone. */
static void test_lens_forms(void **state) {
    (void)state;
    gn_lens l = { { 1000, 1000 }, { 0, 0 }, { 0, 0, 0 }, { 0.01, 0.02 }, 0 };
    const double xyz[3] = { 0.3, 0.2, 1 }, r2 = 0.13;
    double uv[2];
    gn_lens_project(&l, xyz, uv);
    NEAR(uv[0], 1000 * (0.3 + 2 * 0.01 * 0.3 * 0.2 + 0.02 * (r2 + 2 * 0.09)), 1e-9);
    NEAR(uv[1], 1000 * (0.2 + 2 * 0.02 * 0.3 * 0.2 + 0.01 * (r2 + 2 * 0.04)), 1e-9);
    l.tangent = 1;
    gn_lens_project(&l, xyz, uv);
    const double along = 0.01 * 0.2 + 0.02 * 0.3;
    NEAR(uv[0], 1000 * (0.3 * (1 + along) + 0.02 * r2), 1e-9);
    NEAR(uv[1], 1000 * (0.2 * (1 + along) + 0.01 * r2), 1e-9);
}

/* --- the crop --- */

static void test_crop_keeps_places(void **state) {
    (void)state;
    enum { W = 300, H = 200, S = 64 };
    gn_image in = { W, H, gn_arena_take(arena, 3 * W * H) };
    uint8_t out[3 * S * S];
    const double square[3] = { 180.3, 90.7, 96 }, spot[2] = { 200, 100 };
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) in.rgb[3 * (y * W + x)] = hypot(x - spot[0], y - spot[1]) < 6 ? 250 : 0;
    gn_crop_picture(&in, NULL, square, S, out);
    double uv[2] = { spot[0], spot[1] }, sum = 0, at[2] = { 0 };
    gn_crop_point(square, S, uv);
    for (int i = 0; i < S * S; i++) {
        sum += out[3 * i];
        at[0] += out[3 * i] * (i % S), at[1] += out[3 * i] * (double)(i / S);
    }
    NEAR(at[0] / sum, uv[0], 0.05);
    NEAR(at[1] / sum, uv[1], 0.05);
}

static void test_crop_of_one_scale_is_a_copy(void **state) {
    (void)state;
    enum { W = 40, H = 30, S = 16 };
    gn_image in = { W, H, gn_arena_take(arena, 3 * W * H) };
    uint16_t deep[W * H], flat[S * S];
    uint8_t out[3 * S * S];
    for (int i = 0; i < 3 * W * H; i++) in.rgb[i] = (uint8_t)(7 * i);
    for (int i = 0; i < W * H; i++) deep[i] = (uint16_t)(1000 + i);
    const double square[3] = { 12.5, 9.5, S }; /* pixels 5 to 20, 2 to 17 */
    gn_crop_picture(&in, NULL, square, S, out);
    gn_crop_depth(deep, W, H, NULL, square, S, flat);
    for (int y = 0; y < S; y++)
        for (int x = 0; x < S; x++) {
            const int from = (y + 2) * W + x + 5;
            for (int c = 0; c < 3; c++) assert_int_equal(out[3 * (y * S + x) + c], in.rgb[3 * from + c]);
            assert_int_equal(flat[y * S + x], deep[from]);
        }
}

/* --- the child --- */

static gn_status crash(void *what) {
    (void)what;
    raise(SIGSEGV);
    return GN_OK;
}
static gn_status hang(void *what) {
    (void)what;
    while (pause()) continue;
    return GN_OK;
}
static gn_status leave(void *what) {
    (void)what;
    _exit(7);
    return GN_OK;
}
static gn_status object(void *what) { GN_FAIL(BAD_DATA, "%s is wrong", (const char *)what); }
#ifndef SANITIZED /* address space is not limited there */
static gn_status spend(void *what) {
    const size_t most = (size_t)1 << 34;
    char *p = malloc(most);
    (void)what;
    if (!p) GN_FAIL(NO_MEMORY, "out of memory, as it should be");
    free(p);
    return GN_OK;
}
#endif
static int cleaned;
static void count(void *what, int child) {
    (void)what;
    cleaned += child > 0;
}

static void expect(const char *part) {
    if (!strstr(gn_reason(), part)) fail_msg("'%s' does not say '%s'", gn_reason(), part);
    if (strchr(gn_reason(), '\n')) fail_msg("'%s' is more than a line", gn_reason());
    gn_trail_clear();
}

static void test_child(void **state) {
    (void)state;
    const gn_limits l = { 60, INT64_C(1) << 33 }, short_time = { 0.3, INT64_C(1) << 33 };
    cleaned = 0;
    FAILS(gn_confined("F", l, crash, count, NULL), BAD_DATA);
#ifndef SANITIZED /* which turns the signal into an exit */
    expect("F: whoever reads it dies: Segmentation fault");
#endif
    FAILS(gn_confined("F", short_time, hang, count, NULL), BAD_DATA);
    expect("F: not read within 0.3 seconds");
    FAILS(gn_confined("F", l, leave, count, NULL), BAD_DATA);
    expect("F: whoever reads it ends without a word, status 7");
    FAILS(gn_confined("F", l, object, count, (void *)(uintptr_t)"G"), BAD_DATA);
    expect("G is wrong");
    assert_int_equal(cleaned, 4);
#ifndef SANITIZED
    FAILS(gn_confined("F", l, spend, NULL, NULL), NO_MEMORY);
    expect("as it should be");
#endif
}

/* --- samples --- */

static void write_text(const char *path, const char *text) { OK(gn_io_write(path, text, strlen(text))); }

/* Two lines of a person whose 25 joints stand in a column; joint 3 inferred, joint 4 not tracked. */
static const char *kinect_text(double wrong) {
    char text[8192], *at = text;
    for (int f = 0; f < 2; f++) {
        at += sprintf(at, "%d,", 1000 * f);
        for (int j = 0; j < 25; j++) at += sprintf(at, "%g,%g,%g,%d,", 0.01 * j, 0.5 - 0.02 * j, 2.0 + f + (j == 5 ? wrong : 0), j == 3 ? 1 : j == 4 ? 0 : 2);
        at += sprintf(at, "\r\n");
    }
    return gn_arena_text(arena, "%s", text);
}

static gn_status import(const char *format, const char *source, const char *out, int keep) {
    const gn_import from = { .format = format, .source = source, .out = out, .keep = keep, .size = 64, .every = 1, .seconds = 60,
                             .memory = INT64_C(1) << 33 };
    FILE *quiet = fopen("/dev/null", "w");
    gn_status status = gn_import_run(quiet, &from, arena);
    fclose(quiet);
    return status;
}

static void test_kinect(void **state) {
    (void)state;
    const char *csv = below("two.csv"), *out = below("kinect");
    write_text(csv, kinect_text(0));
    OK(import("kinect", csv, out, GN_KEEP_NONE));
    gn_shard *s;
    int xyz, flags, take;
    OK(gn_shard_open(arena, gn_arena_text(arena, "%s/train.h5", out), &s));
    assert_int_equal(gn_shard_samples(s), 2);
    assert_non_null(gn_shard_find(s, "joints3d", &xyz));
    assert_non_null(gn_shard_find(s, "labelled3d", &flags));
    assert_non_null(gn_shard_find(s, "take", &take));
    const float *x = gn_shard_at(s, xyz, 1);
    const uint8_t *there = gn_shard_at(s, flags, 1);
    NEAR(x[3 * 7], -0.07, 1e-6); /* the sensor's left is the picture's right, and up is not down */
    NEAR(x[3 * 7 + 1], -0.36, 1e-6);
    NEAR(x[3 * 7 + 2], 3, 1e-6);
    for (int j = 0; j < 25; j++) assert_int_equal(there[j], j != 3 && j != 4);
    assert_string_equal(gn_shard_at(s, take, 0), "two.csv");
    assert_false(gn_io_exists(gn_arena_text(arena, "%s/valid.h5", out)));
}

static void test_wrong_sources(void **state) {
    (void)state;
    const char *csv = below("wrong.csv"), *out = below("wrong");
    FAILS(import("kinekt", csv, out, GN_KEEP_NONE), BAD_USAGE);
    expect("did you mean 'kinect'?");
    FAILS(import("kinect", below("nowhere.csv"), out, GN_KEEP_NONE), MISSING);
    expect("no such file");
    write_text(csv, "1,2,3\n");
    FAILS(import("kinect", csv, out, GN_KEEP_NONE), BAD_DATA);
    expect("wrong.csv:1:");
    write_text(csv, kinect_text(2000)); /* one joint two kilometres away, in both frames: its bones are no person's */
    FAILS(import("kinect", csv, out, GN_KEEP_NONE), BAD_DATA);
    expect("not a person in metres");
    write_text(csv, "");
    FAILS(import("kinect", csv, out, GN_KEEP_NONE), BAD_DATA);
    expect("holds no labelled sample");
    assert_false(gn_io_exists(gn_arena_text(arena, "%s/train.h5", out)));
}

/* A sample with everything, put by a test that plays the importer. */
static gn_import_sample whole(void) {
    gn_import_sample x = { .take = "t", .group = -1, .w = 640, .h = 480, .has = GN_HAS_joints2d | GN_HAS_joints3d | GN_HAS_camera | GN_HAS_pose_of_view,
                           .lens = { { 500, 500 }, { 320, 240 }, { -0.1, 0, 0 }, { 0, 0 }, 0 }, .pose_of_view = { 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0 } };
    for (int j = 0; j < gn_kinect25.joints; j++) {
        const double at[3] = { 0.02 * j - 0.2, 0.03 * j - 0.3, 3 };
        memcpy(x.joints3d[j], at, sizeof at);
        gn_lens_project(&x.lens, at, x.joints2d[j]);
        x.labelled2d[j] = x.labelled3d[j] = 1;
    }
    return x;
}

static gn_sink *sink_of(const gn_import *from, gn_importer *as) {
    gn_sink *s;
    *as = (gn_importer){ .name = "test", .about = "a test", .skeleton = &gn_kinect25, .pixels = 2 };
    OK(gn_sink_open(arena, fopen("/dev/null", "w"), from, as, &s));
    return s;
}

static void test_what_becomes_of_a_sample(void **state) {
    (void)state;
    const gn_import from = { .source = "test", .out = below("whole"), .keep = GN_KEEP_NONE, .size = 64, .every = 1 };
    gn_importer as;
    gn_sink *s = sink_of(&from, &as);
    gn_import_sample x = whole();
    OK(gn_sink_put(s, &x));
    x.joints3d[3][1] = NAN, x.labelled2d[4] = 0;
    OK(gn_sink_put(s, &x));
    OK(gn_sink_finish(s));
    gn_shard *d;
    int uv, xyz, in2d, in3d, camera;
    OK(gn_shard_open(arena, below("whole/train.h5"), &d));
    assert_non_null(gn_shard_find(d, "joints2d", &uv));
    assert_non_null(gn_shard_find(d, "joints3d", &xyz));
    assert_non_null(gn_shard_find(d, "labelled2d", &in2d));
    assert_non_null(gn_shard_find(d, "labelled3d", &in3d));
    assert_non_null(gn_shard_find(d, "camera", &camera));
    for (int i = 0; i < 2; i++) {
        const float *k = gn_shard_at(d, camera, i), *u = gn_shard_at(d, uv, i), *p = gn_shard_at(d, xyz, i);
        const uint8_t *two = gn_shard_at(d, in2d, i), *three = gn_shard_at(d, in3d, i);
        for (int j = 0; j < gn_kinect25.joints; j++) {
            assert_int_equal(three[j], !(i == 1 && j == 3));
            assert_int_equal(two[j], !(i == 1 && j == 4));
            if (!two[j] || !three[j]) continue; /* straight now: the shard's camera is a pinhole */
            NEAR(u[2 * j], k[0] * p[3 * j] / p[3 * j + 2] + k[2], 1e-2);
            NEAR(u[2 * j + 1], k[1] * p[3 * j + 1] / p[3 * j + 2] + k[3], 1e-2);
        }
    }
}

static void test_what_is_refused(void **state) {
    (void)state;
    const gn_import from = { .source = "test", .out = below("refused"), .keep = GN_KEEP_NONE, .size = 64, .every = 1 };
    gn_importer as;
    gn_import_sample x = whole();
    x.pose_of_view[0] = -1;
    FAILS(gn_sink_put(sink_of(&from, &as), &x), BAD_DATA);
    expect("mirrors");
    x = whole();
    x.pose_of_view[0] = 0.5;
    FAILS(gn_sink_put(sink_of(&from, &as), &x), BAD_DATA);
    expect("rotation is none");
    x = whole();
    x.pose_of_view[3] = NAN; /* of the translation, which no product of rows sees */
    FAILS(gn_sink_put(sink_of(&from, &as), &x), BAD_DATA);
    expect("no number");
    x = whole();
    x.has |= GN_HAS_head_size;
    FAILS(gn_sink_put(sink_of(&from, &as), &x), BAD_DATA);
    expect("a head of 0 pixels");
    x = whole();
    x.lens.f[0] = 0;
    FAILS(gn_sink_put(sink_of(&from, &as), &x), BAD_DATA);
    expect("focal lengths");
    x = whole();
    for (int j = 0; j < gn_kinect25.joints; j++) x.joints2d[j][0] += 10; /* the camera is another's */
    gn_sink *s = sink_of(&from, &as);
    OK(gn_sink_put(s, &x));
    FAILS(gn_sink_finish(s), BAD_DATA);
    expect("lies 10.0 px from the stored 2D");
    x = whole();
    for (int j = 0; j < gn_kinect25.joints; j++) x.joints3d[j][2] = -3;
    s = sink_of(&from, &as);
    OK(gn_sink_put(s, &x));
    FAILS(gn_sink_finish(s), BAD_DATA);
    expect("25 of 25 labelled joints lie behind their camera");
    x = whole();
    snprintf(x.picture, sizeof x.picture, "nowhere.png");
    const gn_import pictured = { .source = root, .out = below("refused"), .keep = GN_KEEP_RAW, .size = 64, .every = 1 };
    FAILS(gn_sink_put(sink_of(&pictured, &as), &x), MISSING);
    expect("no such picture");
}

/* A picture kept raw and as JPEG: the same crop, and joints where they were drawn. */
static void test_pictures(void **state) {
    (void)state;
    gn_image picture;
    OK(gn_image_new(arena, 640, 480, &picture));
    gn_import_sample x = whole();
    x.lens.k[0] = 0;
    for (int j = 0; j < gn_kinect25.joints; j++) gn_lens_project(&x.lens, x.joints3d[j], x.joints2d[j]);
    gn_draw_dot(&picture, x.joints2d[7][0], x.joints2d[7][1], 5, (gn_colour){ 255, 255, 255 });
    OK(gn_png_write(below("dot.png"), &picture));
    snprintf(x.picture, sizeof x.picture, "dot.png");
    x.box[0] = 200, x.box[1] = 100, x.box[2] = 200, x.box[3] = 240;
    const char *bytes[2] = { "image", "jpeg" };
    for (int keep = 0; keep < 2; keep++) {
        const gn_import from = { .source = root, .out = below(bytes[keep]), .keep = keep, .size = 128, .every = 1 };
        gn_importer as;
        gn_sink *s = sink_of(&from, &as);
        OK(gn_sink_put(s, &x));
        OK(gn_sink_finish(s));
        gn_shard *d;
        int image, uv, n;
        OK(gn_shard_open(arena, gn_arena_text(arena, "%s/train.h5", from.out), &d));
        assert_non_null(gn_shard_find(d, bytes[keep], &image));
        assert_non_null(gn_shard_find(d, "joints2d", &uv));
        gn_image crop = { 128, 128, (uint8_t *)(uintptr_t)gn_shard_at(d, image, 0) };
        if (keep) assert_non_null(gn_shard_find(d, "jpeg_bytes", &n));
        if (keep) OK(gn_jpeg_decode(arena, crop.rgb, *(const uint32_t *)gn_shard_at(d, n, 0), &crop));
        double sum = 0, at[2] = { 0 };
        for (int i = 0; i < 128 * 128; i++) {
            const double v = crop.rgb[3 * i] > 40 ? crop.rgb[3 * i] : 0;
            if (hypot(i % 128, i / 128) < 3) continue;
            sum += v, at[0] += v * (i % 128), at[1] += v * (i / 128);
        }
        const float *p = gn_shard_at(d, uv, 0);
        NEAR(at[0] / sum, p[14], 0.2);
        NEAR(at[1] / sum, p[15], 0.2);
    }
}

static int begin(void **state) {
    (void)state;
    arena = gn_arena_new("test_import");
    return !arena || !mkdtemp(root);
}
static int end(void **state) {
    (void)state;
    gn_arena_free(arena);
    return gn_io_remove(root) != GN_OK;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lens_there_and_back), cmocka_unit_test(test_lens_forms),       cmocka_unit_test(test_crop_keeps_places),
        cmocka_unit_test(test_crop_of_one_scale_is_a_copy), cmocka_unit_test(test_child),    cmocka_unit_test(test_kinect),
        cmocka_unit_test(test_wrong_sources), cmocka_unit_test(test_what_becomes_of_a_sample), cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_pictures),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
