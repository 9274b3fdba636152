/* SPDX-License-Identifier: Apache-2.0 */
/* A job while it is spoken: text in pieces, segments to the synthesizers, samples joined in the order of the
 * text. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "job/catalogue.h"
#include "job/files.h"
#include "worker/internal.h"

/* 0 where an older version knew the voice: the engine will refuse it. */
static int rate_of(const struct job *job)
{
    const struct language *language = catalogue_find_language(job->language);
    const struct voice *voice = language != NULL ? catalogue_find_voice(language, job->voice) : NULL;

    return voice != NULL ? voice->sample_rate : 0;
}

struct run *run_new(struct worker *worker, struct job *job, const char *text, size_t text_size)
{
    struct run *run = calloc(1, sizeof *run);
    const char *downloads = worker->options.settings->downloads_dir;
    struct error err = {""};

    if (run == NULL)
        return NULL;
    run->segmenter = segmenter_new(text_language_find(job->language));
    run->text = malloc(text_size + 1);
    if (run->segmenter == NULL || run->text == NULL) {
        segmenter_free(run->segmenter);
        free(run->text);
        free(run);
        return NULL;
    }
    memcpy(run->text, text, text_size);
    run->text_size = text_size;
    run->worker = worker;
    run->claimed_by = atomic_load(&worker->lease.worker);
    run->job = *job;
    *job = (struct job){0};
    run->sample_rate = rate_of(&run->job);
    run->last = &run->first;
    run->last_task = &run->first_task;
    run->spool_fd = -1;
    run->sync_at = clock_monotonic_ms(worker->options.clock) + SYNC_INTERVAL_MS;
    if (!job_final_path(downloads, &run->job, run->final_path) ||
        !job_part_path(downloads, &run->job, audio_format_name(run->job.format), run->job.epoch,
                       run->part_path))
        return run_free(run);
    if (run->job.epoch > 1 && run_resume(run, &err) < 0)
        return run_free(run);
    /* What other claims left, which ended in a crash or are stale, is nobody's. */
    if (run->job.epoch > 1)
        job_files_discard(worker->options.settings, &run->job, run->job.epoch - 1, true);
    return run;
}

void utterance_free(struct utterance *utterance)
{
    segment_release(&utterance->segment);
    free(utterance->task.samples);
    free(utterance->task.words);
    free(utterance);
}

static void drop_utterances(struct run *run)
{
    while (run->first != NULL) {
        struct utterance *utterance = run->first;

        run->first = utterance->next;
        if (utterance->state == UTTERANCE_SPEAKING)
            synth_pool_drop(run->worker->pool, &utterance->task);
        utterance_free(utterance);
    }
    run->last = &run->first;
    run->utterances = 0;
}

struct run *run_free(struct run *run)
{
    if (run == NULL)
        return NULL;
    drop_utterances(run);
    segmenter_free(run->segmenter);
    free(run->text);
    encode_tasks_free(run);
    audio_writer_abandon(run->audio);
    checkpoint_close(run->checkpoint);
    word_spool_close(run->words);
    close_fd(&run->spool_fd);
    job_release(&run->job);
    free(run);
    return NULL;
}

struct log_context run_context(const struct run *run)
{
    return (struct log_context){.job_id = run->job.job_id, .request_id = run->job.request_id};
}

/* ---- ends ---- */

static void unlist(struct run *run)
{
    struct run **link = &run->worker->runs;

    while (*link != run)
        link = &(*link)->next;
    *link = run->next;
    run->next = NULL;
    run->worker->run_count--;
    flow_leave(run->flow);
}

bool run_is_whole(const struct run *run)
{
    return !run->put_back && run->outcome.status == JOB_COMPLETED;
}

void run_settle(struct run *run)
{
    if (run->progress_posted || run->encoding > 0)
        return; /* the last letter hands it over */
    if (run->worker->stopped) {
        run_free(run);
        return;
    }
    if (run->put_back && run->setback == NULL)
        run->left = run_leave(run);
    if (!run_is_whole(run))
        run->audio = audio_writer_abandon(run->audio);
    finish_run(run);
}

/* From here on the loop does not touch the run until its ending letter comes. */
static void end(struct run *run)
{
    drop_utterances(run);
    unlist(run);
    run->worker->ending_count++;
    run->over = true;
    encode_drop(run); /* there is nothing to drop of a run that is whole */
    run_settle(run);
}

/* A JSON array, or NULL where all that was read could be spoken. */
static const char *describe_losses(struct run *run)
{
    const struct checkpoint_mark *mark = &run->mark;

    if (mark->lost == 0)
        return NULL;
    snprintf(
        run->warnings, sizeof run->warnings,
        "[{\"code\":\"unspeakable_characters\",\"message\":\"%lld %s no form that the voice can speak, and %s "
        "left out\",\"count\":%lld,\"start\":%lld,\"end\":%lld}]",
        (long long)mark->lost, mark->lost == 1 ? "character has" : "characters have",
        mark->lost == 1 ? "was" : "were", (long long)mark->lost, (long long)mark->lost_start,
        (long long)mark->lost_end);
    return run->warnings;
}

void run_complete(struct run *run)
{
    run->outcome = (struct job_outcome){
        .status = JOB_COMPLETED, .error_start = -1, .error_end = -1, .warnings = describe_losses(run)};
    end(run);
}

void run_cancel(struct run *run)
{
    run->outcome = (struct job_outcome){.status = JOB_CANCELLED, .error_start = -1, .error_end = -1};
    end(run);
}

void run_put_back(struct run *run)
{
    run->put_back = true;
    end(run);
}

static void blame(struct run *run, const struct utterance *culprit, const char *code, const char *message)
{
    struct log_context context = run_context(run);

    snprintf(run->error_message, sizeof run->error_message, "%s", message);
    run->outcome = (struct job_outcome){
        .status = JOB_FAILED,
        .error_code = code,
        .error_message = run->error_message,
        .error_start = culprit != NULL ? culprit->segment.source_start : -1,
        .error_end = culprit != NULL ? culprit->segment.source_end : -1,
        .warnings = describe_losses(run),
    };
    log_write(LOG_LEVEL_WARNING, &context, "job failed: %s: %s", code, run->error_message);
}

void run_fail(struct run *run, const struct utterance *culprit, const char *code, const char *format, ...)
{
    char message[ERROR_TEXT_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    blame(run, culprit, code, message);
    end(run);
}

/*
 * A job is begun where half of the reserve is free: one that has less than a quarter of it on the disk did
 * not fill it, and waits until there is room, however often that comes to pass.
 */
static bool filled_the_disk(const struct run *run, int fault)
{
    return (fault == -ENOSPC || fault == -EDQUOT) &&
           run->samples * (int64_t)sizeof(int16_t) >= run->worker->options.settings->disk_reserve / 4;
}

void run_note_fault(struct run *run, int fault, const struct error *err)
{
    static const struct setback full = {"storage_full", "the disk was full before the audio was whole"};
    struct log_context context = run_context(run);

    if (fault == -EFBIG) {
        blame(run, NULL, "audio_too_large", err->text);
        return;
    }
    log_write(LOG_LEVEL_ERROR, &context, "job put back: %s", err->text);
    run->setback = filled_the_disk(run, fault) ? &full : NULL;
    run->put_back = true;
}

void run_suffer(struct run *run, int fault, const struct error *err)
{
    run_note_fault(run, fault, err);
    end(run);
}
