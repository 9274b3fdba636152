/* SPDX-License-Identifier: Apache-2.0 */
#include "job/files.h"

#include <stdio.h>
#include <unistd.h>

/* A job is claimed again after a crash only; files of older claims than these were removed when those ended.
 */
#define EPOCHS_DISCARDED 1000

bool job_final_path(const char *downloads_dir, const struct job *job, char ret_path[PATH_MAX])
{
    char file[JOB_PATH_SIZE];

    job_file_path(job->job_id, audio_format_name(job->format), file);
    return (size_t)snprintf(ret_path, PATH_MAX, "%s/%s", downloads_dir, file) < PATH_MAX;
}

bool job_part_path(const char *downloads_dir, const struct job *job, int64_t epoch, char ret_path[PATH_MAX])
{
    char file[JOB_PATH_SIZE];

    job_file_path(job->job_id, audio_format_name(job->format), file);
    return (size_t)snprintf(ret_path, PATH_MAX, "%s/%s.%lld.part", downloads_dir, file, (long long)epoch) <
           PATH_MAX;
}

/* Most of them were never there: what cannot be removed is not looked at. */
void job_files_discard(const char *downloads_dir, const struct job *job, int64_t epochs, bool final)
{
    int64_t first = epochs > EPOCHS_DISCARDED ? epochs - EPOCHS_DISCARDED : 1;
    char path[PATH_MAX];

    for (int64_t epoch = first; epoch <= epochs; epoch++)
        if (job_part_path(downloads_dir, job, epoch, path))
            unlink(path);
    if (final && job_final_path(downloads_dir, job, path))
        unlink(path);
}
