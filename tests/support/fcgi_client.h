/* SPDX-License-Identifier: Apache-2.0 */
/* What nginx is to the API, in small: FastCGI 1.0 requests on a Unix socket, whole, cut short or malformed.
 */
#ifndef SUPPORT_FCGI_CLIENT_H
#define SUPPORT_FCGI_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Header fields of one request beside its own. */
#define FCGI_FIELDS_MAX 8

struct fcgi_request {
    const char *method; /* NULL: GET */
    const char *uri;
    const char *address;                    /* of the client; NULL: 127.0.0.1 */
    const char *key;                        /* NULL: no Authorization */
    const char *content_type;               /* NULL with a body: application/json; "" is none */
    const char *body;                       /* NULL is none */
    size_t body_size;                       /* 0 with a body: its length as a string */
    const char *length;                     /* NULL: CONTENT_LENGTH is the truth */
    const char *fields[FCGI_FIELDS_MAX][2]; /* {"HTTP_ACCEPT", "text/html"}, ended by {NULL} */
    bool keep;                              /* the connection */
    size_t align; /* not 0: a field is put in, such that all before the end of the body is a multiple of it */
};

struct fcgi_reply {
    int status; /* 0: the connection ended without a reply */
    bool ended; /* in order */
    char *head; /* each field ended by CRLF */
    char *body;
    size_t body_size;
    struct buf all;
};

/* -1 where nobody listens. */
int fcgi_connect(const char *path);

/* Sends and reads; fcgi_reply_release() what comes. */
struct fcgi_reply fcgi_call(int fd, const struct fcgi_request *request);

/* The two halves of it. */
void fcgi_send(int fd, const struct fcgi_request *request);
struct fcgi_reply fcgi_receive(int fd);

/* The same on a connection of its own. */
struct fcgi_reply fcgi_call_once(const char *path, const struct fcgi_request *request);

void fcgi_reply_release(struct fcgi_reply *reply);

/* A header field's value in buffer, or NULL. */
const char *fcgi_reply_field(const struct fcgi_reply *reply, const char *name, char *buffer, size_t size);

#endif
