/* SPDX-License-Identifier: Apache-2.0 */
/* From a row of jobs, with its webhook's, to a struct job. */
#include <errno.h>

#include "store/internal.h"

/* The columns of job_by_id. */
static void read_job(struct db_query *query, struct job *ret_job)
{
    const char *webhook_status = db_column_text(query, 32);

    *ret_job = (struct job){
        .id = db_column_int(query, 0),
        .key = db_column_int(query, 2),
        .epoch = db_column_int(query, 4),
        .revision = db_column_int(query, 5),
        .request_id = db_column_dup(query, 6),
        .language = db_column_dup(query, 7),
        .voice = db_column_dup(query, 8),
        .speed = db_column_double(query, 10),
        .pitch = db_column_double(query, 11),
        .timings = db_column_int(query, 12) != 0,
        .characters = db_column_int(query, 13),
        .metadata = db_column_dup(query, 14),
        .spoken = db_column_int(query, 15),
        .cancel_requested = db_column_int(query, 16) != 0,
        .created_at = db_column_int(query, 17),
        .started_at = db_column_int(query, 18),
        .completed_at = db_column_int(query, 19),
        .expires_at = db_column_int(query, 20),
        .audio_removed_at = db_column_int(query, 21),
        .audio = {.bytes = db_column_int(query, 22),
                  .samples = db_column_int(query, 23),
                  .sample_rate = (int32_t)db_column_int(query, 24)},
        .error_code = db_column_dup(query, 26),
        .error_message = db_column_dup(query, 27),
        .error_start = db_column_is_null(query, 28) ? -1 : db_column_int(query, 28),
        .error_end = db_column_is_null(query, 29) ? -1 : db_column_int(query, 29),
        .warnings = db_column_dup(query, 30),
        .webhook_url = db_column_dup(query, 31),
        .webhook_attempts = db_column_int(query, 33),
        .webhook_last_status_code = db_column_int(query, 34),
        .webhook_last_error = db_column_dup(query, 35),
        .webhook_next_attempt_at = db_column_int(query, 36),
        .queue_position = db_column_int(query, 37),
        .owed_bytes = db_column_int(query, 38),
    };
    db_column_copy(query, 1, ret_job->job_id, sizeof ret_job->job_id);
    db_column_copy(query, 25, ret_job->audio.sha256, sizeof ret_job->audio.sha256);
    /* Both columns are checked by the schema or written from the same tables, so the names parse. */
    job_status_parse(db_column_text(query, 3), &ret_job->status);
    audio_format_parse(db_column_text(query, 9), &ret_job->format);
    if (webhook_status != NULL)
        webhook_status_parse(webhook_status, &ret_job->webhook_status);
    else if (ret_job->webhook_url != NULL)
        ret_job->webhook_status = WEBHOOK_PENDING;
}

int store_read_job(struct store *store, int64_t id, struct job *ret_job, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_job_by_id);
    struct job job;
    int r;

    db_bind_int(query, 1, id);
    r = db_step(query, err);
    if (r != DB_ROW)
        return r < 0 ? r : STORE_NOT_FOUND;
    read_job(query, &job);
    if (db_query_failed(query)) {
        job_release(&job);
        return error_set(err, -ENOMEM, "out of memory");
    }
    *ret_job = job;
    return 0;
}
