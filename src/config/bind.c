/* bind.c - a tree into a struct by its rows; everything wrong with it in one go. */
#include "gnomon/config.h"
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { COMPLAINTS = 20, ITEMS = 256, KNOWN = 128 };

typedef struct {
    gn_arena *a;
    char text[2000];   /* what fits the trail */
    size_t used;
    int said, n;
} binder;

static gn_status bind_rows(binder *b, const gn_yaml *map, const char *path, const gn_option *rows, void *into);

GN_PRINTF(4, 5) static void complain(binder *b, const gn_yaml *at, const char *path, const char *fmt, ...) {
    char line[600];
    int n = snprintf(line, sizeof line, "%s: %s%s", gn_yaml_place(at), path, *path ? ": " : "");
    va_list args;
    va_start(args, fmt);
    if (n >= 0 && (size_t)n < sizeof line) vsnprintf(line + n, sizeof line - (size_t)n, fmt, args);
    va_end(args);
    b->n++;
    size_t more = strlen(line) + (b->used > 0);
    if (b->said == COMPLAINTS || b->used + more + 40 > sizeof b->text) return;
    b->used += (size_t)snprintf(b->text + b->used, sizeof b->text - b->used, "%s%s", b->used ? "\n" : "", line);
    b->said++;
}

/* "; did you mean 'x'?" or "" */
static const char *hint(binder *b, const char *word, int n, const char *const *known) {
    const char *near = gn_nearest(word, n, known);
    const char *text = near ? gn_arena_text(b->a, "; did you mean '%s'?", near) : "";
    return text ? text : "";
}

static const char *found(const gn_yaml *y) {
    static _Thread_local char text[80];
    if (y->kind == GN_YAML_MAP) return "a mapping";
    if (y->kind == GN_YAML_LIST) return "a list";
    if (y->kind == GN_YAML_NULL) return "nothing";
    snprintf(text, sizeof text, y->quoted ? "the string '%s'" : "'%s'", gn_shown(y->text));
    return text;
}

/* A number of the YAML 1.2 core schema: decimal, 0x, 0o, .inf, .nan; strtod alone would read more. */
static int number(const gn_yaml *y, double *x) {
    if (y->kind != GN_YAML_SCALAR || y->quoted) return 0;
    const char *p = y->text, *sign = p;
    p += *p == '-' || *p == '+';
    if (!strcmp(p, ".inf") || !strcmp(p, ".Inf") || !strcmp(p, ".INF")) return *x = *sign == '-' ? -INFINITY : INFINITY, 1;
    if (!strcmp(y->text, ".nan") || !strcmp(y->text, ".NaN") || !strcmp(y->text, ".NAN")) return *x = NAN, 1;
    char *end;
    if (p == sign && p[0] == '0' && (p[1] == 'x' || p[1] == 'o')) {
        if (!p[2] || p[2 + strspn(p + 2, p[1] == 'x' ? "0123456789abcdefABCDEF" : "01234567")]) return 0;
        return *x = (double)strtoull(p + 2, NULL, p[1] == 'x' ? 16 : 8), 1;
    }
    if (p[strspn(p, "0123456789.eE+-")] || !strpbrk(p, "0123456789") || *p == 'e' || *p == 'E') return 0;
    *x = strtod(y->text, &end);
    return !*end;
}

static int whole(const gn_yaml *y, int64_t *n) {
    double x;
    if (!number(y, &x)) return 0;
    if (!y->text[strspn(y->text, "+-0123456789")]) {
        errno = 0;
        *n = strtoll(y->text, NULL, 10);
        return errno == 0;
    }
    if (!(fabs(x) < 0x1p53) || x != floor(x)) return 0;
    return *n = (int64_t)x, 1;
}

/* A row without a range (both ends 0) takes any number that is finite. */
static int in_range(const gn_option *row, double x) {
    return row->least == 0 && row->most == 0 ? isfinite(x) : x >= row->least && x <= row->most;
}

static int choice(const gn_option *row, const char *word, int *n, const char **known, char *copy, size_t room) {
    snprintf(copy, room, "%s", row->text);
    int at = -1;
    *n = 0;
    for (char *p = copy, *save; (p = strtok_r(p, "|", &save)) && *n < KNOWN; p = NULL) {
        if (!strcmp(p, word)) at = *n;
        known[(*n)++] = p;
    }
    return at;
}

static gn_status bind_list(binder *b, const gn_yaml *y, const char *path, const gn_option *row, void *at) {
    if (y->kind != GN_YAML_LIST) return complain(b, y, path, "expected a list, found %s", found(y)), GN_OK;
    if (y->n > ITEMS) return complain(b, y, path, "%d items; at most %d", y->n, ITEMS), GN_OK;
    gn_texts *texts = row->kind == GN_KIND_TEXTS ? at : NULL;
    gn_counts *counts = row->kind == GN_KIND_COUNTS ? at : NULL;
    if (texts) GN_TAKE(texts->item, b->a, y->n);
    if (counts) GN_TAKE(counts->item, b->a, y->n);
    for (int i = 0; i < y->n; i++) {
        const gn_yaml *c = y->child[i];
        int64_t n;
        if (texts && c->kind != GN_YAML_SCALAR) complain(b, c, path, "expected a list of texts, found %s", found(c));
        else if (texts) texts->item[texts->n++] = c->text;
        else if (!whole(c, &n)) complain(b, c, path, "expected a list of whole numbers, found %s", found(c));
        else if (!in_range(row, (double)n))
            complain(b, c, path, "%lld is out of range %g to %g", (long long)n, row->least, row->most);
        else counts->item[counts->n++] = n;
    }
    return GN_OK;
}

static gn_status pick(binder *b, const gn_yaml *y, const char *path, const gn_registry *r, gn_pick *into) {
    const char *known[KNOWN];
    for (int i = 0; i < r->n && i < KNOWN; i++) {
        known[i] = r->entry[i].name;
        if (!strcmp(known[i], y->key)) into->entry = &r->entry[i];
    }
    if (!into->entry) {
        complain(b, y, *path ? path : r->word, "unknown %s '%s'%s", r->word, gn_shown(y->key), hint(b, y->key, r->n, known));
        return GN_OK;
    }
    const char *below;
    GN_TAKE_TEXT(below, b->a, "%s.%s", path, y->key);
    into->options = gn_arena_take(b->a, into->entry->bytes + 1);
    if (!into->options) GN_FAIL(NO_MEMORY, "out of memory: %s", below);
    if (y->kind != GN_YAML_MAP)
        return complain(b, y, below, "expected a mapping ({} for its defaults), found %s", found(y)), GN_OK;
    GN_TRY(bind_rows(b, y, below, into->entry->options, into->options));
    return GN_OK;
}

static gn_status bind_picks(binder *b, const gn_yaml *y, const char *path, const gn_option *row, void *at) {
    gn_picks *many = at;
    if (y->kind != GN_YAML_MAP) return complain(b, y, path, "expected a mapping, found %s", found(y)), GN_OK;
    if (row->kind == GN_KIND_PICK) {
        if (y->n == 1) GN_TRY(pick(b, y->child[0], path, row->registry, at));
        else if (y->n > 1)
            complain(b, y->child[1], path, "one %s is picked, found '%s' and '%s'; set one to null", row->registry->word,
                     gn_shown(y->child[0]->key), gn_shown(y->child[1]->key));
        else complain(b, y, path, "no %s is picked", row->registry->word);
        return GN_OK;
    }
    GN_TAKE(many->item, b->a, y->n);
    for (int i = 0; i < y->n; i++) {
        gn_pick *one = &many->item[many->n];
        GN_TRY(pick(b, y->child[i], path, row->registry, one));
        many->n += one->entry != NULL;
    }
    return GN_OK;
}

static void bind_number(binder *b, const gn_yaml *y, const char *path, const gn_option *row, void *at) {
    double x;
    int64_t n = 0;
    int integer = row->kind == GN_KIND_INT || row->kind == GN_KIND_COUNT;
    if (!number(y, &x)) complain(b, y, path, "expected a %s, found %s", integer ? "whole number" : "number", found(y));
    else if (integer && isfinite(x) && x != floor(x)) complain(b, y, path, "expected a whole number, found %s", found(y));
    else if (!in_range(row, x) || (integer && !whole(y, &n)) || (row->kind == GN_KIND_INT && n != (int)n)) {
        if (row->least == 0 && row->most == 0) complain(b, y, path, "%s is out of range", gn_shown(y->text));
        else complain(b, y, path, "%s is out of range %.10g to %.10g", gn_shown(y->text), row->least, row->most);
    } else if (row->kind == GN_KIND_INT) *(int *)at = (int)n;
    else if (row->kind == GN_KIND_COUNT) *(int64_t *)at = n;
    else if (row->kind == GN_KIND_NUMBER) *(double *)at = x;
    else *(gn_real *)at = (gn_real)x;
}

static void bind_word(binder *b, const gn_yaml *y, const char *path, const gn_option *row, void *at) {
    if (row->kind == GN_KIND_TEXT) {
        if (y->kind != GN_YAML_SCALAR) complain(b, y, path, "expected a text, found %s", found(y));
        else *(const char **)at = y->text;
        return;
    }
    int plain = y->kind == GN_YAML_SCALAR, n = 0, place = -1;
    const char *known[KNOWN];
    char copy[400];
    if (row->kind == GN_KIND_CHOICE) {
        if (plain) place = choice(row, y->text, &n, known, copy, sizeof copy);
        if (place >= 0) *(int *)at = place;
        else complain(b, y, path, "expected %s, found %s%s", row->text, found(y), plain ? hint(b, y->text, n, known) : "");
        return;
    }
    static const char *const flag[] = { "false", "False", "FALSE", "true", "True", "TRUE" };
    for (int i = 0; i < 6; i++)
        if (plain && !y->quoted && !strcmp(y->text, flag[i])) place = i / 3;
    if (place >= 0) *(int *)at = place;
    else complain(b, y, path, "expected true or false, found %s", found(y));
}

static gn_status bind_value(binder *b, const gn_yaml *y, const char *path, const gn_option *row, void *at) {
    switch (row->kind) {
    case GN_KIND_INT: case GN_KIND_COUNT: case GN_KIND_NUMBER: case GN_KIND_REAL:
        return bind_number(b, y, path, row, at), GN_OK;
    case GN_KIND_FLAG: case GN_KIND_CHOICE: case GN_KIND_TEXT:
        return bind_word(b, y, path, row, at), GN_OK;
    case GN_KIND_TEXTS: case GN_KIND_COUNTS:
        return bind_list(b, y, path, row, at);
    case GN_KIND_PICK: case GN_KIND_PICKS:
        return bind_picks(b, y, path, row, at);
    case GN_KIND_SECTION:
        return bind_rows(b, y, path, row->section, at);
    case GN_KIND_TREE:
        if (y->kind != GN_YAML_MAP) complain(b, y, path, "expected a mapping, found %s", found(y));
        else *(const gn_yaml **)at = y;
        return GN_OK;
    }
    return GN_OK;
}

static gn_status bind_rows(binder *b, const gn_yaml *map, const char *path, const gn_option *rows, void *into) {
    gn_config_default(rows, into);
    if (map->kind != GN_YAML_MAP) return complain(b, map, path, "expected a mapping, found %s", found(map)), GN_OK;
    int n = 0;
    const char *known[KNOWN];
    for (const gn_option *row = rows; row && row->name && n < KNOWN; row++) known[n++] = row->name;
    for (int i = 0; i < map->n; i++) {
        const gn_yaml *y = map->child[i];
        const char *below;
        GN_TAKE_TEXT(below, b->a, "%s%s%s", path, *path ? "." : "", gn_shown(y->key));
        const gn_option *row = rows;
        while (row && row->name && strcmp(row->name, y->key)) row++;
        if (!row || !row->name) complain(b, y, below, "unknown key%s", hint(b, y->key, n, known));
        else GN_TRY(bind_value(b, y, below, row, (char *)into + row->offset));
    }
    return GN_OK;
}

/* A pick that the file leaves out: its default with its own defaults, or a complaint. */
static gn_status pick_defaults(binder *b, const gn_yaml *tree, const char *path, const gn_option *rows, void *into) {
    for (const gn_option *row = rows; row->name; row++) {
        const char *below;
        GN_TAKE_TEXT(below, b->a, "%s%s%s", path, *path ? "." : "", row->name);
        void *at = (char *)into + row->offset;
        if (row->kind == GN_KIND_SECTION) GN_TRY(pick_defaults(b, tree, below, row->section, at));
        if (row->kind != GN_KIND_PICK || gn_yaml_find(tree, below)) continue;
        gn_yaml none = { .kind = GN_YAML_MAP, .key = row->text, .file = tree->file, .line = tree->line, .col = tree->col };
        if (row->text) GN_TRY(pick(b, &none, below, row->registry, at));
        else complain(b, tree, below, "missing: the %s", row->help);
    }
    return GN_OK;
}

gn_status gn_config_bind(gn_arena *a, const gn_yaml *tree, const gn_option *rows, void *into) {
    binder b = { .a = a };
    GN_TRY(bind_rows(&b, tree, "", rows, into));
    if (!b.n) GN_TRY(pick_defaults(&b, tree, "", rows, into)); /* a misspelt pick is told once */
    if (b.n > b.said) GN_FAIL(BAD_CONFIG, "%s\n... and %d more", b.text, b.n - b.said);
    if (b.n) GN_FAIL(BAD_CONFIG, "%s", b.text);
    return GN_OK;
}

void gn_config_default(const gn_option *rows, void *into) {
    for (const gn_option *row = rows; row && row->name; row++) {
        void *at = (char *)into + row->offset;
        switch (row->kind) {
        case GN_KIND_INT: case GN_KIND_FLAG: case GN_KIND_CHOICE: *(int *)at = (int)row->dflt; break;
        case GN_KIND_COUNT: *(int64_t *)at = (int64_t)row->dflt; break;
        case GN_KIND_NUMBER: *(double *)at = row->dflt; break;
        case GN_KIND_REAL: *(gn_real *)at = (gn_real)row->dflt; break;
        case GN_KIND_TEXT: *(const char **)at = row->text ? row->text : ""; break;
        case GN_KIND_TEXTS: *(gn_texts *)at = (gn_texts){ 0, NULL }; break;
        case GN_KIND_COUNTS: *(gn_counts *)at = (gn_counts){ 0, NULL }; break;
        case GN_KIND_SECTION: gn_config_default(row->section, at); break;
        case GN_KIND_PICK: *(gn_pick *)at = (gn_pick){ NULL, NULL }; break;
        case GN_KIND_PICKS: *(gn_picks *)at = (gn_picks){ 0, NULL }; break;
        case GN_KIND_TREE: *(const gn_yaml **)at = NULL; break;
        }
    }
}

gn_status gn_config_check(const gn_option *rows, const void *values) {
    for (const gn_option *row = rows; row && row->name; row++) {
        const void *at = (const char *)values + row->offset;
        double x = row->least;
        if (row->kind == GN_KIND_INT) x = *(const int *)at;
        if (row->kind == GN_KIND_COUNT) x = (double)*(const int64_t *)at;
        if (row->kind == GN_KIND_NUMBER) x = *(const double *)at;
        if (row->kind == GN_KIND_REAL) x = (double)*(const gn_real *)at;
        if (!in_range(row, x))
            GN_FAIL(BAD_CONFIG, "%s: %.10g is out of range %.10g to %.10g", row->name, x, row->least, row->most);
        if (row->kind == GN_KIND_SECTION) GN_TRY_AS(gn_config_check(row->section, at), "%s", row->name);
    }
    return GN_OK;
}
