/* io.h - every durable write of the framework goes through here.
 *
 * A file that matters is written to a temporary name beside it, flushed, synced, read back and
 * compared, renamed, and its folder synced. Until the rename the old file is untouched. A full disk
 * is GN_IO, a path that cannot be made GN_NO_CREATE, a file that is not there GN_MISSING. */
#ifndef GN_IO_H
#define GN_IO_H
#include "gnomon/arena.h"

gn_status gn_io_write(const char *path, const void *bytes, size_t n); /* whole file, durably, by rename */
gn_status gn_io_read(gn_arena *a, const char *path, size_t most, void **bytes, size_t *n); /* a 0 byte follows */
gn_status gn_io_append(const char *path, const char *line);           /* one write, with a newline, or nothing */
gn_status gn_io_folder(const char *path);                             /* and its parents; fine if there */
gn_status gn_io_rename(const char *from, const char *to);             /* then syncs the folder of `to` */
gn_status gn_io_sync(const char *path);                               /* a file or a folder */
gn_status gn_io_remove(const char *path);                             /* a file, or a folder and all in it; fine if not there */
int gn_io_exists(const char *path);

/* A file written in pieces, under the name it will keep: for files of a folder that is renamed when
 * all of it is there. Nothing is compared here: whoever renames the folder reads it back first. */
typedef struct { int fd; char path[4096]; } gn_io_file;
gn_status gn_io_create(gn_io_file *f, const char *path);
gn_status gn_io_put(gn_io_file *f, const void *bytes, size_t n);
gn_status gn_io_close(gn_io_file *f, int sync); /* fine after a failure, and twice */

/* One process a folder: an flock on PATH/.lock, held until the arena ends; GN_LOCKED names the holder. */
gn_status gn_io_lock(gn_arena *a, const char *folder);

/* For tests: asked before each open, write, fsync, rename and unlink that changes the disk. What it returns,
 * when not 0, becomes the errno of a failed call; a test may also leave the process inside it. */
extern int (*gn_io_fault)(const char *call, const char *path);
#endif
