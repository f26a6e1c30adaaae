/* hdf5.c - foreign HDF5, read in the importer's child. src/data/h5.c knows our own. */
#define H5_USE_110_API
#include "src/import/hdf5.h"
#include "gnomon/config.h"
#include <hdf5.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { NAME = 256, LINKS = 1 << 16, LONGEST = 4096, DEPTH = 32 };
enum { DEFLATED = 1100 }; /* zlib makes nothing smaller than a 1032nd */

struct gn_hdf { const char *path; hid_t file; int64_t bytes; };

static void close_file(void *what) { H5Fclose(((gn_hdf *)what)->file); }

int gn_hdf_is(const char *path) {
    static const char mark[] = "\x89HDF\r\n\x1a\n";
    char head[8];
    int is = 0;
    FILE *f = fopen(path, "rb");
    for (long at = 0; f && at <= 512 && !is; at += 512)
        is = !fseek(f, at, SEEK_SET) && fread(head, 1, 8, f) == 8 && !memcmp(head, mark, 8);
    if (f) fclose(f);
    return is;
}

gn_status gn_hdf_open(gn_arena *a, const char *path, gn_hdf **to) {
    struct stat st;
    gn_hdf *f;
    H5dont_atexit();
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    H5PLset_loading_state(0); /* a filter named in the file would be code from a folder */
    if (stat(path, &st)) GN_FAIL(MISSING, "%s: no such file", path);
    GN_TAKE(f, a, 1);
    GN_TAKE_TEXT(f->path, a, "%s", path);
    f->bytes = st.st_size;
    f->file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (f->file < 0) GN_FAIL(BAD_DATA, "%s: not a readable HDF5 file", path);
    GN_TRY(gn_arena_at_end(a, close_file, f));
    *to = f;
    return GN_OK;
}

const char *gn_hdf_path(const gn_hdf *f) { return f->path; }

/* --- from a place to an object --- */

/* The object behind one reference of a dataset, which is closed. */
static hid_t follow(hid_t set, hsize_t at) {
    hid_t space = H5Dget_space(set), one = H5Screate(H5S_SCALAR), type = H5Dget_type(set), object = -1;
    hsize_t n = space < 0 ? 0 : (hsize_t)H5Sget_simple_extent_npoints(space), d[GN_HDF_RANK], where[GN_HDF_RANK];
    const int rank = space < 0 ? -1 : H5Sget_simple_extent_ndims(space);
    hobj_ref_t reference;
    if (rank >= 0 && rank <= GN_HDF_RANK && at < n && H5Tequal(type, H5T_STD_REF_OBJ) > 0 && H5Sget_simple_extent_dims(space, d, NULL) >= 0) {
        for (int k = rank; k-- > 0; at /= d[k]) where[k] = at % d[k];
        if ((!rank || H5Sselect_elements(space, H5S_SELECT_SET, 1, where) >= 0) && H5Dread(set, H5T_STD_REF_OBJ, one, space, H5P_DEFAULT, &reference) >= 0)
            object = H5Rdereference2(set, H5P_DEFAULT, H5R_OBJECT, &reference);
    }
    if (type >= 0) H5Tclose(type);
    if (one >= 0) H5Sclose(one);
    if (space >= 0) H5Sclose(space);
    H5Oclose(set);
    return object;
}

/* 0 and *object -1: nothing of that name. */
static gn_status step(const gn_hdf *f, const char *place, hid_t from, const char *name, hid_t *object) {
    H5L_info_t link;
    *object = -1;
    if (H5Iget_type(from) != H5I_GROUP || H5Lexists(from, name, H5P_DEFAULT) <= 0) return GN_OK;
    if (H5Lget_info(from, name, &link, H5P_DEFAULT) < 0 || link.type != H5L_TYPE_HARD)
        GN_FAIL(BAD_DATA, "%s: %s: '%s' is a link, maybe out of the file; only what lies in the file is read", f->path, gn_shown(place), gn_shown(name));
    *object = H5Oopen(from, name, H5P_DEFAULT);
    if (*object < 0) GN_FAIL(BAD_DATA, "%s: %s: '%s' cannot be opened", f->path, gn_shown(place), gn_shown(name));
    return GN_OK;
}

static gn_status open_place(const gn_hdf *f, const char *place, hid_t *object) {
    char name[NAME];
    hid_t at = H5Gopen2(f->file, "/", H5P_DEFAULT);
    if (at < 0) GN_FAIL(BAD_DATA, "%s: has no readable root", f->path);
    for (const char *p = place + (*place == '/'); *p && at >= 0;) {
        const size_t n = strcspn(p, "/[");
        if (n >= NAME) {
            H5Oclose(at);
            GN_FAIL(BAD_DATA, "%s: %s: a name of %zu letters", f->path, gn_shown(place), n);
        }
        memcpy(name, p, n);
        name[n] = 0;
        p += n;
        hid_t next = at;
        if (n) {
            const gn_status status = step(f, place, at, name, &next);
            H5Oclose(at);
            if (status) return gn_pass(status, __FILE__, __LINE__);
        }
        at = next;
        if (*p == '[' && at >= 0) {
            char *end;
            const unsigned long long which = strtoull(p + 1, &end, 10);
            at = follow(at, which);
            if (at < 0) GN_FAIL(BAD_DATA, "%s: %s: no reference of that number, or it leads nowhere", f->path, gn_shown(place));
            p = end + (*end == ']');
        }
        p += *p == '/';
    }
    *object = at;
    return GN_OK;
}

/* --- what is there --- */

static gn_status check_storage(const gn_hdf *f, const char *place, hid_t set, const gn_hdf_set *s) {
    static const H5Z_filter_t own[] = { H5Z_FILTER_DEFLATE, H5Z_FILTER_SHUFFLE, H5Z_FILTER_FLETCHER32, H5Z_FILTER_SZIP, H5Z_FILTER_NBIT, H5Z_FILTER_SCALEOFFSET };
    hid_t how = H5Dget_create_plist(set);
    const int layout = how < 0 ? -1 : (int)H5Pget_layout(how), filters = how < 0 ? -1 : H5Pget_nfilters(how);
    const int outside = how < 0 || layout == H5D_VIRTUAL || H5Pget_external_count(how) != 0;
    H5Z_filter_t unknown = -1;
    char name[64] = "";
    for (int i = 0; i < filters && unknown < 0; i++) {
        size_t values = 0;
        unsigned flags, config;
        H5Z_filter_t id = H5Pget_filter2(how, (unsigned)i, &flags, &values, NULL, sizeof name, name, &config);
        int known = 0;
        for (size_t k = 0; k < sizeof own / sizeof *own; k++) known |= id == own[k];
        if (!known || H5Zfilter_avail(id) <= 0) unknown = id < 0 ? 0 : id;
    }
    if (how >= 0) H5Pclose(how);
    if (outside || filters < 0) GN_FAIL(BAD_DATA, "%s: %s: its numbers lie in other files, which are not read", f->path, gn_shown(place));
    name[sizeof name - 1] = 0;
    if (unknown >= 0) GN_FAIL(BAD_DATA, "%s: %s: packed by filter %d '%s', which HDF5 itself has not", f->path, gn_shown(place), (int)unknown, gn_shown(name));
    const int64_t most = filters || layout == H5D_CHUNKED ? f->bytes * DEFLATED : f->bytes;
    if (s->n > most / (s->element > 0 ? s->element : 1))
        GN_FAIL(BAD_DATA, "%s: %s: %lld elements of %d bytes cannot come out of a file of %lld", f->path, gn_shown(place), (long long)s->n, s->element, (long long)f->bytes);
    return GN_OK;
}

static gn_hdf_kind kind_of(hid_t type) {
    switch (H5Tget_class(type)) {
    case H5T_INTEGER: case H5T_FLOAT: case H5T_ENUM: return GN_HDF_NUMBERS; /* h5py's booleans are an enumeration */
    case H5T_STRING: return GN_HDF_TEXTS;
    case H5T_REFERENCE: return H5Tequal(type, H5T_STD_REF_OBJ) > 0 ? GN_HDF_REFERENCES : GN_HDF_OTHER;
    default: return GN_HDF_OTHER;
    }
}

static gn_status describe(const gn_hdf *f, const char *place, hid_t set, gn_hdf_set *s) {
    hid_t space = H5Dget_space(set), type = H5Dget_type(set);
    hsize_t d[H5S_MAX_RANK] = { 0 };
    int rank = space < 0 ? -1 : H5Sget_simple_extent_ndims(space);
    if (rank >= 0 && H5Sget_simple_extent_dims(space, d, NULL) < 0) rank = -1;
    *s = (gn_hdf_set){ .kind = GN_HDF_OTHER, .rank = rank, .n = 1, .row = 1 };
    if (type >= 0) {
        s->kind = kind_of(type);
        s->element = (int)H5Tget_size(type);
        H5Tclose(type);
    }
    if (space >= 0) H5Sclose(space);
    if (rank < 0 || rank > GN_HDF_RANK) GN_FAIL(BAD_DATA, "%s: %s: %d dimensions, expected at most %d", f->path, gn_shown(place), rank, GN_HDF_RANK);
    for (int k = 0; k < GN_HDF_RANK; k++) {
        s->d[k] = k < rank ? (int64_t)d[k] : 1;
        if (s->d[k] < 0 || (s->d[k] && s->n > INT64_MAX / 64 / s->d[k])) GN_FAIL(BAD_DATA, "%s: %s: more elements than can be counted", f->path, gn_shown(place));
        s->n *= s->d[k];
        if (k) s->row *= s->d[k];
    }
    return check_storage(f, place, set, s);
}

static gn_status look(const gn_hdf *f, const char *place, hid_t object, gn_hdf_set *s) {
    *s = (gn_hdf_set){ .kind = GN_HDF_NONE };
    if (object < 0) return GN_OK;
    const H5I_type_t type = H5Iget_type(object);
    s->kind = type == H5I_GROUP ? GN_HDF_GROUP : GN_HDF_OTHER;
    return type == H5I_DATASET ? describe(f, place, object, s) : GN_OK;
}

gn_status gn_hdf_look(const gn_hdf *f, const char *place, gn_hdf_set *s) {
    hid_t object;
    GN_TRY(open_place(f, place, &object));
    const gn_status status = look(f, place, object, s);
    if (object >= 0) H5Oclose(object);
    return status ? gn_pass(status, __FILE__, __LINE__) : GN_OK;
}

static gn_status list(gn_arena *a, const gn_hdf *f, const char *place, hid_t group, int *n, const char ***name) {
    H5G_info_t info;
    if (group < 0 || H5Iget_type(group) != H5I_GROUP || H5Gget_info(group, &info) < 0) GN_FAIL(BAD_DATA, "%s: %s: not a group", f->path, gn_shown(place));
    if (info.nlinks > LINKS) GN_FAIL(BAD_DATA, "%s: %s: %llu members, expected at most %d", f->path, gn_shown(place), (unsigned long long)info.nlinks, LINKS);
    GN_TAKE(*name, a, info.nlinks ? info.nlinks : 1);
    for (*n = 0; *n < (int)info.nlinks; ++*n) {
        char text[NAME] = "";
        const ssize_t length = H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, (hsize_t)*n, text, sizeof text, H5P_DEFAULT);
        if (length < 1 || length >= NAME) GN_FAIL(BAD_DATA, "%s: %s: member %d has no sound name", f->path, gn_shown(place), *n);
        GN_TAKE_TEXT((*name)[*n], a, "%s", text);
    }
    return GN_OK;
}

gn_status gn_hdf_list(gn_arena *a, const gn_hdf *f, const char *group, int *n, const char ***name) {
    hid_t object;
    GN_TRY(open_place(f, group, &object));
    const gn_status status = list(a, f, group, object, n, name);
    if (object >= 0) H5Oclose(object);
    return status ? gn_pass(status, __FILE__, __LINE__) : GN_OK;
}

static gn_status missing(gn_arena *a, const gn_hdf *f, const char *place) {
    const char **name, *last = strrchr(place, '/'), *group;
    int n;
    GN_TAKE_TEXT(group, a, "%.*s", last ? (int)(last - place) : 0, place);
    last = last ? last + 1 : place;
    GN_TRY(gn_hdf_list(a, f, group, &n, &name));
    const char *near = gn_nearest(last, n, name);
    if (near) GN_FAIL(BAD_DATA, "%s: has no dataset '%s'; did you mean '%s'?", f->path, place, gn_shown(near));
    GN_FAIL(BAD_DATA, "%s: has no dataset '%s'; it has%s%s%s%s%s%s", f->path, place, n > 0 ? " " : " nothing", n > 0 ? gn_shown(name[0]) : "", n > 1 ? ", " : "",
            n > 1 ? gn_shown(name[1]) : "", n > 2 ? ", " : "", n > 2 ? gn_shown(name[2]) : "");
}

gn_status gn_hdf_expect(gn_arena *a, const gn_hdf *f, const char *place, int rank, const int64_t *d, gn_hdf_set *s) {
    char want[160] = "", have[160] = "";
    GN_TRY(gn_hdf_look(f, place, s));
    if (s->kind == GN_HDF_NONE) return missing(a, f, place);
    if (s->kind != GN_HDF_NUMBERS) GN_FAIL(BAD_DATA, "%s: %s: expected numbers, found something else", f->path, place);
    int fits = rank == s->rank;
    for (int k = 0; k < rank && fits; k++) fits = d[k] < 0 || d[k] == s->d[k];
    if (fits) return GN_OK;
    for (int k = 0; k < rank; k++) {
        const size_t n = strlen(want);
        if (d[k] < 0) snprintf(want + n, sizeof want - n, " any");
        else snprintf(want + n, sizeof want - n, " %lld", (long long)d[k]);
    }
    for (int k = 0; k < s->rank; k++) snprintf(have + strlen(have), sizeof have - strlen(have), " %lld", (long long)s->d[k]);
    GN_FAIL(BAD_DATA, "%s: %s: expected extents [%s ], found [%s ]", f->path, place, want, have);
}

/* --- its numbers and texts --- */

/* File space with the rows selected, and memory's; -1: cannot. */
static int select_rows(hid_t set, const gn_hdf_set *s, int64_t first, int64_t n, hid_t space[2]) {
    hsize_t from[GN_HDF_RANK] = { (hsize_t)first }, count[GN_HDF_RANK] = { (hsize_t)n }, all = (hsize_t)(n * s->row);
    for (int k = 1; k < s->rank; k++) count[k] = (hsize_t)s->d[k];
    space[0] = H5Dget_space(set);
    space[1] = H5Screate_simple(1, &all, NULL);
    return space[0] >= 0 && space[1] >= 0 && (!s->rank || H5Sselect_hyperslab(space[0], H5S_SELECT_SET, from, NULL, count, NULL) >= 0) ? 0 : -1;
}

static int read_rows(hid_t set, const gn_hdf_set *s, int64_t first, int64_t n, hid_t type, void *to) {
    hid_t space[2];
    const int failed = select_rows(set, s, first, n, space) || H5Dread(set, type, space[1], space[0], H5P_DEFAULT, to) < 0;
    for (int k = 0; k < 2; k++)
        if (space[k] >= 0) H5Sclose(space[k]);
    return failed;
}

static gn_status open_rows(const gn_hdf *f, const char *place, int64_t first, int64_t n, gn_hdf_set *s, hid_t *set) {
    GN_TRY(open_place(f, place, set));
    gn_status status = look(f, place, *set, s);
    if (!status && !(s->kind == GN_HDF_NUMBERS || s->kind == GN_HDF_TEXTS))
        status = gn_fail(GN_BAD_DATA, __FILE__, __LINE__, "%s: %s: no numbers and no texts are there", f->path, gn_shown(place));
    if (!status && (first < 0 || n < 0 || first > s->d[0] - n))
        status = gn_fail(GN_BAD_DATA, __FILE__, __LINE__, "%s: %s: rows %lld to %lld of %lld", f->path, gn_shown(place), (long long)first, (long long)(first + n), (long long)s->d[0]);
    if (status && *set >= 0) H5Oclose(*set);
    return status;
}

static gn_status numbers(const gn_hdf *f, const char *place, int64_t first, int64_t n, hid_t type, void *to) {
    gn_hdf_set s;
    hid_t set;
    GN_TRY(open_rows(f, place, first, n, &s, &set));
    const int failed = s.kind != GN_HDF_NUMBERS || (n * s.row > 0 && read_rows(set, &s, first, n, type, to));
    H5Oclose(set);
    if (failed) GN_FAIL(BAD_DATA, "%s: %s: rows %lld to %lld cannot be read as numbers", f->path, gn_shown(place), (long long)first, (long long)(first + n));
    return GN_OK;
}
gn_status gn_hdf_doubles(const gn_hdf *f, const char *place, int64_t first, int64_t n, double *to) { return numbers(f, place, first, n, H5T_NATIVE_DOUBLE, to); }
gn_status gn_hdf_floats(const gn_hdf *f, const char *place, int64_t first, int64_t n, float *to) { return numbers(f, place, first, n, H5T_NATIVE_FLOAT, to); }
gn_status gn_hdf_ints(const gn_hdf *f, const char *place, int64_t first, int64_t n, int32_t *to) { return numbers(f, place, first, n, H5T_NATIVE_INT32, to); }

/* Rows of character codes; a 0, or whatever is no letter, ends one. */
static gn_status spell(gn_arena *a, const gn_hdf *f, const char *place, int64_t first, int64_t n, const gn_hdf_set *s, const char **to) {
    double *code;
    if (s->row > LONGEST) GN_FAIL(BAD_DATA, "%s: %s: texts of %lld letters", f->path, gn_shown(place), (long long)s->row);
    GN_TAKE(code, a, s->row);
    for (int64_t i = 0; i < n; i++) {
        char text[LONGEST + 1];
        int64_t k = 0;
        GN_TRY(gn_hdf_doubles(f, place, first + i, 1, code));
        for (; k < s->row && code[k] >= 32 && code[k] < 127; k++) text[k] = (char)code[k];
        text[k] = 0;
        GN_TAKE_TEXT(to[i], a, "%s", text);
    }
    return GN_OK;
}

static gn_status texts(gn_arena *a, const gn_hdf *f, const char *place, hid_t set, const gn_hdf_set *s, int64_t first, int64_t n, const char **to) {
    hid_t type = H5Dget_type(set);
    const int free_length = type >= 0 && H5Tis_variable_str(type) > 0;
    int failed = type < 0 || s->row != 1;
    if (!failed && s->element > LONGEST) GN_FAIL(BAD_DATA, "%s: %s: texts of %d bytes", f->path, gn_shown(place), s->element);
    char *bytes = NULL, **pointer = NULL;
    if (free_length) GN_TAKE(pointer, a, n ? n : 1);
    else GN_TAKE(bytes, a, (size_t)n * (size_t)s->element + 1);
    failed = failed || read_rows(set, s, first, n, type, free_length ? (void *)pointer : bytes);
    for (int64_t i = 0; i < n && !failed; i++) {
        const char *from = free_length ? pointer[i] : bytes + i * s->element;
        to[i] = gn_arena_text(a, "%.*s", free_length ? LONGEST : s->element, from ? from : "");
        failed |= !to[i];
        if (free_length) H5free_memory(pointer[i]);
    }
    if (type >= 0) H5Tclose(type);
    if (failed) GN_FAIL(BAD_DATA, "%s: %s: texts %lld to %lld cannot be read", f->path, gn_shown(place), (long long)first, (long long)(first + n));
    return GN_OK;
}

gn_status gn_hdf_texts(gn_arena *a, const gn_hdf *f, const char *place, int64_t first, int64_t n, const char **to) {
    gn_hdf_set s;
    hid_t set;
    GN_TRY(open_rows(f, place, first, n, &s, &set));
    const gn_status status = s.kind == GN_HDF_TEXTS ? texts(a, f, place, set, &s, first, n, to) : spell(a, f, place, first, n, &s, to);
    H5Oclose(set);
    return status ? gn_pass(status, __FILE__, __LINE__) : GN_OK;
}

/* --- attributes --- */

static gn_status attribute(const gn_hdf *f, const char *place, const char *name, hid_t *at, hid_t *type) {
    hid_t object;
    *at = *type = -1;
    GN_TRY(open_place(f, place, &object));
    if (object < 0) return GN_OK;
    if (H5Aexists(object, name) > 0) *at = H5Aopen(object, name, H5P_DEFAULT);
    H5Oclose(object);
    if (*at < 0) return GN_OK;
    hid_t space = H5Aget_space(*at);
    const int one = space >= 0 && H5Sget_simple_extent_npoints(space) == 1;
    if (space >= 0) H5Sclose(space);
    if (one) *type = H5Aget_type(*at);
    if (*type < 0) {
        H5Aclose(*at);
        *at = -1;
    }
    return GN_OK;
}

gn_status gn_hdf_attribute(gn_arena *a, const gn_hdf *f, const char *place, const char *name, const char **text) {
    hid_t at, type;
    char fixed[LONGEST + 1] = "", *loose = NULL;
    GN_TRY(attribute(f, place, name, &at, &type));
    if (at >= 0 && H5Tget_class(type) == H5T_STRING) {
        if (H5Tis_variable_str(type) > 0) {
            if (H5Aread(at, type, &loose) >= 0 && loose) snprintf(fixed, sizeof fixed, "%s", loose);
            if (loose) H5free_memory(loose);
        } else if (H5Tget_size(type) <= LONGEST && H5Aread(at, type, fixed) < 0) fixed[0] = 0;
    }
    if (at >= 0) H5Tclose(type), H5Aclose(at);
    GN_TAKE_TEXT(*text, a, "%s", fixed);
    return GN_OK;
}

gn_status gn_hdf_number(const gn_hdf *f, const char *place, const char *name, double *x) {
    hid_t at, type;
    GN_TRY(attribute(f, place, name, &at, &type));
    *x = NAN;
    if (at >= 0 && kind_of(type) == GN_HDF_NUMBERS && H5Aread(at, H5T_NATIVE_DOUBLE, x) < 0) *x = NAN;
    if (at >= 0) H5Tclose(type), H5Aclose(at);
    return GN_OK;
}
