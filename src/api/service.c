/* SPDX-License-Identifier: Apache-2.0 */
/* What is not about jobs: voices, and whether the service is well. */
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>

#include "api/internal.h"
#include "base/log.h"
#include "codec/json_write.h"
#include "job/catalogue.h"
#include "job/files.h"

/* The disk and the database are asked how they are at most this often. */
#define CHECK_INTERVAL_MS 1000

/* A database that takes a write only after this is not ready, whatever comes of it in the end. */
#define CHECK_PATIENCE_MS 2000

void handle_voices(struct exchange *exchange)
{
    size_t count;
    const struct voice *voices = catalogue_voices(&count);

    buf_append_str(exchange->body, "{\"voices\":[");
    for (size_t i = 0; i < count; i++) {
        const struct voice *voice = &voices[i];
        const struct language *language = catalogue_find_language(voice->language);

        json_item(exchange->body);
        buf_append_str(exchange->body, "{");
        json_member_string(exchange->body, "id", voice->id);
        json_member_string(exchange->body, "name", voice->name);
        json_member_string(exchange->body, "language", voice->language);
        json_member_string(exchange->body, "language_code", language->code);
        json_member_string(exchange->body, "gender", voice->gender);
        json_member_int(exchange->body, "sample_rate", voice->sample_rate);
        json_member_string(exchange->body, "engine", voice->engine);
        json_member_bool(exchange->body, "default", catalogue_find_voice(language, NULL) == voice);
        buf_append_str(exchange->body, "}");
    }
    buf_append_str(exchange->body, "]}");
    reply_json(exchange, 200);
}

/* Read afresh: who asks wants to know, and not what was remembered. */
void handle_usage(struct exchange *exchange)
{
    struct key_standing *standing = &exchange->standing;
    struct error err = {""};
    int r = key_standing_read(exchange->store, exchange->key->key, standing, &err);

    if (r < 0) {
        reply_failure(exchange, r, &err);
        return;
    }
    buf_append_str(exchange->body, "{\"limits\":[");
    for (int i = 0; i < LIMIT_COUNT; i++) {
        enum key_limit limit = (enum key_limit)i;
        int64_t window = limit_window(&standing->limits, limit);

        if (standing->limits.most[i] == 0)
            continue;
        json_item(exchange->body);
        buf_append_str(exchange->body, "{");
        json_member_string(exchange->body, "name", limit_name(limit));
        json_member_string(exchange->body, "unit", limit_unit(limit));
        json_member_int(exchange->body, "limit", standing->limits.most[i]);
        json_member_int(exchange->body, "remaining", usage_left(standing, limit));
        if (window > 0) {
            json_member_int(exchange->body, "window_seconds", window);
            json_member_int(exchange->body, "reset_seconds", (usage_reset_ms(standing, limit) + 999) / 1000);
        }
        buf_append_str(exchange->body, "}");
    }
    buf_append_str(exchange->body, "]}");
    reply_json(exchange, 200);
}

void handle_healthz(struct exchange *exchange)
{
    buf_append_str(exchange->body, "{\"status\":\"ok\"}");
    reply_json(exchange, 200);
}

bool storage_is_full(struct api *api)
{
    int64_t now = clock_monotonic_ms(api->clock);
    bool full;

    if (now < atomic_load(&api->space_at))
        return atomic_load(&api->storage_is_full);
    atomic_store(&api->space_at, now + CHECK_INTERVAL_MS);
    full = job_space_is_below(api->settings, api->settings->disk_reserve);
    if (atomic_exchange(&api->storage_is_full, full) != full)
        log_write(full ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO, NULL,
                  full ? "the disk is below its reserve: jobs are refused with 507 until there is room"
                       : "the disk has room again: jobs are taken");
    return full;
}

void reply_storage_full(struct exchange *exchange)
{
    reply_problem(exchange, PROBLEM_STORAGE_FULL, "the server's disk is below its reserve; try again later");
}

/* ---- readiness ---- */

static int count_check(struct commit_work *work, struct store *store, struct error *err)
{
    (void)work;
    (void)err;
    metric_add(store, METRIC_READINESS_CHECKS, 1);
    return 0;
}

static void end_check(struct commit_work *work)
{
    struct api *api = container_of(work, struct api, check);

    atomic_store(&api->is_writable, work->result >= 0);
    atomic_store(&api->write_at, clock_monotonic_ms(api->clock) + CHECK_INTERVAL_MS);
    atomic_store(&api->is_checking, false);
    eventfd_write(api->checked_fd, 1);
}

/* Asked for at most once in CHECK_INTERVAL_MS, since it costs a commit and anybody may ask. */
static bool database_is_writable(struct api *api)
{
    struct pollfd checked = {.fd = api->checked_fd, .events = POLLIN};
    eventfd_t count;

    /* One waits at a time; the others get the answer of before, which soon is the one of a database that is
     * busy. */
    if (clock_monotonic_ms(api->clock) < atomic_load(&api->write_at) ||
        atomic_exchange(&api->is_checking, true))
        return atomic_load(&api->is_writable);
    eventfd_read(api->checked_fd, &count); /* of a check that was not waited for to its end */
    api->check = (struct commit_work){.run = count_check, .done = end_check};
    if (committer_post(api->committer, &api->check) < 0) {
        atomic_store(&api->is_writable, false);
        atomic_store(&api->is_checking, false);
    } else if (poll(&checked, 1, CHECK_PATIENCE_MS) != 1) {
        atomic_store(&api->is_writable, false);
    }
    return atomic_load(&api->is_writable);
}

/* Milliseconds since a worker that lives gave its last sign of life; -1 where none lives. */
static int64_t worker_age(struct exchange *exchange)
{
    struct workers_seen seen;

    return workers_look(exchange, &seen, NULL) == 0 ? seen.alive_beat_ms : -1;
}

void handle_readyz(struct exchange *exchange)
{
    bool database = database_is_writable(exchange->api);
    bool disk = !storage_is_full(exchange->api);
    int64_t age = worker_age(exchange);
    bool worker = age >= 0;

    if (!database || !disk || !worker) {
        reply_field(exchange, "Retry-After", "1");
        reply_problem(exchange, PROBLEM_NOT_READY, "not ready:%s%s%s",
                      database ? "" : " the database takes no writes.",
                      disk ? "" : " the disk is below its reserve.", worker ? "" : " no worker is alive.");
        return;
    }
    buf_append_str(exchange->body,
                   "{\"status\":\"ok\",\"checks\":{\"database\":true,\"disk\":true,\"worker\":true}");
    json_member_double(exchange->body, "worker_age_seconds", (double)age / 1000);
    buf_append_str(exchange->body, "}");
    reply_json(exchange, 200);
}
