/* SPDX-License-Identifier: Apache-2.0 */
/* A database in a temporary folder, with one API key, a clock that stands still and webhook bodies that name
 * the job. */
#ifndef SUPPORT_DATABASE_H
#define SUPPORT_DATABASE_H

#include "store/store.h"
#include "support/fake_clock.h"

/* Of every webhook that the functions below make. */
#define DATABASE_RECEIVER "http://127.0.0.1:9"

struct database {
    char folder[64];
    char path[96];
    struct fake_clock clock;
    struct store_options options; /* for further connections */
    struct store *store;
    int64_t key; /* of the API key that hashes to 32 bytes of 1 */
};

/* Ends that a job may come to. */
extern const struct job_outcome outcome_completed;
extern const struct job_outcome outcome_failed;

/* Fails the test where it cannot. */
void database_open(struct database *database);
void database_close(struct database *database);

/* One call each in a transaction of its own. */
int64_t database_add_key(struct database *database, unsigned char hash_byte);
struct job database_add_job(struct database *database, int64_t key, const char *text,
                            const char *webhook_url);
int database_claim(struct database *database, int64_t worker, struct job *ret_job);
int database_finish(struct database *database, const struct job *claim, const struct job_outcome *outcome);
int64_t database_join(struct database *database);
int64_t database_begin_attempt(struct database *database, int64_t webhook);
void database_end_attempt(struct database *database, int64_t webhook, int64_t attempt,
                          const struct attempt_result *result);

/* A job of the key that the worker has ended, and that owes a webhook to DATABASE_RECEIVER. */
struct job database_end_job(struct database *database, int64_t worker, int64_t key,
                            const struct job_outcome *outcome);

/* The webhook to DATABASE_RECEIVER that has been due for longest; webhook_release() it. */
struct webhook database_take_webhook(struct database *database);

/* The first column of the first row of an SQL text. */
int64_t database_count(struct database *database, const char *sql);

/* Any SQL text, while nobody else writes: a trigger makes writes fail, for one. */
void database_execute(struct database *database, const char *sql);

#endif
