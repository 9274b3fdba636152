/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What long jobs keep is made durable while they are spoken, so that a crash of the machine costs some two
 * minutes of them.
 *
 * A sync may take the disk seconds, so it has a thread of its own; one at a time, since more would only make
 * the disk seek.  It knows the files by their names and nothing of the run, which may end meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "job/files.h"
#include "worker/internal.h"

/* Marks, samples, words, and the folders that they lie in. */
#define PATHS_MAX 5

struct sync_work {
    struct worker *worker;
    pthread_t thread;
    int64_t job;
    int64_t epoch;
    int64_t marks; /* that are durable afterwards */
    size_t count;
    char paths[PATHS_MAX][PATH_MAX];
    int result;
    struct error error;
    struct letter letter;
};

/* ---- on any thread ---- */

static int sync_paths(const struct sync_work *work, struct error *err)
{
    for (size_t i = 0; i < work->count; i++) {
        cleanup(close_fd) int fd = open(work->paths[i], O_RDONLY | O_CLOEXEC);

        if (fd < 0 || fsync(fd) < 0)
            return error_system(err, errno, "cannot sync %s", work->paths[i]);
    }
    return 0;
}

static void *run_sync(void *argument)
{
    struct sync_work *work = argument;

    work->result = sync_paths(work, &work->error);
    mailbox_send(&work->worker->mailbox, &work->letter);
    return NULL;
}

/* ---- on the loop's thread ---- */

static void add_spooled(struct sync_work *work, const struct run *run, const char *suffix)
{
    const char *spool = run->worker->options.settings->spool_dir;

    if (job_spool_path(spool, &run->job, run->job.epoch, suffix, work->paths[work->count]))
        work->count++; /* else it could not have been made */
}

/* The files that the run keeps, and their folders. */
static void gather(const struct run *run, struct sync_work *work)
{
    const char *spool = run->worker->options.settings->spool_dir;

    *work = (struct sync_work){.worker = run->worker, .job = run->job.id, .epoch = run->job.epoch};
    work->marks = checkpoint_count(run->checkpoint);
    add_spooled(work, run, SPOOL_MARKS);
    if (run->words != NULL)
        add_spooled(work, run, SPOOL_WORDS);
    snprintf(work->paths[work->count++], PATH_MAX, "%s", spool);
    if (run->spool_fd >= 0) {
        add_spooled(work, run, SPOOL_SAMPLES);
        return;
    }
    snprintf(work->paths[work->count++], PATH_MAX, "%s", run->part_path);
    snprintf(work->paths[work->count++], PATH_MAX, "%.*s",
             (int)(strrchr(run->part_path, '/') - run->part_path), run->part_path);
}

int run_make_durable(struct run *run, struct error *err)
{
    struct sync_work work;
    int r;

    if (run->mark.samples == 0)
        return 0;
    gather(run, &work);
    r = sync_paths(&work, err);
    return r < 0 ? r : checkpoint_add(run->checkpoint, &run->mark, true, err);
}

static void report(const struct run *run, const struct sync_work *work)
{
    struct log_context context = run_context(run);

    if (work->result < 0)
        log_write(LOG_LEVEL_WARNING, &context, "what is spoken may not survive the machine's end: %s",
                  work->error.text);
    else
        checkpoint_vouch(run->checkpoint, work->marks);
}

static void receive(struct letter *letter)
{
    struct sync_work *work = container_of(letter, struct sync_work, letter);
    struct worker *worker = work->worker;

    if (!worker->stopped) /* else durable_stop() has done so */
        pthread_join(work->thread, NULL);
    worker->syncing = NULL;
    for (const struct run *run = worker->runs; run != NULL; run = run->next)
        if (run->job.id == work->job && run->job.epoch == work->epoch)
            report(run, work);
    free(work);
}

/* The run that has waited longest; NULL where none is due. */
static struct run *due_run(const struct worker *worker, int64_t now)
{
    struct run *due = NULL;

    for (struct run *run = worker->runs; run != NULL; run = run->next)
        if (run->checkpoint != NULL && run->mark.samples > 0 && now >= run->sync_at &&
            (due == NULL || run->sync_at < due->sync_at))
            due = run;
    return due;
}

void watch_durability(struct worker *worker, int64_t now)
{
    struct run *run = worker->syncing == NULL ? due_run(worker, now) : NULL;
    struct sync_work *work = run != NULL ? malloc(sizeof *work) : NULL;

    if (run == NULL)
        return;
    run->sync_at = now + SYNC_INTERVAL_MS;
    if (work == NULL)
        return;
    gather(run, work);
    work->letter.receive = receive;
    if (pthread_create(&work->thread, NULL, run_sync, work) == 0)
        worker->syncing = work;
    else
        free(work);
}

void durable_stop(struct worker *worker)
{
    if (worker->syncing != NULL)
        pthread_join(worker->syncing->thread, NULL);
}
