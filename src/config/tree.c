/* tree.c - a YAML tree after reading: find, copy, merge, override, write. */
#include "gnomon/config.h"
#include <string.h>

enum { PARTS = 16, SHOWN = 40 };

const char *gn_shown(const char *text) {
    static _Thread_local char buffer[4][SHOWN + 8];
    static _Thread_local unsigned turn;
    char *to = buffer[turn++ % 4];
    size_t n = 0;
    for (; text[n] && n < SHOWN; n++) to[n] = (unsigned char)text[n] < 0x20 || text[n] == 0x7F ? '?' : text[n];
    if (!text[n]) return to[n] = 0, to;
    while (n && ((unsigned char)text[n] & 0xC0) == 0x80) n--; /* no half character */
    return memcpy(to + n, "...", 4), to;
}

const char *gn_yaml_place(const gn_yaml *y) {
    static _Thread_local char buffer[4][512];
    static _Thread_local unsigned turn;
    char *to = buffer[turn++ % 4];
    if (y->line) snprintf(to, sizeof buffer[0], "%s:%d:%d", y->file, y->line, y->col);
    else snprintf(to, sizeof buffer[0], "'%s'", y->file);
    return to;
}

static int place_of(const gn_yaml *map, const char *key, size_t n) {
    if (map->kind == GN_YAML_MAP)
        for (int i = 0; i < map->n; i++)
            if (!strncmp(map->child[i]->key, key, n) && !map->child[i]->key[n]) return i;
    return -1;
}

gn_yaml *gn_yaml_find(const gn_yaml *tree, const char *path) {
    gn_yaml *found = NULL;
    while (*path) {
        size_t n = strcspn(path, ".");
        int i = place_of(tree, path, n);
        if (i < 0) return NULL;
        tree = found = tree->child[i];
        path += n + (path[n] == '.');
    }
    return found;
}

void gn_yaml_remove(gn_yaml *map, const char *key) {
    int i = place_of(map, key, strlen(key));
    if (i < 0) return;
    map->n--;
    memmove(map->child + i, map->child + i + 1, sizeof *map->child * (size_t)(map->n - i));
}

gn_status gn_yaml_map(gn_arena *a, const gn_yaml *at, gn_yaml **map) {
    gn_yaml *y;
    GN_TAKE(y, a, 1);
    *y = (gn_yaml){ .kind = GN_YAML_MAP, .key = at->key, .file = at->file, .line = at->line, .col = at->col };
    *map = y;
    return GN_OK;
}

/* The slot of `key`, made when it is not there. */
static gn_status slot(gn_arena *a, gn_yaml *map, const char *key, size_t n, gn_yaml ***at) {
    int i = place_of(map, key, n);
    if (i < 0) {
        if (map->n == map->room) {
            gn_yaml **more;
            GN_TAKE(more, a, map->n + 8);
            if (map->n) memcpy(more, map->child, sizeof *more * (size_t)map->n);
            map->child = more;
            map->room = map->n + 8;
        }
        i = map->n++;
        map->child[i] = NULL;
    }
    *at = &map->child[i];
    return GN_OK;
}

gn_status gn_yaml_copy(gn_arena *a, const gn_yaml *tree, gn_yaml **copy) {
    gn_yaml *y;
    GN_TAKE(y, a, 1);
    *y = *tree;
    *copy = y;
    if (tree->kind != GN_YAML_MAP) return GN_OK;
    y->room = y->n;
    GN_TAKE(y->child, a, y->n);
    for (int i = 0; i < y->n; i++) GN_TRY(gn_yaml_copy(a, tree->child[i], &y->child[i]));
    return GN_OK;
}

/* Puts `value` at a dotted path below `map`; what is on the way and not a map becomes one. */
static gn_status put(gn_arena *a, gn_yaml *map, const char *path, const gn_yaml *value, int keep_null) {
    const char *part = path;
    size_t n;
    int parts = 1;
    for (const char *p = path; *p; p++) parts += *p == '.';
    if (parts > PARTS) GN_FAIL(BAD_CONFIG, "%s: %s: more than %d parts", gn_yaml_place(value), gn_shown(path), PARTS);
    for (; n = strcspn(part, "."), n && part[n]; part += n + 1) {
        gn_yaml **at;
        GN_TRY(slot(a, map, part, n, &at));
        if (!*at || (*at)->kind != GN_YAML_MAP) {
            GN_TRY(gn_yaml_map(a, value, at));
            GN_TAKE_TEXT((*at)->key, a, "%.*s", (int)n, part);
        }
        map = *at;
    }
    if (!n) GN_FAIL(BAD_CONFIG, "%s: %s: an empty part in a dotted key", gn_yaml_place(value), gn_shown(path));
    if (value->kind == GN_YAML_NULL && !keep_null) return gn_yaml_remove(map, part), GN_OK;
    gn_yaml **at;
    GN_TRY(slot(a, map, part, n, &at));
    int below = value->kind == GN_YAML_MAP; /* its own keys may be dotted too */
    if (!below || !*at || (*at)->kind != GN_YAML_MAP) {
        GN_TAKE(*at, a, 1);
        **at = *value;
        GN_TAKE_TEXT((*at)->key, a, "%s", part);
        if (below) (*at)->n = (*at)->room = 0;
    }
    if (below) GN_TRY(gn_yaml_merge(a, *at, value, keep_null));
    return GN_OK;
}

gn_status gn_yaml_merge(gn_arena *a, gn_yaml *into, const gn_yaml *over, int keep_null) {
    for (int i = 0; i < over->n; i++) GN_TRY(put(a, into, over->child[i]->key, over->child[i], keep_null));
    return GN_OK;
}

static void name_place(gn_yaml *y, const char *assignment) {
    y->file = assignment;
    y->line = y->col = 0;
    for (int i = 0; i < y->n; i++) name_place(y->child[i], assignment);
}

gn_status gn_yaml_override(gn_arena *a, gn_yaml *tree, const char *assignment) {
    const char *equals = strchr(assignment, '='), *said;
    if (!equals || equals == assignment) GN_FAIL(BAD_USAGE, "'%s': expected section.key=value", gn_shown(assignment));
    GN_TAKE_TEXT(said, a, "%s", gn_shown(assignment));
    gn_yaml *value;
    char *path;
    GN_TAKE(path, a, equals - assignment + 1);
    memcpy(path, assignment, (size_t)(equals - assignment));
    const char *text = equals + 1 + strspn(equals + 1, " ");
    if (!*text) text = "''"; /* "train.start=" empties a text */
    GN_TRY_AS(gn_yaml_parse(a, "value", text, strlen(text), &value), "'%s'", said);
    name_place(value, said);
    if (value->kind == GN_YAML_NULL && !gn_yaml_find(tree, path))
        GN_FAIL(BAD_CONFIG, "'%s': %s: not in the file, nothing to remove", said, gn_shown(path));
    GN_TRY(put(a, tree, path, value, 0));
    return GN_OK;
}

static void write_flow(FILE *to, const gn_yaml *y) {
    static const char word[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+-";
    if (y->kind == GN_YAML_NULL) fputs("null", to);
    if (y->kind == GN_YAML_SCALAR) {
        if (y->quoted || y->text[strspn(y->text, word)]) gn_text_write(to, y->text);
        else fputs(y->text, to);
    }
    if (y->kind != GN_YAML_LIST && y->kind != GN_YAML_MAP) return;
    fputc(y->kind == GN_YAML_MAP ? '{' : '[', to);
    for (int i = 0; i < y->n; i++) {
        if (i) fputs(", ", to);
        if (y->kind == GN_YAML_MAP) gn_text_write(to, y->child[i]->key), fputs(": ", to);
        write_flow(to, y->child[i]);
    }
    fputc(y->kind == GN_YAML_MAP ? '}' : ']', to);
}

void gn_yaml_write(FILE *to, const gn_yaml *y, int indent) {
    for (int i = 0; i < y->n; i++) {
        const gn_yaml *c = y->child[i];
        fprintf(to, "%*s", indent, "");
        gn_text_write(to, c->key);
        fputs(c->kind == GN_YAML_MAP && c->n ? ":\n" : ": ", to);
        if (c->kind == GN_YAML_MAP && c->n) gn_yaml_write(to, c, indent + 2);
        else write_flow(to, c), fputc('\n', to);
    }
}
