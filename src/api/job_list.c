/* SPDX-License-Identifier: Apache-2.0 */
/* GET /v1/jobs. */
#include <stdio.h>
#include <string.h>

#include "api/internal.h"
#include "codec/job_json.h"
#include "codec/json_write.h"

#define LIMIT_DEFAULT 20
#define LIMIT_MAX     100

/* A parameter's reader returns what would be right where the value is wrong, NULL where it took it. */
typedef const char *read_fn(const char *value, struct job_filter *filter);

static const char *read_status(const char *value, struct job_filter *filter)
{
    enum job_status status;

    if (!job_status_parse(value, &status))
        return "one of pending, processing, completed, failed, cancelled";
    filter->statuses |= 1u << status;
    return NULL;
}

static const char *read_time(const char *value, int64_t *ret_ms)
{
    return clock_parse_rfc3339(value, ret_ms) ? NULL
                                              : "a time as RFC 3339 writes it, such as 2026-11-24T08:00:00Z";
}

static const char *read_created_after(const char *value, struct job_filter *filter)
{
    return read_time(value, &filter->created_after);
}

static const char *read_created_before(const char *value, struct job_filter *filter)
{
    const char *fault = read_time(value, &filter->created_before);

    if (fault == NULL && filter->created_before == 0)
        filter->created_before = 1; /* 1970 or earlier: nothing is older, as before the next millisecond */
    return fault;
}

static const char *read_limit(const char *value, struct job_filter *filter)
{
    size_t length = strlen(value);
    long limit =
        length >= 1 && length <= 3 && strspn(value, "0123456789") == length ? strtol(value, NULL, 10) : 0;

    if (limit < 1 || limit > LIMIT_MAX)
        return "a number from 1 to 100";
    filter->limit = (size_t)limit;
    return NULL;
}

static const char *read_cursor(const char *value, struct job_filter *filter)
{
    return cursor_parse(value, &filter->before) ? NULL : "the next_cursor of the page before";
}

static const struct {
    const char *name;
    bool repeatable;
    read_fn *read;
} parameters[] = {
    {"status", true, read_status},
    {"created_after", false, read_created_after},
    {"created_before", false, read_created_before},
    {"limit", false, read_limit},
    {"cursor", false, read_cursor},
};

static void read_parameter(const struct query_parameter *parameter, unsigned int *seen,
                           struct job_filter *filter, struct faults *faults)
{
    for (size_t i = 0; i < array_length(parameters); i++) {
        char detail[128];
        const char *right;

        if (strcmp(parameters[i].name, parameter->name) != 0)
            continue;
        if (!parameters[i].repeatable && (*seen & 1u << i) != 0) {
            query_fault(faults, parameter, "repeated_parameter", "must not be repeated");
            return;
        }
        *seen |= 1u << i;
        right = parameters[i].read(parameter->value, filter);
        if (right != NULL) {
            snprintf(detail, sizeof detail, "must be %s", right);
            query_fault(faults, parameter, "invalid_value", detail);
        }
        return;
    }
    query_fault(faults, parameter, "unknown_parameter",
                "is unknown; this call takes status, created_after, created_before, limit, cursor");
}

static bool read_filter(struct exchange *exchange, struct query *ret_query, struct job_filter *ret_filter)
{
    struct faults faults = {0};
    unsigned int seen = 0;

    if (!query_parse(exchange, ret_query))
        return false;
    for (size_t i = 0; i < ret_query->count; i++)
        read_parameter(&ret_query->parameters[i], &seen, ret_filter, &faults);
    if (faults.total == 0)
        return true;
    reply_faults(exchange, PROBLEM_INVALID_PARAMETER, &faults);
    return false;
}

/* Percent-encodes what RFC 3986 does not let stand in a value of a query (section 3.4), and what separates
 * values. */
static void append_encoded(struct buf *out, const char *value)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:";

    for (; *value != '\0'; value++) {
        if (strchr(plain, *value) != NULL)
            buf_append(out, value, 1);
        else
            buf_printf(out, "%%%02X", (unsigned char)*value);
    }
}

/*
 * The address of the next page: the same query with another cursor.  It is relative, which RFC 8288 section
 * 3.1 lets it be: so it leads back to where the client asked, by whatever name it knows this server.
 */
static void link_next(struct exchange *exchange, const struct query *query, const char *cursor)
{
    struct buf rest = BUF_INIT(HEAD_MAX);

    for (size_t i = 0; i < query->count; i++)
        if (strcmp(query->parameters[i].name, "cursor") != 0) {
            buf_printf(&rest, "%s=", query->parameters[i].name);
            append_encoded(&rest, query->parameters[i].value);
            buf_append_str(&rest, "&");
        }
    reply_field(exchange, "Link", "</v1/jobs?%scursor=%s>; rel=\"next\"", buf_str(&rest), cursor);
    buf_release(&rest);
}

static void render_page(struct exchange *exchange, const struct query *query, const struct job_page *page)
{
    char cursor[CURSOR_SIZE];

    buf_append_str(exchange->body, "{\"jobs\":[");
    for (size_t i = 0; i < page->count; i++) {
        json_item(exchange->body);
        job_json_render(exchange->body, &page->jobs[i], exchange->api->settings->public_base_url, NULL);
    }
    buf_append_str(exchange->body, "]");
    if (page->next != 0) {
        cursor_format(page->next, cursor);
        json_member_string(exchange->body, "next_cursor", cursor);
        link_next(exchange, query, cursor);
    }
    buf_append_str(exchange->body, "}");
    reply_json(exchange, 200);
    reply_tagged(exchange);
}

void handle_job_list(struct exchange *exchange)
{
    struct job_filter filter = {.limit = LIMIT_DEFAULT};
    struct query query;
    cleanup(job_page_release) struct job_page page = {0};
    struct error err = {""};
    int r;

    if (!read_filter(exchange, &query, &filter))
        return;
    r = job_list(exchange->store, exchange->key->key, &filter, &page, &err);
    if (r < 0)
        reply_failure(exchange, r, &err);
    else
        render_page(exchange, &query, &page);
}
