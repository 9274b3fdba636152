/* SPDX-License-Identifier: Apache-2.0 */
/* A small HTTP server on 127.0.0.1 that takes POST requests one by one: for `sayhookctl listen`, and for
 * tests. */
#ifndef CTL_RECEIVER_H
#define CTL_RECEIVER_H

#include <stddef.h>

#include "base/error.h"

/* Larger than any webhook that this product sends; a longer body is answered with 413. */
#define RECEIVER_BODY_MAX (1 << 20)

struct received {
    const char *path;
    const char *signature;          /* X-Webhook-Signature; NULL where there is none, as below */
    const char *timestamp;          /* X-Webhook-Timestamp */
    const char *webhook_id;         /* webhook-id */
    const char *standard_timestamp; /* webhook-timestamp */
    const char *standard_signature; /* webhook-signature */
    const char *body;               /* NUL behind it */
    size_t body_size;
};

struct receiver_handler {
    /* Returns the status to answer with.  On the receiver's thread, one request at a time. */
    int (*received)(struct receiver_handler *self, const struct received *request);

    /* The answer to a request that received() saw has been sent. */
    void (*answered)(struct receiver_handler *self);
};

struct receiver;

/* port 0 is any; *ret_port is the one that it listens on. */
int receiver_start(int port, struct receiver_handler *handler, struct receiver **ret_receiver, int *ret_port,
                   struct error *err);
struct receiver *receiver_stop(struct receiver *receiver);

#endif
