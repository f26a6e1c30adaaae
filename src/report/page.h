/* page.h - what a report shows, apart from where it comes from. */
#ifndef GN_PAGE_H
#define GN_PAGE_H
#include "draw.h"
#include "records.h"

typedef struct { const char *name, *text; } gn_fact;

typedef struct {                 /* a held-out sample */
    const char *caption;
    gn_image picture, heat;      /* heat: maps in the colours of their sides over the dimmed picture */
    const gn_judged *judged;
} gn_exhibit;
typedef struct { const char *title; int n; gn_exhibit *shown; } gn_row;

typedef struct {                 /* a validation set */
    gn_scores scores;
    const char *about, *licence;
    int n_row; gn_row row[4];
} gn_section;

typedef struct {
    const char *title, *subtitle;
    int n_fact; const gn_fact *fact;
    const gn_records *records;
    int n_section; const gn_section *section;
    const char *experiment;      /* the resolved file, or NULL */
} gn_page;

gn_status gn_page_write(FILE *to, gn_arena *a, const gn_page *page);
extern const char *const gn_page_style[]; /* NULL ends */

/* The joints' maps [J h w], each 1 at its peak, over the picture. */
gn_status gn_heat_picture(gn_arena *a, const gn_skeleton *s, const gn_image *picture, int w, int h, const float *map,
                          gn_image *heat);
#endif
