/* npy.c - NumPy's npy, versions 1 to 3: a header that is a Python literal, then elements. */
#include "src/import/array.h"
#include "gnomon/config.h"
#include <math.h>
#include <string.h>

enum { HEADER = 1 << 16 };

/* --- elements --- */

static uint64_t bits_of(const gn_array *x, const unsigned char *p) {
    uint64_t v = 0;
    for (int k = 0; k < x->element; k++) v |= (uint64_t)p[x->big ? x->element - 1 - k : k] << 8 * k;
    return v;
}

static double half(uint64_t v) {
    const int e = (int)(v >> 10 & 31), m = (int)(v & 1023);
    const double x = e == 31 ? (m ? NAN : INFINITY) : e ? ldexp(1024 + m, e - 25) : ldexp(m, -24);
    return v >> 15 ? -x : x;
}

static double value(const gn_array *x, const unsigned char *p) {
    const uint64_t v = bits_of(x, p);
    if (x->kind == 'i') return (double)((int64_t)(v << (64 - 8 * x->element)) >> (64 - 8 * x->element));
    if (x->kind != 'f') return (double)v;
    if (x->element == 2) return half(v);
    if (x->element == 4) {
        const uint32_t w = (uint32_t)v;
        float f;
        memcpy(&f, &w, 4);
        return (double)f;
    }
    double d;
    memcpy(&d, &v, 8);
    return d;
}

double gn_array_number(const gn_array *x, int64_t i) {
    if (!x->data || i < 0 || i >= x->n) return NAN;
    if (x->fortran) {
        int64_t at = 0, step[GN_ARRAY_RANK], all = 1;
        for (int k = 0; k < x->rank; k++) step[k] = all, all *= x->d[k];
        for (int k = x->rank; k-- > 0; i /= x->d[k]) at += i % x->d[k] * step[k];
        i = at;
    }
    return value(x, x->data + i * x->element);
}

gn_status gn_array_type(const char *what, const char *descr, gn_array *x) {
    static const char *const known[] = { "f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1", "O", "O8" };
    const char *t = descr + (*descr && strchr("<>|=", *descr) ? 1 : 0);
    for (size_t k = 0; k < sizeof known / sizeof *known; k++)
        if (!strcmp(t, known[k])) {
            x->kind = t[0];
            x->element = t[0] == 'O' ? 8 : t[1] - '0';
            x->big = *descr == '>';
            return GN_OK;
        }
    GN_FAIL(BAD_DATA, "%s: elements of type '%s', expected floats, integers or objects", what, gn_shown(descr));
}

gn_status gn_array_size(const char *what, gn_array *x, size_t bytes) {
    x->n = 1;
    for (int k = 0; k < x->rank; k++) {
        if (x->d[k] < 0 || (x->d[k] && x->n > INT64_MAX / 64 / x->d[k])) GN_FAIL(BAD_DATA, "%s: an extent of %lld, more elements than can be counted", what, (long long)x->d[k]);
        x->n *= x->d[k];
    }
    if (x->kind != 'O' && (uint64_t)x->n * (uint64_t)x->element != bytes)
        GN_FAIL(BAD_DATA, "%s: %lld elements of %d bytes expected, found %zu bytes", what, (long long)x->n, x->element, bytes);
    return GN_OK;
}

/* --- the header --- */

typedef struct { const char *what, *at, *end; } reader;

static char look(reader *r) {
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\n')) r->at++;
    return r->at < r->end ? *r->at : 0;
}

static gn_status expect(reader *r, char c) {
    if (look(r) != c) GN_FAIL(BAD_DATA, "%s: header: expected '%c', found '%s'", r->what, c, r->at < r->end ? gn_shown((char[]){ *r->at, 0 }) : "");
    r->at++;
    return GN_OK;
}

static gn_status quoted(reader *r, char *to, size_t room) {
    const char mark = look(r);
    size_t n = 0;
    if (mark != '\'' && mark != '"') GN_FAIL(BAD_DATA, "%s: header: expected a quoted word; arrays of records are not read", r->what);
    for (r->at++; r->at < r->end && *r->at != mark; r->at++)
        if (n + 1 < room) to[n++] = *r->at;
    to[n] = 0;
    return expect(r, mark);
}

static gn_status extents(reader *r, gn_array *x) {
    GN_TRY(expect(r, '('));
    while (look(r) != ')') {
        int64_t v = 0, digits = 0;
        for (; r->at < r->end && *r->at >= '0' && *r->at <= '9' && digits < 18; r->at++, digits++) v = 10 * v + (*r->at - '0');
        if (!digits || x->rank == GN_ARRAY_RANK) GN_FAIL(BAD_DATA, "%s: header: expected at most %d extents, whole numbers", r->what, GN_ARRAY_RANK);
        x->d[x->rank++] = v;
        if (look(r) != ')') GN_TRY(expect(r, ','));
    }
    return expect(r, ')');
}

static gn_status flag(reader *r, int *x) {
    look(r);
    const size_t left = (size_t)(r->end - r->at);
    *x = left >= 4 && !strncmp(r->at, "True", 4);
    if (!*x && !(left >= 5 && !strncmp(r->at, "False", 5))) GN_FAIL(BAD_DATA, "%s: header: fortran_order: expected True or False", r->what);
    r->at += *x ? 4 : 5;
    return GN_OK;
}

static gn_status header(reader *r, gn_array *x) {
    unsigned have = 0;
    GN_TRY(expect(r, '{'));
    while (look(r) != '}') {
        char key[32], descr[32];
        GN_TRY(quoted(r, key, sizeof key));
        GN_TRY(expect(r, ':'));
        if (!strcmp(key, "descr")) {
            have |= 1;
            GN_TRY(quoted(r, descr, sizeof descr));
            GN_TRY(gn_array_type(r->what, descr, x));
        } else if (!strcmp(key, "fortran_order")) {
            have |= 2;
            GN_TRY(flag(r, &x->fortran));
        } else if (!strcmp(key, "shape") && !(have & 4)) {
            have |= 4;
            GN_TRY(extents(r, x));
        } else GN_FAIL(BAD_DATA, "%s: header: unknown key '%s'", r->what, gn_shown(key));
        if (look(r) != '}') GN_TRY(expect(r, ','));
    }
    if (have != 7) GN_FAIL(BAD_DATA, "%s: header: expected descr, fortran_order and shape", r->what);
    return GN_OK;
}

gn_status gn_npy_read(gn_arena *a, const char *what, const unsigned char *bytes, size_t n, const gn_py **tree) {
    gn_py *py;
    GN_TAKE(py, a, 1);
    py->kind = GN_PY_ARRAY;
    if (n < 12 || memcmp(bytes, "\x93NUMPY", 6) || bytes[6] < 1 || bytes[6] > 3) GN_FAIL(BAD_DATA, "%s: no npy of version 1 to 3", what);
    const size_t wide = bytes[6] == 1 ? 2 : 4, start = 8 + wide;
    const size_t length = bytes[8] | (size_t)bytes[9] << 8 | (wide == 4 ? (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24 : 0);
    if (length > HEADER || length > n - start) GN_FAIL(BAD_DATA, "%s: a header of %zu bytes, expected at most %d", what, length, HEADER);
    reader r = { what, (const char *)bytes + start, (const char *)bytes + start + length };
    GN_TRY(header(&r, &py->array));
    bytes += start + length, n -= start + length;
    if (py->array.kind == 'O') return gn_pickle_read(a, what, bytes, n, tree);
    GN_TRY(gn_array_size(what, &py->array, n));
    py->array.data = bytes;
    *tree = py;
    return GN_OK;
}

/* --- trees --- */

const gn_py *gn_py_find(const gn_py *map, const char *key) {
    for (int i = 0; map && map->kind == GN_PY_MAP && i < map->n; i++)
        if (map->key[i]->kind == GN_PY_TEXT && !strcmp(map->key[i]->text, key)) return map->item[i];
    return NULL;
}

const gn_py *gn_py_at(const gn_py *list, int i) {
    return list && (list->kind == GN_PY_LIST || (list->kind == GN_PY_ARRAY && list->array.kind == 'O')) && i >= 0 && i < list->n ? list->item[i] : NULL;
}
