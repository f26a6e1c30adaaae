/* zip.c - the one file that knows zlib beside the picture's decoders. PKWARE's APPNOTE 6.3, the part that NumPy writes. */
#include "src/import/zip.h"
#include "gnomon/config.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { MEMBERS = 4096, NAME = 256, TAIL = 22, ENTRY = 46, OWN = 30, DEFLATED = 1032 }; /* zlib makes nothing smaller than a 1032nd */

static uint64_t little(const unsigned char *p, int n) {
    uint64_t x = 0;
    while (n--) x = x << 8 | p[n];
    return x;
}

static void unmap(void *what) {
    const gn_zip *z = what;
    if (z->map) munmap((void *)(uintptr_t)z->map, z->bytes);
}

/* Whether n bytes lie in the file from `at` on. */
static int within(const gn_zip *z, uint64_t at, uint64_t n) { return at <= z->bytes && n <= z->bytes - at; }

/* The last record of the archive, at most 64 KiB of comment behind it. */
static gn_status find_end(const gn_zip *z, uint64_t *n, uint64_t *at) {
    const uint64_t most = z->bytes < TAIL + 65535 ? z->bytes : TAIL + 65535;
    for (uint64_t back = TAIL; back <= most; back++) {
        const unsigned char *p = z->map + z->bytes - back;
        if (little(p, 4) != 0x06054b50) continue;
        *n = little(p + 10, 2);
        *at = little(p + 16, 4);
        if (*n != 0xffff && *at != 0xffffffff) return GN_OK;
        const uint64_t here = z->bytes - back;
        const uint64_t far = here >= 20 && little(p - 20, 4) == 0x07064b50 ? little(p - 12, 8) : z->bytes;
        if (!within(z, far, 56) || little(z->map + far, 4) != 0x06064b50) GN_FAIL(BAD_DATA, "%s: its ZIP64 end record is not there", z->path);
        *n = little(z->map + far + 32, 8);
        *at = little(z->map + far + 48, 8);
        return GN_OK;
    }
    GN_FAIL(BAD_DATA, "%s: no ZIP archive, or torn: its end record is not there", z->path);
}

/* Numbers that 32 bits could not hold are in the extra field 1, in this order. */
static int widen(const unsigned char *extra, uint64_t n, gn_zip_member *m) {
    uint64_t *wide[] = { &m->bytes, &m->packed, &m->at };
    int need = 0, done = 0;
    for (int k = 0; k < 3; k++) need += *wide[k] == 0xffffffff;
    for (uint64_t i = 0; need && i + 4 <= n;) {
        const uint64_t id = little(extra + i, 2), size = little(extra + i + 2, 2);
        uint64_t at = i + 4;
        if (size > n - at) return 0;
        for (int k = 0; k < 3 && id == 1; k++)
            if (*wide[k] == 0xffffffff && at + 8 <= i + 4 + size) *wide[k] = little(extra + at, 8), at += 8, done++;
        i += 4 + size;
    }
    return done == need;
}

static gn_status read_entry(gn_arena *a, gn_zip *z, uint64_t *at) {
    gn_zip_member *m = &z->member[z->n];
    const unsigned char *p = z->map + *at;
    if (!within(z, *at, ENTRY) || little(p, 4) != 0x02014b50) GN_FAIL(BAD_DATA, "%s: member %d of its directory is torn", z->path, z->n);
    const uint64_t name = little(p + 28, 2), extra = little(p + 30, 2), note = little(p + 32, 2), all = ENTRY + name + extra + note;
    if (!within(z, *at, all) || name >= NAME) GN_FAIL(BAD_DATA, "%s: member %d of its directory is torn", z->path, z->n);
    *m = (gn_zip_member){ NULL, (int)little(p + 10, 2), (uint32_t)little(p + 16, 4), little(p + 20, 4), little(p + 24, 4), little(p + 42, 4) };
    GN_TAKE_TEXT(m->name, a, "%.*s", (int)name, (const char *)p + ENTRY);
    if (little(p + 8, 2) & 1) GN_FAIL(BAD_DATA, "%s: member '%s' is encrypted", z->path, gn_shown(m->name));
    if (!widen(p + ENTRY + name, extra, m)) GN_FAIL(BAD_DATA, "%s: member '%s': its sizes are not there", z->path, gn_shown(m->name));
    z->n++;
    *at += all;
    return GN_OK;
}

gn_status gn_zip_open(gn_arena *a, const char *path, gn_zip **to) {
    gn_zip *z;
    struct stat st;
    uint64_t n = 0, at = 0;
    GN_TAKE(z, a, 1);
    z->path = path;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode)) {
        const int why = fd < 0 ? errno : EINVAL;
        if (fd >= 0) close(fd);
        GN_FAIL(MISSING, "%s: cannot be opened: %s", path, strerror(why));
    }
    void *map = st.st_size < TAIL ? NULL : mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (!map) GN_FAIL(BAD_DATA, "%s: no ZIP archive: %lld bytes", path, (long long)st.st_size);
    if (map == MAP_FAILED) GN_FAIL(NO_MEMORY, "%s: cannot be mapped: %s", path, strerror(errno));
    z->map = map;
    z->bytes = (uint64_t)st.st_size;
    GN_TRY(gn_arena_at_end(a, unmap, z));
    GN_TRY(find_end(z, &n, &at));
    if (n > MEMBERS) GN_FAIL(BAD_DATA, "%s: %llu members, expected at most %d", path, (unsigned long long)n, MEMBERS);
    GN_TAKE(z->member, a, n + 1);
    while ((uint64_t)z->n < n) GN_TRY(read_entry(a, z, &at));
    *to = z;
    return GN_OK;
}

const gn_zip_member *gn_zip_find(const gn_zip *z, const char *name) {
    for (int i = 0; i < z->n; i++)
        if (!strcmp(z->member[i].name, name)) return &z->member[i];
    return NULL;
}

/* All of a member's bytes; 0: it is not what its sizes say. zlib counts in 32 bits. */
static int inflate_all(const unsigned char *from, uint64_t packed, unsigned char *to, uint64_t bytes) {
    enum { PIECE = 1 << 30 };
    z_stream s = { 0 };
    int state = inflateInit2(&s, -MAX_WBITS);
    if (state != Z_OK) return 0;
    uint64_t in = 0, out = 0;
    while (state == Z_OK) {
        s.next_in = (unsigned char *)(uintptr_t)(from + in);
        s.avail_in = (uInt)(packed - in < PIECE ? packed - in : PIECE);
        s.next_out = to + out;
        s.avail_out = (uInt)(bytes - out < PIECE ? bytes - out : PIECE);
        const uInt had_in = s.avail_in, had_out = s.avail_out;
        state = inflate(&s, Z_NO_FLUSH);
        in += had_in - s.avail_in, out += had_out - s.avail_out;
        if (state == Z_OK && had_in == s.avail_in && had_out == s.avail_out) break;
    }
    inflateEnd(&s);
    return state == Z_STREAM_END && out == bytes;
}

gn_status gn_zip_read(gn_arena *a, const gn_zip *z, const gn_zip_member *m, const unsigned char **bytes, size_t *n) {
    const char *name = gn_shown(m->name);
    if (!within(z, m->at, OWN) || little(z->map + m->at, 4) != 0x04034b50) GN_FAIL(BAD_DATA, "%s: member '%s': its header is torn", z->path, name);
    const uint64_t from = m->at + OWN + little(z->map + m->at + 26, 2) + little(z->map + m->at + 28, 2);
    if (!within(z, from, m->packed)) GN_FAIL(BAD_DATA, "%s: member '%s' is torn: %llu bytes are not there", z->path, name, (unsigned long long)m->packed);
    if (m->method != 0 && m->method != 8) GN_FAIL(BAD_DATA, "%s: member '%s' is packed by method %d, expected 0 (stored) or 8 (deflated)", z->path, name, m->method);
    if (m->method ? m->bytes / DEFLATED > m->packed : m->bytes != m->packed)
        GN_FAIL(BAD_DATA, "%s: member '%s': %llu bytes cannot come out of %llu", z->path, name, (unsigned long long)m->bytes, (unsigned long long)m->packed);
    const unsigned char *data = z->map + from;
    if (m->method) {
        unsigned char *room;
        GN_TAKE(room, a, m->bytes + 1);
        if (!inflate_all(data, m->packed, room, m->bytes)) GN_FAIL(BAD_DATA, "%s: member '%s' cannot be unpacked to its %llu bytes", z->path, name, (unsigned long long)m->bytes);
        data = room;
    }
    if (crc32_z(0, data, m->bytes) != m->crc) GN_FAIL(BAD_DATA, "%s: member '%s': its checksum is another", z->path, name);
    *bytes = data;
    *n = (size_t)m->bytes;
    return GN_OK;
}
