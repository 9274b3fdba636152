/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs as clients see them: create, get, list, cancel. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "store/internal.h"

/* Compares in constant time: the random part of an id is a capability. */
static bool same_id(const char *left, const char *right)
{
    unsigned char difference = 0;

    for (size_t i = 0; i < JOB_ID_LENGTH; i++)
        difference |= (unsigned char)(left[i] ^ right[i]);
    return difference == 0;
}

int job_get(struct store *store, int64_t key, const char *job_id, struct job *ret_job, struct error *err)
{
    struct job job;
    int64_t id;
    int r;

    if (!job_id_parse(job_id, &id))
        return STORE_NOT_FOUND;
    r = store_read_job(store, id, &job, err);
    if (r != 0)
        return r;
    if (!same_id(job.job_id, job_id) || (key != 0 && job.key != key)) {
        job_release(&job);
        return STORE_NOT_FOUND;
    }
    *ret_job = job;
    return 0;
}

int job_status_get(struct store *store, int64_t id, enum job_status *ret_status, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_job_status_by_id);
    int r;

    db_bind_int(query, 1, id);
    r = db_step(query, err);
    if (r != DB_ROW)
        return r < 0 ? r : STORE_NOT_FOUND;
    job_status_parse(db_column_text(query, 0), ret_status);
    return 0;
}

/* ---- create ---- */

static int read_last_id(struct store *store, int64_t *ret_id, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_job_last_id);
    int r = db_step(query, err);

    if (r < 0)
        return r;
    *ret_id = db_column_int(query, 0);
    return 0;
}

/*
 * Creation order: now, or one more than the last where the clock has not moved on (or was set back).  Nobody
 * else inserts during the transaction, so the last is read once in it.
 */
static int next_id(struct store *store, int64_t *ret_id, struct error *err)
{
    int64_t now = clock_wall_us(store->clock);
    int r = store->last_job == 0 ? read_last_id(store, &store->last_job, err) : 0;

    if (r < 0)
        return r;
    store->last_job = store->last_job >= now ? store->last_job + 1 : now;
    if (store->first_job == 0)
        store->first_job = store->last_job;
    *ret_id = store->last_job;
    return 0;
}

static int insert_job(struct store *store, const struct job_request *request, const struct job *job,
                      int64_t ordinal, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_job_insert);

    db_bind_int(query, 1, job->id);
    db_bind_text(query, 2, job->job_id);
    db_bind_int(query, 3, request->key);
    db_bind_text(query, 4, request->request_id);
    db_bind_text(query, 5, request->language);
    db_bind_text(query, 6, request->voice);
    db_bind_text(query, 7, audio_format_name(request->format));
    db_bind_double(query, 8, request->speed);
    db_bind_double(query, 9, request->pitch);
    db_bind_int(query, 10, request->timings ? 1 : 0);
    db_bind_int(query, 11, request->characters);
    db_bind_text(query, 12, request->metadata);
    db_bind_text(query, 13, request->webhook_url);
    db_bind_text(query, 14, request->receiver);
    db_bind_int(query, 15, ordinal);
    db_bind_int(query, 16, job->created_at);
    db_bind_int(query, 17, job->owed_bytes);
    return db_run(query, err);
}

static int insert_text(struct store *store, int64_t id, const struct job_request *request, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_job_text_insert);

    db_bind_int(query, 1, id);
    db_bind_blob(query, 2, request->text, request->text_bytes);
    return db_run(query, err);
}

static char *copy_or_null(const char *text, bool *failed)
{
    char *copy = text != NULL ? strdup(text) : NULL;

    *failed |= text != NULL && copy == NULL;
    return copy;
}

/* The job as the row has it, without reading it back. */
static int describe_new(const struct job_request *request, struct job *job, struct error *err)
{
    bool failed = false;

    job->key = request->key;
    job->status = JOB_PENDING;
    job->revision = 1;
    job->request_id = copy_or_null(request->request_id, &failed);
    job->language = copy_or_null(request->language, &failed);
    job->voice = copy_or_null(request->voice, &failed);
    job->format = request->format;
    job->speed = request->speed;
    job->pitch = request->pitch;
    job->timings = request->timings;
    job->characters = request->characters;
    job->metadata = copy_or_null(request->metadata, &failed);
    job->error_start = -1;
    job->error_end = -1;
    job->webhook_url = copy_or_null(request->webhook_url, &failed);
    job->webhook_status = request->webhook_url != NULL ? WEBHOOK_PENDING : WEBHOOK_NONE;
    return failed ? error_set(err, -ENOMEM, "out of memory") : 0;
}

struct job_cost job_request_cost(const struct job_request *request)
{
    return (struct job_cost){
        .characters = request->characters,
        .bytes = job_audio_estimate(request->characters, request->format, request->speed),
    };
}

/* Charges the key with the job; STORE_LIMITED where it does not fit. */
static int charge(struct store *store, const struct job_request *request, struct job *job,
                  int64_t *ret_ordinal, struct key_standing *ret_standing, struct error *err)
{
    const struct job_cost cost = job_request_cost(request);
    struct limit_hit hit;
    struct account *account;
    int r = store_account(store, request->key, &account, err);

    if (r < 0)
        return r;
    usage_refresh(&account->standing, job->created_at);
    *ret_standing = account->standing;
    if (!usage_fits(&account->standing, &cost, &hit))
        return STORE_LIMITED;
    r = account_wait(store, account, cost.characters, err);
    if (r < 0)
        return r;
    usage_charge(&account->standing, &cost);
    account->created_jobs++;
    job->owed_bytes = cost.bytes;
    job->queue_position = (int64_t)account->standing.usage.used[LIMIT_PENDING_JOBS];
    *ret_ordinal = account->created_jobs;
    *ret_standing = account->standing;
    return 0;
}

int job_create(struct store *store, const struct job_request *request, struct job *ret_job,
               struct key_standing *ret_standing, struct error *err)
{
    struct job job = {.created_at = store_now(store)};
    int64_t ordinal;
    int r = charge(store, request, &job, &ordinal, ret_standing, err);

    if (r == 0)
        r = next_id(store, &job.id, err);
    if (r == 0) {
        job_id_make(job.id, job.job_id);
        r = insert_job(store, request, &job, ordinal, err);
    }
    if (r == 0)
        r = insert_text(store, job.id, request, err);
    if (r == 0)
        r = describe_new(request, &job, err);
    if (r != 0) {
        job_release(&job);
        return r;
    }
    metric_add(store, METRIC_JOBS_PENDING, 1);
    *ret_job = job;
    return 0;
}

/* ---- list ---- */

void job_page_release(struct job_page *page)
{
    for (size_t i = 0; i < page->count; i++)
        job_release(&page->jobs[i]);
    free(page->jobs);
    *page = (struct job_page){0};
}

/* Merges the ids of one state into ids, which are in descending order, and keeps the first limit of them. */
static size_t merge_ids(int64_t *ids, size_t count, const int64_t *more, size_t more_count, size_t limit)
{
    int64_t merged[STORE_PAGE_ROWS_MAX];
    size_t taken = 0;

    for (size_t i = 0, j = 0; taken < limit && (i < count || j < more_count); taken++)
        merged[taken] = j >= more_count || (i < count && ids[i] > more[j]) ? ids[i++] : more[j++];
    memcpy(ids, merged, taken * sizeof *ids);
    return taken;
}

/* An id is its creation in microseconds, so the bounds in time are bounds of the index. */
void store_id_bounds(const struct job_filter *filter, int64_t *ret_above, int64_t *ret_below)
{
    int64_t below = filter->before > 0 ? filter->before : INT64_MAX;

    if (filter->created_before > 0 && filter->created_before * 1000 < below)
        below = filter->created_before * 1000;
    *ret_above = filter->created_after > 0 ? filter->created_after * 1000 + 999 : 0;
    *ret_below = below;
}

static int list_status(struct store *store, int64_t key, enum job_status status,
                       const struct job_filter *filter, int64_t *ret_ids, size_t limit, size_t *ret_count,
                       struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_job_ids_of_status);
    int64_t above, below;
    size_t count = 0;
    int r;

    store_id_bounds(filter, &above, &below);
    db_bind_int(query, 1, key);
    db_bind_text(query, 2, job_status_name(status));
    db_bind_int(query, 3, below);
    db_bind_int(query, 4, above);
    db_bind_int(query, 5, (int64_t)limit);
    while ((r = db_step(query, err)) == DB_ROW)
        ret_ids[count++] = db_column_int(query, 0);
    if (r < 0)
        return r;
    *ret_count = count;
    return 0;
}

int store_add_ids(struct store *store, int64_t key, const struct job_filter *filter, int64_t *ids,
                  size_t limit, size_t *count, struct error *err)
{
    for (unsigned int status = 0; status < JOB_STATUS_COUNT; status++) {
        int64_t more[STORE_PAGE_ROWS_MAX];
        size_t found;
        int r;

        if (filter->statuses != 0 && (filter->statuses & 1u << status) == 0)
            continue;
        r = list_status(store, key, (enum job_status)status, filter, more, limit, &found, err);
        if (r < 0)
            return r;
        *count = merge_ids(ids, *count, more, found, limit);
    }
    return 0;
}

int store_read_page(struct store *store, const int64_t *ids, size_t found, size_t limit,
                    struct job_page *ret_page, struct error *err)
{
    cleanup(job_page_release) struct job_page page = {0};
    size_t wanted = found > limit ? limit : found;

    page.jobs = calloc(wanted + 1, sizeof *page.jobs);
    if (page.jobs == NULL)
        return error_set(err, -ENOMEM, "out of memory");
    for (size_t i = 0; i < wanted; i++) {
        int r = store_read_job(store, ids[i], &page.jobs[page.count], err);

        if (r < 0)
            return r;
        if (r == 0) /* a row that was removed since its id was read is left out */
            page.count++;
    }
    page.next = found > limit ? ids[wanted - 1] : 0;
    *ret_page = page;
    page = (struct job_page){0};
    return 0;
}

int job_list(struct store *store, int64_t key, const struct job_filter *filter, struct job_page *ret_page,
             struct error *err)
{
    int64_t ids[STORE_PAGE_ROWS_MAX];
    size_t found = 0;
    int r;

    assert(filter->limit >= 1 && filter->limit < STORE_PAGE_ROWS_MAX);
    r = store_add_ids(store, key, filter, ids, filter->limit + 1, &found, err);
    return r < 0 ? r : store_read_page(store, ids, found, filter->limit, ret_page, err);
}

/* ---- cancel ---- */

int job_cancel(struct store *store, int64_t key, const char *job_id, struct job *ret_job, struct error *err)
{
    static const struct job_outcome cancelled = {.status = JOB_CANCELLED, .error_start = -1, .error_end = -1};
    struct account *account;
    struct job job = {0};
    int64_t id;
    int r = job_get(store, key, job_id, &job, err);

    if (r != 0)
        return r;
    id = job.id;
    switch (job.status) {
    case JOB_PENDING:
        r = store_account(store, job.key, &account, err);
        if (r == 0) {
            account_waited(store, account, job.characters, 0);
            r = store_end_job(store, &job, &cancelled, err);
        }
        break;
    case JOB_PROCESSING:
        r = store_run_on_row(store, STATEMENT_job_ask_cancel, id, err);
        break;
    case JOB_CANCELLED:
        *ret_job = job;
        return 0;
    case JOB_COMPLETED:
    case JOB_FAILED:
        *ret_job = job;
        return STORE_CONFLICT;
    }
    job_release(&job);
    return r < 0 ? r : store_read_job(store, id, ret_job, err);
}
