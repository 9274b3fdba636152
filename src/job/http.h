/* SPDX-License-Identifier: Apache-2.0 */
/* What the API takes and what it answers, by the names that routing, replies and metrics share. */
#ifndef JOB_HTTP_H
#define JOB_HTTP_H

#include <stddef.h>

enum http_route {
    HTTP_JOB_CREATE,
    HTTP_JOB_LIST,
    HTTP_JOB_GET,
    HTTP_JOB_CANCEL,
    HTTP_DELIVERIES,
    HTTP_REDELIVER,
    HTTP_DOWNLOAD,
    HTTP_VOICES,
    HTTP_USAGE,
    HTTP_HEALTHZ,
    HTTP_READYZ,
    HTTP_METRICS,
    HTTP_OTHER, /* of requests that no route takes */
};
#define HTTP_ROUTES (HTTP_OTHER + 1)

/* Where a pattern has "*", any characters but "/" stand. */
struct http_route_row {
    const char *method; /* NULL for HTTP_OTHER, and pattern with it */
    const char *pattern;
    const char *name; /* both: "GET /v1/jobs" */
};
extern const struct http_route_row http_routes[HTTP_ROUTES];

/* The status codes that the API answers with. */
#define HTTP_STATUSES 20
struct http_status_row {
    int code;
    const char *name;   /* the code as text */
    const char *reason; /* HTTP leaves the words to the server; some clients show them */
};
extern const struct http_status_row http_statuses[HTTP_STATUSES];

/* The place of a code among them.  One that is not there, which only a bug makes, is told as 500. */
size_t http_status_find(int code);

#endif
