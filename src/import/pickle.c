/* pickle.c - Python's pickles as data: plain values, and NumPy's arrays, types and scalars.
 *
 * A pickle is a program for a stack machine that may call any function there is. This machine has five, those by which
 * NumPy says "array"; another one's name ends the reading. */
#include "src/import/array.h"
#include "gnomon/config.h"
#include <string.h>

enum { STACK = 1 << 16, MEMO = 1 << 20, NODES = 1 << 23, WORD = 256, NEWEST = 4 };

typedef struct {
    gn_arena *arena;
    const char *what;
    const unsigned char *from, *at, *end;
    gn_py **stack, **memo;
    int depth, memos, nodes;
} machine;

#define PLACE (long long)(m->at - m->from)

/* --- bytes and words --- */

static gn_status take(machine *m, uint64_t n, const unsigned char **p) {
    if (n > (uint64_t)(m->end - m->at)) GN_FAIL(BAD_DATA, "%s: pickle: torn at byte %lld: %llu bytes are not there", m->what, PLACE, (unsigned long long)n);
    *p = m->at;
    m->at += n;
    return GN_OK;
}

static gn_status whole(machine *m, int n, uint64_t *x) {
    const unsigned char *p = NULL;
    GN_TRY(take(m, (uint64_t)n, &p));
    for (*x = 0; n--;) *x = *x << 8 | p[n];
    return GN_OK;
}

static gn_status line(machine *m, char to[WORD]) {
    size_t n = 0;
    for (; m->at < m->end && *m->at != '\n'; m->at++)
        if (n < WORD - 1) to[n++] = (char)*m->at;
    to[n] = 0;
    const unsigned char *p = NULL;
    return take(m, 1, &p);
}

/* --- the stack --- */

static gn_status push(machine *m, gn_py *x) {
    if (m->depth == STACK) GN_FAIL(BAD_DATA, "%s: pickle: more than %d values at once, at byte %lld", m->what, STACK, PLACE);
    m->stack[m->depth++] = x;
    return GN_OK;
}

static gn_status make(machine *m, int kind, gn_py **x) {
    if (m->nodes++ == NODES) GN_FAIL(BAD_DATA, "%s: pickle: more than %d values", m->what, NODES);
    GN_TAKE(*x, m->arena, 1);
    (*x)->kind = (__typeof__((*x)->kind))kind;
    return push(m, *x);
}

static gn_status number(machine *m, double v) {
    gn_py *x = NULL;
    GN_TRY(make(m, GN_PY_NUMBER, &x));
    x->number = v;
    return GN_OK;
}

static gn_status pop(machine *m, gn_py **x) {
    if (!m->depth || m->stack[m->depth - 1]->kind == GN_PY_MARK) GN_FAIL(BAD_DATA, "%s: pickle: nothing to take at byte %lld", m->what, PLACE);
    *x = m->stack[--m->depth];
    return GN_OK;
}

static gn_status lower(machine *m, int n) {
    if (m->depth < n) GN_FAIL(BAD_DATA, "%s: pickle: nothing to take at byte %lld", m->what, PLACE);
    m->depth -= n;
    return GN_OK;
}

/* Values above the last mark, which goes. */
static gn_status since_mark(machine *m, int *first, int *n) {
    int at = m->depth;
    while (at > 0 && m->stack[at - 1]->kind != GN_PY_MARK) at--;
    if (!at) GN_FAIL(BAD_DATA, "%s: pickle: no mark at byte %lld", m->what, PLACE);
    *first = at;
    *n = m->depth - at;
    m->depth = at - 1;
    return GN_OK;
}

static gn_status expect(machine *m, int kind, const char *name, gn_py **x) {
    *x = m->depth ? m->stack[m->depth - 1] : NULL;
    if (!*x || (int)(*x)->kind != kind) GN_FAIL(BAD_DATA, "%s: pickle: expected a %s at byte %lld", m->what, name, PLACE);
    return GN_OK;
}

static gn_status grow(machine *m, gn_py *x, int n) {
    if (x->n + n <= x->room) return GN_OK;
    if (x->n + n > NODES) GN_FAIL(BAD_DATA, "%s: pickle: a list of more than %d", m->what, NODES);
    const gn_py **item, **key;
    const int room = x->n + n > 2 * x->room ? x->n + n : 2 * x->room;
    GN_TAKE(item, m->arena, room);
    if (x->n) memcpy(item, x->item, sizeof *item * (size_t)x->n);
    x->item = item;
    if (x->kind == GN_PY_MAP) {
        GN_TAKE(key, m->arena, room);
        if (x->n) memcpy(key, x->key, sizeof *key * (size_t)x->n);
        x->key = key;
    }
    x->room = room;
    return GN_OK;
}

/* Of a list below: the n values from `first` on. */
static gn_status append(machine *m, int first, int n) {
    gn_py *list = NULL;
    GN_TRY(expect(m, GN_PY_LIST, "list", &list));
    GN_TRY(grow(m, list, n));
    for (int k = 0; k < n; k++) list->item[list->n++] = m->stack[first + k];
    return GN_OK;
}

static gn_status set(machine *m, int first, int n) {
    gn_py *map = NULL;
    GN_TRY(expect(m, GN_PY_MAP, "dict", &map));
    if (n % 2) GN_FAIL(BAD_DATA, "%s: pickle: a key without a value at byte %lld", m->what, PLACE);
    GN_TRY(grow(m, map, n / 2));
    for (int k = 0; k < n; k += 2) {
        map->key[map->n] = m->stack[first + k];
        map->item[map->n++] = m->stack[first + k + 1];
    }
    return GN_OK;
}

/* Of the n values above, or with -1 of those above the last mark. */
static gn_status tuple(machine *m, int n) {
    gn_py *x = NULL;
    int first = 0;
    if (n < 0) GN_TRY(since_mark(m, &first, &n));
    else {
        GN_TRY(lower(m, n));
        first = m->depth;
    }
    if (m->nodes++ == NODES) GN_FAIL(BAD_DATA, "%s: pickle: more than %d values", m->what, NODES);
    GN_TAKE(x, m->arena, 1);
    x->kind = GN_PY_LIST;
    GN_TRY(grow(m, x, n));
    for (int k = 0; k < n; k++) x->item[x->n++] = m->stack[first + k];
    return push(m, x);
}

static gn_status text(machine *m, int length, int kind) {
    uint64_t n = 0;
    const unsigned char *p = NULL;
    gn_py *x = NULL;
    GN_TRY(whole(m, length, &n));
    GN_TRY(take(m, n, &p));
    GN_TRY(make(m, kind, &x));
    x->bytes = (size_t)n;
    x->text = (const char *)p;
    if (kind != GN_PY_TEXT) return GN_OK;
    char *copy;
    GN_TAKE(copy, m->arena, n + 1);
    memcpy(copy, p, (size_t)n);
    x->text = copy;
    return GN_OK;
}

/* --- memory by number --- */

static gn_status keep(machine *m, uint64_t at) {
    if (!m->depth) GN_FAIL(BAD_DATA, "%s: pickle: nothing to keep at byte %lld", m->what, PLACE);
    if (at >= MEMO) GN_FAIL(BAD_DATA, "%s: pickle: place %llu, expected below %d", m->what, (unsigned long long)at, MEMO);
    m->memo[at] = m->stack[m->depth - 1];
    return GN_OK;
}

static gn_status recall(machine *m, uint64_t at) {
    if (at >= MEMO || !m->memo[at]) GN_FAIL(BAD_DATA, "%s: pickle: nothing was kept at place %llu", m->what, (unsigned long long)at);
    return push(m, m->memo[at]);
}

/* --- functions --- */

static gn_status name(machine *m, const char *module, const char *function) {
    static const char *const known[] = { "numpy.core.multiarray _reconstruct", "numpy.core.multiarray scalar", "numpy._core.multiarray _reconstruct",
                                         "numpy._core.multiarray scalar", "numpy ndarray", "numpy dtype", "_codecs encode" };
    char both[2 * WORD];
    gn_py *x = NULL;
    snprintf(both, sizeof both, "%s %s", module, function);
    for (size_t k = 0; k < sizeof known / sizeof *known; k++)
        if (!strcmp(both, known[k])) {
            GN_TRY(make(m, GN_PY_NAME, &x));
            x->text = strrchr(known[k], ' ') + 1;
            return GN_OK;
        }
    GN_FAIL(BAD_DATA, "%s: pickle: refused: it names %s.%s; nothing in a file is run, only arrays and plain values are read", m->what, gn_shown(module), gn_shown(function));
}

static gn_status name_of_stack(machine *m) {
    gn_py *function = NULL, *module = NULL;
    GN_TRY(pop(m, &function));
    GN_TRY(pop(m, &module));
    if (function->kind != GN_PY_TEXT || module->kind != GN_PY_TEXT) GN_FAIL(BAD_DATA, "%s: pickle: a name that is no text at byte %lld", m->what, PLACE);
    return name(m, module->text, function->text);
}

static const gn_py *part(const gn_py *list, int k, int kind) {
    return k < list->n && (int)list->item[k]->kind == kind ? list->item[k] : NULL;
}

/* "é" as Latin 1 is how protocol 2 spells the byte E9. */
static gn_status latin(machine *m, const gn_py *given, gn_py *x) {
    unsigned char *to;
    GN_TAKE(to, m->arena, given->bytes + 1);
    for (size_t i = 0; i < given->bytes; i++) {
        unsigned char c = (unsigned char)given->text[i];
        if (c >= 0xc2 && c <= 0xc3 && i + 1 < given->bytes) c = (unsigned char)((c & 3) << 6 | ((unsigned char)given->text[++i] & 63));
        else if (c >= 0x80) GN_FAIL(BAD_DATA, "%s: pickle: a text that is no Latin 1 at byte %lld", m->what, PLACE);
        to[x->bytes++] = c;
    }
    x->kind = GN_PY_BYTES;
    x->text = (const char *)to;
    return GN_OK;
}

static gn_status one_of(machine *m, const gn_py *type, const gn_py *bytes, gn_py *x) {
    gn_array v = type->array;
    GN_TRY(gn_array_size(m->what, &v, bytes->bytes));
    v.data = (const unsigned char *)bytes->text;
    x->kind = GN_PY_NUMBER;
    x->number = gn_array_number(&v, 0);
    return GN_OK;
}

static gn_status call(machine *m) {
    gn_py *given = NULL, *function = NULL, *x = NULL;
    GN_TRY(pop(m, &given));
    GN_TRY(pop(m, &function));
    if (function->kind != GN_PY_NAME || given->kind != GN_PY_LIST) GN_FAIL(BAD_DATA, "%s: pickle: calls what is no function at byte %lld", m->what, PLACE);
    GN_TRY(make(m, GN_PY_ARRAY, &x));
    const char *f = function->text;
    const gn_py *word = part(given, 0, GN_PY_TEXT), *type = part(given, 0, GN_PY_TYPE), *bytes = part(given, 1, GN_PY_BYTES);
    if (!strcmp(f, "_reconstruct")) return GN_OK; /* its state follows */
    if (!strcmp(f, "dtype") && word) {
        x->kind = GN_PY_TYPE;
        return gn_array_type(m->what, word->text, &x->array);
    }
    if (!strcmp(f, "encode") && word) return latin(m, word, x);
    if (!strcmp(f, "scalar") && type && type->array.kind != 'O' && bytes) return one_of(m, type, bytes, x);
    GN_FAIL(BAD_DATA, "%s: pickle: calls %s with something else than NumPy does, at byte %lld", m->what, f, PLACE);
}

/* (version, extents, type, fortran order, bytes or list) */
static gn_status build_array(machine *m, gn_py *x, const gn_py *state) {
    const gn_py *shape = part(state, 1, GN_PY_LIST), *type = part(state, 2, GN_PY_TYPE), *order = part(state, 3, GN_PY_NUMBER), *data = state->n == 5 ? state->item[4] : NULL;
    if (!shape || !type || !order || !data || shape->n > GN_ARRAY_RANK) GN_FAIL(BAD_DATA, "%s: pickle: an array's state is none, at byte %lld", m->what, PLACE);
    x->array = type->array;
    x->array.fortran = order->number != 0;
    x->array.rank = shape->n;
    for (int k = 0; k < shape->n; k++) {
        const gn_py *d = part(shape, k, GN_PY_NUMBER);
        if (!d || !(d->number >= 0 && d->number < 1e15)) GN_FAIL(BAD_DATA, "%s: pickle: an array's extent is none, at byte %lld", m->what, PLACE);
        x->array.d[k] = (int64_t)d->number;
    }
    GN_TRY(gn_array_size(m->what, &x->array, data->bytes));
    if (x->array.kind != 'O') {
        if (data->kind != GN_PY_BYTES && data->kind != GN_PY_TEXT) GN_FAIL(BAD_DATA, "%s: pickle: an array's elements are no bytes, at byte %lld", m->what, PLACE);
        x->array.data = (const unsigned char *)data->text;
        return GN_OK;
    }
    if (data->kind != GN_PY_LIST || data->n != x->array.n) GN_FAIL(BAD_DATA, "%s: pickle: an array of %lld objects has not so many, at byte %lld", m->what, (long long)x->array.n, PLACE);
    x->item = data->item;
    x->n = data->n;
    return GN_OK;
}

static gn_status build(machine *m) {
    gn_py *state = NULL, *x = NULL;
    GN_TRY(pop(m, &state));
    GN_TRY(pop(m, &x));
    GN_TRY(push(m, x));
    const gn_py *order = state->kind == GN_PY_LIST ? part(state, 1, GN_PY_TEXT) : NULL;
    if (x->kind == GN_PY_ARRAY && state->kind == GN_PY_LIST && !x->array.kind) return build_array(m, x, state);
    if (x->kind == GN_PY_TYPE && order) { /* (version, byte order, ...) */
        x->array.big = order->text[0] == '>';
        return GN_OK;
    }
    GN_FAIL(BAD_DATA, "%s: pickle: gives a state to what has none, at byte %lld", m->what, PLACE);
}

/* --- one instruction --- */

static gn_status long_number(machine *m) {
    uint64_t n = 0, v = 0;
    GN_TRY(whole(m, 1, &n));
    if (n > 8) GN_FAIL(BAD_DATA, "%s: pickle: a whole number of %llu bytes", m->what, (unsigned long long)n);
    GN_TRY(whole(m, (int)n, &v));
    const int shift = 64 - 8 * (int)n;
    return number(m, n ? (double)((int64_t)(v << shift) >> shift) : 0);
}

static gn_status real_number(machine *m) {
    const unsigned char *p = NULL;
    GN_TRY(take(m, 8, &p));
    const gn_array x = { .kind = 'f', .element = 8, .big = 1, .n = 1, .data = p };
    return number(m, gn_array_number(&x, 0));
}

static gn_status protocol(machine *m) {
    uint64_t x = 0;
    GN_TRY(whole(m, 1, &x));
    if (x < 2 || x > NEWEST) GN_FAIL(BAD_DATA, "%s: pickle: protocol %llu, expected 2 to %d", m->what, (unsigned long long)x, NEWEST);
    return GN_OK;
}

static gn_status simple(machine *m, int op) {
    uint64_t x = 0;
    gn_py *py = NULL;
    switch (op) {
    case 0x80: return protocol(m);
    case 0x95: return whole(m, 8, &x); /* a frame's size: it helps who reads from a pipe */
    case 'N': return make(m, GN_PY_NONE, &py);
    case 0x88: return number(m, 1);
    case 0x89: return number(m, 0);
    case 'J': GN_TRY(whole(m, 4, &x)); return number(m, (double)(int32_t)(uint32_t)x);
    case 'K': GN_TRY(whole(m, 1, &x)); return number(m, (double)x);
    case 'M': GN_TRY(whole(m, 2, &x)); return number(m, (double)x);
    case 0x8a: return long_number(m);
    case 'G': return real_number(m);
    case 0x8c: return text(m, 1, GN_PY_TEXT);
    case 'X': return text(m, 4, GN_PY_TEXT);
    case 0x8d: return text(m, 8, GN_PY_TEXT);
    case 'U': return text(m, 1, GN_PY_TEXT);
    case 'T': return text(m, 4, GN_PY_BYTES); /* Python 2's, an array's elements */
    case 'C': return text(m, 1, GN_PY_BYTES);
    case 'B': return text(m, 4, GN_PY_BYTES);
    case 0x8e: return text(m, 8, GN_PY_BYTES);
    case 'q': GN_TRY(whole(m, 1, &x)); return keep(m, x);
    case 'r': GN_TRY(whole(m, 4, &x)); return keep(m, x);
    case 0x94: return keep(m, (uint64_t)m->memos++);
    case 'h': GN_TRY(whole(m, 1, &x)); return recall(m, x);
    case 'j': GN_TRY(whole(m, 4, &x)); return recall(m, x);
    default: GN_FAIL(BAD_DATA, "%s: pickle: instruction %#x at byte %lld is not read", m->what, (unsigned)op, PLACE - 1);
    }
}

static gn_status step(machine *m, int op) {
    char module[WORD] = "", function[WORD] = "";
    int first = 0, n = 0;
    gn_py *x = NULL;
    switch (op) {
    case '(': return make(m, GN_PY_MARK, &x);
    case ']': return make(m, GN_PY_LIST, &x);
    case ')': return make(m, GN_PY_LIST, &x);
    case '}': return make(m, GN_PY_MAP, &x);
    case '0': return pop(m, &x);
    case '1': return since_mark(m, &first, &n);
    case 'a': GN_TRY(lower(m, 1)); return append(m, m->depth, 1);
    case 'e': GN_TRY(since_mark(m, &first, &n)); return append(m, first, n);
    case 's': GN_TRY(lower(m, 2)); return set(m, m->depth, 2);
    case 'u': GN_TRY(since_mark(m, &first, &n)); return set(m, first, n);
    case 0x85: case 0x86: case 0x87: return tuple(m, op - 0x84);
    case 't': return tuple(m, -1);
    case 'c':
        GN_TRY(line(m, module));
        GN_TRY(line(m, function));
        return name(m, module, function);
    case 0x93: return name_of_stack(m);
    case 'R': return call(m);
    case 'b': return build(m);
    default: return simple(m, op);
    }
}

gn_status gn_pickle_read(gn_arena *a, const char *what, const unsigned char *bytes, size_t n, const gn_py **tree) {
    machine *m;
    const unsigned char *op = NULL;
    gn_py *x = NULL;
    GN_TAKE(m, a, 1);
    *m = (machine){ .arena = a, .what = what, .from = bytes, .at = bytes, .end = bytes + n };
    GN_TAKE(m->stack, a, STACK);
    GN_TAKE(m->memo, a, MEMO);
    for (;;) {
        GN_TRY(take(m, 1, &op));
        if (*op == '.') break;
        GN_TRY(step(m, *op));
    }
    GN_TRY(pop(m, &x));
    if (m->depth) GN_FAIL(BAD_DATA, "%s: pickle: %d values are left over at its end", what, m->depth);
    *tree = x;
    return GN_OK;
}
