/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api/internal.h"
#include "base/id.h"

/* Bodies that may be in memory at once, of all requests together: a client that sends large ones must not end
 * the process for all. */
#define BODY_BYTES_MAX (256LL * 1024 * 1024)

/* What a problem's detail may hold: an error's text with a few words around it. */
#define DETAIL_MAX (ERROR_TEXT_MAX + 256)

/* "/v1/download/job", of a path of which more may not be logged. */
#define LOGGED_START 16

/* ---- the request ---- */

const char *request_field(const struct exchange *exchange, const char *name)
{
    const char *value = FCGX_GetParam(name, exchange->fcgi->envp);

    return value != NULL && *value != '\0' ? value : NULL;
}

const char *request_line(char *const **parameters, const char *name)
{
    size_t length = strlen(name);

    while (**parameters != NULL) {
        const char *parameter = *(*parameters)++;

        if (strncmp(parameter, name, length) == 0 && parameter[length] == '=')
            return parameter + length + 1;
    }
    return NULL;
}

const char *request_list(const struct exchange *exchange, const char *name, char joined[REQUEST_LIST_SIZE])
{
    char *const *parameters = exchange->fcgi->envp;
    size_t end = 0, count = 0;
    const char *line, *last = NULL;

    while ((line = request_line(&parameters, name)) != NULL) {
        int written;

        if (*line == '\0')
            continue;
        written = snprintf(joined + end, REQUEST_LIST_SIZE - end, "%s%s", count > 0 ? ", " : "", line);
        last = line;
        count++;
        if (written < 0 || end + (size_t)written >= REQUEST_LIST_SIZE) {
            joined[end] = '\0';
            break;
        }
        end += (size_t)written;
    }
    return count > 1 ? joined : last;
}

/* Splits REQUEST_URI; a path of ours has only characters that need no percent-encoding, so none is decoded.
 */
static bool read_target(struct exchange *exchange)
{
    const char *uri = request_field(exchange, "REQUEST_URI");
    size_t length = uri != NULL ? strcspn(uri, "?") : 0;

    if (uri == NULL || length >= sizeof exchange->path)
        return false;
    memcpy(exchange->path, uri, length);
    exchange->path[length] = '\0';
    exchange->query = uri[length] == '?' ? uri + length + 1 : "";
    return true;
}

bool exchange_start(struct exchange *exchange)
{
    const char *id = request_field(exchange, "HTTP_X_REQUEST_ID");
    const char *method = request_field(exchange, "REQUEST_METHOD");

    if (id != NULL && header_is_request_id(id))
        snprintf(exchange->request_id, sizeof exchange->request_id, "%s", id);
    else
        id_random(exchange->request_id, ID_RANDOM_CHARS);
    exchange->method = method != NULL ? method : "";
    exchange->head_only = strcmp(exchange->method, "HEAD") == 0;
    if (read_target(exchange))
        return true;
    reply_problem(
        exchange, PROBLEM_NOT_FOUND,
        "there is nothing at this address; the calls are POST /v1/tts/async and those below /v1/jobs");
    return false;
}

/* ---- the body ---- */

/* False where the reply is made: the body is of another type than JSON, or has a coding. */
static bool body_is_json(struct exchange *exchange)
{
    const char *type = request_field(exchange, "CONTENT_TYPE");
    const char *coding = request_field(exchange, "HTTP_CONTENT_ENCODING");

    if (type != NULL && header_is_json(type) && coding == NULL)
        return true;
    /* RFC 9110 section 15.5.16: what would be right. */
    if (coding != NULL)
        reply_field(exchange, "Accept-Encoding", "identity");
    reply_problem(
        exchange, PROBLEM_UNSUPPORTED_MEDIA_TYPE,
        "the body must be sent as Content-Type: application/json, in UTF-8, without a Content-Encoding");
    return false;
}

bool body_is_none_or_json(struct exchange *exchange)
{
    const char *length = request_field(exchange, "CONTENT_LENGTH");

    return length == NULL || strspn(length, "0") == strlen(length) || body_is_json(exchange);
}

/* The length that the client announced, or -1 with the reply made. */
static long long announced_length(struct exchange *exchange)
{
    const char *length = request_field(exchange, "CONTENT_LENGTH");
    long long max = exchange->api->settings->max_body_bytes;
    long long size = 0;

    if (length != NULL && (strspn(length, "0123456789") != strlen(length) || strlen(length) > 18)) {
        reply_problem(exchange, PROBLEM_LENGTH_REQUIRED, "Content-Length must be a number of bytes");
        return -1;
    }
    if (length != NULL)
        size = strtoll(length, NULL, 10);
    if (size > max) {
        reply_problem(exchange, PROBLEM_BODY_TOO_LARGE, "the body has %lld bytes; at most %lld are taken",
                      size, max);
        return -1;
    }
    return body_is_json(exchange) ? size : -1;
}

bool body_read(struct exchange *exchange, char **ret_body, size_t *ret_size)
{
    struct api *api = exchange->api;
    long long size = announced_length(exchange);
    long long got = 0;
    char *body;

    if (size < 0)
        return false;
    if (atomic_fetch_add(&api->body_bytes, size) + size > BODY_BYTES_MAX ||
        (body = malloc((size_t)size + 1)) == NULL) {
        atomic_fetch_sub(&api->body_bytes, size);
        reply_field(exchange, "Retry-After", "1");
        reply_problem(exchange, PROBLEM_UNAVAILABLE, "too many large bodies at once; try again in a second");
        return false;
    }
    while (got < size) {
        int part =
            FCGX_GetStr(body + got, (int)(size - got < 1 << 30 ? size - got : 1 << 30), exchange->fcgi->in);

        if (part <= 0)
            break;
        got += part;
    }
    if (got < size) { /* libfcgi tells a connection that broke from the end of a body by the length alone */
        body_free(api, body, (size_t)size);
        reply_problem(exchange, PROBLEM_INCOMPLETE_BODY, "the body ended after %lld of %lld bytes", got,
                      size);
        return false;
    }
    body[size] = '\0';
    *ret_body = body;
    *ret_size = (size_t)size;
    return true;
}

void body_free(struct api *api, char *body, size_t size)
{
    free(body);
    atomic_fetch_sub(&api->body_bytes, (long long)size);
}

/* ---- the reply ---- */

void reply_field(struct exchange *exchange, const char *name, const char *format, ...)
{
    char value[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(value, sizeof value, format, args);
    va_end(args);
    buf_printf(exchange->head, "%s: %s\r\n", name, value);
}

void reply_json(struct exchange *exchange, int status)
{
    exchange->status = status;
    exchange->content_type = "application/json";
}

static void reply_details(struct exchange *exchange, enum problem problem, struct problem_details details)
{
    details.request_id = exchange->request_id;
    details.public_base_url = exchange->api->settings->public_base_url;
    buf_clear(exchange->body);
    problem_render(exchange->body, problem, &details);
    exchange->status = problem_status(problem);
    exchange->content_type = "application/problem+json";
    exchange->caching = CACHING_NONE; /* whatever the answer was before it came to this */
}

void reply_problem(struct exchange *exchange, enum problem problem, const char *format, ...)
{
    char detail[DETAIL_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    reply_details(exchange, problem, (struct problem_details){.detail = detail});
}

void reply_faults(struct exchange *exchange, enum problem problem, const struct faults *faults)
{
    char detail[FAULT_POINTER_SIZE + FAULT_DETAIL_SIZE + 64];
    const struct fault *first = &faults->items[0];

    if (faults->total == 1)
        snprintf(detail, sizeof detail, "%s%s%s", first->pointer, *first->pointer != '\0' ? " " : "",
                 first->detail);
    else
        snprintf(detail, sizeof detail, "%zu things are wrong with the request; `errors` lists %s",
                 faults->total, faults->total > faults->count ? "the first of them" : "them");
    reply_details(exchange, problem, (struct problem_details){.detail = detail, .faults = faults});
}

void reply_limited(struct exchange *exchange, const struct limit_hit *hit)
{
    const struct key_standing *standing = &exchange->standing;
    const char *unit = limit_unit(hit->limit);
    int64_t seconds = (hit->retry_ms + 999) / 1000;
    char detail[DETAIL_MAX];

    if (hit->never)
        snprintf(detail, sizeof detail,
                 "this key's limit %s is %" PRId64
                 " %s, and this job alone needs more: it never fits, and has to be split",
                 limit_name(hit->limit), standing->limits.most[hit->limit], unit);
    else
        snprintf(detail, sizeof detail,
                 "this key's limit %s is %" PRId64 " %s, and %" PRId64
                 " are left, which is too few for this job; try again in %" PRId64 " s",
                 limit_name(hit->limit), standing->limits.most[hit->limit], unit,
                 usage_left(standing, hit->limit), seconds);
    reply_field(exchange, "Retry-After", "%" PRId64, seconds);
    reply_details(exchange, hit->limit == LIMIT_BURST ? PROBLEM_RATE_LIMITED : PROBLEM_QUOTA_EXCEEDED,
                  (struct problem_details){.detail = detail, .policy = limit_name(hit->limit)});
}

static void append_parameter(struct buf *field, const char *name, int64_t value)
{
    buf_append_str(field, name);
    buf_append_int(field, value);
}

static void append_item(struct buf *field, const char *comma, enum key_limit limit, const char *name,
                        int64_t value)
{
    buf_append_str(field, comma);
    buf_append(field, "\"", 1);
    buf_append_str(field, limit_name(limit));
    buf_append(field, "\"", 1);
    append_parameter(field, name, value);
}

/*
 * RateLimit-Policy and RateLimit, as structured fields (draft-ietf-httpapi-ratelimit-headers-09 sections 3
 * and 4): each limit of the key, its window where it has one, and what is left of it.
 */
static void reply_standing(struct exchange *exchange)
{
    const struct key_standing *standing = &exchange->standing;
    cleanup(buf_release) struct buf left = BUF_INIT(HEAD_MAX);
    struct buf *policy = exchange->head;
    const char *comma = "";

    buf_append_str(policy, "RateLimit-Policy: ");
    for (int i = 0; i < LIMIT_COUNT; i++) {
        enum key_limit limit = (enum key_limit)i;
        int64_t window = limit_window(&standing->limits, limit);

        if (standing->limits.most[i] == 0)
            continue;
        append_item(policy, comma, limit, ";q=", standing->limits.most[i]);
        append_item(&left, comma, limit, ";r=", usage_left(standing, limit));
        if (window > 0) {
            append_parameter(policy, ";w=", window);
            append_parameter(&left, ";t=", (usage_reset_ms(standing, limit) + 999) / 1000);
        }
        comma = ", ";
    }
    buf_append_str(policy, "\r\nRateLimit: ");
    buf_append(policy, buf_str(&left), left.length);
    buf_append_str(policy, "\r\n");
}

/*
 * A job's id is all that its audio asks for, so a log has of it the end only, the job's number.  Where a part
 * is percent-encoded, an id may hide in it: so much of such a path as no id fits in.
 */
static void log_exchange(const struct exchange *exchange, enum log_level level, const char *outcome)
{
    const struct log_context context = {.request_id = exchange->request_id};
    const char *path = exchange->path;
    const char *id = strstr(path, "/" JOB_ID_PREFIX);
    size_t length = strlen(path), head = length, tail = length;

    if (strchr(path, '%') != NULL) {
        head = length < LOGGED_START ? length : LOGGED_START;
    } else if (id != NULL && strlen(id) >= 1 + JOB_ID_LENGTH) {
        head = (size_t)(id - path) + sizeof JOB_ID_PREFIX;
        tail = head + ID_RANDOM_CHARS;
    }
    log_write(level, &context, "%.16s %.*s%s%s: %s", exchange->method, (int)head, path,
              head < length ? "..." : "", path + tail, outcome);
}

void reply_failure(struct exchange *exchange, int r, const struct error *err)
{
    log_exchange(exchange, LOG_LEVEL_ERROR, err->text);
    switch (r) {
    case -ENOSPC:
        reply_problem(exchange, PROBLEM_STORAGE_FULL, "the server's disk is full; try again later");
        break;
    case -EAGAIN:
    case -EBUSY:
    case -ENOMEM:
        reply_field(exchange, "Retry-After", "2");
        reply_problem(exchange, PROBLEM_UNAVAILABLE, "the server is busy; try again in a moment");
        break;
    default:
        reply_problem(exchange, PROBLEM_INTERNAL_ERROR,
                      "something went wrong in the server; its log tells more under the request id");
    }
}

/* Before a byte of the answer leaves: who has it and then asks for the metrics finds it there. */
static void count_exchange(const struct exchange *exchange)
{
    const struct api *api = exchange->api;
    struct tally *tally = committer_tally(api->committer);

    tally_add(tally, metric_http_requests(exchange->route, exchange->status), METRIC_MILLIONTHS);
    tally_observe(tally, metric_http_duration(exchange->route),
                  clock_monotonic_us(api->clock) - exchange->started_at);
}

void exchange_send(struct exchange *exchange)
{
    char start[512];
    struct buf *body = exchange->body;
    size_t status;
    int length;

    if (exchange->key != NULL)
        reply_standing(exchange);
    if (!buf_ok(body) || !buf_ok(exchange->head)) { /* only a bug makes a reply as large as that */
        buf_clear(exchange->head);
        reply_problem(exchange, PROBLEM_INTERNAL_ERROR, "the reply is larger than the server makes them");
    }
    cors_reply(exchange);
    count_exchange(exchange);
    status = http_status_find(exchange->status);
    length = snprintf(start, sizeof start, "Status: %d %s\r\nX-Request-Id: %s\r\n", exchange->status,
                      http_statuses[status].reason, exchange->request_id);
    FCGX_PutStr(start, length, exchange->fcgi->out);
    if (exchange->caching != CACHING_BY_NGINX) {
        length = snprintf(start, sizeof start, "Cache-Control: %s\r\n",
                          exchange->caching == CACHING_BY_TAG ? "private, no-cache" : "no-store");
        FCGX_PutStr(start, length, exchange->fcgi->out);
    }
    if (exchange->content_type != NULL) {
        length = snprintf(start, sizeof start,
                          "Content-Type: %s\r\nContent-Length: %zu\r\nX-Content-Type-Options: nosniff\r\n",
                          exchange->content_type, body->length);
        FCGX_PutStr(start, length, exchange->fcgi->out);
    }
    FCGX_PutStr(buf_str(exchange->head), (int)exchange->head->length, exchange->fcgi->out);
    FCGX_PutStr("\r\n", 2, exchange->fcgi->out);
    if (exchange->content_type != NULL && !exchange->head_only)
        FCGX_PutStr(buf_str(body), (int)body->length, exchange->fcgi->out);
    snprintf(start, sizeof start, "%d", exchange->status);
    log_exchange(exchange, LOG_LEVEL_DEBUG, start);
}
