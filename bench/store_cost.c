/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the store's verbs cost with few rows and with many: two databases, filled by plain SQL, and the same
 * calls on both in turn, so that a slow moment of the machine hits both.
 *
 *     store_cost FOLDER FEW MANY ROUNDS
 *
 * FEW and MANY are jobs, half of them pending and half completed.  Prints a line for each verb: its name, the
 * median microseconds of the verb with its commit (for both databases), and those of the verb alone (for
 * both).
 */
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "store/store.h"

#define DATABASES  2
#define KEYS       10
#define ROUNDS_MAX 10000

/* The jobs of the filling: one a millisecond from here on. */
#define FIRST_ID INT64_C(1700000000000000)

enum verb {
    CREATE,
    CLAIM,
    FINISH,
    LIST,
};
#define VERBS 4

static const char *const verb_names[VERBS] = {"create", "claim", "finish", "list"};

struct timing {
    double with_commit[ROUNDS_MAX];
    double alone[ROUNDS_MAX];
};

static struct timing timings[DATABASES][VERBS];

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "store_cost: %s: %s\n", what, why);
    exit(70);
}

static void check(int result, const char *what, const struct error *err)
{
    if (result != 0)
        fail(what, result < 0 ? err->text : "unexpected condition");
}

static double microseconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int render_nothing(const struct event_renderer *self, enum event_type type, int64_t now_ms,
                          const struct job *job, struct buf *body, struct error *err)
{
    (void)self, (void)type, (void)now_ms, (void)job, (void)err;
    buf_append_str(body, "{}");
    return 0;
}

static struct store *open_store(const char *path)
{
    static const struct event_renderer renderer = {.render = render_nothing};
    const struct store_options options = {.path = path, .clock = &clock_system, .renderer = &renderer};
    struct store *store = NULL;
    struct error err;

    check(store_open(&options, &store, &err), "cannot open the database", &err);
    return store;
}

static void make_keys(struct store *store)
{
    struct error err;

    check(store_begin(store, "bench", &err), "begin", &err);
    for (int i = 0; i < KEYS; i++) {
        unsigned char hash[KEY_HASH_SIZE] = {(unsigned char)i};
        struct api_key key;

        check(key_create(
                  store,
                  &(struct key_request){.name = "bench", .weight = 1, .hash = hash, .secret = "whsec_bench"},
                  &key, &err),
              "key_create", &err);
        api_key_release(&key);
    }
    check(store_commit(store, &err), "commit", &err);
}

static void execute(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail("cannot fill the database", sqlite3_errmsg(db));
}

/* Fills by plain SQL, since a million calls of the verbs would take minutes.  Odd jobs are pending. */
static void fill(const char *path, int64_t jobs)
{
    char sql[4096];
    sqlite3 *db;

    if (sqlite3_open(path, &db) != SQLITE_OK)
        fail("cannot open", path);
    execute(db, "PRAGMA synchronous = OFF; PRAGMA cache_size = -400000; BEGIN");
    snprintf(
        sql, sizeof sql,
        "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < %" PRId64 ")"
        " INSERT INTO jobs (id, job_id, key, status, epoch, language, voice, format, speed, pitch, timings,"
        " characters, ordinal, created_at, started_at, completed_at, audio_bytes, audio_samples,"
        " audio_sample_rate, audio_sha256)"
        " SELECT %" PRId64 " + i * 1000, printf('job_%%025d%%011d', i, i), 1 + (i / 2) %% %d,"
        " CASE i %% 2 WHEN 0 THEN 'completed' ELSE 'pending' END, 1 - i %% 2, 'english', 'slt', 'wav', 1.0,"
        " 1.0, 0, 70, i / 2 / %d + 1, %" PRId64 " + i, %" PRId64 " + i, %" PRId64 " + i, 150000, 75000,"
        " 16000, hex(zeroblob(32)) FROM n",
        jobs, FIRST_ID, KEYS, KEYS, FIRST_ID / 1000, FIRST_ID / 1000, FIRST_ID / 1000);
    execute(db, sql);
    execute(
        db,
        "UPDATE jobs SET started_at = NULL, completed_at = NULL, audio_bytes = NULL, audio_samples = NULL,"
        " audio_sample_rate = NULL, audio_sha256 = NULL WHERE status = 'pending'");
    execute(
        db,
        "INSERT INTO job_texts (id, text) SELECT id, CAST('The quick brown fox jumps over the lazy dog and"
        " then rests a while.' AS BLOB) FROM jobs WHERE status = 'pending'");
    snprintf(sql, sizeof sql,
             "UPDATE api_keys SET pending_jobs = %" PRId64 ", pending_chars = 70 * %" PRId64
             ", created_jobs = %" PRId64,
             jobs / 2 / KEYS, jobs / 2 / KEYS, jobs / KEYS);
    execute(db, sql);
    execute(db, "COMMIT; PRAGMA wal_checkpoint(TRUNCATE)");
    sqlite3_close(db);
}

static void create(struct store *store, int round, struct error *err)
{
    static const char text[] = "The quick brown fox jumps over the lazy dog and then rests a while.";
    const struct job_request request = {.key = 1 + round % KEYS,
                                        .request_id = "bench",
                                        .text = text,
                                        .text_bytes = sizeof text - 1,
                                        .characters = sizeof text - 1,
                                        .language = "english",
                                        .voice = "slt",
                                        .format = AUDIO_WAV,
                                        .speed = 1,
                                        .pitch = 1};
    struct key_standing standing;
    struct job job;

    check(job_create(store, &request, &job, &standing, err), "job_create", err);
    job_release(&job);
}

static void list(struct store *store, int round, struct error *err)
{
    const struct job_filter filter = {.limit = 20};
    struct job_page page;

    check(job_list(store, 1 + round % KEYS, &filter, &page, err), "job_list", err);
    if (page.count != filter.limit)
        fail("job_list", "too few jobs");
    job_page_release(&page);
}

static void run_verb(struct store *store, enum verb verb, int64_t worker, int round, struct job *job,
                     struct error *err)
{
    const struct job_outcome outcome = {.status = JOB_COMPLETED,
                                        .audio = {.bytes = 150000, .samples = 75000, .sample_rate = 16000},
                                        .error_start = -1,
                                        .error_end = -1};

    switch (verb) {
    case CREATE:
        create(store, round, err);
        break;
    case CLAIM:
        check(job_claim(store, worker, NULL, 0, job, err), "job_claim", err);
        break;
    case FINISH:
        check(job_finish(store, job->id, job->epoch, &outcome, err), "job_finish", err);
        job_release(job);
        break;
    case LIST:
        list(store, round, err);
        break;
    }
}

static void time_verb(int database, struct store *store, enum verb verb, int64_t worker, int round,
                      struct job *job)
{
    struct timing *timing = &timings[database][verb];
    struct error err;
    double start = microseconds_now();
    double begun;
    double done;

    if (verb != LIST)
        check(store_begin(store, "bench", &err), "begin", &err);
    begun = microseconds_now();
    run_verb(store, verb, worker, round, job, &err);
    done = microseconds_now();
    if (verb != LIST)
        check(store_commit(store, &err), "commit", &err);
    timing->with_commit[round] = microseconds_now() - start;
    timing->alone[round] = done - begun;
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;

    return (a > b) - (a < b);
}

static double median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, compare);
    return values[count / 2];
}

static void prepare(const char *folder, const char *name, int64_t jobs, struct store **ret_store,
                    int64_t *ret_worker)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    struct error err;
    char path[4096];

    for (size_t i = 0; i < array_length(suffixes); i++) {
        snprintf(path, sizeof path, "%s/%s.db%s", folder, name, suffixes[i]);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/%s.db", folder, name);
    *ret_store = open_store(path);
    make_keys(*ret_store);
    store_close(*ret_store);
    fill(path, jobs);
    *ret_store = open_store(path);
    check(store_begin(*ret_store, "bench", &err), "begin", &err);
    check(worker_join(*ret_store, "/nonexistent", "bench", INT64_MAX, ret_worker, &err), "worker_join", &err);
    check(store_commit(*ret_store, &err), "commit", &err);
}

int main(int argc, char **argv)
{
    static const char *const names[DATABASES] = {"few", "many"};
    struct store *stores[DATABASES];
    int64_t workers[DATABASES];
    int rounds = argc == 5 ? atoi(argv[4]) : 0;

    if (rounds < 1 || rounds > ROUNDS_MAX) {
        fprintf(stderr, "usage: store_cost FOLDER FEW MANY ROUNDS\n");
        return 64;
    }
    for (int i = 0; i < DATABASES; i++)
        prepare(argv[1], names[i], atoll(argv[2 + i]), &stores[i], &workers[i]);
    for (int round = 0; round < rounds; round++) {
        struct job jobs[DATABASES] = {0};

        for (int verb = 0; verb < VERBS; verb++)
            for (int i = 0; i < DATABASES; i++)
                time_verb(i, stores[i], (enum verb)verb, workers[i], round, &jobs[i]);
    }
    for (int verb = 0; verb < VERBS; verb++)
        printf("%s %.2f %.2f %.2f %.2f\n", verb_names[verb], median(timings[0][verb].with_commit, rounds),
               median(timings[1][verb].with_commit, rounds), median(timings[0][verb].alone, rounds),
               median(timings[1][verb].alone, rounds));
    for (int i = 0; i < DATABASES; i++)
        store_close(stores[i]);
    return 0;
}
