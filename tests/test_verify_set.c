/* test_verify_set.c - what an imported shard can have wrong: pictures, depth, bones, twins, groups, views, takes. Each is
 * planted once in a sound shard of moments before several cameras, and must be named with its sample, take and frame.
 * The sound ones are shown and listed, too. */
#include "near.h"
#include "gnomon/dataset.h"
#include "gnomon/image.h"
#include "gnomon/io.h"
#include "gnomon/report.h"
#include "src/import/sink.h"
#include <string.h>

static char root[] = "/tmp/gnomon_verify_set_XXXXXX";
enum { J = 17, VIEWS = 3, MOMENTS = 20, N = VIEWS * MOMENTS, SIDE = 64, BAD = 31, ROOM = 8192 }; /* BAD: moment 10, view 1 */
enum { BARE, JPEG, DEPTH };          /* what stands for the picture */
enum { UV, SEEN, XYZ, KNOWN, EYE, POSE, TAKE, FRAME, GROUP, SIZE, MAP, PACKED, PACKED_BYTES, FIELDS };

/* h36m17, metres about the pelvis. */
static const double stand[J][3] = {
    { 0, 0, 0 },         { -0.12, 0, 0 },     { -0.14, 0.45, -0.05 }, { -0.15, 0.9, 0 },     { 0.12, 0, 0 },       { 0.14, 0.45, -0.05 },
    { 0.15, 0.9, 0 },    { 0, -0.24, 0.02 },  { 0, -0.48, 0 },        { 0, -0.6, -0.08 },    { 0, -0.72, 0 },      { 0.18, -0.45, 0 },
    { 0.3, -0.2, 0.02 }, { 0.4, 0, -0.1 },    { -0.18, -0.45, 0 },    { -0.3, -0.2, 0.02 },  { -0.4, 0, -0.1 },
};

typedef struct {
    float uv[J][2], xyz[J][3], eye[4], pose[3][4];
    uint8_t seen[J], known[J], packed[ROOM];
    char take[64];
    int64_t frame, group;
    int32_t size[2];
    uint32_t packed_bytes;
    uint16_t map[SIDE * SIDE];
} sample;

static void project(sample *s) {
    for (int j = 0; j < J; j++)
        for (int k = 0; k < 2; k++) s->uv[j][k] = s->eye[k] * s->xyz[j][k] / s->xyz[j][2] + s->eye[2 + k];
}

static void make_sample(int i, sample *s) {
    const int m = i / VIEWS, v = i % VIEWS;
    const double turn = 0.7 * v, grown = 0.9 + 0.01 * m, c = cos(turn), d = sin(turn);
    *s = (sample){ .eye = { 50, 50, SIDE / 2.0f, SIDE / 2.0f }, .frame = 100 + m, .group = m, .size = { SIDE, SIDE } };
    snprintf(s->take, sizeof s->take, "S9 Walking 1 %d", v);
    const float pose[3][4] = { { (float)c, 0, (float)d, 0 }, { 0, 1, 0, 0 }, { (float)-d, 0, (float)c, 4 } };
    memcpy(s->pose, pose, sizeof pose);
    for (int j = 0; j < J; j++) {
        const double sway = 0.1 * sin(0.3 * m), *p = stand[j], x[3] = { grown * p[0] + sway, grown * p[1], grown * p[2] };
        for (int k = 0; k < 3; k++) s->xyz[j][k] = (float)((double)pose[k][0] * x[0] + (double)pose[k][1] * x[1] + (double)pose[k][2] * x[2] + (double)pose[k][3]);
        s->seen[j] = s->known[j] = 1;
    }
    project(s);
}

static void finish_picture(gn_arena *a, int i, sample *s) {
    gn_image image;
    void *bytes;
    size_t n;
    OK(gn_image_new(a, SIDE, SIDE, &image));
    for (int k = 0; k < 3 * SIDE * SIDE; k++) image.rgb[k] = (uint8_t)(k / 200 + 3 * i);
    OK(gn_jpeg_encode(a, &image, 50, &bytes, &n));
    assert_true(n < ROOM);
    memcpy(s->packed, bytes, n);
    s->packed_bytes = (uint32_t)n;
    for (int k = 0; k < SIDE * SIDE; k++) s->map[k] = (uint16_t)(3900 + i);
}

typedef void (*plant)(sample *s, sample *before);

static gn_status verify(int picture, const char *format, plant wrong, char *said, size_t room) {
    const gn_shard_field all[FIELDS] = {
        [UV] = { "joints2d", 4, 'f', 2, { J, 2 }, "", "" },      [SEEN] = { "labelled2d", 1, 'u', 1, { J }, "", "" },
        [XYZ] = { "joints3d", 4, 'f', 2, { J, 3 }, "", "" },     [KNOWN] = { "labelled3d", 1, 'u', 1, { J }, "", "" },
        [EYE] = { "camera", 4, 'f', 1, { 4 }, "", "" },          [POSE] = { "pose_of_view", 4, 'f', 2, { 3, 4 }, "", "" },
        [TAKE] = { "take", 1, 'u', 1, { 64 }, "", "" },          [FRAME] = { "frame", 8, 'i', 0, { 0 }, "", "" },
        [GROUP] = { "group", 8, 'i', 0, { 0 }, "", "" },         [SIZE] = { "size", 4, 'i', 1, { 2 }, "", "" },
        [MAP] = { "depth_map", 2, 'u', 2, { SIDE, SIDE }, "", "" }, [PACKED] = { "jpeg", 1, 'u', 1, { ROOM }, "", "" },
        [PACKED_BYTES] = { "jpeg_bytes", 4, 'u', 0, { 0 }, "", "" },
    };
    gn_shard_field field[FIELDS];
    int which[FIELDS], fields = 0;
    for (int f = 0; f < FIELDS; f++) {
        if ((f == MAP && picture != DEPTH) || (f >= PACKED && picture != JPEG)) continue;
        field[fields] = all[f], which[fields++] = f;
    }
    static sample s[N];
    char path[256], from[64];
    gn_arena *a = gn_arena_new("verify");
    gn_shard_writer *w;
    snprintf(path, sizeof path, "%s/one.h5", root);
    snprintf(from, sizeof from, "format: %s; from: nowhere", format);
    OK(gn_shard_create(a, path, N, &gn_h36m17, field, fields, from, &w));
    for (int i = 0; i < N; i++) {
        make_sample(i, &s[i]);
        finish_picture(a, i, &s[i]);
    }
    if (wrong) wrong(&s[BAD], &s[BAD - 1]);
    for (int i = 0; i < N; i++) {
        const void *part[FIELDS] = { s[i].uv,    s[i].seen,   s[i].xyz, s[i].known, s[i].eye,    s[i].pose,         s[i].take, &s[i].frame,
                                     &s[i].group, s[i].size, s[i].map, s[i].packed, &s[i].packed_bytes };
        for (int f = 0; f < fields; f++) OK(gn_shard_put(w, i, f, part[which[f]]));
    }
    OK(gn_shard_finish(w));
    FILE *to = fmemopen(said, room, "w");
    assert_non_null(to);
    const gn_status status = gn_data_verify(to, root, path, a);
    fclose(to);
    gn_arena_free(a);
    return status;
}

/* --- what is planted --- */

static void no_size(sample *s, sample *before) { (void)before, s->size[1] = 0; }
static void torn(sample *s, sample *before) { (void)before, s->packed_bytes /= 2; }
static void other_size(sample *s, sample *before) { (void)before, s->size[0] = s->size[1] = SIDE / 2; }
static void metres(sample *s, sample *before) { 
    (void)before;
    for (int k = 0; k < SIDE * SIDE; k++) s->map[k] = 4;
}
static void turned(sample *s, sample *before) { (void)before, s->pose[0][0] *= 2; }
static void away(sample *s, sample *before) { (void)before, s->eye[2] = 4000; }
static void knees(sample *s, sample *before) {
    float was[3];
    (void)before;
    memcpy(was, s->xyz[2], sizeof was), memcpy(s->xyz[2], s->xyz[5], sizeof was), memcpy(s->xyz[5], was, sizeof was);
    project(s);
}
/* A forearm: hidden joints are no fault, and no bone is made of them. */
static void forearm(sample *s, double share) {
    for (int k = 0; k < 3; k++) s->xyz[13][k] = s->xyz[12][k] + (float)share * (s->xyz[13][k] - s->xyz[12][k]);
    project(s);
}
static void alone(sample *s) { s->frame = 9999; } /* nobody else's moment */
static void short_arm(sample *s, sample *before) { (void)before, forearm(s, 0.4); alone(s); }
static void long_arm(sample *s, sample *before) { (void)before, forearm(s, 3); alone(s); }
static void absent_arm(sample *s, sample *before) {
    (void)before;
    memset(s->xyz[13], 0, sizeof s->xyz[13]), memset(s->uv[13], 0, sizeof s->uv[13]);
    s->known[13] = s->seen[13] = 0;
}
static void no_length(sample *s, sample *before) { (void)before, memcpy(s->xyz[9], s->xyz[8], sizeof s->xyz[9]); project(s); alone(s); }
static void giant(sample *s, sample *before) {
    (void)before;
    for (int j = 0; j < J; j++)
        for (int k = 0; k < 3; k++) s->xyz[j][k] = (k == 2 ? 12 : 0) + 3 * (s->xyz[j][k] - (k == 2 ? 4 : 0));
    project(s), alone(s);
}
static void twin(sample *s, sample *before) { *s = *before; }
static void held(sample *s, sample *before) { *s = *before, s->frame++; }
static void copied(sample *s, sample *before) { memcpy(s->packed, before->packed, sizeof s->packed), s->packed_bytes = before->packed_bytes; }
static void back(sample *s, sample *before) { (void)before, s->group = 2; }
static void moved(sample *s, sample *before) {
    (void)before;
    for (int j = 0; j < J; j++) s->xyz[j][2] += 0.1f;
    project(s);
}
static void corrupt(sample *s, sample *before) { (void)before, strcpy(s->take, "S11 Directions 54138969"); }
static void other_take(sample *s, sample *before) { (void)before, strcpy(s->take, "S11 Directions 1 54138969"); }
static void broken(sample *s, sample *before) { (void)before, strcpy(s->take, "07_12.bvh"); }
static void flips(sample *s, sample *before) { (void)before, strcpy(s->take, "05_05.bvh"); }

static void faults(void **state) {
    (void)state;
    static const struct { int picture; const char *format; plant wrong; int bad; const char *said; } row[] = {
        { BARE, "x", NULL, 0, ": sound\n" },
        { JPEG, "x", NULL, 0, ": sound\n" },
        { DEPTH, "x", NULL, 0, ": sound\n" },
        { BARE, "x", no_size, 1, "size sample 31 (S9 Walking 1 1, frame 110): size: 64 x 0 pixels" },
        { JPEG, "x", torn, 1, "jpeg sample 31 (S9 Walking 1 1, frame 110): broken picture: " },
        { JPEG, "x", other_size, 1, "broken picture: a JPEG of 64 x 64 pixels, expected 32 x 32" },
        { DEPTH, "x", metres, 1, "depth_map sample 31 (S9 Walking 1 1, frame 110): depth map: joints lie 2.4" },
        { BARE, "x", turned, 1, "pose_of_view sample 31 (S9 Walking 1 1, frame 110): camera: rows off" },
        { BARE, "x", away, 1, "camera sample 31 (S9 Walking 1 1, frame 110): camera: f 50 50, centre 4000 32 of 64 x 64 pixels" },
        { BARE, "x", knees, 1, "joints3d sample 31 (S9 Walking 1 1, frame 110): left and right: " },
        { BARE, "x", short_arm, 0, "frame 9999): warning: odd bone: l_elbow-l_wrist measures 10" },
        { BARE, "x", long_arm, 1, "frame 9999): impossible bone: l_elbow-l_wrist measures 76" },
        { BARE, "x", absent_arm, 0, ": sound\n" },
        { BARE, "x", no_length, 0, ": sound\n" },
        { BARE, "x", giant, 1, "frame 9999): impossible bone: all bones are 3" },
        { BARE, "x", twin, 1, "labels sample 31 (S9 Walking 1 0, frame 110): duplicate labels: as sample 30" },
        { BARE, "x", held, 0, "labels sample 31 (S9 Walking 1 0, frame 111): warning: held pose: as sample 30" },
        { JPEG, "x", copied, 1, "jpeg sample 31 (S9 Walking 1 1, frame 110): duplicate picture: as sample 30" },
        { BARE, "x", back, 1, "group sample 31 (S9 Walking 1 1, frame 110): group: 2 began at sample 6, and others lie between" },
        { BARE, "x", moved, 1, "joints3d sample 31 (S9 Walking 1 1, frame 110): views of one moment disagree: " },
        { BARE, "h36m", corrupt, 1, "take sample 31 (S11 Directions 54138969, frame 110): damaged take: a corrupt video" },
        { BARE, "h36m", other_take, 0, ": sound\n" },
        { BARE, "x", corrupt, 0, ": sound\n" },
        { BARE, "bvh", broken, 1, "take sample 31 (07_12.bvh, frame 110): damaged take: the whole body flips" },
        { BARE, "bvh", flips, 0, "take sample 31 (05_05.bvh, frame 110): warning: flipping joints: " },
    };
    static char said[8192];
    for (size_t k = 0; k < sizeof row / sizeof *row; k++) {
        memset(said, 0, sizeof said);
        const gn_status status = verify(row[k].picture, row[k].format, row[k].wrong, said, sizeof said);
        if (status != (row[k].bad ? GN_BAD_DATA : GN_OK)) fail_msg("row %zu: status %d:\n%s", k, status, said);
        if (!strstr(said, row[k].said)) fail_msg("row %zu: expected '%s' in:\n%s", k, row[k].said, said);
        if (row[k].bad) assert_null(strchr(gn_reason(), '\n'));
        else assert_non_null(strstr(said, ": sound"));
    }
}

/* Any byte: the seal, HDF5's own, hashes, a sample. Where it does not open it is refused, else a sample's hash differs. */
static void any_byte(void **state) {
    (void)state;
    char path[256];
    static char said[1 << 16];
    OK(verify(JPEG, "x", NULL, said, sizeof said));
    snprintf(path, sizeof path, "%s/one.h5", root);
    gn_arena *a = gn_arena_new("bytes");
    void *bytes;
    size_t n;
    OK(gn_io_read(a, path, 1 << 24, &bytes, &n));
    unsigned char *b = bytes;
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    int opened = 0;
    const int many = getenv("GN_FUZZ") ? 20000 : 300;
    uint64_t draw = 9;
    for (int k = 0; k < many; k++) {
        draw = draw * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        const size_t at = (draw >> 20) % (k % 3 ? n : 16384); /* what is not samples lies first */
        const unsigned char was = b[at];
        fseek(f, (long)at, SEEK_SET), fputc(was ^ (1 << (draw >> 17) % 8), f), fflush(f);
        gn_arena *brief = gn_arena_new("one");
        gn_shard *s;
        gn_trail_clear();
        int refused = gn_shard_open(brief, path, &s) != GN_OK;
        opened += !refused;
        for (int i = 0; i < N && !refused; i++)
            for (int p = 0; p < gn_shard_fields(s) && !refused; p++) refused = gn_shard_verify(s, p, i) != GN_OK;
        if (!refused) fail_msg("byte %zu of %zu changed and nobody noticed", at, n);
        gn_arena_free(brief);
        fseek(f, (long)at, SEEK_SET), fputc(was, f);
    }
    fclose(f);
    assert_true(opened > many / 10 && opened < many);
    gn_arena_free(a);
}

/* A moment a row: each view and then the world is a tile with a left and a right arm in it, before what the shard has. */
static void shown(void **state) {
    (void)state;
    static char said[8192];
    char path[256], png[256];
    snprintf(path, sizeof path, "%s/one.h5", root), snprintf(png, sizeof png, "%s/sheet.png", root);
    for (int picture = BARE; picture <= DEPTH; picture++) {
        gn_arena *a = gn_arena_new("sheet");
        gn_image p;
        OK(verify(picture, "x", NULL, said, sizeof said));
        OK(gn_sheet(path, 8, 2, png, a));
        OK(gn_image_read(a, png, &p));
        assert_int_equal(p.w, 8 + (VIEWS + 1) * 232);
        assert_int_equal(p.h, 42 + 2 * 248);
        for (int tile = 0; tile < 2 * (VIEWS + 1); tile++) {
            int left = 0, right = 0, grounds = 0;
            uint8_t first[3];
            for (int y = 0; y < 224; y++)
                for (int x = 0; x < 224; x++) {
                    const uint8_t *c = p.rgb + 3 * ((42 + tile / (VIEWS + 1) * 248 + y) * p.w + 8 + tile % (VIEWS + 1) * 232 + x);
                    if (!x && !y) memcpy(first, c, 3);
                    left += c[0] > 220 && c[1] > 100 && c[1] < 150 && c[2] < 80;
                    right += c[0] < 80 && c[1] > 120 && c[2] > 200;
                    grounds += memcmp(c, first, 3) != 0;
                }
            if (left < 100 || right < 100) fail_msg("picture %d, tile %d: %d pixels of the left, %d of the right", picture, tile, left, right);
            assert_true(picture != JPEG || tile % (VIEWS + 1) == VIEWS || grounds > 30000); /* a picture is nowhere plain */
        }
        gn_arena_free(a);
    }
}

static void listed(void **state) {
    (void)state;
    static char said[8192];
    char path[256];
    OK(verify(DEPTH, "x", NULL, said, sizeof said));
    snprintf(path, sizeof path, "%s/one.h5", root);
    const char *const what[] = { path, root };
    for (int k = 0; k < 2; k++) {
        gn_arena *a = gn_arena_new("list");
        FILE *to = fmemopen(said, sizeof said, "w");
        OK(gn_data_list_one(to, "nowhere", what[k], a));
        fclose(to);
        assert_non_null(strstr(said, "one.h5: 60 samples, hash "));
        assert_non_null(strstr(said, "depth_map[64x64]"));
        assert_non_null(strstr(said, "holds    joints2d labelled2d joints3d labelled3d depth camera pose_of_view\n"));
        assert_non_null(strstr(said, " transform"));
        assert_non_null(strstr(said, "skeleton h36m17\n  from     format: x; from: nowhere\n"));
        FAILS(gn_data_list_one(stdout, "nowhere", "/nowhere/else", a), MISSING);
        gn_arena_free(a);
    }
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
    const struct CMUnitTest tests[] = { cmocka_unit_test(faults), cmocka_unit_test(any_byte), cmocka_unit_test(shown), cmocka_unit_test(listed) };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
