/* SPDX-License-Identifier: Apache-2.0 */
/* A job: what a client asked for, what became of it, and which states may follow each other.  Pure: no SQL,
 * no JSON. */
#ifndef JOB_JOB_H
#define JOB_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/id.h"

/*
 * "job_", 25 random characters, and the job's number in 11.  The random ones come first, so that files spread
 * over folders by them; the number comes last, and is the row's key: no index over random ids has to be kept.
 */
#define JOB_ID_PREFIX       "job_"
#define JOB_ID_NUMBER_CHARS 11 /* microseconds since 1970 until the year 6140 */
#define JOB_ID_LENGTH       (sizeof JOB_ID_PREFIX - 1 + ID_RANDOM_CHARS + JOB_ID_NUMBER_CHARS)
#define JOB_ID_SIZE         (JOB_ID_LENGTH + 1)

/* "msg_" and 25 random characters. */
#define WEBHOOK_ID_PREFIX "msg_"
#define WEBHOOK_ID_SIZE   (sizeof WEBHOOK_ID_PREFIX + ID_RANDOM_CHARS)

/* A URL past this is refused by servers and proxies alike. */
#define JOB_WEBHOOK_URL_MAX 2048

/*
 * Attempts at one webhook, those of the schedule (64 at most) and those that were asked for: every one of
 * them is listed, and a list must fit into an answer.
 */
#define WEBHOOK_ATTEMPTS_MAX 1000

/* The contract's limits of metadata: members, and bytes of names and values together. */
#define JOB_METADATA_MEMBERS_MAX 16
#define JOB_METADATA_BYTES_MAX   2048

/*
 * So many claims in a row may come to nothing by the job's own doing, none of them further on than those
 * before: a worker crashed at it, or its audio filled the disk.  Then it fails.
 */
#define JOB_SETBACKS_MAX 3

#define SHA256_BYTES    32
#define SHA256_HEX_SIZE 65

enum job_status {
    JOB_PENDING,
    JOB_PROCESSING,
    JOB_COMPLETED,
    JOB_FAILED,
    JOB_CANCELLED,
};
#define JOB_STATUS_COUNT 5

enum audio_format {
    AUDIO_WAV,
    AUDIO_FLAC,
    AUDIO_MP3,
    AUDIO_OPUS,
    AUDIO_VORBIS,
};
#define AUDIO_FORMAT_COUNT 5

enum webhook_status {
    WEBHOOK_NONE,      /* the job has no webhook_url */
    WEBHOOK_PENDING,   /* owed now or when the job ends: an attempt is planned or under way */
    WEBHOOK_DELIVERED, /* a receiver answered 2xx */
    WEBHOOK_FAILED,    /* the schedule is exhausted, or the address is forbidden */
};

enum event_type {
    EVENT_JOB_COMPLETED,
    EVENT_JOB_FAILED,
    EVENT_JOB_CANCELLED,
    EVENT_PING,
};

/* The names of the contract; each parse function takes the name in its exact spelling. */
const char *job_status_name(enum job_status status);
bool job_status_parse(const char *name, enum job_status *ret_status);
bool job_status_is_terminal(enum job_status status);
bool job_transition_is_legal(enum job_status from, enum job_status to);

const char *audio_format_name(enum audio_format format); /* also the suffix of its file */
bool audio_format_parse(const char *name, enum audio_format *ret_format);
const char *audio_format_content_type(enum audio_format format);

const char *webhook_status_name(enum webhook_status status);
bool webhook_status_parse(const char *name, enum webhook_status *ret_status);

const char *event_type_name(enum event_type type);
bool event_type_parse(const char *name, enum event_type *ret_type);
enum event_type job_terminal_event(enum job_status terminal);

/* What the audio is, once the job is completed. */
struct audio_facts {
    int64_t bytes;
    int64_t samples;
    int32_t sample_rate;
    char sha256[SHA256_HEX_SIZE]; /* of the file, lower-case hex */
};

/* Strings are owned by the struct; NULL is absent.  Times are wall-clock milliseconds; 0 is not yet. */
struct job {
    int64_t id; /* the row: creation order, microseconds since 1970 made unique */
    char job_id[JOB_ID_SIZE];
    int64_t key;   /* the row of its API key */
    double weight; /* of that key; 0 but for a claimed job */
    enum job_status status;
    int64_t epoch;    /* claims so far */
    int64_t revision; /* raised by every change that a client can see */
    char *request_id;

    char *language;
    char *voice;
    enum audio_format format;
    double speed;
    double pitch;
    bool timings;
    int64_t characters; /* code points of the text as sent */
    char *metadata;     /* a JSON object, or NULL */

    int64_t spoken; /* code points spoken so far */
    bool cancel_requested;
    int64_t created_at;
    int64_t started_at;
    int64_t completed_at; /* when it became terminal */
    int64_t expires_at;
    int64_t audio_removed_at;
    int64_t owed_bytes;     /* audio that its key is charged for until it ends, estimated */
    int64_t queue_position; /* an estimate, 1 is next; 0 unless pending */

    struct audio_facts audio;
    char *error_code; /* NULL unless failed */
    char *error_message;
    int64_t error_start; /* code points of the text; both -1 where no part of it did it */
    int64_t error_end;
    char *warnings; /* a JSON array, or NULL */

    char *webhook_url;
    enum webhook_status webhook_status;
    int64_t webhook_attempts;
    int64_t webhook_last_status_code; /* 0 is none */
    char *webhook_last_error;         /* a code, or NULL */
    int64_t webhook_next_attempt_at;
};

/* Frees the strings; takes a struct that is zero or half filled. */
void job_release(struct job *job);

/* Spoken share of the text: 0 to 1, and 1 for a completed job. */
double job_progress(const struct job *job);

/*
 * Makes the job again what the answer to its creation told: what happened to it since is forgotten.
 * queue_position is the one of then.
 */
void job_as_created(struct job *job, int64_t queue_position);

/* Draws the random part and appends the number. */
void job_id_make(int64_t number, char ret_id[JOB_ID_SIZE]);

/* False where text is not a job id; *ret_number is its row. */
bool job_id_parse(const char *text, int64_t *ret_number);

void webhook_id_make(char ret_id[WEBHOOK_ID_SIZE]);

/* "ab/job_ab….wav", the path of a job's file below downloads_dir; suffix without its dot. */
#define JOB_PATH_SIZE (JOB_ID_SIZE + 16)
void job_file_path(const char *job_id, const char *suffix, char ret_path[JOB_PATH_SIZE]);

#endif
