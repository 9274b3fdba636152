/* SPDX-License-Identifier: Apache-2.0 */
/* What is not about jobs: addresses, methods, keys, the service's health, and connections. */
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

#include <criterion/criterion.h>

#include "api/fixture.h"
#include "base/cleanup.h"

/* What libfcgi reads at once: the place where the pieces of a request come apart. */
#define LIBFCGI_BUFFER 8192

TestSuite(http, .init = api_setup, .fini = api_teardown);

/* ---- addresses, methods, keys ---- */

Test(http, what_is_nowhere_is_a_problem_and_no_page)
{
    static const char *const uris[] = {
        "/",
        "/v1",
        "/v1/",
        "/v1/jobs/",
        "/v1/tts",
        "/v1/tts/async/",
        "//healthz",
        "/v1/jobs/a/b/",
        "/v1/jobs/a/b/c",
        "*",
        "/healthz/",
        "/../etc/passwd",
        "/v1/download/",
        "/%00",
    };

    for (size_t i = 0; i < array_length(uris); i++)
        testcase_problem(&(struct fcgi_request){.uri = uris[i], .key = api.key}, 404, "not_found");
}

Test(http, a_path_of_any_length_is_answered)
{
    static char uri[60000] = "/v1/jobs/";

    memset(uri + 9, 'a', sizeof uri - 10);
    testcase_problem(&(struct fcgi_request){.uri = uri, .key = api.key}, 404, "not_found");
}

Test(http, another_method_is_told_which_ones_are_allowed)
{
    static const struct {
        const char *method;
        const char *uri;
        const char *allow;
    } cases[] = {
        {"GET", "/v1/tts/async", "POST, OPTIONS"},  {"PUT", "/v1/jobs/x", "GET, HEAD, DELETE, OPTIONS"},
        {"POST", "/v1/jobs", "GET, HEAD, OPTIONS"}, {"DELETE", "/healthz", "GET, HEAD, OPTIONS"},
        {"get", "/healthz", "GET, HEAD, OPTIONS"},  {"POST", "/v1/download/x", "GET, HEAD, OPTIONS"},
        {"HEAD", "/v1/tts/async", "POST, OPTIONS"}, {"TRACE", "/v1/voices", "GET, HEAD, OPTIONS"},
        {"BREW", "/readyz", "GET, HEAD, OPTIONS"},  {"PATCH", "/v1/jobs/x", "GET, HEAD, DELETE, OPTIONS"},
    };

    for (size_t i = 0; i < array_length(cases); i++) {
        struct fcgi_request request = {.method = cases[i].method, .uri = cases[i].uri};
        struct fcgi_reply reply = api_call(&request);

        cr_assert_eq(reply.status, 405);
        testcase_field(&reply, "Allow", cases[i].allow);
        if (strcmp(request.method, "HEAD") != 0)
            testcase_string(&reply, "/code", "method_not_allowed");
        fcgi_reply_release(&reply);
        request.method = "OPTIONS";
        reply = api_call(&request);
        cr_assert_eq(reply.status, 204);
        testcase_field(&reply, "Allow", cases[i].allow);
        fcgi_reply_release(&reply);
    }
}

Test(http, a_call_without_a_live_key_is_refused)
{
    static const char *const wrong[] = {
        NULL, "", "Bearer", "Bearer ", "Bearer sk_0", "Basic QWxhZGRpbg==", "bearer\tx",
    };

    for (size_t i = 0; i < array_length(wrong); i++) {
        struct fcgi_request request = {.uri = "/v1/jobs"};
        struct fcgi_reply reply;

        if (wrong[i] != NULL) {
            request.fields[0][0] = "HTTP_AUTHORIZATION";
            request.fields[0][1] = wrong[i];
        }
        reply = api_call(&request);
        cr_assert_eq(reply.status, 401);
        testcase_field(&reply, "WWW-Authenticate", "Bearer");
        testcase_string(&reply, "/code", "unauthorized");
        fcgi_reply_release(&reply);
    }
}

Test(http, a_request_id_is_the_clients_or_a_new_one)
{
    static const char *const wrong[] = {
        "",  "a b",      "a\r\nX-Evil: 1",
        "é", "<script>", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    struct fcgi_request request = {.uri = "/none", .fields = {{"HTTP_X_REQUEST_ID", "A-z_0.9"}}};
    struct fcgi_reply reply = api_call(&request);
    char id[512];

    testcase_field(&reply, "X-Request-Id", "A-z_0.9");
    testcase_string(&reply, "/request_id", "A-z_0.9");
    fcgi_reply_release(&reply);
    for (size_t i = 0; i < array_length(wrong); i++) {
        request.fields[0][1] = wrong[i];
        reply = api_call(&request);
        cr_assert_str_neq(fcgi_reply_field(&reply, "X-Request-Id", id, sizeof id), wrong[i]);
        cr_assert(strlen(id) >= 16 && strlen(id) <= 64);
        cr_assert_null(strstr(reply.head, "Evil"));
        fcgi_reply_release(&reply);
    }
}

Test(http, a_client_that_takes_no_json_is_told_so)
{
    static const char *const refused[] = {"text/html", "application/json;q=0", "*/*, application/json;q=0",
                                          "application/xml, text/*;q=0.5"};
    static const char *const taken[] = {"", "*/*", "application/*;q=0.5, text/html", "APPLICATION/JSON",
                                        "text/html;q=0, */*;q=0.001"};
    struct fcgi_request request = {.uri = "/v1/voices", .key = api.key, .fields = {{"HTTP_ACCEPT", ""}}};
    struct fcgi_reply reply;

    for (size_t i = 0; i < array_length(refused); i++) {
        request.fields[0][1] = refused[i];
        testcase_problem(&request, 406, "not_acceptable");
    }
    for (size_t i = 0; i < array_length(taken); i++) {
        request.fields[0][1] = taken[i];
        reply = api_call(&request);
        cr_assert_eq(reply.status, 200, "%s", taken[i]);
        fcgi_reply_release(&reply);
    }
}

/* nginx hands each line on by itself. */
Test(http, a_field_that_is_a_list_may_come_in_several_lines)
{
    static char long_one[1025]; /* more than is put together */
    struct fcgi_request request = {
        .uri = "/v1/voices",
        .key = api.key,
        .fields = {{"HTTP_ACCEPT", "text/html"}, {"HTTP_ACCEPT", "application/json"}}};
    struct fcgi_reply reply = api_call(&request);

    cr_assert_eq(reply.status, 200);
    fcgi_reply_release(&reply);
    request.fields[1][1] = "text/plain";
    testcase_problem(&request, 406, "not_acceptable");
    memset(long_one, 'x', sizeof long_one - 1);
    request.fields[0][1] = long_one;
    request.fields[1][1] = "application/json";
    testcase_problem(&request, 406, "not_acceptable");
}

Test(http, a_parameter_that_a_call_does_not_take_is_refused)
{
    static const char *const uris[] = {"/v1/voices?x=1", "/v1/usage?%ff", "/v1/jobs/job_x?wait=30"};
    struct fcgi_reply reply;

    for (size_t i = 0; i < array_length(uris); i++) {
        testcase_problem(&(struct fcgi_request){.uri = uris[i], .key = api.key}, 400, "invalid_parameter");
        testcase_problem(&(struct fcgi_request){.uri = uris[i]}, 401, "unauthorized");
    }
    testcase_problem(
        &(struct fcgi_request){.method = "POST", .uri = "/v1/tts/async?a=b", .key = api.key, .body = "{}"},
        400, "invalid_parameter");
    reply = api_call(&(struct fcgi_request){.uri = "/v1/voices?", .key = api.key});
    cr_assert_eq(reply.status, 200);
    fcgi_reply_release(&reply);
}

/* ---- the service ---- */

Test(http, voices_are_listed_with_their_default)
{
    struct fcgi_reply reply = api_call(&(struct fcgi_request){.uri = "/v1/voices", .key = api.key});

    cr_assert_eq(reply.status, 200);
    testcase_string(&reply, "/voices/0/id", "slt");
    testcase_string(&reply, "/voices/0/language_code", "en");
    cr_assert_not_null(strstr(reply.body, "\"default\":true"));
    fcgi_reply_release(&reply);
}

Test(http, it_is_not_ready_without_a_worker)
{
    struct fcgi_reply reply = fcgi_call_once(api.socket, &(struct fcgi_request){.uri = "/readyz"});

    cr_assert_eq(reply.status, 503);
    testcase_string(&reply, "/code", "not_ready");
    testcase_string(&reply, "/detail", "not ready: no worker is alive.");
    fcgi_reply_release(&reply);
}

/* ---- connections ---- */

/* A connection that is kept answers the next request, whatever the one before left unread on it. */
Test(http, a_kept_connection_outlives_requests_that_were_refused_unread)
{
    static char large[99990];
    const struct fcgi_request requests[] = {
        {.uri = "/healthz", .keep = true},
        {.method = "POST", .uri = "/v1/tts/async", .body = large, .keep = true}, /* no key */
        {.method = "PUT", .uri = "/healthz", .body = large, .keep = true},
        {.uri = "/healthz", .body = large, .keep = true}, /* a body that nobody wants */
        {.method = "POST",
         .uri = "/v1/tts/async",
         .key = api.key,
         .body = large,
         .content_type = "x/y",
         .keep = true},
        {.uri = "/healthz", .keep = true, .align = LIBFCGI_BUFFER},
        {.uri = "/healthz", .keep = true},
    };
    static const int statuses[] = {200, 401, 405, 200, 415, 200, 200};
    cleanup(close_fd) int fd = fcgi_connect(api.socket);

    memset(large, 'x', sizeof large - 1);
    for (size_t i = 0; i < array_length(requests); i++) {
        struct fcgi_reply reply = fcgi_call(fd, &requests[i]);

        cr_assert_eq(reply.status, statuses[i], "request %zu: %d", i, reply.status);
        fcgi_reply_release(&reply);
    }
}

/* The empty record behind a body comes in a read of its own where the body ends with libfcgi's buffer. */
Test(http, a_kept_connection_outlives_a_body_that_fills_the_buffer)
{
    static char body[LIBFCGI_BUFFER * 2];
    struct fcgi_request request = {.method = "POST",
                                   .uri = "/v1/tts/async",
                                   .key = api.key,
                                   .body = body,
                                   .keep = true,
                                   .align = LIBFCGI_BUFFER};
    cleanup(close_fd) int fd = fcgi_connect(api.socket);

    memset(body, 'a', sizeof body - 1);
    memcpy(body, "{\"text\":\"", 9);
    memset(body + 100, ' ', 20);
    memcpy(body + sizeof body - 3, "\"}", 2);
    for (int i = 0; i < 4; i++) {
        struct fcgi_reply reply = fcgi_call(fd, &request);

        cr_assert_eq(reply.status, 202, "request %d: %s", i, reply.body);
        fcgi_reply_release(&reply);
    }
}

/* More connections than threads: those that were refused, or idle, hold nobody up for good. */
Test(http, garbage_on_a_connection_ends_that_connection_alone)
{
    static const char *const garbage[] = {"GET / HTTP/1.1\r\n\r\n", "\x01\x05",
                                          "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"};
    struct fcgi_reply reply;

    for (int i = 0; i < 20; i++) {
        const char *bytes = garbage[(size_t)i % array_length(garbage)];
        cleanup(close_fd) int fd = fcgi_connect(api.socket);

        cr_assert_eq(write(fd, bytes, strlen(bytes)), (ssize_t)strlen(bytes));
    }
    reply = api_call(&(struct fcgi_request){.uri = "/healthz"});
    cr_assert_eq(reply.status, 200);
    fcgi_reply_release(&reply);
}

Test(http, it_stops_though_connections_are_kept_open)
{
    cleanup(close_fd) int kept = fcgi_connect(api.socket);
    cleanup(close_fd) int silent = fcgi_connect(api.socket);
    struct fcgi_reply reply = fcgi_call(kept, &(struct fcgi_request){.uri = "/healthz", .keep = true});

    cr_assert_eq(reply.status, 200);
    fcgi_reply_release(&reply);
    api_stop();
    cr_assert_eq(api.result, 0);
}

Test(http, the_socket_is_for_its_owner_and_group)
{
    struct stat status;

    cr_assert_eq(stat(api.socket, &status), 0);
    cr_assert_eq(status.st_mode & 0777, 0660);
}

Test(http, it_starts_where_a_dead_one_left_its_socket)
{
    struct fcgi_reply reply;
    eventfd_t count;

    api_stop();
    cr_assert_eq(eventfd_read(api.service.stop_fd, &count), 0);
    api_start();
    reply = api_call(&(struct fcgi_request){.uri = "/healthz"});
    cr_assert_eq(reply.status, 200);
    fcgi_reply_release(&reply);
}
