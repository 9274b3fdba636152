/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "net/http_client.h"
#include "support/receiver.h"

#define ANSWER_MAX 65536

static struct receiver *receiver;
static struct http_client *client;

static void start(void)
{
    static const struct receiver_answer fine = {
        .status = 200, .headers = "X-Kind: plain\r\n", .body = "hello"};

    receiver = receiver_start(&fine, 1);
    client = http_client_new("test/1");
    cr_assert_not_null(client);
}

static void stop(void)
{
    client = http_client_free(client);
    receiver = receiver_stop(receiver);
}

TestSuite(http_client, .init = start, .fini = stop);

static int send_simple(const char *method, struct http_response *ret_response, struct error *err)
{
    struct http_request request = HTTP_REQUEST_INIT(method, receiver_url(receiver), ANSWER_MAX);

    request.timeout_ms = 5000;
    return http_client_send(client, &request, ret_response, err);
}

Test(http_client, gets_status_headers_and_body)
{
    struct http_response response;
    struct error err = {""};

    cr_assert_eq(send_simple(NULL, &response, &err), 0, "%s", err.text);
    cr_expect_eq(response.status, 200);
    cr_expect_str_eq(buf_str(&response.body), "hello");
    cr_expect_str_eq(http_response_header(&response, "x-kind"), "plain");
    cr_expect_null(http_response_header(&response, "X-Kin"));
    http_response_release(&response);
    cr_expect_eq(strncmp(receiver_request(receiver, 0)->head, "GET /hook HTTP/1.1\r\n", 20), 0);
}

Test(http_client, posts_a_body_with_headers_and_keeps_the_connection)
{
    static const char *const headers[] = {"Content-Type: application/json", "Authorization: Bearer x"};
    struct http_request request = HTTP_REQUEST_INIT("POST", receiver_url(receiver), ANSWER_MAX);
    struct http_response response;
    char value[64];

    request.headers = headers;
    request.header_count = array_length(headers);
    request.body = "{}";
    request.body_size = 2;
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(http_client_send(client, &request, &response, NULL), 0);
        http_response_release(&response);
    }
    cr_assert(received_header(receiver_request(receiver, 1), "content-type", value, sizeof value));
    cr_expect_str_eq(value, "application/json");
    cr_assert(received_header(receiver_request(receiver, 1), "User-Agent", value, sizeof value));
    cr_expect_str_eq(value, "test/1");
    cr_expect_not(received_header(receiver_request(receiver, 1), "Expect", value, sizeof value));
    cr_expect_str_eq(receiver_request(receiver, 1)->body, "{}");
    cr_expect_eq(receiver_request(receiver, 1)->connection, 0);
    cr_assert_eq(send_simple("DELETE", &response, NULL), 0);
    http_response_release(&response);
    cr_expect_eq(strncmp(receiver_request(receiver, 2)->head, "DELETE ", 7), 0);
    cr_expect_eq(receiver_request(receiver, 2)->body_size, 0);
    cr_assert_eq(send_simple("POST", &response, NULL), 0);
    http_response_release(&response);
    cr_assert(received_header(receiver_request(receiver, 3), "Content-Length", value, sizeof value));
    cr_expect_str_eq(value, "0");
}

Test(http_client, an_error_status_is_an_answer_and_a_redirect_is_not_followed)
{
    static const struct receiver_answer answers[] = {{.status = 404, .body = "{}"},
                                                     {.status = 302, .headers = "Location: /other\r\n"}};
    struct http_response response;

    receiver_script(receiver, answers, 2);
    cr_assert_eq(send_simple(NULL, &response, NULL), 0);
    cr_expect_eq(response.status, 404);
    http_response_release(&response);
    cr_assert_eq(send_simple(NULL, &response, NULL), 0);
    cr_expect_eq(response.status, 302);
    http_response_release(&response);
    cr_expect_eq(receiver_wait(receiver, 2, 0), 2);
}

Test(http_client, a_long_answer_and_a_silent_server_are_errors)
{
    static const struct receiver_answer answers[] = {{.conduct = RECEIVER_ENDLESS_BODY},
                                                     {.conduct = RECEIVER_HANGS}};
    struct http_request request = HTTP_REQUEST_INIT("GET", receiver_url(receiver), ANSWER_MAX);
    struct http_response response = {.status = -7};
    struct error err = {""};

    receiver_script(receiver, answers, 2);
    cr_expect_eq(http_client_send(client, &request, &response, &err), -EFBIG);
    request.timeout_ms = 100;
    cr_expect_eq(http_client_send(client, &request, &response, &err), -ETIMEDOUT);
    cr_expect_eq(response.status, -7);
    cr_expect_not_null(strstr(err.text, receiver_url(receiver)));
}

Test(http_client, a_closed_port_is_refused)
{
    struct http_request request = HTTP_REQUEST_INIT("GET", "http://127.0.0.1:1/", ANSWER_MAX);
    struct http_response response;
    struct error err = {""};

    cr_expect_eq(http_client_send(client, &request, &response, &err), -ECONNREFUSED);
    cr_expect_neq(err.text[0], '\0');
}

static bool count_progress(void *context, int64_t received, int64_t total)
{
    *(int64_t *)context = received;
    return total <= 5;
}

Test(http_client, downloads_into_a_file_and_reports_progress)
{
    struct http_request request = HTTP_REQUEST_INIT("GET", receiver_url(receiver), ANSWER_MAX);
    static const struct receiver_answer wrong = {.status = 410, .body = "gone"};
    cleanup(close_file) FILE *file = tmpfile();
    struct http_response response;
    int64_t received = 0;
    char text[16] = "";

    request.download_fd = fileno(file);
    request.progress = count_progress;
    request.progress_context = &received;
    cr_assert_eq(http_client_send(client, &request, &response, NULL), 0);
    cr_expect_eq(response.body.length, 0);
    http_response_release(&response);
    rewind(file);
    cr_expect_eq(fread(text, 1, sizeof text - 1, file), 5);
    cr_expect_str_eq(text, "hello");
    cr_expect_eq(received, 5);
    receiver_script(receiver, &wrong, 1);
    cr_assert_eq(http_client_send(client, &request, &response, NULL), 0);
    cr_expect_str_eq(buf_str(&response.body), "gone");
    http_response_release(&response);
}
