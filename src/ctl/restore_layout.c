/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/restore.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file_copy.h"
#include "base/folder.h"

static int lay_file(struct restore *restore, const char *from, int folder, const char *name,
                    struct manifest *found, struct error *err)
{
    const struct file_traits traits = {.uid = restore->owner.st_uid, .gid = restore->owner.st_gid};
    struct file_copy copy = {0};
    int r = file_copy(from, folder, name, restore->link, &traits, &copy, err);

    if (r == FILE_COPY_GONE)
        return error_set(err, -ENOENT, "%s is gone while it is restored", from);
    found->files++;
    found->file_bytes += copy.bytes;
    return r;
}

/* What has the name of a job; nothing else is of a backup. */
static int lay_files(struct restore *restore, const char *from, DIR *files, int folder,
                     struct manifest *found, struct error *err)
{
    struct dirent *entry;
    int r = 0;

    while (r == 0 && (entry = readdir(files)) != NULL) {
        char file[PATH_MAX];

        if (strncmp(entry->d_name, JOB_ID_PREFIX, sizeof JOB_ID_PREFIX - 1) != 0)
            continue;
        if ((size_t)snprintf(file, sizeof file, "%s/%s", from, entry->d_name) >= sizeof file)
            r = error_set(err, -ENAMETOOLONG, "the path %s/%s is too long", from, entry->d_name);
        else
            r = lay_file(restore, file, folder, entry->d_name, found, err);
    }
    return r;
}

/* A folder that root makes is one that the service must be able to change. */
static int make_folder(const struct restore *restore, int next, const char *name, int *ret_folder,
                       struct error *err)
{
    int r = folder_make_at(next, name, 0755, ret_folder, err);

    if (r == 0 && geteuid() == 0 && fchown(*ret_folder, restore->owner.st_uid, restore->owner.st_gid) < 0)
        r = error_system(err, errno, "cannot give %s to the owner of the downloads", name);
    return r;
}

static int lay_folder(struct restore *restore, int next, const char *name, struct manifest *found,
                      struct error *err)
{
    cleanup(close_fd) int folder = -1;
    char from[PATH_MAX];
    DIR *files;
    int r = make_folder(restore, next, name, &folder, err);

    if (r < 0)
        return r;
    if ((size_t)snprintf(from, sizeof from, "%s/" BACKUP_DOWNLOADS "/%s", restore->dir, name) >= sizeof from)
        return error_set(err, -ENAMETOOLONG, "the path %s is too long", restore->dir);
    files = opendir(from);
    if (files == NULL)
        return errno == ENOENT ? 0 : error_system(err, errno, "cannot open the folder %s", from);
    r = lay_files(restore, from, files, folder, found, err);
    closedir(files);
    return r;
}

static int lay_downloads(struct restore *restore, int downloads, struct error *err)
{
    cleanup(close_fd) int next = -1;
    struct manifest found = {0};
    char name[3];
    int r = folder_make_at(downloads, RESTORE_NEXT, 0755, &next, err);

    for (unsigned int i = 0; r == 0 && i < RESTORE_FOLDERS; i++) {
        id_format_number(i, name, 2);
        r = lay_folder(restore, next, name, &found, err);
    }
    if (r == 0 &&
        (found.files != restore->manifest.files || found.file_bytes != restore->manifest.file_bytes))
        r = error_set(err, -EUCLEAN,
                      "the backup has %" PRId64 " files of %" PRId64 " bytes, and its " BACKUP_MANIFEST
                      " speaks of %" PRId64 " of %" PRId64 " bytes",
                      found.files, found.file_bytes, restore->manifest.files, restore->manifest.file_bytes);
    if (r == 0 && syncfs(next) < 0)
        r = error_system(err, errno, "cannot sync the file system of %s", restore->next_downloads);
    return r;
}

/* With the mode of the present database, or one that leaves out others. */
static int lay_database(struct restore *restore, struct error *err)
{
    struct file_traits traits = {0640, restore->owner.st_uid, restore->owner.st_gid};
    struct file_copy copy;
    struct stat present;
    char from[PATH_MAX];
    int r = backup_path(restore->dir, BACKUP_DATABASE, from, err);

    if (stat(restore->settings->database, &present) == 0)
        traits = (struct file_traits){present.st_mode & 0777, present.st_uid, present.st_gid};
    if (r == 0)
        r = file_copy(from, AT_FDCWD, restore->next_database, false, &traits, &copy, err);
    return r == FILE_COPY_GONE ? error_set(err, -ENOENT, "%s is gone while it is restored", from) : r;
}

/* What a restore that was killed before its mark has laid out: folders with files. */
static void clear_next(const struct restore *restore, int downloads)
{
    unlink(restore->next_database);
    folder_remove(downloads, RESTORE_NEXT, 1);
}

int restore_lay_out(struct restore *restore, struct error *err)
{
    cleanup(close_fd) int downloads = -1;
    int r = folder_open(restore->settings->downloads_dir, &downloads, err);

    if (r < 0)
        return r;
    clear_next(restore, downloads);
    if (fstat(downloads, &restore->owner) < 0)
        r = error_system(err, errno, "cannot look at the folder of downloads, %s",
                         restore->settings->downloads_dir);
    if (r == 0)
        r = lay_database(restore, err);
    if (r == 0)
        r = lay_downloads(restore, downloads, err);
    if (r == 0)
        r = file_sync_all(restore->next_database, err);
    if (r < 0)
        clear_next(restore, downloads);
    return r;
}
