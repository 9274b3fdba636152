/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One attempt at one webhook: recorded as begun, sent, recorded as ended.  The records are the committer's
 * work; what it has done comes back to the dispatcher's thread through a struct attempt_returns.
 */
#ifndef WEBHOOK_ATTEMPT_H
#define WEBHOOK_ATTEMPT_H

#include <pthread.h>

#include "store/committer.h"
#include "webhook/receivers.h"
#include "webhook/sender.h"
#include "webhook/signature.h"

enum attempt_state {
    ATTEMPT_BEGINNING, /* the committer has it */
    ATTEMPT_READY,     /* recorded; it waits for a place at its receiver */
    ATTEMPT_SENDING,   /* the sender has it */
    ATTEMPT_ENDING,    /* the committer has it */
    ATTEMPT_ENDED,     /* its end waits to be posted to the committer */
};

/* Attempts that the committer is done with. */
struct attempt_returns {
    pthread_mutex_t lock;
    struct attempt *first; /* in the order in which the committer was done with them */
    struct attempt **last;
    int wake_fd; /* an eventfd, written with each; not owned */
};

struct attempt {
    struct webhook webhook;          /* owned */
    struct receiver_state *receiver; /* held by it */
    enum health_class class;         /* whose place it has */
    enum attempt_state state;
    int64_t number; /* 1 is the webhook's first */
    struct signature signature;
    struct send_result sent;
    struct attempt_result record;
    struct receiver_standing standing; /* where the record changes it */
    int64_t paused_until; /* of the receiver's health, until the record is in the database; 0: no pause */
    bool withdrawn;       /* instead of an end, that it never began is recorded */
    int64_t delay_ms;     /* withdrawn: so long it is not due */
    int64_t post_at;      /* ATTEMPT_ENDED: not before this time, monotonic milliseconds */
    struct commit_work work;
    struct attempt_returns *returns;
    struct attempt *next_returned;
    struct attempt *next; /* in the dispatcher's list */
    struct attempt *previous;
};

void attempt_returns_init(struct attempt_returns *returns, int wake_fd);
void attempt_returns_release(struct attempt_returns *returns);

/* All that came back since the last call, linked by next_returned. */
struct attempt *attempt_returns_take(struct attempt_returns *returns);

/* Takes over the strings of webhook, which are NULL afterwards.  NULL where memory ran out. */
struct attempt *attempt_new(struct webhook *webhook, struct attempt_returns *returns);
struct attempt *attempt_free(struct attempt *attempt);

/*
 * Posts the record that it begins, or that it ended as attempt->record says, or was withdrawn.  It comes back
 * through the returns with attempt->work.result.  -EAGAIN as committer_post(): it does not come back then.
 */
int attempt_post_begin(struct attempt *attempt, struct committer *committer);
int attempt_post_end(struct attempt *attempt, struct committer *committer);

/* Attempts in flight, in the order in which they began. */
struct attempt_list {
    struct attempt *first, *last;
    size_t count;
};

void attempt_list_add(struct attempt_list *list, struct attempt *attempt);
void attempt_list_remove(struct attempt_list *list, struct attempt *attempt);

#endif
