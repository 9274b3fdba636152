/* SPDX-License-Identifier: Apache-2.0 */
#include "support/database.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "db/db.h"

const struct job_outcome outcome_completed = {
    .status = JOB_COMPLETED,
    .audio = {.bytes = 1044, .samples = 500, .sample_rate = 16000, .sha256 = "abc"},
    .error_start = -1,
    .error_end = -1,
};
const struct job_outcome outcome_failed = {
    .status = JOB_FAILED,
    .error_code = "synthesis_crashed",
    .error_message = "it crashed",
    .error_start = -1,
    .error_end = -1,
};

static int render(const struct event_renderer *self, enum event_type type, int64_t now_ms,
                  const struct job *job, struct buf *body, struct error *err)
{
    (void)self;
    (void)now_ms;
    (void)err;
    buf_printf(body, "{\"type\":\"%s\",\"job_id\":\"%s\",\"status\":\"%s\"}", event_type_name(type),
               job->job_id, job_status_name(job->status));
    return 0;
}

static const struct event_renderer renderer = {.render = render};

void database_open(struct database *database)
{
    struct error err = {""};

    *database = (struct database){.folder = "/tmp/sayhook-test.XXXXXX"};
    cr_assert_not_null(mkdtemp(database->folder));
    snprintf(database->path, sizeof database->path, "%s/sayhook.db", database->folder);
    fake_clock_init(&database->clock);
    database->options = (struct store_options){
        .path = database->path, .clock = &database->clock.clock, .renderer = &renderer};
    cr_assert_eq(store_open(&database->options, &database->store, &err), 0, "%s", err.text);
    database->key = database_add_key(database, 1);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

void database_close(struct database *database)
{
    store_close(database->store);
    nftw(database->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void begin(struct database *database)
{
    struct error err = {""};

    cr_assert_eq(store_begin(database->store, "test", &err), 0, "%s", err.text);
}

static void commit(struct database *database)
{
    struct error err = {""};

    cr_assert_eq(store_commit(database->store, &err), 0, "%s", err.text);
}

int64_t database_add_key(struct database *database, unsigned char hash_byte)
{
    unsigned char hash[KEY_HASH_SIZE];
    struct api_key key = {0};
    struct error err = {""};
    int64_t row;

    memset(hash, hash_byte, sizeof hash);
    begin(database);
    cr_assert_eq(key_create(database->store,
                            &(struct key_request){.name = "test",
                                                  .weight = 1,
                                                  .hash = hash,
                                                  .secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
                            &key, &err),
                 0, "%s", err.text);
    commit(database);
    row = key.key;
    api_key_release(&key);
    return row;
}

/* Scheme, host and port of a URL that has a port and a path. */
static char *find_receiver(const char *url)
{
    const char *path = url != NULL ? strchr(strstr(url, "://") + 3, '/') : NULL;

    return path != NULL ? strndup(url, (size_t)(path - url)) : NULL;
}

struct job database_add_job(struct database *database, int64_t key, const char *text, const char *webhook_url)
{
    cleanup(free_ptr) char *receiver = find_receiver(webhook_url);
    const struct job_request request = {
        .key = key,
        .request_id = "req-1",
        .text = text,
        .text_bytes = strlen(text),
        .characters = (int64_t)strlen(text),
        .language = "english",
        .voice = "slt",
        .speed = 1.0,
        .pitch = 1.0,
        .webhook_url = webhook_url,
        .receiver = receiver,
    };
    struct error err = {""};
    struct key_standing standing;
    struct job job = {0};

    begin(database);
    cr_assert_eq(job_create(database->store, &request, &job, &standing, &err), 0, "%s", err.text);
    commit(database);
    return job;
}

int database_claim(struct database *database, int64_t worker, struct job *ret_job)
{
    struct error err = {""};
    int r;

    begin(database);
    r = job_claim(database->store, worker, NULL, 0, ret_job, &err);
    cr_assert_geq(r, 0, "%s", err.text);
    commit(database);
    return r;
}

int database_finish(struct database *database, const struct job *claim, const struct job_outcome *outcome)
{
    struct error err = {""};
    int r;

    begin(database);
    r = job_finish(database->store, claim->id, claim->epoch, outcome, &err);
    cr_assert_geq(r, 0, "%s", err.text);
    commit(database);
    return r;
}

int64_t database_join(struct database *database)
{
    struct error err = {""};
    int64_t worker;

    begin(database);
    cr_assert_eq(worker_join(database->store, "/tmp/none", "boot", 100000, &worker, &err), 0, "%s", err.text);
    commit(database);
    return worker;
}

int64_t database_begin_attempt(struct database *database, int64_t webhook)
{
    struct error err = {""};
    int64_t attempt;

    begin(database);
    cr_assert_eq(webhook_attempt_begin(database->store, webhook, &attempt, &err), 0, "%s", err.text);
    commit(database);
    return attempt;
}

void database_end_attempt(struct database *database, int64_t webhook, int64_t attempt,
                          const struct attempt_result *result)
{
    struct error err = {""};

    begin(database);
    cr_assert_eq(webhook_attempt_end(database->store, webhook, attempt, result, &err), 0, "%s", err.text);
    commit(database);
}

struct job database_end_job(struct database *database, int64_t worker, int64_t key,
                            const struct job_outcome *outcome)
{
    struct job job = database_add_job(database, key, "Hello.", DATABASE_RECEIVER "/x");
    cleanup(job_release) struct job claim = {0};

    cr_assert_eq(database_claim(database, worker, &claim), 0);
    cr_assert_eq(database_finish(database, &claim, outcome), 0);
    return job;
}

struct webhook database_take_webhook(struct database *database)
{
    struct webhook *webhooks, webhook;
    struct error err = {""};
    size_t count;

    cr_assert_eq(webhook_due(database->store, DATABASE_RECEIVER, clock_wall_ms(&database->clock.clock), 1,
                             &webhooks, &count, &err),
                 0, "%s", err.text);
    cr_assert_eq(count, 1);
    webhook = webhooks[0];
    free(webhooks);
    return webhook;
}

int64_t database_count(struct database *database, const char *sql)
{
    const struct db_options options = {.path = database->path};
    struct error err = {""};
    int64_t value = 0;
    struct db *db;

    cr_assert_eq(db_open(&options, &db, &err), 0, "%s", err.text);
    cr_assert_eq(db_read_int(db, sql, &value, &err), 0, "%s", err.text);
    db_close(db);
    return value;
}

void database_execute(struct database *database, const char *sql)
{
    const struct db_options options = {.path = database->path};
    struct error err = {""};
    struct db *db;

    cr_assert_eq(db_open(&options, &db, &err), 0, "%s", err.text);
    cr_assert_eq(db_execute(db, sql, &err), 0, "%s", err.text);
    db_close(db);
}
