/* SPDX-License-Identifier: Apache-2.0 */
/* Pages of other origins, as the setting cors_origins lets them. */
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "api/fixture.h"
#include "base/cleanup.h"

#define FRIEND "https://app.example.org"

TestSuite(cors, .init = api_prepare, .fini = api_teardown);

static void start_with(const char *first, const char *second)
{
    struct string_list *origins = &api.settings.cors_origins;

    if (first != NULL)
        origins->items[origins->count++] = strdup(first);
    if (second != NULL)
        origins->items[origins->count++] = strdup(second);
    api_start();
}

static void testcase_no_field(const struct fcgi_reply *reply, const char *name)
{
    char value[512];

    cr_assert_null(fcgi_reply_field(reply, name, value, sizeof value), "%s", reply->head);
}

static struct fcgi_reply preflight(const char *origin, const char *uri)
{
    return api_call(&(struct fcgi_request){
        .method = "OPTIONS",
        .uri = uri,
        .fields = {{"HTTP_ORIGIN", origin},
                   {"HTTP_ACCESS_CONTROL_REQUEST_METHOD", "POST"},
                   {"HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "authorization,content-type"}}});
}

static struct fcgi_reply get(const char *origin, const char *uri, const char *key)
{
    return api_call(&(struct fcgi_request){
        .uri = uri, .key = key, .fields = {{origin != NULL ? "HTTP_ORIGIN" : NULL, origin}}});
}

Test(cors, it_is_off_by_default)
{
    struct fcgi_reply reply;

    start_with(NULL, NULL);
    reply = preflight(FRIEND, "/v1/tts/async");
    cr_assert_eq(reply.status, 204);
    testcase_field(&reply, "Allow", "POST, OPTIONS");
    cr_assert_null(strstr(reply.head, "Access-Control"));
    testcase_no_field(&reply, "Vary");
    fcgi_reply_release(&reply);
    reply = get(FRIEND, "/v1/voices", api.key);
    cr_assert_eq(reply.status, 200);
    cr_assert_null(strstr(reply.head, "Access-Control"));
    fcgi_reply_release(&reply);
}

Test(cors, a_preflight_is_told_what_the_route_takes)
{
    static const struct {
        const char *uri;
        const char *methods;
    } cases[] = {
        {"/v1/tts/async", "POST, OPTIONS"},
        {"/v1/jobs", "GET, HEAD, OPTIONS"},
        {"/v1/jobs/x", "GET, HEAD, DELETE, OPTIONS"},
        {"/v1/download/x", "GET, HEAD, OPTIONS"},
    };

    start_with("https://other.example.org:8443", FRIEND);
    for (size_t i = 0; i < array_length(cases); i++) {
        struct fcgi_reply reply = preflight(FRIEND, cases[i].uri);

        cr_assert_eq(reply.status, 204);
        testcase_field(&reply, "Access-Control-Allow-Origin", FRIEND);
        testcase_field(&reply, "Vary", "Origin");
        testcase_field(&reply, "Access-Control-Allow-Methods", cases[i].methods);
        testcase_field(&reply, "Access-Control-Allow-Headers",
                       "Authorization, Content-Type, Idempotency-Key, If-None-Match, Prefer, Range, "
                       "X-Request-Id");
        testcase_field(&reply, "Access-Control-Max-Age", "7200");
        testcase_no_field(&reply, "Access-Control-Allow-Credentials");
        fcgi_reply_release(&reply);
    }
}

Test(cors, an_origin_that_is_not_listed_may_read_nothing)
{
    static const char *const strangers[] = {
        "https://app.example.org.evil.example",
        "http://app.example.org",
        "https://app.example.org:444",
        "https://app.example.or",
        "null",
    };

    start_with(FRIEND, NULL);
    for (size_t i = 0; i < array_length(strangers); i++) {
        struct fcgi_reply reply = preflight(strangers[i], "/v1/tts/async");

        cr_assert_eq(reply.status, 204);
        cr_assert_null(strstr(reply.head, "Access-Control"), "%s", reply.head);
        testcase_field(&reply, "Vary", "Origin");
        fcgi_reply_release(&reply);
        reply = get(strangers[i], "/v1/voices", api.key);
        cr_assert_eq(reply.status, 200);
        cr_assert_null(strstr(reply.head, "Access-Control"), "%s", reply.head);
        testcase_field(&reply, "Vary", "Origin");
        fcgi_reply_release(&reply);
    }
}

Test(cors, errors_are_readable_too)
{
    char job_id[JOB_ID_SIZE], uri[128];
    const struct {
        const char *uri;
        const char *key;
        int status;
    } cases[] = {
        {"/v1/jobs", NULL, 401},           {"/none", NULL, 404},           {"/v1/jobs/x", api.key, 404},
        {"/v1/tts/async", NULL, 405},      {"/v1/jobs?x=y", api.key, 400}, {uri, NULL, 409},
        {"/v1/download/job_x", NULL, 404},
    };

    start_with(FRIEND, NULL);
    create_job("Some text.", job_id);
    snprintf(uri, sizeof uri, "/v1/download/%s", job_id);
    for (size_t i = 0; i < array_length(cases); i++) {
        struct fcgi_reply reply = get(FRIEND, cases[i].uri, cases[i].key);

        cr_assert_eq(reply.status, cases[i].status, "%s: %d", cases[i].uri, reply.status);
        testcase_field(&reply, "Access-Control-Allow-Origin", FRIEND);
        testcase_field(&reply, "Vary", "Origin");
        testcase_field(&reply, "Access-Control-Expose-Headers",
                       "X-Request-Id, Location, ETag, Link, RateLimit, RateLimit-Policy, Retry-After, "
                       "Idempotent-Replayed, Preference-Applied, Allow, WWW-Authenticate, "
                       "Content-Disposition, Content-Range");
        fcgi_reply_release(&reply);
    }
}

Test(cors, a_star_lets_every_page_read_and_every_cache_keep)
{
    static const char *const origins[] = {FRIEND, "http://localhost:3000", NULL};

    start_with("*", NULL);
    for (size_t i = 0; i < array_length(origins); i++) {
        struct fcgi_reply reply = get(origins[i], "/v1/voices", api.key);

        cr_assert_eq(reply.status, 200);
        testcase_field(&reply, "Access-Control-Allow-Origin", "*");
        testcase_no_field(&reply, "Vary");
        fcgi_reply_release(&reply);
    }
}
