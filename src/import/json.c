/* json.c - the one file that knows jansson. */
#include "gnomon/json.h"
#include "gnomon/config.h"
#include "gnomon/hash.h"
#include "gnomon/io.h"
#include "gnomon/version.h"
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static gn_status copy(gn_arena *a, json_t *from, int deep, gn_json *to);

static gn_status copy_list(gn_arena *a, json_t *from, int deep, gn_json *to) {
    gn_json *item;
    to->kind = GN_JSON_LIST;
    to->n = (int)json_array_size(from);
    GN_TAKE(item, a, to->n);
    for (int i = 0; i < to->n; i++) GN_TRY(copy(a, json_array_get(from, (size_t)i), deep + 1, &item[i]));
    to->item = item;
    return GN_OK;
}

static gn_status copy_map(gn_arena *a, json_t *from, int deep, gn_json *to) {
    gn_json *item;
    const char *key;
    json_t *value;
    to->kind = GN_JSON_MAP;
    GN_TAKE(item, a, json_object_size(from));
    GN_TAKE(to->key, a, json_object_size(from));
    json_object_foreach(from, key, value) {
        GN_TAKE_TEXT(to->key[to->n], a, "%s", key);
        GN_TRY(copy(a, value, deep + 1, &item[to->n]));
        to->n++;
    }
    to->item = item;
    return GN_OK;
}

static gn_status copy(gn_arena *a, json_t *from, int deep, gn_json *to) {
    if (deep > GN_JSON_DEEPEST) GN_FAIL(BAD_DATA, "nested more than %d deep", GN_JSON_DEEPEST);
    switch (json_typeof(from)) {
    case JSON_OBJECT: return copy_map(a, from, deep, to);
    case JSON_ARRAY: return copy_list(a, from, deep, to);
    case JSON_STRING:
        to->kind = GN_JSON_TEXT;
        GN_TAKE_TEXT(to->text, a, "%s", json_string_value(from));
        return GN_OK;
    case JSON_INTEGER:
        *to = (gn_json){ .kind = GN_JSON_NUMBER, .number = (double)json_integer_value(from), .whole = json_integer_value(from), .is_whole = 1 };
        return GN_OK;
    case JSON_REAL: *to = (gn_json){ .kind = GN_JSON_NUMBER, .number = json_real_value(from) }; return GN_OK;
    case JSON_TRUE: *to = (gn_json){ .kind = GN_JSON_FLAG, .number = 1 }; return GN_OK;
    case JSON_FALSE: *to = (gn_json){ .kind = GN_JSON_FLAG }; return GN_OK;
    default: to->kind = GN_JSON_NULL; return GN_OK;
    }
}

static gn_status tree_of(gn_arena *a, json_t *read, const gn_json **tree) {
    gn_json *root = gn_arena_take(a, sizeof *root);
    gn_status status = root ? copy(a, read, 1, root) : GN_NO_MEMORY;
    json_decref(read);
    if (!root) GN_FAIL(NO_MEMORY, "out of memory: JSON");
    if (status) return gn_pass(status, __FILE__, __LINE__);
    *tree = root;
    return GN_OK;
}

gn_status gn_json_parse(gn_arena *a, const char *what, const char *text, size_t n, const gn_json **tree) {
    json_error_t e;
    json_t *read = json_loadb(text, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &e);
    if (!read) GN_FAIL(BAD_DATA, "%s:%d:%d: %s", what, e.line, e.column, gn_shown(e.text));
    GN_TRY_AS(tree_of(a, read, tree), "%s", what);
    return GN_OK;
}

const gn_json *gn_json_find(const gn_json *map, const char *key) {
    if (!map || map->kind != GN_JSON_MAP) return NULL;
    for (int i = 0; i < map->n; i++)
        if (!strcmp(map->key[i], key)) return &map->item[i];
    return NULL;
}

double gn_json_number(const gn_json *j, double otherwise) { return j && j->kind == GN_JSON_NUMBER ? j->number : otherwise; }

const char *gn_json_text(const gn_json *j, const char *otherwise) { return j && j->kind == GN_JSON_TEXT ? j->text : otherwise; }

int gn_json_numbers(const gn_json *list, int n, double *x) {
    if (!list || list->kind != GN_JSON_LIST || list->n != n) return 0;
    for (int i = 0; i < n; i++) {
        if (list->item[i].kind != GN_JSON_NUMBER) return 0;
        x[i] = list->item[i].number;
    }
    return 1;
}

const char *gn_json_quote(gn_arena *a, const char *text) {
    char *out = gn_arena_take(a, 6 * strlen(text) + 3), *to = out;
    if (!out) return NULL;
    *to++ = '"';
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c == '"' || *c == '\\') *to++ = '\\', *to++ = (char)*c;
        else if (*c < 0x20) to += snprintf(to, 7, "\\u%04x", *c);
        else *to++ = (char)*c;
    }
    *to++ = '"';
    *to = 0;
    return out;
}

const char *gn_json_version(void) { return JANSSON_VERSION; }

/* --- a file of any size --- */

enum { WINDOW = 32 << 20, ALIGNED = 1 << 16, KEYS = 1 << 22, NAMED = 4096 }; /* bytes; of a page, at most; in a map, at most */
_Static_assert(WINDOW >= GN_JSON_ITEM + ALIGNED, "an item may lie across the window's end");

typedef struct {
    gn_arena *arena;           /* its name and marks */
    int map;
    const char *name;
    int64_t n;                 /* items so far */
    uint64_t *mark;            /* [room] hashes of the keys so far, 0: free */
    int64_t room;
} level;

struct gn_json_file {
    const char *path;
    int fd, depth;
    int64_t bytes, at;
    void *window;              /* bytes `from` to `to` of the file */
    int64_t from, to;
    level level[2];
    gn_arena *tree;            /* the item's */
    char where[NAMED + 48];
};

static void shut(void *what) {
    gn_json_file *f = what;
    if (f->window) munmap(f->window, (size_t)(f->to - f->from));
    if (f->fd >= 0) close(f->fd);
    for (int k = 0; k < 2; k++) gn_arena_free(f->level[k].arena);
    gn_arena_free(f->tree);
}

/* What lies at a byte: all of an item, or as far as the file goes. */
static gn_status look(gn_json_file *f, int64_t at, const char **text, size_t *n) {
    const int64_t left = f->bytes - at, want = left < GN_JSON_ITEM ? left : GN_JSON_ITEM;
    if (!f->window || at < f->from || at + want > f->to) {
        if (f->window) munmap(f->window, (size_t)(f->to - f->from));
        f->from = at - at % ALIGNED;
        f->to = f->bytes - f->from < WINDOW ? f->bytes : f->from + WINDOW;
        f->window = mmap(NULL, (size_t)(f->to - f->from), PROT_READ, MAP_PRIVATE, f->fd, f->from);
        if (f->window == MAP_FAILED) f->window = NULL;
        if (!f->window) GN_FAIL(IO, "%s: cannot be mapped: %s", f->path, strerror(errno));
    }
    *text = (const char *)f->window + (at - f->from);
    *n = (size_t)want;
    return GN_OK;
}

const char *gn_json_where(gn_json_file *f, int64_t at) {
    char piece[1 << 14];
    int64_t line = 1, column = 1;
    for (int64_t from = 0; from < at; from += (int64_t)sizeof piece) {
        const int64_t n = at - from < (int64_t)sizeof piece ? at - from : (int64_t)sizeof piece;
        if (pread(f->fd, piece, (size_t)n, from) != n) break;
        for (int64_t i = 0; i < n; i++) {
            if (piece[i] == '\n') line++, column = 1;
            else if (((unsigned char)piece[i] & 0xc0) != 0x80) column++; /* a letter, whatever its bytes */
        }
    }
    snprintf(f->where, sizeof f->where, "%s:%lld:%lld", f->path, (long long)line, (long long)column);
    return f->where;
}

/* A value, and the byte after it. */
static gn_status value_at(gn_json_file *f, gn_arena *a, int64_t at, const gn_json **value, int64_t *end) {
    json_error_t e;
    const char *text = "";
    size_t n = 0;
    GN_TRY(look(f, at, &text, &n));
    json_t *read = json_loadb(text, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_DISABLE_EOF_CHECK, &e);
    if (!read && n == GN_JSON_ITEM && e.position >= (int)n) GN_FAIL(BAD_DATA, "%s: one item of more than %d MiB", gn_json_where(f, at), GN_JSON_ITEM >> 20);
    if (!read) GN_FAIL(BAD_DATA, "%s: %s", gn_json_where(f, at + e.position), gn_shown(e.text));
    *end = at + e.position;
    GN_TRY_AS(tree_of(a, read, value), "%s", gn_json_where(f, at));
    return GN_OK;
}

/* The next byte that is no blank; 0: the file ends. */
static gn_status peek(gn_json_file *f, int *c) {
    for (*c = 0; f->at < f->bytes; f->at++) {
        const char *text = "";
        size_t n = 0;
        GN_TRY(look(f, f->at, &text, &n));
        if (*text == ' ' || *text == '\n' || *text == '\r' || *text == '\t') continue;
        *c = (unsigned char)*text;
        return GN_OK;
    }
    return GN_OK;
}

static gn_status expect(gn_json_file *f, char wanted) {
    int c;
    GN_TRY(peek(f, &c));
    if (c != wanted) GN_FAIL(BAD_DATA, "%s: expected '%c', found %s", gn_json_where(f, f->at), wanted, c ? gn_shown((char[]){ (char)c, 0 }) : "the end of the file");
    f->at++;
    return GN_OK;
}

static gn_status grow(level *l) {
    uint64_t *old = l->mark;
    const int64_t n = l->room;
    l->room = n ? 2 * n : 64;
    GN_TAKE(l->mark, l->arena, l->room);
    for (int64_t i = 0; i < n; i++) {
        if (!old[i]) continue;
        int64_t k = (int64_t)(old[i] & (uint64_t)(l->room - 1));
        while (l->mark[k]) k = (k + 1) & (l->room - 1);
        l->mark[k] = old[i];
    }
    return GN_OK;
}

/* By 64 bits of hash: among a million keys, one file in 40 million would be refused wrongly. */
static gn_status mark(gn_json_file *f, level *l, const char *key, int64_t at) {
    uint64_t h = gn_hash(key, strlen(key));
    h += !h;
    if (l->n >= KEYS) GN_FAIL(BAD_DATA, "%s: more than %d keys in one map", gn_json_where(f, at), KEYS);
    if (2 * l->n >= l->room) GN_TRY(grow(l));
    int64_t k = (int64_t)(h & (uint64_t)(l->room - 1));
    for (; l->mark[k]; k = (k + 1) & (l->room - 1))
        if (l->mark[k] == h) GN_FAIL(BAD_DATA, "%s: the key '%s' is there twice", gn_json_where(f, at), gn_shown(key));
    l->mark[k] = h;
    return GN_OK;
}

/* What comes before a value: a comma, and in a map its key. */
static gn_status lead(gn_json_file *f, level *l, const char **key) {
    const gn_json *text;
    int c;
    if (l->n) GN_TRY(expect(f, ','));
    GN_TRY(peek(f, &c));
    *key = NULL;
    if (l->map) {
        const int64_t at = f->at;
        if (c != '"') GN_FAIL(BAD_DATA, "%s: expected a key in quotes", gn_json_where(f, at));
        GN_TRY(value_at(f, f->tree, at, &text, &f->at));
        GN_TRY(mark(f, l, text->text, at));
        GN_TRY(expect(f, ':'));
        GN_TRY(peek(f, &c));
        *key = text->text;
    }
    if (!c) GN_FAIL(BAD_DATA, "%s: the file ends where a value is expected", gn_json_where(f, f->at));
    l->n++;
    return GN_OK;
}

static gn_status enter(gn_json_file *f, int opening, const char *name) {
    level *l = &f->level[f->depth++];
    gn_arena *a = l->arena;
    gn_arena_rewind(a);
    *l = (level){ .arena = a, .map = opening == '{' };
    GN_TAKE_TEXT(l->name, a, "%s", name);
    f->at++;
    return GN_OK;
}

gn_status gn_json_open(gn_arena *a, const char *path, gn_json_file **file) {
    gn_json_file *f;
    struct stat st;
    int c;
    if (!gn_io_exists(path)) GN_FAIL(MISSING, "%s: no such file", path);
    if (strlen(path) >= NAMED) GN_FAIL(BAD_DATA, "a path of more than %d bytes", NAMED);
    GN_TAKE(f, a, 1);
    f->fd = -1;
    GN_TRY(gn_arena_at_end(a, shut, f));
    GN_TAKE_TEXT(f->path, a, "%s", path);
    f->tree = gn_arena_new("an item of JSON");
    for (int k = 0; k < 2; k++) f->level[k].arena = gn_arena_new("keys of JSON");
    if (!f->tree || !f->level[0].arena || !f->level[1].arena) GN_FAIL(NO_MEMORY, "out of memory: %s", path);
    f->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (f->fd < 0 || fstat(f->fd, &st)) GN_FAIL(IO, "%s: cannot be opened: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode)) GN_FAIL(BAD_DATA, "%s: expected a file of JSON", path);
    f->bytes = st.st_size;
    GN_TRY(peek(f, &c));
    if (c != '{' && c != '[') GN_FAIL(BAD_DATA, "%s: expected JSON, a map or a list", gn_json_where(f, f->at));
    *file = f;
    return enter(f, c, "");
}

gn_status gn_json_next(gn_json_file *f, gn_json_item *item) {
    const char *key = NULL;
    int c = 0;
    *item = (gn_json_item){ 0 };
    gn_arena_rewind(f->tree);
    while (f->depth) {
        level *l = &f->level[f->depth - 1];
        GN_TRY(peek(f, &c));
        if (c == (l->map ? '}' : ']')) {
            f->at++, f->depth--;
            continue;
        }
        GN_TRY(lead(f, l, &key));
        GN_TRY(peek(f, &c));
        if (f->depth == 1 && l->map && (c == '{' || c == '[')) {
            GN_TRY(enter(f, c, key));
            continue;
        }
        *item = (gn_json_item){ .list = l->name, .key = key, .place = l->n - 1, .at = f->at };
        return value_at(f, f->tree, f->at, &item->value, &f->at);
    }
    GN_TRY(peek(f, &c));
    if (c) GN_FAIL(BAD_DATA, "%s: something after the end", gn_json_where(f, f->at));
    return GN_OK;
}

gn_status gn_json_at(gn_json_file *f, gn_arena *a, int64_t at, const gn_json **value) {
    int64_t end;
    return value_at(f, a, at, value, &end);
}
