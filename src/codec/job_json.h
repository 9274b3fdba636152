/* SPDX-License-Identifier: Apache-2.0 */
/* A job as clients read it: the contract's job object.  Failures stick in the buffer. */
#ifndef CODEC_JOB_JSON_H
#define CODEC_JOB_JSON_H

#include "base/buf.h"
#include "job/job.h"

/* The whole object.  message is one more member, "Job queued" of a create; NULL is none. */
void job_json_render(struct buf *out, const struct job *job, const char *public_base_url,
                     const char *message);

/* Members that the webhook has too. */
void job_json_audio_url(struct buf *out, const struct job *job, const char *public_base_url);
void job_json_duration(struct buf *out, const struct job *job);
void job_json_error(struct buf *out, const struct job *job);

#endif
