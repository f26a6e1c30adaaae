/* test_verify.c - a sound shard is called sound; every kind of fault is counted and named. */
#include "near.h"
#include "gnomon/dataset.h"
#include "gnomon/io.h"
#include <stdlib.h>
#include <string.h>

static char root[] = "/tmp/gnomon_verify_XXXXXX";
enum { J = 16, SIDE = 32, N = 40 };
enum { SOUND, NAN_DEPTH, FLAG, OUTSIDE, CAMERA, BEHIND, PROJECTION, DUPLICATE, KNEES, FAULTS };

/* A standing person, metres about the pelvis, in mpii16's order. */
static const double stand[J][3] = {
    { -0.15, 0.9, 0 },  { -0.14, 0.45, -0.05 }, { -0.12, 0, 0 },      { 0.12, 0, 0 },      { 0.14, 0.45, -0.05 }, { 0.15, 0.9, 0 },
    { 0, 0, 0 },        { 0, -0.35, 0 },        { 0, -0.5, 0 },       { 0, -0.72, 0 },     { -0.45, -0.1, -0.1 }, { -0.35, -0.2, 0 },
    { -0.18, -0.45, 0 },{ 0.18, -0.45, 0 },     { 0.35, -0.2, 0 },    { 0.45, -0.1, -0.1 },
};

static void write_shard(const char *path, int fault) {
    static const gn_shard_field fields[] = {
        { "image", 1, 'u', 3, { SIDE, SIDE, 3 }, "", "" }, { "joints2d", 4, 'f', 2, { J, 2 }, "pixels", "" }, { "labelled2d", 1, 'u', 1, { J }, "", "" },
        { "joints3d", 4, 'f', 2, { J, 3 }, "metres", "" }, { "camera", 4, 'f', 1, { 4 }, "pixels", "" },
    };
    gn_arena *a = gn_arena_new("write");
    gn_shard_writer *w;
    OK(gn_shard_create(a, path, N, &gn_mpii16, fields, 5, "test_verify", &w));
    for (int i = 0; i < N; i++) {
        uint8_t image[SIDE * SIDE * 3], labelled[J];
        float uv[J][2], xyz[J][3], camera[4] = { 50, 50, 16, 16 };
        int bad = i == 7;
        double grown = 1 + 0.005 * (i % 20), turn = 0.15 * i;
        memset(image, bad && fault == DUPLICATE ? 3 : i, sizeof image);
        memset(labelled, 1, sizeof labelled);
        for (int j = 0; j < J; j++) {
            const double *s = stand[j];
            xyz[j][0] = (float)(grown * (cos(turn) * s[0] + sin(turn) * s[2]));
            xyz[j][1] = (float)(grown * s[1]);
            xyz[j][2] = (float)(4 + grown * (cos(turn) * s[2] - sin(turn) * s[0]));
        }
        if (bad && fault == KNEES)
            for (int k = 0; k < 3; k++) {
                float was = xyz[1][k];
                xyz[1][k] = xyz[4][k];
                xyz[4][k] = was;
            }
        if (bad && fault == BEHIND) xyz[3][2] = -4;
        if (bad && fault == CAMERA) camera[0] = -50;
        for (int j = 0; j < J; j++)
            for (int k = 0; k < 2; k++) uv[j][k] = camera[k] * xyz[j][k] / xyz[j][2] + camera[2 + k];
        if (bad && fault == NAN_DEPTH) xyz[2][2] = NAN;
        if (bad && fault == FLAG) labelled[4] = 2;
        if (bad && fault == OUTSIDE) uv[9][0] = 5 * SIDE, xyz[9][0] = (uv[9][0] - 16) * xyz[9][2] / 50;
        if (bad && fault == PROJECTION) uv[5][1] += 3;
        const void *part[] = { image, uv, labelled, xyz, camera };
        for (int f = 0; f < 5; f++) OK(gn_shard_put(w, i, f, part[f]));
    }
    OK(gn_shard_finish(w));
    gn_arena_free(a);
}

static gn_status verify(const char *what, char *said, size_t n) {
    gn_arena *a = gn_arena_new("verify");
    FILE *to = fmemopen(said, n, "w");
    assert_non_null(to);
    gn_status status = gn_data_verify(to, root, what, a);
    fclose(to);
    gn_arena_free(a);
    return status;
}

static void faults(void **state) {
    (void)state;
    static const char *const expected[FAULTS] = {
        ": sound\n",       "joints3d sample 7: not finite",     "labelled2d sample 7: flag not 0 or 1", "joints2d sample 7: point far outside",
        "camera sample 7", "joints3d sample 7: 3D pose",         "joints2d sample 7: projection",        "image sample 7: duplicate picture",
        "joints3d sample 7: left and right",
    };
    char path[256], said[4096];
    snprintf(path, sizeof path, "%s/one.h5", root);
    for (int fault = 0; fault < FAULTS; fault++) {
        write_shard(path, fault);
        gn_status status = verify(path, said, sizeof said);
        if (status != (fault ? GN_BAD_DATA : GN_OK)) fail_msg("fault %d: status %d:\n%s", fault, status, said);
        if (!strstr(said, expected[fault])) fail_msg("expected '%s' in:\n%s", expected[fault], said);
        assert_true(!fault == !strstr(said, "sample "));
        if (fault) assert_null(strchr(gn_reason(), '\n'));
    }
}

static void hashes(void **state) {
    (void)state;
    char path[256], said[4096];
    snprintf(path, sizeof path, "%s/one.h5", root);
    write_shard(path, SOUND);
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    gn_arena *a = gn_arena_new("test");
    gn_shard *s;
    OK(gn_shard_open(a, path, &s));
    int place;
    gn_shard_find(s, "image", &place);
    const unsigned char *first = gn_shard_at(s, place, 0);
    void *bytes;
    size_t n;
    OK(gn_io_read(a, path, 1 << 24, &bytes, &n));
    unsigned char *at = memmem(bytes, n, first, 2 * gn_shard_bytes(s, place));
    assert_non_null(at);
    long target = (long)(at - (unsigned char *)bytes) + 3 * (long)gn_shard_bytes(s, place) + 100;
    gn_arena_free(a);
    fseek(f, target, SEEK_SET);
    fputc(0x55, f);
    fclose(f);
    FAILS(verify(path, said, sizeof said), BAD_DATA);
    assert_non_null(strstr(said, "image sample 3: hash"));
    assert_non_null(strstr(said, ": hash 1\n"));
}

static void sets(void **state) {
    (void)state;
    char path[256], said[8192] = "";
    snprintf(path, sizeof path, "%s/h36m", root);
    OK(gn_io_folder(path));
    snprintf(path, sizeof path, "%s/h36m/train.h5", root);
    write_shard(path, SOUND);
    FAILS(verify("h36m", said, sizeof said), MISSING);
    assert_non_null(strstr(said, "sound"));
    gn_arena *a = gn_arena_new("list");
    FILE *to = fmemopen(said, sizeof said, "w");
    OK(gn_data_list(to, root, a));
    fclose(to);
    gn_arena_free(a);
    assert_non_null(strstr(said, "h36m/train.h5: 40 samples"));
    assert_non_null(strstr(said, "not here"));
    assert_non_null(strstr(said, "academic use"));
}

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(root) ? 0 : -1;
}
static int remove_folder(void **state) {
    (void)state;
    return gn_io_remove(root) != GN_OK;
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(faults), cmocka_unit_test(hashes), cmocka_unit_test(sets) };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
