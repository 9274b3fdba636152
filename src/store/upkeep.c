/* SPDX-License-Identifier: Apache-2.0 */
#include "store/upkeep.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/internal.h"

/* Ids that are read before their rows are: a statement is used once at a time. */
#define WALK_MAX 64

/* ---- audio ---- */

static int find_audio(struct store *store, const struct audio_walk *walk, struct audio_walk *ret_places,
                      size_t max, size_t *ret_count, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_upkeep_audio);
    size_t count = 0;
    int r = 0;

    db_bind_int(query, 1, walk->expires_at);
    db_bind_int(query, 2, walk->id);
    db_bind_int(query, 3, (int64_t)max);
    while (count < max && (r = db_step(query, err)) == DB_ROW)
        ret_places[count++] =
            (struct audio_walk){.expires_at = db_column_int(query, 1), .id = db_column_int(query, 0)};
    *ret_count = count;
    return r < 0 ? r : 0;
}

int audio_walk_next(struct store *store, struct audio_walk *walk, struct job *ret_jobs, size_t max,
                    size_t *ret_count, struct error *err)
{
    struct audio_walk places[WALK_MAX];
    size_t found = 0, count = 0;
    int r = 0;

    /* Those that go between their finding and their reading are left out; a page of such is no end. */
    do {
        r = find_audio(store, walk, places, max < WALK_MAX ? max : WALK_MAX, &found, err);
        for (size_t i = 0; r >= 0 && i < found; i++) {
            r = store_read_job(store, places[i].id, &ret_jobs[count], err);
            count += r == 0;
            *walk = places[i];
        }
    } while (r >= 0 && count == 0 && found > 0);
    if (r < 0) {
        while (count > 0)
            job_release(&ret_jobs[--count]);
        return r;
    }
    *ret_count = count;
    return 0;
}

int audio_lost(struct store *store, const struct job *job, struct error *err)
{
    return store_remove_audio(store, job, err);
}

int jobs_count(struct store *store, int64_t ret_counts[JOB_STATUS_COUNT], struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_upkeep_jobs);
    int r = db_step(query, err);

    if (r < 0)
        return r;
    for (int i = 0; i < JOB_STATUS_COUNT; i++)
        ret_counts[i] = db_column_int(query, i);
    return 0;
}

/* ---- counters ---- */

/* A key's row and what its jobs amount to: the columns of upkeep_keys in threes. */
#define KEY_COUNTERS 3

static const char *const key_counters[KEY_COUNTERS] = {"pending_jobs", "pending_chars", "stored_bytes"};

struct key_count {
    int64_t key;
    char key_id[KEY_ID_SIZE];
    int64_t kept[KEY_COUNTERS];
    int64_t real[KEY_COUNTERS];
};

struct counting {
    struct key_count *keys; /* owned */
    size_t count;
    size_t room;
};

static void release_counting(struct counting *counting)
{
    free(counting->keys);
}

static int add_key(struct counting *counting, const struct key_count *key, struct error *err)
{
    if (counting->keys == NULL || counting->count == counting->room) {
        size_t room = counting->room > 0 ? 2 * counting->room : 64;
        struct key_count *keys = reallocarray(counting->keys, room, sizeof *keys);

        if (keys == NULL)
            return error_set(err, -ENOMEM, "out of memory");
        counting->keys = keys;
        counting->room = room;
    }
    counting->keys[counting->count++] = *key;
    return 0;
}

static int count_keys(struct store *store, struct counting *counting, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_upkeep_keys);
    int r;

    while ((r = db_step(query, err)) == DB_ROW) {
        struct key_count key = {.key = db_column_int(query, 0)};

        db_column_copy(query, 1, key.key_id, sizeof key.key_id);
        for (int i = 0; i < KEY_COUNTERS; i++) {
            key.kept[i] = db_column_int(query, 2 + i);
            key.real[i] = db_column_int(query, 2 + KEY_COUNTERS + i);
        }
        r = add_key(counting, &key, err);
        if (r < 0)
            break;
    }
    return r;
}

/* What is counted, and what is there, as of one moment. */
struct census {
    struct counting counting;
    int64_t queue_kept;
    int64_t queue_real;
};

static int take_census(struct store *store, struct census *census, struct error *err)
{
    char name[METRIC_NAME_SIZE];
    double length = 0;
    int r = count_keys(store, &census->counting, err);

    metric_name(METRIC_QUEUE_LENGTH, name);
    if (r == 0)
        r = metric_get(store, name, &length, err);
    if (r < 0)
        return r;
    census->queue_kept = (int64_t)length;
    for (size_t i = 0; i < census->counting.count; i++)
        census->queue_real += census->counting.keys[i].real[0];
    return 0;
}

static void tell(const struct census *census, void (*report)(void *context, const struct miscount *miscount),
                 void *context)
{
    const struct counting *counting = &census->counting;

    for (size_t i = 0; i < counting->count; i++)
        for (int c = 0; c < KEY_COUNTERS; c++) {
            const struct key_count *key = &counting->keys[i];
            struct miscount miscount = {
                .key = key->key, .what = key_counters[c], .kept = key->kept[c], .real = key->real[c]};

            memcpy(miscount.key_id, key->key_id, sizeof miscount.key_id);
            if (key->kept[c] != key->real[c])
                report(context, &miscount);
        }
    if (census->queue_kept != census->queue_real)
        report(context, &(struct miscount){.what = "job_queue_length",
                                           .kept = census->queue_kept,
                                           .real = census->queue_real});
}

int counters_check(struct store *store, void (*report)(void *context, const struct miscount *miscount),
                   void *context, struct error *err)
{
    struct census census = {0};
    int r = store_read_begin(store, err);

    if (r < 0)
        return r;
    r = take_census(store, &census, err);
    store_read_end(store);
    if (r == 0)
        tell(&census, report, context);
    release_counting(&census.counting);
    return r;
}

static int mend_key(struct store *store, const struct key_count *key, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_upkeep_key_mend);

    db_bind_int(query, 1, key->key);
    for (int i = 0; i < KEY_COUNTERS; i++)
        db_bind_int(query, 2 + i, key->real[i]);
    return db_run(query, err);
}

static int mend_queue(struct store *store, int64_t length, struct error *err)
{
    cleanup(db_query_end) struct db_query *query = db_query(store->db, STATEMENT_upkeep_metric_mend);
    char name[METRIC_NAME_SIZE];

    metric_name(METRIC_QUEUE_LENGTH, name);
    db_bind_text(query, 1, name);
    db_bind_double(query, 2, (double)length);
    return db_run(query, err);
}

int counters_mend(struct store *store, void (*report)(void *context, const struct miscount *miscount),
                  void *context, struct error *err)
{
    struct census census = {0};
    int r = take_census(store, &census, err);

    assert(db_in_transaction(store->db));
    for (size_t i = 0; r == 0 && i < census.counting.count; i++)
        r = mend_key(store, &census.counting.keys[i], err);
    if (r == 0)
        r = mend_queue(store, census.queue_real, err);
    if (r == 0)
        tell(&census, report, context);
    release_counting(&census.counting);
    return r;
}
