/* SPDX-License-Identifier: Apache-2.0 */
/* Messages from other threads to the worker's loop: a list under a mutex, and an eventfd that wakes the loop.
 */
#ifndef WORKER_MAILBOX_H
#define WORKER_MAILBOX_H

#include <pthread.h>

#include "base/error.h"

/* Embed it in a struct of your own; receive is called on the loop's thread and may free that struct. */
struct letter {
    void (*receive)(struct letter *letter);
    struct letter *next;
};

struct mailbox {
    pthread_mutex_t mutex;
    struct letter *first;
    struct letter **last;
    int fd; /* readable while letters wait */
};

int mailbox_init(struct mailbox *mailbox, struct error *err);
void mailbox_release(struct mailbox *mailbox);

/* From any thread. */
void mailbox_send(struct mailbox *mailbox, struct letter *letter);

/* On the loop's thread: receives what has come, in order. */
void mailbox_empty(struct mailbox *mailbox);

#endif
