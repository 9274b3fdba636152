/* SPDX-License-Identifier: Apache-2.0 */
/* Which jobs a command is about, and what keeps one from what was asked for. */
#ifndef CTL_JOB_OPTIONS_H
#define CTL_JOB_OPTIONS_H

#include "ctl/ctl.h"
#include "store/manage.h"

/* Every API key, so that rows can be shown with their names. */
struct key_names {
    struct api_key *keys; /* owned */
    int64_t *rows;        /* owned: of those that are meant */
    size_t count;
    size_t row_count;
};

void key_names_release(struct key_names *names);

/* key_id NULL: all of them are meant.  0, or an exit code with the reason on stderr. */
int key_names_read(const struct ctl *ctl, struct store *store, const char *key_id,
                   struct key_names *ret_names);

/* "-" for a row that is none. */
const char *key_names_find(const struct key_names *names, int64_t key);

/* "failed,cancelled" as bits of struct job_filter.  ended: those alone that are an end. */
int job_read_statuses(const struct ctl *ctl, const char *text, bool ended, unsigned int *ret_statuses);

/* The job that an argument names, of whatever key; the caller releases it.  0, or an exit code with the
 * reason on stderr. */
int job_find_named(const struct ctl *ctl, struct store *store, const char *job_id, struct job *ret_job);

/* Says on stderr why a job is not retried or purged (a condition of store/manage.h; done is "retried"), and
 * what would help; the exit code. */
int job_fail_condition(const struct ctl *ctl, const struct job *job, int condition, const char *done);

/* Tells workers that there is something to do. */
void job_hint(const struct ctl *ctl);

#endif
