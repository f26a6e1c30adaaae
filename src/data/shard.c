/* shard.c - shards written and read at byte offsets, every byte under a hash.
 *
 * Samples have an XXH3 each, in /hash/<field>. All the rest of the file - HDF5's own structures, those
 * hashes, the gaps - is under one more, the seal, in the first page. It is checked before HDF5 sees the
 * file, because HDF5 1.10 can crash on, or believe, a flipped bit in its structures. */
#include "src/data/shard.h"
#include "gnomon/hash.h"
#include "gnomon/io.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    char magic[32];
    uint64_t size;                                    /* of the file */
    uint64_t ranges, range[GN_SHARD_FIELDS][2];       /* samples: [from, to) each, ascending */
    uint64_t hash;                                    /* of all bytes outside the ranges, with this as 0 */
} seal;
static const char magic[32] = "gnomon shard seal 1\n";
_Static_assert(sizeof(seal) <= GN_SHARD_SEAL, "the seal fits into the user block");

struct gn_shard_writer {
    gn_shard_layout layout;
    const char *path;
    char temp[PATH_MAX];
    int fd, sealed;
    uint64_t *hash[GN_SHARD_FIELDS];                  /* [n] */
    uint8_t *put[GN_SHARD_FIELDS];                    /* [n] 1 where the sample is written */
};

struct gn_shard {
    gn_shard_layout layout;
    const char *path;
    const unsigned char *map;
    size_t size;
    const uint64_t *hash[GN_SHARD_FIELDS];
    atomic_uint_least64_t *checked;                   /* a bit a sample */
    uint64_t all;
};

/* --- the seal --- */

static uint64_t hash_outside(const seal *s, const unsigned char *map) {
    unsigned char page[GN_SHARD_SEAL];
    memcpy(page, map, sizeof page);
    memset(page + offsetof(seal, hash), 0, sizeof s->hash);
    uint64_t h = gn_hash(page, sizeof page), at = sizeof page;
    for (uint64_t i = 0; i <= s->ranges; i++) {
        uint64_t to = i < s->ranges ? s->range[i][0] : s->size;
        h = gn_hash_more(h, map + at, to - at);
        if (i < s->ranges) at = s->range[i][1];
    }
    return h;
}

static void seal_make(seal *s, const gn_shard_layout *l, uint64_t size) {
    *s = (seal){ .size = size, .ranges = (uint64_t)l->fields };
    memcpy(s->magic, magic, sizeof magic);
    for (int i = 0; i < l->fields; i++) {             /* insertion: HDF5 need not lay fields out in order */
        uint64_t from = l->place[i].at, to = from + l->place[i].bytes * (uint64_t)l->n;
        int k = i;
        for (; k > 0 && s->range[k - 1][0] > from; k--) memcpy(s->range[k], s->range[k - 1], sizeof s->range[k]);
        s->range[k][0] = from;
        s->range[k][1] = to;
    }
}

static gn_status seal_check(const char *path, const unsigned char *map, uint64_t size) {
    seal s;
    memcpy(&s, map, sizeof s);
    if (memcmp(s.magic, magic, sizeof magic)) GN_FAIL(BAD_DATA, "%s: not a shard: its first page is no seal", path);
    if (s.size != size)
        GN_FAIL(BAD_DATA, "%s: %llu bytes, the seal says %llu", path, (unsigned long long)size, (unsigned long long)s.size);
    uint64_t at = GN_SHARD_SEAL;
    int sound = s.ranges <= GN_SHARD_FIELDS;
    for (uint64_t i = 0; sound && i < s.ranges; i++) {
        sound = s.range[i][0] >= at && s.range[i][1] >= s.range[i][0] && s.range[i][1] <= size;
        at = s.range[i][1];
    }
    if (!sound || hash_outside(&s, map) != s.hash) GN_FAIL(BAD_DATA, "%s: header: hash differs", path);
    return GN_OK;
}

/* The seal and HDF5 must mean the same bytes, or samples could lie where no hash is. */
static gn_status seal_match(const char *path, const unsigned char *map, const gn_shard_layout *l, uint64_t size) {
    seal s, expected;
    memcpy(&s, map, sizeof s);
    seal_make(&expected, l, size);
    if (s.ranges != expected.ranges || memcmp(s.range, expected.range, sizeof s.range))
        GN_FAIL(BAD_DATA, "%s: header: the seal and the datasets disagree on where samples are", path);
    return GN_OK;
}

/* --- writing --- */

static void abandon(void *what) {
    gn_shard_writer *w = what;
    if (w->fd < 0) return;
    close(w->fd);
    unlink(w->temp);
    w->fd = -1;
}

static gn_status disk(const gn_shard_writer *w, const char *doing) {
    GN_FAIL(IO, "%s: cannot be %s: %s", w->path, doing, strerror(errno));
}

static gn_status write_at(const gn_shard_writer *w, const void *bytes, size_t n, uint64_t at) {
    for (const char *from = bytes; n;) {
        ssize_t done = pwrite(w->fd, from, n, (off_t)at);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return disk(w, "written");
        from += done;
        at += (uint64_t)done;
        n -= (size_t)done;
    }
    return GN_OK;
}

static gn_status fields_check(const char *path, int64_t n, const gn_shard_field *field, int fields) {
    if (n < 1 || n > INT64_C(1) << 40) GN_FAIL(BAD_SHAPE, "%s: %lld samples", path, (long long)n);
    if (fields < 1 || fields > GN_SHARD_FIELDS) GN_FAIL(BAD_SHAPE, "%s: %d fields, expected 1 to %d", path, fields, GN_SHARD_FIELDS);
    for (int i = 0; i < fields; i++) {
        const gn_shard_field *f = &field[i];
        uint64_t bytes = (uint64_t)f->element * (uint64_t)n;
        if (f->rank < 0 || f->rank > 3 || !strcmp(f->name, "hash")) GN_FAIL(BAD_SHAPE, "%s: field '%s' has rank %d", path, f->name, f->rank);
        for (int k = 0; k < f->rank; k++) {
            if (f->d[k] < 1 || bytes > (uint64_t)INT64_MAX / 64 / (uint64_t)f->d[k])
                GN_FAIL(BAD_SHAPE, "%s: field '%s' has extent %lld", path, f->name, (long long)f->d[k]);
            bytes *= (uint64_t)f->d[k];
        }
        for (int k = 0; k < i; k++)
            if (!strcmp(field[k].name, f->name)) GN_FAIL(BAD_SHAPE, "%s: field '%s' is given twice", path, f->name);
    }
    return GN_OK;
}

/* Where the file system can: a disk too small is known now and not after hours. */
static gn_status reserve(const gn_shard_writer *w, uint64_t bytes) {
    if (fallocate(w->fd, 0, 0, (off_t)bytes) && errno != EOPNOTSUPP && errno != ENOSYS) return disk(w, "given its space");
    return GN_OK;
}

gn_status gn_shard_create(gn_arena *a, const char *path, int64_t n, const gn_skeleton *skeleton,
                          const gn_shard_field *field, int fields, const char *provenance, gn_shard_writer **writer) {
    GN_TRY(fields_check(path, n, field, fields));
    if (strlen(provenance) >= GN_SHARD_TEXT)
        GN_FAIL(BAD_SHAPE, "%s: provenance of %zu bytes, at most %d", path, strlen(provenance), GN_SHARD_TEXT - 1);
    gn_shard_writer *w;
    GN_TAKE(w, a, 1);
    GN_TAKE_TEXT(w->path, a, "%s", path);
    w->fd = -1;
    if (snprintf(w->temp, sizeof w->temp, "%s.%d.tmp", path, (int)getpid()) >= (int)sizeof w->temp)
        GN_FAIL(NO_CREATE, "path of %zu characters, at most %d", strlen(path), PATH_MAX - 16);
    gn_shard_layout *l = &w->layout;
    l->n = n;
    l->fields = fields;
    l->skeleton = skeleton;
    l->provenance = provenance;
    uint64_t total = 0;
    for (int i = 0; i < fields; i++) {
        gn_shard_place *p = &l->place[i];
        p->field = field[i];
        GN_TAKE_TEXT(p->field.name, a, "%s", field[i].name);
        p->bytes = (uint64_t)field[i].element;
        for (int k = 0; k < field[i].rank; k++) p->bytes *= (uint64_t)field[i].d[k];
        total += (p->bytes + sizeof **w->hash) * (uint64_t)n;
        GN_TAKE(w->hash[i], a, n);
        GN_TAKE(w->put[i], a, n);
    }
    int probe = open(w->temp, O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0666);
    if (probe < 0) GN_FAIL(NO_CREATE, "%s: cannot be created: %s", path, strerror(errno));
    w->fd = probe;
    GN_TRY(gn_arena_at_end(a, abandon, w));
    GN_TRY(reserve(w, total)); /* before HDF5 too, which fails badly on a full disk */
    GN_TRY(gn_h5_create(w->temp, l));
    struct stat st;
    if (fstat(w->fd, &st)) return disk(w, "read back");
    GN_TRY(reserve(w, (uint64_t)st.st_size));
    *writer = w;
    return GN_OK;
}

gn_status gn_shard_put(gn_shard_writer *w, int64_t sample, int field, const void *bytes) {
    const gn_shard_layout *l = &w->layout;
    if (sample < 0 || sample >= l->n || field < 0 || field >= l->fields)
        GN_FAIL(BAD_SHAPE, "%s: sample %lld of %lld, field %d of %d", w->path, (long long)sample, (long long)l->n, field, l->fields);
    const gn_shard_place *p = &l->place[field];
    GN_TRY(write_at(w, bytes, p->bytes, p->at + (uint64_t)sample * p->bytes));
    w->hash[field][sample] = gn_hash(bytes, p->bytes);
    w->put[field][sample] = 1;
    return GN_OK;
}

static gn_status write_seal(gn_shard_writer *w) {
    struct stat st;
    if (fstat(w->fd, &st)) return disk(w, "read back");
    uint64_t size = (uint64_t)st.st_size;
    void *map = mmap(NULL, size, PROT_READ, MAP_SHARED, w->fd, 0);
    if (map == MAP_FAILED) return disk(w, "read back");
    unsigned char page[GN_SHARD_SEAL] = { 0 };
    seal s;
    seal_make(&s, &w->layout, size);
    memcpy(page, &s, sizeof s);
    gn_status status = write_at(w, page, sizeof page, 0);
    s.hash = hash_outside(&s, map);
    munmap(map, size);
    GN_TRY(status);
    return write_at(w, &s, sizeof s, 0);
}

gn_status gn_shard_seal(gn_shard_writer *w) {
    const gn_shard_layout *l = &w->layout;
    if (w->fd < 0) GN_FAIL(FAILED, "%s: is finished or abandoned", w->path);
    for (int i = 0; i < l->fields; i++) {
        const uint8_t *missing = memchr(w->put[i], 0, (size_t)l->n);
        if (missing) GN_FAIL(FAILED, "%s: %s of sample %lld was never written", w->path, l->place[i].field.name, (long long)(missing - w->put[i]));
        GN_TRY(write_at(w, w->hash[i], sizeof *w->hash[i] * (size_t)l->n, l->place[i].hash_at));
    }
    GN_TRY(write_seal(w));
    if (fsync(w->fd)) return disk(w, "synced");
    w->sealed = 1;
    return GN_OK;
}

gn_status gn_shard_finish(gn_shard_writer *w) {
    if (!w->sealed || w->fd < 0) GN_TRY(gn_shard_seal(w));
    if (close(w->fd)) {
        w->fd = -1;
        unlink(w->temp);
        return disk(w, "closed");
    }
    w->fd = -1;
    gn_status status = gn_io_rename(w->temp, w->path);
    if (status) {
        unlink(w->temp);
        return gn_pass(status, __FILE__, __LINE__);
    }
    return GN_OK;
}

/* --- reading --- */

static void unmap(void *what) {
    gn_shard *s = what;
    if (s->map) munmap((void *)(uintptr_t)s->map, s->size);
}

static gn_status map_file(gn_shard *s) {
    int fd = open(s->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) GN_FAIL(MISSING, "%s: no such file", s->path);
    if (fd < 0) GN_FAIL(IO, "%s: cannot be opened: %s", s->path, strerror(errno));
    struct stat st = { 0 };
    void *map = MAP_FAILED;
    int regular = !fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size > GN_SHARD_SEAL;
    if (regular) map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (!regular) GN_FAIL(BAD_DATA, "%s: not a shard: %lld bytes", s->path, (long long)st.st_size);
    if (map == MAP_FAILED) GN_FAIL(NO_MEMORY, "%s: cannot be mapped: %s", s->path, strerror(errno));
    s->map = map;
    s->size = (size_t)st.st_size;
    return GN_OK;
}

/* What labels.h says of a field is what the shard must hold. */
static gn_status field_check(const gn_shard *s, const gn_shard_field *f) {
    int J = s->layout.skeleton->joints, P = f->rank ? (int)f->d[0] : 0;
    int64_t elements = 1;
    for (int k = 0; k < f->rank; k++) elements *= f->d[k];
    if (!strcmp(f->name, "image") && (f->kind != 'u' || f->element != 1 || f->rank != 3 || f->d[2] != 3 || f->d[0] > 1 << 14 || f->d[1] > 1 << 14))
        GN_FAIL(BAD_DATA, "%s: image is not [H W 3] bytes", s->path);
    static const struct { const char *name; char kind; } known[] = {
#define ROW(name, type, count, carry, help) { #name, _Generic((type)0, uint8_t: 'u', int16_t: 'i', default: 'f') },
        GN_FIELDS(ROW)
#undef ROW
    };
    const int64_t count[] = {
#define ROW(name, type, count, carry, help) count,
        GN_FIELDS(ROW)
#undef ROW
    };
    const int element[] = {
#define ROW(name, type, count, carry, help) _Generic((type)0, uint8_t: 1, int16_t: 2, default: 4),
        GN_FIELDS(ROW)
#undef ROW
    };
    for (int i = 0; i < GN_FIELD_COUNT; i++)
        if (!strcmp(f->name, known[i].name) && (f->kind != known[i].kind || f->element != element[i] || elements != count[i]))
            GN_FAIL(BAD_DATA, "%s: %s has %lld elements '%c%d', expected %lld '%c%d'", s->path, f->name, (long long)elements,
                    f->kind, f->element, (long long)count[i], known[i].kind, element[i]);
    return GN_OK;
}

/* The framework's own skeleton of that name knows bones and root; it must have the same joints. */
static gn_status skeleton_match(gn_shard *s) {
    const gn_skeleton *is = s->layout.skeleton, *known = gn_skeleton_find(is->name);
    if (!known) return GN_OK;
    if (known->joints != is->joints)
        GN_FAIL(BAD_DATA, "%s: skeleton '%s' has %d joints, expected %d", s->path, is->name, is->joints, known->joints);
    for (int j = 0; j < is->joints; j++)
        if (strcmp(known->joint[j], is->joint[j]) || known->mirror[j] != is->mirror[j])
            GN_FAIL(BAD_DATA, "%s: joint %d of skeleton '%s' is '%s', expected '%s'", s->path, j, is->name, is->joint[j], known->joint[j]);
    s->layout.skeleton = known;
    return GN_OK;
}

gn_status gn_shard_open(gn_arena *a, const char *path, gn_shard **shard) {
    gn_shard *s;
    GN_TAKE(s, a, 1);
    GN_TAKE_TEXT(s->path, a, "%s", path);
    GN_TRY(gn_arena_at_end(a, unmap, s));
    GN_TRY(map_file(s));
    GN_TRY(seal_check(path, s->map, s->size));
    gn_shard_layout *l = &s->layout;
    GN_TRY(gn_h5_read(a, path, s->size, l));
    GN_TRY(seal_match(path, s->map, l, s->size));
    GN_TRY(skeleton_match(s));
    GN_TAKE(s->checked, a, (l->n + 63) / 64);
    for (int i = 0; i < l->fields; i++) {
        GN_TRY(field_check(s, &l->place[i].field));
        s->hash[i] = (const uint64_t *)(const void *)(s->map + l->place[i].hash_at);
        s->all = gn_hash_more(s->all, l->place[i].field.name, strlen(l->place[i].field.name));
        s->all = gn_hash_more(s->all, s->hash[i], sizeof *s->hash[i] * (size_t)l->n);
    }
    *shard = s;
    return GN_OK;
}

int64_t gn_shard_samples(const gn_shard *s) { return s->layout.n; }
int gn_shard_fields(const gn_shard *s) { return s->layout.fields; }
const gn_shard_field *gn_shard_field_at(const gn_shard *s, int place) { return &s->layout.place[place].field; }
size_t gn_shard_bytes(const gn_shard *s, int place) { return s->layout.place[place].bytes; }
const gn_skeleton *gn_shard_skeleton(const gn_shard *s) { return s->layout.skeleton; }
const char *gn_shard_provenance(const gn_shard *s) { return s->layout.provenance; }
const char *gn_shard_path(const gn_shard *s) { return s->path; }
uint64_t gn_shard_hash(const gn_shard *s) { return s->all; }

const gn_shard_field *gn_shard_find(const gn_shard *s, const char *field, int *place) {
    for (int i = 0; i < s->layout.fields; i++)
        if (!strcmp(s->layout.place[i].field.name, field)) {
            if (place) *place = i;
            return &s->layout.place[i].field;
        }
    return NULL;
}

const void *gn_shard_at(const gn_shard *s, int place, int64_t sample) {
    const gn_shard_place *p = &s->layout.place[place];
    return s->map + p->at + (uint64_t)sample * p->bytes;
}

gn_status gn_shard_verify(const gn_shard *s, int place, int64_t sample) {
    const gn_shard_place *p = &s->layout.place[place];
    if (gn_hash(gn_shard_at(s, place, sample), p->bytes) != s->hash[place][sample])
        GN_FAIL(BAD_DATA, "%s: %s sample %lld: hash differs", s->path, p->field.name, (long long)sample);
    return GN_OK;
}

gn_status gn_shard_check(gn_shard *s, int64_t sample) {
    uint64_t bit = UINT64_C(1) << (sample % 64);
    atomic_uint_least64_t *word = &s->checked[sample / 64];
    if (atomic_load_explicit(word, memory_order_relaxed) & bit) return GN_OK;
    for (int i = 0; i < s->layout.fields; i++) GN_TRY(gn_shard_verify(s, i, sample));
    atomic_fetch_or_explicit(word, bit, memory_order_relaxed);
    return GN_OK;
}
