/* SPDX-License-Identifier: Apache-2.0 */
#include "store/outbox.h"

#include <errno.h>
#include <string.h>

#include "store/internal.h"
#include "store/receivers.h"

void outbox_entry_release(struct outbox_entry *entry)
{
    free(entry->url);
    free(entry->receiver);
    free(entry->last_error);
    *entry = (struct outbox_entry){0};
}

void outbox_entries_free(struct outbox_entry *entries, size_t count)
{
    while (count > 0)
        outbox_entry_release(&entries[--count]);
    free(entries);
}

/* ---- one ---- */

static void copy_entry(struct db_query *query, struct outbox_entry *ret_entry)
{
    *ret_entry = (struct outbox_entry){
        .webhook = db_column_int(query, 0),
        .url = db_column_dup(query, 5),
        .receiver = db_column_dup(query, 6),
        .attempts = db_column_int(query, 8),
        .last_status_code = db_column_int(query, 9),
        .last_error = db_column_dup(query, 10),
        .next_attempt_at = db_column_int(query, 11),
        .created_at = db_column_int(query, 12),
        .settled_at = db_column_int(query, 13),
        .has_body = db_column_int(query, 14) != 0,
        .paused_until = db_column_int(query, 15),
    };
    db_column_copy(query, 1, ret_entry->webhook_id, sizeof ret_entry->webhook_id);
    db_column_copy(query, 2, ret_entry->key_id, sizeof ret_entry->key_id);
    db_column_copy(query, 3, ret_entry->job_id, sizeof ret_entry->job_id);
    event_type_parse(db_column_text(query, 4), &ret_entry->event);
    webhook_status_parse(db_column_text(query, 7), &ret_entry->status);
}

static int read_entry(struct store *store, int64_t webhook, struct outbox_entry *ret_entry, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_outbox_row);
    struct outbox_entry entry;
    int r;

    db_bind_int(query, 1, webhook);
    r = db_step(query, err);
    if (r != DB_ROW)
        return r < 0 ? r : STORE_NOT_FOUND;
    copy_entry(query, &entry);
    if (db_query_failed(query)) {
        outbox_entry_release(&entry);
        return error_set(err, -ENOMEM, "out of memory");
    }
    *ret_entry = entry;
    return 0;
}

/* ---- many ---- */

static int collect(struct db_query *query, int64_t *rows, size_t max, size_t *count, struct error *err)
{
    int r = 0;

    while (*count < max && (r = db_step(query, err)) == DB_ROW)
        rows[(*count)++] = db_column_int(query, 0);
    return r < 0 ? r : 0;
}

static int find_failed(struct store *store, const struct outbox_filter *filter, int64_t *rows, size_t max,
                       size_t *count, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_outbox_failed);

    db_bind_int(query, 1, filter->since);
    db_bind_int_or_null(query, 2, filter->key);
    db_bind_text(query, 3, filter->receiver);
    db_bind_int(query, 4, (int64_t)max);
    return collect(query, rows, max, count, err);
}

/* The newest row up to *at, and when it was made; STORE_NOT_FOUND where there is none. */
static int find_newest(struct store *store, int64_t *at, int64_t *ret_created_at, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_outbox_newest);
    int r;

    db_bind_int(query, 1, *at);
    r = db_step(query, err);
    if (r != DB_ROW)
        return r < 0 ? r : STORE_NOT_FOUND;
    *at = db_column_int(query, 0);
    *ret_created_at = db_column_int(query, 1);
    return 0;
}

/* Those among the OUTBOX_STEP rows up to at. */
static int search_step(struct store *store, const struct outbox_filter *filter, const char *webhook_id,
                       int64_t at, int64_t *rows, size_t max, size_t *count, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_outbox_range);

    db_bind_int(query, 1, at - OUTBOX_STEP);
    db_bind_int(query, 2, at);
    db_bind_int(query, 3, filter->since);
    db_bind_int_or_null(query, 4, filter->key);
    db_bind_text(query, 5, filter->receiver);
    db_bind_text(query, 6, filter->status != WEBHOOK_NONE ? webhook_status_name(filter->status) : NULL);
    db_bind_text(query, 7, webhook_id);
    db_bind_int(query, 8, (int64_t)(max - *count));
    return collect(query, rows, max, count, err);
}

static int search(struct store *store, const struct outbox_filter *filter, const char *webhook_id,
                  int64_t *rows, size_t max, size_t *count, struct error *err)
{
    int64_t created_at = 0;
    int r = 0;

    for (int64_t at = INT64_MAX; r == 0 && *count < max; at -= OUTBOX_STEP) {
        r = find_newest(store, &at, &created_at, err);
        if (r == STORE_NOT_FOUND || (r == 0 && created_at < filter->since))
            return 0;
        if (r == 0)
            r = search_step(store, filter, webhook_id, at, rows, max, count, err);
    }
    return r;
}

/* A row that was removed since it was found is left out. */
static int read_entries(struct store *store, const int64_t *rows, size_t count, struct outbox_entry *entries,
                        size_t *ret_count, struct error *err)
{
    size_t read = 0;

    for (size_t i = 0; i < count; i++) {
        int r = read_entry(store, rows[i], &entries[read], err);

        if (r < 0) {
            outbox_entries_free(entries, read);
            return r;
        }
        read += r == 0;
    }
    *ret_count = read;
    return 0;
}

int outbox_list(struct store *store, const struct outbox_filter *filter, size_t max,
                struct outbox_entry **ret_entries, size_t *ret_count, struct error *err)
{
    cleanup(free_ptr) int64_t *rows = calloc(max + 1, sizeof *rows);
    struct outbox_entry *entries;
    size_t count = 0;
    int r;

    if (rows == NULL)
        return error_set(err, -ENOMEM, "out of memory");
    if (filter->status == WEBHOOK_FAILED)
        r = find_failed(store, filter, rows, max, &count, err);
    else
        r = search(store, filter, NULL, rows, max, &count, err);
    if (r < 0)
        return r;
    entries = calloc(count + 1, sizeof *entries);
    if (entries == NULL)
        return error_set(err, -ENOMEM, "out of memory");
    r = read_entries(store, rows, count, entries, ret_count, err);
    if (r == 0)
        *ret_entries = entries;
    return r;
}

static int find_of_job(struct store *store, const char *job_id, int64_t *ret_webhook, struct error *err)
{
    cleanup(job_release) struct job job = {0};
    int r = job_get(store, 0, job_id, &job, err);

    return r != 0 ? r : store_webhook_of_job(store, job.id, ret_webhook, err);
}

int outbox_find(struct store *store, const char *id, struct outbox_entry *ret_entry, struct error *err)
{
    static const struct outbox_filter any = {0};
    int64_t webhook = 0;
    size_t count = 0;
    int r;

    if (strncmp(id, WEBHOOK_ID_PREFIX, sizeof WEBHOOK_ID_PREFIX - 1) != 0) {
        r = find_of_job(store, id, &webhook, err);
    } else {
        r = search(store, &any, id, &webhook, 1, &count, err);
        if (r == 0 && count == 0)
            r = STORE_NOT_FOUND;
    }
    return r != 0 ? r : read_entry(store, webhook, ret_entry, err);
}

/* ---- to mend ---- */

int outbox_failures(struct store *store, struct outbox_walk *walk, struct outbox_failure *ret_failures,
                    size_t max, size_t *ret_count, struct error *err)
{
    cleanup(db_query_end) struct db_query *query =
        db_query(store->db, walk->waiting ? STATEMENT_outbox_waiting_next : STATEMENT_outbox_failed_next);
    const struct outbox_failure *last = &walk->last;
    int64_t start = walk->waiting ? walk->until + 1 : walk->filter.since;
    size_t count = 0;
    int r = 0;

    /* Rows count from 1: at the start, those of the first millisecond are behind the place too. */
    db_bind_int(query, 1, last->webhook != 0 ? last->at : start);
    db_bind_int(query, 2, last->webhook);
    db_bind_int(query, 3, walk->until);
    db_bind_int_or_null(query, 4, walk->filter.key);
    db_bind_text(query, 5, walk->filter.receiver);
    db_bind_int(query, 6, (int64_t)max);
    while (count < max && (r = db_step(query, err)) == DB_ROW) {
        struct outbox_failure *failure = &ret_failures[count++];

        *failure = (struct outbox_failure){.webhook = db_column_int(query, 0),
                                           .at = db_column_int(query, 1),
                                           .has_body = db_column_int(query, 3) != 0};
        db_column_copy(query, 2, failure->webhook_id, sizeof failure->webhook_id);
    }
    if (r < 0)
        return r;
    if (count > 0)
        walk->last = ret_failures[count - 1];
    *ret_count = count;
    return 0;
}

static int owe_again(struct store *store, int64_t webhook, bool failed_only, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_webhook_owe_again);
    int r;

    db_bind_int(query, 1, webhook);
    db_bind_int(query, 2, store_now(store));
    db_bind_int(query, 3, failed_only);
    db_bind_int(query, 4, WEBHOOK_ATTEMPTS_MAX);
    r = db_run(query, err);
    if (r < 0)
        return r;
    return db_changes(store->db) > 0 ? 0 : STORE_CONFLICT;
}

int outbox_redeliver(struct store *store, int64_t webhook, bool failed_only, struct error *err)
{
    int r = owe_again(store, webhook, failed_only, err);

    return r == 0 ? store_run_on_row(store, STATEMENT_receiver_owe, webhook, err) : r;
}

static int hasten(struct store *store, int64_t webhook, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_webhook_hasten);
    int r;

    db_bind_int(query, 1, webhook);
    db_bind_int(query, 2, store_now(store));
    r = db_run(query, err);
    if (r < 0)
        return r;
    return db_changes(store->db) > 0 ? 0 : STORE_CONFLICT;
}

int outbox_hasten(struct store *store, int64_t webhook, struct error *err)
{
    int r = hasten(store, webhook, err);

    return r == 0 ? store_run_on_row(store, STATEMENT_receiver_owe, webhook, err) : r;
}

static int end_pause(struct store *store, const char *receiver, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_receiver_resume);
    int r;

    db_bind_text(query, 1, receiver);
    db_bind_int(query, 2, store_now(store));
    r = db_run(query, err);
    if (r < 0)
        return r;
    return db_changes(store->db) > 0 ? 0 : STORE_CONFLICT;
}

int outbox_resume(struct store *store, const char *receiver, struct error *err)
{
    int r = end_pause(store, receiver, err);

    return r == 0 ? receiver_mend(store, receiver, err) : r;
}
