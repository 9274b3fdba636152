/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/exchange.h"

#include <errno.h>
#include <sysexits.h>

#include "base/cleanup.h"
#include "ctl/ctl.h"

/* An API that needs longer for an answer hangs. */
#define ANSWER_TIMEOUT_MS 60000

/* The error that comes in place of a file. */
#define PROBLEM_MAX (64 << 10)

/* A Retry-After past any patience; more digits are as good. */
#define RETRY_AFTER_MAX_S 1000000

/* What the status of an error means to a script. */
static int code_of_status(int status)
{
    switch (status) {
    case 401:
    case 403:
        return EX_NOPERM;
    case 429:
    case 503:
    case 507:
        return EX_TEMPFAIL;
    }
    return status >= 500 ? EX_UNAVAILABLE : EX_DATAERR;
}

/* RFC 9110, section 10.2.3, in seconds; a date, which no part of Sayhook sends, counts as nothing. */
static int64_t retry_after_ms(const struct http_response *response)
{
    const char *value = http_response_header(response, "Retry-After");
    int64_t seconds = 0;

    for (; value != NULL && *value >= '0' && *value <= '9'; value++)
        if (seconds < RETRY_AFTER_MAX_S)
            seconds = 10 * seconds + (*value - '0');
    return value != NULL && *value == '\0' ? 1000 * seconds : 0;
}

static void fault_of_errno(struct fault *fault, int r)
{
    fault->code = ctl_code_of(r);
    fault->may_pass = r == -ECONNREFUSED || r == -ETIMEDOUT || r == -EIO;
}

static void fault_of_answer(struct fault *fault, const char *url, const struct http_response *response,
                            const struct json_document *document)
{
    const char *detail = document != NULL ? json_read_string(document, "/detail") : NULL;

    fault->code = code_of_status(response->status);
    fault->may_pass = response->status == 429 || response->status >= 500;
    fault->retry_after_ms = retry_after_ms(response);
    error_set(&fault->error, 0, "%s answers %d: %s", url, response->status,
              detail != NULL ? detail : "without an explanation");
}

static int send_request(const struct exchange *exchange, struct http_client *client,
                        struct http_response *ret_response, struct error *err)
{
    const char *headers[] = {exchange->authorization, "Content-Type: application/json"};
    struct http_request request = HTTP_REQUEST_INIT(exchange->method, exchange->url, exchange->max_answer);

    request.headers = headers;
    request.header_count = exchange->body != NULL ? 2 : 1;
    request.body = exchange->body != NULL ? buf_str(exchange->body) : NULL;
    request.body_size = exchange->body != NULL ? exchange->body->length : 0;
    request.timeout_ms = ANSWER_TIMEOUT_MS;
    return http_client_send(client, &request, ret_response, err);
}

bool exchange_run(const struct exchange *exchange, struct http_client *client,
                  struct json_document **ret_document, struct buf *ret_text, struct fault *ret_fault)
{
    cleanup(http_response_release) struct http_response response = {0};
    struct json_document *document = NULL;
    struct fault fault = {0};
    int r = send_request(exchange, client, &response, &fault.error);

    if (r < 0) {
        fault_of_errno(&fault, r);
        *ret_fault = fault;
        return false;
    }
    r = json_read(buf_str(&response.body), response.body.length, &document, &fault.error);
    if (response.status / 100 == 2 && r == 0) {
        *ret_document = document;
        buf_append(ret_text, response.body.data, response.body.length);
        return true;
    }
    if (response.status / 100 == 2) {
        fault.code = EX_PROTOCOL;
        error_prefix(&fault.error, 0, "%s answers with what is no job", exchange->url);
    } else {
        fault_of_answer(&fault, exchange->url, &response, document);
    }
    json_read_free(document);
    *ret_fault = fault;
    return false;
}

/* A download under way. */
struct arrival {
    const struct download *download;
    int64_t received;
};

static bool on_arrival(void *context, int64_t received, int64_t total)
{
    struct arrival *arrival = context;

    arrival->received = received;
    arrival->download->progress(arrival->download->progress_context, received, total);
    return true;
}

bool exchange_download(const struct download *download, struct http_client *client, struct fault *ret_fault)
{
    struct arrival arrival = {.download = download};
    struct http_request request = HTTP_REQUEST_INIT("GET", download->url, PROBLEM_MAX);
    cleanup(http_response_release) struct http_response response = {0};
    struct json_document *document = NULL;
    struct fault fault = {0};
    int r;

    request.download_fd = download->fd;
    request.progress = on_arrival;
    request.progress_context = &arrival;
    r = http_client_send(client, &request, &response, &fault.error);
    if (r == 0 && response.status == 200)
        return true;
    if (r < 0) {
        fault_of_errno(&fault, r);
        fault.cut_off = arrival.received > 0;
    } else {
        json_read(buf_str(&response.body), response.body.length, &document, &fault.error);
        fault_of_answer(&fault, download->url, &response, document);
    }
    json_read_free(document);
    *ret_fault = fault;
    return false;
}
