/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "api/internal.h"
#include "codec/header.h"

/* How the calls of job/http.h are answered.  What stands for a pattern's "*" the handlers find in
 * exchange->argument. */
static const struct route {
    bool keyless;
    bool queried; /* takes parameters; those with a key that take none refuse them */
    void (*handle)(struct exchange *exchange);
} routes[HTTP_OTHER] = {
    [HTTP_JOB_CREATE] = {false, false, handle_job_create},
    [HTTP_JOB_LIST] = {false, true, handle_job_list},
    [HTTP_JOB_GET] = {false, false, handle_job_get},
    [HTTP_JOB_CANCEL] = {false, false, handle_job_cancel},
    [HTTP_DELIVERIES] = {false, false, handle_deliveries},
    [HTTP_REDELIVER] = {false, false, handle_redeliver},
    [HTTP_DOWNLOAD] = {true, false, handle_download},
    [HTTP_VOICES] = {false, false, handle_voices},
    [HTTP_USAGE] = {false, false, handle_usage},
    [HTTP_HEALTHZ] = {true, false, handle_healthz},
    [HTTP_READYZ] = {true, false, handle_readyz},
    [HTTP_METRICS] = {true, false, handle_metrics},
};

static bool matches(const char *pattern, const char *path, char argument[PATH_MAX_BYTES])
{
    const char *star = strchr(pattern, '*');
    size_t before, middle;

    if (star == NULL)
        return strcmp(pattern, path) == 0;
    before = (size_t)(star - pattern);
    if (strncmp(pattern, path, before) != 0)
        return false;
    middle = strcspn(path + before, "/");
    if (middle == 0 || strcmp(star + 1, path + before + middle) != 0)
        return false;
    memcpy(argument, path + before, middle);
    argument[middle] = '\0';
    return true;
}

/* The methods of a path, for Allow; "" where there is no such path. */
static void allowed_methods(struct exchange *exchange, char ret_methods[64])
{
    ret_methods[0] = '\0';
    for (size_t i = 0; i < HTTP_OTHER; i++) {
        const char *method = http_routes[i].method;
        size_t length = strlen(ret_methods);

        if (!matches(http_routes[i].pattern, exchange->path, exchange->argument))
            continue;
        snprintf(ret_methods + length, 64 - length, "%s%s", length > 0 ? ", " : "",
                 strcmp(method, "GET") == 0 ? "GET, HEAD" : method);
    }
    if (ret_methods[0] != '\0')
        strncat(ret_methods, ", OPTIONS", 64 - strlen(ret_methods) - 1);
}

static enum http_route find_route(struct exchange *exchange)
{
    const char *method = exchange->head_only ? "GET" : exchange->method;

    for (size_t i = 0; i < HTTP_OTHER; i++)
        if (strcmp(http_routes[i].method, method) == 0 &&
            matches(http_routes[i].pattern, exchange->path, exchange->argument))
            return (enum http_route)i;
    return HTTP_OTHER;
}

static void refuse_method(struct exchange *exchange)
{
    char methods[64];

    allowed_methods(exchange, methods);
    if (methods[0] == '\0') {
        reply_problem(
            exchange, PROBLEM_NOT_FOUND,
            "there is nothing at this address; the calls are POST /v1/tts/async and those below /v1/jobs");
        return;
    }
    reply_field(exchange, "Allow", "%s", methods);
    if (strcmp(exchange->method, "OPTIONS") == 0) {
        cors_preflight(exchange, methods);
        exchange->status = 204;
    } else {
        reply_problem(exchange, PROBLEM_METHOD_NOT_ALLOWED, "%.16s is not allowed here; %s are",
                      exchange->method, methods);
    }
}

/* The key and what a GET asks for are read in one go. */
static void handle_with_key(struct exchange *exchange, const struct route *route)
{
    bool reads = strcmp(http_routes[exchange->route].method, "GET") == 0;
    struct error err = {""};
    int r = reads ? store_read_begin(exchange->store, &err) : 0;

    if (r < 0)
        reply_failure(exchange, r, &err);
    else if (authenticate(exchange) && (route->queried || query_is_empty(exchange)))
        route->handle(exchange);
    store_read_end(exchange->store);
}

void route(struct exchange *exchange)
{
    const struct route *found;
    char joined[REQUEST_LIST_SIZE];

    exchange->route = find_route(exchange);
    if (exchange->route == HTTP_OTHER) {
        refuse_method(exchange);
        return;
    }
    found = &routes[exchange->route];
    if (found->keyless)
        found->handle(exchange);
    else if (!header_accepts(request_list(exchange, "HTTP_ACCEPT", joined), "application/json"))
        reply_problem(exchange, PROBLEM_NOT_ACCEPTABLE,
                      "answers are application/json, which Accept must allow");
    else
        handle_with_key(exchange, found);
}
