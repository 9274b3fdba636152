/* SPDX-License-Identifier: Apache-2.0 */
/* GET /v1/download/{job_id}, where nginx has found no file: why there is none. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "api/internal.h"
#include "job/files.h"

static bool file_is_there(const struct exchange *exchange, const struct job *job, const char *suffix)
{
    char file[JOB_PATH_SIZE], path[PATH_MAX];

    job_file_path(job->job_id, suffix, file);
    return (size_t)snprintf(path, sizeof path, "%s/%s", exchange->api->settings->downloads_dir, file) <
               sizeof path &&
           access(path, R_OK) == 0;
}

/*
 * The job was completed between nginx's look and ours: nginx serves the file now (its header field
 * X-Accel-Redirect, to where no client comes).  Once: where it comes back it cannot read the file.
 */
static void look_again(struct exchange *exchange)
{
    if (request_field(exchange, "SAYHOOK_AGAIN") != NULL) {
        log_error("nginx cannot read a file in downloads_dir that is there; see its own log");
        reply_problem(exchange, PROBLEM_INTERNAL_ERROR,
                      "the file is there and cannot be served; the server's log tells more");
        return;
    }
    reply_field(exchange, "X-Accel-Redirect", "/_again%s", exchange->path);
    exchange->status = 200;
    exchange->caching = CACHING_BY_NGINX;
}

static void explain(struct exchange *exchange, const struct job *job, const char *suffix)
{
    switch (job->status) {
    case JOB_PENDING:
    case JOB_PROCESSING:
        reply_field(exchange, "Retry-After", "1");
        reply_problem(exchange, PROBLEM_AUDIO_NOT_READY,
                      "the job is %s; its audio is there once it is completed", job_status_name(job->status));
        return;
    case JOB_FAILED:
        reply_problem(exchange, PROBLEM_JOB_FAILED, "the job has failed, so there is no audio: %s",
                      job->error_message != NULL ? job->error_message : "GET the job for the reason");
        return;
    case JOB_CANCELLED:
        reply_problem(exchange, PROBLEM_JOB_CANCELLED, "the job was cancelled, so there is no audio");
        return;
    case JOB_COMPLETED:
        break;
    }
    if (job->audio_removed_at != 0)
        reply_problem(exchange, PROBLEM_AUDIO_EXPIRED, "the audio was kept for a time, and has been removed");
    else if (file_is_there(exchange, job, suffix))
        look_again(exchange);
    else
        reply_problem(exchange, PROBLEM_NOT_FOUND, "there is no such file of this job");
}

void handle_download(struct exchange *exchange)
{
    cleanup(job_release) struct job job = {0};
    char *dot = strchr(exchange->argument, '.'); /* .json and the like belong to the same job */
    struct error err = {""};
    int r;

    if (dot != NULL)
        *dot++ = '\0';
    if (dot != NULL && !timings_is_suffix(dot)) { /* the audio itself has none, whatever its format */
        reply_problem(exchange, PROBLEM_NOT_FOUND,
                      "there is nothing at this address; behind the id may stand .json, .srt or .vtt");
        return;
    }
    r = job_get(exchange->store, 0, exchange->argument, &job, &err);
    if (r < 0)
        reply_failure(exchange, r, &err);
    else if (r == STORE_NOT_FOUND)
        reply_problem(exchange, PROBLEM_NOT_FOUND, "there is no such job");
    else
        explain(exchange, &job, dot != NULL ? dot : audio_format_name(job.format));
}
