/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small blocking HTTP client, for the administrator's tool: one request at a time over a connection that is
 * kept. It goes where it is told: the guard is for addresses that clients chose.
 */
#ifndef NET_HTTP_CLIENT_H
#define NET_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

/* More header lines than this are dropped; no server that this tool talks to sends so many. */
#define HTTP_HEADERS_MAX 64

struct http_client;

struct http_request {
    const char *method;         /* NULL is GET */
    const char *url;            /* http or https */
    const char *const *headers; /* "Name: value" */
    size_t header_count;
    const void *body; /* NULL is none */
    size_t body_size;
    int64_t connect_timeout_ms; /* 0 is 5 s */
    int64_t timeout_ms; /* of the whole exchange; 0 is none, but a minute without a byte ends it then too */
    size_t max_body;    /* a longer answer is an error; not for a download */
    int download_fd;    /* where a 2xx answer's body is written; use -1 for none */

    /* Called while a body arrives; false ends the exchange with -ECANCELED.  total is 0 where it is not
     * known. */
    bool (*progress)(void *context, int64_t received, int64_t total);
    void *progress_context;
};

/* A request with nothing but these: no body, no download. */
#define HTTP_REQUEST_INIT(verb, address, maximum)                                                            \
    ((struct http_request){.method = (verb), .url = (address), .max_body = (maximum), .download_fd = -1})

struct http_response {
    int status;
    struct buf body; /* empty where it went to download_fd */
    size_t header_count;
    char *headers[HTTP_HEADERS_MAX]; /* "Name: value" */
};

/* user_agent: "sayhookctl/1.0".  NULL where memory ran out. */
struct http_client *http_client_new(const char *user_agent);
struct http_client *http_client_free(struct http_client *client);

/*
 * Sends and waits for the whole answer, whatever its status; redirects are not followed.  Proxies of the
 * environment are not used.  -ETIMEDOUT, -ECONNREFUSED, -EFBIG past max_body, -ECANCELED, -EIO for anything
 * else, with a text. The caller releases the response.
 */
int http_client_send(struct http_client *client, const struct http_request *request,
                     struct http_response *ret_response, struct error *err);

void http_response_release(struct http_response *response);

/* The value of the first header of that name, in any case of letters; NULL where there is none. */
const char *http_response_header(const struct http_response *response, const char *name);

#endif
