/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The outbox as administrators see and mend it: webhooks of every key, their attempts, and those that failed.
 * As in store.h.
 */
#ifndef STORE_OUTBOX_H
#define STORE_OUTBOX_H

#include "store/store.h"

/* One webhook.  Strings are owned; times are 0 where there is none. */
struct outbox_entry {
    int64_t webhook; /* the row */
    char webhook_id[WEBHOOK_ID_SIZE];
    char key_id[KEY_ID_SIZE];
    char job_id[JOB_ID_SIZE]; /* "" where it is of no job */
    enum event_type event;
    enum webhook_status status;
    char *url;
    char *receiver;
    int64_t attempts;
    int64_t last_status_code; /* 0 is none */
    char *last_error;         /* a code, or NULL */
    int64_t next_attempt_at;
    int64_t created_at;
    int64_t settled_at;
    bool has_body;        /* retention has not removed it: it can be sent again */
    int64_t paused_until; /* nothing goes to its receiver before */
};

void outbox_entry_release(struct outbox_entry *entry);
void outbox_entries_free(struct outbox_entry *entries, size_t count);

struct outbox_filter {
    int64_t key;                /* 0 is any */
    const char *receiver;       /* as in struct url, or NULL: any */
    enum webhook_status status; /* WEBHOOK_NONE is any */
    int64_t since; /* made since then or, with WEBHOOK_FAILED, failed since then; 0 is no bound */
};

/*
 * At most max of them, newest first; with WEBHOOK_FAILED, those first that failed last.  Failures are found
 * by an index; others by going back through the outbox in steps of OUTBOX_STEP rows, each a read of its own,
 * so that a rare one takes a while and holds nobody up.
 */
#define OUTBOX_STEP 4096
int outbox_list(struct store *store, const struct outbox_filter *filter, size_t max,
                struct outbox_entry **ret_entries, size_t *ret_count, struct error *err);

/*
 * Finds a webhook by its webhook_id (going back as outbox_list() does) or by its job's id.  STORE_NOT_FOUND;
 * STORE_CONFLICT for a job that owes none, or none yet.
 */
int outbox_find(struct store *store, const char *id, struct outbox_entry *ret_entry, struct error *err);

/* Every attempt at a webhook, oldest first; deliveries_free() them. */
int outbox_attempts(struct store *store, int64_t webhook, struct delivery **ret_deliveries, size_t *ret_count,
                    struct error *err);

/* A webhook that failed, or that waits for a later attempt. */
struct outbox_failure {
    int64_t webhook;
    int64_t at; /* when it failed, or when it is due */
    char webhook_id[WEBHOOK_ID_SIZE];
    bool has_body; /* it can be sent again */
};

/*
 * A way through the failures of filter (whose status is not looked at) up to a time, oldest first.  waiting:
 * through what waits at that time for a later attempt, of the filter's receiver, and was not tried since;
 * first what is due first.
 */
struct outbox_walk {
    struct outbox_filter filter;
    int64_t until;
    bool waiting;
    struct outbox_failure last; /* zero at the start */
};

/* The next ones, at most max; *ret_count is 0 at the end. */
int outbox_failures(struct store *store, struct outbox_walk *walk, struct outbox_failure *ret_failures,
                    size_t max, size_t *ret_count, struct error *err);

/*
 * [write] Has a webhook sent once more, as webhook_redeliver().  failed_only: not where it was delivered.
 * STORE_CONFLICT where its state does not allow it, it was sent WEBHOOK_ATTEMPTS_MAX times, its body was
 * removed, or it is gone.
 */
int outbox_redeliver(struct store *store, int64_t webhook, bool failed_only, struct error *err);

/* [write] Has a webhook that waits for a later attempt sent at once.  STORE_CONFLICT where it waits for none.
 */
int outbox_hasten(struct store *store, int64_t webhook, struct error *err);

/*
 * [write] Ends a receiver's pause, whoever's webhooks wait for it: what is due goes out at once, and its next
 * failure may bring a pause anew.  STORE_CONFLICT where it has none.
 */
int outbox_resume(struct store *store, const char *receiver, struct error *err);

#endif
