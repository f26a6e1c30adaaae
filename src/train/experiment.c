/* experiment.c - an experiment from its file and the command line, and back.
 *
 * A stage is the whole experiment with a few keys changed: its overrides are merged into a copy of the
 * tree, which is then bound and checked like any other. */
#include "src/train/rows.h"
#include "gnomon/hash.h"
#include "gnomon/io.h"
#include "gnomon/metric.h"
#include <stdlib.h>
#include <string.h>

enum { STAGES = 32 };

/* Where a key stands; when the file leaves it out, the file. */
static const char *place(const gn_experiment *e, const char *path) {
    const gn_yaml *y = gn_yaml_find(e->tree, path);
    return gn_yaml_place(y ? y : e->tree);
}

static const char *item_place(const gn_experiment *e, const char *path, int i) {
    const gn_yaml *y = gn_yaml_find(e->tree, path);
    return gn_yaml_place(!y ? e->tree : i < y->n ? y->child[i] : y);
}

/* What is active, and where each loss keeps what. */
static gn_status gather_losses(gn_arena *a, gn_experiment *e) {
    GN_TAKE(e->loss, a, e->losses.n + 1);
    for (int i = 0; i < e->losses.n; i++) {
        gn_loss_use *use = e->losses.item[i].options;
        const gn_loss *l = use->loss = e->losses.item[i].entry->what;
        use->options = (char *)use + gn_loss_use_bytes();
        if (!use->reads.n) {
            GN_TAKE(use->reads.item, a, 4);
            for (; use->reads.n < 4 && l->reads[use->reads.n]; use->reads.n++)
                use->reads.item[use->reads.n] = l->reads[use->reads.n];
        }
        if (use->weight != 0) e->loss[e->n_loss++] = *use;
    }
    return GN_OK;
}

static gn_status check_sets(const gn_experiment *e, const char *path, const gn_texts *sets) {
    const char *known[128];
    int n = 0;
    for (; gn_datasets[n] && n < 128; n++) known[n] = gn_datasets[n]->name;
    const gn_dataset *first = NULL;
    for (int i = 0; i < sets->n; i++) {
        const gn_dataset *d = gn_dataset_find(sets->item[i]);
        const char *near = d ? NULL : gn_nearest(sets->item[i], n, known);
        if (!d)
            GN_FAIL(BAD_CONFIG, "%s: %s: unknown data set '%s'%s%s%s", item_place(e, path, i), path,
                    gn_shown(sets->item[i]), near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
        if (!first) first = d;
        if (d->skeleton != first->skeleton && !e->data.skeleton[0])
            GN_FAIL(BAD_CONFIG, "%s: %s: '%s' has the skeleton %s, '%s' has %s; data.skeleton names the one that all are mapped to",
                    item_place(e, path, i), path, d->name, d->skeleton->name, first->name, first->skeleton->name);
    }
    return GN_OK;
}

static gn_status check_skeleton(const gn_experiment *e) {
    const char *known[64];
    int n = 0;
    if (!e->data.skeleton[0] || gn_skeleton_find(e->data.skeleton)) return GN_OK;
    for (; gn_skeletons[n] && n < 64; n++) known[n] = gn_skeletons[n]->name;
    const char *near = gn_nearest(e->data.skeleton, n, known);
    GN_FAIL(BAD_CONFIG, "%s: data.skeleton: unknown skeleton '%s'%s%s%s", place(e, "data.skeleton"), gn_shown(e->data.skeleton),
            near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

const gn_skeleton *gn_experiment_skeleton(const gn_experiment *e) {
    const gn_experiment *first = e->n_stage ? &e->stage[0] : e;
    const gn_skeleton *named = gn_skeleton_find(first->data.skeleton);
    return named ? named : gn_dataset_find(first->data.train.item[0])->skeleton;
}

static gn_status check_losses(const gn_experiment *e) {
    if (!e->n_loss) GN_FAIL(BAD_CONFIG, "%s: losses: none with a weight above 0", place(e, "losses"));
    for (int i = 0; i < e->n_loss; i++) {
        const gn_loss_use *use = &e->loss[i];
        char path[80];
        snprintf(path, sizeof path, "losses.%s.reads", use->loss->name);
        int most = 0, map = use->loss->width[0] == 0;
        while (most < 4 && use->loss->reads[most]) most++;
        if (map) most = GN_READS; /* as many stacks as there are */
        if (use->reads.n < use->loss->least || use->reads.n > most)
            GN_FAIL(BAD_CONFIG, "%s: %s: %d outputs; expected %d to %d", place(e, path), path, use->reads.n, use->loss->least, most);
    }
    return GN_OK;
}

/* What no single row can say. */
static gn_status check(const gn_experiment *e) {
    if (e->data.batch % e->train.shards)
        GN_FAIL(BAD_CONFIG, "%s: train.shards: %d do not divide data.batch %d", place(e, "train.shards"), e->train.shards, e->data.batch);
    if (!e->data.train.n) GN_FAIL(BAD_CONFIG, "%s: data.train: names no data set", place(e, "data.train"));
    GN_TRY(check_skeleton(e));
    GN_TRY(check_sets(e, "data.train", &e->data.train));
    GN_TRY(check_sets(e, "data.valid", &e->data.valid));
    GN_TRY(check_sets(e, "data.augment.sets", &e->data.augment.sets));
    int64_t all = 0;
    for (int i = 0; i < e->data.mix.n; i++) all += e->data.mix.item[i];
    if (e->data.mix.n && (e->data.mix.n != e->data.train.n || !all))
        GN_FAIL(BAD_CONFIG, "%s: data.mix: %d shares, not all 0, are needed for the %d sets of data.train; found %d",
                place(e, "data.mix"), e->data.train.n, e->data.train.n, e->data.mix.n);
    for (int i = 1; i < e->train.drops.n; i++)
        if (e->train.drops.item[i] <= e->train.drops.item[i - 1])
            GN_FAIL(BAD_CONFIG, "%s: train.drops: must rise", item_place(e, "train.drops", i));
    if (!gn_metric_find(e->train.best)) {
        const char *known[64];
        int n = 0;
        for (; gn_metrics[n] && n < 64; n++) known[n] = gn_metrics[n]->name;
        const char *near = gn_nearest(e->train.best, n, known);
        GN_FAIL(BAD_CONFIG, "%s: train.best: unknown metric '%s'%s%s%s", place(e, "train.best"), gn_shown(e->train.best),
                near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    }
    return check_losses(e);
}

static gn_status name_of_file(gn_arena *a, const char *file, const char **name) {
    const char *base = strrchr(file, '/');
    base = base ? base + 1 : file;
    const char *dot = strrchr(base, '.');
    GN_TAKE_TEXT(*name, a, "%.*s", (int)(dot && dot > base ? dot - base : (long)strlen(base)), base);
    return GN_OK;
}

static gn_status bind(gn_arena *a, const gn_option *rows, gn_yaml *tree, const char *file, gn_experiment *e) {
    *e = (gn_experiment){ 0 };
    GN_TRY(gn_config_bind(a, tree, rows, e));
    e->tree = tree;
    e->rows = rows;
    e->file = file;
    if (!*e->name) GN_TRY(name_of_file(a, file, &e->name));
    if (*e->data.motion && !*e->data.puppet.motion) e->data.puppet.motion = e->data.motion;
    if (e->name[0] == '.' || strchr(e->name, '/'))
        GN_FAIL(BAD_CONFIG, "%s: name: '%s' cannot name a folder", place(e, "name"), gn_shown(e->name));
    GN_TRY(gather_losses(a, e));
    return GN_OK;
}

/* Dotted keys of stages become nested ones, so that the command line finds what it overrides. */
static gn_status open_stages(gn_arena *a, gn_yaml *tree) {
    gn_yaml *stages = gn_yaml_find(tree, "train.stages");
    if (!stages || stages->kind != GN_YAML_MAP) return GN_OK;
    if (stages->n > STAGES) GN_FAIL(BAD_CONFIG, "%s: train.stages: %d stages; at most %d", gn_yaml_place(stages), stages->n, STAGES);
    for (int i = 0; i < stages->n; i++) {
        gn_yaml *stage = stages->child[i], *open;
        if (stage->kind != GN_YAML_MAP) continue; /* refused below, after overrides */
        GN_TRY(gn_yaml_map(a, stage, &open));
        GN_TRY(gn_yaml_merge(a, open, stage, 1));
        stages->child[i] = open;
    }
    return GN_OK;
}

/* One network goes through all stages. */
static gn_status refuse_in_stage(const gn_yaml *stage) {
    static const char *const fixed[] = { "name", "seed", "model", "device", "data.input", "data.root", "train.stages",
                                         "train.start", "train.only", "train.init" };
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
        const gn_yaml *y = gn_yaml_find(stage, fixed[i]);
        if (y) GN_FAIL(BAD_CONFIG, "%s: train.stages.%s: %s is of the whole run, not of a stage", gn_yaml_place(y), gn_shown(stage->key), fixed[i]);
    }
    return GN_OK;
}

static gn_status read_stage(gn_arena *a, const gn_experiment *e, const gn_yaml *stage, gn_experiment *into) {
    gn_yaml *tree, *train;
    if (stage->kind != GN_YAML_MAP)
        GN_FAIL(BAD_CONFIG, "%s: train.stages.%s: expected a mapping of keys it overrides", gn_yaml_place(stage), gn_shown(stage->key));
    if (stage->key[0] == '.' || strchr(stage->key, '/'))
        GN_FAIL(BAD_CONFIG, "%s: train.stages.%s: cannot name a folder", gn_yaml_place(stage), gn_shown(stage->key));
    GN_TRY(refuse_in_stage(stage));
    GN_TRY(gn_yaml_copy(a, e->tree, &tree));
    train = gn_yaml_find(tree, "train");
    gn_yaml_remove(train, "stages");
    GN_TRY(gn_yaml_merge(a, tree, stage, 0));
    GN_TRY(bind(a, e->rows, tree, e->file, into));
    GN_TRY(check(into));
    return GN_OK;
}

static int trains(const gn_experiment *e, const char *output) {
    for (int i = 0; i < e->n_loss; i++) {
        const gn_loss_use *u = &e->loss[i];
        for (int k = 0; k < u->reads.n; k++)
            if (!strcmp(u->reads.item[k], output)) return 1;
        for (int k = 0; !u->reads.n && k < 4 && u->loss->reads[k]; k++)
            if (!strcmp(u->loss->reads[k], output)) return 1;
    }
    return 0;
}

/* Weights from elsewhere count as trained. */
static void note_untrained(gn_experiment *e) {
    int trained = e->train.start[0] != 0;
    for (int i = 0; i < e->n_stage; i++) {
        trained |= trains(&e->stage[i], "depth");
        e->stage[i].depth_untrained = !trained;
    }
    e->depth_untrained = !trained;
}

static gn_status read_stages(gn_arena *a, gn_experiment *e) {
    const gn_yaml *stages = e->train.stages;
    e->n_stage = stages && stages->n ? stages->n : 1;
    GN_TAKE(e->stage_name, a, e->n_stage);
    GN_TAKE(e->stage, a, e->n_stage);
    if (!stages || !stages->n) {
        e->stage_name[0] = "main";
        e->stage[0] = *e;
        e->stage[0].n_stage = 0;
        e->stage[0].stage = NULL;
        return check(e);
    }
    for (int i = 0; i < e->n_stage; i++) {
        e->stage_name[i] = stages->child[i]->key;
        GN_TRY(read_stage(a, e, stages->child[i], &e->stage[i]));
    }
    return GN_OK;
}

static gn_status make(gn_arena *a, gn_yaml *tree, const char *file, int n_override, char *const *override, gn_experiment *e) {
    const gn_option *rows;
    if (tree->kind != GN_YAML_MAP) GN_FAIL(BAD_CONFIG, "%s: expected a mapping of keys", gn_yaml_place(tree));
    GN_TRY(open_stages(a, tree));
    for (int i = 0; i < n_override; i++) GN_TRY(gn_yaml_override(a, tree, override[i]));
    GN_TRY(gn_experiment_rows(a, &rows));
    GN_TRY(bind(a, rows, tree, file, e));
    GN_TRY(read_stages(a, e));
    note_untrained(e);
    return GN_OK;
}

gn_status gn_experiment_read(gn_arena *a, const char *path, int n_override, char *const *override, gn_experiment *e) {
    gn_yaml *tree;
    const char *file;
    GN_TAKE_TEXT(file, a, "%s", path);
    GN_TRY(gn_yaml_read(a, file, &tree));
    return make(a, tree, file, n_override, override, e);
}

gn_status gn_experiment_parse(gn_arena *a, const char *file, const char *text, gn_experiment *e) {
    gn_yaml *tree;
    GN_TRY(gn_yaml_parse(a, file, text, strlen(text), &tree));
    return make(a, tree, file, 0, NULL, e);
}

void gn_experiment_print(const gn_experiment *e, FILE *to) { gn_config_write(to, e->rows, e, 0); }

typedef void say_fn(const gn_experiment *e, FILE *to);
static void say_origins(const gn_experiment *e, FILE *to) { gn_config_origins(to, e->tree, e->rows); }

static gn_status said(const gn_experiment *e, say_fn *say, char **text, size_t *n) {
    FILE *f = open_memstream(text, n);
    if (!f) GN_FAIL(NO_MEMORY, "out of memory: text of %s", e->file);
    say(e, f);
    if (fclose(f)) GN_FAIL(NO_MEMORY, "out of memory: text of %s", e->file);
    return GN_OK;
}

static gn_status save(const gn_experiment *e, say_fn *say, const char *path) {
    char *text;
    size_t n;
    GN_TRY(said(e, say, &text, &n));
    gn_status status = gn_io_write(path, text, n);
    free(text);
    if (status) return gn_pass(status, __FILE__, __LINE__);
    return GN_OK;
}

gn_status gn_experiment_write(const gn_experiment *e, const char *path) { return save(e, gn_experiment_print, path); }
gn_status gn_experiment_origins(const gn_experiment *e, const char *path) { return save(e, say_origins, path); }

uint64_t gn_experiment_hash(const gn_experiment *e) {
    gn_experiment same = *e;
    same.data.root = "";
    same.data.threads = 1;
    same.device.backend = same.device.workers = 0;
    same.device.gpus = 1;
    same.train.log_every = same.train.save_every = 1;
    same.train.keep = 1;
    char *text;
    size_t n;
    if (said(&same, gn_experiment_print, &text, &n)) return 0;
    uint64_t hash = gn_hash(text, n);
    free(text);
    return hash;
}
