/* import.h - foreign formats in, shards out.
 *
 * An importer is one file of src/import and one line of src/import/all.h. It reads a source and says what
 * it finds, sample by sample, in the source's own skeleton and picture and in the units below. What is
 * the same for all formats is done for it: straightening the lens, cropping, checking that 3D and 2D agree,
 * writing shards. All of it runs in a child process with limits: whatever a foreign file holds, the
 * parent lives. */
#ifndef GN_IMPORT_H
#define GN_IMPORT_H
#include "gnomon/arena.h"
#include "gnomon/labels.h"

/* A pinhole and its glass, OpenCV's model. Pixels of the whole picture, centres at integers. */
typedef struct {
    double f[2], c[2];
    double k[3], p[2];       /* radial k1 k2 k3, tangential p1 p2; all 0: none */
    double tangent;          /* 2, or 0 for it: OpenCV's; 1: Human3.6M's */
} gn_lens;
void gn_lens_project(const gn_lens *l, const double xyz[3], double uv[2]);  /* z > 0, camera frame */
void gn_lens_straighten(const gn_lens *l, const double uv[2], double to[2]); /* where f and c alone would show it */
void gn_lens_bend(const gn_lens *l, const double uv[2], double to[2]);       /* the way back */

/* What an importer says of one person in one picture. 2D and lens are of the picture as it lies in its file. */
typedef struct {
    char take[64];           /* what a person calls it: "S9 Directions 54138969", a file's name */
    int64_t frame;           /* in the take */
    int64_t group;           /* views of one moment, or frames of a block, have one number and follow each other; -1: alone */
    int valid;               /* 1: of the validation split */
    char picture[512];       /* below the folder of pictures; "": none */
    int w, h;                /* of the picture; 0: as its file says. Without a picture they must be known */
    const uint16_t *depth;   /* [h w] millimetres, 0: no reading; NULL: none. Copied when put */
    double box[4];           /* x y w h of the person; the crop is the square about its middle, 1.25 times its longer side */
    double square[3];        /* in place of a box: middle x, y, and side of the crop; side 0: by the box, the joints' where w is 0 */
    uint32_t has;            /* fields below that are known: GN_HAS_joints2d ... */
    double joints2d[GN_JOINTS][2], confidence2d[GN_JOINTS], joints3d[GN_JOINTS][3]; /* pixels; metres, camera frame */
    uint8_t labelled2d[GN_JOINTS], occluded2d[GN_JOINTS], labelled3d[GN_JOINTS];
    gn_lens lens;            /* GN_HAS_camera */
    double pose_of_view[12]; /* [3 4] from the world, metres */
    double head_size;        /* pixels */
} gn_import_sample;

typedef struct gn_sink gn_sink;
gn_status gn_sink_put(gn_sink *s, const gn_import_sample *x);
/* A fault of one sample that need not end the import: counted, the first few said. */
void gn_sink_pass_over(gn_sink *s, const char *fmt, ...) GN_PRINTF(2, 3);
/* What the importer found out and the provenance shall tell: "fitted camera fx 1145.0 ...". */
gn_status gn_sink_note(gn_sink *s, const char *fmt, ...) GN_PRINTF(2, 3);

typedef struct {             /* what the user asks */
    const char *format, *source, *out;
    const char *pictures;    /* folder that pictures are below; NULL: where the importer's format has them */
    int keep;                /* raw | jpeg | none */
    int size;                /* pixels of a crop's side */
    int64_t every;           /* of a take's frames, or of stills, one in so many */
    int skip_missing;        /* 1: a sample whose picture is not there is passed over, not refused */
    double seconds;          /* the child's time */
    int64_t memory;          /* the child's, bytes */
} gn_import;
enum { GN_KEEP_RAW, GN_KEEP_JPEG, GN_KEEP_NONE };

typedef struct {
    const char *name;        /* of the format */
    const char *takes;       /* what SOURCE is */
    const char *about;       /* whose, where from, licence: goes into the provenance */
    const gn_skeleton *skeleton;
    double pixels;           /* the self-check's median error above which nothing is written; 0: has no 2D of its own */
    gn_status (*run)(gn_arena *a, const gn_import *from, gn_sink *to);
} gn_importer;
extern const gn_importer *const gn_importers[]; /* NULL ends */

/* Writes <out>/train.h5 and valid.h5, as far as there are samples of each, both or none; says on `to` what was found and
 * how well it fits. Shards that lie there may be replaced by, or stay beside, others of the same format; GN_NO_CREATE where
 * they are not. GN_BAD_DATA: the source is not what it should be, or the child died on it. */
gn_status gn_import_run(FILE *to, const gn_import *from, gn_arena *a);

/* --- for importers --- */
/* SOURCE if it is a file; else NAME below it, NULL when that is not there. */
gn_status gn_source_file(gn_arena *a, const gn_import *from, const char *name, const char **path);
/* All files below `folder` whose names end so, sorted by path; at most `most`. Links are followed; what cannot be read is
 * GN_MISSING. */
gn_status gn_source_list(gn_arena *a, const char *folder, const char *ending, int most, int *n, const char ***path);
#endif
