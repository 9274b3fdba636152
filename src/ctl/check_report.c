/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/check_report.h"

#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "codec/json_write.h"
#include "ctl/show.h"
#include "webhook/outcome.h"

/* ---- what both say ---- */

struct header {
    const char *name;
    const char *value;
};

#define HEADER_COUNT 6

static void list_headers(const struct check_report *report, struct header ret_headers[HEADER_COUNT])
{
    const struct header headers[HEADER_COUNT] = {
        {"Content-Type", "application/json"},
        {"X-Webhook-Signature", report->signature->plain},
        {"X-Webhook-Timestamp", report->signature->timestamp},
        {"webhook-id", report->webhook_id},
        {"webhook-timestamp", report->signature->timestamp},
        {"webhook-signature", report->signature->standard},
    };

    memcpy(ret_headers, headers, sizeof headers);
}

/* What webhook-signature is over; X-Webhook-Signature is over the body alone. */
static void append_signed(struct buf *out, const struct check_report *report)
{
    buf_printf(out, "%s.%s.%s", report->webhook_id, report->signature->timestamp, report->body);
}

struct step {
    const char *label;
    const char *name;
    int64_t us;
};

#define STEP_COUNT 5

static void list_steps(const struct check_report *report, struct step ret_steps[STEP_COUNT])
{
    const struct attempt_trace *trace = &report->result.trace;
    const struct step steps[STEP_COUNT] = {
        {"name", "name_lookup_us", trace->name_lookup_us},
        {"connect", "connect_us", trace->connect_us},
        {"TLS", "tls_us", trace->tls_us},
        {"first byte", "first_byte_us", trace->first_byte_us},
        {"total", "total_us", trace->total_us},
    };

    memcpy(ret_steps, steps, sizeof steps);
}

/* Seconds for which the worker would leave the receiver alone, as it asks; 0 is not at all. */
static int64_t pause_of(const struct send_result *result)
{
    if (result->error_code == NULL)
        return 0;
    return result->retry_after_s < OUTCOME_PAUSE_MAX_S ? result->retry_after_s : OUTCOME_PAUSE_MAX_S;
}

/* ---- text ---- */

static void label(struct buf *out, const char *name)
{
    buf_printf(out, "%s%-12s", out->length > 0 ? "\n" : "", name);
}

static void line(struct buf *out, const char *name, const char *value)
{
    label(out, name);
    show_string(out, value);
}

static void append_addresses_text(struct buf *out, const struct check_report *report)
{
    for (size_t i = 0; i < report->address_count; i++) {
        const struct probe_address *address = &report->addresses[i];

        label(out, "address");
        buf_printf(out, "%s, %s%s", address->text,
                   address->allowed ? "allowed" : "blocked: ", address->allowed ? "" : address->reason.text);
    }
    if (report->unresolved.text[0] != '\0')
        line(out, "address", report->unresolved.text);
}

static void append_tls_text(struct buf *out, const struct check_report *report)
{
    if (report->no_tls.text[0] != '\0')
        line(out, "TLS", report->no_tls.text);
    if (!report->has_tls)
        return;
    line(out, "TLS", report->tls.version);
    line(out, "certificate", report->tls.subject);
    line(out, "issued by", report->tls.issuer);
    label(out, "valid until");
    show_time(out, report->tls.not_after * 1000);
    buf_printf(out, ", days left: %" PRId64, report->days_left);
}

static void append_request_text(struct buf *out, const struct check_report *report)
{
    struct header headers[HEADER_COUNT];

    list_headers(report, headers);
    label(out, "request");
    buf_printf(out, "a ping, %s, signed with the secrets of %s", report->webhook_id, report->key_id);
    for (size_t i = 0; i < HEADER_COUNT; i++)
        buf_printf(out, "\n  %s: %s", headers[i].name, headers[i].value);
    buf_append_str(out, "\nwebhook-signature is over exactly\n  ");
    append_signed(out, report);
    buf_printf(out, "\nX-Webhook-Signature is over the body, exactly\n  %s", report->body);
}

static void append_answer_text(struct buf *out, const struct check_report *report)
{
    const struct send_result *result = &report->result;
    struct step steps[STEP_COUNT];

    if (result->traced) {
        list_steps(report, steps);
        label(out, "times");
        for (size_t i = 0; i < STEP_COUNT; i++) {
            buf_printf(out, "%s%s ", i > 0 ? ", " : "", steps[i].label);
            show_us(out, steps[i].us);
        }
    }
    if (result->peer[0] != '\0')
        line(out, "peer", result->peer);
    if (result->status_code != 0) {
        label(out, "status");
        buf_printf(out, "%d", result->status_code);
    }
    if (result->has_excerpt)
        line(out, "answer", result->excerpt);
    label(out, "outcome");
    if (result->error_code == NULL) {
        buf_append_str(out, "delivered");
    } else {
        buf_printf(out, "%s: ", result->error_code);
        show_string(out, result->error_message);
    }
    if (pause_of(result) > 0) {
        label(out, "Retry-After");
        buf_printf(out, "nothing would go to this receiver for %" PRId64 " s", pause_of(result));
    }
    if (report->setting != NULL)
        line(out, "setting", report->setting);
}

void check_report_text(struct buf *out, const struct check_report *report)
{
    line(out, "URL", report->url);
    if (report->receiver != NULL) {
        line(out, "receiver", report->receiver);
        append_addresses_text(out, report);
        append_tls_text(out, report);
        append_request_text(out, report);
    }
    append_answer_text(out, report);
}

/* ---- JSON ---- */

static void append_addresses_json(struct buf *out, const struct check_report *report)
{
    json_name(out, "addresses");
    buf_append_str(out, "[");
    for (size_t i = 0; i < report->address_count; i++) {
        const struct probe_address *address = &report->addresses[i];

        json_item(out);
        buf_append_str(out, "{");
        json_member_string(out, "address", address->text);
        json_member_bool(out, "allowed", address->allowed);
        json_member_string(out, "reason", address->allowed ? NULL : address->reason.text);
        buf_append_str(out, "}");
    }
    buf_append_str(out, "]");
}

static void append_tls_json(struct buf *out, const struct check_report *report)
{
    json_member_string(out, "tls_error", report->no_tls.text[0] != '\0' ? report->no_tls.text : NULL);
    if (!report->has_tls) {
        json_member_raw(out, "tls", NULL);
        return;
    }
    json_name(out, "tls");
    buf_append_str(out, "{");
    json_member_string(out, "version", report->tls.version);
    json_member_string(out, "subject", report->tls.subject);
    json_member_string(out, "issuer", report->tls.issuer);
    json_member_time(out, "not_after", report->tls.not_after * 1000);
    json_member_int(out, "days_left", report->days_left);
    buf_append_str(out, "}");
}

static void append_request_json(struct buf *out, const struct check_report *report)
{
    cleanup(buf_release) struct buf text = BUF_INIT(CHECK_SIGNED_MAX);
    struct header headers[HEADER_COUNT];

    list_headers(report, headers);
    append_signed(&text, report);
    json_name(out, "headers");
    buf_append_str(out, "{");
    for (size_t i = 0; i < HEADER_COUNT; i++)
        json_member_string(out, headers[i].name, headers[i].value);
    buf_append_str(out, "}");
    json_member_string(out, "body", report->body);
    json_name(out, "signed");
    buf_append_str(out, "{");
    json_member_string(out, "webhook_signature", buf_str(&text));
    json_member_string(out, "x_webhook_signature", report->body);
    buf_append_str(out, "}");
}

static void append_answer_json(struct buf *out, const struct check_report *report)
{
    const struct send_result *result = &report->result;
    struct step steps[STEP_COUNT];

    list_steps(report, steps);
    for (size_t i = 0; i < STEP_COUNT; i++)
        json_member_int_if(out, steps[i].name, result->traced && steps[i].us >= 0, steps[i].us);
    json_member_string(out, "peer", result->peer[0] != '\0' ? result->peer : NULL);
    json_member_int_if(out, "status_code", result->status_code != 0, result->status_code);
    json_member_int_if(out, "retry_after_s", pause_of(result) > 0, pause_of(result));
    json_member_string(out, "response_excerpt", result->has_excerpt ? result->excerpt : NULL);
    json_member_error(out, "error", result->error_code, result->error_message);
}

void check_report_json(struct buf *out, const struct check_report *report)
{
    buf_append_str(out, "{");
    json_member_string(out, "url", report->url);
    json_member_string(out, "receiver", report->receiver);
    json_member_bool(out, "delivered", report->result.error_code == NULL);
    json_member_string(out, "key_id", report->key_id);
    json_member_string(out, "webhook_id", report->webhook_id);
    append_addresses_json(out, report);
    append_tls_json(out, report);
    append_request_json(out, report);
    append_answer_json(out, report);
    buf_append_str(out, "}");
}
