/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "api/internal.h"
#include "codec/header.h"

/* Where a route's pattern has "*", any characters but "/" stand; the handler finds them in
 * exchange->argument. */
static const struct route {
    const char *method;
    const char *pattern;
    bool keyless;
    bool queried; /* takes parameters; those with a key that take none refuse them */
    void (*handle)(struct exchange *exchange);
} routes[] = {
    {"POST", "/v1/tts/async", false, false, handle_job_create},
    {"GET", "/v1/jobs", false, true, handle_job_list},
    {"GET", "/v1/jobs/*", false, false, handle_job_get},
    {"DELETE", "/v1/jobs/*", false, false, handle_job_cancel},
    {"GET", "/v1/jobs/*/deliveries", false, false, handle_deliveries},
    {"POST", "/v1/jobs/*/redeliver", false, false, handle_redeliver},
    {"GET", "/v1/download/*", true, false, handle_download},
    {"GET", "/v1/voices", false, false, handle_voices},
    {"GET", "/v1/usage", false, false, handle_usage},
    {"GET", "/healthz", true, false, handle_healthz},
    {"GET", "/readyz", true, false, handle_readyz},
    {"GET", "/metrics", true, false, handle_metrics},
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
    for (size_t i = 0; i < array_length(routes); i++) {
        const char *method = routes[i].method;
        size_t length = strlen(ret_methods);

        if (!matches(routes[i].pattern, exchange->path, exchange->argument))
            continue;
        snprintf(ret_methods + length, 64 - length, "%s%s", length > 0 ? ", " : "",
                 strcmp(method, "GET") == 0 ? "GET, HEAD" : method);
    }
    if (ret_methods[0] != '\0')
        strncat(ret_methods, ", OPTIONS", 64 - strlen(ret_methods) - 1);
}

static const struct route *find_route(struct exchange *exchange)
{
    const char *method = exchange->head_only ? "GET" : exchange->method;

    for (size_t i = 0; i < array_length(routes); i++)
        if (strcmp(routes[i].method, method) == 0 &&
            matches(routes[i].pattern, exchange->path, exchange->argument))
            return &routes[i];
    return NULL;
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
static void handle_with_key(struct exchange *exchange, const struct route *found)
{
    bool reads = strcmp(found->method, "GET") == 0;
    struct error err = {""};
    int r = reads ? store_read_begin(exchange->store, &err) : 0;

    if (r < 0)
        reply_failure(exchange, r, &err);
    else if (authenticate(exchange) && (found->queried || query_is_empty(exchange)))
        found->handle(exchange);
    store_read_end(exchange->store);
}

void route(struct exchange *exchange)
{
    const struct route *found = find_route(exchange);
    char joined[REQUEST_LIST_SIZE];

    if (found == NULL)
        refuse_method(exchange);
    else if (found->keyless)
        found->handle(exchange);
    else if (!header_accepts(request_list(exchange, "HTTP_ACCEPT", joined), "application/json"))
        reply_problem(exchange, PROBLEM_NOT_ACCEPTABLE,
                      "answers are application/json, which Accept must allow");
    else
        handle_with_key(exchange, found);
}
