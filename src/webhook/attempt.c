/* SPDX-License-Identifier: Apache-2.0 */
#include "webhook/attempt.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/cleanup.h"

void attempt_returns_init(struct attempt_returns *returns, int wake_fd)
{
    *returns = (struct attempt_returns){.wake_fd = wake_fd};
    returns->last = &returns->first;
    pthread_mutex_init(&returns->lock, NULL);
}

void attempt_returns_release(struct attempt_returns *returns)
{
    pthread_mutex_destroy(&returns->lock);
}

struct attempt *attempt_returns_take(struct attempt_returns *returns)
{
    struct attempt *first;

    pthread_mutex_lock(&returns->lock);
    first = returns->first;
    returns->first = NULL;
    returns->last = &returns->first;
    pthread_mutex_unlock(&returns->lock);
    return first;
}

struct attempt *attempt_new(struct webhook *webhook, struct attempt_returns *returns)
{
    struct attempt *attempt = calloc(1, sizeof *attempt);

    if (attempt == NULL)
        return NULL;
    attempt->webhook = *webhook;
    attempt->returns = returns;
    webhook->url = NULL;
    webhook->receiver = NULL;
    webhook->body = NULL;
    return attempt;
}

struct attempt *attempt_free(struct attempt *attempt)
{
    if (attempt == NULL)
        return NULL;
    webhook_release(&attempt->webhook);
    free(attempt);
    return NULL;
}

/* On the committer's thread.  Woken within the lock, so that the returns are still there. */
static void come_back(struct commit_work *work)
{
    struct attempt *attempt = container_of(work, struct attempt, work);
    struct attempt_returns *returns = attempt->returns;

    pthread_mutex_lock(&returns->lock);
    attempt->next_returned = NULL;
    if (returns->first == NULL)
        eventfd_write(returns->wake_fd, 1);
    *returns->last = attempt;
    returns->last = &attempt->next_returned;
    pthread_mutex_unlock(&returns->lock);
}

static int run_begin(struct commit_work *work, struct store *store, struct error *err)
{
    struct attempt *attempt = container_of(work, struct attempt, work);

    return webhook_attempt_begin(store, attempt->webhook.webhook, &attempt->number, err);
}

static int run_end(struct commit_work *work, struct store *store, struct error *err)
{
    struct attempt *attempt = container_of(work, struct attempt, work);

    if (attempt->withdrawn)
        return webhook_attempt_withdraw(store, attempt->webhook.webhook, attempt->number, attempt->delay_ms,
                                        err);
    return webhook_attempt_end(store, attempt->webhook.webhook, attempt->number, &attempt->record, err);
}

static int post(struct attempt *attempt, enum attempt_state state, struct committer *committer,
                int (*run)(struct commit_work *, struct store *, struct error *))
{
    enum attempt_state before = attempt->state;
    int r;

    /* Before the post: afterwards the attempt is the committer's. */
    attempt->state = state;
    attempt->work = (struct commit_work){.run = run, .done = come_back};
    r = committer_post(committer, &attempt->work);
    if (r < 0)
        attempt->state = before;
    return r;
}

int attempt_post_begin(struct attempt *attempt, struct committer *committer)
{
    return post(attempt, ATTEMPT_BEGINNING, committer, run_begin);
}

int attempt_post_end(struct attempt *attempt, struct committer *committer)
{
    return post(attempt, ATTEMPT_ENDING, committer, run_end);
}

void attempt_list_add(struct attempt_list *list, struct attempt *attempt)
{
    attempt->next = NULL;
    attempt->previous = list->last;
    if (list->last != NULL)
        list->last->next = attempt;
    else
        list->first = attempt;
    list->last = attempt;
    list->count++;
}

void attempt_list_remove(struct attempt_list *list, struct attempt *attempt)
{
    if (attempt->next != NULL)
        attempt->next->previous = attempt->previous;
    else
        list->last = attempt->previous;
    if (attempt->previous != NULL)
        attempt->previous->next = attempt->next;
    else
        list->first = attempt->next;
    list->count--;
}
