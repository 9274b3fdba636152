/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Group commit: one thread with one connection gathers the writes of many threads into one transaction,
 * commits it with synchronous=FULL, and only then tells them all.  While it commits, the next group gathers;
 * it never waits for company.
 */
#ifndef STORE_COMMITTER_H
#define STORE_COMMITTER_H

#include "store/store.h"
#include "store/tally.h"

/* The most works in one transaction, so that one write is never held up by more than this many others. */
#define COMMITTER_GROUP_MAX 128

/*
 * The tally goes into the table with the first commit after so many milliseconds, and with one of its own
 * where there is none: a process that is killed loses what it has counted in this time.  Often enough for a
 * scraper, whom committer_flush() serves besides; seldom enough that its rows, some dozens, cost nothing
 * beside hundreds of commits.
 */
#define COMMITTER_TALLY_MS 5000

struct committer;

/*
 * One write.  Embed it in a struct of your own and find that again with container_of().
 *
 * run is called on the committer's thread inside a transaction and calls [write] verbs of the store.  It may
 * be called again: when one work of a group fails, the group is rolled back and each is run in a transaction
 * of its own; so run must leave its own memory such that it can start over.  A positive result commits with
 * the rest.  Where no transaction can begin (the turnstile stays shut), all that is queued fails at once.
 *
 * done is called on the committer's thread after the commit, with result and error set.  It must be quick,
 * and may post further works.  After it the committer no longer touches the work.
 */
struct commit_work {
    int (*run)(struct commit_work *work, struct store *store, struct error *err);
    void (*done)(struct commit_work *work);
    int result; /* what run returned; a negative value where it or the commit failed */
    struct error error;
    struct commit_work *next; /* the committer's own */
};

/*
 * queue_max: works waiting at once; further posts are refused.  who names the process in diagnostics; a
 * program that job/metric.h knows has the size and the time of its commits counted.
 */
int committer_start(const struct store_options *options, const char *who, size_t queue_max,
                    struct committer **ret_committer, struct error *err);

/* Commits what is queued and ends the thread; nothing may be posted any more. */
void committer_drain(struct committer *committer);

/* Drains it where that is not done, commits what is counted, and frees it; takes NULL. */
struct committer *committer_stop(struct committer *committer);

/*
 * Has heard called on the committer's thread after each commit of a group, before its works are told.  Set it
 * before the first work is posted.
 */
void committer_on_commit(struct committer *committer, void (*heard)(void *context), void *context);

/* What the process counts besides; the committer's own, until committer_stop() has put its last into the
 * table.
 */
struct tally *committer_tally(struct committer *committer);

/*
 * Waits until all that the tally held at the call is in the table, for so many milliseconds at most: false
 * where it is not there by then, and will be later, since the database takes no writes.
 */
bool committer_flush(struct committer *committer, int64_t patience_ms);

/* Queues the work; its done is called later.  -EAGAIN where the queue is full (done is not called). */
int committer_post(struct committer *committer, struct commit_work *work);

/* Queues the work and waits for it; work->done is not used.  Returns work->result; -EAGAIN as above. */
int committer_call(struct committer *committer, struct commit_work *work, struct error *err);

#endif
