/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a key may use, what it has used, and whether a job still fits.  Pure: the store keeps the figures in
 * the transaction that creates the job, so that several processes agree.
 */
#ifndef JOB_LIMITS_H
#define JOB_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "job/job.h"

enum key_limit {
    LIMIT_BURST,         /* jobs created at once: a token bucket that fills at a steady rate */
    LIMIT_PENDING_JOBS,  /* jobs that wait */
    LIMIT_PENDING_CHARS, /* their characters */
    LIMIT_DAY_CHARS,     /* characters sent in a day of UTC */
    LIMIT_STORED_BYTES,  /* audio that is kept, and that waiting jobs will make */
};
#define LIMIT_COUNT 5

struct key_limits {
    int64_t requests_per_second; /* at which the bucket of LIMIT_BURST fills */
    int64_t most[LIMIT_COUNT];   /* 0: no limit */
};

/* As it stood at a time; usage_refresh() brings it up to date. */
struct key_usage {
    int64_t at; /* wall-clock milliseconds */
    double used[LIMIT_COUNT];
};

struct key_standing {
    struct key_limits limits;
    struct key_usage usage;
};

/* What a job asks of its key. */
struct job_cost {
    int64_t characters;
    int64_t bytes; /* of audio, estimated */
};

/* The limit that a job does not fit into, and after how long another try makes sense. */
struct limit_hit {
    enum key_limit limit;
    int64_t retry_ms;
    bool never; /* the job is larger than the whole limit: no try makes sense */
};

struct settings;

/* Of a key that has none of its own. */
struct key_limits limits_of_settings(const struct settings *settings);

/* "burst", as header fields, problems and /v1/usage name it, and "jobs", what it counts. */
const char *limit_name(enum key_limit limit);
const char *limit_unit(enum key_limit limit);

/* Seconds in which what was used comes back in full; 0 where no clock brings it back. */
int64_t limit_window(const struct key_limits *limits, enum key_limit limit);

/* Takes off what time has given back up to now_ms. */
void usage_refresh(struct key_standing *standing, int64_t now_ms);

/*
 * True where a job of that cost fits.  Otherwise *ret_hit is a limit that it never fits, or that with the
 * longest wait: to come back for any other would be in vain.  standing is fresh.
 */
bool usage_fits(const struct key_standing *standing, const struct job_cost *cost, struct limit_hit *ret_hit);

/* Charges a job that was created with all but its waiting. */
void usage_charge(struct key_standing *standing, const struct job_cost *cost);

/* A job waits, as it does once it was created or taken back from a worker, or waits no longer. */
void usage_wait(struct key_standing *standing, int64_t characters);
void usage_waited(struct key_standing *standing, int64_t characters);

/* What is left of a limit, at least 0, and the milliseconds until all of it is back (0: limit_window()). */
int64_t usage_left(const struct key_standing *standing, enum key_limit limit);
int64_t usage_reset_ms(const struct key_standing *standing, enum key_limit limit);

/* An estimate of the audio that so many characters make; a second of it holds 16.7 of them at speed 1. */
int64_t job_audio_estimate(int64_t characters, enum audio_format format, double speed);

#endif
