/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/restore.h"

#include <dirent.h>
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "db/replace.h"

/* Whatever is at from goes to a path where nothing is. */
static int move(const char *from, const char *to, struct error *err)
{
    if (access(from, F_OK) < 0)
        return 0;
    if (access(to, F_OK) == 0)
        return error_set(err, -EEXIST, "%s cannot be renamed: %s is there already", from, to);
    return rename(from, to) < 0 ? error_system(err, errno, "cannot rename %s to %s", from, to) : 0;
}

static int exchange_folder(const struct restore *restore, const char *name, struct error *err)
{
    char live[PATH_MAX], next[PATH_MAX], aside[PATH_MAX];
    int r;

    if ((size_t)snprintf(live, sizeof live, "%s/%s", restore->settings->downloads_dir, name) >= sizeof live ||
        (size_t)snprintf(next, sizeof next, "%s/%s", restore->next_downloads, name) >= sizeof next ||
        (size_t)snprintf(aside, sizeof aside, "%s/%s", restore->aside_downloads, name) >= sizeof aside)
        return error_set(err, -ENAMETOOLONG, "the path %s is too long", restore->next_downloads);
    if (access(next, F_OK) < 0)
        return 0;
    r = move(live, aside, err);
    return r == 0 ? move(next, live, err) : r;
}

/* The folder itself stays, which may be a mount point. */
static int exchange_downloads(const struct restore *restore, struct error *err)
{
    char name[3];
    int r = file_make_folder(restore->aside_downloads, 0700, err);

    for (unsigned int i = 0; r == 0 && i < RESTORE_FOLDERS; i++) {
        id_format_number(i, name, 2);
        r = exchange_folder(restore, name, err);
    }
    if (r == 0 && rmdir(restore->next_downloads) < 0 && errno != ENOENT)
        r = error_system(err, errno, "cannot remove the folder %s", restore->next_downloads);
    return r == 0 ? file_sync_folder(restore->settings->downloads_dir, err) : r;
}

/* What was under construction belongs to the jobs of before. */
static int clear_spool(const struct restore *restore, struct error *err)
{
    DIR *folder = opendir(restore->settings->spool_dir);
    struct dirent *entry;
    int r;

    if (folder == NULL)
        return 0;
    r = file_make_folder(restore->aside_spool, 0700, err);
    while (r == 0 && (entry = readdir(folder)) != NULL) {
        char from[PATH_MAX], to[PATH_MAX];

        if (strncmp(entry->d_name, JOB_ID_PREFIX, sizeof JOB_ID_PREFIX - 1) != 0)
            continue;
        if ((size_t)snprintf(from, sizeof from, "%s/%s", restore->settings->spool_dir, entry->d_name) <
                sizeof from &&
            (size_t)snprintf(to, sizeof to, "%s/%s", restore->aside_spool, entry->d_name) < sizeof to)
            r = move(from, to, err);
    }
    closedir(folder);
    rmdir(restore->aside_spool); /* where it is empty */
    return r;
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
