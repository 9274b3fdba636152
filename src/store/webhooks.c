/* SPDX-License-Identifier: Apache-2.0 */
/* The outbox and its attempts. */
#include <errno.h>
#include <string.h>

#include "store/internal.h"
#include "store/outbox.h"
#include "store/receivers.h"

void webhook_release(struct webhook *webhook)
{
    free(webhook->url);
    free(webhook->receiver);
    free(webhook->body);
    *webhook = (struct webhook){0};
}

void webhooks_free(struct webhook *webhooks, size_t count)
{
    while (count > 0)
        webhook_release(&webhooks[--count]);
    free(webhooks);
}

/* ---- what is due ---- */

static void read_webhook(struct db_query *query, struct webhook *ret_webhook)
{
    *ret_webhook = (struct webhook){
        .webhook = db_column_int(query, 0),
        .key = db_column_int(query, 2),
        .url = db_column_dup(query, 5),
        .receiver = db_column_dup(query, 6),
        .body = db_column_dup(query, 7),
        .attempts = db_column_int(query, 8),
        .due_at = db_column_int(query, 9),
        .interruptions = db_column_int(query, 10),
    };
    db_column_copy(query, 1, ret_webhook->webhook_id, sizeof ret_webhook->webhook_id);
    db_column_copy(query, 3, ret_webhook->job_id, sizeof ret_webhook->job_id);
    event_type_parse(db_column_text(query, 4), &ret_webhook->event);
}

int webhook_due(struct store *store, const char *receiver, int64_t now_ms, size_t max,
                struct webhook **ret_webhooks, size_t *ret_count, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_webhook_due);
    struct webhook *webhooks = calloc(max + 1, sizeof *webhooks);
    size_t count = 0;
    int r = 0;

    if (webhooks == NULL)
        return error_set(err, -ENOMEM, "out of memory");
    db_bind_text(query, 1, receiver);
    db_bind_int(query, 2, now_ms);
    db_bind_int(query, 3, (int64_t)max);
    while (count < max && (r = db_step(query, err)) == DB_ROW)
        read_webhook(query, &webhooks[count++]);
    if (r >= 0 && db_query_failed(query))
        r = error_set(err, -ENOMEM, "out of memory");
    if (r < 0) {
        webhooks_free(webhooks, count);
        return r;
    }
    *ret_webhooks = webhooks;
    *ret_count = count;
    return 0;
}

/* ---- attempts ---- */

static int raise_attempt(struct store *store, int64_t webhook, int64_t *ret_attempt, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_webhook_begin);
    int r;

    db_bind_int(query, 1, webhook);
    r = db_step(query, err);
    if (r != DB_ROW)
        return r < 0 ? r : STORE_CONFLICT;
    *ret_attempt = db_column_int(query, 0);
    return 0;
}

static int insert_delivery(struct store *store, int64_t webhook, int64_t attempt, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_delivery_insert);

    db_bind_int(query, 1, webhook);
    db_bind_int(query, 2, attempt);
    db_bind_int(query, 3, store_now(store));
    return db_run(query, err);
}

static int plan_receiver(struct store *store, int64_t webhook, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_receiver_plan);

    db_bind_int(query, 1, webhook);
    db_bind_int(query, 2, store_now(store));
    return db_run(query, err);
}

int webhook_attempt_begin(struct store *store, int64_t webhook, int64_t *ret_attempt, struct error *err)
{
    int64_t attempt;
    int r = raise_attempt(store, webhook, &attempt, err);

    if (r == 0)
        r = insert_delivery(store, webhook, attempt, err);
    if (r == 0)
        r = plan_receiver(store, webhook, err);
    if (r != 0)
        return r;
    *ret_attempt = attempt;
    return 0;
}

/* A step that was not reached has no time. */
static void bind_step(struct db_query *query, int parameter, int64_t us)
{
    if (us >= 0)
        db_bind_int(query, parameter, us);
}

static void bind_trace(struct db_query *query, const struct attempt_trace *trace)
{
    db_bind_text(query, 9, trace->peer);
    db_bind_int(query, 10, trace->reused);
    db_bind_int(query, 11, trace->sends);
    bind_step(query, 12, trace->name_lookup_us);
    bind_step(query, 13, trace->connect_us);
    bind_step(query, 14, trace->tls_us);
    bind_step(query, 15, trace->first_byte_us);
    bind_step(query, 16, trace->total_us);
}

static int end_delivery(struct store *store, int64_t webhook, int64_t attempt,
                        const struct attempt_result *result, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_delivery_end);
    int r;

    db_bind_int(query, 1, webhook);
    db_bind_int(query, 2, attempt);
    db_bind_int(query, 3, result->duration_ms);
    db_bind_int_or_null(query, 4, result->status_code);
    db_bind_text(query, 5, result->error_code);
    db_bind_text(query, 6, result->error_message);
    db_bind_text(query, 7, result->response_excerpt);
    db_bind_int_or_null(query, 8, result->status == WEBHOOK_PENDING ? result->next_attempt_at : 0);
    if (result->trace != NULL)
        bind_trace(query, result->trace);
    r = db_run(query, err);
    if (r < 0)
        return r;
    return db_changes(store->db) > 0 ? 0 : STORE_CONFLICT;
}

/* *ret_owed_at is since when it is owed. */
static int end_webhook(struct store *store, int64_t webhook, const struct attempt_result *result,
                       int64_t *ret_owed_at, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_webhook_end);
    bool settled = result->status != WEBHOOK_PENDING;
    int r;

    db_bind_int(query, 1, webhook);
    db_bind_text(query, 2, webhook_status_name(result->status));
    db_bind_int_or_null(query, 3, settled ? 0 : result->next_attempt_at);
    db_bind_int_or_null(query, 4, result->status_code);
    db_bind_text(query, 5, result->error_code);
    db_bind_int_or_null(query, 6, settled ? store_now(store) : 0);
    r = db_step(query, err);
    if (r != DB_ROW)
        return r < 0 ? r : STORE_NOT_FOUND;
    *ret_owed_at = db_column_int(query, 0);
    return 0;
}

static int pause_receiver(struct store *store, int64_t webhook, int64_t until, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_receiver_pause);

    db_bind_int(query, 1, webhook);
    db_bind_int(query, 2, until);
    return db_run(query, err);
}

/* What one transaction gives up at most. */
#define GIVE_UP_BATCH 64

static int give_up(struct store *store, int64_t webhook, const struct attempt_result *result,
                   struct error *err)
{
    int r;

    {
        cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_webhook_give_up);

        db_bind_int(query, 1, webhook);
        db_bind_int(query, 2, result->give_up_until);
        db_bind_text(query, 3, result->error_code);
        db_bind_int(query, 4, store_now(store));
        db_bind_int(query, 5, GIVE_UP_BATCH);
        r = db_run(query, err);
    }
    return r < 0 ? r : plan_receiver(store, webhook, err);
}

static int learn_receiver(struct store *store, int64_t webhook, const struct receiver_standing *standing,
                          struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_receiver_learn);

    db_bind_int(query, 1, webhook);
    db_bind_int(query, 2, standing->class);
    db_bind_int_or_null(query, 3, standing->failing_since);
    return db_run(query, err);
}

/* What an end means for the webhook's receiver. */
static int end_at_receiver(struct store *store, int64_t webhook, const struct attempt_result *result,
                           struct error *err)
{
    int r = 0;

    if (result->standing != NULL)
        r = learn_receiver(store, webhook, result->standing, err);
    if (r == 0 && result->status == WEBHOOK_PENDING)
        r = store_run_on_row(store, STATEMENT_receiver_owe, webhook, err);
    if (r == 0 && result->pause_until != 0)
        r = pause_receiver(store, webhook, result->pause_until, err);
    if (r == 0 && result->give_up_until != 0)
        r = give_up(store, webhook, result, err);
    return r;
}

int webhook_attempt_end(struct store *store, int64_t webhook, int64_t attempt,
                        const struct attempt_result *result, struct error *err)
{
    int64_t owed_at = 0;
    int r = end_delivery(store, webhook, attempt, result, err);

    if (r == 0)
        r = end_webhook(store, webhook, result, &owed_at, err);
    if (r == 0)
        r = end_at_receiver(store, webhook, result, err);
    if (r != 0)
        return r;
    if (attempt > 1)
        metric_add(store, METRIC_RETRIES, 1);
    if (result->status == WEBHOOK_DELIVERED)
        store_observe_ms(store, METRIC_DELIVERY_DELAY, store_now(store) - owed_at);
    metric_add(store, result->error_code == NULL ? METRIC_DELIVERIES_SUCCEEDED : METRIC_DELIVERIES_FAILED, 1);
    return 0;
}

static int delete_delivery(struct store *store, int64_t webhook, int64_t attempt, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_delivery_withdraw);
    int r;

    db_bind_int(query, 1, webhook);
    db_bind_int(query, 2, attempt);
    r = db_run(query, err);
    if (r < 0)
        return r;
    return db_changes(store->db) > 0 ? 0 : STORE_CONFLICT;
}

static int plan_again(struct store *store, int64_t webhook, int64_t delay_ms, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_webhook_withdraw);

    db_bind_int(query, 1, webhook);
    db_bind_int(query, 2, store_now(store) + delay_ms);
    return db_run(query, err);
}

int webhook_attempt_withdraw(struct store *store, int64_t webhook, int64_t attempt, int64_t delay_ms,
                             struct error *err)
{
    int r = delete_delivery(store, webhook, attempt, err);

    if (r == 0)
        r = plan_again(store, webhook, delay_ms, err);
    return r == 0 ? store_run_on_row(store, STATEMENT_receiver_owe, webhook, err) : r;
}

int webhook_open_attempts(struct store *store, struct attempt_ref *ret_attempts, size_t max,
                          size_t *ret_count, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_delivery_open);
    size_t count = 0;
    int r = 0;

    db_bind_int(query, 1, (int64_t)max);
    while (count < max && (r = db_step(query, err)) == DB_ROW)
        ret_attempts[count++] = (struct attempt_ref){.webhook = db_column_int(query, 0),
                                                     .attempt = db_column_int(query, 1),
                                                     .started_at = db_column_int(query, 2),
                                                     .interruptions = db_column_int(query, 3)};
    if (r < 0)
        return r;
    *ret_count = count;
    return 0;
}

/* ---- of a job ---- */

int store_webhook_of_job(struct store *store, int64_t id, int64_t *ret_webhook, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_job_webhook);
    int r;

    db_bind_int(query, 1, id);
    r = db_step(query, err);
    if (r != DB_ROW)
        return r < 0 ? r : STORE_NOT_FOUND;
    if (db_column_is_null(query, 0))
        return STORE_CONFLICT;
    *ret_webhook = db_column_int(query, 0);
    return 0;
}

int webhook_redeliver(struct store *store, int64_t key, const char *job_id, struct job *ret_job,
                      struct error *err)
{
    struct job job = {0};
    int64_t id, webhook;
    int r = job_get(store, key, job_id, &job, err);

    if (r != 0)
        return r;
    id = job.id;
    r = store_webhook_of_job(store, id, &webhook, err);
    if (r == 0)
        r = outbox_redeliver(store, webhook, false, err);
    if (r == STORE_CONFLICT) {
        *ret_job = job;
        return r;
    }
    job_release(&job);
    return r < 0 ? r : store_read_job(store, id, ret_job, err);
}
