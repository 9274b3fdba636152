/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/restore.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/folder.h"
#include "db/replace.h"

/* The folder of downloads with what waits in it, and where the files of before go.  Descriptors, or -1. */
struct exchange_folders {
    int live;
    int next;
    int aside;
};

static void close_folders(struct exchange_folders *folders)
{
    close_fd(&folders->live);
    close_fd(&folders->next);
    close_fd(&folders->aside);
}

static int exchange_folder(const struct exchange_folders *folders, const char *name, struct error *err)
{
    struct stat status;
    int r;

    if (fstatat(folders->next, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : error_system(err, errno, "cannot look at %s", name);
    r = folder_move(folders->live, folders->aside, name, err);
    return r == 0 ? folder_move(folders->next, folders->live, name, err) : r;
}

static int exchange_all(const struct exchange_folders *folders, struct error *err)
{
    char name[3];
    int r = 0;

    for (unsigned int i = 0; r == 0 && i < RESTORE_FOLDERS; i++) {
        id_format_number(i, name, 2);
        r = exchange_folder(folders, name, err);
    }
    if (r == 0 && unlinkat(folders->live, RESTORE_NEXT, AT_REMOVEDIR) < 0)
        r = error_system(err, errno, "cannot remove the folder " RESTORE_NEXT);
    /* Three folders have changed, all of one file system. */
    if (r == 0 && syncfs(folders->live) < 0)
        r = error_system(err, errno, "cannot sync the folder of downloads");
    return r;
}

/* The folder itself stays, which may be a mount point.  Without what waits in it all is exchanged. */
static int exchange_downloads(const struct restore *restore, struct error *err)
{
    cleanup(close_folders) struct exchange_folders folders = {-1, -1, -1};
    int r = folder_open(restore->settings->downloads_dir, &folders.live, err);

    if (r == 0)
        r = folder_make_at(folders.live, restore->aside_name, 0700, &folders.aside, err);
    if (r == 0)
        r = folder_open_at(folders.live, RESTORE_NEXT, &folders.next, err);
    if (r == 0)
        r = exchange_all(&folders, err);
    else if (r == -ENOENT && folders.aside >= 0)
        return 0;
    return r < 0 ? error_prefix(err, r, "%s", restore->settings->downloads_dir) : 0;
}

static int move_spooled(DIR *spool, int aside, struct error *err)
{
    struct dirent *entry;
    int r = 0;

    while (r == 0 && (entry = readdir(spool)) != NULL)
        if (strncmp(entry->d_name, JOB_ID_PREFIX, sizeof JOB_ID_PREFIX - 1) == 0)
            r = folder_move(dirfd(spool), aside, entry->d_name, err);
    return r;
}

/* What was under construction belongs to the jobs of before. */
static int clear_spool(const struct restore *restore, struct error *err)
{
    DIR *spool = opendir(restore->settings->spool_dir);
    cleanup(close_fd) int aside = -1;
    int r;

    if (spool == NULL)
        return 0;
    r = folder_make_at(dirfd(spool), restore->aside_name, 0700, &aside, err);
    if (r == 0)
        r = move_spooled(spool, aside, err);
    unlinkat(dirfd(spool), restore->aside_name, AT_REMOVEDIR); /* where it is empty */
    closedir(spool);
    return r < 0 ? error_prefix(err, r, "%s", restore->settings->spool_dir) : 0;
}

int restore_exchange(const struct restore *restore, struct error *err)
{
    char folder[PATH_MAX];
    int r = clear_spool(restore, err);

    if (r == 0)
        r = exchange_downloads(restore, err);
    if (r == 0)
        r = db_replace(restore->settings->database, restore->aside_database, restore->next_database, err);
    if (r == 0 && unlink(restore->mark) < 0)
        r = error_system(err, errno, "cannot remove %s", restore->mark);
    if (r < 0)
        return r;
    snprintf(folder, sizeof folder, "%s", restore->mark);
    return file_sync_folder(dirname(folder), err);
}
