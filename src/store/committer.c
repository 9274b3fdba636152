/* SPDX-License-Identifier: Apache-2.0 */
#include "store/committer.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "store/internal.h"

struct committer {
    struct store *store;
    const char *who;
    size_t queue_max;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t posted;
    struct commit_work *first; /* the queue, oldest first */
    struct commit_work **last;
    size_t queued;
    bool stopping;
    void (*heard)(void *context); /* may be NULL */
    void *context;
    const struct clock *clock;
    enum metric batch, duration; /* histograms; METRIC_END: not counted */

    struct tally tally;
    int64_t flush_at;       /* when the tally is to be in the table, monotonic; the thread's own */
    int64_t asked, flushed; /* calls of committer_flush(), and those that are served */
    int flush_result;       /* what came of the last */
    pthread_cond_t served;
    struct tally_taken taken; /* the thread's own */
};

/* ---- the thread ---- */

/* Within the lock. */
static bool flush_is_due(struct committer *committer)
{
    return committer->asked > committer->flushed ||
           (clock_monotonic_ms(committer->clock) >= committer->flush_at &&
            !tally_is_empty(&committer->tally));
}

/* False where there will be no more works; there may be none, and the tally to be put into the table. */
static bool wait_for_works(struct committer *committer)
{
    bool more;

    pthread_mutex_lock(&committer->mutex);
    while (committer->first == NULL && !committer->stopping && !flush_is_due(committer)) {
        struct timespec until;

        clock_deadline(COMMITTER_TALLY_MS, &until);
        pthread_cond_timedwait(&committer->posted, &committer->mutex, &until);
    }
    more = committer->first != NULL || !committer->stopping;
    pthread_mutex_unlock(&committer->mutex);
    return more;
}

/* Takes up to most works off the queue; NULL where there is none. */
static struct commit_work *take_works(struct committer *committer, size_t most)
{
    struct commit_work *works, **end = &works;
    size_t count = 0;

    pthread_mutex_lock(&committer->mutex);
    works = committer->first;
    while (*end != NULL && count < most) {
        end = &(*end)->next;
        count++;
    }
    committer->first = *end;
    if (committer->first == NULL)
        committer->last = &committer->first;
    *end = NULL;
    committer->queued -= count;
    pthread_mutex_unlock(&committer->mutex);
    return works;
}

/* ---- the tally ---- */

#define NOT_DUE (-1)

/* Takes the tally where it is due: how many flushes were asked for until then, or NOT_DUE. */
static int64_t take_tally(struct committer *committer)
{
    int64_t asked = NOT_DUE;

    pthread_mutex_lock(&committer->mutex);
    if (committer->stopping || flush_is_due(committer))
        asked = committer->asked;
    pthread_mutex_unlock(&committer->mutex);
    committer->taken.count = 0;
    if (asked != NOT_DUE)
        tally_take(&committer->tally, &committer->taken);
    return asked;
}

/* Tells those who asked by then what came of it. */
static void end_flush(struct committer *committer, int64_t asked, int r)
{
    if (asked == NOT_DUE)
        return;
    if (r < 0 && committer->taken.count > 0)
        tally_give_back(&committer->tally, &committer->taken);
    committer->flush_at = clock_monotonic_ms(committer->clock) + COMMITTER_TALLY_MS;
    pthread_mutex_lock(&committer->mutex);
    committer->flushed = asked;
    committer->flush_result = r;
    pthread_cond_broadcast(&committer->served);
    pthread_mutex_unlock(&committer->mutex);
}

/* No transaction can begin: who waits for a flush must not make the next works wait for another try. */
static void refuse_flush(struct committer *committer, int r)
{
    int64_t asked;

    pthread_mutex_lock(&committer->mutex);
    asked = committer->asked;
    pthread_mutex_unlock(&committer->mutex);
    committer->taken.count = 0;
    end_flush(committer, asked, r);
}

/* A transaction of its own, which is not counted: else each would be the reason for the next. */
static void flush_alone(struct committer *committer)
{
    int64_t asked = take_tally(committer);
    int r = 0;

    if (committer->taken.count > 0)
        r = store_begin(committer->store, committer->who, NULL);
    if (r == 0 && committer->taken.count > 0) {
        tally_write(committer->store, &committer->taken);
        r = store_commit(committer->store, NULL);
    }
    end_flush(committer, asked, r);
}

/* ---- groups ---- */

/* One that has written nothing, such as a claim that found no job, took no time of the disk. */
static void count_commit(struct committer *committer, size_t works, int64_t took_us)
{
    if (committer->batch == METRIC_END ||
        store_rows_written(committer->store) <= (int64_t)committer->taken.count)
        return;
    tally_observe(&committer->tally, committer->batch, (int64_t)works * METRIC_MILLIONTHS);
    tally_observe(&committer->tally, committer->duration, took_us);
}

static int commit(struct committer *committer, size_t works, struct error *err)
{
    int64_t asked = take_tally(committer);
    int64_t started = clock_monotonic_us(committer->clock);
    int r;

    if (committer->taken.count > 0)
        tally_write(committer->store, &committer->taken);
    r = store_commit(committer->store, err);
    end_flush(committer, asked, r);
    if (r >= 0)
        count_commit(committer, works, clock_monotonic_us(committer->clock) - started);
    return r;
}

/* Runs the works up to end in an open transaction and commits it; a negative value where it was rolled back.
 */
static int commit_works(struct committer *committer, struct commit_work *first, const struct commit_work *end,
                        struct error *err)
{
    size_t count = 0;

    for (struct commit_work *work = first; work != end; work = work->next) {
        count++;
        work->result = work->run(work, committer->store, err);
        if (work->result < 0) {
            store_rollback(committer->store);
            return work->result;
        }
    }
    return commit(committer, count, err);
}

static void fail_works(struct commit_work *first, const struct commit_work *end, int r,
                       const struct error *err)
{
    for (struct commit_work *work = first; work != end; work = work->next) {
        work->result = r;
        work->error = *err;
    }
}

/*
 * One work must not fail another: where the group fails, each gets a transaction of its own.  A negative
 * value where one could not even begin, which is no work's fault: then all from there on have failed.
 */
static int commit_group(struct committer *committer, struct commit_work *first, const struct commit_work *end,
                        struct error *err)
{
    int r = store_begin(committer->store, committer->who, err);

    if (r < 0) {
        fail_works(first, end, r, err);
        return r;
    }
    r = commit_works(committer, first, end, err);
    if (r >= 0) {
        if (committer->heard != NULL)
            committer->heard(committer->context);
        return 0;
    }
    if (first->next == end) {
        fail_works(first, end, r, err);
        return 0;
    }
    for (struct commit_work *work = first; work != end; work = work->next)
        if ((r = commit_group(committer, work, work->next, err)) < 0) {
            fail_works(work->next, end, r, err);
            return r;
        }
    return 0;
}

static void tell(struct commit_work *group)
{
    for (struct commit_work *work = group, *next; work != NULL; work = next) {
        next = work->next; /* done may free the work */
        work->done(work);
    }
}

static void *run(void *argument)
{
    struct committer *committer = argument;

    while (wait_for_works(committer)) {
        struct commit_work *works = take_works(committer, COMMITTER_GROUP_MAX);
        struct error err = {""};
        int r = 0;

        if (works == NULL)
            flush_alone(committer);
        else
            r = commit_group(committer, works, NULL, &err);
        tell(works);
        if (r < 0) {
            /* What gathered meanwhile would wait as long again, and longer than its clients. */
            works = take_works(committer, committer->queue_max);
            fail_works(works, NULL, r, &err);
            tell(works);
            refuse_flush(committer, r);
        }
    }
    return NULL;
}

/* ---- the callers ---- */

/* Waits on it end by the monotonic clock. */
static void init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

int committer_start(const struct store_options *options, const char *who, size_t queue_max,
                    struct committer **ret_committer, struct error *err)
{
    struct committer *committer = calloc(1, sizeof *committer);
    int r;

    if (committer == NULL)
        return error_set(err, -ENOMEM, "out of memory");
    committer->who = who;
    committer->queue_max = queue_max;
    committer->last = &committer->first;
    committer->clock = options->clock;
    committer->flush_at = clock_monotonic_ms(options->clock) + COMMITTER_TALLY_MS;
    committer->batch = metric_commit_batch(who);
    committer->duration = metric_commit_duration(who);
    r = store_open(options, &committer->store, err);
    if (r == 0) {
        pthread_mutex_init(&committer->mutex, NULL);
        init_condition(&committer->posted);
        init_condition(&committer->served);
        r = pthread_create(&committer->thread, NULL, run, committer);
        if (r != 0)
            r = error_system(err, r, "cannot start the committer's thread");
    }
    if (r < 0) {
        store_close(committer->store);
        free(committer);
        return r;
    }
    *ret_committer = committer;
    return 0;
}

void committer_drain(struct committer *committer)
{
    if (committer->stopping)
        return;
    pthread_mutex_lock(&committer->mutex);
    committer->stopping = true;
    pthread_cond_signal(&committer->posted);
    pthread_mutex_unlock(&committer->mutex);
    pthread_join(committer->thread, NULL);
}

struct committer *committer_stop(struct committer *committer)
{
    if (committer == NULL)
        return NULL;
    committer_drain(committer);
    flush_alone(committer);
    store_close(committer->store);
    pthread_cond_destroy(&committer->posted);
    pthread_cond_destroy(&committer->served);
    pthread_mutex_destroy(&committer->mutex);
    free(committer);
    return NULL;
}

void committer_on_commit(struct committer *committer, void (*heard)(void *context), void *context)
{
    committer->heard = heard;
    committer->context = context;
}

struct tally *committer_tally(struct committer *committer)
{
    return &committer->tally;
}

bool committer_flush(struct committer *committer, int64_t patience_ms)
{
    struct timespec until;
    int64_t asked;
    bool done;

    clock_deadline(patience_ms, &until);
    pthread_mutex_lock(&committer->mutex);
    asked = ++committer->asked;
    pthread_cond_signal(&committer->posted);
    while (committer->flushed < asked &&
           pthread_cond_timedwait(&committer->served, &committer->mutex, &until) == 0)
        ;
    done = committer->flushed >= asked && committer->flush_result == 0;
    pthread_mutex_unlock(&committer->mutex);
    return done;
}

int committer_post(struct committer *committer, struct commit_work *work)
{
    bool full;

    work->next = NULL;
    pthread_mutex_lock(&committer->mutex);
    full = committer->queued >= committer->queue_max;
    if (!full) {
        *committer->last = work;
        committer->last = &work->next;
        /* The thread sleeps only on an empty queue. */
        if (committer->queued++ == 0)
            pthread_cond_signal(&committer->posted);
    }
    pthread_mutex_unlock(&committer->mutex);
    return full ? -EAGAIN : 0;
}

/* A caller that waits, on its own stack.  A commit wakes exactly those whom it served, with one system call
 * each. */
struct waiter {
    struct commit_work *original;
    struct commit_work work;
    sem_t done;
};

static int run_original(struct commit_work *work, struct store *store, struct error *err)
{
    struct waiter *waiter = container_of(work, struct waiter, work);

    return waiter->original->run(waiter->original, store, err);
}

static void wake_waiter(struct commit_work *work)
{
    sem_post(&container_of(work, struct waiter, work)->done);
}

int committer_call(struct committer *committer, struct commit_work *work, struct error *err)
{
    struct waiter waiter = {.original = work, .work = {.run = run_original, .done = wake_waiter}};
    int r;

    sem_init(&waiter.done, 0, 0); /* cannot fail for these arguments */
    r = committer_post(committer, &waiter.work);
    if (r < 0)
        return error_set(err, r, "%zu writes are waiting already", committer->queue_max);
    while (sem_wait(&waiter.done) < 0) /* a signal came between */
        ;
    work->result = waiter.work.result;
    work->error = waiter.work.error;
    if (work->result < 0 && err != NULL)
        *err = work->error;
    return work->result;
}
