/* SPDX-License-Identifier: Apache-2.0 */
#include "job/http.h"

#define ROUTE(method, pattern)                                                                               \
    {                                                                                                        \
        method, pattern, method " " pattern                                                                  \
    }

const struct http_route_row http_routes[HTTP_ROUTES] = {
    [HTTP_JOB_CREATE] = ROUTE("POST", "/v1/tts/async"),
    [HTTP_JOB_LIST] = ROUTE("GET", "/v1/jobs"),
    [HTTP_JOB_GET] = ROUTE("GET", "/v1/jobs/*"),
    [HTTP_JOB_CANCEL] = ROUTE("DELETE", "/v1/jobs/*"),
    [HTTP_DELIVERIES] = ROUTE("GET", "/v1/jobs/*/deliveries"),
    [HTTP_REDELIVER] = ROUTE("POST", "/v1/jobs/*/redeliver"),
    [HTTP_DOWNLOAD] = ROUTE("GET", "/v1/download/*"),
    [HTTP_VOICES] = ROUTE("GET", "/v1/voices"),
    [HTTP_USAGE] = ROUTE("GET", "/v1/usage"),
    [HTTP_HEALTHZ] = ROUTE("GET", "/healthz"),
    [HTTP_READYZ] = ROUTE("GET", "/readyz"),
    [HTTP_METRICS] = ROUTE("GET", "/metrics"),
    [HTTP_OTHER] = {NULL, NULL, "other"},
};

#define STATUS(code, reason)                                                                                 \
    {                                                                                                        \
        code, #code, reason                                                                                  \
    }

const struct http_status_row http_statuses[HTTP_STATUSES] = {
    STATUS(200, "OK"),
    STATUS(202, "Accepted"),
    STATUS(204, "No Content"),
    STATUS(304, "Not Modified"),
    STATUS(400, "Bad Request"),
    STATUS(401, "Unauthorized"),
    STATUS(403, "Forbidden"),
    STATUS(404, "Not Found"),
    STATUS(405, "Method Not Allowed"),
    STATUS(406, "Not Acceptable"),
    STATUS(409, "Conflict"),
    STATUS(410, "Gone"),
    STATUS(411, "Length Required"),
    STATUS(413, "Content Too Large"),
    STATUS(415, "Unsupported Media Type"),
    STATUS(422, "Unprocessable Content"),
    STATUS(429, "Too Many Requests"),
    STATUS(500, "Internal Server Error"),
    STATUS(503, "Service Unavailable"),
    STATUS(507, "Insufficient Storage"),
};

size_t http_status_find(int code)
{
    size_t found = 0;

    for (size_t i = 0; i < HTTP_STATUSES; i++) {
        if (http_statuses[i].code == code)
            return i;
        if (http_statuses[i].code == 500)
            found = i;
    }
    return found;
}
