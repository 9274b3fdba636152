/* SPDX-License-Identifier: Apache-2.0 */
/* The timings of a job that asked for them: its words are kept while it is spoken, and become files at its
 * end. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "job/files.h"
#include "speech/timings.h"
#include "worker/internal.h"

static bool words_path(const struct run *run, char ret_path[PATH_MAX])
{
    return job_spool_path(run->worker->options.settings->spool_dir, &run->job, run->job.epoch, SPOOL_WORDS,
                          ret_path);
}

int run_open_words(struct run *run, struct error *err)
{
    char path[PATH_MAX];

    if (!run->job.timings || run->words != NULL)
        return 0;
    if (!words_path(run, path))
        return error_set(err, -ENAMETOOLONG, "the setting `spool_dir` is too long a path");
    return word_spool_open(path, &run->words, err);
}

int run_add_words(struct run *run, const struct utterance *utterance, struct error *err)
{
    const struct synth_task *task = &utterance->task;
    cleanup(free_ptr) struct timed_word *words = NULL;
    size_t count;

    if (run->words == NULL || task->word_count == 0)
        return 0;
    words = calloc(task->word_count, sizeof *words);
    if (words == NULL)
        return error_set(err, -ENOMEM, "out of memory");
    count = timed_words_make(&utterance->segment, task->words, task->word_count,
                             audio_writer_samples(run->audio), words);
    return word_spool_append(run->words, words, count, err);
}

struct text_of_job {
    struct store *store;
    int64_t id;
};

static int read_text(void *context, int64_t offset, void *buffer, size_t size, size_t *ret_size,
                     struct error *err)
{
    const struct text_of_job *text = context;
    int r = job_text_read(text->store, text->id, offset, buffer, size, ret_size, err);

    return r == STORE_NOT_FOUND ? error_set(err, -ESTALE, "its text is gone") : r;
}

int run_write_timings(struct run *run, struct store *store, struct error *err)
{
    struct text_of_job text = {.store = store, .id = run->job.id};
    const char *downloads = run->worker->options.settings->downloads_dir;
    char words[PATH_MAX], paths[TIMINGS_FILES][PATH_MAX];
    const char *files[TIMINGS_FILES];
    const struct timings_source source = {
        .job_id = run->job.job_id,
        .sample_rate = run->outcome.audio.sample_rate,
        .samples = run->outcome.audio.samples,
        .words = words,
        .read = read_text,
        .context = &text,
    };
    int r;

    if (run->words == NULL)
        return 0;
    if (!words_path(run, words))
        return error_set(err, -ENAMETOOLONG, "the setting `spool_dir` is too long a path");
    for (int i = 0; i < TIMINGS_FILES; i++) {
        if (!job_part_path(downloads, &run->job, timings_suffix((enum timings_file)i), run->job.epoch,
                           paths[i]))
            return error_set(err, -ENAMETOOLONG, "the setting `downloads_dir` is too long a path");
        files[i] = paths[i];
    }
    r = word_spool_flush(run->words, false, err);
    return r < 0 ? r : timings_write(&source, files, err);
}

/* Calls step for each file's path under construction and its own; stops at a failure. */
static int for_each_file(const struct run *run,
                         int (*step)(const char *part, const char *final, struct error *err),
                         struct error *err)
{
    const char *downloads = run->worker->options.settings->downloads_dir;
    int r = 0;

    for (int i = 0; i < TIMINGS_FILES && r == 0; i++) {
        const char *suffix = timings_suffix((enum timings_file)i);
        char part[PATH_MAX], final[PATH_MAX];

        if (!job_part_path(downloads, &run->job, suffix, run->job.epoch, part) ||
            !job_beside_path(downloads, &run->job, suffix, final))
            return error_set(err, -ENAMETOOLONG, "the setting `downloads_dir` is too long a path");
        r = step(part, final, err);
    }
    return r;
}

static int move_into_place(const char *part, const char *final, struct error *err)
{
    return rename(part, final) < 0 ? error_system(err, errno, "cannot rename %s to %s", part, final) : 0;
}

static int remove_part(const char *part, const char *final, struct error *err)
{
    (void) final;
    (void)err;
    unlink(part);
    return 0;
}

static int find(const char *part, const char *final, struct error *err)
{
    (void)part;
    return access(final, F_OK) < 0 ? error_system(err, errno, "%s is gone", final) : 0;
}

int run_rename_timings(struct run *run, struct error *err)
{
    return run->words == NULL ? 0 : for_each_file(run, move_into_place, err);
}

void run_discard_timings(struct run *run)
{
    if (run->words != NULL)
        for_each_file(run, remove_part, NULL);
}

bool run_has_timings(const struct run *run)
{
    return run->words == NULL || for_each_file(run, find, NULL) == 0;
}
