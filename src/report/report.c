/* report.c - gathers what a run's page shows: records, scores of the best checkpoint, samples to look at. */
#include "gnomon/io.h"
#include "gnomon/json.h"
#include "gnomon/report.h"
#include "page.h"
#include "trained.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 3, EACH = 4, FACTS = 16 };

typedef struct { double error; int64_t sample; } ranked;

static int by_error(const void *a, const void *b) { /* what is not a number is worst */
    const ranked *x = a, *y = b;
    double p = isnan(x->error) ? INFINITY : x->error, q = isnan(y->error) ? INFINITY : y->error;
    return p != q ? (p > q) - (p < q) : (x->sample > y->sample) - (x->sample < y->sample);
}

static gn_status caption(gn_arena *a, const ranked *r, int64_t place, int64_t n, const gn_judged *t, gn_exhibit *x) {
    const char *unit = t->has3d && t->said.has_xyz ? "mm MPJPE" : "px in the picture";
    GN_TAKE_TEXT(x->caption, a, "sample %lld: %.1f %s, rank %lld of %lld", (long long)r->sample, r->error, unit,
                 (long long)place + 1, (long long)n);
    x->judged = t;
    return GN_OK;
}

/* Best, median and worst samples; want[sample] is where its pictures go. */
static gn_status choose(gn_arena *a, gn_section *s, gn_exhibit **want) {
    static const char *const title[ROWS] = { "Median samples", "Worst samples", "Best samples" };
    const gn_meter *m = s->scores.meter;
    const int64_t n = gn_meter_samples(m), each = n / ROWS < EACH ? n / ROWS : EACH;
    const int64_t first[ROWS] = { (n - each) / 2, n - each, 0 };
    ranked *rank;
    GN_TAKE(rank, a, n + 1);
    for (int64_t i = 0; i < n; i++) rank[i] = (ranked){ gn_judged_error(gn_meter_at(m, i), s->scores.skeleton), i };
    qsort(rank, (size_t)n, sizeof *rank, by_error);
    for (int r = 0; r < ROWS && each > 0; r++) {
        gn_row *row = &s->row[s->n_row++];
        *row = (gn_row){ .title = title[r], .n = (int)each };
        GN_TAKE(row->shown, a, each);
        for (int64_t i = 0; i < each; i++) {
            int64_t place = first[r] + (r == 1 ? each - 1 - i : i);
            GN_TRY(caption(a, &rank[place], place, n, gn_meter_at(m, rank[place].sample), &row->shown[i]));
            want[rank[place].sample] = &row->shown[i];
        }
    }
    return GN_OK;
}

static gn_status keep(gn_arena *a, const gn_trained *t, const gn_batch *b, int i, const gn_skeleton *k, gn_exhibit *x) {
    float *maps;
    int w, h;
    GN_TRY(gn_image_new(a, b->side, b->side, &x->picture));
    const float *from = b->image + (int64_t)i * b->side * b->side * 3;
    for (int p = 0; p < b->side * b->side * 3; p++)
        x->picture.rgb[p] = (uint8_t)(fminf(fmaxf(from[p], 0), 1) * 255 + 0.5f);
    GN_TRY(gn_decode_maps(t->last, t->graph, i, t->last->train.shards, k->joints, a, &w, &h, &maps));
    return gn_heat_picture(a, k, &x->picture, w, h, maps, &x->heat);
}

/* The set once more, for the pictures and maps of the chosen. */
static gn_status look(gn_arena *a, const gn_trained *t, gn_section *s, gn_exhibit *const *want) {
    const gn_experiment *e = t->last;
    const gn_texts sets = { 1, &s->scores.set };
    gn_loader_spec spec = { .root = e->data.root, .sets = &sets, .batch = e->data.batch, .side = e->data.input,
                            .threads = e->data.threads, .seed = (uint64_t)e->seed, .rules = e->data.labels, .skeleton = gn_experiment_skeleton(e) };
    gn_loader *l;
    gn_batch *b;
    if (!gn_graph_has_input(t->graph, "picture")) return GN_OK; /* poses alone */
    GN_TRY(gn_loader_open(a, &spec, &l));
    for (int64_t first = 0;; first += b->n) {
        int asked = 0;
        GN_TRY(gn_loader_next(l, &b));
        if (!b->n) return GN_OK;
        for (int i = 0; i < b->n; i++) asked |= want[first + i] != NULL;
        if (!asked) continue;
        GN_TRY(gn_ask(e, t->graph, t->pool, e->train.shards, s->scores.skeleton, b));
        for (int i = 0; i < b->n; i++)
            if (want[first + i]) GN_TRY(keep(a, t, b, i, s->scores.skeleton, want[first + i]));
    }
}

static gn_status sections(gn_arena *a, const gn_trained *t, gn_page *p) {
    const gn_texts *sets = &t->last->data.valid;
    gn_section *section;
    GN_TAKE(section, a, sets->n + 1);
    p->section = section;
    for (int i = 0; i < sets->n; i++) {
        gn_section *s = &section[p->n_section++];
        const gn_dataset *d = gn_dataset_find(sets->item[i]);
        gn_exhibit **want;
        GN_TRY(gn_evaluate(t->last, t->graph, t->pool, sets->item[i], a, &s->scores));
        GN_TRY(gn_scores_write(&s->scores, t->folder, a));
        if (d) s->about = d->about, s->licence = d->licence;
        GN_TAKE(want, a, gn_meter_samples(s->scores.meter) + 1);
        GN_TRY(choose(a, s, want));
        GN_TRY(look(a, t, s, want));
    }
    return GN_OK;
}

/* --- facts --- */

/* A small file of the run, or NULL where there is none. */
static gn_status text_of(gn_arena *a, const char *folder, const char *name, const char **text) {
    const char *path;
    void *bytes;
    size_t n;
    *text = NULL;
    GN_TAKE_TEXT(path, a, "%s/%s", folder, name);
    if (!gn_io_exists(path)) return GN_OK;
    GN_TRY(gn_io_read(a, path, 1 << 20, &bytes, &n));
    *text = bytes;
    return GN_OK;
}

static void fact(gn_page *p, gn_fact *list, const char *name, const char *text) {
    if (text && *text && p->n_fact < FACTS) list[p->n_fact++] = (gn_fact){ name, text };
    p->fact = list;
}

static gn_status status_line(gn_arena *a, const char *folder, const char **text) {
    const char *status;
    const gn_json *j;
    GN_TRY(text_of(a, folder, "status.json", &status));
    *text = NULL;
    if (!status) return GN_OK;
    GN_TRY(gn_json_parse(a, "status.json", status, strlen(status), &j));
    const char *why = gn_json_text(gn_json_find(j, "reason"), "");
    GN_TAKE_TEXT(*text, a, "%s, step %.0f of %.0f%s%s", gn_json_text(gn_json_find(j, "state"), "unknown"),
                 gn_json_number(gn_json_find(j, "step"), 0), gn_json_number(gn_json_find(j, "steps"), 0), *why ? ": " : "", why);
    return GN_OK;
}

/* Lines as one, with commas. */
static gn_status joined(gn_arena *a, const char *lines, const char **text) {
    *text = "";
    for (const char *at = lines; at && *at; at += strspn(at, "\n")) {
        int n = (int)strcspn(at, "\n");
        GN_TAKE_TEXT(*text, a, "%s%s%.*s", *text, **text ? ", " : "", n, at);
        at += n;
    }
    return GN_OK;
}

static gn_status facts(gn_arena *a, const char *folder, const gn_trained *t, gn_page *p) {
    const char *text, *slash = strrchr(folder, '/');
    gn_fact *list;
    GN_TAKE(list, a, FACTS);
    fact(p, list, "run", slash ? slash + 1 : folder);
    GN_TRY(status_line(a, folder, &text));
    fact(p, list, "state", text);
    if (t) {
        GN_TAKE_TEXT(text, a, "%016llx: best checkpoint, step %lld%s", (unsigned long long)t->weights,
                     (long long)t->at.step, t->last->train.ema > 0 ? ", averaged" : "");
        fact(p, list, "weights", text);
        GN_TAKE_TEXT(text, a, "%lld", (long long)gn_graph_sizes(t->graph).parameters);
        fact(p, list, "parameters", text);
    }
    GN_TRY(text_of(a, folder, "shards.txt", &text));
    fact(p, list, "shards", text);
    GN_TRY(text_of(a, folder, "build.txt", &text));
    GN_TRY(joined(a, text, &text));
    fact(p, list, "build", text);
    return GN_OK;
}

static gn_status write_page(gn_arena *a, const char *path, const gn_page *p) {
    char *html = NULL;
    size_t n = 0;
    FILE *to = open_memstream(&html, &n);
    if (!to) GN_FAIL(NO_MEMORY, "out of memory: %s", path);
    gn_status status = gn_page_write(to, a, p);
    if (fclose(to) && !status) status = gn_fail(GN_NO_MEMORY, __FILE__, __LINE__, "out of memory: %s", path);
    if (!status) status = gn_io_write(path, html, n);
    free(html);
    return status;
}

gn_status gn_report(const char *run, gn_arena *a, const char **page) {
    const char *folder, *records, *name;
    gn_trained trained, *t = NULL;
    gn_experiment *e;
    gn_records *r = NULL;
    gn_page p = { 0 };
    GN_TRY(gn_run_folder(a, run, &folder));
    GN_TAKE(e, a, 1);
    GN_TRY(gn_run_experiment(a, folder, e));
    gn_status status = gn_trained_open(a, folder, 0, &trained);
    if (status == GN_MISSING) gn_trail_clear(); /* a run without a checkpoint still has curves */
    else if (status) return gn_pass(status, __FILE__, __LINE__);
    else t = &trained;
    if (t) GN_TRY(sections(a, t, &p));
    GN_TRY(facts(a, folder, t, &p));
    GN_TAKE_TEXT(records, a, "%s/metrics.jsonl", folder);
    if (gn_io_exists(records)) {
        GN_TAKE(r, a, 1);
        GN_TRY(gn_records_read(a, records, r));
    }
    p.records = r;
    GN_TAKE_TEXT(name, a, "%s", e->name);
    p.title = name;
    p.subtitle = t ? "best checkpoint, on pictures it was not trained on" : "no checkpoint yet";
    GN_TRY(text_of(a, folder, "experiment.yaml", &p.experiment));
    GN_TAKE_TEXT(*page, a, "%s/report.html", folder);
    return write_page(a, *page, &p);
}
