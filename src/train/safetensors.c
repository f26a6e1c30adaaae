/* safetensors.c - see the format at its home, github.com/huggingface/safetensors. */
#include "safetensors.h"
#include "gnomon/config.h"
#include "gnomon/hash.h"
#include "gnomon/io.h"
#include "gnomon/json.h"
#include <stdlib.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the format is little-endian, and so is whoever reads it here"
#endif

enum { HEADER_MOST = 100000000, LENGTH = 8, ALIGN = 8 };

static const struct { const char *name; size_t bytes; } types[] = {
    { "F64", 8 }, { "F32", 4 }, { "F16", 2 }, { "BF16", 2 }, { "I64", 8 }, { "U64", 8 }, { "I32", 4 },
    { "U32", 4 }, { "I16", 2 }, { "U16", 2 }, { "I8", 1 },   { "U8", 1 },  { "BOOL", 1 },
};

static size_t type_bytes(const char *name) {
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (!strcmp(types[i].name, name)) return types[i].bytes;
    return 0;
}

/* --- writing --- */

/* Length and header, padded so that the numbers are aligned. */
static gn_status header_of(gn_arena *a, int n, const gn_named *list, char **text, size_t *length) {
    size_t room = 256, at = 0, offset = 0;
    for (int i = 0; i < n; i++) room += 6 * strlen(list[i].name) + 256;
    char *h;
    GN_TAKE(h, a, room);
    at += LENGTH; /* filled in below */
    at += (size_t)snprintf(h + at, room - at, "{\"__metadata__\":{\"format\":\"pt\",\"writer\":\"gnomon\"}");
    for (int i = 0; i < n; i++) {
        const char *name = gn_json_quote(a, list[i].name);
        if (!name) GN_FAIL(NO_MEMORY, "out of memory: header");
        at += (size_t)snprintf(h + at, room - at, ",%s:{\"dtype\":\"F32\",\"shape\":[", name);
        for (int k = 0; k < list[i].shape.n; k++)
            at += (size_t)snprintf(h + at, room - at, "%s%lld", k ? "," : "", (long long)list[i].shape.d[k]);
        at += (size_t)snprintf(h + at, room - at, "],\"data_offsets\":[%zu,%zu]}", offset, offset + list[i].bytes);
        offset += list[i].bytes;
    }
    h[at++] = '}';
    while (at % ALIGN) h[at++] = ' ';
    const uint64_t count = at - LENGTH;
    memcpy(h, &count, sizeof count);
    *text = h;
    *length = at;
    return GN_OK;
}

gn_status gn_safetensors_write(gn_arena *a, const char *path, int n, gn_named *list, gn_fill *fill, const void *what,
                               uint64_t *head, size_t *bytes) {
    char *header = NULL;
    float *dense;
    size_t length = 0, most = 0;
    for (int i = 0; i < n; i++) {
        list[i].type = "F32";
        list[i].bytes = sizeof(float) * (size_t)gn_shape_count(&list[i].shape);
        if (list[i].bytes > most) most = list[i].bytes;
    }
    GN_TRY(header_of(a, n, list, &header, &length));
    GN_TAKE(dense, a, most / sizeof(float) + 1);
    *head = gn_hash(header, length);
    *bytes = length;
    gn_status status = GN_OK;
    gn_io_file f;
    GN_TRY_OR(gn_io_create(&f, path), end);
    GN_TRY_OR(gn_io_put(&f, header, length), end);
    for (int i = 0; i < n; i++) {
        fill(what, i, dense);
        list[i].hash = gn_hash(dense, list[i].bytes);
        *bytes += list[i].bytes;
        GN_TRY_OR(gn_io_put(&f, dense, list[i].bytes), end);
    }
    return gn_io_close(&f, 1);
end:
    gn_io_close(&f, 0);
    return status;
}

/* --- reading --- */

static int by_place(const void *x, const void *y) {
    const gn_named *a = x, *b = y;
    if (a->data != b->data) return (const char *)a->data < (const char *)b->data ? -1 : 1;
    return a->bytes < b->bytes ? -1 : a->bytes > b->bytes;
}

static int whole(const gn_json *j, int64_t *value) {
    if (!j || j->kind != GN_JSON_NUMBER || !j->is_whole || j->whole < 0) return 0;
    *value = j->whole;
    return 1;
}

static gn_status entry(const char *path, const char *name, const gn_json *j, const char *data, size_t size, gn_named *t) {
    const char *said = gn_shown(name);
    const gn_json *shape = gn_json_find(j, "shape"), *offsets = gn_json_find(j, "data_offsets");
    const char *type = gn_json_text(gn_json_find(j, "dtype"), NULL);
    if (!type || !shape || !offsets || shape->kind != GN_JSON_LIST || offsets->kind != GN_JSON_LIST || offsets->n != 2)
        GN_FAIL(BAD_DATA, "%s: tensor '%s': dtype, shape and two data_offsets expected", path, said);
    *t = (gn_named){ .name = name, .type = type, .shape.n = shape->n };
    uint64_t bytes = type_bytes(type);
    if (!bytes) GN_FAIL(BAD_DATA, "%s: tensor '%s': unknown type '%s'", path, said, gn_shown(type));
    if (shape->n > 5) GN_FAIL(BAD_DATA, "%s: tensor '%s': %d dimensions, at most 5 expected", path, said, shape->n);
    for (int k = 0; k < shape->n; k++) {
        int64_t d;
        if (!whole(&shape->item[k], &d)) GN_FAIL(BAD_DATA, "%s: tensor '%s': extent %d is not a count", path, said, k);
        t->shape.d[k] = d;
        if (__builtin_mul_overflow(bytes, (uint64_t)d, &bytes)) GN_FAIL(BAD_DATA, "%s: tensor '%s': shape is too large", path, said);
    }
    int64_t from, to;
    if (!whole(&offsets->item[0], &from) || !whole(&offsets->item[1], &to) || from > to || (uint64_t)to > size)
        GN_FAIL(BAD_DATA, "%s: tensor '%s': data_offsets outside of the %zu bytes there are", path, said, size);
    if ((uint64_t)(to - from) != bytes)
        GN_FAIL(BAD_DATA, "%s: tensor '%s': %lld bytes, %llu expected of %s %s", path, said, (long long)(to - from),
                (unsigned long long)bytes, type, gn_shape_text(&t->shape));
    t->bytes = (size_t)bytes;
    t->data = data + from;
    return GN_OK;
}

gn_status gn_safetensors_parse(gn_arena *a, const char *path, const void *bytes, size_t n, int *count, gn_named **list, uint64_t *head) {
    uint64_t length;
    if (n < LENGTH) GN_FAIL(BAD_DATA, "%s: %zu bytes, no header", path, n);
    memcpy(&length, bytes, sizeof length);
    if (length > HEADER_MOST) GN_FAIL(BAD_DATA, "%s: header of %llu bytes, at most %d expected", path, (unsigned long long)length, HEADER_MOST);
    if (length > n - LENGTH) GN_FAIL(BAD_DATA, "%s: header of %llu bytes in a file of %zu", path, (unsigned long long)length, n);
    const char *text = (const char *)bytes + LENGTH, *data = text + length;
    const size_t size = n - LENGTH - (size_t)length;
    if (!length || text[0] != '{') GN_FAIL(BAD_DATA, "%s: header does not begin with '{'", path);
    const gn_json *header;
    GN_TRY(gn_json_parse(a, path, text, (size_t)length, &header));
    if (header->kind != GN_JSON_MAP) GN_FAIL(BAD_DATA, "%s: header is not a map", path);
    gn_named *t;
    GN_TAKE(t, a, header->n);
    int tensors = 0;
    for (int i = 0; i < header->n; i++) {
        if (!strcmp(header->key[i], "__metadata__")) continue;
        GN_TRY(entry(path, header->key[i], &header->item[i], data, size, &t[tensors]));
        tensors++;
    }
    qsort(t, (size_t)tensors, sizeof *t, by_place);
    const char *at = data;
    for (int i = 0; i < tensors; at = (const char *)t[i].data + t[i].bytes, i++)
        if (t[i].data != at) GN_FAIL(BAD_DATA, "%s: tensor '%s': %s the one before", path, gn_shown(t[i].name), (const char *)t[i].data < at ? "overlaps" : "leaves a gap after");
    if (at != data + size) GN_FAIL(BAD_DATA, "%s: %zu bytes belong to no tensor", path, (size_t)(data + size - at));
    for (int i = 0; i < tensors; i++) t[i].hash = gn_hash(t[i].data, t[i].bytes);
    *head = gn_hash(bytes, n - size);
    *count = tensors;
    *list = t;
    return GN_OK;
}

const gn_named *gn_named_find(int n, const gn_named *list, const char *name) {
    for (int i = 0; i < n; i++)
        if (!strcmp(list[i].name, name)) return &list[i];
    return NULL;
}
