/* SPDX-License-Identifier: Apache-2.0 */
#include "base/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

int folder_open(const char *path, int *ret_folder, struct error *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return error_system(err, errno, "cannot open the folder %s", path);
    *ret_folder = fd;
    return 0;
}

int folder_open_at(int above, const char *name, int *ret_folder, struct error *err)
{
    int fd = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return error_system(err, errno, "cannot open the folder %s", name);
    *ret_folder = fd;
    return 0;
}

int folder_make_at(int above, const char *name, mode_t mode, int *ret_folder, struct error *err)
{
    cleanup(close_fd) int fd = -1;
    struct stat status;
    int r;

    if (mkdirat(above, name, mode) < 0 && errno != EEXIST)
        return error_system(err, errno, "cannot make the folder %s", name);
    r = folder_open_at(above, name, &fd, err);
    if (r < 0)
        return r;
    if (fstat(fd, &status) < 0)
        return error_system(err, errno, "cannot look at the folder %s", name);
    if (status.st_uid != geteuid())
        return error_set(err, -EPERM, "the folder %s is another user's: remove it", name);
    *ret_folder = steal_fd(&fd);
    return 0;
}

int folder_move(int from, int to, const char *name, struct error *err)
{
    struct stat status;

    if (fstatat(from, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : error_system(err, errno, "cannot look at %s", name);
    if (fstatat(to, name, &status, AT_SYMLINK_NOFOLLOW) == 0)
        return error_set(err, -EEXIST, "%s cannot be moved: where it goes something of that name is already",
                         name);
    return renameat(from, name, to, name) < 0 ? error_system(err, errno, "cannot move %s", name) : 0;
}

static void remove_entries(DIR *folder, int depth)
{
    struct dirent *entry;

    while ((entry = readdir(folder)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (unlinkat(dirfd(folder), entry->d_name, 0) < 0 && errno == EISDIR && depth > 0)
            folder_remove(dirfd(folder), entry->d_name, depth - 1);
    }
}

void folder_remove(int above, const char *name, int depth)
{
    int fd = -1;
    DIR *folder;

    if (folder_open_at(above, name, &fd, NULL) < 0)
        return;
    folder = fdopendir(fd);
    if (folder == NULL) {
        close(fd);
        return;
    }
    remove_entries(folder, depth);
    closedir(folder);
    unlinkat(above, name, AT_REMOVEDIR);
}
