/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ownership.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

/* A record of the user database: larger ones are shown as numbers. */
#define USER_RECORD_MAX 4096

void owner_name(uid_t user, char ret_name[OWNER_NAME_SIZE])
{
    char record[USER_RECORD_MAX];
    struct passwd entry, *found = NULL;

    if (getpwuid_r(user, &entry, record, sizeof record, &found) == 0 && found != NULL)
        snprintf(ret_name, OWNER_NAME_SIZE, "%s", found->pw_name);
    else
        snprintf(ret_name, OWNER_NAME_SIZE, "%u", (unsigned int)user);
}

static int refuse_owner(const char *path, uid_t owner, struct error *err)
{
    char name[OWNER_NAME_SIZE], self[OWNER_NAME_SIZE];

    owner_name(owner, name);
    owner_name(geteuid(), self);
    return error_set(err, -EPERM, "it belongs to %s, and this runs as %s; mend it with: chown %s '%s'", name,
                     self, self, path);
}

/* As chmod(1) takes it. */
static const char *mode_change(mode_t forbidden)
{
    return (forbidden & (S_IRGRP | S_IROTH)) != 0 ? "go=" : "go-w";
}

int ownership_check(const char *path, const struct stat *status, enum owner owner, mode_t forbidden,
                    struct error *err)
{
    uid_t self = geteuid();

    if (!S_ISREG(status->st_mode) && !S_ISDIR(status->st_mode))
        return 0;
    if (self != 0 && status->st_uid != self && (owner == OWNER_SELF || status->st_uid != 0))
        return refuse_owner(path, status->st_uid, err);
    if ((status->st_mode & forbidden) != 0)
        return error_set(
            err, -EPERM,
            "its mode is %04o, so that others than its owner may %s it; mend it with: chmod %s '%s'",
            (unsigned int)status->st_mode & 07777, (forbidden & (S_IRGRP | S_IROTH)) != 0 ? "use" : "change",
            mode_change(forbidden), path);
    return 0;
}

int ownership_check_path(const char *path, enum owner owner, mode_t forbidden, struct error *err)
{
    struct stat status;
    int r;

    if (stat(path, &status) == 0)
        r = ownership_check(path, &status, owner, forbidden, err);
    else if (errno == ENOENT)
        r = 0;
    else if (errno == EACCES)
        r = ownership_refuse_reading(path, false, err);
    else
        return error_system(err, errno, "cannot look at %s", path);
    return r < 0 ? error_prefix(err, r, "%s", path) : 0;
}

int ownership_refuse_reading(const char *path, bool is_secret, struct error *err)
{
    char self[OWNER_NAME_SIZE], owner[OWNER_NAME_SIZE];
    struct stat status;

    owner_name(geteuid(), self);
    if (stat(path, &status) < 0)
        return error_set(err, -EACCES, "%s may not enter a folder above it; see: namei -l '%s'", self, path);
    owner_name(status.st_uid, owner);
    if (is_secret && status.st_uid != geteuid()) /* nobody shall take it from the service by mistake */
        return error_set(err, -EACCES,
                         "it is %s's to read, and this runs as %s; where the service does, mend it with: "
                         "chown %s '%s'",
                         owner, self, self, path);
    return error_set(err, -EACCES,
                     "its mode is %04o, so that %s may not read it; mend it with: chmod %s+r '%s'",
                     (unsigned int)status.st_mode & 07777, self, is_secret ? "u" : "a", path);
}

/* Of a file that has a further name, who knows in whose folder that one lies. */
static int give_to_owner_of_folder(int fd, int folder)
{
    struct stat file, parent;

    if (geteuid() != 0)
        return 0;
    if (fstat(fd, &file) < 0 || fstat(folder, &parent) < 0)
        return -errno;
    if (file.st_uid != 0 || parent.st_uid == 0)
        return 0;
    if (!S_ISREG(file.st_mode) || file.st_nlink != 1)
        return -EPERM;
    return fchown(fd, parent.st_uid, parent.st_gid) < 0 ? -errno : 0;
}

int ownership_open(const char *path, int flags, mode_t mode)
{
    cleanup(close_fd) int folder = -1;
    cleanup(close_fd) int fd = -1;
    char above[PATH_MAX], name[PATH_MAX];
    int r;

    if ((size_t)snprintf(above, sizeof above, "%s", path) >= sizeof above)
        return -ENAMETOOLONG;
    memcpy(name, above, sizeof name); /* both functions may write into their argument */
    folder = open(dirname(above), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return -errno;
    fd = openat(folder, basename(name), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | flags, mode);
    if (fd < 0)
        return -errno;
    r = give_to_owner_of_folder(fd, folder);
    return r < 0 ? r : steal_fd(&fd);
}
