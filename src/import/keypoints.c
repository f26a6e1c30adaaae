/* keypoints.c - COCO's form: one walk through the file for an index, then person by person. */
#include "src/import/keypoints.h"
#include "gnomon/config.h"
#include "src/import/layout.h"
#include "src/import/places.h"
#include <string.h>

static const char *const below[2][7] = { /* of train, of valid */
    { "", "images/", "train2017/", "images/train2017/", "train/", "images/train/", NULL },
    { "", "images/", "val2017/", "images/val2017/", "val/", "images/val/", NULL },
};

typedef struct { int64_t pictures, persons, crowds, bare; } tally;

typedef struct {
    gn_arena *arena;                 /* this file's */
    gn_arena *picture, *person;      /* trees of one */
    const gn_import *from;
    const gn_keypoints *form;
    gn_sink *sink;
    tally *all;
    const char *path;
    gn_json_file *json;
    gn_places images, persons;       /* by the picture's number */
    int64_t annotations, without;    /* those that have no `keypoints` */
    gn_layout layout;
    int valid;
} reader;

static int number_of(const gn_json *j, const char *key, int64_t *x) {
    const gn_json *v = gn_json_find(j, key);
    if (!v || !v->is_whole) return 0;
    *x = v->whole;
    return 1;
}

/* --- the index --- */

static int word_fits(const char *either, const char *word) {
    const size_t n = strlen(word);
    for (const char *at = either; at; at = strchr(at, '|')) {
        at += *at == '|';
        if (!strncmp(at, word, n) && (!at[n] || at[n] == '|')) return 1;
    }
    return 0;
}

/* The order of the joints, where the file says it. */
static gn_status check_words(reader *r, const gn_json_item *category) {
    const gn_json *words = gn_json_find(category->value, "keypoints");
    const int n = r->form->joints;
    if (!words) return GN_OK;
    if (words->kind != GN_JSON_LIST || words->n != n)
        GN_FAIL(BAD_DATA, "%s: categories: expected the names of %d keypoints, found %d", gn_json_where(r->json, category->at), n, words->n);
    for (int j = 0; j < n; j++) {
        const char *word = gn_json_text(&words->item[j], "");
        if (!word_fits(r->form->word[j], word))
            GN_FAIL(BAD_DATA, "%s: categories: keypoint %d is '%s', expected '%s'", gn_json_where(r->json, category->at), j, gn_shown(word), r->form->word[j]);
    }
    return GN_OK;
}

static int labelled(const gn_json *keypoints) {
    int n = 0;
    for (int k = 2; k < keypoints->n; k += 3) n += gn_json_number(&keypoints->item[k], 0) != 0;
    return n;
}

static gn_status note_person(reader *r, const gn_json_item *i) {
    const gn_json *keypoints = gn_json_find(i->value, "keypoints"), *n = gn_json_find(i->value, "num_keypoints");
    const gn_json *crowd = gn_json_find(i->value, "iscrowd"); /* 0, 1, false or true */
    int64_t image;
    if (i->value->kind != GN_JSON_MAP || !number_of(i->value, "image_id", &image))
        GN_FAIL(BAD_DATA, "%s: annotations[%lld]: expected a map with a whole number 'image_id'", gn_json_where(r->json, i->at), (long long)i->place);
    r->annotations++;
    r->without += !keypoints;
    if (crowd && (crowd->kind == GN_JSON_FLAG || crowd->kind == GN_JSON_NUMBER) && crowd->number != 0) {
        r->all->crowds++;
        return GN_OK;
    }
    if (!keypoints || keypoints->kind != GN_JSON_LIST || gn_json_number(n, 1) == 0 || !labelled(keypoints)) {
        r->all->bare++;
        return GN_OK;
    }
    return gn_places_add(&r->persons, image, i->at);
}

static gn_status note(reader *r, const gn_json_item *i) {
    int64_t id;
    if (!*i->list && !i->key)
        GN_FAIL(BAD_DATA, "%s: a list at the top, as of a detector's results, which name no pictures and are no labels; expected a map with 'images' and 'annotations'",
                r->path);
    if (!strcmp(i->list, "annotations")) return note_person(r, i);
    if (!strcmp(i->list, "categories")) return check_words(r, i);
    if (strcmp(i->list, "images")) return GN_OK;
    if (!number_of(i->value, "id", &id) || !gn_json_text(gn_json_find(i->value, "file_name"), NULL))
        GN_FAIL(BAD_DATA, "%s: images[%lld]: expected a map with a whole number 'id' and a text 'file_name'", gn_json_where(r->json, i->at), (long long)i->place);
    return gn_places_add(&r->images, id, i->at);
}

static gn_status make_index(reader *r) {
    gn_json_item i;
    for (;;) {
        GN_TRY(gn_json_next(r->json, &i));
        if (!i.value) break;
        GN_TRY(note(r, &i));
    }
    if (!r->images.n) GN_FAIL(BAD_DATA, "%s: expected lists 'images' and 'annotations', found no image", r->path);
    if (r->annotations && r->without == r->annotations && !r->form->video) /* a video may have boxes alone */
        GN_FAIL(BAD_DATA, "%s: none of its %lld annotations has 'keypoints'", r->path, (long long)r->annotations);
    gn_places_sort(&r->images);
    gn_places_sort(&r->persons);
    const gn_place *twice = gn_places_twice(&r->images);
    if (twice) GN_FAIL(BAD_DATA, "%s: an image of number %lld is there twice", gn_json_where(r->json, twice->at), (long long)twice->key);
    r->all->pictures += r->images.n;
    r->all->persons += r->annotations;
    return GN_OK;
}

/* --- persons --- */

gn_status gn_keypoints_read(const gn_json *person, const char *key, int n, int hidden, int first, gn_import_sample *x) {
    const gn_json *list = gn_json_find(person, key);
    double v[3 * GN_JOINTS];
    if (list && list->kind == GN_JSON_LIST && list->n != 3 * n)
        GN_FAIL(BAD_DATA, "%s: expected %d numbers, x, y and flag of %d joints, found %d", key, 3 * n, n, list->n);
    if (!gn_json_numbers(list, 3 * n, v)) GN_FAIL(BAD_DATA, "%s: expected a list of %d numbers", key, 3 * n);
    for (int k = 0; k < n; k++) {
        const int j = first + k;
        const double flag = v[3 * k + 2];
        if (flag != 0 && flag != 1 && flag != 2) GN_FAIL(BAD_DATA, "%s: joint %d has flag %g, expected 0, 1 or 2", key, k, flag);
        x->joints2d[j][0] = v[3 * k], x->joints2d[j][1] = v[3 * k + 1];
        x->labelled2d[j] = flag != 0;
        x->occluded2d[j] = hidden && flag == 1;
    }
    return GN_OK;
}

static gn_status fill(const reader *r, const gn_json *image, const gn_json *person, gn_import_sample *x) {
    const gn_json *box = gn_json_find(person, "bbox");
    number_of(person, "id", &x->frame);
    GN_TRY(gn_keypoints_read(person, "keypoints", r->form->joints, r->form->hidden, 0, x));
    if (box && !gn_json_numbers(box, 4, x->box)) GN_FAIL(BAD_DATA, "bbox: expected 4 numbers");
    return r->form->more ? r->form->more(image, person, x) : GN_OK;
}

static gn_status put_person(reader *r, const gn_json *image, int64_t at, gn_import_sample x) {
    const gn_json *person;
    gn_arena_rewind(r->person);
    GN_TRY(gn_json_at(r->json, r->person, at, &person));
    GN_TRY_AS(fill(r, image, person, &x), "%s", gn_json_where(r->json, at));
    if (r->form->video && x.frame % r->from->every) return GN_OK;
    return gn_sink_put(r->sink, &x);
}

/* Of a side; 0: not said. */
static int pixels(const gn_json *image, const char *key) {
    const double x = gn_json_number(gn_json_find(image, key), 0);
    return x >= 1 && x <= 1 << 16 ? (int)x : 0;
}

static gn_status open_picture(reader *r, int64_t number, int64_t person, const gn_json **image, gn_import_sample *x) {
    const gn_place *p = gn_places_find(&r->images, number);
    if (!p) GN_FAIL(BAD_DATA, "%s: annotation of image %lld, which is not in 'images'", gn_json_where(r->json, person), (long long)number);
    gn_arena_rewind(r->picture);
    GN_TRY(gn_json_at(r->json, r->picture, p->at, image));
    const char *name = gn_json_text(gn_json_find(*image, "file_name"), "");
    *x = (gn_import_sample){ .group = -1, .valid = r->valid, .has = GN_HAS_joints2d | (r->form->hidden ? GN_HAS_occluded2d : 0) };
    x->w = pixels(*image, "width"), x->h = pixels(*image, "height");
    snprintf(x->take, sizeof x->take, "%s", name + (strlen(name) < sizeof x->take ? 0 : strlen(name) + 1 - sizeof x->take)); /* its end tells more */
    gn_layout_picture(&r->layout, name, x->picture);
    return GN_OK;
}

static gn_status read_file(reader *r) {
    const gn_json *image = NULL;
    gn_import_sample x;
    GN_TRY(gn_json_open(r->arena, r->path, &r->json));
    GN_TRY(make_index(r));
    GN_TRY(gn_layout_open(r->arena, r->from, r->path, below[r->valid], &r->layout));
    for (int64_t i = 0, pictures = -1; i < r->persons.n; i++) {
        const gn_place *p = &r->persons.place[i];
        const int another = !i || p->key != p[-1].key;
        pictures += another;
        if (!r->form->video && pictures % r->from->every) continue; /* stills have no takes */
        if (another) GN_TRY(open_picture(r, p->key, p->at, &image, &x));
        GN_TRY(put_person(r, image, p->at, x));
    }
    return GN_OK;
}

gn_status gn_keypoints_run(gn_arena *a, const gn_import *from, gn_sink *to, const gn_keypoints *form) {
    const char **path;
    tally all = { 0 };
    int n;
    gn_arena *of_file = gn_arena_new("a file of keypoints"), *picture = gn_arena_new("an image"), *person = gn_arena_new("a person");
    if (!of_file || !picture || !person) GN_FAIL(NO_MEMORY, "out of memory: an import");
    GN_TRY(gn_layout_files(a, from, form->begins, ".json", &n, &path));
    for (int i = 0; i < n; i++) {
        gn_arena_rewind(of_file);
        reader r = { .arena = of_file, .picture = picture, .person = person, .from = from, .form = form, .sink = to, .all = &all, .path = path[i],
                     .images.arena = of_file, .persons.arena = of_file, .valid = gn_layout_valid(path[i]) };
        GN_TRY(read_file(&r));
    }
    gn_arena_free(of_file), gn_arena_free(picture), gn_arena_free(person);
    return gn_sink_note(to, "%d files, %lld pictures, %lld persons; left out %lld crowds and %lld without a labelled joint", n, (long long)all.pictures,
                        (long long)all.persons, (long long)all.crowds, (long long)all.bare);
}
