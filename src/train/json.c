/* json.c - the one file that knows jansson. */
#include "gnomon/json.h"
#include "gnomon/config.h"
#include "gnomon/version.h"
#include <jansson.h>
#include <string.h>

static gn_status copy(gn_arena *a, json_t *from, gn_json *to);

static gn_status copy_list(gn_arena *a, json_t *from, gn_json *to) {
    gn_json *item;
    to->kind = GN_JSON_LIST;
    to->n = (int)json_array_size(from);
    GN_TAKE(item, a, to->n);
    for (int i = 0; i < to->n; i++) GN_TRY(copy(a, json_array_get(from, (size_t)i), &item[i]));
    to->item = item;
    return GN_OK;
}

static gn_status copy_map(gn_arena *a, json_t *from, gn_json *to) {
    gn_json *item;
    const char *key;
    json_t *value;
    to->kind = GN_JSON_MAP;
    GN_TAKE(item, a, json_object_size(from));
    GN_TAKE(to->key, a, json_object_size(from));
    json_object_foreach(from, key, value) {
        GN_TAKE_TEXT(to->key[to->n], a, "%s", key);
        GN_TRY(copy(a, value, &item[to->n]));
        to->n++;
    }
    to->item = item;
    return GN_OK;
}

static gn_status copy(gn_arena *a, json_t *from, gn_json *to) {
    switch (json_typeof(from)) {
    case JSON_OBJECT: return copy_map(a, from, to);
    case JSON_ARRAY: return copy_list(a, from, to);
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

gn_status gn_json_parse(gn_arena *a, const char *what, const char *text, size_t n, const gn_json **tree) {
    json_error_t e;
    json_t *read = json_loadb(text, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &e);
    if (!read) GN_FAIL(BAD_DATA, "%s:%d:%d: %s", what, e.line, e.column, gn_shown(e.text));
    gn_json *root = gn_arena_take(a, sizeof *root);
    gn_status status = root ? copy(a, read, root) : GN_NO_MEMORY;
    json_decref(read);
    if (!root) GN_FAIL(NO_MEMORY, "out of memory: %s", what);
    if (status) return gn_pass(status, __FILE__, __LINE__);
    *tree = root;
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
