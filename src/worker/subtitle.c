/* SPDX-License-Identifier: Apache-2.0 */
/* The timings of a job that asked for them: its words are kept while it is spoken, and become files at its
 * end. */
#include <errno.h>
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
    int r;

    if (run->words == NULL || task->word_count == 0)
        return 0;
    words = calloc(task->word_count, sizeof *words);
    if (words == NULL)
        return error_set(err, -ENOMEM, "out of memory");
    count = timed_words_make(&utterance->segment, task->words, task->word_count,
                             audio_writer_samples(run->audio), words);
    r = word_spool_append(run->words, words, count, err);
    run->mark.words = word_spool_count(run->words);
    return r;
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
        if (!job_beside_path(downloads, &run->job, timings_suffix((enum timings_file)i), paths[i]))
            return error_set(err, -ENAMETOOLONG, "the setting `downloads_dir` is too long a path");
        files[i] = paths[i];
    }
    r = word_spool_flush(run->words, false, err);
    return r < 0 ? r : timings_write(&source, files, err);
}
