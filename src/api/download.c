/* SPDX-License-Identifier: Apache-2.0 */
/* GET /v1/download/{job_id}, where nginx has found no file: why there is none. */
#include <stdio.h>
#include <string.h>

#include "api/internal.h"

static void explain(struct exchange *exchange, const struct job *job)
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
    else
        reply_problem(exchange, PROBLEM_NOT_FOUND, "there is no such file of this job");
}

void handle_download(struct exchange *exchange)
{
    cleanup(job_release) struct job job = {0};
    struct error err = {""};
    int r;

    exchange->argument[strcspn(exchange->argument, ".")] =
        '\0'; /* .json and the like belong to the same job */
    r = job_get(exchange->store, 0, exchange->argument, &job, &err);
    if (r < 0)
        reply_failure(exchange, r, &err);
    else if (r == STORE_NOT_FOUND)
        reply_problem(exchange, PROBLEM_NOT_FOUND, "there is no such job");
    else
        explain(exchange, &job);
}
