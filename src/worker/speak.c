/* SPDX-License-Identifier: Apache-2.0 */
/* A job while it is spoken: text in pieces, segments to the synthesizers, samples joined in the order of the
 * text. */
#include <errno.h>
#include <string.h>

#include "base/crash.h"
#include "base/file.h"
#include "job/files.h"
#include "worker/internal.h"

/* A segment is given to a second synthesizer after the first one died of it: the death may have had another
 * cause. */
#define ATTEMPTS_MAX 2

/* Samples of a pause that are appended at a time. */
#define SILENCE_CHUNK 4096

/* ---- samples to audio ---- */

/* The folders are made when the worker starts; one that has gone meanwhile is made again. */
static int open_audio(struct run *run, struct error *err)
{
    const char *downloads = run->worker->options.settings->downloads_dir;
    int r = audio_writer_open(run->part_path, run->job.format, run->sample_rate, &run->audio, err);

    if (r == -ENOENT && (r = job_folders_make(downloads, err)) == 0)
        r = audio_writer_open(run->part_path, run->job.format, run->sample_rate, &run->audio, err);
    run->mark.sample_rate = run->sample_rate;
    if (r == 0)
        r = run_keep(run, err);
    return r < 0 ? r : run_open_words(run, err);
}

static int append(struct run *run, const int16_t *samples, size_t count, struct error *err)
{
    int r = run->spool_fd < 0 ? audio_writer_append(run->audio, samples, count, err)
                              : file_write_all(run->spool_fd, samples, count * sizeof *samples, err);

    if (r == 0)
        run->samples += (int64_t)count;
    return r;
}

static int append_pause(struct run *run, size_t count, struct error *err)
{
    static const int16_t silence[SILENCE_CHUNK];
    int r = 0;

    for (; r == 0 && count > SILENCE_CHUNK; count -= SILENCE_CHUNK)
        r = append(run, silence, SILENCE_CHUNK, err);
    return r < 0 ? r : append(run, silence, count, err);
}

static void count_losses(struct run *run, const struct clean_losses *losses)
{
    struct checkpoint_mark *mark = &run->mark;

    if (losses->count == 0)
        return;
    if (mark->lost == 0)
        mark->lost_start = losses->start;
    mark->lost += losses->count;
    mark->lost_end = losses->end;
}

static int join(struct run *run, struct utterance *utterance, struct error *err)
{
    struct synth_task *task = &utterance->task;
    int r = 0;

    if (task->sample_count > 0 && run->audio == NULL)
        r = open_audio(run, err);
    if (r == 0 && task->sample_count > 0)
        r = run_add_words(run, utterance, err);
    if (r == 0 && task->sample_count > 0)
        r = append(run, task->samples, task->sample_count, err);
    if (r == 0 && utterance->segment.ends_paragraph && run->audio != NULL)
        r = append_pause(run, (size_t)run->mark.sample_rate * PARAGRAPH_PAUSE_MS / 1000, err);
    if (r < 0)
        return r;
    if (utterance->segment.bytes > 0 && task->sample_count == 0) /* the engine found nothing in it */
        count_losses(run, &(struct clean_losses){.count = utterance->segment.source_end -
                                                          utterance->segment.source_start,
                                                 .start = utterance->segment.source_start,
                                                 .end = utterance->segment.source_end});
    else
        count_losses(run, &utterance->segment.losses);
    run->mark.words = run->words != NULL ? word_spool_count(run->words) : 0;
    run->mark.source_end = utterance->segment.source_end;
    run->mark.source_bytes = utterance->segment.source_bytes;
    return run_mark(run, err);
}

/* ---- progress ---- */

static int write_progress(struct commit_work *work, struct store *store, struct error *err)
{
    struct run *run = container_of(work, struct run, progress);

    metric_add(store, METRIC_ENGINE_CHARACTERS, (double)run->progress_chars);
    return job_progress_set(store, run->job.id, run->job.epoch, run->progress_value, err);
}

static void send_progress_letter(struct commit_work *work)
{
    struct run *run = container_of(work, struct run, progress);

    mailbox_send(&run->worker->mailbox, &run->progress_letter);
}

static void receive_progress(struct letter *letter)
{
    struct run *run = container_of(letter, struct run, progress_letter);

    /* A progress that could not be written is no fault of the job's; the next one may be, and counts for this
     * one. */
    if (run->progress.result < 0)
        run->engine_chars += run->progress_chars;
    run->progress_posted = false;
    if (run->over)
        run_settle(run);
}

/* Code points that are in the audio.  What is spooled counts by the share of it that is encoded. */
static int64_t characters_in_audio(const struct run *run)
{
    if (run->spool_fd < 0 || run->samples == 0)
        return run->spool_fd < 0 ? run->spoken : 0;
    return (int64_t)((double)run->spoken * (double)run->in_file / (double)run->samples);
}

static void post_progress(struct run *run)
{
    int64_t now = clock_monotonic_ms(run->worker->options.clock);
    int64_t value = characters_in_audio(run);

    if (run->progress_posted || now < run->progress_at ||
        (value == run->progress_value && run->engine_chars == 0))
        return;
    run->progress_at = now + PROGRESS_INTERVAL_MS;
    run->progress_value = value;
    run->progress = (struct commit_work){.run = write_progress, .done = send_progress_letter};
    run->progress_letter.receive = receive_progress;
    run->progress_chars = run->engine_chars;
    run->progress_posted = committer_post(run->worker->committer, &run->progress) == 0;
    if (run->progress_posted)
        run->engine_chars = 0;
}

/* ---- advance ---- */

static void complete(struct run *run)
{
    if (run->audio == NULL) {
        run_fail(run, NULL, "nothing_to_speak", "the voice %s found nothing to speak in the text",
                 run->job.voice);
        return;
    }
    run_complete(run);
}

/* Joins the utterances that come next. */
static int join_spoken(struct run *run, struct error *err)
{
    int r = 0;

    while (r == 0 && run->first != NULL && run->first->state == UTTERANCE_SPOKEN) {
        struct utterance *utterance = run->first;

        r = join(run, utterance, err);
        if (r < 0)
            break;
        run->spoken = utterance->segment.source_end;
        run->first = utterance->next;
        if (run->first == NULL)
            run->last = &run->first;
        run->utterances--;
        utterance_free(utterance);
    }
    return r;
}

static void advance(struct run *run)
{
    struct error err = {""};
    bool is_spoken;
    int r = join_spoken(run, &err);

    is_spoken = run->segmented && run->first == NULL;
    if (r == 0 && run->spool_fd >= 0)
        r = encode_more(run, is_spoken, &err);
    if (r < 0)
        run_suffer(run, r, &err);
    else if (is_spoken && run->first_task == NULL)
        complete(run);
    else
        post_progress(run);
}

void run_advance(struct run *run)
{
    char job_id[JOB_ID_SIZE]; /* the run may be gone before the note is */

    memcpy(job_id, run->job.job_id, sizeof job_id);
    crash_note(job_id);
    advance(run);
    crash_note(NULL);
}

static void receive(struct synth_task *task)
{
    struct utterance *utterance = container_of(task, struct utterance, task);
    struct run *run = utterance->run;
    struct error err = {""};

    utterance->attempts++;
    switch (task->result) {
    case SYNTH_DONE:
        utterance->state = UTTERANCE_SPOKEN;
        run->engine_chars += utterance->segment.source_end - utterance->segment.source_start;
        run_advance(run);
        return;
    case SYNTH_CRASHED:
    case SYNTH_TIMED_OUT:
    case SYNTH_FLOODED:
        if (utterance->attempts < ATTEMPTS_MAX) {
            utterance->state = UTTERANCE_READY;
            task->alone = true; /* whatever was to blame, then it is known */
            return;
        }
        if (task->result == SYNTH_FLOODED)
            run_fail(run, utterance, "synthesis_flooded",
                     "this part of the text made more audio than its length allows, twice");
        else if (task->result == SYNTH_CRASHED)
            run_fail(run, utterance, "synthesis_crashed",
                     "this part of the text killed its synthesizer twice (%s)", task->message);
        else
            run_fail(run, utterance, "synthesis_timed_out", "this part of the text took over %d s, twice",
                     SEGMENT_LIMIT_MS / 1000);
        return;
    case SYNTH_UNAVAILABLE:
        run_suffer(run, error_set(&err, -EAGAIN, "no synthesizer comes up: %s", task->message), &err);
        return;
    case SYNTH_REFUSED:
        run_fail(run, utterance, "synthesis_refused", "the synthesizer refused this part of the text: %s",
                 task->message);
        return;
    }
}

/* ---- text to segments ---- */

/* What was read with the claim.  Less than was asked for is all that there is. */
static int feed_beginning(struct run *run, struct error *err)
{
    int r = segmenter_feed(run->segmenter, run->text, run->text_size);

    if (r < 0)
        return error_set(err, r, "out of memory");
    if (run->text_size < CLAIM_TEXT_MAX)
        segmenter_end(run->segmenter);
    run->text_offset = (int64_t)run->text_size;
    free(run->text);
    run->text = NULL;
    return 0;
}

/* Feeds the segmenter with the next piece.  STORE_NOT_FOUND where the text is gone: the claim is stale. */
static int feed(struct run *run, struct error *err)
{
    char piece[SEGMENTER_FEED_MAX];
    size_t size;
    int r = job_text_read(run->worker->store, run->job.id, run->text_offset, piece, sizeof piece, &size, err);

    if (r != 0)
        return r;
    run->text_offset += (int64_t)size;
    if (size == 0)
        segmenter_end(run->segmenter);
    else if (segmenter_feed(run->segmenter, piece, size) < 0)
        return error_set(err, -ENOMEM, "out of memory");
    return 0;
}

/* 0, SEGMENT_NONE_LEFT, or a failure. */
static int next_segment(struct run *run, struct segment *ret_segment, struct error *err)
{
    int r;

    while ((r = segmenter_next(run->segmenter, ret_segment)) == SEGMENT_NEEDS_INPUT) {
        r = run->text != NULL ? feed_beginning(run, err) : feed(run, err);
        if (r != 0)
            return r < 0 ? r : error_set(err, -ESTALE, "its text is gone");
    }
    return r < 0 ? error_set(err, r, "out of memory") : r;
}

static struct utterance *append_utterance(struct run *run, struct segment *segment)
{
    struct utterance *utterance = calloc(1, sizeof *utterance);

    if (utterance == NULL)
        return NULL;
    utterance->run = run;
    utterance->segment = *segment;
    *segment = (struct segment){0};
    utterance->task = (struct synth_task){
        .language = run->job.language,
        .voice = run->job.voice,
        .sample_rate = run->sample_rate,
        .speed = run->job.speed,
        .pitch = run->job.pitch,
        .text = utterance->segment.text,
        .text_bytes = utterance->segment.bytes,
        .done = receive,
    };
    *run->last = utterance;
    run->last = &utterance->next;
    run->utterances++;
    return utterance;
}

bool run_has_more(const struct run *run)
{
    for (const struct utterance *u = run->first; u != NULL; u = u->next)
        if (u->state == UTTERANCE_READY)
            return true;
    return !run->segmented && run->utterances < UTTERANCES_AHEAD * run->worker->synthesizers;
}

struct utterance *run_next_utterance(struct run *run)
{
    struct error err = {""};

    for (struct utterance *u = run->first; u != NULL; u = u->next)
        if (u->state == UTTERANCE_READY)
            return u;
    while (!run->segmented && run->utterances < UTTERANCES_AHEAD * run->worker->synthesizers) {
        cleanup(segment_release) struct segment segment = {0};
        struct utterance *utterance;
        int r;

        crash_note(run->job.job_id);
        r = next_segment(run, &segment, &err);
        crash_note(NULL);
        if (r == SEGMENT_NONE_LEFT) {
            run->segmented = true;
            break;
        }
        utterance = r == 0 ? append_utterance(run, &segment) : NULL;
        if (utterance == NULL) {
            run_suffer(run, r < 0 ? r : error_set(&err, -ENOMEM, "out of memory"), &err);
            return NULL;
        }
        if (utterance->segment.bytes > 0)
            return utterance;
        utterance->state = UTTERANCE_SPOKEN; /* nothing in it can be spoken: there is no audio to wait for */
    }
    run_advance(run);
    return NULL;
}
