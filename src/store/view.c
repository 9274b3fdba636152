/* SPDX-License-Identifier: Apache-2.0 */
#include "store/view.h"

#include <errno.h>

#include "store/internal.h"
#include "store/receivers.h"
#include "store/service.h"

/* A number that one statement tells of up to two parameters; one that is negative is not bound. */
static int read_number(struct store *store, enum statement statement, int64_t first, int64_t second,
                       int64_t *ret_number, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, statement);
    int r;

    if (first >= 0)
        db_bind_int(query, 1, first);
    if (second >= 0)
        db_bind_int(query, 2, second);
    r = db_step(query, err);
    if (r < 0)
        return r;
    *ret_number = r == DB_ROW ? db_column_int(query, 0) : 0;
    return 0;
}

static int read_jobs(struct store *store, int64_t now, struct service_view *view, struct error *err)
{
    int64_t since = now - VIEW_LATELY_MS, oldest = 0;
    int r = read_number(store, STATEMENT_view_oldest_pending, -1, -1, &oldest, err);

    if (r == 0)
        r = job_count_claimed(store, &view->claimed, err);
    if (r == 0)
        r = read_number(store, STATEMENT_view_jobs_created, since * 1000, VIEW_COUNT_MAX,
                        &view->created_lately, err);
    if (r == 0)
        r = read_number(store, STATEMENT_view_jobs_ended, since, VIEW_COUNT_MAX, &view->ended_lately, err);
    view->oldest_pending_at = oldest / 1000; /* a row is the microsecond of its creation */
    return r;
}

static int read_webhooks(struct store *store, int64_t now, struct service_view *view, struct error *err)
{
    int r =
        read_number(store, STATEMENT_view_webhooks_planned, VIEW_COUNT_MAX, -1, &view->webhooks_planned, err);

    if (r == 0)
        r = read_number(store, STATEMENT_view_attempts_open, VIEW_COUNT_MAX, -1, &view->webhooks_open, err);
    if (r == 0)
        r = read_number(store, STATEMENT_view_webhooks_failed, now - VIEW_DAY_MS, VIEW_COUNT_MAX,
                        &view->webhooks_failed_in_a_day, err);
    return r;
}

static void add_receiver(struct service_view *view, struct db_query *query, int64_t now)
{
    struct view_receiver receiver = {
        .paused_until = db_column_int(query, 2) > now ? db_column_int(query, 2) : 0,
        .failing_since = db_column_int(query, 3),
        .slow = db_column_int(query, 1) > RECEIVER_CLASS_NEW,
    };

    view->receivers_paused += receiver.paused_until != 0;
    view->receivers_failing += receiver.failing_since != 0;
    view->receivers_slow += receiver.slow;
    if (view->receiver_count == VIEW_RECEIVERS)
        return;
    receiver.receiver = db_column_dup(query, 0);
    view->receivers[view->receiver_count++] = receiver;
}

static int read_receivers(struct store *store, int64_t now, struct service_view *view, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_view_receivers);
    int r;

    db_bind_int(query, 1, now);
    db_bind_int(query, 2, VIEW_RECEIVERS_MAX);
    while ((r = db_step(query, err)) == DB_ROW)
        add_receiver(view, query, now);
    return r < 0 || !db_query_failed(query) ? r : error_set(err, -ENOMEM, "out of memory");
}

static int read_keys(struct store *store, struct service_view *view, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_view_keys);
    int r = db_step(query, err);

    if (r < 0)
        return r;
    view->keys = db_column_int(query, 0);
    view->keys_revoked = db_column_int(query, 1);
    return 0;
}

int service_view_read(struct store *store, struct service_view *ret_view, struct error *err)
{
    struct service_view view = {0};
    int64_t now = store_now(store);
    int r = store_read_begin(store, err);

    if (r == 0)
        r = metrics_read(store, view.metrics, err);
    if (r == 0)
        r = service_paused_since(store, &view.paused_since, err);
    if (r == 0)
        r = read_jobs(store, now, &view, err);
    if (r == 0)
        r = read_webhooks(store, now, &view, err);
    if (r == 0)
        r = read_receivers(store, now, &view, err);
    if (r == 0)
        r = read_keys(store, &view, err);
    store_read_end(store);
    if (r < 0) {
        service_view_release(&view);
        return r;
    }
    *ret_view = view;
    return 0;
}

void service_view_release(struct service_view *view)
{
    while (view->receiver_count > 0)
        free(view->receivers[--view->receiver_count].receiver);
}
