/* test_fuzz.c - damaged files, imported: the parent lives, whoever reads them ends in time, and what is said is one line.
 *
 * Sources are small and made by tests/import; damage is tests/damage.h's. GN_FUZZ files a format (100 unless said), from
 * GN_FUZZ_FROM on; CMOCKA_TEST_FILTER names a format. A format's line tells what became of them. */
#include "damage.h"
#include "gnomon/log.h"
#include "importing.h"
#include "source.h"
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

enum { FILES = 64, LARGEST = 1 << 23, TOLD = 3, USUAL = 100, THROUGH = 4 };
static const double seconds = 20, slack = 5; /* of a child; beyond that, of the parent */

typedef struct { const char *format, *script, *below; int pictured; } source;
static const source sources[] = {
    { "kinect", "seeds", "kinect", 0 },       { "coco", "seeds", "coco", 1 },           { "wholebody", "seeds", "wholebody", 1 },
    { "crowdpose", "seeds", "crowdpose", 1 }, { "posetrack18", "seeds", "posetrack18", 2 }, { "interhand", "seeds", "interhand", 0 },
    { "openpose", "seeds", "openpose", 0 },   { "openpose25b", "seeds", "openpose25b", 0 }, { "trc", "seeds", "trc", 0 },
    { "pose2sim", "seeds", "pose2sim", 0 },   { "panoptic", "seeds", "panoptic", 0 },   { "ntu", "seeds", "ntu", 0 },
    { "bvh", "seeds", "bvh", 0 },             { "mpii", "mpii", "mat", 0 },             { "mpii", "mpii", "json", 0 },
    { "mpii", "mpii", "h5", 0 },              { "itop", "itop", "", 1 },                { "mpi_inf_3dhp", "mpi_inf_3dhp", "S1/Seq1", 0 },
    { "mpi_inf_3dhp_test", "mpi_inf_3dhp", "TS5", 0 }, { "mupots", "mupots", "mat", 0 }, { "mupots", "mupots", "json", 0 },
    { "muco", "mupots", "muco", 0 },          { "h36m", "h36m", "vp", 0 },              { "h36m", "h36m", "vp_xml", 0 },
    { "h36m", "h36m", "fetch", 0 },           { "h36m", "h36m", "moon", 0 },            { "ntu", "ntu", "seen", 1 },
    { "kinoptic", "panoptic", "171026_pose3", 0 },
};

typedef struct { const char *name; unsigned char *b; size_t n; int picture; } file;
typedef struct {
    const source *s;
    gn_arena *arena;
    char root[128], out[160], source[200];
    int n, errors;                   /* files; descriptor that standard error goes to */
    file file[FILES];
    damaged d;
    int64_t refused, accepted, unsound, missing, late, died, faults;
    double slowest;
    int64_t slow_seed;
} fuzz;

static struct { const char *format; long long seed; } now_at;
static int real_errors = 2;

static void parent_died(int sig) {
    char text[200];
    const int n = snprintf(text, sizeof text, "test_fuzz: signal %d at %s, seed %lld\n", sig, now_at.format ? now_at.format : "?", now_at.seed);
    if (write(real_errors, text, (size_t)n) < 0) _exit(2);
    _exit(1);
}

static double clock_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* --- the source --- */

static int is_picture(const unsigned char *b, size_t n) { return n > 4 && (!memcmp(b, "\x89PNG", 4) || !memcmp(b, "\xff\xd8\xff", 3)); }

static void load(fuzz *z, const char *folder, const char *below) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, below);
    DIR *d = opendir(path);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        struct stat st;
        const char *name = gn_arena_text(z->arena, "%s%s%s", below, *below ? "/" : "", e->d_name);
        void *b;
        if (e->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", folder, name);
        assert_int_equal(stat(path, &st), 0);
        if (S_ISDIR(st.st_mode)) {
            load(z, folder, name);
            continue;
        }
        file *f = &z->file[z->n];
        OK(gn_io_read(z->arena, path, LARGEST, &b, &f->n));
        f->name = name, f->b = b, f->picture = is_picture(b, f->n);
        if (f->picture && !z->s->pictured) continue;
        assert_true(++z->n < FILES);
    }
    closedir(d);
}

static int by_name(const void *x, const void *y) { return strcmp(((const file *)x)->name, ((const file *)y)->name); }

static void put_file(const fuzz *z, const char *name, const void *b, size_t n) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", z->source, name);
    const int to = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0666);
    assert_true(to >= 0 && write(to, b, n) == (ssize_t)n);
    close(to);
}

static void lay_out(fuzz *z) {
    size_t largest = 0;
    for (int i = 0; i < z->n; i++) {
        char folder[512];
        const char *slash = strrchr(z->file[i].name, '/');
        snprintf(folder, sizeof folder, "%s/%.*s", z->source, slash ? (int)(slash - z->file[i].name) : 0, z->file[i].name);
        OK(gn_io_folder(folder));
        put_file(z, z->file[i].name, z->file[i].b, z->file[i].n);
        if (z->file[i].n > largest) largest = z->file[i].n;
    }
    z->d.room = largest + DAMAGE_ROOM;
    z->d.b = gn_arena_take(z->arena, z->d.room);
    assert_non_null(z->d.b);
}

/* --- one damaged file --- */

static void wrong(fuzz *z, int64_t seed, const char *what, const char *more) {
    if (z->faults++ < TOLD) dprintf(real_errors, "%s/%s seed %lld: %s: %s\n", z->s->format, z->s->below, (long long)seed, what, more);
}

/* A sanitizer sees what HDF5 and matio do to their own memory, too: the first frame with a name of a file tells. */
static int is_theirs(const char *text) {
    const char *library = strstr(text, ".so"), *ours = strstr(text, "/src/");
    return strstr(text, "Sanitizer") && library && (!ours || library < ours);
}

/* What reached standard error, which the program keeps for its one line; 1: a library's fault. */
static int check_silence(fuzz *z, int64_t seed) {
    char text[4000];
    const ssize_t n = pread(z->errors, text, sizeof text - 1, 0);
    if (n <= 0) return 0;
    text[n] = 0;
    assert_int_equal(ftruncate(z->errors, 0), 0);
    lseek(z->errors, 0, SEEK_SET);
    if (is_theirs(text)) return 1;
    wrong(z, seed, "says on standard error", text);
    return 0;
}

/* Finished shards, and no more. Those are sound or are refused. */
static void check_left(fuzz *z, int64_t seed, gn_status status) {
    int shards = 0, sound = 1;
    DIR *d = opendir(z->out);
    for (struct dirent *e; d && (e = readdir(d));) {
        if (e->d_name[0] == '.') continue;
        if (strcmp(e->d_name, "train.h5") && strcmp(e->d_name, "valid.h5")) {
            wrong(z, seed, "leaves", e->d_name);
            continue;
        }
        char path[512];
        gn_arena *a = gn_arena_new("verify");
        FILE *to = fopen("/dev/null", "w");
        snprintf(path, sizeof path, "%s/%s", z->out, e->d_name);
        const gn_status verified = gn_data_verify(to, ".", path, a);
        if (verified && verified != GN_BAD_DATA) wrong(z, seed, "its shard", gn_reason());
        fclose(to);
        gn_arena_free(a);
        shards++, sound &= !verified;
    }
    if (d) closedir(d);
    if (status) return;
    if (!shards) wrong(z, seed, "is accepted", "no shard");
    z->accepted++;
    z->unsound += !sound;
}

static void judge(fuzz *z, int64_t seed, gn_status status, double took, int theirs) {
    const char *why = gn_reason();
    if (took > z->slowest) z->slowest = took, z->slow_seed = seed;
    if (took > seconds + slack) wrong(z, seed, "takes too long", why);
    if (status == GN_BAD_DATA) z->refused++;
    else if (status == GN_MISSING) z->missing++;
    else if (status) wrong(z, seed, gn_status_text(status), why);
    if (!status) return;
    int plain = why[0] != 0;
    for (const char *c = why; *c; c++) plain &= (unsigned char)*c >= ' ' && *c != 127;
    if (!plain) wrong(z, seed, "is not one line", why);
    if (strstr(why, "not read within") && z->late++ < TOLD) dprintf(real_errors, "%s/%s seed %lld: %s\n", z->s->format, z->s->below, (long long)seed, why);
    if (strstr(why, "ends without a word") && !theirs) wrong(z, seed, "ends", why);
    z->died += theirs;
    if (strstr(why, "whoever reads it dies") && z->died++ < TOLD) dprintf(real_errors, "%s/%s seed %lld: %s\n", z->s->format, z->s->below, (long long)seed, why);
}

static void one(fuzz *z, int64_t seed, FILE *to) {
    uint64_t start = (uint64_t)seed * 0x2545F4914F6CDD1Du + strlen(z->s->below);
    for (const char *c = z->s->format; *c; c++) start = start * 31 + (unsigned char)*c;
    damage_state = start;
    now_at.format = z->s->format, now_at.seed = seed;
    gn_import from = { .format = z->s->format, .source = z->source, .out = z->out, .size = 16, .every = 1, .seconds = seconds, .memory = INT64_C(2) << 30, .skip_missing = 1 };
    const int pictured = z->s->pictured == 2 ? damage_draw(8) != 0 : z->s->pictured && !damage_draw(4);
    from.keep = !pictured ? GN_KEEP_NONE : damage_draw(2) ? GN_KEEP_RAW : GN_KEEP_JPEG;
    const file *f;
    do f = &z->file[damage_draw((size_t)z->n)];
    while (f->picture && !pictured);
    memcpy(z->d.b, f->b, f->n);
    z->d.n = f->n;
    damage(&z->d, start);
    put_file(z, f->name, z->d.b, z->d.n);
    gn_arena *a = gn_arena_new("fuzz");
    gn_trail_clear();
    const double began = clock_now();
    const gn_status status = gn_import_run(to, &from, a);
    judge(z, seed, status, clock_now() - began, check_silence(z, seed));
    gn_arena_free(a);
    check_left(z, seed, status);
    put_file(z, f->name, f->b, f->n);
    OK(gn_io_remove(z->out));
}

/* --- the same by the program --- */

static void by_program(fuzz *z, int64_t seed) {
    damage_state = (uint64_t)seed;
    char errors[4000];
    int ends[2], state = 0;
    size_t n = 0;
    const file *f;
    do f = &z->file[damage_draw((size_t)z->n)];
    while (f->picture);
    memcpy(z->d.b, f->b, f->n);
    z->d.n = f->n;
    damage(&z->d, (uint64_t)seed * 7919);
    put_file(z, f->name, z->d.b, z->d.n);
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    const pid_t child = fork();
    if (!child) {
        dup2(open("/dev/null", O_WRONLY), 1), dup2(ends[1], 2);
        close(ends[0]);
        execl(GN_PROGRAM, GN_PROGRAM, "data", "import", z->s->format, z->source, "--out", z->out, "--keep", "none", "--seconds", "20", (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    for (ssize_t got; (got = read(ends[0], errors + n, sizeof errors - 1 - n)) > 0;) n += (size_t)got;
    errors[n] = 0;
    close(ends[0]);
    assert_int_equal(waitpid(child, &state, 0), child);
    const int code = WIFEXITED(state) ? WEXITSTATUS(state) : -1;
    const char *end = strchr(errors, '\n');
    if (code != 0 && code != 65 && code != 66) wrong(z, seed, "the program ends otherwise", errors);
    if (code ? !end || end[1] || strncmp(errors, "gnomon: ", 8) != 0 : n != 0) wrong(z, seed, "the program says", errors);
    put_file(z, f->name, f->b, f->n);
    OK(gn_io_remove(z->out));
}

/* --- a format --- */

static int64_t asked(const char *name, int64_t usual) {
    const char *text = getenv(name);
    return text && *text ? strtoll(text, NULL, 10) : usual;
}

static void begin(fuzz *z, const source *s) {
    const char *shm = "/dev/shm";
    *z = (fuzz){ .s = s, .arena = gn_arena_new("fuzz") };
    const char *made = source_made(z->arena, s->script);
    snprintf(z->root, sizeof z->root, "%s/gn_fuzz_%d", access(shm, W_OK) ? "/tmp" : shm, (int)getpid());
    snprintf(z->out, sizeof z->out, "%s/out", z->root);
    snprintf(z->source, sizeof z->source, "%s/in", z->root);
    OK(gn_io_remove(z->root));
    load(z, made, s->below);
    OK(gn_io_remove(made));
    if (s->pictured && !strcmp(s->script, "seeds")) { /* the JPEG that the script cannot write */
        gn_image image;
        void *b;
        file *f = &z->file[z->n++];
        OK(gn_image_new(z->arena, 320, 240, &image));
        for (int i = 0; i < 3 * 320 * 240; i++) image.rgb[i] = (uint8_t)(i / 960 + i % 31);
        OK(gn_jpeg_encode(z->arena, &image, 80, &b, &f->n));
        f->name = gn_arena_text(z->arena, "%s/000000000002.jpg", s->below), f->b = b, f->picture = 1;
    }
    qsort(z->file, (size_t)z->n, sizeof *z->file, by_name);
    lay_out(z);
    if (*s->below) snprintf(z->source, sizeof z->source, "%s/in/%s", z->root, s->below);
    for (int i = 0; i < z->n && *s->below; i++) z->file[i].name += strlen(s->below) + 1;
}

static void fuzz_format(void **state) {
    static fuzz z;
    begin(&z, *state);
    const int64_t many = asked("GN_FUZZ", USUAL), from = asked("GN_FUZZ_FROM", 1);
    FILE *to = fopen("/dev/null", "w");
    z.errors = memfd_create("errors", MFD_CLOEXEC);
    assert_true(to && z.errors >= 0);
    gn_arena *a = gn_arena_new("fuzz");
    gn_import whole = { .format = z.s->format, .source = z.source, .out = z.out, .size = 16, .every = 1, .seconds = seconds, .memory = INT64_C(2) << 30,
                        .keep = z.s->pictured ? GN_KEEP_RAW : GN_KEEP_NONE };
    OK(gn_import_run(to, &whole, a));
    gn_arena_free(a);
    OK(gn_io_remove(z.out));
    fflush(NULL);
    real_errors = dup(2);
    dup2(z.errors, 2);
    const double began = clock_now();
    for (int64_t seed = from; seed < from + many; seed++) one(&z, seed, to);
    const double took = clock_now() - began;
    dup2(real_errors, 2);
    for (int64_t k = 0; k < THROUGH; k++) by_program(&z, from + k);
    printf("%s/%s: %lld files, %.0f/s: refused %lld, missing %lld, accepted %lld (%lld that verify refuses), deaths %lld, late %lld, slowest %.2f s (seed %lld), wrong %lld\n",
           z.s->format, z.s->below, (long long)many, (double)many / took, (long long)z.refused, (long long)z.missing, (long long)z.accepted, (long long)z.unsound, (long long)z.died,
           (long long)z.late, z.slowest, (long long)z.slow_seed, (long long)z.faults);
    fflush(stdout);
    fclose(to);
    close(z.errors);
    close(real_errors);
    real_errors = 2;
    OK(gn_io_remove(z.root));
    assert_int_equal(z.faults, 0);
    assert_true(z.refused + z.missing + z.accepted == many);
    gn_arena_free(z.arena);
}

static int known(const char *format) {
    for (int i = 0; gn_importers[i]; i++)
        if (!strcmp(gn_importers[i]->name, format)) return 1;
    return 0;
}

int main(void) {
    enum { N = sizeof sources / sizeof *sources };
    static struct CMUnitTest tests[N];
    static char name[N][64];
    int n = 0;
    gn_log_quiet(1); /* progress is no complaint */
    signal(SIGSEGV, parent_died), signal(SIGBUS, parent_died), signal(SIGFPE, parent_died), signal(SIGABRT, parent_died);
    for (int i = 0; i < N; i++) {
        if (!known(sources[i].format)) continue;
        snprintf(name[n], sizeof name[n], "%s/%s", sources[i].format, sources[i].below);
        tests[n] = (struct CMUnitTest){ .name = name[n], .test_func = fuzz_format, .initial_state = (void *)(uintptr_t)&sources[i] };
        n++;
    }
    return _cmocka_run_group_tests("fuzz", tests, (size_t)n, NULL, NULL);
}
