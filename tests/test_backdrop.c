/* test_backdrop.c - people cut out of one set's pictures stand before another's. */
#include "near.h"
#include "person.h"
#include "gnomon/io.h"
#include "src/data/sample.h"
#include <stdlib.h>
#include <string.h>

static char root[] = "/tmp/gnomon_backdrop_XXXXXX";
enum { N = 6, PERSON = 200, STUDIO = 10 };
static uint8_t wild(int x) { return (uint8_t)(60 + x); } /* grey by column, so that the roll can be seen */

/* The lab's person is the left half of the picture; the wild has none to cut out. */
static void write_set(const char *name, int lab) {
    static const gn_shard_field fields[] = {
        { "image", 1, 'u', 3, { SIDE, SIDE, 3 }, "", "" },  { "joints2d", 4, 'f', 2, { J, 2 }, "pixels", "" },
        { "labelled2d", 1, 'u', 1, { J }, "", "" },         { "occluded2d", 1, 'u', 1, { J }, "", "" },
        { "joints3d", 4, 'f', 2, { J, 3 }, "metres", "" },  { "labelled3d", 1, 'u', 1, { J }, "", "" },
        { "camera", 4, 'f', 1, { 4 }, "pixels", "" },       { "pose_of_view", 4, 'f', 2, { 3, 4 }, "metres", "" },
        { "head_size", 4, 'f', 1, { 1 }, "pixels", "" },    { "parts", 1, 'u', 2, { SIDE, SIDE }, "", "" },
    };
    gn_arena *a = gn_arena_new("write");
    gn_shard_writer *w;
    sample *p = gn_arena_take(a, sizeof *p);
    uint8_t *image = gn_arena_take(a, 3 * SIDE * SIDE), *parts = gn_arena_take(a, SIDE * SIDE);
    char path[256];
    for (int i = 0; i < SIDE * SIDE; i++) {
        int x = i % SIDE;
        parts[i] = x < SIDE / 2;
        memset(image + 3 * i, lab ? (parts[i] ? PERSON : STUDIO) : wild(x), 3);
    }
    snprintf(path, sizeof path, "%s/%s", root, name);
    OK(gn_shard_create(a, path, N, &gn_mpii16, fields, lab ? 10 : 9, "test_backdrop", &w));
    for (int64_t i = 0; i < N; i++) {
        make_sample((uint64_t)i + 1, 1, p);
        const void *part[] = { image, p->joints2d, p->labelled, p->occluded, p->joints3d, p->labelled, p->camera, p->pose, p->head, parts };
        for (int f = 0; f < (lab ? 10 : 9); f++) OK(gn_shard_put(w, i, f, part[f]));
    }
    OK(gn_shard_finish(w));
    gn_arena_free(a);
}

static const char *both[] = { "puppet_lab", "puppet_wild" };

static gn_loader_spec spec_of(double backdrop, const gn_texts *sets) {
    return (gn_loader_spec){ .root = root, .sets = sets, .train = 1, .batch = 2 * N, .side = SIDE, .threads = 2, .seed = 3,
                             .augment = { .backdrop = backdrop } };
}

/* Every lab picture of a batch: the person as it was, the rest the wild's, rolled by half; wild ones untouched. */
static int placed(double backdrop) {
    const gn_texts sets = { 2, both };
    gn_arena *a = gn_arena_new("read");
    gn_loader_spec spec = spec_of(backdrop, &sets);
    gn_loader *l;
    gn_batch *b;
    int n = 0;
    OK(gn_loader_open(a, &spec, &l));
    OK(gn_loader_next(l, &b));
    for (int i = 0; i < b->n; i++) {
        const float *row = b->image + (size_t)i * 3 * SIDE * SIDE;
        int moved = b->set[i] == 0 && fabs(row[3 * (SIDE - 1)] - STUDIO / 255.0) > 1e-3;
        n += moved;
        for (int k = 0; k < SIDE * SIDE; k++) {
            int x = k % SIDE;
            int is = b->set[i] ? wild(x) : x < SIDE / 2 ? PERSON : moved ? wild((x + SIDE / 2) % SIDE) : STUDIO;
            NEAR(row[3 * k + k % 3], is / 255.0, 1e-5);
        }
    }
    gn_arena_free(a);
    return n;
}

static void people_stand_before_other_pictures(void **state) {
    (void)state;
    assert_int_equal(placed(1), N);
    assert_int_equal(placed(0), 0);
    int some = placed(0.5);
    assert_true(some > 0 && some < N);
}

static void nobody_to_cut_out_is_refused(void **state) {
    (void)state;
    const gn_texts wild_alone = { 1, both + 1 };
    gn_arena *a = gn_arena_new("read");
    gn_loader_spec spec = spec_of(1, &wild_alone);
    gn_loader *l;
    FAILS(gn_loader_open(a, &spec, &l), BAD_CONFIG);
    assert_non_null(strstr(gn_reason(), "data.augment.backdrop"));
    gn_arena_free(a);
}

static int make_sets(void **state) {
    (void)state;
    char folder[64];
    if (!mkdtemp(root)) return 1;
    for (int k = 0; k < 2; k++) {
        snprintf(folder, sizeof folder, "%s/%s", root, both[k]);
        OK(gn_io_folder(folder));
    }
    write_set("puppet_lab/train.h5", 1);
    write_set("puppet_wild/train.h5", 0);
    return 0;
}

static int remove_sets(void **state) {
    (void)state;
    return gn_io_remove(root) ? 1 : 0;
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(people_stand_before_other_pictures),
                                        cmocka_unit_test(nobody_to_cut_out_is_refused) };
    return cmocka_run_group_tests_name("backdrop", tests, make_sets, remove_sets);
}
