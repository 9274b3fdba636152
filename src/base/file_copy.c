/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"

/* What one call is asked to move: so many bytes that a signal need not wait for all of a large file. */
#define STEP_BYTES ((size_t)64 << 20)

/* copy_file_range(2) knows not every pair of file systems; sendfile(2) does. */
static ssize_t move_bytes(int from, int to)
{
    ssize_t moved = copy_file_range(from, NULL, to, NULL, STEP_BYTES, 0);

    if (moved < 0 && (errno == EXDEV || errno == EINVAL || errno == EOPNOTSUPP || errno == ENOSYS))
        moved = sendfile(to, from, NULL, STEP_BYTES);
    return moved;
}

static int fill(int from, int to, const char *path, struct error *err)
{
    ssize_t moved;

    if (ioctl(to, FICLONE, from) == 0)
        return 0;
    do {
        moved = move_bytes(from, to);
    } while (moved > 0 || (moved < 0 && errno == EINTR));
    return moved < 0 ? error_system(err, errno, "cannot write %s", path) : 0;
}

static int set_traits(int to, const struct stat *from, const struct file_traits *traits)
{
    mode_t mode = traits != NULL && traits->mode != 0 ? traits->mode : from->st_mode;

    if (fchmod(to, mode & 0777) < 0)
        return -1;
    if (geteuid() != 0)
        return 0;
    return traits != NULL ? fchown(to, traits->uid, traits->gid) : fchown(to, from->st_uid, from->st_gid);
}

static int copy_bytes(int from, const struct stat *status, int folder, const char *name,
                      const struct file_traits *traits, struct error *err)
{
    cleanup(close_fd) int to = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int r;

    if (to < 0)
        return error_system(err, errno, "cannot create %s", name);
    r = fill(from, to, name, err);
    if (r == 0 && set_traits(to, status, traits) < 0)
        r = error_system(err, errno, "cannot set owner and mode of %s", name);
    if (r < 0)
        unlinkat(folder, name, 0);
    return r;
}

/* 0 once it has the further name; FILE_COPY_GONE; EXDEV where it has to be copied. */
static int try_link(const char *from, int folder, const char *name, struct error *err)
{
    if (linkat(AT_FDCWD, from, folder, name, 0) == 0)
        return 0;
    switch (errno) {
    case ENOENT:
        return FILE_COPY_GONE;
    case EXDEV:
    case EPERM:
    case EMLINK:
    case EOPNOTSUPP:
        return EXDEV;
    default:
        return error_system(err, errno, "cannot link %s to %s", from, name);
    }
}

/* Names share what a file has, so that a link would have the other's. */
static bool has_traits(const struct stat *status, const struct file_traits *traits)
{
    if (traits == NULL)
        return true;
    return (traits->mode == 0 || (status->st_mode & 0777) == traits->mode) &&
           (geteuid() != 0 || (status->st_uid == traits->uid && status->st_gid == traits->gid));
}

int file_copy(const char *from, int folder, const char *name, bool link, const struct file_traits *traits,
              struct file_copy *ret_copy, struct error *err)
{
    /* Whoever put a pipe there does not keep the caller waiting. */
    cleanup(close_fd) int fd = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat status;
    int r = EXDEV;

    if (fd < 0 && errno == ENOENT)
        return FILE_COPY_GONE;
    if (fd < 0 || fstat(fd, &status) < 0)
        return error_system(err, errno, "cannot open %s", from);
    if (!S_ISREG(status.st_mode))
        return error_set(err, -EINVAL, "%s is no regular file", from);
    if (link && has_traits(&status, traits))
        r = try_link(from, folder, name, err);
    *ret_copy = (struct file_copy){.bytes = status.st_size, .linked = r == 0};
    return r == EXDEV ? copy_bytes(fd, &status, folder, name, traits, err) : r;
}

int file_sync_all(const char *path, struct error *err)
{
    cleanup(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || syncfs(fd) < 0)
        return error_system(err, errno, "cannot sync the file system of %s", path);
    return 0;
}
