/* From outputs of a network to joints and scores, and what people look at, on a run of a few steps. */
#include "near.h"
#include "gnomon/image.h"
#include "gnomon/io.h"
#include "gnomon/json.h"
#include "gnomon/log.h"
#include "gnomon/report.h"
#include "gnomon/train.h"
#include "src/report/trained.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/gnomon-test-evaluate-XXXXXX";
static const char *run;

static const char *in(gn_arena *a, const char *name) { return gn_arena_text(a, "%s/%s", folder, name); }

static const char experiment[] =
    "name: small\n"
    "data: {root: ROOT, train: [puppet_lab], valid: [puppet_lab], batch: 6, input: 64, puppet: {train: 24, valid: 20, size: 64, maps: true}}\n"
    "model: {plain: {width: 8, units: 1}}\n"
    "losses: {heatmap: {form: entropy}, depth: {mean: samples}}\n"
    "train: {steps: 6, shards: 2, optimizer: {adam: {rate: 1.0e-3}}, valid_every: 3, save_every: 3, log_every: 1}\n"
    "device: {workers: 2}\n";

static int train_once(void **state) {
    (void)state;
    static gn_arena *kept;
    kept = gn_arena_new("run");
    assert_non_null(mkdtemp(folder));
    gn_log_quiet(1);
    char *text = strdup(experiment), *root = strstr(text, "ROOT");
    FILE *to = fopen(in(kept, "small.yaml"), "w");
    fprintf(to, "%.*s%s/data%s", (int)(root - text), text, folder, root + 4);
    fclose(to), free(text);
    gn_experiment *e = gn_arena_take(kept, sizeof *e);
    gn_pool *pool;
    OK(gn_experiment_read(kept, in(kept, "small.yaml"), 0, NULL, e));
    OK(gn_pool_open(kept, 2, &pool));
    OK(gn_puppet_make(e->data.root, "puppet_lab", &e->data.puppet, pool));
    OK(gn_run_new(kept, e, in(kept, "runs"), &run));
    OK(gn_train(e, kept, run, 0));
    return 0;
}

static int clean(void **state) {
    (void)state;
    return getenv("GN_KEEP") ? 0 : gn_io_remove(folder) != GN_OK;
}

static gn_batch *first_batch(gn_arena *a, const gn_experiment *e) {
    static const char *const set = "puppet_lab";
    const char *name = set;
    gn_texts sets = { 1, &name };
    gn_loader_spec spec = { .root = e->data.root, .sets = &sets, .batch = e->data.batch, .side = e->data.input, .threads = 1, .rules = e->data.labels };
    gn_loader *l;
    gn_batch *b;
    OK(gn_loader_open(a, &spec, &l));
    OK(gn_loader_next(l, &b));
    return b;
}

/* The model made to say the truth: what is decoded must be the truth. */
static void test_decode(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("test");
    gn_trained t;
    OK(gn_trained_open(a, run, 0, &t));
    gn_batch *b = first_batch(a, t.last);
    OK(gn_batch_feed(b, t.graph, t.pool, 2));
    OK(gn_graph_forward(t.graph, GN_EVAL, 0));
    int maps = gn_graph_output_find(t.graph, "heatmap"), depth = gn_graph_output_find(t.graph, "depth"), inside = 0;
    const int J = gn_mpii16.joints, root = gn_mpii16.root;
    for (int i = 0; i < b->n; i++) {
        gn_tensor m = gn_graph_output(t.graph, maps, i % 2), z = gn_graph_output(t.graph, depth, i % 2);
        const gn_labels *y = &b->truth[i];
        for (int j = 0; j < J; j++) {
            double u = ((double)y->joints2d[2 * j] + 0.5) / 4 - 0.5, v = ((double)y->joints2d[2 * j + 1] + 0.5) / 4 - 0.5;
            for (int c = 0; c < 256; c++)
                ((float *)m.data)[gn_at(&m, i / 2, j, c / 16, c % 16)] = (float)(500 - ((c % 16 - u) * (c % 16 - u) + (c / 16 - v) * (c / 16 - v)) / 4.5);
            ((float *)z.data)[(i / 2) * J + j] = (float)((double)(y->joints3d[3 * j + 2] - y->joints3d[3 * root + 2]) * (double)y->camera[0] / (double)y->joints3d[3 * root + 2] / 32);
        }
    }
    gn_prediction said[6];
    OK(gn_decode(t.last, t.graph, b->n, 2, b->truth, said));
    for (int i = 0; i < b->n; i++) {
        const gn_labels *y = &b->truth[i];
        assert_true(said[i].has_uv && said[i].has_z && said[i].has_xyz);
        for (int j = 0; j < J; j++) {
            double u = (double)y->joints2d[2 * j], v = (double)y->joints2d[2 * j + 1];
            if (!(u > 4 && v > 4 && u < 59 && v < 59)) continue; /* a peak on the border is not moved */
            inside++;
            NEAR(said[i].uv[j][0], u, 1e-3);
            NEAR(said[i].uv[j][1], v, 1e-3);
            assert_true(said[i].confidence[j] > 0.05 && said[i].confidence[j] < 1);
            double u0 = (double)y->joints2d[2 * root], v0 = (double)y->joints2d[2 * root + 1];
            if (!(u0 > 4 && v0 > 4 && u0 < 59 && v0 < 59)) continue;
            for (int k = 0; k < 3; k++)
                NEAR(said[i].xyz[j][k], (double)y->joints3d[3 * j + k] - (double)y->joints3d[3 * root + k], 1e-3);
        }
    }
    assert_true(inside > 40);
    gn_arena_free(a);
}

/* Asked both ways, a model answers the mirror image with the mirrored answer; asked one way it does not. */
static void test_mirror(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("test");
    gn_trained t;
    OK(gn_trained_open(a, run, 0, &t));
    gn_batch *b = first_batch(a, t.last);
    const size_t row = (size_t)b->side * 3;
    double off[2] = { 0, 0 };
    for (int both = 0; both < 2; both++) {
        gn_experiment e = *t.last;
        gn_prediction as_it_is[6], mirrored[6];
        float *map[6], *map_mirrored[6];
        int w, h;
        e.data.flip_test = both;
        OK(gn_ask(&e, t.graph, t.pool, 2, &gn_mpii16, b));
        OK(gn_decode(&e, t.graph, b->n, 2, b->truth, as_it_is));
        for (int i = 0; i < b->n; i++) OK(gn_decode_maps(&e, t.graph, i, 2, gn_mpii16.joints, a, &w, &h, &map[i]));
        float *was = gn_arena_take(a, sizeof *was * row * (size_t)(b->n * b->side));
        memcpy(was, b->image, sizeof *was * row * (size_t)(b->n * b->side));
        for (size_t i = 0; i < row * (size_t)(b->n * b->side); i++) {
            size_t x = i % row / 3;
            b->image[i] = was[i - 3 * x + 3 * ((size_t)b->side - 1 - x)];
        }
        OK(gn_ask(&e, t.graph, t.pool, 2, &gn_mpii16, b));
        OK(gn_decode(&e, t.graph, b->n, 2, b->truth, mirrored));
        for (int i = 0; i < b->n; i++) OK(gn_decode_maps(&e, t.graph, i, 2, gn_mpii16.joints, a, &w, &h, &map_mirrored[i]));
        memcpy(b->image, was, sizeof *was * row * (size_t)(b->n * b->side));
        for (int i = 0; i < b->n; i++)
            for (int j = 0; j < gn_mpii16.joints; j++) {
                int m = gn_mpii16.mirror[j];
                for (int c = 0; c < w * h; c++)
                    off[both] = fmax(off[both], fabs((double)map[i][j * w * h + c] - (double)map_mirrored[i][m * w * h + c / w * w + w - 1 - c % w]));
                off[both] = fmax(off[both], fabs(as_it_is[i].z[j] - mirrored[i].z[m]));
            }
    }
    NEAR(off[1], 0, 1e-5);
    assert_true(off[0] > 0.01);
    gn_arena_free(a);
}

static void scores_with(gn_arena *a, int batch, gn_scores *s) {
    gn_trained t;
    OK(gn_trained_open(a, run, batch, &t));
    OK(gn_evaluate(t.last, t.graph, t.pool, "puppet_lab", a, s));
}

static void test_batch_does_not_matter(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("test");
    gn_scores one, other;
    scores_with(a, 0, &one), scores_with(a, 7, &other);
    assert_int_equal(one.samples, 20);
    assert_int_equal(one.n, other.n);
    assert_true(one.n == 17);
    for (int i = 0; i < one.n; i++) {
        assert_memory_equal(&one.score[i].value, &other.score[i].value, sizeof(double));
        assert_memory_equal(&one.score[i].baseline, &other.score[i].baseline, sizeof(double));
    }
    gn_arena_free(a);
}

static const char *text_of(gn_arena *a, const char *path) {
    void *bytes;
    size_t n;
    OK(gn_io_read(a, path, 64 << 20, &bytes, &n));
    return bytes;
}

static void test_report(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("test");
    const char *page;
    const gn_json *j;
    OK(gn_report(run, a, &page));
    const char *html = text_of(a, page);
    assert_non_null(strstr(html, "Median samples"));
    assert_non_null(strstr(html, "Worst samples"));
    assert_non_null(strstr(html, "Training loss"));
    assert_null(strstr(html, "nothing recorded"));
    const char *scores = gn_arena_text(a, "%s/eval/puppet_lab@valid.json", run), *text = text_of(a, scores);
    OK(gn_json_parse(a, scores, text, strlen(text), &j));
    const gn_json *metrics = gn_json_find(j, "metrics");
    assert_int_equal(metrics->n, 17);
    assert_string_equal(gn_json_find(j, "root")->text, "pelvis");
    assert_non_null(gn_json_find(gn_json_find(metrics, "mpjpe_mm"), "protocol"));
    assert_int_equal(gn_json_find(gn_json_find(metrics, "mpjpe_mm"), "joint")->n, 16);
    gn_arena_free(a);
}

static void test_runs(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("test");
    char *text;
    size_t n;
    FILE *to = open_memstream(&text, &n);
    OK(gn_runs_list(to, in(a, "runs"), a));
    OK(gn_runs_show(to, run, a));
    fclose(to);
    assert_non_null(strstr(text, strrchr(run, '/') + 1));
    assert_non_null(strstr(text, "6/6"));
    assert_non_null(strstr(text, "pckh "));
    assert_non_null(strstr(text, "puppet_lab/train.h5"));
    free(text);
    FAILS(gn_runs_list(stdout, "/nowhere", a), MISSING);
    gn_arena_free(a);
}

static void put(gn_arena *a, const char *below, const char *name, const char *text) {
    OK(gn_io_folder(in(a, below)));
    OK(gn_io_write(gn_arena_text(a, "%s/%s/%s", folder, below, name), text, strlen(text)));
}

/* A run stopped in its first stage has the best of that stage, by the metric of that stage. */
static void test_best_of_a_stage(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("test");
    char *text;
    size_t n;
    put(a, "half/x/1", "experiment.yaml",
        "data: {train: [puppet_lab], valid: [puppet_lab], input: 64}\nmodel: {plain: {}}\nlosses: {heatmap: {}}\n"
        "train: {best: mpjpe_mm, stages: {flat: {train.best: pckh}, deep: {train.steps: 2}}}\n");
    put(a, "half/x/1/checkpoint", "best", "step_00000006\n");
    put(a, "half/x/1/checkpoint/step_00000006", "state.json", "{\"stage\": 0, \"best\": 1.25}\n");
    FILE *to = open_memstream(&text, &n);
    OK(gn_runs_list(to, in(a, "half"), a));
    fclose(to);
    if (!strstr(text, "pckh 1.25")) fail_msg("%s", text);
    free(text);
    gn_arena_free(a);
}

static void test_sheet_and_predict(void **state) {
    (void)state;
    gn_arena *a = gn_arena_new("test");
    gn_image picture, sheet;
    const gn_json *j;
    OK(gn_sheet(in(a, "data/puppet_lab/valid.h5"), 3, 2, in(a, "sheet.png"), a));
    OK(gn_image_read(a, in(a, "sheet.png"), &sheet));
    assert_true(sheet.w > 9 * 200 && sheet.h > 2 * 200); /* three tiles a sample: picture, depth, parts */
    FAILS(gn_sheet(in(a, "data/puppet_lab/valid.h5"), 0, 2, in(a, "sheet.png"), a), BAD_USAGE);

    OK(gn_predict_sheet(run, in(a, "data/puppet_lab/valid.h5"), 3, in(a, "strip.png"), a));
    OK(gn_image_read(a, in(a, "strip.png"), &sheet));
    assert_int_equal(sheet.w, 8 + 3 * 248);
    assert_true(sheet.h > 2 * 240); /* pictures, and poses in space below */
    int pale = 0;
    for (int p = 0; p < sheet.w * (sheet.h - 28); p++) pale += sheet.rgb[3 * p] == 104 && sheet.rgb[3 * p + 2] == 126;
    assert_true(pale > 200); /* the truth is there */
    FAILS(gn_predict_sheet(run, in(a, "data/puppet_lab/valid.h5"), 0, in(a, "strip.png"), a), BAD_USAGE);

    OK(gn_image_new(a, 300, 200, &picture));
    OK(gn_io_folder(in(a, "pictures")));
    OK(gn_png_write(in(a, "pictures/grey.png"), &picture));
    OK(gn_predict(run, in(a, "pictures"), NULL, in(a, "out"), a));
    const char *text = text_of(a, in(a, "out/grey.json"));
    OK(gn_json_parse(a, "grey.json", text, strlen(text), &j));
    assert_int_equal(gn_json_find(j, "joints")->n, 16);
    assert_int_equal(gn_json_find(j, "bones")->n, gn_mpii16.bones);
    NEAR(gn_json_find(j, "box")->item[0].number, 50, 0); /* the middle square */
    NEAR(gn_json_find(j, "box")->item[2].number, 200, 0);
    const gn_json *pelvis = gn_json_find(gn_json_find(j, "joints"), "pelvis");
    for (int k = 0; k < 3; k++) NEAR(gn_json_find(pelvis, "xyz")->item[k].number, 0, 0);
    assert_true(gn_io_exists(in(a, "out/grey.png")));
    const double box[4] = { 10, 20, 60, 100 };
    OK(gn_predict(run, in(a, "pictures/grey.png"), box, in(a, "out"), a));
    text = text_of(a, in(a, "out/grey.json"));
    OK(gn_json_parse(a, "grey.json", text, strlen(text), &j));
    NEAR(gn_json_find(j, "box")->item[0].number, -10, 0); /* made square about its middle */
    FAILS(gn_predict(run, in(a, "none.png"), NULL, in(a, "out"), a), MISSING);
    FAILS(gn_predict(run, in(a, "pictures/grey.png"), NULL, in(a, "pictures"), a), BAD_USAGE);
    gn_arena_free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decode), cmocka_unit_test(test_mirror), cmocka_unit_test(test_batch_does_not_matter), cmocka_unit_test(test_report),
        cmocka_unit_test(test_runs), cmocka_unit_test(test_best_of_a_stage),
        cmocka_unit_test(test_sheet_and_predict),
    };
    return cmocka_run_group_tests(tests, train_once, clean);
}
