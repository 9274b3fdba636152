/* SPDX-License-Identifier: Apache-2.0 */
/* One request of the sender's: how it is set up in libcurl, and how its end is judged. */
#ifndef WEBHOOK_TRANSFER_H
#define WEBHOOK_TRANSFER_H

#include <curl/curl.h>

#include "webhook/sender.h"

struct transfer {
    struct send_request request;
    struct guard *guard;
    CURL *easy;
    struct curl_slist *headers;
    int blocked;   /* a condition of the guard, for addresses that it refused */
    bool opened;   /* an address was found that the guard allowed */
    bool flooded;  /* header lines without end */
    int64_t sends; /* how often the request left */
    char peer[SENDER_PEER_SIZE];
    size_t header_bytes;
    size_t header_lines;
    size_t body_bytes;
    size_t kept;
    char body[SENDER_EXCERPT_MAX]; /* the beginning of the answer */
    char detail[CURL_ERROR_SIZE];
    struct transfer *next; /* in the sender's list */
    struct transfer *previous;
};

/* NULL where memory ran out. */
struct transfer *transfer_new(const struct sender_options *options);

/* Makes it ready for a request; the one before has been judged.  False where memory ran out. */
bool transfer_prepare(struct transfer *transfer, const struct send_request *request);
struct transfer *transfer_free(struct transfer *transfer);

/* The result of a condition of the guard's, or of an error of guard_judge_url(), with its text. */
void transfer_refuse(int condition, const char *reason, struct send_result *ret_result);

/* Once libcurl is done with it, with that code. */
void transfer_judge(struct transfer *transfer, CURLcode code, struct send_result *ret_result);

#endif
