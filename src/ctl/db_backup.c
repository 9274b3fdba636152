/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A backup while the service runs.  The database is copied as of one moment; then the audio of every job that
 * the copy says has some is linked or copied beside it.  What retention has taken meanwhile is marked so in
 * the copy: its rows and its files agree.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/file_copy.h"
#include "codec/json_write.h"
#include "ctl/ctl.h"
#include "ctl/manifest.h"
#include "ctl/progress.h"
#include "db/copy.h"
#include "db/migrate.h"
#include "job/files.h"
#include "store/upkeep.h"

/* Jobs at a time, and rows that are mended in one transaction. */
#define BATCH 64

struct backup {
    struct ctl *ctl;
    char dir[PATH_MAX];       /* as it will be called */
    char part[PATH_MAX];      /* as it is called until it is whole */
    char database[PATH_MAX];  /* in it */
    char downloads[PATH_MAX]; /* in it */
    bool link;
    struct store *store; /* the copy */
    struct manifest manifest;
    int64_t linked;  /* files */
    int64_t audio;   /* jobs with audio that the copy knows */
    int64_t visited; /* of them */
};

/* ---- the folder ---- */

static bool is_empty(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    bool empty = true;

    if (folder == NULL)
        return false;
    while (empty && (entry = readdir(folder)) != NULL)
        empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    closedir(folder);
    return empty;
}

static int name_folder(struct backup *backup, const char *dir, struct error *err)
{
    size_t length = strlen(dir);
    int r;

    while (length > 1 && dir[length - 1] == '/')
        length--;
    if (length == 0 ||
        (size_t)snprintf(backup->dir, sizeof backup->dir, "%.*s", (int)length, dir) >= sizeof backup->dir ||
        (size_t)snprintf(backup->part, sizeof backup->part, "%s.partial", backup->dir) >= sizeof backup->part)
        return error_set(err, -EINVAL, "'%s' is no name for a folder", dir);
    r = backup_path(backup->part, BACKUP_DATABASE, backup->database, err);
    return r == 0 ? backup_path(backup->part, BACKUP_DOWNLOADS, backup->downloads, err) : r;
}

static int make_folder(struct backup *backup, struct error *err)
{
    char path[sizeof backup->dir];
    const char *above;

    memcpy(path, backup->dir, sizeof path); /* dirname() writes into its argument */
    above = dirname(path);
    if (access(backup->dir, F_OK) == 0 && !is_empty(backup->dir))
        return error_set(err, -EEXIST, "%s is there and not an empty folder; a backup needs a new one",
                         backup->dir);
    if (access(above, F_OK) < 0 && errno == ENOENT)
        return error_set(err, -ENOENT, "there is no folder %s; make it with: install -d -m 0700 '%s'", above,
                         above);
    /* 0700: the database has the texts of jobs that wait. */
    if (mkdir(backup->part, 0700) < 0)
        return errno == EEXIST
                   ? error_set(
                         err, -EEXIST,
                         "%s is there: another backup runs, or one was interrupted; then remove it with "
                         "'rm -r %s'",
                         backup->part, backup->part)
                   : error_system(err, errno, "cannot make the folder %s", backup->part);
    return file_make_folder(backup->downloads, 0755, err);
}

/* ---- the database ---- */

static int check_version(struct backup *backup, struct error *err)
{
    const char *database = backup->ctl->options.settings.database;
    int version = 0;
    int r;

    if (access(database, R_OK) < 0)
        return error_system(err, errno, "cannot read the database %s", database);
    r = db_version_of(database, &version, err);
    if (r < 0)
        return r;
    /* The programs of its version know what its rows mean. */
    if (version != db_newest_version())
        return error_set(
            err, -EPROTO,
            "%s has schema version %d, and this program (sayhook %s) makes backups of version %d; "
            "use the sayhookctl of the version that runs, or 'sayhookctl db migrate' first",
            database, version, PACKAGE_VERSION, db_newest_version());
    backup->manifest.schema_version = version;
    return 0;
}

static int copy_database(struct backup *backup, struct error *err)
{
    backup->manifest.created_at = clock_wall_ms(&clock_system);
    return db_copy(backup->ctl->options.settings.database, backup->database, err);
}

static int forget_workers(struct backup *backup, struct error *err)
{
    int r = store_begin(backup->store, "sayhookctl db backup", err);

    if (r == 0)
        r = workers_forget(backup->store, err);
    return r == 0 ? store_commit(backup->store, err) : r;
}

static int open_copy(struct backup *backup, struct error *err)
{
    const struct store_options options = {.path = backup->database, .clock = &clock_system};
    int r = store_open(&options, &backup->store, err);

    if (r == 0)
        r = forget_workers(backup, err);
    if (r == 0)
        r = jobs_count(backup->store, backup->manifest.jobs, err);
    backup->audio = backup->manifest.jobs[JOB_COMPLETED];
    return r;
}

static int finish_database(struct backup *backup, struct error *err)
{
    int version;
    int r;

    backup->store = store_close(backup->store);
    r = db_make_single(backup->database, err);
    if (r == 0)
        r = db_examine(backup->database, &version, err);
    return r == 0 ? manifest_hash(backup->database, &backup->manifest.database_bytes,
                                  backup->manifest.database_sha256, err)
                  : r;
}

/* ---- audio ---- */

/* One file of a job; FILE_COPY_GONE. */
static int copy_file(struct backup *backup, const struct job *job, const char *suffix, int64_t *ret_bytes,
                     struct error *err)
{
    struct file_copy copy = {0};
    char from[PATH_MAX], to[PATH_MAX];
    int r;

    if (!job_beside_path(backup->ctl->options.settings.downloads_dir, job, suffix, from) ||
        !job_beside_path(backup->downloads, job, suffix, to))
        return error_set(err, -ENAMETOOLONG, "the path %s is too long", backup->downloads);
    r = file_copy(from, AT_FDCWD, to, backup->link, NULL, &copy, err);
    if (r != 0)
        return r;
    backup->manifest.files++;
    backup->manifest.file_bytes += copy.bytes;
    backup->linked += copy.linked;
    *ret_bytes = copy.bytes;
    return 0;
}

/* A job has all its files or none. */
static void take_back(struct backup *backup, const struct job *job, const struct manifest *before,
                      int64_t linked)
{
    job_files_remove(backup->downloads, job);
    backup->manifest.files = before->files;
    backup->manifest.file_bytes = before->file_bytes;
    backup->linked = linked;
}

/* FILE_COPY_GONE where a file is not there, or is not what the row says. */
static int copy_files(struct backup *backup, const struct job *job, struct error *err)
{
    struct manifest before = backup->manifest;
    int64_t linked = backup->linked;
    char folder[PATH_MAX];
    int64_t bytes = 0;
    int r;

    if (!job_final_path(backup->downloads, job, folder))
        return error_set(err, -ENAMETOOLONG, "the path %s is too long", backup->downloads);
    r = file_make_folder(dirname(folder), 0755, err);
    if (r == 0)
        r = copy_file(backup, job, audio_format_name(job->format), &bytes, err);
    if (r == 0 && bytes != job->audio.bytes)
        r = FILE_COPY_GONE;
    for (int i = 0; r == 0 && job->timings && i < TIMINGS_FILES; i++)
        r = copy_file(backup, job, timings_suffix((enum timings_file)i), &bytes, err);
    if (r != 0)
        take_back(backup, job, &before, linked);
    return r;
}

static int mend(struct backup *backup, const struct job *lost, size_t count, struct error *err)
{
    int r = count > 0 ? store_begin(backup->store, "sayhookctl db backup", err) : 0;

    if (r < 0 || count == 0)
        return r;
    for (size_t i = 0; r == 0 && i < count; i++)
        r = audio_lost(backup->store, &lost[i], err);
    if (r < 0) {
        store_rollback(backup->store);
        return r;
    }
    backup->manifest.mended += (int64_t)count;
    return store_commit(backup->store, err);
}

static int copy_batch(struct backup *backup, struct job *jobs, size_t count, struct error *err)
{
    size_t lost = 0;
    int r = 0;

    for (size_t i = 0; r >= 0 && i < count; i++) {
        r = copy_files(backup, &jobs[i], err);
        if (r == FILE_COPY_GONE) {
            struct job job = jobs[lost];

            jobs[lost++] = jobs[i];
            jobs[i] = job;
        }
    }
    return r < 0 ? r : mend(backup, jobs, lost, err);
}

static int copy_audio(struct backup *backup, struct progress *progress, struct error *err)
{
    struct audio_walk walk = {0};
    struct job jobs[BATCH];
    size_t count = 0;
    int r;

    do {
        r = audio_walk_next(backup->store, &walk, jobs, BATCH, &count, err);
        if (r < 0)
            return r;
        r = copy_batch(backup, jobs, count, err);
        for (size_t i = 0; i < count; i++)
            job_release(&jobs[i]);
        backup->visited += (int64_t)count;
        if (backup->audio > 0)
            progress_show(progress, "audio", (double)backup->visited / (double)backup->audio);
    } while (r == 0 && count > 0);
    return r;
}

/* ---- all of it ---- */

static int finish_folder(struct backup *backup, struct error *err)
{
    char parent[PATH_MAX];
    int r = file_sync_all(backup->part, err);

    if (r == 0)
        r = manifest_write(&backup->manifest, backup->part, err);
    if (r == 0 && rename(backup->part, backup->dir) < 0)
        r = error_system(err, errno, "cannot rename %s to %s", backup->part, backup->dir);
    if (r < 0)
        return r;
    memcpy(parent, backup->dir, sizeof parent);
    return file_sync_folder(dirname(parent), err);
}

static int make_backup(struct backup *backup, struct error *err)
{
    struct progress progress;
    int r = copy_database(backup, err);

    progress_init(&progress, stderr, isatty(STDERR_FILENO) == 1, &clock_system);
    if (r == 0)
        r = open_copy(backup, err);
    if (r == 0)
        r = copy_audio(backup, &progress, err);
    if (r == 0)
        r = finish_database(backup, err);
    if (r == 0)
        r = finish_folder(backup, err);
    progress_end(&progress);
    store_close(backup->store);
    return r;
}

static int print_backup(const struct backup *backup)
{
    const struct manifest *manifest = &backup->manifest;
    cleanup(buf_release) struct buf text = BUF_INIT(CTL_OUTPUT_MAX);
    int64_t jobs = 0;

    if (backup->ctl->json) {
        buf_append_str(&text, "{");
        json_member_string(&text, "backup", backup->dir);
        manifest_append(manifest, &text);
        json_member_int(&text, "linked", backup->linked);
        buf_append_str(&text, "}");
        return ctl_print(backup->ctl, &text);
    }
    for (int i = 0; i < JOB_STATUS_COUNT; i++)
        jobs += manifest->jobs[i];
    buf_printf(&text,
               "%s: %" PRId64 " jobs, %" PRId64 " files of audio and timings (%" PRId64 " linked), %" PRId64
               " bytes with the database",
               backup->dir, jobs, manifest->files, backup->linked,
               manifest->file_bytes + manifest->database_bytes);
    if (manifest->mended > 0)
        buf_printf(&text, "\n%" PRId64 " jobs whose audio went meanwhile are marked so in it",
                   manifest->mended);
    if (backup->linked > 0)
        buf_append_str(&text,
                       "\nLinked files are on the same disk as the originals: copy the folder elsewhere, "
                       "'cp -a' or rsync");
    return ctl_print(backup->ctl, &text);
}

/* Without it, what is sealed in the backup is sealed for ever.  The services' key need not be ours to see. */
static void remind_of_key(const struct ctl *ctl)
{
    fprintf(stderr, "%s: the key that encrypts webhook secrets is not in it%s; %s\n", ctl->program->name,
            ctl->options.secret_key.given ? ", and they are of no use without it" : "",
            ctl->options.secret_key.given
                ? "keep a copy of it apart, once"
                : "the backup has the secrets in plain text, unless the services have a key as a credential");
}

int ctl_db_backup(struct ctl *ctl, int argc, char **argv)
{
    const char *copy = NULL;
    const struct program_option options[] = {
        {"copy", NULL, "copy files, though they could be linked", &copy},
        {NULL},
    };
    struct backup *backup;
    struct error error;
    char **arguments;
    int code = ctl_read(ctl, argc, argv, options, &arguments);
    int r;

    if (code != OPTIONS_RUN || (code = ctl_load_settings(ctl)) != 0)
        return code;
    backup = calloc(1, sizeof *backup);
    if (backup == NULL)
        return ctl_fail(ctl, EX_OSERR, "out of memory");
    backup->ctl = ctl;
    backup->link = copy == NULL;
    r = name_folder(backup, arguments[0], &error);
    if (r == 0)
        r = check_version(backup, &error);
    if (r == 0)
        r = make_folder(backup, &error);
    if (r < 0) {
        free(backup);
        return ctl_fail_error(ctl, r, &error);
    }
    r = make_backup(backup, &error);
    if (r < 0) {
        code = ctl_fail_error(ctl, r, &error);
        fprintf(stderr, "%s: what there is of the backup is in %s; remove it and begin anew\n",
                ctl->program->name, backup->part);
    } else {
        code = print_backup(backup);
        remind_of_key(ctl);
    }
    free(backup);
    return code;
}
