/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a job: audio to disk, then the transaction, then whoever waits for it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/crash.h"
#include "base/file.h"
#include "job/files.h"
#include "worker/internal.h"

/* ---- on the loop's thread ---- */

static void retry_later(struct run *run)
{
    struct worker *worker = run->worker;

    run->next = worker->retries;
    worker->retries = run;
    worker->retry_at = clock_monotonic_ms(worker->options.clock) + FAULT_PAUSE_MS;
}

static void report(const struct run *run)
{
    struct log_context context = run_context(run);
    const struct audio_facts *audio = &run->outcome.audio;

    if (run->ending.result == STORE_STALE)
        log_write(LOG_LEVEL_WARNING, &context,
                  "job was taken over by another worker; its audio of here is discarded");
    else if (run->ending.result == STORE_CANCELLED)
        log_write(LOG_LEVEL_INFO, &context, "job cancelled");
    else if (run->ending.result == STORE_GAVE_UP)
        log_write(LOG_LEVEL_ERROR, &context, "job failed: %s: %s", run->setback->code, run->setback->message);
    else if (!run->put_back && run->outcome.status == JOB_COMPLETED)
        log_write(LOG_LEVEL_INFO, &context, "job completed: %lld characters, %.1f s of audio",
                  (long long)run->job.characters, (double)audio->samples / audio->sample_rate);
    else if (!run->put_back && run->outcome.status == JOB_CANCELLED)
        log_write(LOG_LEVEL_INFO, &context, "job cancelled");
}

static void receive_ending(struct letter *letter)
{
    struct run *run = container_of(letter, struct run, ending_letter);
    struct worker *worker = run->worker;

    if (run->ending.result < 0) {
        struct log_context context = run_context(run);

        if (repeat_is_news(&worker->ending_fault, clock_monotonic_ms(worker->options.clock)))
            log_write(LOG_LEVEL_ERROR, &context, "cannot end jobs yet, this one for one: %s",
                      run->ending.error.text);
        retry_later(run);
        return;
    }
    if (repeat_is_over(&worker->ending_fault))
        log_info("jobs can be ended again");
    worker->ending_count--;
    report(run);
    if (worker->dispatcher != NULL && run->job.webhook_url != NULL)
        dispatcher_wake(worker->dispatcher);
    if (run->put_back) {
        worker->maybe_pending = true;
        worker->claim_not_before = clock_monotonic_ms(worker->options.clock) + FAULT_PAUSE_MS;
    }
    if (!run->left)
        run_forget(run);
    run_free(run);
}

/* ---- on the committer's thread ---- */

/*
 * The audio was renamed into its place, but the claim is not ours any more.  The file goes unless the job is
 * completed, in which case it is, byte for byte, the new owner's.  A new owner that has renamed its own and
 * not committed yet finds it gone, in a transaction of its own: this one excludes that one.
 */
static void discard_audio(const struct run *run, struct store *store)
{
    cleanup(job_release) struct job job = {0};

    if (job_get(store, 0, run->job.job_id, &job, NULL) == STORE_NOT_FOUND || job.status != JOB_COMPLETED)
        job_files_remove(run->worker->options.settings->downloads_dir, &run->job);
}

static int commit_completion(struct run *run, struct store *store, struct error *err)
{
    int r;

    if (access(run->final_path, F_OK) < 0 || !run_has_timings(run)) { /* see above: it is spoken again */
        run->put_back = true;
        return job_put_back(store, run->job.id, run->job.epoch, NULL, err);
    }
    r = job_finish(store, run->job.id, run->job.epoch, &run->outcome, err);
    if (r == STORE_STALE || r == STORE_CANCELLED)
        discard_audio(run, store);
    return r;
}

static int commit_ending(struct commit_work *work, struct store *store, struct error *err)
{
    struct run *run = container_of(work, struct run, ending);

    metric_add(store, METRIC_ENGINE_CHARACTERS, (double)run->engine_chars);
    if (run->put_back)
        return job_put_back(store, run->job.id, run->job.epoch, run->setback, err);
    if (run->outcome.status == JOB_COMPLETED)
        return commit_completion(run, store, err);
    return job_finish(store, run->job.id, run->job.epoch, &run->outcome, err);
}

static void send_letter(struct commit_work *work)
{
    struct run *run = container_of(work, struct run, ending);

    mailbox_send(&run->worker->mailbox, &run->ending_letter);
}

static void post_ending(struct run *run)
{
    run->ending = (struct commit_work){.run = commit_ending, .done = send_letter};
    run->ending_letter.receive = receive_ending;
    if (committer_post(run->worker->committer, &run->ending) < 0) {
        run->ending.result = error_set(&run->ending.error, -EAGAIN, "too many writes are waiting");
        mailbox_send(&run->worker->mailbox, &run->ending_letter);
    }
}

/* ---- the finishers ---- */

/*
 * The audio is durable under its name before the row says so: fsync, rename, fsync of the folder.  Several
 * jobs take each step together, since one commit of the file system's journal then serves for all their
 * renames.
 */
static int complete_audio(struct run *run, struct store *store, struct error *err)
{
    int r = audio_writer_finish(run->audio, &run->outcome.audio, err);

    (void)store;
    run->audio = NULL;
    return r;
}

static int rename_audio(struct run *run, struct store *store, struct error *err)
{
    int r = run_rename_timings(run, err);

    (void)store;
    if (r < 0)
        return r;
    if (rename(run->part_path, run->final_path) < 0)
        return error_system(err, errno, "cannot rename %s to %s", run->part_path, run->final_path);
    return 0;
}

static int sync_audio(struct run *run, struct store *store, struct error *err)
{
    char folder[PATH_MAX];

    (void)store;
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(run->final_path, '/') - run->final_path),
             run->final_path);
    return file_sync_folder(folder, err);
}

static void spoil(struct run *run, int fault, const struct error *err)
{
    unlink(run->part_path);
    run_discard_timings(run);
    run_note_fault(run, fault, err);
    /* The next claim need not speak it again. */
    run->left = run->put_back && run->setback == NULL && run->checkpoint != NULL && run->spool_fd >= 0;
}

static void take_step(struct run *batch, struct store *store,
                      int (*step)(struct run *run, struct store *store, struct error *err))
{
    for (struct run *run = batch; run != NULL; run = run->next) {
        struct error err = {""};
        int r;

        crash_note(run->job.job_id);
        r = run_is_whole(run) ? step(run, store, &err) : 0;
        crash_note(NULL);
        if (r < 0)
            spoil(run, r, &err);
    }
}

static void finish(struct run *batch, struct store *store)
{
    take_step(batch, store, complete_audio);
    take_step(batch, store, run_write_timings);
    take_step(batch, store, rename_audio);
    take_step(batch, store, sync_audio);
    while (batch != NULL) {
        struct run *run = batch;

        batch = run->next;
        run->next = NULL;
        post_ending(run);
    }
}

/* Waits for the first run, and takes those that came with it, up to FINISH_BATCH; NULL when there will be no
 * more. */
static struct run *take_batch(struct finisher_queue *queue)
{
    struct run *batch, **end = &batch;

    pthread_mutex_lock(&queue->mutex);
    while (queue->first == NULL && !queue->stopping)
        pthread_cond_wait(&queue->posted, &queue->mutex);
    batch = queue->first;
    for (int i = 0; i < FINISH_BATCH && *end != NULL; i++)
        end = &(*end)->next;
    queue->first = *end;
    if (queue->first == NULL)
        queue->last = &queue->first;
    *end = NULL;
    pthread_mutex_unlock(&queue->mutex);
    return batch;
}

static void *run_finisher(void *argument)
{
    struct finisher *finisher = argument;
    struct run *batch;

    while ((batch = take_batch(finisher->queue)) != NULL)
        finish(batch, finisher->store);
    return NULL;
}

static int start_finisher(struct worker *worker, struct finisher *finisher, struct error *err)
{
    int r = store_open(&worker->store_options, &finisher->store, err);

    finisher->queue = &worker->finishers;
    if (r == 0 && (r = pthread_create(&finisher->thread, NULL, run_finisher, finisher)) != 0) {
        finisher->store = store_close(finisher->store);
        r = error_system(err, r, "cannot start a thread");
    }
    return r;
}

int finishers_start(struct worker *worker, struct error *err)
{
    struct finisher_queue *queue = &worker->finishers;
    int r = 0;

    queue->last = &queue->first;
    pthread_mutex_init(&queue->mutex, NULL);
    pthread_cond_init(&queue->posted, NULL);
    while (r == 0 && queue->started < FINISHERS) {
        r = start_finisher(worker, &queue->finishers[queue->started], err);
        queue->started += r == 0;
    }
    return r;
}

void finishers_stop(struct worker *worker)
{
    struct finisher_queue *queue = &worker->finishers;

    if (queue->last == NULL)
        return;
    pthread_mutex_lock(&queue->mutex);
    queue->stopping = true;
    pthread_cond_broadcast(&queue->posted);
    pthread_mutex_unlock(&queue->mutex);
    for (size_t i = 0; i < queue->started; i++) {
        pthread_join(queue->finishers[i].thread, NULL);
        store_close(queue->finishers[i].store);
    }
    pthread_cond_destroy(&queue->posted);
    pthread_mutex_destroy(&queue->mutex);
}

void finish_run(struct run *run)
{
    struct finisher_queue *queue = &run->worker->finishers;

    if (!run_is_whole(run)) {
        post_ending(run); /* there is no audio to wait for */
        return;
    }
    pthread_mutex_lock(&queue->mutex);
    *queue->last = run;
    queue->last = &run->next;
    pthread_cond_signal(&queue->posted);
    pthread_mutex_unlock(&queue->mutex);
}

void finish_retries(struct worker *worker, int64_t now)
{
    struct run *run = worker->retries;

    if (run == NULL || now < worker->retry_at)
        return;
    worker->retries = NULL;
    while (run != NULL) {
        struct run *next = run->next;

        run->next = NULL;
        post_ending(run);
        run = next;
    }
}
