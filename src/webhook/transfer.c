/* SPDX-License-Identifier: Apache-2.0 */
#include "webhook/transfer.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "webhook/excerpt.h"

/*
 * libcurl sends a POST again, unasked, where a kept connection turns out to be dead; connections that are
 * dropped before receivers usually drop them make that rare.
 */
#define CONNECTION_AGE_S 25L

/*
 * Status and header lines read of an answer, interim ones with them.  libcurl keeps each with about 64 bytes
 * of its own, so that lines of four bytes would fill sixteen times what SENDER_HEADER_MAX says.  No more than
 * servers take of a request: Apache's limit is 100.
 */
#define HEADER_LINES_MAX 256

/*
 * How long the authorities of TLS serve before their file is read anew: reading it takes 20 ms of CPU, which
 * each connection would pay.
 */
#define AUTHORITIES_AGE_S 600L

/* "webhook-signature: " and its value. */
#define HEADER_LINE_SIZE (64 + SIGNATURE_STANDARD_SIZE)

/* What becomes of a failure, by libcurl's code; of those that are not here, what came before the failure
 * counts. */
static const struct {
    CURLcode code;
    const char *error;
} failures[] = {
    {CURLE_COULDNT_RESOLVE_HOST, DELIVERY_NAME_NOT_RESOLVED},
    {CURLE_COULDNT_CONNECT, DELIVERY_CONNECTION_REFUSED},
    {CURLE_OPERATION_TIMEDOUT, DELIVERY_TIMEOUT},
    {CURLE_GOT_NOTHING, DELIVERY_CONNECTION_RESET},
    {CURLE_SEND_ERROR, DELIVERY_CONNECTION_RESET},
    {CURLE_RECV_ERROR, DELIVERY_CONNECTION_RESET},
    {CURLE_SSL_CONNECT_ERROR, DELIVERY_TLS_FAILED},
    {CURLE_PEER_FAILED_VERIFICATION, DELIVERY_TLS_FAILED},
    {CURLE_SSL_ENGINE_NOTFOUND, DELIVERY_TLS_FAILED},
    {CURLE_SSL_ENGINE_SETFAILED, DELIVERY_TLS_FAILED},
    {CURLE_SSL_CERTPROBLEM, DELIVERY_TLS_FAILED},
    {CURLE_SSL_CIPHER, DELIVERY_TLS_FAILED},
    {CURLE_SSL_CACERT_BADFILE, DELIVERY_TLS_FAILED},
    {CURLE_SSL_SHUTDOWN_FAILED, DELIVERY_TLS_FAILED},
    {CURLE_SSL_CRL_BADFILE, DELIVERY_TLS_FAILED},
    {CURLE_SSL_ISSUER_ERROR, DELIVERY_TLS_FAILED},
    {CURLE_SSL_PINNEDPUBKEYNOTMATCH, DELIVERY_TLS_FAILED},
    {CURLE_SSL_INVALIDCERTSTATUS, DELIVERY_TLS_FAILED},
    {CURLE_SSL_CLIENTCERT, DELIVERY_TLS_FAILED},
    {CURLE_USE_SSL_FAILED, DELIVERY_TLS_FAILED},
};

static void note_peer(struct transfer *transfer, const char *host, const char *port)
{
    snprintf(transfer->peer, sizeof transfer->peer, strchr(host, ':') != NULL ? "[%s]:%s" : "%s:%s", host,
             port);
}

static void note_candidate(struct transfer *transfer, const struct curl_sockaddr *address)
{
    char host[INET6_ADDRSTRLEN], port[sizeof "65535"];

    if (getnameinfo(&address->addr, (socklen_t)address->addrlen, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) == 0)
        note_peer(transfer, host, port);
}

/* One address that cannot be judged now outweighs others that are refused for good. */
static void note_blocked(struct transfer *transfer, int condition)
{
    if (transfer->blocked != GUARD_NOT_KNOWN)
        transfer->blocked = condition;
}

static curl_socket_t on_open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct transfer *transfer = context;
    int condition = guard_judge_address(transfer->guard, &address->addr, NULL);

    (void)purpose;
    if (condition != 0) {
        note_blocked(transfer, condition);
        return CURL_SOCKET_BAD;
    }
    transfer->opened = true;
    note_candidate(transfer, address); /* who it was, should nobody answer there */
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* Called when a connection stands and the request is about to leave over it, each time that it does. */
static int on_send(void *context, char *peer, char *own, int peer_port, int own_port)
{
    struct transfer *transfer = context;
    char port[sizeof "-2147483648"];

    (void)own;
    (void)own_port;
    snprintf(port, sizeof port, "%d", peer_port);
    note_peer(transfer, peer, port);
    transfer->sends++;
    return CURL_PREREQFUNC_OK;
}

/* libcurl 7.88 keeps every header line of an answer, however many come. */
static size_t on_header(char *bytes, size_t one, size_t size, void *context)
{
    struct transfer *transfer = context;

    (void)bytes;
    (void)one;
    transfer->header_bytes += size;
    transfer->header_lines++;
    if (transfer->header_bytes <= SENDER_HEADER_MAX && transfer->header_lines <= HEADER_LINES_MAX)
        return size;
    transfer->flooded = true;
    return 0;
}

static size_t on_body(char *bytes, size_t one, size_t size, void *context)
{
    struct transfer *transfer = context;
    size_t room = sizeof transfer->body - transfer->kept;
    size_t keep = size < room ? size : room;

    (void)one;
    memcpy(transfer->body + transfer->kept, bytes, keep);
    transfer->kept += keep;
    transfer->body_bytes += size;
    return transfer->body_bytes <= SENDER_BODY_MAX ? size : 0;
}

static bool add_header(struct transfer *transfer, const char *name, const char *value)
{
    char line[HEADER_LINE_SIZE];
    struct curl_slist *longer;

    snprintf(line, sizeof line, "%s:%s%s", name, value[0] != '\0' ? " " : "", value);
    longer = curl_slist_append(transfer->headers, line);
    if (longer != NULL)
        transfer->headers = longer;
    return longer != NULL;
}

static bool add_headers(struct transfer *transfer)
{
    const struct send_request *request = &transfer->request;

    return add_header(transfer, "Content-Type", "application/json") &&
           add_header(transfer, "X-Webhook-Signature", request->signature->plain) &&
           add_header(transfer, "X-Webhook-Timestamp", request->signature->timestamp) &&
           add_header(transfer, "webhook-id", request->webhook_id) &&
           add_header(transfer, "webhook-timestamp", request->signature->timestamp) &&
           add_header(transfer, "webhook-signature", request->signature->standard) &&
           add_header(transfer, "Expect",
                      ""); /* without it a longer body waits a second for "100 Continue" */
}

static void set_policy(CURL *easy, const struct sender_options *options)
{
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY,
                     ""); /* whatever the environment says: a proxy would pass the guard */
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)options->connect_timeout_ms);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)options->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, CONNECTION_AGE_S);
    /* libcurl keeps the authorities that it has read only where there is no folder of them beside the file.
     */
    curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, AUTHORITIES_AGE_S);
    /* A time-out while a name is looked up would otherwise wait for the lookup, and with it the whole thread.
     */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "Sayhook/" PACKAGE_VERSION);
}

/* What calls back gets the transfer, whatever request it serves. */
static void set_callbacks(struct transfer *transfer)
{
    CURL *easy = transfer->easy;

    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_send);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->detail);
}

struct transfer *transfer_free(struct transfer *transfer)
{
    if (transfer == NULL)
        return NULL;
    curl_easy_cleanup(transfer->easy);
    curl_slist_free_all(transfer->headers);
    free(transfer);
    return NULL;
}

struct transfer *transfer_new(const struct sender_options *options)
{
    struct transfer *transfer = calloc(1, sizeof *transfer);

    if (transfer == NULL)
        return NULL;
    transfer->guard = options->guard;
    transfer->easy = curl_easy_init();
    if (transfer->easy == NULL)
        return transfer_free(transfer);
    set_policy(transfer->easy, options);
    set_callbacks(transfer);
    return transfer;
}

bool transfer_prepare(struct transfer *transfer, const struct send_request *request)
{
    struct transfer fresh = {.request = *request, .guard = transfer->guard, .easy = transfer->easy};

    curl_slist_free_all(transfer->headers);
    *transfer = fresh;
    return add_headers(transfer) && curl_easy_setopt(transfer->easy, CURLOPT_URL, request->url) == CURLE_OK &&
           curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_size) ==
               CURLE_OK &&
           curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDS, request->body) == CURLE_OK &&
           curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers) == CURLE_OK;
}

/* libcurl's messages may quote the receiver: the name of a certificate's subject is text of its choice. */
static void fail(struct send_result *result, const char *code, const char *message)
{
    result->error_code = code;
    excerpt_make(message, strlen(message), result->error_message, sizeof result->error_message);
}

void transfer_refuse(int condition, const char *reason, struct send_result *ret_result)
{
    *ret_result = (struct send_result){.forbidden = condition != GUARD_NOT_KNOWN};
    fail(ret_result, condition == GUARD_BLOCKED_PORT ? DELIVERY_BLOCKED_PORT : DELIVERY_BLOCKED_ADDRESS,
         reason);
}

static const char *find_failure(CURLcode code)
{
    for (size_t i = 0; i < array_length(failures); i++)
        if (failures[i].code == code)
            return failures[i].error;
    return DELIVERY_BAD_RESPONSE;
}

static const char *find_message(const struct transfer *transfer, CURLcode code)
{
    /* So libcurl 7.88 calls a line that is longer than its buffers may become. */
    if (code == CURLE_OUT_OF_MEMORY)
        return "a line of the answer's header is too long";
    /* libcurl says "Received HTTP/0.9 when not allowed". */
    if (code == CURLE_UNSUPPORTED_PROTOCOL)
        return "the answer does not begin with a status line of HTTP/1.1";
    /* OpenSSL says "wrong version number" of any bytes that are no TLS. */
    if (code == CURLE_SSL_CONNECT_ERROR && strstr(transfer->detail, "wrong version number") != NULL)
        return "what answers there does not speak TLS; is it an http receiver?";
    return transfer->detail[0] != '\0' ? transfer->detail : curl_easy_strerror(code);
}

/* Whether the status tells how it went, though libcurl has stopped with an error: the rest of the answer is
 * not needed. */
static bool status_decides(const struct transfer *transfer, CURLcode code, long status)
{
    if (status < 200 || transfer->flooded)
        return false;
    return code == CURLE_OK || code == CURLE_WRITE_ERROR || code == CURLE_RECV_ERROR ||
           code == CURLE_PARTIAL_FILE;
}

static void judge_status(long status, struct send_result *result)
{
    char message[SENDER_MESSAGE_MAX];

    if (status / 100 == 2)
        return;
    snprintf(message, sizeof message, "the receiver answered %ld%s", status,
             status / 100 == 3 ? "; redirects are not followed" : "");
    fail(result, DELIVERY_HTTP_STATUS, message);
}

/* Microseconds from the start of the transfer to that point of it; 0 where it was not reached. */
static int64_t time_at(const struct transfer *transfer, CURLINFO point)
{
    curl_off_t us = 0;

    curl_easy_getinfo(transfer->easy, point, &us);
    return us;
}

/* From one point to the next. */
static int64_t step_us(int64_t from, int64_t to)
{
    return to > from ? to - from : to > 0 ? 0 : -1;
}

static void trace(const struct transfer *transfer, struct send_result *result)
{
    int64_t name = time_at(transfer, CURLINFO_NAMELOOKUP_TIME_T);
    int64_t connect = time_at(transfer, CURLINFO_CONNECT_TIME_T);
    int64_t tls = time_at(transfer, CURLINFO_APPCONNECT_TIME_T);
    int64_t ready = time_at(transfer, CURLINFO_PRETRANSFER_TIME_T);
    int64_t answer = time_at(transfer, CURLINFO_STARTTRANSFER_TIME_T);
    long connects = 0;

    curl_easy_getinfo(transfer->easy, CURLINFO_NUM_CONNECTS, &connects);
    result->traced = true;
    result->trace = (struct attempt_trace){
        .reused = connects == 0 && transfer->sends > 0,
        .sends = transfer->sends,
        .name_lookup_us = -1,
        .connect_us = -1,
        .tls_us = -1,
        .first_byte_us = transfer->sends > 0 ? step_us(ready, answer) : -1,
        .total_us = time_at(transfer, CURLINFO_TOTAL_TIME_T),
    };
    if (!result->trace.reused) {
        result->trace.name_lookup_us = step_us(0, name);
        result->trace.connect_us = step_us(name, connect);
        result->trace.tls_us = step_us(connect, tls);
    }
    memcpy(result->peer, transfer->peer, sizeof result->peer);
}

void transfer_judge(struct transfer *transfer, CURLcode code, struct send_result *ret_result)
{
    struct send_result result = {0};
    curl_off_t retry_after = 0;
    long status = 0;

    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(transfer->easy, CURLINFO_RETRY_AFTER, &retry_after);
    if (transfer->blocked != 0 && !transfer->opened) {
        /* The reason stays here: it would tell the client what a name of the internal network leads to. */
        transfer_refuse(transfer->blocked,
                        transfer->blocked == GUARD_NOT_KNOWN
                            ? "the server cannot tell at present whether webhooks may go to the address"
                            : "the host leads to an address that webhooks may not go to",
                        &result);
    } else if (status_decides(transfer, code, status)) {
        judge_status(status, &result);
    } else if (transfer->flooded) {
        fail(&result, DELIVERY_BAD_RESPONSE, "the answer's header is too long");
    } else {
        fail(&result, find_failure(code), find_message(transfer, code));
    }
    trace(transfer, &result);
    result.duration_ms = (result.trace.total_us + 500) / 1000;
    result.status_code = status >= 200 ? (int)status : 0; /* an interim one is no answer */
    result.retry_after_s = retry_after;
    result.has_excerpt = transfer->kept > 0;
    excerpt_make(transfer->body, transfer->kept, result.excerpt, sizeof result.excerpt);
    *ret_result = result;
}
