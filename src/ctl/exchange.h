/* SPDX-License-Identifier: Apache-2.0 */
/* One request to the API, whose answer is a JSON document or a file, and what to think of it where it is not.
 */
#ifndef CTL_EXCHANGE_H
#define CTL_EXCHANGE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/error.h"
#include "codec/json_read.h"
#include "net/http_client.h"

struct exchange {
    const char *method;
    const char *url;
    const char *authorization; /* the whole header */
    const struct buf *body;    /* JSON; NULL is none */
    size_t max_answer;         /* in bytes */
};

/* The finished audio, at an address that is its own key. */
struct download {
    const char *url;
    int fd;                                                           /* where it is written */
    void (*progress)(void *context, int64_t received, int64_t total); /* total 0: not known */
    void *progress_context;
};

/* Why an exchange failed; nobody has told the user yet. */
struct fault {
    int code;               /* to exit with */
    bool may_pass;          /* by itself: asking again makes sense */
    bool cut_off;           /* within a download: some of it was written */
    int64_t retry_after_ms; /* 0: the server did not say */
    struct error error;
};

/*
 * Sends the request and waits for the answer.  Where it is 2xx and JSON the caller gets the document, to be
 * freed with json_read_free(), and its text is appended; else false, with the reason in ret_fault.
 */
bool exchange_run(const struct exchange *exchange, struct http_client *client,
                  struct json_document **ret_document, struct buf *ret_text, struct fault *ret_fault);

/* Fetches the whole file; false where that fails, with the reason in ret_fault. */
bool exchange_download(const struct download *download, struct http_client *client, struct fault *ret_fault);

#endif
