/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "codec/json_read.h"
#include "codec/json_write.h"
#include "crypto/base64.h"
#include "crypto/secret.h"
#include "ctl/ctl.h"
#include "ctl/receiver.h"
#include "ctl/show.h"
#include "job/job.h"
#include "text/utf8.h"
#include "webhook/signature.h"

/* A secret and a line end; a file of more is no secret's. */
#define SECRET_FILE_MAX 256

/* What one webhook may print: the body, each byte of which may become six, and what is said of it. */
#define REPORT_MAX (6 * RECEIVER_BODY_MAX + 16384)

struct listener {
    struct receiver_handler handler;
    const struct ctl *ctl;
    const char *secret;
    int64_t count; /* webhooks to wait for; 0 is no end */
    int64_t seen;
    atomic_bool failed; /* stdout takes no more */
};

/* Posted when all that was to come has come, and by signals. */
static sem_t finished;

static void stop(int number)
{
    (void)number;
    sem_post(&finished);
}

static void append_json(struct buf *out, const struct received *request,
                        const struct signature_verdict *verdict, int status)
{
    cleanup(free_ptr) char *base64 = NULL;
    size_t fault;
    bool is_text = strlen(request->body) == request->body_size &&
                   utf8_is_valid(request->body, request->body_size, &fault);

    if (!is_text && (base64 = malloc(BASE64_SIZE(request->body_size))) != NULL)
        base64_encode(request->body, request->body_size, base64);
    buf_append_str(out, "{");
    json_member_time(out, "received_at", clock_wall_ms(&clock_system));
    json_member_string(out, "path", request->path);
    json_member_string(out, "webhook_id", request->webhook_id);
    json_member_string(out, "timestamp", request->standard_timestamp);
    json_member_string(out, "x_webhook_signature", request->signature);
    json_member_string(out, "webhook_signature", request->standard_signature);
    json_member_bool(out, "verified", status == 204);
    json_member_bool(out, "x_webhook_signature_valid", verdict->plain_valid);
    json_member_bool(out, "webhook_signature_valid", verdict->standard_valid);
    json_member_bool(out, "timestamp_fresh", verdict->timestamp_fresh);
    json_member_int(out, "answered", status);
    json_member_string(out, "body", is_text ? request->body : NULL);
    if (!is_text)
        json_member_string(out, "body_base64", base64);
    buf_append_str(out, "}");
}

static void append_line(struct buf *out, const char *label, const char *value)
{
    buf_printf(out, "\n  %-20s ", label);
    show_string(out, value);
}

static void append_block(struct buf *out, const struct received *request,
                         const struct signature_verdict *verdict, int status)
{
    struct json_document *document = NULL;
    char now[CLOCK_RFC3339_SIZE];
    bool readable = json_read(request->body, request->body_size, &document, NULL) == 0;
    const char *type = readable ? json_read_string(document, "/type") : NULL;
    bool is_ping = type != NULL && strcmp(type, event_type_name(EVENT_PING)) == 0;

    clock_format_rfc3339(clock_wall_ms(&clock_system), now);
    buf_printf(out, "%s  webhook %s", now, status == 204 ? "verified" : "NOT VERIFIED");
    append_line(out, "type", is_ping ? "ping, a test of the administrator's" : type);
    if (!is_ping)
        append_line(out, "job_id", readable ? json_read_string(document, "/job_id") : NULL);
    append_line(out, "webhook-id", request->webhook_id);
    append_line(out, "X-Webhook-Signature",
                verdict->plain_valid ? "right"
                : verdict->standard_valid && request->signature != NULL
                    ? "WRONG; by a newer secret, if this one was rotated"
                    : "WRONG");
    append_line(out, "webhook-signature", verdict->standard_valid ? "right" : "WRONG");
    append_line(out, "timestamps", verdict->timestamp_fresh ? "fresh" : "NOT FRESH");
    buf_printf(out, "\n  %-20s %d\n  %-20s ", "answered", status, "body");
    show_visible(out, request->body, request->body_size);
    buf_append_str(out, "\n");
    json_read_free(document);
}

static int received(struct receiver_handler *handler, const struct received *request)
{
    struct listener *listener = container_of(handler, struct listener, handler);
    cleanup(buf_release) struct buf out = BUF_INIT(REPORT_MAX);
    const struct signature_claim claim = {
        .plain = request->signature,
        .plain_timestamp = request->timestamp,
        .webhook_id = request->webhook_id,
        .timestamp = request->standard_timestamp,
        .standard = request->standard_signature,
    };
    struct signature_verdict verdict = {0};
    int status;

    signature_verify(&claim, request->body, request->body_size, listener->secret,
                     clock_wall_ms(&clock_system) / 1000, &verdict, NULL);
    status = verdict.plain_valid && verdict.standard_valid && verdict.timestamp_fresh ? 204 : 400;
    (listener->ctl->json ? append_json : append_block)(&out, request, &verdict, status);
    listener->seen++;
    if (ctl_print(listener->ctl, &out) != 0)
        listener->failed = true;
    return status;
}

static void answered(struct receiver_handler *handler)
{
    const struct listener *listener = container_of(handler, struct listener, handler);

    if (listener->failed || (listener->count > 0 && listener->seen >= listener->count))
        sem_post(&finished);
}

/* The secret of the options, of a file or of the environment, checked. */
static int find_secret(const struct ctl *ctl, const char *secret, const char *path, struct buf *ret_secret)
{
    unsigned char key[WEBHOOK_SECRET_BYTES_MAX];
    struct error error;
    size_t size;
    int r;

    if (secret == NULL && path == NULL)
        secret = getenv("SAYHOOK_WEBHOOK_SECRET");
    if (secret != NULL) {
        buf_append_str(ret_secret, secret);
    } else if (path != NULL) {
        r = file_read(path, ret_secret, &error);
        if (r < 0)
            return ctl_fail_error(ctl, r, &error);
        ret_secret->length = strcspn(buf_str(ret_secret), " \t\r\n");
        if (ret_secret->data != NULL)
            ret_secret->data[ret_secret->length] = '\0';
    } else {
        return ctl_fail(ctl, EX_USAGE,
                        "which webhook secret?  Set SAYHOOK_WEBHOOK_SECRET, or give --secret-file FILE");
    }
    if (secret_webhook_key(buf_str(ret_secret), key, &size) < 0)
        return ctl_fail(ctl, EX_DATAERR,
                        "that is no webhook secret: one is whsec_ and the base64 of 24 to 64 bytes");
    return 0;
}

static int read_number(const struct ctl *ctl, const char *name, const char *text, int64_t max,
                       int64_t *ret_number)
{
    char *end;

    errno = 0;
    *ret_number = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || *ret_number < 0 || *ret_number > max)
        return ctl_fail(ctl, EX_USAGE, "--%s takes 0 to %" PRId64, name, max);
    return 0;
}

static void end_by_signals(void)
{
    struct sigaction action = {.sa_handler = stop};

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

int ctl_listen(struct ctl *ctl, int argc, char **argv)
{
    const char *port_text = "8787", *count_text = "0", *secret_text = NULL, *secret_file = NULL;
    const struct program_option options[] = {
        {"port", "N", "on 127.0.0.1 (8787); 0 is any that is free", &port_text},
        {"secret-file", "FILE", "a file that holds the webhook secret, whsec_...", &secret_file},
        {"secret", "SECRET", "the secret itself; in a file others cannot see it", &secret_text},
        {"count", "N", "exit after N webhooks (0: go on until Ctrl-C)", &count_text},
        {NULL},
    };
    cleanup(buf_release) struct buf secret = BUF_INIT(SECRET_FILE_MAX);
    struct listener listener = {.handler = {.received = received, .answered = answered}, .ctl = ctl};
    struct receiver *receiver;
    struct error error;
    int64_t wanted;
    char **arguments;
    int code = ctl_read(ctl, argc, argv, options, &arguments);
    int port, r;

    if (code != OPTIONS_RUN || (code = read_number(ctl, "port", port_text, 65535, &wanted)) != 0 ||
        (code = read_number(ctl, "count", count_text, INT64_MAX, &listener.count)) != 0 ||
        (code = find_secret(ctl, secret_text, secret_file, &secret)) != 0)
        return code;
    listener.secret = buf_str(&secret);
    sem_init(&finished, 0, 0);
    end_by_signals(); /* before anybody is told that it listens */
    r = receiver_start((int)wanted, &listener.handler, &receiver, &port, &error);
    if (r < 0)
        return ctl_fail(ctl, EX_UNAVAILABLE, "%s", error.text);
    fprintf(stderr, "Listening on http://127.0.0.1:%d/\n", port);
    while (sem_wait(&finished) < 0 && errno == EINTR)
        ;
    receiver_stop(receiver);
    return listener.failed ? EX_IOERR : 0;
}
