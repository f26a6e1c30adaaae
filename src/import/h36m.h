/* h36m.h - what the forms of Human3.6M have in common: its joints, its four cameras, its people. */
#ifndef GN_H36M_H
#define GN_H36M_H
#include "gnomon/import.h"

enum { GN_H36M_JOINTS = 17, GN_H36M_RAW = 32, GN_H36M_VIEWS = 4, GN_H36M_PEOPLE = 11 };
extern const int gn_h36m_of_raw[GN_H36M_JOINTS];  /* its 17 among its 32 */

typedef struct {
    const char *name;   /* "54138969" */
    int w, h;
    gn_lens lens;
} gn_h36m_eye;
extern const gn_h36m_eye gn_h36m_eyes[GN_H36M_VIEWS]; /* published; the same for everybody */

/* A camera's place as its file has it: whether R is transposed, and whether t is where the camera stands or where
 * the world's origin lies, is told by projecting. Metres. */
typedef struct { int known; double R[9], t[3]; gn_lens lens; } gn_h36m_view;
typedef struct {
    const char *path;
    gn_h36m_view view[GN_H36M_PEOPLE + 1][GN_H36M_VIEWS]; /* by subject, from 1 */
    int reading;                                          /* 1: R transposed, 2: t is the world's origin; 0: as cameras.h5 */
} gn_h36m_cameras;

/* cameras.h5, metadata.xml, h36m_dataset.py or Human36M_subjectN_camera.json, in `folder`; GN_MISSING: none of them. */
gn_status gn_h36m_cameras_find(gn_arena *a, const char *folder, gn_h36m_cameras *c);
gn_status gn_h36m_cameras_json(gn_arena *a, const char *path, int subject, gn_h36m_cameras *c);
int gn_h36m_pose(const gn_h36m_cameras *c, int reading, int subject, int view, double pose[12]); /* 0: not known */

/* Evidence for the four readings: points of a moment seen by a camera, and what they should project on - the points `uv`,
 * or without them the box x y w h. */
typedef struct { double pixels[4]; int64_t n; } gn_h36m_trial;
void gn_h36m_try(const gn_h36m_cameras *c, int subject, int view, double (*world)[3], double (*uv)[2], const double box[4], gn_h36m_trial *t);
/* Chooses the reading that fits, says which on `to`; GN_BAD_DATA: none does. */
gn_status gn_h36m_settle(gn_h36m_cameras *c, const gn_h36m_trial *t, gn_sink *to);

/* Joints of the camera from those of the world; sets joints3d, labelled3d, camera's fields. */
void gn_h36m_place(const double pose[12], const gn_lens *lens, double (*world)[3], gn_import_sample *x);
void gn_h36m_project(gn_import_sample *x);                   /* 2D as the lens shows it */
int gn_h36m_valid(int subject);                              /* 9 and 11 are for validation */
/* 1: S11's Directions, whose video and poses are not of one take; */
int gn_h36m_broken(int subject, const char *action);

gn_status gn_h36m_npz(gn_arena *a, const gn_import *from, const char *path, gn_sink *to);
gn_status gn_h36m_annot(gn_arena *a, const gn_import *from, int n, const char **path, gn_sink *to);
gn_status gn_h36m_json(gn_arena *a, const gn_import *from, int n, const char **path, gn_sink *to);
#endif
