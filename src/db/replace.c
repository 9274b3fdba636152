/* SPDX-License-Identifier: Apache-2.0 */
#include "db/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"

/*
 * The byte of the index of the WAL on which every connection holds a shared lock while it is open
 * (UNIX_SHM_DMS of SQLite's os_unix.c: behind the 120 bytes of the header and the eight of other locks).  The
 * place is a part of SQLite's file format, by which its versions live together.
 */
#define INDEX_USERS_BYTE 128

int db_is_in_use(const char *path, int *ret_pid, struct error *err)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = INDEX_USERS_BYTE, .l_len = 1};
    cleanup(close_fd) int fd = -1;
    char index[PATH_MAX];

    if ((size_t)snprintf(index, sizeof index, "%s-shm", path) >= sizeof index)
        return error_set(err, -ENAMETOOLONG, "the path of the database, %s, is too long", path);
    /* As SQLite opens it; and whoever put a pipe there keeps nobody waiting. */
    fd = open(index, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0)
        return error_system(err, errno, "cannot open %s", index);
    if (fcntl(fd, F_GETLK, &lock) < 0)
        return error_system(err, errno, "cannot ask for the locks on %s", index);
    if (lock.l_type == F_UNLCK)
        return 0;
    *ret_pid = lock.l_pid > 0 ? lock.l_pid : 0;
    return DB_IN_USE;
}

bool db_path_restore_mark(const char *path, char ret_path[PATH_MAX])
{
    return (size_t)snprintf(ret_path, PATH_MAX, "%s-restore", path) < PATH_MAX;
}

int db_refuse_restore(const char *path, struct error *err)
{
    char mark[PATH_MAX];

    if (!db_path_restore_mark(path, mark))
        return error_set(err, -ENAMETOOLONG, "the path of the database, %s, is too long", path);
    return access(mark, F_OK) == 0
               ? error_set(err, -EUCLEAN,
                           "a restore of %s was interrupted; 'sayhookctl db restore' finishes it", path)
               : 0;
}

/* Unless that was done: nothing is ever overwritten. */
static int move_aside(const char *path, const char *aside, const char *suffix, struct error *err)
{
    char from[PATH_MAX], to[PATH_MAX];

    if ((size_t)snprintf(from, sizeof from, "%s%s", path, suffix) >= sizeof from ||
        (size_t)snprintf(to, sizeof to, "%s%s", aside, suffix) >= sizeof to)
        return error_set(err, -ENAMETOOLONG, "the path of the database, %s, is too long", path);
    if (access(from, F_OK) < 0)
        return 0;
    if (access(to, F_OK) == 0)
        return error_set(err, -EEXIST, "%s is there already", to);
    return rename(from, to) < 0 ? error_system(err, errno, "cannot rename %s to %s", from, to) : 0;
}

int db_replace(const char *path, const char *aside, const char *next, struct error *err)
{
    /* The database last: as long as it is there, what belongs to it may still be. */
    static const char *const suffixes[] = {"-wal", "-shm", "-journal", ""};
    char folder[PATH_MAX];
    int r = 0;

    if (access(next, F_OK) < 0)
        return errno == ENOENT ? 0 : error_system(err, errno, "cannot look at %s", next);
    for (size_t i = 0; r == 0 && i < array_length(suffixes); i++)
        r = move_aside(path, aside, suffixes[i], err);
    if (r == 0 && rename(next, path) < 0)
        r = error_system(err, errno, "cannot rename %s to %s", next, path);
    if (r < 0)
        return r;
    snprintf(folder, sizeof folder, "%s", path);
    return file_sync_folder(dirname(folder), err);
}
