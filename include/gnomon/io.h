/* io.h - every durable write of the framework goes through here.
 *
 * A file that matters is written to a temporary name beside it, flushed, synced, renamed, its
 * folder synced, read back and compared. Before the rename the old file is untouched. A full disk
 * is GN_IO, a folder that cannot be made GN_NO_CREATE, a file that is not there GN_MISSING. */
#ifndef GN_IO_H
#define GN_IO_H
#include "gnomon/arena.h"

gn_status gn_io_write(const char *path, const void *bytes, size_t n); /* whole file, durably, by rename */
gn_status gn_io_read(gn_arena *a, const char *path, size_t most, void **bytes, size_t *n); /* a 0 byte follows */
gn_status gn_io_append(const char *path, const char *line);           /* one write(2), with a newline */
gn_status gn_io_folder(const char *path);                             /* and its parents; fine if there */
gn_status gn_io_rename(const char *from, const char *to);             /* then syncs the folder of `to` */
gn_status gn_io_sync(const char *path);                               /* a file or a folder */
gn_status gn_io_remove(const char *path);                             /* a file, or a folder and all in it */
int gn_io_exists(const char *path);

/* One process a folder: an flock on PATH/.lock, held until the arena ends; GN_LOCKED names the holder. */
gn_status gn_io_lock(gn_arena *a, const char *folder);
#endif
