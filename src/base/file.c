/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/cleanup.h"
#include "base/id.h"
#include "base/ownership.h"

#define READ_CHUNK 65536

int file_write_all(int fd, const void *bytes, size_t size, struct error *err)
{
    const char *at = bytes;

    while (size > 0) {
        ssize_t written = write(fd, at, size);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return error_system(err, errno, "cannot write");
        at += written;
        size -= (size_t)written;
    }
    return 0;
}

int file_read(const char *path, struct buf *buf, struct error *err)
{
    cleanup(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return error_system(err, errno, "cannot open %s", path);
    for (;;) {
        size_t room = buf->maximum - buf->length < READ_CHUNK ? buf->maximum - buf->length + 1 : READ_CHUNK;
        char chunk[READ_CHUNK];
        ssize_t got = read(fd, chunk, room);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_system(err, errno, "cannot read %s", path);
        if (got == 0)
            return 0;
        buf_append(buf, chunk, (size_t)got);
        if (!buf_ok(buf))
            return error_set(err, -EFBIG, "%s is larger than %zu bytes", path, buf->maximum);
    }
}

int file_sync_folder(const char *folder, struct error *err)
{
    cleanup(close_fd) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return error_system(err, errno, "cannot open the folder %s", folder);
    if (fsync(fd) < 0)
        return error_system(err, errno, "cannot sync the folder %s", folder);
    return 0;
}

static int write_and_sync(const char *path, const void *bytes, size_t size, mode_t mode, struct error *err)
{
    cleanup(close_fd) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    int r;

    if (fd < 0)
        return error_system(err, errno, "cannot create %s", path);
    r = file_write_all(fd, bytes, size, err);
    if (r < 0)
        return error_prefix(err, r, "%s", path);
    if (fsync(fd) < 0)
        return error_system(err, errno, "cannot sync %s", path);
    return 0;
}

int file_replace(const char *path, const void *bytes, size_t size, mode_t mode, struct error *err)
{
    char temporary[PATH_MAX];
    char folder[PATH_MAX];
    char mark[9];
    int r;

    id_random(mark, sizeof mark - 1);
    if ((size_t)snprintf(temporary, sizeof temporary, "%s.%s.part", path, mark) >= sizeof temporary)
        return error_set(err, -ENAMETOOLONG, "the path %s is too long", path);
    r = write_and_sync(temporary, bytes, size, mode, err);
    if (r == 0 && rename(temporary, path) < 0)
        r = error_system(err, errno, "cannot rename %s to %s", temporary, path);
    if (r < 0) {
        unlink(temporary);
        return r;
    }
    memcpy(folder, path, strlen(path) + 1); /* dirname() writes into its argument */
    return file_sync_folder(dirname(folder), err);
}

int file_make_folder(const char *folder, mode_t mode, struct error *err)
{
    if (mkdir(folder, mode) < 0 && errno != EEXIST)
        return error_system(err, errno, "cannot make the folder %s", folder);
    return 0;
}

int file_lock(const char *path, bool wait, int *ret_fd, struct error *err)
{
    cleanup(close_fd) int fd = ownership_open(path, 0, 0660);

    if (fd < 0)
        return error_system(err, -fd, "cannot open the lock file %s", path);
    while (flock(fd, wait ? LOCK_EX : LOCK_EX | LOCK_NB) < 0) {
        if (errno == EWOULDBLOCK)
            return FILE_LOCK_HELD;
        if (errno != EINTR)
            return error_system(err, errno, "cannot lock %s", path);
    }
    *ret_fd = steal_fd(&fd);
    return 0;
}

bool file_lock_is_free(const char *path)
{
    cleanup(close_fd) int fd = -1;
    struct stat status;

    /* Opening alone does something to some devices, and a path out of a database is not root's own. */
    if (lstat(path, &status) < 0)
        return errno == ENOENT;
    if (!S_ISREG(status.st_mode) || (fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC)) < 0)
        return false;
    return flock(fd, LOCK_EX | LOCK_NB) == 0; /* closing gives it back */
}

int file_space_left(const char *path, uint64_t *ret_bytes, struct error *err)
{
    struct statvfs fs;

    if (statvfs(path, &fs) < 0)
        return error_system(err, errno, "cannot ask for the space left at %s", path);
    *ret_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
    return 0;
}
