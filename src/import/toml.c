/* toml.c - Debian has TOML readers for C++ and Perl alone; calibrations use little of it. */
#include "src/import/toml.h"
#include "gnomon/config.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 8, WORD = 128 };
typedef struct { gn_arena *a; const char *what, *at; int line; } reader;
typedef struct { int n, room; const char **key; gn_json *item; } list; /* that grows */

#define BAD(r, ...) return bad(r, __LINE__, __VA_ARGS__)
static gn_status bad(const reader *r, int line, const char *expected) {
    char found[48];
    snprintf(found, sizeof found, "%.*s", (int)strcspn(r->at, "\r\n"), r->at);
    return gn_fail(GN_BAD_DATA, __FILE__, line, "%s:%d: expected %s, found '%s'", r->what, r->line, expected, gn_shown(found));
}

static gn_status grow(reader *r, list *l, const char *key, const gn_json *item) {
    if (l->n == l->room) {
        const list old = *l;
        l->room = old.room ? 2 * old.room : 8;
        GN_TAKE(l->key, r->a, l->room);
        GN_TAKE(l->item, r->a, l->room);
        for (int i = 0; i < old.n; i++) l->key[i] = old.key[i], l->item[i] = old.item[i];
    }
    l->key[l->n] = key;
    l->item[l->n++] = *item;
    return GN_OK;
}

static int there(const list *l, const char *key) {
    for (int i = 0; i < l->n; i++)
        if (!strcmp(l->key[i], key)) return 1;
    return 0;
}

static void blanks(reader *r) { r->at += strspn(r->at, " \t"); }

/* Blanks, comments and line ends. */
static void gap(reader *r) {
    for (;;) {
        r->at += strspn(r->at, " \t\r");
        if (*r->at == '#') r->at += strcspn(r->at, "\n");
        if (*r->at != '\n') return;
        r->at++, r->line++;
    }
}

static gn_status line_end(reader *r) {
    blanks(r);
    if (*r->at && !strchr("#\r\n", *r->at)) BAD(r, "the end of the line");
    gap(r);
    return GN_OK;
}

/* "..." or '...' on one line; of escapes, \" and \\ alone. */
static gn_status quoted(reader *r, const char **text) {
    char *to;
    const char quote = *r->at, *from = r->at;
    const size_t room = strcspn(from, "\r\n");
    GN_TAKE(to, r->a, room + 1);
    *text = to;
    for (r->at++; *r->at != quote; *to++ = *r->at++) {
        if (!*r->at || *r->at == '\n' || *r->at == '\r') {
            r->at = from;
            BAD(r, "a string that ends on its line");
        }
        if (quote == '"' && *r->at == '\\' && *++r->at != '"' && *r->at != '\\') BAD(r, "\\\" or \\\\, the escapes that are read,");
    }
    r->at++;
    return GN_OK;
}

static gn_status word(reader *r, const char **key) {
    if (*r->at == '"' || *r->at == '\'') return quoted(r, key);
    const size_t n = strspn(r->at, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");
    if (!n || n > WORD) BAD(r, "a name");
    GN_TAKE_TEXT(*key, r->a, "%.*s", (int)n, r->at);
    r->at += n;
    return GN_OK;
}

static gn_status value(reader *r, int deep, gn_json *v);

static gn_status array(reader *r, int deep, gn_json *v) {
    list l = { 0 };
    if (deep == DEEPEST) BAD(r, "arrays at most 8 deep");
    for (r->at++, gap(r); *r->at != ']'; gap(r)) {
        gn_json item = { 0 };
        GN_TRY(value(r, deep + 1, &item));
        GN_TRY(grow(r, &l, NULL, &item));
        gap(r);
        if (*r->at == ',') r->at++;
        else if (*r->at != ']') BAD(r, "',' or ']' in an array");
    }
    r->at++;
    *v = (gn_json){ .kind = GN_JSON_LIST, .n = l.n, .item = l.item };
    return GN_OK;
}

static gn_status number(reader *r, gn_json *v) {
    char digits[WORD], *end;
    size_t n = strspn(r->at, "+-.0123456789eE_"), k = 0;
    for (size_t i = 0; i < n && k + 1 < sizeof digits; i++)
        if (r->at[i] != '_') digits[k++] = r->at[i];
    digits[k] = 0;
    const double x = strtod(digits, &end);
    if (!k || *end || n >= sizeof digits || !isfinite(x)) BAD(r, "a number, a string, true, false or an array");
    *v = (gn_json){ .kind = GN_JSON_NUMBER, .number = x, .is_whole = !strpbrk(digits, ".eE") && fabs(x) < 1e15 };
    if (v->is_whole) v->whole = (int64_t)x;
    r->at += n;
    return GN_OK;
}

static gn_status value(reader *r, int deep, gn_json *v) {
    if (*r->at == '[') return array(r, deep, v);
    if (*r->at == '"' || *r->at == '\'') {
        v->kind = GN_JSON_TEXT;
        return quoted(r, &v->text);
    }
    for (int yes = 0; yes < 2; yes++) {
        const char *name = yes ? "true" : "false";
        if (strncmp(r->at, name, strlen(name))) continue;
        *v = (gn_json){ .kind = GN_JSON_FLAG, .number = yes };
        r->at += strlen(name);
        return GN_OK;
    }
    return number(r, v);
}

/* Lines of "key = value" up to the next table. */
static gn_status pairs(reader *r, list *l) {
    for (gap(r); *r->at && *r->at != '[';) {
        const char *key;
        gn_json v = { 0 };
        const char *from = r->at;
        GN_TRY(word(r, &key));
        if (there(l, key)) {
            r->at = from;
            BAD(r, "each key once");
        }
        blanks(r);
        if (*r->at != '=') BAD(r, "'=' after a key");
        r->at++;
        blanks(r);
        GN_TRY(value(r, 0, &v));
        GN_TRY(grow(r, l, key, &v));
        GN_TRY(line_end(r));
    }
    return GN_OK;
}

static gn_json as_map(const list *l) { return (gn_json){ .kind = GN_JSON_MAP, .n = l->n, .key = l->key, .item = l->item }; }

gn_status gn_toml_parse(gn_arena *a, const char *what, const char *text, const gn_json **tree) {
    reader r = { a, what, text, 1 };
    list root = { 0 };
    gn_json *top;
    GN_TAKE(top, a, 1);
    GN_TRY(pairs(&r, &root));
    while (*r.at) {
        const char *name, *from = r.at++;
        list l = { 0 };
        blanks(&r);
        GN_TRY(word(&r, &name));
        blanks(&r);
        if (*r.at != ']') BAD(&r, "']' after the name of a table");
        if (there(&root, name)) {
            r.at = from;
            BAD(&r, "each table once");
        }
        r.at++;
        GN_TRY(line_end(&r));
        GN_TRY(pairs(&r, &l));
        const gn_json map = as_map(&l);
        GN_TRY(grow(&r, &root, name, &map));
    }
    *top = as_map(&root);
    *tree = top;
    return GN_OK;
}
