/* events.c - a record is its length, the length's CRC, the bytes, their CRC. The bytes are an Event:
 *
 *     1 wall_time double, 2 step int64, 3 file_version string, 5 summary { 1 value { 1 tag, 2 simple_value float } },
 *     7 session_log { 1 status: 1 is START } */
#include "events.h"
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROOM = 1 << 13, VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };
typedef struct { unsigned char at[ROOM]; size_t n; } message;

uint32_t gn_crc32c(const void *bytes, size_t n) {
    uint32_t c = ~0u;
    for (const unsigned char *p = bytes; n--; p++) {
        c ^= *p;
        for (int k = 0; k < 8; k++) c = c >> 1 ^ (0x82f63b78u & (0u - (c & 1)));
    }
    return ~c;
}

static uint32_t masked(const void *bytes, size_t n) {
    uint32_t c = gn_crc32c(bytes, n);
    return (c >> 15 | c << 17) + 0xa282ead8u;
}

static void raw(message *m, const void *bytes, size_t n) {
    for (const unsigned char *from = bytes; n-- && m->n < ROOM;) m->at[m->n++] = *from++;
}
static void varint(message *m, uint64_t x) {
    for (; x >= 128; x >>= 7) raw(m, &(unsigned char){ (unsigned char)(x | 128) }, 1);
    raw(m, &(unsigned char){ (unsigned char)x }, 1);
}
static void field(message *m, unsigned number, unsigned wire) { varint(m, number << 3 | wire); }
static void text(message *m, unsigned number, const void *bytes, size_t n) {
    field(m, number, BYTES);
    varint(m, n);
    raw(m, bytes, n);
}

static message event(int64_t step) {
    message m = { .n = 0 };
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    double now = (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
    field(&m, 1, FIXED64);
    raw(&m, &now, sizeof now);
    field(&m, 2, VARINT);
    varint(&m, (uint64_t)step);
    return m;
}

static gn_status put(gn_events *e, const message *m) {
    message record = { .n = 0 };
    uint64_t n = m->n;
    uint32_t crc = masked(&n, sizeof n);
    raw(&record, &n, sizeof n);
    raw(&record, &crc, sizeof crc);
    raw(&record, m->at, m->n);
    crc = masked(m->at, m->n);
    raw(&record, &crc, sizeof crc);
    return gn_io_put(&e->file, record.at, record.n);
}

static void close_events(void *what) { gn_io_close(&((gn_events *)what)->file, 0); }

gn_status gn_events_open(gn_arena *a, const char *folder, int64_t step, int resumed, gn_events **opened) {
    static const char version[] = "brain.Event:2";
    static const unsigned char start[] = { 1 << 3, 1 };
    gn_events *e;
    const char *path;
    char host[64] = "host";
    GN_TAKE(e, a, 1);
    gethostname(host, sizeof host - 1);
    long long now = (long long)time(NULL);
    do GN_TAKE_TEXT(path, a, "%s/events.out.tfevents.%lld.%s.%d", folder, now++, host, (int)getpid());
    while (gn_io_exists(path));
    GN_TRY(gn_io_create(&e->file, path));
    GN_TRY(gn_arena_at_end(a, close_events, e));
    message m = event(0);
    text(&m, 3, version, sizeof version - 1);
    GN_TRY(put(e, &m));
    if (resumed) {
        m = event(step);
        text(&m, 7, start, sizeof start);
        GN_TRY(put(e, &m));
    }
    *opened = e;
    return GN_OK;
}

gn_status gn_events_put(gn_events *e, int64_t step, int n, const char *const *tag, const double *value) {
    message m = event(step), summary = { .n = 0 };
    for (int i = 0; i < n; i++) {
        message v = { .n = 0 };
        float x = (float)value[i];
        text(&v, 1, tag[i], strnlen(tag[i], 200));
        field(&v, 2, FIXED32);
        raw(&v, &x, sizeof x);
        if (summary.n + v.n + 8 > ROOM - 64) break;
        text(&summary, 1, v.at, v.n);
    }
    text(&m, 5, summary.at, summary.n);
    return put(e, &m);
}
