/* layout.h - where the files of a set lie: annotations named by split, pictures in one of a few folders. */
#ifndef GN_LAYOUT_H
#define GN_LAYOUT_H
#include "gnomon/import.h"

/* 1: of the validation split. The file's name says so ("val", "test"; "train" is stronger), else its folder's. */
int gn_layout_valid(const char *path);

/* Files SOURCE stands for: itself, or below it all whose names begin and end so. A file "..trainval.." is left out where
 * its "..train.." is there too. At least one, else GN_MISSING. */
gn_status gn_layout_files(gn_arena *a, const gn_import *from, const char *begins, const char *ends, int *n, const char ***path);

/* Looked for below --pictures, else below the folder of the annotations and its parents. */
enum { GN_LAYOUT_BASES = 3, GN_LAYOUT_FOLDERS = 8 };
typedef struct {
    int any;                                     /* 0: no picture is wanted */
    int bases, folders, base, folder;            /* the last two: where the last one was found */
    const char *in[GN_LAYOUT_BASES], *below[GN_LAYOUT_FOLDERS];
} gn_layout;
/* `folders` ends with NULL; each with its slash, "" among them. */
gn_status gn_layout_open(gn_arena *a, const gn_import *from, const char *annotations, const char *const *folders, gn_layout *l);
/* The picture's whole path; returns 0, and the first place it might be at, where there is none of that name. */
int gn_layout_picture(gn_layout *l, const char *name, char path[512]);
#endif
