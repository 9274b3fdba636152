/* SPDX-License-Identifier: Apache-2.0 */
#include "job/files.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"

/* The server of the downloads is another user; the folder above decides who else comes so far. */
#define FOLDER_MODE 0755

/* A job is claimed again after a crash only; files of older claims than these were removed when those ended.
 */
#define EPOCHS_DISCARDED 1000

static const char *const timings_suffixes[TIMINGS_FILES] = {
    [TIMINGS_JSON] = "json",
    [TIMINGS_SRT] = "srt",
    [TIMINGS_VTT] = "vtt",
};

const char *timings_suffix(enum timings_file file)
{
    return timings_suffixes[file];
}

bool timings_is_suffix(const char *suffix)
{
    for (int i = 0; i < TIMINGS_FILES; i++)
        if (strcmp(timings_suffixes[i], suffix) == 0)
            return true;
    return false;
}

int job_folders_make(const char *downloads_dir, struct error *err)
{
    char folder[PATH_MAX], name[3];

    for (unsigned int i = 0; i < 36 * 36; i++) {
        int r;

        id_format_number(i, name, 2);
        if ((size_t)snprintf(folder, sizeof folder, "%s/%s", downloads_dir, name) >= sizeof folder)
            return error_set(err, -ENAMETOOLONG, "the setting `downloads_dir` is too long a path");
        r = file_make_folder(folder, FOLDER_MODE, err);
        if (r < 0)
            return r;
    }
    return file_sync_folder(downloads_dir, err);
}

bool job_space_is_below(const struct settings *settings, int64_t bytes)
{
    const char *const paths[] = {settings->downloads_dir, settings->spool_dir, settings->database};

    for (size_t i = 0; i < array_length(paths); i++) {
        uint64_t left;

        if (file_space_left(paths[i], &left, NULL) == 0 && left < (uint64_t)bytes)
            return true;
    }
    return false;
}

bool job_beside_path(const char *downloads_dir, const struct job *job, const char *suffix,
                     char ret_path[PATH_MAX])
{
    char file[JOB_PATH_SIZE];

    job_file_path(job->job_id, suffix, file);
    return (size_t)snprintf(ret_path, PATH_MAX, "%s/%s", downloads_dir, file) < PATH_MAX;
}

bool job_final_path(const char *downloads_dir, const struct job *job, char ret_path[PATH_MAX])
{
    return job_beside_path(downloads_dir, job, audio_format_name(job->format), ret_path);
}

bool job_part_path(const char *downloads_dir, const struct job *job, const char *suffix, int64_t epoch,
                   char ret_path[PATH_MAX])
{
    char file[JOB_PATH_SIZE];

    job_file_path(job->job_id, suffix, file);
    return (size_t)snprintf(ret_path, PATH_MAX, "%s/%s.%lld.part", downloads_dir, file, (long long)epoch) <
           PATH_MAX;
}

bool job_spool_path(const char *spool_dir, const struct job *job, int64_t epoch, const char *suffix,
                    char ret_path[PATH_MAX])
{
    return (size_t)snprintf(ret_path, PATH_MAX, "%s/%s.%lld.%s", spool_dir, job->job_id, (long long)epoch,
                            suffix) < PATH_MAX;
}

static void discard_parts(const char *downloads_dir, const struct job *job, const char *suffix, int64_t first,
                          int64_t last)
{
    char path[PATH_MAX];

    for (int64_t epoch = first; epoch <= last; epoch++)
        if (job_part_path(downloads_dir, job, suffix, epoch, path))
            unlink(path);
}

/* Most of them were never there: what cannot be removed is not looked at. */
void job_files_discard(const struct settings *settings, const struct job *job, int64_t epochs, bool final)
{
    static const char *const spooled[] = {SPOOL_MARKS, SPOOL_SAMPLES, SPOOL_WORDS};
    int64_t first = epochs > EPOCHS_DISCARDED ? epochs - EPOCHS_DISCARDED : 1;
    char path[PATH_MAX];

    discard_parts(settings->downloads_dir, job, audio_format_name(job->format), first, epochs);
    for (int i = 0; i < TIMINGS_FILES; i++)
        discard_parts(settings->downloads_dir, job, timings_suffixes[i], first, epochs);
    for (int64_t epoch = first; epoch <= epochs; epoch++)
        for (size_t i = 0; i < array_length(spooled); i++)
            if (job_spool_path(settings->spool_dir, job, epoch, spooled[i], path))
                unlink(path);
    if (final)
        job_files_remove(settings->downloads_dir, job);
}

void job_files_remove(const char *downloads_dir, const struct job *job)
{
    char path[PATH_MAX];

    if (job_final_path(downloads_dir, job, path))
        unlink(path);
    for (int i = 0; i < TIMINGS_FILES; i++)
        if (job_beside_path(downloads_dir, job, timings_suffixes[i], path))
            unlink(path);
}
