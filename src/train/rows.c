/* rows.c - every key an experiment can have. Names are never on, off, yes, no, y, n: YAML 1.1 readers
 * take those for booleans. */
#include "src/train/rows.h"
#include "gnomon/optimizer.h"
#include <string.h>

#define END { 0, GN_KIND_INT, 0, 0, 0, 0, 0, 0, 0, 0 }
#define AT(member) offsetof(gn_experiment, member)
#define INT(name, member, dflt, least, most, help) { name, GN_KIND_INT, member, dflt, least, most, 0, help, 0, 0 }
#define COUNT(name, member, dflt, least, most, help) { name, GN_KIND_COUNT, member, dflt, least, most, 0, help, 0, 0 }
#define NUMBER(name, member, dflt, least, most, help) { name, GN_KIND_NUMBER, member, dflt, least, most, 0, help, 0, 0 }
#define CHOICE(name, member, dflt, words, help) { name, GN_KIND_CHOICE, member, dflt, 0, 0, words, help, 0, 0 }
#define TEXT(name, member, dflt, help) { name, GN_KIND_TEXT, member, 0, 0, 0, dflt, help, 0, 0 }
#define TEXTS(name, member, help) { name, GN_KIND_TEXTS, member, 0, 0, 0, 0, help, 0, 0 }
#define COUNTS(name, member, least, most, help) { name, GN_KIND_COUNTS, member, 0, least, most, 0, help, 0, 0 }
#define SECTION(name, member, rows, help) { name, GN_KIND_SECTION, member, 0, 0, 0, 0, help, rows, 0 }
#define PICK(kind, name, member, dflt, help) { name, GN_KIND_##kind, member, 0, 0, 0, dflt, help, 0, 0 }

/* Offsets count from a section's own member. */
#define OF(section, member) (AT(section.member) - AT(section))

static const gn_option data_rows[] = {
    TEXT("root", OF(data, root), "data", "folder of the shards"),
    TEXT("motion", OF(data, motion), "", "folder of BVH files that move the puppets; empty: the built-in generator"),
    TEXTS("train", OF(data, train), "data sets to learn from"),
    TEXTS("valid", OF(data, valid), "data sets to score on"),
    TEXT("skeleton", OF(data, skeleton), "", "joints of the run, to which every set's are mapped by name; empty: all sets have the same"),
    INT("together", OF(data, together), 1, 1, 32, "samples of one group (views of a moment, frames of a block) that come together"),
    CHOICE("pick", OF(data, pick), 0, "any|row", "of a group with more: any of them, or neighbours"),
    COUNTS("mix", OF(data, mix), 0, 1000, "samples of each training set in turn; empty: by size"),
    INT("batch", OF(data, batch), 16, 1, 4096, "samples a step, over all workers"),
    INT("input", OF(data, input), 256, 16, 1024, "pixels, side of the square network input"),
    INT("threads", OF(data, threads), 1, 1, 256, "that fill batches ahead"),
    { "flip_test", GN_KIND_FLAG, OF(data, flip_test), 0, 0, 1, 0, "score and predict on each picture and its mirror image, answers averaged", 0, 0 },
    SECTION("augment", OF(data, augment), gn_augment_options, "random changes of training samples"),
    SECTION("labels", OF(data, labels), gn_label_rule_options, "how labels become targets"),
    SECTION("puppet", OF(data, puppet), gn_puppet_options_rows, "the puppet sets this experiment names"),
    END,
};

static const gn_option train_rows[] = {
    TEXT("start", OF(train, start), "", "run or checkpoint to take weights from"),
    TEXTS("only", OF(train, only), "scopes taken from it; empty: all"),
    CHOICE("init", OF(train, init), 0, "torch|he", "torch: uniform, as Zhou 2017; he: normal, scale 1"),
    INT("shards", OF(train, shards), 1, 1, 256, "slices of a batch, summed in a fixed tree"),
    CHOICE("norm", OF(train, norm), 0, "batch|shard", "batch statistics over all shards, or each its own"),
    COUNT("steps", OF(train, steps), 1000, 1, 1e9, "steps"),
    COUNT("warmup", OF(train, warmup), 0, 0, 1e9, "steps over which the rate rises from 0"),
    COUNTS("drops", OF(train, drops), 1, 1e9, "steps at which the rate is multiplied by `drop`"),
    NUMBER("drop", OF(train, drop), 0.1, 1e-6, 1, "factor"),
    CHOICE("schedule", OF(train, schedule), 0, "step|cosine", "step: falls at drops; cosine: to 0 at the last step"),
    PICK(PICK, "optimizer", OF(train, optimizer), "rmsprop", "optimizer"),
    NUMBER("clip", OF(train, clip), 0, 0, 1e9, "most norm of the gradient; 0: any"),
    NUMBER("ema", OF(train, ema), 0, 0, 0.999999, "decay of the averaged weights; 0: none"),
    TEXTS("frozen", OF(train, frozen), "scopes that do not learn"),
    COUNT("valid_every", OF(train, valid_every), 1000, 1, 1e9, "steps between evaluations"),
    COUNT("save_every", OF(train, save_every), 1000, 1, 1e9, "steps between checkpoints"),
    COUNT("log_every", OF(train, log_every), 10, 1, 1e9, "steps between records"),
    INT("keep", OF(train, keep), 3, 1, 1000, "newest checkpoints kept, besides the best"),
    TEXT("best", OF(train, best), "pckh", "metric that chooses the best checkpoint"),
    CHOICE("numerics", OF(train, numerics), 0, "exact|fast", "sums over several GPUs: in the fixed tree, or in the order that NCCL finds fastest"),
    PICK(TREE, "stages", OF(train, stages), 0, "name: keys it overrides, from the root down; run in this order"),
    END,
};

static const gn_option device_rows[] = {
    CHOICE("backend", OF(device, backend), 0, "auto|cpu|cuda", "where the network runs"),
    INT("workers", OF(device, workers), 0, 0, 1024, "CPU threads; 0: one a core; the result does not depend on it"),
    INT("gpus", OF(device, gpus), 1, 1, 64, "GPUs of this machine"),
    CHOICE("impl", OF(device, impl), 2, "own|library|fastest", "whose operators"),
    CHOICE("type", OF(device, type), 0, "float|bf16", "of stored activations"),
    END,
};

static const gn_option rows[] = {
    TEXT("name", AT(name), "", "of its runs; empty: the file's"),
    COUNT("seed", AT(seed), 1, 0, 9007199254740992.0, "of all randomness"),
    SECTION("data", AT(data), data_rows, "what is learnt from"),
    PICK(PICK, "model", AT(model), 0, "network"),
    PICK(PICKS, "losses", AT(losses), 0, "what is learnt"),
    SECTION("train", AT(train), train_rows, "how it is learnt"),
    SECTION("device", AT(device), device_rows, "where it is computed"),
    END,
};

static const gn_option loss_rows[] = {
    NUMBER("weight", offsetof(gn_loss_use, weight), 1, 0, 1e6, "its share of the sum; 0: absent"),
    CHOICE("mean", offsetof(gn_loss_use, mean), 0, "terms|samples|batch", "what its sum is divided by"),
    TEXTS("reads", offsetof(gn_loss_use, reads), "outputs of the model it looks at; empty: its own"),
};
enum { COMMON = sizeof loss_rows / sizeof *loss_rows };

size_t gn_loss_use_bytes(void) { return (sizeof(gn_loss_use) + 15) / 16 * 16; }

static int count(const gn_option *r) {
    int n = 0;
    while (r && r[n].name) n++;
    return n;
}

gn_status gn_loss_rows(gn_arena *a, const gn_loss *loss, const gn_option **made) {
    gn_option *r;
    int n = count(loss->options);
    GN_TAKE(r, a, COMMON + n + 1);
    memcpy(r, loss_rows, sizeof loss_rows);
    for (int i = 0; i < n; i++) {
        r[COMMON + i] = loss->options[i];
        r[COMMON + i].offset += gn_loss_use_bytes();
    }
    *made = r;
    return GN_OK;
}

static gn_status registry(gn_arena *a, const char *word, int n, gn_registry **made, gn_entry **entry) {
    GN_TAKE(*entry, a, n);
    GN_TAKE(*made, a, 1);
    **made = (gn_registry){ word, n, *entry };
    return GN_OK;
}

static gn_status models(gn_arena *a, gn_registry **made) {
    gn_entry *entry;
    int n = 0;
    while (gn_models[n]) n++;
    GN_TRY(registry(a, "model", n, made, &entry));
    for (int i = 0; i < n; i++) {
        const gn_model *m = gn_models[i];
        entry[i] = (gn_entry){ m->name, m->help, m->bytes, m->options, m };
    }
    return GN_OK;
}

static gn_status optimizers(gn_arena *a, gn_registry **made) {
    gn_entry *entry;
    int n = 0;
    while (gn_optimizers[n]) n++;
    GN_TRY(registry(a, "optimizer", n, made, &entry));
    for (int i = 0; i < n; i++) {
        const gn_optimizer *o = gn_optimizers[i];
        entry[i] = (gn_entry){ o->name, o->help, o->bytes, o->options, o };
    }
    return GN_OK;
}

static gn_status losses(gn_arena *a, gn_registry **made) {
    gn_entry *entry;
    int n = 0;
    while (gn_losses[n]) n++;
    GN_TRY(registry(a, "loss", n, made, &entry));
    for (int i = 0; i < n; i++) {
        const gn_loss *l = gn_losses[i];
        entry[i] = (gn_entry){ l->name, l->help, gn_loss_use_bytes() + l->bytes, NULL, l };
        GN_TRY(gn_loss_rows(a, l, &entry[i].options));
    }
    return GN_OK;
}

static gn_option *row(gn_option *r, const char *name) {
    while (strcmp(r->name, name)) r++;
    return r;
}

gn_status gn_experiment_rows(gn_arena *a, const gn_option **made) {
    gn_option *top, *train;
    gn_registry *model, *loss, *optimizer;
    GN_TRY(models(a, &model));
    GN_TRY(losses(a, &loss));
    GN_TRY(optimizers(a, &optimizer));
    GN_TAKE(top, a, sizeof rows / sizeof *rows);
    GN_TAKE(train, a, sizeof train_rows / sizeof *train_rows);
    memcpy(top, rows, sizeof rows);
    memcpy(train, train_rows, sizeof train_rows);
    row(top, "model")->registry = model;
    row(top, "losses")->registry = loss;
    row(top, "train")->section = train;
    row(train, "optimizer")->registry = optimizer;
    *made = top;
    return GN_OK;
}
