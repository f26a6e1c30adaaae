/* spatial.c - one walk through the file for an index, then person by person, those of a picture in a row. */
#include "src/import/spatial.h"
#include "gnomon/config.h"
#include "gnomon/json.h"
#include "src/import/layout.h"
#include "src/import/places.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const below[] = { "", "images/", "MultiPersonTestSet/", "data/", NULL };

typedef struct {
    gn_arena *arena, *picture, *person; /* of the file; trees of one */
    const gn_import *from;
    const gn_spatial *form;
    gn_sink *sink;
    gn_json_file *json;
    const char *path;
    gn_places images, persons;          /* by the picture's number */
    gn_layout layout;
    int64_t left;                       /* persons that are not valid */
} reader;

static gn_status note(reader *r, const gn_json_item *i) {
    const int image = !strcmp(i->list, "images"), person = !strcmp(i->list, "annotations");
    const gn_json *id = gn_json_find(i->value, image ? "id" : "image_id");
    if (!image && !person) return GN_OK;
    if (!id || !id->is_whole)
        GN_FAIL(BAD_DATA, "%s: %s[%lld]: expected a map with a whole number '%s'", gn_json_where(r->json, i->at), i->list, (long long)i->place, image ? "id" : "image_id");
    return gn_places_add(image ? &r->images : &r->persons, id->whole, i->at);
}

static gn_status make_index(reader *r) {
    gn_json_item i;
    for (;;) {
        GN_TRY(gn_json_next(r->json, &i));
        if (!i.value) break;
        GN_TRY(note(r, &i));
    }
    if (!r->images.n || !r->persons.n) GN_FAIL(BAD_DATA, "%s: expected lists 'images' and 'annotations', found %lld and %lld", r->path, (long long)r->images.n, (long long)r->persons.n);
    gn_places_sort(&r->images);
    gn_places_sort(&r->persons);
    const gn_place *twice = gn_places_twice(&r->images);
    if (twice) GN_FAIL(BAD_DATA, "%s: an image of number %lld is there twice", gn_json_where(r->json, twice->at), (long long)twice->key);
    return GN_OK;
}

/* --- a picture --- */

static gn_status read_lens(const gn_json *image, gn_lens *l) {
    double all[4];
    const gn_json *one = gn_json_find(image, "intrinsic");
    *l = (gn_lens){ 0 };
    if (gn_json_numbers(one, 4, all)) {
        *l = (gn_lens){ .f = { all[0], all[1] }, .c = { all[2], all[3] } };
        return GN_OK;
    }
    if (one || !gn_json_numbers(gn_json_find(image, "f"), 2, l->f) || !gn_json_numbers(gn_json_find(image, "c"), 2, l->c))
        GN_FAIL(BAD_DATA, "expected a camera: 'f' and 'c' of 2 numbers each, or 'intrinsic' of 4");
    return GN_OK;
}

/* "TS1/img_000012.jpg" is frame 12 of TS1. */
static void name_take(const char *name, gn_import_sample *x) {
    const char *slash = strrchr(name, '/'), *dot = strrchr(name, '.'), *digit;
    snprintf(x->take, sizeof x->take, "%.*s", slash ? (int)(slash - name) : (int)strlen(name), name);
    for (digit = dot ? dot : name + strlen(name); digit > name && digit[-1] >= '0' && digit[-1] <= '9';) digit--;
    if (slash && digit != dot) x->frame = strtoll(digit, NULL, 10);
}

static int pixels(const gn_json *image, const char *key, int other) {
    const double x = gn_json_number(gn_json_find(image, key), 0);
    return x >= 1 && x <= 1 << 15 ? (int)x : other;
}

static gn_status open_picture(reader *r, int64_t number, int64_t person, gn_import_sample *x) {
    const gn_place *p = gn_places_find(&r->images, number);
    const gn_json *image;
    if (!p) GN_FAIL(BAD_DATA, "%s: annotation of image %lld, which is not in 'images'", gn_json_where(r->json, person), (long long)number);
    gn_arena_rewind(r->picture);
    GN_TRY(gn_json_at(r->json, r->picture, p->at, &image));
    const char *name = gn_json_text(gn_json_find(image, "file_name"), NULL);
    if (!name) GN_FAIL(BAD_DATA, "%s: images: expected a text 'file_name'", gn_json_where(r->json, p->at));
    *x = (gn_import_sample){ .frame = number, .group = -1, .valid = r->form->valid, .has = GN_HAS_joints2d | GN_HAS_joints3d | GN_HAS_camera };
    x->w = pixels(image, "width", r->form->side), x->h = pixels(image, "height", r->form->side);
    GN_TRY_AS(read_lens(image, &x->lens), "%s: image '%s'", gn_json_where(r->json, p->at), gn_shown(name));
    name_take(name, x);
    gn_layout_picture(&r->layout, name, x->picture);
    return GN_OK;
}

/* --- a person --- */

static gn_status grid(const gn_json *person, const char *key, int n, int wide, double *to) {
    const gn_json *list = gn_json_find(person, key);
    if (!list || list->kind != GN_JSON_LIST || list->n != n)
        GN_FAIL(BAD_DATA, "%s: expected a list of %d joints, found %d", key, n, list && list->kind == GN_JSON_LIST ? list->n : 0);
    for (int j = 0; j < n; j++)
        if (!gn_json_numbers(&list->item[j], wide, to + (size_t)j * (size_t)wide)) GN_FAIL(BAD_DATA, "%s[%d]: expected %d numbers", key, j, wide);
    return GN_OK;
}

static int is_true(const gn_json *v) { return (v->kind == GN_JSON_FLAG || v->kind == GN_JSON_NUMBER) && v->number != 0; }

static gn_status fill(const gn_json *person, int n, gn_import_sample *x) {
    const gn_json *seen = gn_json_find(person, "keypoints_vis"), *box = gn_json_find(person, "bbox");
    GN_TRY(grid(person, "keypoints_img", n, 2, *x->joints2d));
    GN_TRY(grid(person, "keypoints_cam", n, 3, *x->joints3d));
    if (seen && (seen->kind != GN_JSON_LIST || seen->n != n)) GN_FAIL(BAD_DATA, "keypoints_vis: expected %d flags", n);
    if (box && !gn_json_numbers(box, 4, x->box)) GN_FAIL(BAD_DATA, "bbox: expected 4 numbers");
    x->has |= seen ? GN_HAS_occluded2d : 0;
    for (int j = 0; j < n; j++) {
        for (int k = 0; k < 3; k++) x->joints3d[j][k] /= 1000;
        x->labelled2d[j] = x->labelled3d[j] = 1;
        x->occluded2d[j] = seen && !is_true(&seen->item[j]);
    }
    return GN_OK;
}

static gn_status put_person(reader *r, int64_t at, gn_import_sample x) {
    const gn_json *person;
    gn_arena_rewind(r->person);
    GN_TRY(gn_json_at(r->json, r->person, at, &person));
    const gn_json *sound = gn_json_find(person, "is_valid");
    if (sound && !is_true(sound)) {
        r->left++;
        return GN_OK;
    }
    GN_TRY_AS(fill(person, r->form->joints, &x), "%s", gn_json_where(r->json, at));
    return gn_sink_put(r->sink, &x);
}

static gn_status read_file(reader *r) {
    gn_import_sample x = { 0 };
    GN_TRY(gn_json_open(r->arena, r->path, &r->json));
    GN_TRY(make_index(r));
    GN_TRY(gn_layout_open(r->arena, r->from, r->path, below, &r->layout));
    for (int64_t i = 0; i < r->persons.n; i++) {
        const gn_place *p = &r->persons.place[i];
        if (!i || p->key != p[-1].key) GN_TRY(open_picture(r, p->key, p->at, &x));
        if (x.frame % r->from->every == 0) GN_TRY(put_person(r, p->at, x));
    }
    return gn_sink_note(r->sink, "%s: %lld pictures, %lld persons, %lld of them not valid", r->path, (long long)r->images.n, (long long)r->persons.n, (long long)r->left);
}

gn_status gn_spatial_read(const gn_import *from, gn_sink *to, const char *path, const gn_spatial *form) {
    reader r = { .arena = gn_arena_new("a file of persons"), .picture = gn_arena_new("an image"), .person = gn_arena_new("a person"), .from = from, .form = form, .sink = to,
                 .path = path };
    if (!r.arena || !r.picture || !r.person) GN_FAIL(NO_MEMORY, "out of memory: %s", path);
    r.images.arena = r.persons.arena = r.arena;
    GN_TRY(read_file(&r));
    gn_arena_free(r.arena), gn_arena_free(r.picture), gn_arena_free(r.person);
    return GN_OK;
}
