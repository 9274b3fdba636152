/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_client.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/file.h"

#define CONNECT_TIMEOUT_MS 5000

/* Without a time-out for the whole, a server that has gone silent must not hold a terminal for ever. */
#define SILENCE_SECONDS 60L

struct http_client {
    CURL *easy;
    char *user_agent;
};

/* One request under way. */
struct exchange {
    const struct http_request *request;
    struct http_response response;
    CURL *easy;
    int failure; /* what a callback ended the exchange with */
    struct error *err;
};

static void free_list(struct curl_slist **list)
{
    curl_slist_free_all(*list);
}

struct http_client *http_client_free(struct http_client *client)
{
    if (client == NULL)
        return NULL;
    curl_easy_cleanup(client->easy);
    free(client->user_agent);
    free(client);
    return NULL;
}

struct http_client *http_client_new(const char *user_agent)
{
    struct http_client *client = calloc(1, sizeof *client);

    if (client == NULL)
        return NULL;
    client->easy = curl_easy_init();
    client->user_agent = strdup(user_agent);
    if (client->easy == NULL || client->user_agent == NULL)
        return http_client_free(client);
    return client;
}

void http_response_release(struct http_response *response)
{
    for (size_t i = 0; i < response->header_count; i++)
        free(response->headers[i]);
    buf_release(&response->body);
    *response = (struct http_response){0};
}

const char *http_response_header(const struct http_response *response, const char *name)
{
    size_t length = strlen(name);

    for (size_t i = 0; i < response->header_count; i++) {
        const char *line = response->headers[i];

        if (strncasecmp(line, name, length) == 0 && line[length] == ':')
            return line + length + 1 + strspn(line + length + 1, " \t");
    }
    return NULL;
}

static size_t on_header(char *bytes, size_t one, size_t size, void *context)
{
    struct http_response *response = &((struct exchange *)context)->response;
    size_t length = size;

    (void)one;
    while (length > 0 && strchr("\r\n \t", bytes[length - 1]) != NULL)
        length--;
    /* A status line begins the headers anew: those of an interim answer (1xx) are of no use. */
    if (length > 5 && strncmp(bytes, "HTTP/", 5) == 0) {
        for (size_t i = 0; i < response->header_count; i++)
            free(response->headers[i]);
        response->header_count = 0;
    } else if (length > 0 && response->header_count < HTTP_HEADERS_MAX) {
        char *line = strndup(bytes, length);

        if (line == NULL)
            return 0;
        response->headers[response->header_count++] = line;
    }
    return size;
}

static size_t on_body(char *bytes, size_t one, size_t size, void *context)
{
    struct exchange *exchange = context;
    const struct http_request *request = exchange->request;
    long status = 0;

    (void)one;
    curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
    if (request->download_fd >= 0 && status / 100 == 2) {
        exchange->failure = file_write_all(request->download_fd, bytes, size, exchange->err);
        return exchange->failure < 0 ? 0 : size;
    }
    buf_append(&exchange->response.body, bytes, size);
    if (buf_ok(&exchange->response.body))
        return size;
    exchange->failure =
        error_set(exchange->err, -EFBIG, "the answer is longer than %zu bytes", request->max_body);
    return 0;
}

static int on_progress(void *context, curl_off_t total, curl_off_t received, curl_off_t send_total,
                       curl_off_t sent)
{
    struct exchange *exchange = context;

    (void)send_total;
    (void)sent;
    if (exchange->request->progress == NULL ||
        exchange->request->progress(exchange->request->progress_context, received, total))
        return 0;
    exchange->failure = error_set(exchange->err, -ECANCELED, "cancelled");
    return 1;
}

static void set_policy(CURL *easy, const struct http_request *request)
{
    int64_t connect = request->connect_timeout_ms > 0 ? request->connect_timeout_ms : CONNECT_TIMEOUT_MS;

    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)connect);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, SILENCE_SECONDS);
}

static void set_request(CURL *easy, const struct http_request *request)
{
    const char *method = request->method != NULL ? request->method : "GET";

    curl_easy_setopt(easy, CURLOPT_URL, request->url);
    if (request->body != NULL) {
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_size);
    } else if (strcmp(method, "POST") == 0) {
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, "");
    } else if (strcmp(method, "HEAD") == 0) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
}

static int failure_of(CURLcode code, struct exchange *exchange, const char *detail)
{
    const char *text = detail[0] != '\0' ? detail : curl_easy_strerror(code);
    const char *url = exchange->request->url;

    if (exchange->failure < 0)
        return exchange->failure;
    switch ((int)code) {
    case CURLE_OPERATION_TIMEDOUT:
        return error_set(exchange->err, -ETIMEDOUT, "%s: %s", url, text);
    case CURLE_COULDNT_CONNECT:
        return error_set(exchange->err, -ECONNREFUSED, "%s: %s", url, text);
    case CURLE_OUT_OF_MEMORY:
        return error_set(exchange->err, -ENOMEM, "%s: %s", url, text);
    default:
        return error_set(exchange->err, -EIO, "%s: %s", url, text);
    }
}

static int make_headers(const struct http_request *request, struct curl_slist **ret_list, struct error *err)
{
    cleanup(free_list) struct curl_slist *list = curl_slist_append(NULL, "Expect:");

    for (size_t i = 0; list != NULL && i < request->header_count; i++) {
        struct curl_slist *longer = curl_slist_append(list, request->headers[i]);

        if (longer == NULL)
            return error_set(err, -ENOMEM, "out of memory");
        list = longer;
    }
    if (list == NULL)
        return error_set(err, -ENOMEM, "out of memory");
    *ret_list = steal_ptr(&list);
    return 0;
}

int http_client_send(struct http_client *client, const struct http_request *request,
                     struct http_response *ret_response, struct error *err)
{
    cleanup(free_list) struct curl_slist *headers = NULL;
    char detail[CURL_ERROR_SIZE] = "";
    struct exchange exchange = {.request = request, .easy = client->easy, .err = err};
    CURLcode code;
    long status = 0;
    int r = make_headers(request, &headers, err);

    if (r < 0)
        return r;
    exchange.response.body = BUF_INIT(request->max_body);
    curl_easy_reset(client->easy); /* options only: the connection stays */
    set_policy(client->easy, request);
    set_request(client->easy, request);
    curl_easy_setopt(client->easy, CURLOPT_USERAGENT, client->user_agent);
    curl_easy_setopt(client->easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(client->easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(client->easy, CURLOPT_HEADERDATA, &exchange);
    curl_easy_setopt(client->easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(client->easy, CURLOPT_WRITEDATA, &exchange);
    curl_easy_setopt(client->easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(client->easy, CURLOPT_XFERINFODATA, &exchange);
    curl_easy_setopt(client->easy, CURLOPT_NOPROGRESS, request->progress == NULL ? 1L : 0L);
    curl_easy_setopt(client->easy, CURLOPT_ERRORBUFFER, detail);
    code = curl_easy_perform(client->easy);
    curl_easy_setopt(client->easy, CURLOPT_ERRORBUFFER, NULL);
    if (code != CURLE_OK) {
        http_response_release(&exchange.response);
        return failure_of(code, &exchange, detail);
    }
    curl_easy_getinfo(client->easy, CURLINFO_RESPONSE_CODE, &status);
    exchange.response.status = (int)status;
    *ret_response = exchange.response;
    return 0;
}
