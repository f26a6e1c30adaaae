/* predict.c - poses of pictures that nobody labelled, as JSON and as an overlay.
 *
 * Nothing is known of camera or size, so xyz is Zhou 2017's canonical pose: weak perspective, bones
 * scaled to sum to 4296.99 mm (A5). */
#include "draw.h"
#include "gnomon/io.h"
#include "gnomon/json.h"
#include "gnomon/report.h"
#include "trained.h"
#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { SHOWN = 512, SPACE = 300 }; /* pixels of the overlay: height of the picture, width of the view in space */

typedef struct { double x, y, side; } square; /* left, top, side: picture pixels */

static square square_of(const gn_image *p, const double *box) {
    if (!box) {
        double side = p->w < p->h ? p->w : p->h;
        return (square){ (p->w - side) / 2, (p->h - side) / 2, side };
    }
    double side = fmax(box[2], box[3]);
    return (square){ box[0] + (box[2] - side) / 2, box[1] + (box[3] - side) / 2, side };
}

/* A picture k times smaller, by mean: a warp alone would skip pixels. */
static gn_status shrink(gn_arena *a, const gn_image *p, int k, gn_image *to) {
    GN_TRY(gn_image_new(a, p->w / k, p->h / k, to));
    for (int y = 0; y < to->h; y++)
        for (int x = 0; x < to->w; x++)
            for (int c = 0; c < 3; c++) {
                int sum = 0;
                for (int v = y * k; v < y * k + k; v++)
                    for (int u = x * k; u < x * k + k; u++) sum += p->rgb[3 * ((size_t)v * (size_t)p->w + (size_t)u) + (size_t)c];
                to->rgb[3 * ((size_t)y * (size_t)to->w + (size_t)x) + (size_t)c] = (uint8_t)((sum + k * k / 2) / (k * k));
            }
    return GN_OK;
}

/* The w x h pixels that show the part of `p` whose top left corner is (x, y), `scale` picture pixels to a pixel. */
static gn_status resample(gn_arena *a, const gn_image *p, double x, double y, double scale, int w, int h, gn_image *to) {
    gn_image small = *p;
    int k = (int)fmin(scale, fmin(p->w, p->h));
    if (k > 1) {
        GN_TRY(shrink(a, p, k, &small));
        x /= k, y /= k, scale /= k;
    }
    const double A[6] = { scale, 0, x + scale / 2 - 0.5, 0, scale, y + scale / 2 - 0.5 };
    GN_TRY(gn_image_new(a, w, h, to));
    gn_image_warp(&small, A, (gn_colour){ 0, 0, 0 }, to);
    return GN_OK;
}

gn_status gn_trained_ask(gn_arena *a, const gn_trained *t, const gn_skeleton *k, const gn_image *picture, const double s[3],
                         gn_prediction *said) {
    const int side = t->last->data.input;
    gn_image crop;
    gn_batch b = { .n = 1, .side = side };
    gn_labels y = { .J = k->joints, .side = side, .skeleton = k };
    if (!gn_graph_has_input(t->graph, "picture")) GN_FAIL(BAD_USAGE, "%s: its model reads joints and no pictures; `gnomon eval` scores it", t->folder);
    GN_TRY(resample(a, picture, s[0], s[1], s[2] / side, side, side, &crop));
    GN_TAKE(b.image, a, side * side * 3);
    for (int i = 0; i < side * side * 3; i++) b.image[i] = crop.rgb[i] / 255.0f;
    GN_TRY(gn_ask(t->last, t->graph, t->pool, 1, k, &b));
    return gn_decode(t->last, t->graph, 1, 1, &y, said);
}

/* Pixels of the network's input to those of the picture, centres at integers in both. */
static void to_picture(const gn_skeleton *k, square s, int side, const gn_prediction *said, double (*uv)[2]) {
    for (int j = 0; j < k->joints; j++) {
        uv[j][0] = s.x + (said->uv[j][0] + 0.5) * s.side / side - 0.5;
        uv[j][1] = s.y + (said->uv[j][1] + 0.5) * s.side / side - 0.5;
    }
}

static void print(FILE *to, gn_arena *a, const gn_trained *t, const gn_skeleton *k, const char *input, square s,
                  const gn_prediction *said, const double (*uv)[2], const double (*mm)[3]) {
    const char *name = strrchr(input, '/');
    fprintf(to, "{\n  \"picture\": %s,\n  \"run\": %s,\n", gn_json_quote(a, name ? name + 1 : input), gn_json_quote(a, t->folder));
    fprintf(to, "  \"weights\": \"%016llx\",\n  \"skeleton\": \"%s\",\n  \"root\": %s,\n  \"bones\": [",
            (unsigned long long)t->weights, k->name, k->root < 0 ? "null" : gn_json_quote(a, k->joint[k->root]));
    for (int e = 0; e < k->bones; e++)
        fprintf(to, "%s[\"%s\", \"%s\"]", e ? ", " : "", k->joint[k->bone[e].a], k->joint[k->bone[e].b]);
    fputs("],\n", to);
    fprintf(to, "  \"box\": [%.6g, %.6g, %.6g, %.6g],\n", s.x, s.y, s.side, s.side);
    fputs("  \"units\": {\n"
          "    \"box\": \"picture pixels: left, top, width, height of the square that was looked at\",\n"
          "    \"uv\": \"picture pixels, centres at integers\",\n"
          "    \"confidence\": \"height of the map's peak, 0 to 1\"", to);
    if (said->has_z)
        fputs(",\n    \"z\": \"half sides of the box, below the root, away from the camera positive\",\n"
              "    \"xyz\": \"millimetres about the root, or the joints' middle, x right, y down, z away; weak perspective, bones scaled to sum to "
              "4296.99 mm\"", to);
    fputs("\n  },\n  \"joints\": {", to);
    for (int j = 0; j < k->joints; j++) {
        fprintf(to, "%s\n    \"%s\": {\"uv\": [%.2f, %.2f], \"confidence\": %.4f", j ? "," : "", k->joint[j], uv[j][0], uv[j][1],
                said->confidence[j]);
        if (said->has_z)
            fprintf(to, ", \"z\": %.4f, \"xyz\": [%.1f, %.1f, %.1f]", said->z[j] - (k->root < 0 ? 0 : said->z[k->root]), mm[j][0], mm[j][1], mm[j][2]);
        fputc('}', to);
    }
    fputs("\n  }\n}\n", to);
}

static gn_status write_json(gn_arena *a, const char *path, const gn_trained *t, const gn_skeleton *k, const char *input, square s,
                            const gn_prediction *said, const double (*uv)[2], const double (*mm)[3]) {
    char *text = NULL;
    size_t n = 0;
    FILE *to = open_memstream(&text, &n);
    if (!to) GN_FAIL(NO_MEMORY, "out of memory: %s", path);
    print(to, a, t, k, input, s, said, uv, mm);
    gn_status status = fclose(to) ? gn_fail(GN_NO_MEMORY, __FILE__, __LINE__, "out of memory: %s", path) : gn_io_write(path, text, n);
    free(text);
    return status;
}

static gn_status write_overlay(gn_arena *a, const char *path, const gn_skeleton *k, const gn_image *picture, square s,
                               const gn_prediction *said, const double (*uv)[2], const double (*mm)[3]) {
    const gn_colour box = { 250, 204, 21 }, ink = { 208, 213, 221 };
    double scale = (double)picture->h / SHOWN, m[GN_JOINTS][3], reach = 0.3;
    int w = (int)fmin(4 * SHOWN, fmax(1, picture->w / scale));
    gn_image shown, canvas;
    GN_TRY(resample(a, picture, 0, 0, scale, w, SHOWN, &shown));
    GN_TRY(gn_image_new(a, w + (said->has_z ? SPACE : 0), SHOWN, &canvas));
    memset(canvas.rgb, 24, (size_t)canvas.w * (size_t)canvas.h * 3);
    gn_draw_image(&canvas, 0, 0, &shown);
    const double x0 = s.x / scale, y0 = s.y / scale, x1 = x0 + s.side / scale - 1, y1 = y0 + s.side / scale - 1;
    gn_draw_line(&canvas, x0, y0, x1, y0, 1, box), gn_draw_line(&canvas, x1, y0, x1, y1, 1, box);
    gn_draw_line(&canvas, x1, y1, x0, y1, 1, box), gn_draw_line(&canvas, x0, y1, x0, y0, 1, box);
    gn_place place = { 1 / scale, 0.5 / scale - 0.5, 0.5 / scale - 0.5 };
    gn_draw_pose2d(&canvas, k, uv, NULL, NULL, place, 2.5);
    if (said->has_z) {
        for (int j = 0; j < k->joints; j++)
            for (int i = 0; i < 3; i++) {
                m[j][i] = mm[j][i] / 1000;
                reach = fmax(reach, 1.1 * fabs(m[j][i]));
            }
        gn_draw_pose3d(&canvas, k, (const double (*)[3])m, NULL, w + 22, 0, SHOWN / 2, reach, 0);
        gn_draw_pose3d(&canvas, k, (const double (*)[3])m, NULL, w + 22, SHOWN / 2, SHOWN / 2, reach, 75);
        gn_draw_text(&canvas, w + 8, 8, 1, ink, "front");
        gn_draw_text(&canvas, w + 8, SHOWN / 2 + 8, 1, ink, "side");
    }
    return gn_png_write(path, &canvas);
}

/* out/NAME.json and out/NAME.png */
static gn_status one(gn_arena *a, const gn_trained *t, const gn_skeleton *k, const char *input, const double *box, const char *out) {
    const char *name = strrchr(input, '/'), *json, *png;
    gn_image picture;
    gn_prediction said;
    double uv[GN_JOINTS][2], mm[GN_JOINTS][3];
    name = name ? name + 1 : input;
    const char *dot = strrchr(name, '.');
    int stem = dot && dot > name ? (int)(dot - name) : (int)strlen(name);
    GN_TAKE_TEXT(json, a, "%s/%.*s.json", out, stem, name);
    GN_TAKE_TEXT(png, a, "%s/%.*s.png", out, stem, name);
    if (!strcmp(png, input)) GN_FAIL(BAD_USAGE, "%s: the overlay would take the picture's place; name another folder", input);
    GN_TRY(gn_image_read(a, input, &picture));
    square s = square_of(&picture, box);
    GN_TRY(gn_trained_ask(a, t, k, &picture, (double[]){ s.x, s.y, s.side }, &said));
    to_picture(k, s, t->last->data.input, &said, uv);
    gn_canonical_pose(k, t->last->data.input, &said, GN_ZHOU_BONES_MM, mm);
    GN_TRY(write_json(a, json, t, k, input, s, &said, (const double (*)[2])uv, (const double (*)[3])mm));
    return write_overlay(a, png, k, &picture, s, &said, (const double (*)[2])uv, (const double (*)[3])mm);
}

static int is_picture(const struct dirent *d) {
    const char *dot = strrchr(d->d_name, '.');
    return dot && (!strcasecmp(dot, ".png") || !strcasecmp(dot, ".jpg") || !strcasecmp(dot, ".jpeg"));
}

static gn_status folder(const gn_trained *t, const gn_skeleton *k, const char *input, const double *box, const char *out) {
    struct dirent **name = NULL;
    int n = scandir(input, &name, is_picture, alphasort);
    gn_status status = n > 0 ? GN_OK : gn_fail(GN_MISSING, __FILE__, __LINE__, "%s: no .png or .jpg in it", input);
    for (int i = 0; i < n && !status; i++) {
        gn_arena *a = gn_arena_new("picture"); /* pictures are large: each is gone before the next */
        const char *path = a ? gn_arena_text(a, "%s/%s", input, name[i]->d_name) : NULL;
        status = path ? one(a, t, k, path, box, out) : gn_fail(GN_NO_MEMORY, __FILE__, __LINE__, "out of memory: %s", input);
        gn_arena_free(a);
    }
    for (int i = 0; i < n; i++) free(name[i]);
    free(name);
    return status;
}

gn_status gn_predict(const char *run, const char *input, const double *box, const char *out, gn_arena *a) {
    gn_trained t;
    struct stat what;
    if (stat(input, &what)) GN_FAIL(MISSING, "%s: no such picture or folder", input);
    if (box && !(box[2] >= 1 && box[3] >= 1 && isfinite(box[0] + box[1] + box[2] + box[3])))
        GN_FAIL(BAD_USAGE, "box [%g %g %g %g]: expected x y w h in pixels, w and h at least 1", box[0], box[1], box[2], box[3]);
    GN_TRY(gn_trained_open(a, run, 1, &t));
    const gn_skeleton *joints = gn_experiment_skeleton(t.last);
    GN_TRY(gn_io_folder(out));
    if (S_ISDIR(what.st_mode)) return folder(&t, joints, input, box, out);
    return one(a, &t, joints, input, box, out);
}
