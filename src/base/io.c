/* io.c - temp, write, sync, read back, rename, sync the folder: in this order, or the old file is lost. */
#include "gnomon/io.h"
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

int (*gn_io_fault)(const char *call, const char *path);

static int fault(const char *call, const char *path) {
    int error = gn_io_fault ? gn_io_fault(call, path) : 0;
    if (error) errno = error;
    return error != 0;
}

/* A name that cannot be made is the caller's to correct; anything else is the disk's. */
static gn_status cannot_make(const char *path) {
    int e = errno;
    if (e == ENOENT || e == ENOTDIR || e == EACCES || e == EROFS || e == EISDIR || e == EPERM || e == ENAMETOOLONG)
        GN_FAIL(NO_CREATE, "%s: cannot be created: %s", path, strerror(e));
    GN_FAIL(IO, "%s: cannot be created: %s", path, strerror(e));
}

static gn_status broken(const char *doing, const char *path) {
    GN_FAIL(IO, "%s: cannot be %s: %s", path, doing, strerror(errno));
}

static int put_all(int fd, const char *path, const void *bytes, size_t n) {
    for (const char *at = bytes; n;) {
        ssize_t done = fault("write", path) ? -1 : write(fd, at, n);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return -1;
        at += done;
        n -= (size_t)done;
    }
    return 0;
}

static int sync_fd(int fd, const char *path) {
    int bad;
    do bad = fault("fsync", path) ? -1 : fsync(fd);
    while (bad && errno == EINTR);
    return bad;
}

/* Length of the folder part of a path; 0: the working folder. */
static size_t folder_length(const char *path) {
    const char *slash = strrchr(path, '/');
    return !slash ? 0 : slash == path ? 1 : (size_t)(slash - path);
}

static gn_status sync_folder_of(const char *path) {
    char folder[PATH_MAX];
    size_t n = folder_length(path);
    snprintf(folder, sizeof folder, "%.*s", n ? (int)n : 1, n ? path : ".");
    return gn_io_sync(folder);
}

gn_status gn_io_sync(const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return broken("opened", path);
    int bad = sync_fd(fd, path), e = errno;
    close(fd);
    errno = e;
    return bad ? broken("synced", path) : GN_OK;
}

gn_status gn_io_create(gn_io_file *f, const char *path) {
    f->fd = -1;
    if (strlen(path) >= sizeof f->path) GN_FAIL(NO_CREATE, "path of %zu characters, at most %zu", strlen(path), sizeof f->path - 1);
    strcpy(f->path, path);
    f->fd = fault("open", path) ? -1 : open(path, O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0666);
    return f->fd < 0 ? cannot_make(path) : GN_OK;
}

gn_status gn_io_put(gn_io_file *f, const void *bytes, size_t n) {
    return put_all(f->fd, f->path, bytes, n) ? broken("written", f->path) : GN_OK;
}

gn_status gn_io_close(gn_io_file *f, int sync) {
    if (f->fd < 0) return GN_OK;
    int bad = sync && sync_fd(f->fd, f->path), e = errno;
    if (close(f->fd) && !bad) bad = 1, e = errno;
    f->fd = -1;
    errno = e;
    return bad ? broken("synced", f->path) : GN_OK;
}

static gn_status same(const gn_io_file *f, const void *bytes, size_t n) {
    char piece[1 << 14];
    for (size_t at = 0; at <= n;) {
        ssize_t got = pread(f->fd, piece, sizeof piece, (off_t)at);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return broken("read back", f->path);
        if (got == 0 && at == n) return GN_OK;
        if (got == 0 || at + (size_t)got > n || memcmp(piece, (const char *)bytes + at, (size_t)got)) break;
        at += (size_t)got;
    }
    GN_FAIL(IO, "%s: what was read back is not what was written", f->path);
}

gn_status gn_io_write(const char *path, const void *bytes, size_t n) {
    char temp[PATH_MAX];
    if (snprintf(temp, sizeof temp, "%s.tmp", path) >= (int)sizeof temp)
        GN_FAIL(NO_CREATE, "path of %zu characters, at most %d", strlen(path), PATH_MAX - 5);
    gn_status status = GN_OK;
    gn_io_file f;
    GN_TRY_OR(gn_io_create(&f, temp), undo);
    GN_TRY_OR(gn_io_put(&f, bytes, n), undo);
    if (sync_fd(f.fd, temp)) GN_TRY_OR(broken("synced", temp), undo);
    GN_TRY_OR(same(&f, bytes, n), undo);
    GN_TRY_OR(gn_io_close(&f, 0), undo);
    GN_TRY_OR(gn_io_rename(temp, path), undo);
    return GN_OK;
undo:
    gn_io_close(&f, 0);
    unlink(temp);
    return status;
}

gn_status gn_io_read(gn_arena *a, const char *path, size_t most, void **bytes, size_t *n) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) GN_FAIL(MISSING, "%s: no such file", path);
    if (fd < 0) return broken("opened", path);
    gn_status status = GN_OK;
    struct stat s;
    char *buffer = NULL;
    size_t size = 0, got = 0;
    if (fstat(fd, &s)) GN_TRY_OR(broken("read", path), end);
    if (!S_ISREG(s.st_mode)) GN_TRY_OR(gn_fail(GN_BAD_DATA, __FILE__, __LINE__, "%s: not a file", path), end);
    size = (size_t)s.st_size;
    if (size > most)
        GN_TRY_OR(gn_fail(GN_BAD_DATA, __FILE__, __LINE__, "%s: %zu bytes, at most %zu expected", path, size, most), end);
    buffer = gn_arena_take(a, size + 1);
    if (!buffer) GN_TRY_OR(gn_fail(GN_NO_MEMORY, __FILE__, __LINE__, "out of memory: %s, %zu bytes", path, size), end);
    while (got < size) {
        ssize_t k = read(fd, buffer + got, size - got);
        if (k < 0 && errno == EINTR) continue;
        if (k < 0) GN_TRY_OR(broken("read", path), end);
        if (k == 0) break;
        got += (size_t)k;
    }
    buffer[got] = 0;
    *bytes = buffer;
    *n = got;
end:
    close(fd);
    return status;
}

gn_status gn_io_append(const char *path, const char *line) {
    int fd = fault("open", path) ? -1 : open(path, O_CREAT | O_APPEND | O_WRONLY | O_CLOEXEC, 0666);
    if (fd < 0) return cannot_make(path);
    off_t before = lseek(fd, 0, SEEK_END);
    size_t n = strlen(line) + 1;
    struct iovec part[2] = { { (void *)(uintptr_t)line, n - 1 }, { (void *)(uintptr_t)"\n", 1 } };
    ssize_t done;
    do done = fault("write", path) ? -1 : writev(fd, part, 2);
    while (done < 0 && errno == EINTR);
    int e = done >= 0 ? ENOSPC : errno;
    gn_status status = GN_OK;
    if (done != (ssize_t)n) { /* half a line would join the next one */
        if (done > 0 && ftruncate(fd, before)) e = errno;
        errno = e;
        status = broken("written", path);
    }
    close(fd);
    return status;
}

gn_status gn_io_folder(const char *path) {
    char part[PATH_MAX];
    size_t n = strlen(path);
    if (n == 0 || n >= sizeof part) GN_FAIL(NO_CREATE, "folder name of %zu characters", n);
    memcpy(part, path, n + 1);
    for (size_t i = 1; i <= n; i++) {
        if (part[i] != '/' && part[i]) continue;
        char was = part[i];
        part[i] = 0;
        if (fault("mkdir", part) || (mkdir(part, 0777) && errno != EEXIST)) return cannot_make(part);
        part[i] = was;
    }
    struct stat s;
    if (stat(path, &s) || !S_ISDIR(s.st_mode)) GN_FAIL(NO_CREATE, "%s: cannot be created: a file is in its place", path);
    return GN_OK;
}

gn_status gn_io_rename(const char *from, const char *to) {
    if (fault("rename", to) || rename(from, to)) return broken("renamed", from);
    return sync_folder_of(to);
}

static int remove_one(const char *path, const struct stat *s, int kind, struct FTW *where) {
    (void)s, (void)kind, (void)where;
    return fault("unlink", path) ? -1 : remove(path);
}

gn_status gn_io_remove(const char *path) {
    enum { OPEN_FOLDERS = 16 };
    if (nftw(path, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS) && errno != ENOENT) return broken("removed", path);
    return GN_OK;
}

int gn_io_exists(const char *path) { return access(path, F_OK) == 0; }

static void unlock(void *fd) { close((int)(intptr_t)fd); }

gn_status gn_io_lock(gn_arena *a, const char *folder) {
    char path[PATH_MAX], holder[32] = "";
    snprintf(path, sizeof path, "%s/.lock", folder);
    int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0666);
    if (fd < 0) return cannot_make(path);
    if (flock(fd, LOCK_EX | LOCK_NB)) {
        int held = errno == EWOULDBLOCK;
        ssize_t n = pread(fd, holder, sizeof holder - 1, 0);
        holder[n > 0 ? strspn(holder, "0123456789") : 0] = 0;
        close(fd);
        if (!held) return broken("locked", path);
        GN_FAIL(LOCKED, "%s: held by process %s", folder, holder[0] ? holder : "unknown");
    }
    int n = snprintf(holder, sizeof holder, "%d\n", (int)getpid());
    if (ftruncate(fd, 0) || pwrite(fd, holder, (size_t)n, 0) != n) {
        close(fd);
        return broken("written", path);
    }
    gn_status status = gn_arena_at_end(a, unlock, (void *)(intptr_t)fd);
    if (status) close(fd);
    return status;
}
