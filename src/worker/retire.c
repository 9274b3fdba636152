/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is removed with time, and what crashes left: on a thread of its own, since a large file may take the
 * disk a while.  The row says first that the audio is gone, then the file goes; a crash in between leaves a
 * file that no row speaks of, which the sweep finds.
 */
#include "worker/retire.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/repeat.h"
#include "job/files.h"
#include "store/retention.h"

/* How often it is looked, which is a read of three indexes. */
#define LOOK_INTERVAL_MS 1000

/* A file that is younger may be of a claim or a commit that is under way. */
#define ORPHAN_AGE_S (60 * 60)

/* A folder is swept with each look, so all are within half an hour; a folder holds a thousandth of the audio.
 */
#define FOLDERS (36 * 36)

struct retirer {
    struct retirer_options options;
    struct store *store;
    pthread_t thread;
    int stop_fd; /* an eventfd, readable once the thread is to stop */
    struct retention_cursor cursor;
    unsigned int folder; /* swept next */
    struct repeat fault;
};

/* ---- retention ---- */

struct removal {
    struct commit_work work;
    struct retention_times until;
    struct retention_cursor cursor;
    struct retention_batch batch;
};

static int remove_rows(struct commit_work *work, struct store *store, struct error *err)
{
    struct removal *removal = container_of(work, struct removal, work);
    struct retention_cursor before = removal->cursor;
    int r;

    retention_batch_release(&removal->batch); /* of a turn that was rolled back */
    r = retention_remove(store, &removal->until, &removal->cursor, &removal->batch, err);
    if (r < 0)
        removal->cursor = before;
    return r;
}

static struct retention_times times(const struct retirer *retirer)
{
    const struct settings *settings = retirer->options.settings;
    int64_t now = clock_wall_ms(retirer->options.clock);

    return (struct retention_times){
        .audio = now,
        .jobs = now - settings->retention_jobs,
        .deliveries = now - settings->retention_deliveries,
    };
}

static void report_fault(struct retirer *retirer, const char *what, const char *why)
{
    if (repeat_is_news(&retirer->fault, clock_monotonic_ms(retirer->options.clock)))
        log_error("cannot %s: %s", what, why);
}

/* Removes one batch; false where there is nothing to do, or nothing can be done now. */
static bool retire_batch(struct retirer *retirer)
{
    const struct retention_times until = times(retirer);
    struct removal *removal;
    struct error err = {""};
    bool more;
    int r = retention_is_due(retirer->store, &until, &retirer->cursor, &err);

    if (r == STORE_NOT_FOUND)
        return false;
    removal = r == 0 ? calloc(1, sizeof *removal) : NULL;
    if (removal == NULL) {
        report_fault(retirer, "look for what is to be removed", r < 0 ? err.text : "out of memory");
        return false;
    }
    removal->work.run = remove_rows;
    removal->until = until;
    removal->cursor = retirer->cursor;
    r = committer_call(retirer->options.committer, &removal->work, &err);
    if (r == 0)
        retirer->cursor = removal->cursor;
    else
        report_fault(retirer, "remove what has been kept for its time", err.text);
    if (r == 0 && repeat_is_over(&retirer->fault))
        log_info("what has been kept for its time can be removed again");
    for (size_t i = 0; r == 0 && i < removal->batch.count; i++)
        job_files_remove(retirer->options.settings->downloads_dir, &removal->batch.jobs[i]);
    more = r == 0 && removal->cursor.completed_at != 0;
    more |=
        r == 0 && (removal->batch.count == RETENTION_BATCH || removal->batch.deliveries == RETENTION_BATCH);
    retention_batch_release(&removal->batch);
    free(removal);
    return more;
}

/* ---- the sweep ---- */

/* What a completed job keeps; all else was under construction. */
static bool is_finished(const struct job *job, const char *suffix)
{
    return strcmp(audio_format_name(job->format), suffix) == 0 || timings_is_suffix(suffix);
}

/* Whether a file of downloads_dir or spool_dir, by its name, belongs to nothing that the database knows. */
static bool is_orphan(struct retirer *retirer, const char *name)
{
    cleanup(job_release) struct job job = {0};
    char job_id[JOB_ID_SIZE];
    int64_t number;
    int r;

    if (strlen(name) <= JOB_ID_LENGTH || name[JOB_ID_LENGTH] != '.')
        return false; /* not one of ours: nothing to do with us */
    memcpy(job_id, name, JOB_ID_LENGTH);
    job_id[JOB_ID_LENGTH] = '\0';
    if (!job_id_parse(job_id, &number))
        return false;
    r = job_get(retirer->store, 0, job_id, &job, NULL);
    if (r != 0)
        return r == STORE_NOT_FOUND;
    if (!job_status_is_terminal(job.status))
        return false;
    return job.status != JOB_COMPLETED || job.audio_removed_at != 0 ||
           !is_finished(&job, name + JOB_ID_LENGTH + 1);
}

static void sweep_file(struct retirer *retirer, int folder, const char *name)
{
    struct stat status;

    if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(status.st_mode) ||
        clock_wall_ms(retirer->options.clock) / 1000 - status.st_mtime < ORPHAN_AGE_S)
        return;
    if (is_orphan(retirer, name) && unlinkat(folder, name, 0) == 0)
        log_info("removed a file of a job %.*s…, which has none", 8, name);
}

/* True once the thread is to stop; waits for that so long. */
static bool is_stopping(const struct retirer *retirer, int wait_ms)
{
    struct pollfd stop = {.fd = retirer->stop_fd, .events = POLLIN};

    return poll(&stop, 1, wait_ms) > 0;
}

static void sweep_folder(struct retirer *retirer, const char *path)
{
    struct dirent *entry;
    DIR *folder = opendir(path);

    if (folder == NULL)
        return; /* it is made with the first job whose files lie there */
    while ((entry = readdir(folder)) != NULL && !is_stopping(retirer, 0))
        sweep_file(retirer, dirfd(folder), entry->d_name);
    closedir(folder);
}

/* The next folder of audio and, with each round through them, the spool. */
static void sweep(struct retirer *retirer)
{
    const struct settings *settings = retirer->options.settings;
    char path[PATH_MAX], name[3];

    id_format_number(retirer->folder, name, 2);
    if ((size_t)snprintf(path, sizeof path, "%s/%s", settings->downloads_dir, name) < sizeof path)
        sweep_folder(retirer, path);
    if (retirer->folder == 0)
        sweep_folder(retirer, settings->spool_dir);
    retirer->folder = (retirer->folder + 1) % FOLDERS;
}

/* ---- the thread ---- */

static void *run(void *argument)
{
    struct retirer *retirer = argument;

    do {
        while (!is_stopping(retirer, 0) && retire_batch(retirer))
            ;
        sweep(retirer);
    } while (!is_stopping(retirer, LOOK_INTERVAL_MS));
    return NULL;
}

int retirer_start(const struct retirer_options *options, struct retirer **ret_retirer, struct error *err)
{
    struct retirer *retirer = calloc(1, sizeof *retirer);
    int r;

    if (retirer == NULL)
        return error_set(err, -ENOMEM, "out of memory");
    retirer->options = *options;
    retirer->stop_fd = eventfd(0, EFD_CLOEXEC);
    r = retirer->stop_fd >= 0 ? store_open(options->store, &retirer->store, err)
                              : error_system(err, errno, "cannot make an eventfd");
    if (r == 0 && (r = pthread_create(&retirer->thread, NULL, run, retirer)) != 0)
        r = error_system(err, r, "cannot start a thread");
    if (r < 0) {
        store_close(retirer->store);
        close_fd(&retirer->stop_fd);
        free(retirer);
        return r;
    }
    *ret_retirer = retirer;
    return 0;
}

struct retirer *retirer_stop(struct retirer *retirer)
{
    if (retirer == NULL)
        return NULL;
    eventfd_write(retirer->stop_fd, 1);
    pthread_join(retirer->thread, NULL);
    store_close(retirer->store);
    close_fd(&retirer->stop_fd);
    free(retirer);
    return NULL;
}
