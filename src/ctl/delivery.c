/* SPDX-License-Identifier: Apache-2.0 */
/* Webhooks and their attempts, for an administrator to see. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "codec/json_write.h"
#include "config/number.h"
#include "ctl/outbox_options.h"
#include "ctl/show.h"

/* A screen of them; what is shown at most fits into memory. */
#define LIST_DEFAULT "50"
#define LIST_MAX     10000

/* ---- JSON ---- */

/* Negative is null. */
static void member_measure(struct buf *text, const char *name, int64_t value)
{
    json_member_int_if(text, name, value >= 0, value);
}

static void append_entry_json(struct buf *text, const struct outbox_entry *entry)
{
    buf_append_str(text, "{");
    json_member_string(text, "webhook_id", entry->webhook_id);
    json_member_string(text, "event", event_type_name(entry->event));
    json_member_string(text, "job_id", entry->job_id[0] != '\0' ? entry->job_id : NULL);
    json_member_string(text, "key_id", entry->key_id);
    json_member_string(text, "url", entry->url);
    json_member_string(text, "receiver", entry->receiver);
    json_member_string(text, "status", webhook_status_name(entry->status));
    json_member_int(text, "attempts", entry->attempts);
    json_member_int_if(text, "last_status_code", entry->last_status_code != 0, entry->last_status_code);
    json_member_string(text, "last_error", entry->last_error);
    json_member_time(text, "created_at", entry->created_at);
    json_member_time(text, "next_attempt_at", entry->next_attempt_at);
    json_member_time(text, "settled_at", entry->settled_at);
    json_member_bool(text, "body_kept", entry->has_body);
    json_member_time(text, "receiver_paused_until",
                     entry->paused_until > clock_wall_ms(&clock_system) ? entry->paused_until : 0);
}

static void append_trace_json(struct buf *text, const struct delivery *attempt)
{
    const struct attempt_trace *trace = &attempt->trace;

    json_member_string(text, "peer", attempt->peer);
    if (attempt->traced) {
        json_member_bool(text, "reused", trace->reused);
        json_member_int(text, "sends", trace->sends);
    } else {
        json_member_raw(text, "reused", NULL);
        json_member_raw(text, "sends", NULL);
    }
    member_measure(text, "name_lookup_us", trace->name_lookup_us);
    member_measure(text, "connect_us", trace->connect_us);
    member_measure(text, "tls_us", trace->tls_us);
    member_measure(text, "first_byte_us", trace->first_byte_us);
    member_measure(text, "total_us", trace->total_us);
}

static void append_attempt_json(struct buf *text, const struct delivery *attempt)
{
    json_item(text);
    buf_append_str(text, "{");
    json_member_int(text, "attempt", attempt->attempt);
    json_member_time(text, "started_at", attempt->started_at);
    member_measure(text, "duration_ms", attempt->duration_ms);
    json_member_int_if(text, "status_code", attempt->status_code != 0, attempt->status_code);
    json_member_error(text, "error", attempt->error_code, attempt->error_message);
    json_member_string(text, "response_excerpt", attempt->response_excerpt);
    json_member_time(text, "next_attempt_at", attempt->next_attempt_at);
    append_trace_json(text, attempt);
    buf_append_str(text, "}");
}

/* ---- text ---- */

/* "500 http_status", "204", or what else is known. */
static void append_last(struct buf *text, const struct outbox_entry *entry)
{
    if (entry->last_status_code != 0)
        buf_printf(text, "%" PRId64, entry->last_status_code);
    if (entry->last_error != NULL)
        buf_printf(text, "%s%s", entry->last_status_code != 0 ? " " : "", entry->last_error);
    else if (entry->last_status_code == 0)
        buf_append_str(text, "-");
}

/* When the next attempt is, or when the webhook was settled.  A pause of the receiver's puts attempts off. */
static void append_when(struct buf *text, const struct outbox_entry *entry)
{
    if (entry->status != WEBHOOK_PENDING)
        show_time(text, entry->settled_at);
    else if (entry->next_attempt_at == 0)
        buf_append_str(text, "under way");
    else
        show_time(text, entry->paused_until > entry->next_attempt_at ? entry->paused_until
                                                                     : entry->next_attempt_at);
}

static void append_row(struct buf *text, const struct outbox_entry *entry)
{
    cleanup(buf_release) struct buf last = BUF_INIT(ERROR_TEXT_MAX), when = BUF_INIT(ERROR_TEXT_MAX);

    append_last(&last, entry);
    append_when(&when, entry);
    buf_printf(text, "\n%-29s  %-13s  %-40s  %-9s  %8" PRId64 "  %-24s  %-24s  ", entry->webhook_id,
               event_type_name(entry->event), entry->job_id[0] != '\0' ? entry->job_id : "-",
               webhook_status_name(entry->status), entry->attempts, buf_str(&last), buf_str(&when));
    show_string(text, entry->receiver);
}

/* Its time has come and gone: what fails is tried by one at a time, and what is slow by few. */
static bool is_overdue(const struct outbox_entry *entry)
{
    int64_t now = clock_wall_ms(&clock_system);

    return entry->status == WEBHOOK_PENDING && entry->next_attempt_at != 0 && entry->next_attempt_at < now &&
           entry->paused_until < now;
}

static void append_entry_text(struct buf *text, const struct outbox_entry *entry)
{
    show_line(text, "webhook", entry->webhook_id);
    show_line(text, "event", event_type_name(entry->event));
    show_line(text, "job", entry->job_id[0] != '\0' ? entry->job_id : NULL);
    show_line(text, "key", entry->key_id);
    show_line(text, "URL", entry->url);
    show_line(text, "receiver", entry->receiver);
    if (entry->paused_until > clock_wall_ms(&clock_system)) {
        buf_append_str(text, ", to which nothing goes until ");
        show_time(text, entry->paused_until);
    }
    show_line(text, "status", webhook_status_name(entry->status));
    show_label(text, "last");
    append_last(text, entry);
    show_line_time(text, "made", entry->created_at);
    show_label(text, entry->status == WEBHOOK_PENDING ? "next attempt" : "settled");
    append_when(text, entry);
    if (is_overdue(entry))
        buf_append_str(text, ", behind others to this receiver, unless no worker runs");
    if (!entry->has_body)
        show_line(text, "body", "removed by retention, with the attempts before: it cannot be sent again");
}

static void step(struct buf *text, const char *name, int64_t us)
{
    buf_printf(text, ", %s ", name);
    show_us(text, us);
}

static void append_trace_text(struct buf *text, const struct delivery *attempt)
{
    const struct attempt_trace *trace = &attempt->trace;

    show_label(text, "  connection");
    buf_printf(text, "%s%s, requests sent: %" PRId64, attempt->peer != NULL ? attempt->peer : "none",
               trace->reused ? " (kept from before)" : "", trace->sends);
    show_label(text, "  times");
    buf_append_str(text, "name ");
    show_us(text, trace->name_lookup_us);
    step(text, "connect", trace->connect_us);
    step(text, "TLS", trace->tls_us);
    step(text, "first byte", trace->first_byte_us);
    step(text, "total", trace->total_us);
}

static void append_attempt_text(struct buf *text, const struct delivery *attempt)
{
    buf_printf(text, "\n\nattempt %" PRId64 ", ", attempt->attempt);
    show_time(text, attempt->started_at);
    show_label(text, "  outcome");
    if (attempt->duration_ms < 0)
        buf_append_str(text, "under way");
    else if (attempt->error_code == NULL)
        buf_printf(text, "delivered, %" PRId64, attempt->status_code);
    else
        buf_printf(text, "%s: ", attempt->error_code);
    if (attempt->error_code != NULL)
        show_string(text, attempt->error_message);
    if (attempt->traced)
        append_trace_text(text, attempt);
    if (attempt->response_excerpt != NULL)
        show_line(text, "  answer", attempt->response_excerpt);
    if (attempt->next_attempt_at != 0)
        show_line_time(text, "  next planned", attempt->next_attempt_at);
}

/* ---- commands ---- */

static int print_list(const struct ctl *ctl, const struct outbox_entry *entries, size_t count)
{
    cleanup(buf_release) struct buf text = BUF_INIT(CTL_OUTPUT_MAX);

    if (ctl->json) {
        buf_append_str(&text, "{\"webhooks\":[");
        for (size_t i = 0; i < count; i++) {
            json_item(&text);
            append_entry_json(&text, &entries[i]);
            buf_append_str(&text, "}");
        }
        buf_append_str(&text, "]}");
        return ctl_print(ctl, &text);
    }
    buf_printf(&text, "%-29s  %-13s  %-40s  %-9s  %8s  %-24s  %-24s  %s", "WEBHOOK", "EVENT", "JOB", "STATUS",
               "ATTEMPTS", "LAST", "NEXT OR SETTLED", "RECEIVER");
    for (size_t i = 0; i < count; i++)
        append_row(&text, &entries[i]);
    return ctl_print(ctl, &text);
}

int ctl_delivery_list(struct ctl *ctl, int argc, char **argv)
{
    struct outbox_words words = {0};
    const char *limit_text = LIST_DEFAULT;
    const struct program_option options[] = {
        OUTBOX_OPTION_KEY(words),
        OUTBOX_OPTION_RECEIVER(words),
        {"status", "STATUS", "pending, delivered or failed", &words.status},
        {"since", "TIME", "made since then; 2h is two hours ago", &words.since},
        {"limit", "N", "at most so many (" LIST_DEFAULT ")", &limit_text},
        {NULL},
    };
    cleanup(ctl_close_store) struct store *store = NULL;
    struct outbox_filter filter = {0};
    struct outbox_entry *entries;
    struct error error;
    struct url url;
    int64_t limit;
    size_t count;
    char **arguments;
    int code = ctl_read(ctl, argc, argv, options, &arguments);
    int r;

    if (code != OPTIONS_RUN || (code = outbox_read_words(ctl, &words, &url, &filter)) != 0)
        return code;
    if (number_parse(NUMBER_COUNT, limit_text, 1, LIST_MAX, &limit, &error) < 0)
        return ctl_fail(ctl, EX_USAGE, "--limit: %s", error.text);
    if ((code = ctl_open_store(ctl, &store)) != 0 ||
        (code = outbox_find_key(ctl, store, &words, &filter)) != 0)
        return code;
    r = outbox_list(store, &filter, (size_t)limit, &entries, &count, &error);
    if (r < 0)
        return ctl_fail_error(ctl, r, &error);
    code = print_list(ctl, entries, count);
    outbox_entries_free(entries, count);
    return code;
}

static int print_webhook(const struct ctl *ctl, const struct outbox_entry *entry,
                         const struct delivery *attempts, size_t count)
{
    cleanup(buf_release) struct buf text = BUF_INIT(CTL_OUTPUT_MAX);

    if (ctl->json) {
        buf_append_str(&text, "{\"webhook\":");
        append_entry_json(&text, entry);
        buf_append_str(&text, "},\"attempts\":[");
        for (size_t i = 0; i < count; i++)
            append_attempt_json(&text, &attempts[i]);
        buf_append_str(&text, "]}");
        return ctl_print(ctl, &text);
    }
    append_entry_text(&text, entry);
    for (size_t i = 0; i < count; i++)
        append_attempt_text(&text, &attempts[i]);
    return ctl_print(ctl, &text);
}

int ctl_delivery_show(struct ctl *ctl, int argc, char **argv)
{
    static const struct program_option options[] = {{NULL}};
    cleanup(ctl_close_store) struct store *store = NULL;
    cleanup(outbox_entry_release) struct outbox_entry entry = {0};
    struct delivery *attempts;
    struct error error;
    size_t count;
    char **arguments;
    int code = ctl_read(ctl, argc, argv, options, &arguments);
    int r;

    if (code != OPTIONS_RUN || (code = ctl_open_store(ctl, &store)) != 0 ||
        (code = outbox_find_named(ctl, store, arguments[0], &entry)) != 0)
        return code;
    r = outbox_attempts(store, entry.webhook, &attempts, &count, &error);
    if (r < 0)
        return ctl_fail_error(ctl, r, &error);
    code = print_webhook(ctl, &entry, attempts, count);
    deliveries_free(attempts, count);
    return code;
}
