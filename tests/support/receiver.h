/* SPDX-License-Identifier: Apache-2.0 */
/* A webhook receiver on loopback, within the test's process, that records what it is sent and can misbehave.
 */
#ifndef SUPPORT_RECEIVER_H
#define SUPPORT_RECEIVER_H

#include <stdbool.h>
#include <stddef.h>

enum receiver_conduct {
    RECEIVER_ANSWERS,         /* with status, headers and body */
    RECEIVER_HANGS,           /* reads the request and says nothing more */
    RECEIVER_RESETS,          /* reads the request and resets the connection */
    RECEIVER_RESETS_AFTER,    /* answers, promising more than it sends, and resets */
    RECEIVER_CLOSES,          /* reads the request and closes in order */
    RECEIVER_TRICKLES,        /* one byte of the answer every 20 ms, without end */
    RECEIVER_ENDLESS_BODY,    /* as fast as it goes */
    RECEIVER_ENDLESS_HEADERS, /* as fast as it goes */
    RECEIVER_BABBLES,         /* answers with what is not HTTP */
};

struct receiver_answer {
    enum receiver_conduct conduct;
    int status;
    const char *headers; /* each ended by CRLF; NULL is none */
    const char *body;    /* NULL is none */
};

/* One request as it came. */
struct received {
    char *head; /* request line and headers */
    char *body; /* with a NUL behind it */
    size_t body_size;
    int connection; /* counted from 0 */
};

struct receiver;

/*
 * Listens on a free port of 127.0.0.1.  The n-th request gets the n-th answer, and the last of them serves
 * for all that come after; the answers are copied, the strings in them are not.  Ends the test where it
 * cannot.
 */
struct receiver *receiver_start(const struct receiver_answer *answers, size_t count);
struct receiver *receiver_stop(struct receiver *receiver);

/* Answers from now on. */
void receiver_script(struct receiver *receiver, const struct receiver_answer *answers, size_t count);

int receiver_port(const struct receiver *receiver);

/* "http://127.0.0.1:PORT/hook"; valid as long as the receiver is. */
const char *receiver_url(const struct receiver *receiver);

/* Waits until count requests have come, at most timeout_ms; how many there are. */
size_t receiver_wait(struct receiver *receiver, size_t count, int timeout_ms);

/* The index-th request; the receiver owns it. */
const struct received *receiver_request(struct receiver *receiver, size_t index);

/* The value of a header, in any case of letters, into ret_value; false where there is none. */
bool received_header(const struct received *received, const char *name, char *ret_value, size_t size);

/* The most requests that were in the receiver's hands at one time. */
size_t receiver_peak(struct receiver *receiver);

#endif
