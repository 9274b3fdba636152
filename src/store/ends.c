/* SPDX-License-Identifier: Apache-2.0 */
/* How a claim ends: the job is over and owes its webhook, or it waits again. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "store/internal.h"

static int mark_terminal(struct store *store, int64_t id, const struct job_outcome *outcome, int64_t now,
                         struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_job_to_terminal);
    const struct audio_facts *audio = &outcome->audio;

    db_bind_int(query, 1, id);
    db_bind_text(query, 2, job_status_name(outcome->status));
    db_bind_int(query, 3, now);
    if (outcome->status == JOB_COMPLETED) {
        db_bind_int(query, 4, audio->bytes);
        db_bind_int(query, 5, audio->samples);
        db_bind_int(query, 6, audio->sample_rate);
        db_bind_text(query, 7, audio->sha256);
        db_bind_int(query, 13, now + store->retention_audio);
    }
    if (outcome->status == JOB_FAILED) {
        db_bind_text(query, 8, outcome->error_code);
        db_bind_text(query, 9, outcome->error_message);
        if (outcome->error_start >= 0) {
            db_bind_int(query, 10, outcome->error_start);
            db_bind_int(query, 11, outcome->error_end);
        }
    }
    db_bind_text(query, 12, outcome->warnings);
    return db_run(query, err);
}

int store_read_receiver(struct store *store, int64_t id, char **ret_receiver, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_job_receiver);
    int r;

    db_bind_int(query, 1, id);
    r = db_step(query, err);
    if (r != DB_ROW)
        return r < 0 ? r : STORE_NOT_FOUND;
    *ret_receiver = db_column_dup(query, 0);
    return *ret_receiver != NULL ? 0 : error_set(err, -ENOMEM, "out of memory");
}

static int insert_webhook(struct store *store, const struct job *job, const char *receiver, const char *body,
                          struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_webhook_insert);
    char webhook_id[WEBHOOK_ID_SIZE];

    webhook_id_make(webhook_id);
    db_bind_text(query, 1, webhook_id);
    db_bind_int(query, 2, job->key);
    db_bind_int(query, 3, job->id);
    db_bind_text(query, 4, event_type_name(job_terminal_event(job->status)));
    db_bind_text(query, 5, job->webhook_url);
    db_bind_text(query, 6, receiver);
    db_bind_text(query, 7, body);
    db_bind_int(query, 8, store_now(store) + store->webhook_delay);
    db_bind_int(query, 9, store_now(store));
    return db_run(query, err);
}

static int link_webhook(struct store *store, int64_t id, int64_t webhook, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_job_set_webhook);

    db_bind_int(query, 1, id);
    db_bind_int(query, 2, webhook);
    return db_run(query, err);
}

/* A body is the job's own members and its metadata; both are bounded well below this. */
#define WEBHOOK_BODY_MAX (64 * 1024)

static int owe_webhook(struct store *store, int64_t id, struct error *err)
{
    cleanup(buf_release) struct buf body = BUF_INIT(WEBHOOK_BODY_MAX);
    cleanup(free_ptr) char *receiver = NULL;
    cleanup(job_release) struct job job = {0};
    int64_t webhook;
    int r = store_read_job(store, id, &job, err);

    assert(store->renderer != NULL);
    if (r == 0)
        r = store_read_receiver(store, id, &receiver, err);
    if (r == 0)
        r = store->renderer->render(store->renderer, job_terminal_event(job.status), store_now(store), &job,
                                    &body, err);
    if (r == 0 && !buf_ok(&body))
        r = error_set(err, -ENOMEM, "the webhook of %s is larger than %d bytes", job.job_id,
                      WEBHOOK_BODY_MAX);
    if (r == 0)
        r = insert_webhook(store, &job, receiver, buf_str(&body), err);
    webhook = r == 0 ? db_last_insert(store->db) : 0;
    if (r == 0)
        r = store_run_on_row(store, STATEMENT_receiver_owe, webhook, err);
    if (r == 0)
        r = link_webhook(store, id, webhook, err);
    return r;
}

/* now is when it ended. */
static void count_end(struct store *store, const struct job *job, const struct job_outcome *outcome,
                      int64_t now)
{
    const struct audio_facts *audio = &outcome->audio;

    metric_add(store, (enum metric)(METRIC_JOBS_PENDING + outcome->status), 1);
    if (outcome->status == JOB_COMPLETED) {
        store_observe_ms(store, METRIC_DURATION, now - job->started_at);
        if (audio->sample_rate > 0)
            metric_add(store, METRIC_AUDIO_SECONDS, (double)audio->samples / (double)audio->sample_rate);
    }
}

int store_end_job(struct store *store, const struct job *job, const struct job_outcome *outcome,
                  struct error *err)
{
    int64_t now = store_now(store);
    struct account *account;
    int r;

    assert(job_transition_is_legal(job->status, outcome->status));
    r = store_account(store, job->key, &account, err);
    if (r < 0)
        return r;
    account_store_bytes(account,
                        (outcome->status == JOB_COMPLETED ? outcome->audio.bytes : 0) - job->owed_bytes);
    r = mark_terminal(store, job->id, outcome, now, err);
    /* A failed job's text stays, so that it can be tried again. */
    if (r == 0 && outcome->status != JOB_FAILED)
        r = store_run_on_row(store, STATEMENT_job_text_delete, job->id, err);
    if (r == 0 && job->webhook_url != NULL)
        r = owe_webhook(store, job->id, err);
    if (r == 0)
        count_end(store, job, outcome, now);
    return r;
}

static const struct job_outcome cancelled = {.status = JOB_CANCELLED, .error_start = -1, .error_end = -1};

/* Reads a job whose claim is still that one. */
static int read_claimed(struct store *store, int64_t id, int64_t epoch, struct job *ret_job,
                        struct error *err)
{
    int r;

    assert(db_in_transaction(store->db));
    r = store_read_job(store, id, ret_job, err);
    if (r != 0)
        return r < 0 ? r : STORE_STALE;
    return ret_job->status == JOB_PROCESSING && ret_job->epoch == epoch ? 0 : STORE_STALE;
}

int job_finish(struct store *store, int64_t id, int64_t epoch, const struct job_outcome *outcome,
               struct error *err)
{
    cleanup(job_release) struct job job = {0};
    int r = read_claimed(store, id, epoch, &job, err);

    if (r != 0)
        return r;
    if (job.cancel_requested &&
        outcome->status == JOB_COMPLETED) { /* a client was told that it will not be */
        r = store_end_job(store, &job, &cancelled, err);
        return r < 0 ? r : STORE_CANCELLED;
    }
    return store_end_job(store, &job, outcome, err);
}

int store_return_job(struct store *store, const struct job *job, struct error *err)
{
    struct account *account;
    int r;

    if (job->cancel_requested) {
        r = store_end_job(store, job, &cancelled, err);
        return r < 0 ? r : STORE_CANCELLED;
    }
    assert(job_transition_is_legal(job->status, JOB_PENDING));
    r = store_run_on_row(store, STATEMENT_job_to_pending, job->id, err);
    if (r == 0)
        r = store_account(store, job->key, &account, err);
    if (r == 0) {
        account_refund(account, job->characters);
        r = account_wait(store, account, job->characters, err);
    }
    if (r == 0)
        metric_add(store, METRIC_JOBS_PENDING, 1);
    return r;
}

static int add_setback(struct store *store, int64_t id, int64_t *ret_setbacks, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_job_add_setback);
    int r;

    db_bind_int(query, 1, id);
    r = db_step(query, err);
    if (r != DB_ROW)
        return r < 0 ? r : STORE_NOT_FOUND;
    *ret_setbacks = db_column_int(query, 0);
    return 0;
}

static int give_up(struct store *store, const struct job *job, const struct setback *setback,
                   struct error *err)
{
    char message[ERROR_TEXT_MAX];
    const struct job_outcome outcome = {.status = JOB_FAILED,
                                        .error_code = setback->code,
                                        .error_message = message,
                                        .error_start = -1,
                                        .error_end = -1};
    int r;

    snprintf(message, sizeof message,
             "%s, %d times in a row, and no time was further than %lld characters spoken", setback->message,
             JOB_SETBACKS_MAX, (long long)job->spoken);
    r = store_end_job(store, job, &outcome, err);
    return r < 0 ? r : STORE_GAVE_UP;
}

int store_set_back(struct store *store, const struct job *job, const struct setback *setback,
                   struct error *err)
{
    int64_t setbacks = 0;
    int r = add_setback(store, job->id, &setbacks, err);

    if (r != 0)
        return r;
    return setbacks < JOB_SETBACKS_MAX || job->cancel_requested ? store_return_job(store, job, err)
                                                                : give_up(store, job, setback, err);
}

int job_put_back(struct store *store, int64_t id, int64_t epoch, const struct setback *setback,
                 struct error *err)
{
    cleanup(job_release) struct job job = {0};
    int r = read_claimed(store, id, epoch, &job, err);

    if (r != 0)
        return r;
    return setback != NULL ? store_set_back(store, &job, setback, err) : store_return_job(store, &job, err);
}
