/* SPDX-License-Identifier: Apache-2.0 */
#include "job/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static const struct {
    const char *name;
    bool terminal;
    unsigned int next; /* bit 1 << status for each that may follow */
} statuses[JOB_STATUS_COUNT] = {
    /* A claim is undone by putting the job back: processing may return to pending. */
    [JOB_PENDING] = {"pending", false, 1u << JOB_PROCESSING | 1u << JOB_CANCELLED},
    [JOB_PROCESSING] = {"processing", false,
                        1u << JOB_PENDING | 1u << JOB_COMPLETED | 1u << JOB_FAILED | 1u << JOB_CANCELLED},
    [JOB_COMPLETED] = {"completed", true, 0},
    [JOB_FAILED] = {"failed", true, 0},
    [JOB_CANCELLED] = {"cancelled", true, 0},
};

static const struct {
    const char *name;
    const char *content_type;
} formats[AUDIO_FORMAT_COUNT] = {
    [AUDIO_WAV] = {"wav", "audio/wav"},
    [AUDIO_FLAC] = {"flac", "audio/flac"},
    [AUDIO_MP3] = {"mp3", "audio/mpeg"},
    [AUDIO_OPUS] = {"opus", "audio/ogg; codecs=opus"},
    [AUDIO_VORBIS] = {"vorbis", "audio/ogg; codecs=vorbis"},
};

static const char *const webhook_statuses[] = {
    [WEBHOOK_NONE] = "none",
    [WEBHOOK_PENDING] = "pending",
    [WEBHOOK_DELIVERED] = "delivered",
    [WEBHOOK_FAILED] = "failed",
};

static const char *const events[] = {
    [EVENT_JOB_COMPLETED] = "job.completed",
    [EVENT_JOB_FAILED] = "job.failed",
    [EVENT_JOB_CANCELLED] = "job.cancelled",
    [EVENT_PING] = "ping",
};

const char *job_status_name(enum job_status status)
{
    return statuses[status].name;
}

bool job_status_parse(const char *name, enum job_status *ret_status)
{
    for (size_t i = 0; i < array_length(statuses); i++)
        if (strcmp(statuses[i].name, name) == 0) {
            *ret_status = (enum job_status)i;
            return true;
        }
    return false;
}

bool job_status_is_terminal(enum job_status status)
{
    return statuses[status].terminal;
}

bool job_transition_is_legal(enum job_status from, enum job_status to)
{
    return (statuses[from].next & 1u << to) != 0;
}

const char *audio_format_name(enum audio_format format)
{
    return formats[format].name;
}

bool audio_format_parse(const char *name, enum audio_format *ret_format)
{
    for (size_t i = 0; i < array_length(formats); i++)
        if (strcmp(formats[i].name, name) == 0) {
            *ret_format = (enum audio_format)i;
            return true;
        }
    return false;
}

const char *audio_format_content_type(enum audio_format format)
{
    return formats[format].content_type;
}

const char *webhook_status_name(enum webhook_status status)
{
    return webhook_statuses[status];
}

bool webhook_status_parse(const char *name, enum webhook_status *ret_status)
{
    for (size_t i = 0; i < array_length(webhook_statuses); i++)
        if (strcmp(webhook_statuses[i], name) == 0) {
            *ret_status = (enum webhook_status)i;
            return true;
        }
    return false;
}

const char *event_type_name(enum event_type type)
{
    return events[type];
}

bool event_type_parse(const char *name, enum event_type *ret_type)
{
    for (size_t i = 0; i < array_length(events); i++)
        if (strcmp(events[i], name) == 0) {
            *ret_type = (enum event_type)i;
            return true;
        }
    return false;
}

enum event_type job_terminal_event(enum job_status terminal)
{
    switch (terminal) {
    case JOB_COMPLETED:
        return EVENT_JOB_COMPLETED;
    case JOB_CANCELLED:
        return EVENT_JOB_CANCELLED;
    case JOB_PENDING:
    case JOB_PROCESSING:
    case JOB_FAILED:
        break;
    }
    return EVENT_JOB_FAILED;
}

void job_release(struct job *job)
{
    free(job->request_id);
    free(job->language);
    free(job->voice);
    free(job->metadata);
    free(job->error_code);
    free(job->error_message);
    free(job->warnings);
    free(job->webhook_url);
    free(job->webhook_last_error);
    *job = (struct job){0};
}

static void forget(char **text)
{
    free(*text);
    *text = NULL;
}

void job_as_created(struct job *job, int64_t queue_position)
{
    job->status = JOB_PENDING;
    job->spoken = 0;
    job->cancel_requested = false;
    job->started_at = job->completed_at = job->expires_at = job->audio_removed_at = 0;
    job->queue_position = queue_position;
    job->audio = (struct audio_facts){0};
    job->error_start = job->error_end = -1;
    job->webhook_status = job->webhook_url != NULL ? WEBHOOK_PENDING : WEBHOOK_NONE;
    job->webhook_attempts = job->webhook_last_status_code = job->webhook_next_attempt_at = 0;
    forget(&job->error_code);
    forget(&job->error_message);
    forget(&job->warnings);
    forget(&job->webhook_last_error);
}

double job_progress(const struct job *job)
{
    if (job->status == JOB_COMPLETED)
        return 1.0;
    if (job->characters <= 0 || job->spoken <= 0)
        return 0.0;
    return job->spoken >= job->characters ? 1.0 : (double)job->spoken / (double)job->characters;
}

void job_id_make(int64_t number, char ret_id[JOB_ID_SIZE])
{
    static const size_t prefix = sizeof JOB_ID_PREFIX - 1;

    memcpy(ret_id, JOB_ID_PREFIX, prefix);
    id_random(ret_id + prefix, ID_RANDOM_CHARS);
    id_format_number((uint64_t)number, ret_id + prefix + ID_RANDOM_CHARS, JOB_ID_NUMBER_CHARS);
}

bool job_id_parse(const char *text, int64_t *ret_number)
{
    static const size_t prefix = sizeof JOB_ID_PREFIX - 1;
    uint64_t number, unused;

    if (strlen(text) != JOB_ID_LENGTH || strncmp(text, JOB_ID_PREFIX, prefix) != 0)
        return false;
    for (size_t i = prefix; i < prefix + ID_RANDOM_CHARS; i++)
        if (!id_parse_number(text + i, 1, &unused))
            return false;
    if (!id_parse_number(text + prefix + ID_RANDOM_CHARS, JOB_ID_NUMBER_CHARS, &number) || number > INT64_MAX)
        return false;
    *ret_number = (int64_t)number;
    return true;
}

void webhook_id_make(char ret_id[WEBHOOK_ID_SIZE])
{
    static const size_t prefix = sizeof WEBHOOK_ID_PREFIX - 1;

    memcpy(ret_id, WEBHOOK_ID_PREFIX, prefix);
    id_random(ret_id + prefix, ID_RANDOM_CHARS);
}

void job_file_path(const char *job_id, const char *suffix, char ret_path[JOB_PATH_SIZE])
{
    snprintf(ret_path, JOB_PATH_SIZE, "%.2s/%s.%s", job_id + sizeof JOB_ID_PREFIX - 1, job_id, suffix);
}
