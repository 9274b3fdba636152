/* SPDX-License-Identifier: Apache-2.0 */
#include "store/committer.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

#include "base/cleanup.h"

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
};

/* ---- the thread ---- */

/* False where there will be no more. */
static bool wait_for_works(struct committer *committer)
{
    bool found;

    pthread_mutex_lock(&committer->mutex);
    while (committer->first == NULL && !committer->stopping)
        pthread_cond_wait(&committer->posted, &committer->mutex);
    found = committer->first != NULL;
    pthread_mutex_unlock(&committer->mutex);
    return found;
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

/* Runs the works up to end in an open transaction and commits it; a negative value where it was rolled back.
 */
static int commit_works(struct committer *committer, struct commit_work *first, const struct commit_work *end,
                        struct error *err)
{
    for (struct commit_work *work = first; work != end; work = work->next) {
        work->result = work->run(work, committer->store, err);
        if (work->result < 0) {
            store_rollback(committer->store);
            return work->result;
        }
    }
    return store_commit(committer->store, err);
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
        int r = commit_group(committer, works, NULL, &err);

        tell(works);
        if (r < 0) {
            /* What gathered meanwhile would wait as long again, and longer than its clients. */
            works = take_works(committer, committer->queue_max);
            fail_works(works, NULL, r, &err);
            tell(works);
        }
    }
    return NULL;
}

/* ---- the callers ---- */

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
    r = store_open(options, &committer->store, err);
    if (r == 0) {
        pthread_mutex_init(&committer->mutex, NULL);
        pthread_cond_init(&committer->posted, NULL);
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

struct committer *committer_stop(struct committer *committer)
{
    if (committer == NULL)
        return NULL;
    pthread_mutex_lock(&committer->mutex);
    committer->stopping = true;
    pthread_cond_signal(&committer->posted);
    pthread_mutex_unlock(&committer->mutex);
    pthread_join(committer->thread, NULL);
    store_close(committer->store);
    pthread_cond_destroy(&committer->posted);
    pthread_mutex_destroy(&committer->mutex);
    free(committer);
    return NULL;
}

void committer_on_commit(struct committer *committer, void (*heard)(void *context), void *context)
{
    committer->heard = heard;
    committer->context = context;
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
