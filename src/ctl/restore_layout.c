/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/restore.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/file_copy.h"
#include "job/files.h"

/* root makes what the service must be able to change. */
static int give(const struct restore *restore, const char *path, struct error *err)
{
    if (geteuid() != 0 || lchown(path, restore->owner.st_uid, restore->owner.st_gid) == 0)
        return 0;
    return error_system(err, errno, "cannot give %s to the owner of the downloads", path);
}

static int lay_file(struct restore *restore, const char *from, const char *to, struct manifest *found,
                    struct error *err)
{
    struct file_copy copy = {0};
    int r = file_copy(from, to, restore->link, &copy, err);

    if (r == FILE_COPY_GONE)
        return error_set(err, -ENOENT, "%s is gone while it is restored", from);
    if (r == 0 && !copy.linked)
        r = give(restore, to, err);
    found->files++;
    found->file_bytes += copy.bytes;
    return r;
}

static int lay_folder(struct restore *restore, const char *name, struct manifest *found, struct error *err)
{
    char from[PATH_MAX], to[PATH_MAX];
    struct dirent *entry;
    DIR *folder;
    int r = 0;

    if ((size_t)snprintf(from, sizeof from, "%s/" BACKUP_DOWNLOADS "/%s", restore->dir, name) >= sizeof from)
        return error_set(err, -ENAMETOOLONG, "the path %s is too long", restore->dir);
    folder = opendir(from);
    if (folder == NULL)
        return errno == ENOENT ? 0 : error_system(err, errno, "cannot open the folder %s", from);
    while (r == 0 && (entry = readdir(folder)) != NULL) {
        char file[PATH_MAX];

        if (entry->d_name[0] == '.')
            continue;
        if ((size_t)snprintf(file, sizeof file, "%s/%s", from, entry->d_name) >= sizeof file ||
            (size_t)snprintf(to, sizeof to, "%s/%s/%s", restore->next_downloads, name, entry->d_name) >=
                sizeof to)
            r = error_set(err, -ENAMETOOLONG, "the path %s/%s is too long", from, entry->d_name);
        else
            r = lay_file(restore, file, to, found, err);
    }
    closedir(folder);
    return r;
}

static int lay_downloads(struct restore *restore, struct error *err)
{
    struct manifest found = {0};
    char name[3], path[PATH_MAX];
    int r = file_make_folder(restore->next_downloads, 0755, err);

    if (r == 0)
        r = job_folders_make(restore->next_downloads, err);
    for (unsigned int i = 0; r == 0 && i < RESTORE_FOLDERS; i++) {
        id_format_number(i, name, 2);
        if ((size_t)snprintf(path, sizeof path, "%s/%s", restore->next_downloads, name) >= sizeof path)
            return error_set(err, -ENAMETOOLONG, "the path %s is too long", restore->next_downloads);
        r = give(restore, path, err);
        if (r == 0)
            r = lay_folder(restore, name, &found, err);
    }
    if (r == 0 &&
        (found.files != restore->manifest.files || found.file_bytes != restore->manifest.file_bytes))
        r = error_set(err, -EUCLEAN,
                      "the backup has %" PRId64 " files of %" PRId64 " bytes, and its " BACKUP_MANIFEST
                      " speaks of %" PRId64 " of %" PRId64 " bytes",
                      found.files, found.file_bytes, restore->manifest.files, restore->manifest.file_bytes);
    return r;
}

/* With the mode of the present database, or one that leaves out others. */
static int lay_database(struct restore *restore, struct error *err)
{
    struct file_copy copy;
    struct stat present;
    char from[PATH_MAX];
    int r = backup_path(restore->dir, BACKUP_DATABASE, from, err);

    if (r == 0)
        r = file_copy(from, restore->next_database, false, &copy, err);
    if (r == FILE_COPY_GONE)
        return error_set(err, -ENOENT, "%s is gone while it is restored", from);
    if (r == 0 && stat(restore->settings->database, &present) < 0) {
        present = restore->owner;
        present.st_mode = 0640;
    }
    if (r == 0 && (chmod(restore->next_database, present.st_mode & 0777) < 0 ||
                   (geteuid() == 0 && chown(restore->next_database, present.st_uid, present.st_gid) < 0)))
        r = error_system(err, errno, "cannot set owner and mode of %s", restore->next_database);
    return r;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

/* What a restore that was killed before its mark has laid out. */
static void clear_next(const struct restore *restore)
{
    unlink(restore->next_database);
    nftw(restore->next_downloads, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

int restore_lay_out(struct restore *restore, struct error *err)
{
    int r = 0;

    clear_next(restore);
    if (stat(restore->settings->downloads_dir, &restore->owner) < 0)
        r = error_system(err, errno, "cannot look at the folder of downloads, %s",
                         restore->settings->downloads_dir);
    if (r == 0)
        r = lay_database(restore, err);
    if (r == 0)
        r = lay_downloads(restore, err);
    if (r == 0)
        r = file_sync_all(restore->next_database, err);
    if (r == 0)
        r = file_sync_all(restore->next_downloads, err);
    if (r < 0)
        clear_next(restore);
    return r;
}
