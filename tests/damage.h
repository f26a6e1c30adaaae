/* damage.h - a file with something wrong in it, as a function of a seed.
 *
 * Any file: bits, bytes, spans cut, doubled, moved, filled; its end cut off. Text: numbers, words and nesting. Binary: whole
 * numbers of 2, 4 and 8 bytes that look like counts, sizes or offsets. A ZIP's checksums are made right again, lest they
 * hide what is behind them. */
#ifndef DAMAGE_H
#define DAMAGE_H
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { DAMAGE_ROOM = 1 << 16 }; /* bytes that a file may grow */

static uint64_t damage_state;
static size_t damage_draw(size_t below) { /* splitmix64 */
    uint64_t z = damage_state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return below ? (size_t)((z ^ (z >> 31)) % below) : 0;
}

typedef struct { unsigned char *b; size_t n, room; } damaged;

static void damage_splice(damaged *d, size_t at, size_t cut, const void *put, size_t n) {
    if (at > d->n) at = d->n;
    if (cut > d->n - at) cut = d->n - at;
    if (d->n - cut + n > d->room) return;
    memmove(d->b + at + n, d->b + at + cut, d->n - at - cut);
    memcpy(d->b + at, put, n);
    d->n = d->n - cut + n;
}

static size_t damage_span(const damaged *d, size_t at) { /* mostly short */
    static const size_t most[] = { 1, 4, 16, 64, 512, 8192 };
    const size_t n = 1 + damage_draw(most[damage_draw(6)]);
    return n < d->n - at ? n : d->n - at;
}

/* --- any file --- */

static void damage_any(damaged *d) {
    unsigned char keep[8192];
    const size_t at = damage_draw(d->n), n = damage_span(d, at);
    if (!d->n) return;
    switch (damage_draw(9)) {
    case 0: d->b[at] ^= (unsigned char)(1 << damage_draw(8)); break;
    case 1: d->b[at] = (unsigned char)damage_draw(256); break;
    case 2: d->n = damage_draw(8) ? at : damage_draw(64) % d->n; break;
    case 3: damage_splice(d, at, n, "", 0); break;
    case 4: /* doubled here or elsewhere */
    case 5:
        memcpy(keep, d->b + at, n < sizeof keep ? n : sizeof keep);
        damage_splice(d, damage_draw(2) ? at : damage_draw(d->n), damage_draw(2) ? 0 : n, keep, n < sizeof keep ? n : sizeof keep);
        break;
    case 6: memset(d->b + at, damage_draw(2) ? 0 : 255, n); break;
    case 7:
        for (size_t i = at; i < at + n; i++) d->b[i] = (unsigned char)damage_draw(256);
        break;
    default:
        for (int k = 0; k < 16; k++) d->b[damage_draw(d->n)] ^= (unsigned char)(1 << damage_draw(8));
    }
}

/* --- text --- */

static const char *const damage_words[] = {
    "-1", "0", "1", "2", "1e308", "-1e308", "1e999", "NaN", "-nan", "Infinity", "inf", "99999999999999999999", "-0", "4294967296", "2147483648", "-2147483649",
    "9223372036854775808", "18446744073709551615", "1e-320", "0x10", "0.5", "1e9", "65536", "null", "true", "false", "\"\"", "\"x\"", "[]", "{}", "[[]]", "x", "", " ", "\n",
    "\r\n", "\t", ",", ",,", ":", "[", "]", "{", "}", "\"", "\\", "\\u0000", "\\ud800", "%s%n", "\xff", "\xc0\x80", "\xef\xbb\xbf", "id", "keypoints", "name", "../../x", "/etc/passwd",
};

/* From `at` on, the next number or word. */
static size_t damage_token(const damaged *d, size_t *at) {
    size_t from = *at, to;
    while (from < d->n && !isalnum(d->b[from]) && d->b[from] != '-') from++;
    for (to = from; to < d->n && (isalnum(d->b[to]) || strchr("+-._", d->b[to])) && d->b[to];) to++;
    *at = from;
    return to - from;
}

static void damage_text(damaged *d) {
    static char deep[20000];
    const char *word = damage_words[damage_draw(sizeof damage_words / sizeof *damage_words)];
    size_t at = damage_draw(d->n), n = damage_token(d, &at), line = at, end;
    while (line && d->b[line - 1] != '\n') line--;
    for (end = line; end < d->n && d->b[end] != '\n';) end++;
    char keep[4096];
    switch (damage_draw(8)) {
    case 0:
    case 1:
    case 2: damage_splice(d, at, n, word, strlen(word)); break;
    case 3: damage_splice(d, at, 0, word, strlen(word)); break;
    case 4: /* a token gone, with what follows it */
        damage_splice(d, at, n + damage_draw(2), "", 0);
        break;
    case 5:
        memset(deep, "[{ \t-9a"[damage_draw(7)], sizeof deep);
        damage_splice(d, at, damage_draw(2) ? n : 0, deep, 1 + damage_draw(damage_draw(2) ? 200 : sizeof deep));
        break;
    case 6: /* a line gone, or twice */
        n = end - line < sizeof keep ? end - line + (end < d->n) : 0;
        memcpy(keep, d->b + line, n);
        damage_splice(d, line, damage_draw(2) ? n : 0, keep, damage_draw(2) ? n : 0);
        break;
    default: damage_splice(d, damage_draw(d->n), 0, "\0", 1);
    }
}

/* --- binary --- */

static void damage_count(damaged *d) {
    const size_t wide = (size_t)2 << damage_draw(3);
    if (d->n < 16) return;
    size_t at = damage_draw(d->n - 8);
    uint64_t v = 0;
    for (int tries = 0; tries < 400; tries++, at = (at + 1) % (d->n - 8)) { /* small and not zero */
        v = 0;
        memcpy(&v, d->b + at, wide);
        if (v && v < 1 << 20 && !(at % 2)) break;
    }
    static const uint64_t other[] = { 0, 1, 0x7f, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x7fffffffffffffff, 0x8000000000000000, 0xffffffffffffffff };
    switch (damage_draw(5)) {
    case 0: v++; break;
    case 1: v--; break;
    case 2: v <<= 1 + damage_draw(40); break;
    case 3: v = damage_draw(d->n + 1); break;
    default: v = other[damage_draw(12)];
    }
    memcpy(d->b + at, &v, wide);
}

static uint32_t damage_crc(const unsigned char *b, size_t n) {
    uint32_t c = ~UINT32_C(0);
    for (size_t i = 0; i < n; i++) {
        c ^= b[i];
        for (int k = 0; k < 8; k++) c = c >> 1 ^ (c & 1 ? 0xEDB88320u : 0);
    }
    return ~c;
}

/* Of stored members, by the central directory. */
static void damage_mend_zip(damaged *d) {
    for (size_t at = 0; at + 46 < d->n; at++) {
        uint32_t local, bytes, crc;
        uint16_t name, more;
        if (memcmp(d->b + at, "PK\1\2", 4)) continue;
        memcpy(&bytes, d->b + at + 20, 4), memcpy(&local, d->b + at + 42, 4);
        if ((size_t)local + 30 > d->n) continue;
        memcpy(&name, d->b + local + 26, 2), memcpy(&more, d->b + local + 28, 2);
        const size_t from = (size_t)local + 30 + name + more;
        if (d->b[at + 10] || from > d->n || bytes > d->n - from) continue;
        crc = damage_crc(d->b + from, bytes);
        memcpy(d->b + at + 16, &crc, 4), memcpy(d->b + local + 14, &crc, 4);
    }
}

/* --- one file --- */

static int damage_is_text(const unsigned char *b, size_t n) {
    for (size_t i = 0; i < n && i < 512; i++)
        if (b[i] < 9 || b[i] > 126) return 0;
    return 1;
}

static void damage(damaged *d, uint64_t seed) {
    damage_state = seed;
    const int text = damage_is_text(d->b, d->n), zip = d->n > 4 && !memcmp(d->b, "PK", 2), times = damage_draw(3) ? 1 : 1 + (int)damage_draw(6);
    for (int k = 0; k < times && d->n; k++) {
        if (!damage_draw(3)) damage_any(d);
        else if (text) damage_text(d);
        else damage_count(d);
    }
    if (zip && damage_draw(4)) damage_mend_zip(d);
}
#endif
