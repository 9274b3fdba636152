/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Long jobs keep what is spoken of them, so that whoever claims them after us goes on from there.
 *
 * A WAV under construction is its own spool; of the other formats, which cannot be gone on with, the samples
 * are spooled beside, and encoded again: the same samples give the same bytes.  A mark follows each piece
 * that was joined.  The files bear the claim's epoch; the next claim takes them over by renaming them, and
 * only those of workers that are dead for sure are left for it (lease.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "job/files.h"
#include "worker/internal.h"

/* A shorter job is spoken again sooner than its spool is read. */
#define KEPT_CHARS_MIN 4000

/* The next claim of a job comes at once as a rule; claims that died before they took over lie between. */
#define EPOCHS_SEARCHED 100

#define SPOOL_MODE 0600

static bool is_spooled(const struct run *run)
{
    return run->job.format != AUDIO_WAV;
}

static bool spool_path(const struct run *run, int64_t epoch, const char *suffix, char ret_path[PATH_MAX])
{
    return job_spool_path(run->worker->options.settings->spool_dir, &run->job, epoch, suffix, ret_path);
}

/* ---- while it is spoken ---- */

/* A short job's spool has no name: nobody goes on with it. */
static int open_spool(struct run *run, bool is_kept, struct error *err)
{
    char path[PATH_MAX];

    if (!spool_path(run, run->job.epoch, SPOOL_SAMPLES, path))
        return error_set(err, -ENAMETOOLONG, "the setting `spool_dir` is too long a path");
    run->spool_fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, SPOOL_MODE);
    if (run->spool_fd < 0)
        return error_system(err, errno, "cannot create %s", path);
    if (!is_kept)
        unlink(path);
    return 0;
}

int run_keep(struct run *run, struct error *err)
{
    bool is_kept = run->job.characters >= KEPT_CHARS_MIN;
    char path[PATH_MAX];
    int r = 0;

    if (is_kept && run->checkpoint == NULL) {
        if (!spool_path(run, run->job.epoch, SPOOL_MARKS, path))
            return error_set(err, -ENAMETOOLONG, "the setting `spool_dir` is too long a path");
        r = checkpoint_create(path, run->worker->lease.boot_id, &run->checkpoint, err);
    }
    return r == 0 && is_spooled(run) && run->spool_fd < 0 ? open_spool(run, is_kept, err) : r;
}

int run_mark(struct run *run, struct error *err)
{
    int r = 0;

    if (run->checkpoint == NULL || run->audio == NULL)
        return 0;
    run->mark.samples = run->samples;
    if (!is_spooled(run))
        r = audio_writer_flush(run->audio, err);
    if (r == 0 && run->words != NULL)
        r = word_spool_flush(run->words, err);
    return r < 0 ? r : checkpoint_add(run->checkpoint, &run->mark, false, err);
}

/* ---- its end ---- */

static void close_spool(struct run *run)
{
    run->checkpoint = checkpoint_close(run->checkpoint);
    run->words = word_spool_close(run->words);
    close_fd(&run->spool_fd);
    run->spool_fd = -1;
}

void run_forget(struct run *run)
{
    static const char *const suffixes[] = {SPOOL_MARKS, SPOOL_SAMPLES, SPOOL_WORDS};
    char path[PATH_MAX];

    if (run->checkpoint == NULL && run->words == NULL)
        return; /* nothing was kept */
    close_spool(run);
    for (size_t i = 0; i < array_length(suffixes); i++)
        if (spool_path(run, run->job.epoch, suffixes[i], path))
            unlink(path);
}

bool run_leave(struct run *run)
{
    struct log_context context = run_context(run);
    struct error err = {""};

    if (run->checkpoint == NULL || run->audio == NULL ||
        atomic_load(&run->worker->lease.worker) != run->claimed_by) /* others have taken the job over */
        return false;
    /* The marks that were made hold in any case, as long as the machine runs. */
    if (run_make_durable(run, &err) < 0)
        log_write(LOG_LEVEL_WARNING, &context, "what is spoken may not survive the machine's end: %s",
                  err.text);
    if (is_spooled(run))
        run->audio = audio_writer_abandon(run->audio);
    else
        run->audio = audio_writer_leave(run->audio);
    close_spool(run);
    return true;
}

/* ---- the next claim ---- */

/* Takes a file of an earlier claim over. */
static bool take_over(const struct run *run, int64_t epoch, const char *suffix)
{
    char from[PATH_MAX], to[PATH_MAX];

    return spool_path(run, epoch, suffix, from) && spool_path(run, run->job.epoch, suffix, to) &&
           rename(from, to) == 0;
}

/* The epoch of the last claim that left marks, or 0. */
static int64_t find_marks(const struct run *run)
{
    char path[PATH_MAX];

    for (int64_t epoch = run->job.epoch - 1; epoch > 0 && epoch > run->job.epoch - EPOCHS_SEARCHED; epoch--)
        if (spool_path(run, epoch, SPOOL_MARKS, path) && access(path, F_OK) == 0)
            return epoch;
    return 0;
}

/* It may be in its place already, where the worker died before the job was completed. */
static int reopen_wav(struct run *run, int64_t epoch, struct error *err)
{
    char part[PATH_MAX];

    if (!job_part_path(run->worker->options.settings->downloads_dir, &run->job,
                       audio_format_name(run->job.format), epoch, part) ||
        (rename(part, run->part_path) < 0 && rename(run->final_path, run->part_path) < 0))
        return error_system(err, errno, "its audio is gone");
    return audio_writer_reopen(run->part_path, AUDIO_WAV, (int)run->mark.sample_rate, run->mark.samples,
                               &run->audio, err);
}

static int reopen_spool(struct run *run, int64_t epoch, struct error *err)
{
    off_t size = (off_t)run->mark.samples * (off_t)sizeof(int16_t);
    char path[PATH_MAX];

    if (!take_over(run, epoch, SPOOL_SAMPLES) || !spool_path(run, run->job.epoch, SPOOL_SAMPLES, path))
        return error_system(err, errno, "its samples are gone");
    run->spool_fd = open(path, O_RDWR | O_CLOEXEC);
    if (run->spool_fd < 0 || lseek(run->spool_fd, 0, SEEK_END) < size || ftruncate(run->spool_fd, size) < 0 ||
        lseek(run->spool_fd, size, SEEK_SET) != size)
        return error_system(err, errno, "its samples cannot be read");
    return audio_writer_open(run->part_path, run->job.format, (int)run->mark.sample_rate, &run->audio, err);
}

static int reopen_words(struct run *run, int64_t epoch, struct error *err)
{
    char path[PATH_MAX];

    if (!run->job.timings)
        return 0;
    if (!take_over(run, epoch, SPOOL_WORDS) || !spool_path(run, run->job.epoch, SPOOL_WORDS, path))
        return error_system(err, errno, "its words are gone");
    return word_spool_reopen(path, run->mark.words, &run->words, err);
}

static int go_on(struct run *run, int64_t epoch, struct error *err)
{
    char path[PATH_MAX];
    int r;

    if (!take_over(run, epoch, SPOOL_MARKS) || !spool_path(run, run->job.epoch, SPOOL_MARKS, path))
        return error_system(err, errno, "its marks are gone");
    r = checkpoint_reopen(path, run->worker->lease.boot_id, &run->checkpoint, &run->mark, err);
    if (r != 0)
        return r < 0 ? r : error_set(err, -ENODATA, "no mark can be trusted");
    r = is_spooled(run) ? reopen_spool(run, epoch, err) : reopen_wav(run, epoch, err);
    if (r == 0)
        r = reopen_words(run, epoch, err);
    if (r < 0)
        return r;
    segmenter_free(run->segmenter);
    run->segmenter =
        segmenter_new_at(text_language_find(run->job.language), run->mark.source_end, run->mark.source_bytes);
    if (run->segmenter == NULL)
        return error_set(err, -ENOMEM, "out of memory");
    run->samples = run->mark.samples;
    run->text_offset = run->mark.source_bytes;
    run->spoken = run->mark.source_end;
    free(run->text); /* the beginning, which is spoken */
    run->text = NULL;
    return 0;
}

int run_resume(struct run *run, struct error *err)
{
    struct log_context context = run_context(run);
    int64_t epoch = run->job.characters < KEPT_CHARS_MIN ? 0 : find_marks(run);
    struct error reason = {""};

    if (epoch == 0)
        return 0;
    if (go_on(run, epoch, &reason) == 0) {
        log_write(LOG_LEVEL_INFO, &context, "job is gone on with at character %lld of %lld",
                  (long long)run->spoken, (long long)run->job.characters);
        return 0;
    }
    log_write(LOG_LEVEL_INFO, &context, "job is spoken from its beginning: %s", reason.text);
    /* What was taken over bears this claim's epoch already. */
    run->audio = audio_writer_abandon(run->audio);
    close_spool(run);
    job_files_discard(run->worker->options.settings, &run->job, run->job.epoch, true);
    run->spoken = run->text_offset = run->samples = 0;
    run->mark = (struct checkpoint_mark){0};
    if (run->text == NULL) { /* it is read again */
        segmenter_free(run->segmenter);
        run->segmenter = segmenter_new(text_language_find(run->job.language));
    }
    return run->segmenter != NULL ? 0 : error_set(err, -ENOMEM, "out of memory");
}
