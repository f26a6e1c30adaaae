/* mat.c - the one file that knows matio. */
#include "src/import/mat.h"
#include "src/import/hdf5.h"
#include "gnomon/config.h"
#include <math.h>
#include <string.h>
#include <sys/stat.h>

enum { DEPTH = 16, NAMES = 1024, PACKED = 1100 }; /* zlib makes nothing smaller than a 1032nd */

/* --- version 7.3: a struct is a group, a cell a dataset of references, text a dataset of codes --- */

static gn_status read_hdf(gn_arena *a, const gn_hdf *f, const char *place, int depth, gn_mat *to);

static void extents(const gn_hdf_set *s, gn_mat *to) { /* HDF5 counts the other way round */
    to->rank = s->rank;
    to->n = s->n;
    for (int k = 0; k < GN_MAT_RANK; k++) to->d[k] = k < s->rank ? s->d[s->rank - 1 - k] : 1;
}

static gn_status hdf_items(gn_arena *a, const gn_hdf *f, const char *place, int depth, gn_mat *to) {
    gn_mat *item;
    GN_TAKE(item, a, to->n ? to->n : 1);
    to->kind = GN_MAT_CELLS;
    to->item = item;
    for (int64_t i = 0; i < to->n; i++) {
        const char *each;
        GN_TAKE_TEXT(each, a, "%s[%lld]", place, (long long)i);
        GN_TRY(read_hdf(a, f, each, depth + 1, &item[i]));
    }
    return GN_OK;
}

/* Fields of many structs are datasets of references, as cells are, but not marked so. */
static gn_status hdf_structs(gn_arena *a, const gn_hdf *f, const char *place, int depth, gn_mat *to) {
    gn_mat *item;
    int many = 1;
    to->kind = GN_MAT_STRUCTS;
    GN_TRY(gn_hdf_list(a, f, place, &to->fields, &to->field));
    for (int k = 0; k < to->fields; k++) {
        const char *each, *class;
        gn_hdf_set s;
        GN_TAKE_TEXT(each, a, "%s/%s", place, to->field[k]);
        GN_TRY(gn_hdf_look(f, each, &s));
        GN_TRY(gn_hdf_attribute(a, f, each, "MATLAB_class", &class));
        many = many && s.kind == GN_HDF_REFERENCES && !*class;
        if (many) extents(&s, to);
    }
    if (!many || !to->fields) to->rank = 2, to->n = 1;
    for (int k = 0; k < GN_MAT_RANK && (!many || !to->fields); k++) to->d[k] = 1;
    GN_TAKE(item, a, to->n * to->fields + 1);
    to->item = item;
    for (int64_t i = 0; i < to->n; i++)
        for (int k = 0; k < to->fields; k++) {
            const char *each;
            if (many) GN_TAKE_TEXT(each, a, "%s/%s[%lld]", place, to->field[k], (long long)i);
            else GN_TAKE_TEXT(each, a, "%s/%s", place, to->field[k]);
            GN_TRY(read_hdf(a, f, each, depth + 1, &item[i * to->fields + k]));
        }
    return GN_OK;
}

static gn_status hdf_numbers(gn_arena *a, const gn_hdf *f, const char *place, const gn_hdf_set *s, gn_mat *to) {
    const char *class;
    double *x, empty;
    GN_TRY(gn_hdf_attribute(a, f, place, "MATLAB_class", &class));
    GN_TRY(gn_hdf_number(f, place, "MATLAB_empty", &empty));
    extents(s, to);
    if (empty > 0) to->n = to->d[0] = 0;
    to->kind = strcmp(class, "char") ? GN_MAT_NUMBERS : GN_MAT_TEXT;
    GN_TAKE(x, a, to->n ? to->n : 1);
    if (to->n) GN_TRY(gn_hdf_doubles(f, place, 0, s->rank ? s->d[0] : 1, x));
    to->number = x;
    if (to->kind == GN_MAT_NUMBERS) return GN_OK;
    char *text;
    GN_TAKE(text, a, to->n + 1);
    for (int64_t i = 0; i < to->n; i++) text[i] = x[i] >= 32 && x[i] < 127 ? (char)x[i] : '?';
    to->text = text;
    to->number = NULL;
    return GN_OK;
}

static gn_status read_hdf(gn_arena *a, const gn_hdf *f, const char *place, int depth, gn_mat *to) {
    gn_hdf_set s;
    *to = (gn_mat){ .kind = GN_MAT_OTHER };
    if (depth > DEPTH) GN_FAIL(BAD_DATA, "%s: %s: nested deeper than %d", gn_hdf_path(f), gn_shown(place), DEPTH);
    GN_TRY(gn_hdf_look(f, place, &s));
    if (s.kind == GN_HDF_GROUP) return hdf_structs(a, f, place, depth, to);
    if (s.kind == GN_HDF_NUMBERS) return hdf_numbers(a, f, place, &s, to);
    extents(&s, to);
    return s.kind == GN_HDF_REFERENCES ? hdf_items(a, f, place, depth, to) : GN_OK;
}

static gn_status absent(const char *path, const char *variable, int n, const char *const *name) {
    const char *near = gn_nearest(variable, n, name);
    if (near) GN_FAIL(BAD_DATA, "%s: has no variable '%s'; did you mean '%s'?", path, variable, gn_shown(near));
    GN_FAIL(BAD_DATA, "%s: has no variable '%s'; its first is '%s'", path, variable, n ? gn_shown(name[0]) : "");
}

static gn_status read_new(gn_arena *a, const char *path, const char *variable, gn_mat *to) {
    gn_hdf *f;
    gn_hdf_set s;
    GN_TRY(gn_hdf_open(a, path, &f));
    GN_TRY(gn_hdf_look(f, variable, &s));
    if (s.kind != GN_HDF_NONE) return read_hdf(a, f, variable, 0, to);
    int n;
    const char **name;
    GN_TRY(gn_hdf_list(a, f, "", &n, &name));
    return absent(path, variable, n, name);
}

/* --- version 5 --- */

#ifdef GN_MATIO
#include <matio.h>

static void close_mat(void *what) { Mat_Close(what); }
static void free_variable(void *what) { Mat_VarFree(what); }

static gn_status convert(gn_arena *a, const char *path, matvar_t *v, int depth, gn_mat *to);

static size_t width(enum matio_classes class) { /* bytes of an element; 0: no numbers */
    switch (class) {
    case MAT_C_DOUBLE: case MAT_C_INT64: case MAT_C_UINT64: return 8;
    case MAT_C_SINGLE: case MAT_C_INT32: case MAT_C_UINT32: return 4;
    case MAT_C_INT16: case MAT_C_UINT16: return 2;
    case MAT_C_INT8: case MAT_C_UINT8: return 1;
    default: return 0;
    }
}

static gn_status measure(const char *path, const matvar_t *v, gn_mat *to) {
    if (v->rank < 0 || v->rank > GN_MAT_RANK) GN_FAIL(BAD_DATA, "%s: %s: %d dimensions, expected at most %d", path, gn_shown(v->name ? v->name : "a cell"), v->rank, GN_MAT_RANK);
    to->rank = v->rank;
    to->n = 1;
    for (int k = 0; k < GN_MAT_RANK; k++) {
        const size_t d = k < v->rank ? v->dims[k] : 1;
        if (d > INT32_MAX || (d && to->n > INT64_MAX / 64 / (int64_t)d)) GN_FAIL(BAD_DATA, "%s: %s: more elements than can be counted", path, gn_shown(v->name ? v->name : "a cell"));
        to->d[k] = (int64_t)d;
        to->n *= to->d[k];
    }
    return GN_OK;
}

/* Of all that reading it would take, before it is read. */
static gn_status weigh(const char *path, matvar_t *v, int depth, double most, double *bytes) {
    gn_mat m;
    if (!v) return GN_OK;
    if (depth > DEPTH) GN_FAIL(BAD_DATA, "%s: nested deeper than %d", path, DEPTH);
    GN_TRY(measure(path, v, &m));
    const int structs = v->class_type == MAT_C_STRUCT, cells = v->class_type == MAT_C_CELL;
    const int64_t each = structs ? (int64_t)Mat_VarGetNumberOfFields(v) : 1;
    if (each < 0 || each > NAMES) GN_FAIL(BAD_DATA, "%s: %s: a struct of %lld fields", path, gn_shown(v->name ? v->name : "a cell"), (long long)each);
    *bytes += (double)m.n * (structs || cells ? 8 * (double)each : (double)width(v->class_type));
    if (!(*bytes <= most)) GN_FAIL(BAD_DATA, "%s: %s: %g bytes cannot come out of this file", path, gn_shown(v->name ? v->name : "a cell"), *bytes);
    for (int64_t i = 0; (structs || cells) && v->data && i < m.n * each; i++) GN_TRY(weigh(path, ((matvar_t **)v->data)[i], depth + 1, most, bytes));
    return GN_OK;
}

static double element(const matvar_t *v, int64_t i) {
    switch (v->class_type) {
    case MAT_C_DOUBLE: return ((const double *)v->data)[i];
    case MAT_C_SINGLE: return (double)((const float *)v->data)[i];
    case MAT_C_INT64: return (double)((const int64_t *)v->data)[i];
    case MAT_C_UINT64: return (double)((const uint64_t *)v->data)[i];
    case MAT_C_INT32: return ((const int32_t *)v->data)[i];
    case MAT_C_UINT32: return ((const uint32_t *)v->data)[i];
    case MAT_C_INT16: return ((const int16_t *)v->data)[i];
    case MAT_C_UINT16: return ((const uint16_t *)v->data)[i];
    case MAT_C_INT8: return ((const int8_t *)v->data)[i];
    case MAT_C_UINT8: return ((const uint8_t *)v->data)[i];
    default: return NAN;
    }
}

static gn_status numbers(gn_arena *a, const char *path, const matvar_t *v, gn_mat *to) {
    double *x;
    if (to->n && (!v->data || v->isComplex || v->nbytes < (size_t)to->n * width(v->class_type)))
        GN_FAIL(BAD_DATA, "%s: %s: its %lld numbers are not there", path, gn_shown(v->name ? v->name : "a cell"), (long long)to->n);
    GN_TAKE(x, a, to->n ? to->n : 1);
    for (int64_t i = 0; i < to->n; i++) x[i] = element(v, i);
    to->kind = GN_MAT_NUMBERS;
    to->number = x;
    return GN_OK;
}

static gn_status text(gn_arena *a, const matvar_t *v, gn_mat *to) {
    char *t;
    const int wide = v->data_type == MAT_T_UINT16 || v->data_type == MAT_T_UTF16;
    const size_t have = v->data ? v->nbytes / (wide ? 2 : 1) : 0, n = (size_t)to->n < have ? (size_t)to->n : have;
    GN_TAKE(t, a, n + 1);
    for (size_t i = 0; i < n; i++) {
        const unsigned c = wide ? ((const uint16_t *)v->data)[i] : ((const uint8_t *)v->data)[i];
        t[i] = c >= 32 && c < 127 ? (char)c : '?';
    }
    to->kind = GN_MAT_TEXT;
    to->text = t;
    return GN_OK;
}

static gn_status items(gn_arena *a, const char *path, matvar_t *v, int depth, gn_mat *to) {
    gn_mat *item;
    const int structs = v->class_type == MAT_C_STRUCT;
    char *const *name = structs ? Mat_VarGetStructFieldnames(v) : NULL;
    to->kind = structs ? GN_MAT_STRUCTS : GN_MAT_CELLS;
    to->fields = structs ? (int)Mat_VarGetNumberOfFields(v) : 0;
    GN_TAKE(to->field, a, to->fields + 1);
    for (int k = 0; k < to->fields; k++) GN_TAKE_TEXT(to->field[k], a, "%s", name && name[k] ? name[k] : "");
    const int64_t n = to->n * (structs ? to->fields : 1);
    if (n && !v->data) GN_FAIL(BAD_DATA, "%s: %s: its members are not there", path, gn_shown(v->name ? v->name : "a cell"));
    GN_TAKE(item, a, n + 1);
    to->item = item;
    for (int64_t i = 0; i < n; i++) GN_TRY(convert(a, path, ((matvar_t **)v->data)[i], depth + 1, &item[i]));
    return GN_OK;
}

static gn_status convert(gn_arena *a, const char *path, matvar_t *v, int depth, gn_mat *to) {
    *to = (gn_mat){ .kind = GN_MAT_NUMBERS, .rank = 2 }; /* a member that was never set is [] */
    if (!v || v->class_type == MAT_C_EMPTY) return GN_OK;
    GN_TRY(measure(path, v, to));
    if (width(v->class_type)) return numbers(a, path, v, to);
    if (v->class_type == MAT_C_CHAR) return text(a, v, to);
    if (v->class_type == MAT_C_CELL || v->class_type == MAT_C_STRUCT) return items(a, path, v, depth, to);
    to->kind = GN_MAT_OTHER;
    return GN_OK;
}

static gn_status read_old(gn_arena *a, const char *path, const char *variable, gn_mat *to) {
    struct stat st;
    gn_arena *foreign = gn_arena_new("matio's copy");
    if (!foreign) GN_FAIL(NO_MEMORY, "out of memory: %s", path);
    mat_t *m = stat(path, &st) ? NULL : Mat_Open(path, MAT_ACC_RDONLY);
    gn_status status = m ? gn_arena_at_end(foreign, close_mat, m) : gn_fail(GN_BAD_DATA, __FILE__, __LINE__, "%s: not a readable MATLAB file", path);
    matvar_t *v = status ? NULL : Mat_VarReadInfo(m, variable);
    double bytes = 0;
    if (v) {
        status = weigh(path, v, 0, (double)st.st_size * PACKED, &bytes);
        Mat_VarFree(v);
        v = status ? NULL : Mat_VarRead(m, variable);
        if (v) status = gn_arena_at_end(foreign, free_variable, v);
        else if (!status) status = gn_fail(GN_BAD_DATA, __FILE__, __LINE__, "%s: variable '%s' cannot be read", path, variable);
    } else if (!status) {
        size_t n = 0;
        char **name = Mat_GetDir(m, &n);
        status = absent(path, variable, n < NAMES ? (int)n : NAMES, (const char *const *)name);
    }
    if (!status) status = convert(a, path, v, 0, to);
    gn_arena_free(foreign);
    return status;
}
#else
static gn_status read_old(gn_arena *a, const char *path, const char *variable, gn_mat *to) {
    (void)a, (void)variable, (void)to;
    GN_FAIL(MISSING, "%s: a MATLAB file of version 5, and this program is built without matio (libmatio-dev)", path);
}
#endif

gn_status gn_mat_read(gn_arena *a, const char *path, const char *variable, const gn_mat **v) {
    struct stat st;
    gn_mat *to;
    if (stat(path, &st)) GN_FAIL(MISSING, "%s: no such file", path);
    GN_TAKE(to, a, 1);
    *v = to;
    return gn_hdf_is(path) ? read_new(a, path, variable, to) : read_old(a, path, variable, to);
}

/* --- in the tree --- */

const gn_mat *gn_mat_field(const gn_mat *s, int64_t at, const char *field) {
    if (!s || s->kind != GN_MAT_STRUCTS || at < 0 || at >= s->n) return NULL;
    for (int k = 0; k < s->fields; k++)
        if (!strcmp(s->field[k], field)) return &s->item[at * s->fields + k];
    return NULL;
}

const gn_mat *gn_mat_cell(const gn_mat *c, int64_t at) { return c && c->kind == GN_MAT_CELLS && at >= 0 && at < c->n ? &c->item[at] : NULL; }

double gn_mat_number(const gn_mat *v, double other) { return v && v->kind == GN_MAT_NUMBERS && v->n == 1 ? *v->number : other; }
