/* test_config.c - what the reader takes, what it refuses and in which words. */
#include "gnomon/config.h"
#include "near.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct { double rate; int nesterov; } sgd;
typedef struct { double rate, alpha; } rms;
static const gn_option sgd_rows[] = {
    { "rate", GN_KIND_NUMBER, offsetof(sgd, rate), 0.1, 0, 1, 0, "step", 0, 0 },
    { "nesterov", GN_KIND_FLAG, offsetof(sgd, nesterov), 0, 0, 0, 0, "look ahead", 0, 0 },
    { 0, GN_KIND_INT, 0, 0, 0, 0, 0, 0, 0, 0 },
};
static const gn_option rms_rows[] = {
    { "rate", GN_KIND_NUMBER, offsetof(rms, rate), 2.5e-4, 0, 1, 0, "step", 0, 0 },
    { "alpha", GN_KIND_NUMBER, offsetof(rms, alpha), 0.99, 0, 1, 0, "smoothing", 0, 0 },
    { 0, GN_KIND_INT, 0, 0, 0, 0, 0, 0, 0, 0 },
};
static const gn_entry entry[] = { { "sgd", "plain", sizeof(sgd), sgd_rows, 0 },
                                  { "rmsprop", "scaled", sizeof(rms), rms_rows, 0 } };
static const gn_registry ways = { "optimizer", 2, entry };

typedef struct {
    int batch, norm, flip;
    int64_t steps;
    double drop;
    gn_real margin;
    const char *root;
    gn_texts sets;
    gn_counts drops;
    gn_pick way;
    gn_picks many;
    const gn_yaml *stages;
} part;
typedef struct { int64_t seed; part train; } whole;
#define ROW(name, kind, ...) { #name, GN_KIND_##kind, offsetof(part, name), __VA_ARGS__ }
static const gn_option part_rows[] = {
    ROW(batch, INT, 4, 1, 4096, 0, "samples a step", 0, 0),
    ROW(norm, CHOICE, 0, 0, 0, "batch|shard", "statistics", 0, 0),
    ROW(flip, FLAG, 1, 0, 0, 0, "mirror", 0, 0),
    ROW(steps, COUNT, 100, 1, 1e12, 0, "steps", 0, 0),
    ROW(drop, NUMBER, 0.1, 0, 1, 0, "share", 0, 0),
    ROW(margin, REAL, 0.02, 0, 1, 0, "metres", 0, 0),
    ROW(root, TEXT, 0, 0, 0, "data/", "folder", 0, 0),
    ROW(sets, TEXTS, 0, 0, 0, 0, "data sets", 0, 0),
    ROW(drops, COUNTS, 0, 1, 1e9, 0, "steps", 0, 0),
    ROW(way, PICK, 0, 0, 0, "rmsprop", "optimizer", 0, &ways),
    ROW(many, PICKS, 0, 0, 0, 0, "optimizers", 0, &ways),
    ROW(stages, TREE, 0, 0, 0, 0, "stages", 0, 0),
    { 0, GN_KIND_INT, 0, 0, 0, 0, 0, 0, 0, 0 },
};
static const gn_option rows[] = {
    { "seed", GN_KIND_COUNT, offsetof(whole, seed), 1, 0, 1e15, 0, "of all randomness", 0, 0 },
    { "train", GN_KIND_SECTION, offsetof(whole, train), 0, 0, 0, 0, "training", part_rows, 0 },
    { 0, GN_KIND_INT, 0, 0, 0, 0, 0, 0, 0, 0 },
};

static gn_arena *arena;
static int set_up(void **s) { (void)s; return !(arena = gn_arena_new("test")); }
static int tear_down(void **s) { (void)s; return gn_arena_free(arena), 0; }

static gn_status read_bytes(const char *text, size_t n, whole *w) {
    gn_yaml *tree;
    GN_TRY(gn_yaml_parse(arena, "x.yaml", text, n, &tree));
    GN_TRY(gn_config_bind(arena, tree, rows, w));
    return GN_OK;
}

#define REFUSED(text, wanted)                                                                       \
    do {                                                                                           \
        whole refused_;                                                                            \
        FAILS(read_bytes(text, strlen(text), &refused_), BAD_CONFIG);                              \
        assert_string_equal(gn_reason(), wanted);                                                  \
    } while (0)

static void test_values(void **s) {
    (void)s;
    static const char text[] =
        "seed: 0x10 # sixteen\n"
        "train:\n"
        "  {batch: 8, norm: shard, flip: false, steps: 2e5, drop: 1e-1, margin: .5, root: 12,\n"
        "   sets: [a, 'b c'], drops: [1, 20], way: {sgd: {rate: 0.5}}, many: {rmsprop: {}, sgd: {nesterov: true}},\n"
        "   stages: {one: {batch: 2}}}\n";
    whole w;
    OK(read_bytes(text, sizeof text - 1, &w));
    assert_int_equal(w.seed, 16);
    assert_int_equal(w.train.batch, 8);
    assert_int_equal(w.train.norm, 1);
    assert_int_equal(w.train.flip, 0);
    assert_int_equal(w.train.steps, 200000);
    NEAR(w.train.drop, 0.1, 0);
    NEAR(w.train.margin, 0.5, 0);
    assert_string_equal(w.train.root, "12"); /* the schema's type wins */
    assert_int_equal(w.train.sets.n, 2);
    assert_string_equal(w.train.sets.item[1], "b c");
    assert_int_equal(w.train.drops.item[1], 20);
    assert_string_equal(w.train.way.entry->name, "sgd");
    NEAR(((sgd *)w.train.way.options)->rate, 0.5, 0);
    assert_int_equal(w.train.many.n, 2);
    NEAR(((rms *)w.train.many.item[0].options)->alpha, 0.99, 0);
    assert_int_equal(w.train.stages->n, 1);
}

static void test_defaults(void **s) {
    (void)s;
    whole w;
    OK(read_bytes("{}", 2, &w));
    assert_int_equal(w.train.batch, 4);
    assert_string_equal(w.train.root, "data/");
    assert_string_equal(w.train.way.entry->name, "rmsprop"); /* a pick's default, with its own */
    NEAR(((rms *)w.train.way.options)->rate, 2.5e-4, 0);
}

static void test_refusals(void **s) {
    (void)s;
    REFUSED("train:\n  bacth: 3\n", "x.yaml:2:3: train.bacth: unknown key; did you mean 'batch'?");
    REFUSED("train: {batch: many}", "x.yaml:1:9: train.batch: expected a whole number, found 'many'");
    REFUSED("train: {batch: '3'}", "x.yaml:1:9: train.batch: expected a whole number, found the string '3'");
    REFUSED("train: {batch: 2.5}", "x.yaml:1:9: train.batch: expected a whole number, found '2.5'");
    REFUSED("train: {batch: 0}", "x.yaml:1:9: train.batch: 0 is out of range 1 to 4096");
    REFUSED("train: {batch: 99999999999999999999}",
            "x.yaml:1:9: train.batch: 99999999999999999999 is out of range 1 to 4096");
    REFUSED("train: {drop: .nan}", "x.yaml:1:9: train.drop: .nan is out of range 0 to 1");
    REFUSED("train: {drop: 0x}", "x.yaml:1:9: train.drop: expected a number, found '0x'");
    REFUSED("train: {norm: bacth}", "x.yaml:1:9: train.norm: expected batch|shard, found 'bacth'; did you mean 'batch'?");
    REFUSED("train: {flip: yes}", "x.yaml:1:9: train.flip: expected true or false, found 'yes'");
    REFUSED("train: {sets: a}", "x.yaml:1:9: train.sets: expected a list, found 'a'");
    REFUSED("train: {drops: [3, b]}", "x.yaml:1:20: train.drops: expected a list of whole numbers, found 'b'");
    REFUSED("train: {way: {sdg: {}}}", "x.yaml:1:15: train.way: unknown optimizer 'sdg'; did you mean 'sgd'?");
    REFUSED("train: {way: {sgd: {}, rmsprop: {}}}",
            "x.yaml:1:24: train.way: one optimizer is picked, found 'sgd' and 'rmsprop'; set one to null");
    REFUSED("train: {many: {sgd: }}",
            "x.yaml:1:16: train.many.sgd: expected a mapping ({} for its defaults), found nothing");
    REFUSED("train: 3", "x.yaml:1:1: train: expected a mapping, found '3'");
    REFUSED("[1]", "x.yaml:1:1: expected a mapping, found a list");
    REFUSED("seed: 1\nseed: 2\n", "x.yaml:2:1: seed: repeated key; first on line 1");
    REFUSED("seed: &a 1", "x.yaml:1:7: &a: anchors are not read: write the value out");
    REFUSED("seed: *a", "x.yaml:1:7: *a: aliases are not read: write the value out");
    REFUSED("seed: !!int 1", "x.yaml:1:7: tag:yaml.org,2002:int: tags are not read");
    REFUSED("train: {<<: {batch: 1}}", "x.yaml:1:9: <<: merge keys are not read: an experiment says everything itself");
    REFUSED("train:\n\tbatch: 3\n", "x.yaml:2:1: a tab cannot indent: use spaces");
    REFUSED("seed: \"a\\0b\"", "x.yaml:1:7: a NUL in a string");
    REFUSED("seed: 1\n---\nseed: 2\n", "x.yaml:2:1: a second document: a file holds one");
    REFUSED("# nothing\n", "x.yaml:1:1: empty: expected a mapping of keys");
    REFUSED("seed: 1\n\xFF", "x.yaml:2:1: byte 0xff is not UTF-8");
    REFUSED("\xC3\xA9\xED\xA0\x80", "x.yaml:1:2: byte 0xed is not UTF-8");
    REFUSED("a: \xEF\xBB\xBF", "x.yaml:1:4: a byte order mark inside the file");
    REFUSED("\"a\\nb\": 1", "x.yaml:1:1: a?b: unknown key"); /* one line whatever the key holds */
    whole w;
    FAILS(read_bytes("a: \0", 4, &w), BAD_CONFIG);
    assert_string_equal(gn_reason(), "x.yaml:1:4: a NUL byte");
}

static void test_all_complaints_at_once(void **s) {
    (void)s;
    REFUSED("sed: 1\ntrain: {batch: x, flop: true}\n",
            "x.yaml:1:1: sed: unknown key; did you mean 'seed'?\n"
            "x.yaml:2:9: train.batch: expected a whole number, found 'x'\n"
            "x.yaml:2:19: train.flop: unknown key; did you mean 'flip'?");
    char text[800], *at = text;
    for (int i = 0; i < 30; i++) at += sprintf(at, "unknown%d: 1\n", i);
    whole w;
    FAILS(read_bytes(text, strlen(text), &w), BAD_CONFIG);
    int lines = 1;
    for (const char *p = gn_reason(); *p; p++) lines += *p == '\n';
    assert_int_equal(lines, 21);
    assert_non_null(strstr(gn_reason(), "\n... and 10 more"));
}

static void test_overrides(void **s) {
    (void)s;
    gn_yaml *tree;
    static const char text[] = "train:\n  batch: 2\n  stages: {one: {batch: 3}, two: {}}\n";
    OK(gn_yaml_parse(arena, "x.yaml", text, sizeof text - 1, &tree));
    OK(gn_yaml_override(arena, tree, "train.batch=16"));
    OK(gn_yaml_override(arena, tree, "train.way={sgd: {rate: 0.25}}"));
    OK(gn_yaml_override(arena, tree, "train.way.sgd.nesterov=true"));
    OK(gn_yaml_override(arena, tree, "train.root="));
    OK(gn_yaml_override(arena, tree, "train.stages.two=null"));
    OK(gn_yaml_override(arena, tree, "train.stages.one.train.batch=9"));
    whole w;
    OK(gn_config_bind(arena, tree, rows, &w));
    assert_int_equal(w.train.batch, 16);
    assert_string_equal(w.train.root, "");
    NEAR(((sgd *)w.train.way.options)->rate, 0.25, 0);
    assert_int_equal(((sgd *)w.train.way.options)->nesterov, 1);
    assert_null(gn_yaml_find(tree, "train.stages.two"));
    assert_string_equal(gn_yaml_find(tree, "train.stages.one.train.batch")->text, "9");

    FAILS(gn_yaml_override(arena, tree, "train.stages.three=null"), BAD_CONFIG);
    assert_string_equal(gn_reason(), "'train.stages.three=null': train.stages.three: not in the file, nothing to remove");
    FAILS(gn_yaml_override(arena, tree, "batch"), BAD_USAGE);
    FAILS(gn_yaml_override(arena, tree, "train..batch=1"), BAD_CONFIG);
    FAILS(gn_yaml_override(arena, tree, "train.batch=[1"), BAD_CONFIG);
    OK(gn_yaml_override(arena, tree, "train.bathc=1"));
    FAILS(gn_config_bind(arena, tree, rows, &w), BAD_CONFIG);
    assert_string_equal(gn_reason(), "'train.bathc=1': train.bathc: unknown key; did you mean 'batch'?");
}

static void test_merge(void **s) {
    (void)s;
    gn_yaml *into, *over;
    static const char base[] = "a: {b: 1, c: {d: 2}}\nl: [1, 2]\n", more[] = "{a.c.d: 5, a.c.e: 6, a: {b: null}, l: [3]}";
    OK(gn_yaml_parse(arena, "x", base, sizeof base - 1, &into));
    OK(gn_yaml_parse(arena, "y", more, sizeof more - 1, &over));
    OK(gn_yaml_merge(arena, into, over, 0));
    assert_null(gn_yaml_find(into, "a.b"));
    assert_string_equal(gn_yaml_find(into, "a.c.d")->text, "5");
    assert_string_equal(gn_yaml_find(into, "a.c.e")->text, "6");
    assert_int_equal(gn_yaml_find(into, "l")->n, 1);
}

static char *written(const whole *w) {
    char *text = NULL;
    size_t n;
    FILE *f = open_memstream(&text, &n);
    gn_config_write(f, rows, w, 0);
    fclose(f);
    return text;
}

static void test_round_trip(void **s) {
    (void)s;
    static const char text[] =
        "train: {margin: 0.3, drop: 0.1234567890123456789, root: \"on \\\"a\\\": #\\\\\\n\\t\xC3\xA9\", sets: ['no', '1e5', a b, ''],\n"
        "  drops: [7], way: {sgd: {rate: 3.3e-5}}, many: {rmsprop: {}}, stages: {one: {x: [a, 'b, c'], y: {z: '5'}}, two: {}}}\n";
    whole w, again;
    OK(read_bytes(text, sizeof text - 1, &w));
    char *first = written(&w);
    OK(read_bytes(first, strlen(first), &again));
    char *second = written(&again);
    assert_string_equal(first, second);
    assert_string_equal(w.train.root, again.train.root);
    assert_memory_equal(&w.train.drop, &again.train.drop, sizeof w.train.drop);
    assert_memory_equal(&w.train.margin, &again.train.margin, sizeof w.train.margin);
    assert_string_equal(again.train.sets.item[1], "1e5");
    assert_string_equal(gn_yaml_find(again.train.stages, "one.x")->child[1]->text, "b, c");
    assert_int_equal(gn_yaml_find(again.train.stages, "one.y.z")->quoted, 1);
    free(first);
    free(second);
}

static void test_origins(void **s) {
    (void)s;
    gn_yaml *tree;
    static const char text[] = "seed: 3\ntrain:\n  way: {sgd: {rate: 0.5}}\n";
    OK(gn_yaml_parse(arena, "x.yaml", text, sizeof text - 1, &tree));
    OK(gn_yaml_override(arena, tree, "train.batch=16"));
    char *said = NULL;
    size_t n;
    FILE *f = open_memstream(&said, &n);
    gn_config_origins(f, tree, rows);
    fclose(f);
    assert_non_null(strstr(said, "seed: x.yaml:1:1\n"));
    assert_non_null(strstr(said, "train.batch: 'train.batch=16'\n"));
    assert_non_null(strstr(said, "train.norm: default\n"));
    assert_non_null(strstr(said, "train.way.sgd.rate: x.yaml:3:15\n"));
    free(said);
}

/* Nesting and size that ruin a reader must end soon and small. */
static void hostile(const char *text, size_t n, const char *wanted) {
    gn_arena *a = gn_arena_new("hostile");
    gn_yaml *tree;
    clock_t from = clock();
    FAILS(gn_yaml_parse(a, "x.yaml", text, n, &tree), BAD_CONFIG);
    assert_true(clock() - from < CLOCKS_PER_SEC);
    if (!strstr(gn_reason(), wanted)) fail_msg("'%s' does not say '%s'", gn_reason(), wanted);
    assert_true(gn_arena_bytes(a) < 64u << 20);
    gn_arena_free(a);
}

static void test_hostile(void **s) {
    (void)s;
    size_t n = 1 << 20;
    char *text = malloc(n + 1);
    memset(text, '[', n);
    hostile(text, n, "x.yaml:1:65: nested more than 64 deep");
    memset(text, '{', n);
    hostile(text, n, "x.yaml:1:");
    for (size_t i = 0; i < n; i++) text[i] = "- "[i % 2];
    hostile(text, n, "nested more than 64 deep");
    for (size_t i = 0; i < n; i++) text[i] = "[],"[i % 3];
    text[0] = '[';
    hostile(text, n, "x.yaml:1:");
    for (size_t i = 0; i < n; i++) text[i] = "1,"[(i + 1) % 2];
    text[0] = '[';
    hostile(text, n, "more than 100000 nodes");
    for (size_t i = 0; i < n / 8; i++) snprintf(text + 8 * i, 9, "k%05zu:\n", i % 100000);
    hostile(text, n, "more than 1000 keys");
    hostile(text, n + 1, "1048577 bytes; at most 1048576");
    char *at = text + sprintf(text, "a: &a [x,x,x,x,x,x,x,x,x]\n");
    for (char c = 'b'; c < 'k'; c++) at += sprintf(at, "%c: &%c [*%c,*%c,*%c,*%c,*%c]\n", c, c, c - 1, c - 1, c - 1, c - 1, c - 1);
    hostile(text, (size_t)(at - text), "x.yaml:1:4: &a: anchors are not read");
    free(text);
}

static void test_nearest(void **s) {
    (void)s;
    static const char *const known[] = { "heatmap", "depth", "bone" };
    assert_string_equal(gn_nearest("hetamap", 3, known), "heatmap");
    assert_string_equal(gn_nearest("bones", 3, known), "bone");
    assert_null(gn_nearest("reproject", 3, known));
    assert_null(gn_nearest("", 3, known));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),     cmocka_unit_test(test_defaults), cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_all_complaints_at_once), cmocka_unit_test(test_overrides), cmocka_unit_test(test_merge),
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_origins),  cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_nearest),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
