/* yaml.c - the one file that knows libyaml: events into a tree, with the place of every key and value.
 *
 * Depth and nodes are counted from the events, so hostile nesting ends before libyaml's own tables grow.
 * Anchors are refused: a complete file has no need of them, and an alias can be a bomb. */
#include "gnomon/config.h"
#include "gnomon/io.h"
#include "gnomon/version.h"
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <yaml.h>

enum { MOST_BYTES = 1 << 20, MOST_DEEP = 64, MOST_NODES = 100000, MOST_KEYS = 1000 };

typedef struct {
    gn_arena *a;
    const char *file, *text;
    size_t n;
    yaml_parser_t parser;
    yaml_event_t event; /* the present one */
    int has_event, nodes;
} reader;

#define REFUSE(r, line, col, ...) return refuse(r, line, col, __FILE__, __LINE__, __VA_ARGS__)
GN_PRINTF(6, 7) static gn_status refuse(const reader *r, size_t line, size_t col, const char *file, int at, const char *fmt, ...) {
    char what[200];
    va_list args;
    va_start(args, fmt);
    vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    return gn_fail(GN_BAD_CONFIG, file, at, "%s:%zu:%zu: %s", r->file, line, col, what);
}
#define REFUSE_HERE(r, ...)                                                                        \
    REFUSE(r, (r)->event.start_mark.line + 1, (r)->event.start_mark.column + 1, __VA_ARGS__)

/* Bytes of the character at p, 0 when it is not UTF-8: no overlong forms, no surrogates. */
static size_t utf8(const unsigned char *p, size_t left) {
    if (p[0] < 0x80) return 1;
    size_t n = p[0] >= 0xC2 && p[0] < 0xE0 ? 2 : p[0] >= 0xE0 && p[0] < 0xF0 ? 3 : p[0] >= 0xF0 && p[0] < 0xF5 ? 4 : 0;
    if (!n || n > left) return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xC0) != 0x80) return 0;
    if (p[0] == 0xE0 && p[1] < 0xA0) return 0;
    if (p[0] == 0xED && p[1] >= 0xA0) return 0;
    if (p[0] == 0xF0 && p[1] < 0x90) return 0;
    if (p[0] == 0xF4 && p[1] >= 0x90) return 0;
    return n;
}

/* libyaml gives a bare offset for a bad byte, so bytes are looked at first. */
static gn_status look_at_bytes(const reader *r) {
    const unsigned char *p = (const unsigned char *)r->text;
    size_t line = 1, col = 1;
    for (size_t i = 0; i < r->n;) {
        size_t step = utf8(p + i, r->n - i);
        if (!step) REFUSE(r, line, col, "byte 0x%02x is not UTF-8", p[i]);
        if (p[i] == 0) REFUSE(r, line, col, "a NUL byte");
        if ((p[i] < 0x20 && p[i] != '\t' && p[i] != '\n' && p[i] != '\r') || p[i] == 0x7F)
            REFUSE(r, line, col, "control byte 0x%02x", p[i]);
        int mark = step == 3 && memcmp(p + i, "\xEF\xBB\xBF", 3) == 0;
        if (mark && i) REFUSE(r, line, col, "a byte order mark inside the file");
        col = p[i] == '\n' ? 1 : col + !mark;
        line += p[i] == '\n';
        i += step;
    }
    return GN_OK;
}

static int is_tab(const reader *r, size_t line, size_t col) {
    const char *p = r->text, *end = p + r->n;
    for (; line && p < end; p++) line -= *p == '\n';
    for (; col && p < end; col--) p += utf8((const unsigned char *)p, (size_t)(end - p));
    return p < end && *p == '\t';
}

static gn_status next(reader *r) {
    if (r->has_event) yaml_event_delete(&r->event);
    r->has_event = 0;
    if (!yaml_parser_parse(&r->parser, &r->event)) {
        size_t line = r->parser.problem_mark.line, col = r->parser.problem_mark.column;
        if (r->parser.error == YAML_MEMORY_ERROR) GN_FAIL(NO_MEMORY, "%s: out of memory", r->file);
        if (is_tab(r, line, col)) REFUSE(r, line + 1, col + 1, "a tab cannot indent: use spaces");
        REFUSE(r, line + 1, col + 1, "not YAML: %s%s%s", r->parser.problem,
               r->parser.context ? ", " : "", r->parser.context ? r->parser.context : "");
    }
    r->has_event = 1;
    return GN_OK;
}

static gn_status add(reader *r, gn_yaml *to, gn_yaml *child) {
    if (to->n == to->room) {
        gn_yaml **more;
        int room = to->room ? 2 * to->room : 4;
        GN_TAKE(more, r->a, room);
        if (to->n) memcpy(more, to->child, sizeof *more * (size_t)to->n);
        to->child = more;
        to->room = room;
    }
    to->child[to->n++] = child;
    return GN_OK;
}

static gn_status scalar(reader *r, gn_yaml *y) {
    const char *text = (const char *)r->event.data.scalar.value;
    size_t n = r->event.data.scalar.length;
    if (memchr(text, 0, n)) REFUSE_HERE(r, "a NUL in a string");
    GN_TAKE_TEXT(y->text, r->a, "%s", text);
    y->quoted = r->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    static const char *const nothing[] = { "", "~", "null", "Null", "NULL" };
    y->kind = GN_YAML_SCALAR;
    for (int i = 0; i < 5 && !y->quoted; i++)
        if (!strcmp(text, nothing[i])) y->kind = GN_YAML_NULL;
    return GN_OK;
}

static gn_status value(reader *r, int deep, gn_yaml **made);

static gn_status key(reader *r, const gn_yaml *map, const char **word) {
    if (r->event.type != YAML_SCALAR_EVENT) REFUSE_HERE(r, "a key must be a word");
    gn_yaml k = { 0 };
    if (r->event.data.scalar.anchor || r->event.data.scalar.tag) REFUSE_HERE(r, "a key takes no anchor and no tag");
    GN_TRY(scalar(r, &k));
    if (!k.text[0]) REFUSE_HERE(r, "an empty key");
    if (!strcmp(k.text, "<<")) REFUSE_HERE(r, "<<: merge keys are not read: an experiment says everything itself");
    if (map->n == MOST_KEYS) REFUSE_HERE(r, "more than %d keys in one mapping", MOST_KEYS);
    for (int i = 0; i < map->n; i++)
        if (!strcmp(map->child[i]->key, k.text))
            REFUSE_HERE(r, "%s: repeated key; first on line %d", gn_shown(k.text), map->child[i]->line);
    *word = k.text;
    return GN_OK;
}

static gn_status children(reader *r, gn_yaml *y, int deep) {
    int map = y->kind == GN_YAML_MAP;
    if (deep == MOST_DEEP) REFUSE_HERE(r, "nested more than %d deep", MOST_DEEP);
    for (;;) {
        GN_TRY(next(r));
        if (r->event.type == (map ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT)) return GN_OK;
        const char *word = NULL;
        yaml_mark_t at = r->event.start_mark;
        if (map) {
            GN_TRY(key(r, y, &word));
            GN_TRY(next(r));
        }
        gn_yaml *child = NULL;
        GN_TRY(value(r, deep + 1, &child));
        if (map) {
            child->key = word;
            child->line = (int)at.line + 1;
            child->col = (int)at.column + 1;
        }
        GN_TRY(add(r, y, child));
    }
}

static gn_status value(reader *r, int deep, gn_yaml **made) {
    gn_yaml *y;
    const yaml_event_t *e = &r->event;
    if (++r->nodes > MOST_NODES) REFUSE_HERE(r, "more than %d nodes", MOST_NODES);
    if (e->type == YAML_ALIAS_EVENT)
        REFUSE_HERE(r, "*%s: aliases are not read: write the value out", gn_shown((const char *)e->data.alias.anchor));
    const yaml_char_t *anchor = e->type == YAML_SCALAR_EVENT          ? e->data.scalar.anchor
                                : e->type == YAML_SEQUENCE_START_EVENT ? e->data.sequence_start.anchor
                                                                       : e->data.mapping_start.anchor;
    const yaml_char_t *tag = e->type == YAML_SCALAR_EVENT          ? e->data.scalar.tag
                             : e->type == YAML_SEQUENCE_START_EVENT ? e->data.sequence_start.tag
                                                                    : e->data.mapping_start.tag;
    if (anchor) REFUSE_HERE(r, "&%s: anchors are not read: write the value out", gn_shown((const char *)anchor));
    if (tag) REFUSE_HERE(r, "%s: tags are not read", gn_shown((const char *)tag));
    GN_TAKE(y, r->a, 1);
    *made = y;
    y->file = r->file;
    y->line = (int)e->start_mark.line + 1;
    y->col = (int)e->start_mark.column + 1;
    if (e->type == YAML_SCALAR_EVENT) return scalar(r, y);
    y->kind = e->type == YAML_MAPPING_START_EVENT ? GN_YAML_MAP : GN_YAML_LIST;
    return children(r, y, deep);
}

static gn_status document(reader *r, gn_yaml **tree) {
    GN_TRY(next(r)); /* the stream */
    GN_TRY(next(r));
    if (r->event.type == YAML_STREAM_END_EVENT) REFUSE(r, (size_t)1, (size_t)1, "empty: expected a mapping of keys");
    GN_TRY(next(r));
    GN_TRY(value(r, 0, tree));
    GN_TRY(next(r)); /* the end of the document */
    GN_TRY(next(r));
    if (r->event.type != YAML_STREAM_END_EVENT) REFUSE_HERE(r, "a second document: a file holds one");
    return GN_OK;
}

gn_status gn_yaml_parse(gn_arena *a, const char *file, const char *text, size_t n, gn_yaml **tree) {
    reader r = { .a = a, .file = file, .text = text, .n = n };
    if (n > MOST_BYTES) REFUSE(&r, (size_t)1, (size_t)1, "%zu bytes; at most %d are read", n, MOST_BYTES);
    GN_TAKE_TEXT(r.file, a, "%s", file);
    GN_TRY(look_at_bytes(&r));
    if (!yaml_parser_initialize(&r.parser)) GN_FAIL(NO_MEMORY, "%s: out of memory", file);
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, n);
    gn_status status = document(&r, tree);
    if (r.has_event) yaml_event_delete(&r.event);
    yaml_parser_delete(&r.parser);
    if (status) return gn_pass(status, __FILE__, __LINE__);
    return GN_OK;
}

gn_status gn_yaml_read(gn_arena *a, const char *path, gn_yaml **tree) {
    void *bytes;
    size_t n;
    GN_TRY(gn_io_read(a, path, (size_t)MOST_BYTES + 1, &bytes, &n));
    GN_TRY(gn_yaml_parse(a, path, bytes, n, tree));
    return GN_OK;
}

const char *gn_yaml_version(void) { return yaml_get_version_string(); }
