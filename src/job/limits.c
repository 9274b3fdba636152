/* SPDX-License-Identifier: Apache-2.0 */
#include "job/limits.h"

#include <math.h>

#include "config/settings.h"

#define SECOND_MS INT64_C(1000)
#define DAY_MS    (24 * 60 * 60 * SECOND_MS)

/* Nobody knows when jobs that wait are spoken, or when audio goes: soon for the one, hardly soon for the
 * other. */
#define QUEUE_RETRY_MS   (5 * SECOND_MS)
#define STORAGE_RETRY_MS (60 * SECOND_MS)

static const struct {
    const char *name;
    const char *unit;
    int64_t retry_ms; /* 0: usage_reset_ms() knows */
} kinds[LIMIT_COUNT] = {
    [LIMIT_BURST] = {"burst", "jobs", 0},
    [LIMIT_PENDING_JOBS] = {"pending_jobs", "jobs", QUEUE_RETRY_MS},
    [LIMIT_PENDING_CHARS] = {"pending_chars", "characters", QUEUE_RETRY_MS},
    [LIMIT_DAY_CHARS] = {"day_chars", "characters", 0},
    [LIMIT_STORED_BYTES] = {"stored_bytes", "bytes", STORAGE_RETRY_MS},
};

struct key_limits limits_of_settings(const struct settings *settings)
{
    return (struct key_limits){
        .requests_per_second = settings->rate_limit_requests,
        .most = {[LIMIT_BURST] = settings->rate_limit_burst,
                 [LIMIT_PENDING_JOBS] = settings->max_pending_jobs,
                 [LIMIT_PENDING_CHARS] = settings->max_pending_chars,
                 [LIMIT_DAY_CHARS] = settings->max_chars_per_day,
                 [LIMIT_STORED_BYTES] = settings->max_stored_bytes},
    };
}

const char *limit_name(enum key_limit limit)
{
    return kinds[limit].name;
}

const char *limit_unit(enum key_limit limit)
{
    return kinds[limit].unit;
}

int64_t limit_window(const struct key_limits *limits, enum key_limit limit)
{
    if (limit == LIMIT_DAY_CHARS)
        return DAY_MS / SECOND_MS;
    if (limit == LIMIT_BURST)
        return (limits->most[limit] + limits->requests_per_second - 1) / limits->requests_per_second;
    return 0;
}

void usage_refresh(struct key_standing *standing, int64_t now_ms)
{
    struct key_usage *usage = &standing->usage;
    /* A clock that was set back gives nothing back, and is then followed. */
    int64_t elapsed = now_ms > usage->at ? now_ms - usage->at : 0;
    double filled = (double)elapsed * (double)standing->limits.requests_per_second / SECOND_MS;

    usage->used[LIMIT_BURST] = fmax(0, usage->used[LIMIT_BURST] - filled);
    if (now_ms / DAY_MS > usage->at / DAY_MS)
        usage->used[LIMIT_DAY_CHARS] = 0;
    usage->at = now_ms;
}

static void need(const struct job_cost *cost, double ret_need[LIMIT_COUNT])
{
    ret_need[LIMIT_BURST] = 1;
    ret_need[LIMIT_PENDING_JOBS] = 1;
    ret_need[LIMIT_PENDING_CHARS] = (double)cost->characters;
    ret_need[LIMIT_DAY_CHARS] = (double)cost->characters;
    ret_need[LIMIT_STORED_BYTES] = (double)cost->bytes;
}

/* How long until another `over` of the limit is given back. */
static int64_t wait_for(const struct key_standing *standing, enum key_limit limit, double over)
{
    if (kinds[limit].retry_ms != 0)
        return kinds[limit].retry_ms;
    if (limit == LIMIT_BURST)
        return (int64_t)ceil(over * SECOND_MS / (double)standing->limits.requests_per_second);
    return usage_reset_ms(standing, limit);
}

bool usage_fits(const struct key_standing *standing, const struct job_cost *cost, struct limit_hit *ret_hit)
{
    double needed[LIMIT_COUNT];
    bool fits = true;

    need(cost, needed);
    for (int i = 0; i < LIMIT_COUNT; i++) {
        double over = standing->usage.used[i] + needed[i] - (double)standing->limits.most[i];
        struct limit_hit hit;

        if (over <= 0 || standing->limits.most[i] == 0)
            continue;
        hit = (struct limit_hit){.limit = (enum key_limit)i,
                                 .retry_ms = wait_for(standing, (enum key_limit)i, over),
                                 .never = needed[i] > (double)standing->limits.most[i]};
        if (fits || hit.never > ret_hit->never ||
            (hit.never == ret_hit->never && hit.retry_ms > ret_hit->retry_ms))
            *ret_hit = hit;
        fits = false;
    }
    return fits;
}

void usage_charge(struct key_standing *standing, const struct job_cost *cost)
{
    double *used = standing->usage.used;

    used[LIMIT_BURST] += 1;
    used[LIMIT_DAY_CHARS] += (double)cost->characters;
    used[LIMIT_STORED_BYTES] += (double)cost->bytes;
}

void usage_wait(struct key_standing *standing, int64_t characters)
{
    standing->usage.used[LIMIT_PENDING_JOBS] += 1;
    standing->usage.used[LIMIT_PENDING_CHARS] += (double)characters;
}

void usage_waited(struct key_standing *standing, int64_t characters)
{
    standing->usage.used[LIMIT_PENDING_JOBS] -= 1;
    standing->usage.used[LIMIT_PENDING_CHARS] -= (double)characters;
}

int64_t usage_left(const struct key_standing *standing, enum key_limit limit)
{
    double left = (double)standing->limits.most[limit] - standing->usage.used[limit];

    return left > 0 ? (int64_t)left : 0;
}

int64_t usage_reset_ms(const struct key_standing *standing, enum key_limit limit)
{
    const struct key_usage *usage = &standing->usage;

    if (limit == LIMIT_BURST)
        return (int64_t)ceil(usage->used[limit] * SECOND_MS / (double)standing->limits.requests_per_second);
    return limit == LIMIT_DAY_CHARS ? DAY_MS - usage->at % DAY_MS : 0;
}

/* Bytes of a second of speech at 16 kHz, of the voice that needs most (docs/FORMATS.md). */
static const int64_t second_bytes[AUDIO_FORMAT_COUNT] = {
    [AUDIO_WAV] = 32000, [AUDIO_FLAC] = 20000, [AUDIO_MP3] = 5400, [AUDIO_OPUS] = 4200, [AUDIO_VORBIS] = 5700,
};

/* Measured with the fast voices on English prose. */
#define CHARACTERS_PER_SECOND 16.7

int64_t job_audio_estimate(int64_t characters, enum audio_format format, double speed)
{
    return (int64_t)((double)characters / (CHARACTERS_PER_SECOND * speed) * (double)second_bytes[format]);
}
