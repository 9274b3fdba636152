/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A baseline: the rows of a created job (one in jobs, one in job_texts), inserted by one thread of bare
 * SQLite with the product's schema and durability, 64 jobs a commit.  Neither HTTP nor JSON, no counters, no
 * group to gather.
 *
 *     bare_sqlite SCHEMA.sql DATABASE SECONDS TEXT
 *
 * Prints jobs per second.  The database is made anew.
 */
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define JOBS_PER_COMMIT 64

/* As the product opens its database. */
static const char pragmas[] =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
    "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -2048; PRAGMA mmap_size = 0;";

static const char insert_job[] =
    "INSERT INTO jobs (id, job_id, key, status, request_id, language, voice, format, speed, pitch, timings,"
    " characters, metadata, webhook_url, receiver, ordinal, created_at)"
    " VALUES (?1, ?2, 1, 'pending', ?3, 'english', 'slt', 'wav', 1.0, 1.0, 0, ?4, NULL, NULL, NULL, ?5, ?6)";
static const char insert_text[] = "INSERT INTO job_texts (id, text) VALUES (?1, ?2)";

static void check(sqlite3 *db, int result)
{
    if (result != SQLITE_OK && result != SQLITE_DONE) {
        fprintf(stderr, "bare_sqlite: %s\n", sqlite3_errmsg(db));
        exit(74);
    }
}

static double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void run_file(sqlite3 *db, const char *path)
{
    char *sql = calloc(1, 1 << 20);
    FILE *file = fopen(path, "re");

    if (file == NULL || fread(sql, 1, (1 << 20) - 1, file) == 0) {
        fprintf(stderr, "bare_sqlite: cannot read %s\n", path);
        exit(66);
    }
    fclose(file);
    check(db, sqlite3_exec(db, sql, NULL, NULL, NULL));
    free(sql);
}

static sqlite3 *open_anew(const char *path, const char *schema)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    sqlite3 *db;
    char name[4096];

    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
        unlink(name);
    }
    check(NULL, sqlite3_open(path, &db));
    check(db, sqlite3_exec(db, pragmas, NULL, NULL, NULL));
    run_file(db, schema);
    check(db, sqlite3_exec(db,
                           "INSERT INTO api_keys (key, key_id, name, hash, created_at)"
                           " VALUES (1, 'key_bench', 'bench', x'00', 0)",
                           NULL, NULL, NULL));
    return db;
}

static void create_job(sqlite3 *db, sqlite3_stmt *job, sqlite3_stmt *text, int64_t number, const char *words)
{
    char job_id[64];
    char request_id[40];

    snprintf(job_id, sizeof job_id, "job_%08x%08x%09x%011lld", (unsigned int)rand(), (unsigned int)rand(),
             (unsigned int)rand(), (long long)number);
    snprintf(request_id, sizeof request_id, "%08x%08x%08x%08x", (unsigned int)rand(), (unsigned int)rand(),
             (unsigned int)rand(), (unsigned int)rand());
    check(db, sqlite3_bind_int64(job, 1, number));
    check(db, sqlite3_bind_text(job, 2, job_id, -1, SQLITE_TRANSIENT));
    check(db, sqlite3_bind_text(job, 3, request_id, -1, SQLITE_TRANSIENT));
    check(db, sqlite3_bind_int64(job, 4, (int64_t)strlen(words)));
    check(db, sqlite3_bind_int64(job, 5, number));
    check(db, sqlite3_bind_int64(job, 6, number / 1000));
    check(db, sqlite3_step(job));
    check(db, sqlite3_reset(job));
    check(db, sqlite3_bind_int64(text, 1, number));
    check(db, sqlite3_bind_blob(text, 2, words, (int)strlen(words), SQLITE_STATIC));
    check(db, sqlite3_step(text));
    check(db, sqlite3_reset(text));
}

int main(int argc, char **argv)
{
    sqlite3_stmt *job;
    sqlite3_stmt *text;
    sqlite3 *db;
    int64_t jobs = 0;
    double start;
    double end;

    if (argc != 5) {
        fprintf(stderr, "usage: bare_sqlite SCHEMA.sql DATABASE SECONDS TEXT\n");
        return 64;
    }
    db = open_anew(argv[2], argv[1]);
    check(db, sqlite3_prepare_v2(db, insert_job, -1, &job, NULL));
    check(db, sqlite3_prepare_v2(db, insert_text, -1, &text, NULL));
    start = seconds_now();
    end = start + atof(argv[3]);
    while (seconds_now() < end) {
        check(db, sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL));
        for (int i = 0; i < JOBS_PER_COMMIT; i++, jobs++)
            create_job(db, job, text, 1700000000000000 + jobs, argv[4]);
        check(db, sqlite3_exec(db, "COMMIT", NULL, NULL, NULL));
    }
    printf("%.1f\n", (double)jobs / (seconds_now() - start));
    sqlite3_finalize(job);
    sqlite3_finalize(text);
    sqlite3_close(db);
    return 0;
}
