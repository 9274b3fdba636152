/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends signed requests to receivers, many at a time, and says how each went.  It belongs to one thread,
 * which polls sender_fd(), for sender_wait_ms() at most, and then calls sender_step().
 *
 * Names are looked up by threads of libcurl's, one for each attempt that needs a new connection, so at most
 * max_in_flight at a time.  The lookup of an attempt that has timed out goes on until the C library's
 * resolver gives up (resolv.conf(5): options timeout and attempts, 10 s for each name server unless they say
 * otherwise), and so there are at most max_in_flight more for each connect_timeout_ms of that time.
 *
 * Every connection passes the guard.  Redirects, proxies and cookies are not for webhooks.  Of an answer only
 * the beginning is read: a receiver cannot fill memory, and it cannot hold an attempt for longer than the
 * time-out.
 */
#ifndef WEBHOOK_SENDER_H
#define WEBHOOK_SENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <netinet/in.h>

#include "base/error.h"
#include "net/guard.h"
#include "store/store.h"
#include "webhook/signature.h"

/* What is read of an answer's body, and of its status and header lines; then the attempt is judged by its
 * status. */
#define SENDER_BODY_MAX   (16 * 1024)
#define SENDER_HEADER_MAX (64 * 1024)

/* What is kept of the body. */
#define SENDER_EXCERPT_MAX 1024

#define SENDER_MESSAGE_MAX 256

/* An address with brackets and a port. */
#define SENDER_PEER_SIZE (INET6_ADDRSTRLEN + sizeof "[]:65535")

/* The contract's error codes of a delivery. */
#define DELIVERY_BLOCKED_ADDRESS    "blocked_address"
#define DELIVERY_BLOCKED_PORT       "blocked_port"
#define DELIVERY_NAME_NOT_RESOLVED  "name_not_resolved"
#define DELIVERY_CONNECTION_REFUSED "connection_refused"
#define DELIVERY_CONNECTION_RESET   "connection_reset"
#define DELIVERY_TIMEOUT            "timeout"
#define DELIVERY_TLS_FAILED         "tls_failed"
#define DELIVERY_BAD_RESPONSE       "bad_response"
#define DELIVERY_HTTP_STATUS        "http_status"
#define DELIVERY_INTERRUPTED        "interrupted"

/* All of it must stay until the request is done. */
struct send_request {
    const char *url;
    const char *webhook_id;
    const void *body;
    size_t body_size;
    const struct signature *signature;
    void *context; /* given back with the result */
};

struct send_result {
    int64_t duration_ms;
    int status_code;        /* 0 where no answer came */
    const char *error_code; /* one of the above; NULL is success */
    char error_message[SENDER_MESSAGE_MAX];
    bool forbidden; /* the guard refused it: it would refuse it again */
    int64_t
        retry_after_s; /* what the answer asks for (RFC 9110 section 10.2.3), seconds or date; 0 is none */
    bool traced;       /* a request was made: trace tells how it went */
    struct attempt_trace trace;  /* its peer is not set */
    char peer[SENDER_PEER_SIZE]; /* "192.0.2.1:443" or "[2001:db8::1]:443"; empty: no connection */
    bool has_excerpt;
    char excerpt[SENDER_EXCERPT_MAX + 1];
};

struct sender_options {
    struct guard *guard; /* outlives the sender */
    int64_t connect_timeout_ms;
    int64_t timeout_ms; /* from the start to the end of the answer */
    size_t max_in_flight;
    /* Called by sender_step() when a request is done; may start others. */
    void (*done)(const struct send_request *request, const struct send_result *result);
};

struct sender;

int sender_new(const struct sender_options *options, struct sender **ret_sender, struct error *err);

/* Breaks off what is under way, without a call of done. */
struct sender *sender_free(struct sender *sender);

/* Readable when there is something to do. */
int sender_fd(const struct sender *sender);

/* How long it may be left alone otherwise, in milliseconds; -1: for ever, as poll(2) has it. */
int sender_wait_ms(const struct sender *sender);

void sender_step(struct sender *sender);

/*
 * Starts a request; at once, so the caller keeps to max_in_flight.  SENDER_REFUSED: *ret_result says why, and
 * nothing was or will be sent.
 */
#define SENDER_REFUSED 1
int sender_start(struct sender *sender, const struct send_request *request, struct send_result *ret_result,
                 struct error *err);

#endif
