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
    count = timed_words_make(&utterance->segment, task->words, task->word_count, run->samples, words);
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

/* A file under the claim's own name and in its place; false where a path does not fit. */
static bool file_paths(const struct run *run, enum timings_file file, char ret_part[PATH_MAX],
                       char ret_final[PATH_MAX])
{
    const char *downloads = run->worker->options.settings->downloads_dir;
    const char *suffix = timings_suffix(file);

    return job_part_path(downloads, &run->job, suffix, run->job.epoch, ret_part) &&
           job_beside_path(downloads, &run->job, suffix, ret_final);
}

int run_write_timings(struct run *run, struct store *store, struct error *err)
{
    struct text_of_job text = {.store = store, .id = run->job.id};
    char words[PATH_MAX], parts[TIMINGS_FILES][PATH_MAX], final[PATH_MAX];
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
        if (!file_paths(run, (enum timings_file)i, parts[i], final))
            return error_set(err, -ENAMETOOLONG, "the setting `downloads_dir` is too long a path");
        files[i] = parts[i];
    }
    r = word_spool_flush(run->words, err);
    return r < 0 ? r : timings_write(&source, files, err);
}

int run_rename_timings(struct run *run, struct error *err)
{
    for (int i = 0; run->words != NULL && i < TIMINGS_FILES; i++) {
        char part[PATH_MAX], final[PATH_MAX];

        if (!file_paths(run, (enum timings_file)i, part, final))
            return error_set(err, -ENAMETOOLONG, "the setting `downloads_dir` is too long a path");
        if (rename(part, final) < 0)
            return error_system(err, errno, "cannot rename %s to %s", part, final);
    }
    return 0;
}

void run_discard_timings(struct run *run)
{
    for (int i = 0; run->words != NULL && i < TIMINGS_FILES; i++) {
        char part[PATH_MAX], final[PATH_MAX];

        if (file_paths(run, (enum timings_file)i, part, final))
            unlink(part);
    }
}

bool run_has_timings(const struct run *run)
{
    for (int i = 0; run->words != NULL && i < TIMINGS_FILES; i++) {
        char part[PATH_MAX], final[PATH_MAX];

        if (!file_paths(run, (enum timings_file)i, part, final) || access(final, F_OK) < 0)
            return false;
    }
    return true;
}
