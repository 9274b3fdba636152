/* SPDX-License-Identifier: Apache-2.0 */
/* `webhook check`: what would become of a webhook to a URL, tried with a ping. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "codec/event_json.h"
#include "ctl/check_report.h"
#include "ctl/ctl.h"
#include "ctl/which_key.h"
#include "job/webhook_guard.h"

#define SECONDS_A_DAY (24 * 60 * 60)

/* Not delivered: no fault of the command's, so none of sysexits.h. */
#define EXIT_NOT_DELIVERED 1

struct check {
    struct ctl *ctl;
    struct sender_options options;
    char key_id[KEY_ID_SIZE];
    char webhook_id[WEBHOOK_ID_SIZE];
    struct signature signature;
    struct buf body;
    struct check_report report;
};

static void check_release(struct check *check)
{
    guard_free(check->options.guard);
    buf_release(&check->body);
}

/* As the worker has it. */
static int make_options(const struct settings *settings, struct sender_options *ret_options,
                        struct error *err)
{
    ret_options->connect_timeout_ms = settings->webhook_connect_timeout;
    ret_options->timeout_ms = settings->webhook_timeout;
    return webhook_guard_new(settings, &clock_system, &ret_options->guard, err);
}

/* ---- the ping ---- */

static int sign(struct check *check, struct store *store, const struct api_key *key, struct error *err)
{
    char *secrets[KEY_SECRETS_MAX];
    size_t count;
    int r = key_secrets(store, key->key, secrets, &count, err);

    if (r != 0)
        return r;
    r = signature_make(check->webhook_id, clock_wall_ms(&clock_system) / 1000, buf_str(&check->body),
                       check->body.length, secrets, count, &check->signature, err);
    key_secrets_free(secrets, count);
    return r;
}

static int make_ping(struct check *check, const char *key_id)
{
    cleanup(ctl_close_store) struct store *store = NULL;
    cleanup(api_key_release) struct api_key key = {0};
    struct error error;
    int r, code = ctl_open_store(check->ctl, &store);

    if (code == 0)
        code = which_key(check->ctl, store, key_id, &key);
    if (code != 0)
        return code;
    memcpy(check->key_id, key.key_id, sizeof check->key_id);
    webhook_id_make(check->webhook_id);
    r = event_json_render_ping(clock_wall_ms(&clock_system), &check->body, &error);
    if (r == 0)
        r = sign(check, store, &key, &error);
    return r < 0 ? ctl_fail_error(check->ctl, r, &error) : 0;
}

/* ---- the receiver ---- */

/* Rounded down, so that the last day is 0 and the day behind it -1. */
static int64_t days_until(int64_t seconds)
{
    int64_t left = seconds - clock_wall_ms(&clock_system) / 1000;

    return left / SECONDS_A_DAY - (left % SECONDS_A_DAY < 0);
}

/* At the first address that may be connected to and has one: each for as long as the worker would try to
 * connect, and all for as long as it would try in all. */
static void look_at_certificate(struct check *check, const struct url *url)
{
    struct check_report *report = &check->report;
    int64_t end = clock_monotonic_ms(&clock_system) + check->options.timeout_ms;
    int64_t most = check->options.connect_timeout_ms;

    for (size_t i = 0; i < report->address_count && !report->has_tls; i++) {
        int64_t left = end - clock_monotonic_ms(&clock_system);

        if (report->addresses[i].allowed && left > 0)
            report->has_tls = probe_certificate(&report->addresses[i], url->host, left < most ? left : most,
                                                &report->tls, &report->no_tls) == 0;
    }
    if (report->has_tls) {
        report->no_tls.text[0] = '\0';
        report->days_left = days_until(report->tls.not_after);
    }
}

/* A URL that the guard refuses as it stands is left to the sender to judge, as is where a name leads. */
static int look(struct check *check, struct url *url, struct error *err)
{
    struct check_report *report = &check->report;
    int r = guard_judge_url(check->options.guard, report->url, url, err);

    if (r != 0)
        return r < 0 ? r : 0;
    report->receiver = url->receiver;
    probe_resolve(check->options.guard, url, report->addresses, &report->address_count, &report->unresolved);
    if (strcmp(url->scheme, "https") == 0)
        look_at_certificate(check, url);
    return 0;
}

/* Who reads a refusal here may change what it comes from. */
static const char *find_setting(const struct check *check, const struct settings *settings)
{
    const char *code = check->report.result.error_code;

    if (code == NULL)
        return NULL;
    if (strcmp(code, DELIVERY_BLOCKED_PORT) == 0)
        return "webhook_ports names the ports that are allowed";
    if (strcmp(code, DELIVERY_BLOCKED_ADDRESS) != 0)
        return NULL;
    if (!settings->webhook_allow_http && strncasecmp(check->report.url, "http:", 5) == 0)
        return "webhook_allow_http allows http";
    return "webhook_allow_cidrs names networks that are allowed though they are not public";
}

static int send_ping(struct check *check, struct error *err)
{
    const struct send_request request = {.url = check->report.url,
                                         .webhook_id = check->webhook_id,
                                         .body = buf_str(&check->body),
                                         .body_size = check->body.length,
                                         .signature = &check->signature};

    return probe_send(&check->options, &request, &check->report.result, err);
}

static int print_report(const struct check *check)
{
    cleanup(buf_release) struct buf text = BUF_INIT(CTL_OUTPUT_MAX);
    int code;

    if (check->ctl->json)
        check_report_json(&text, &check->report);
    else
        check_report_text(&text, &check->report);
    code = ctl_print(check->ctl, &text);
    return code != 0 || check->report.result.error_code == NULL ? code : EXIT_NOT_DELIVERED;
}

static int run(struct check *check, const char *key_id, const char *target)
{
    struct check_report *report = &check->report;
    struct error error;
    struct url url;
    int r, code = make_ping(check, key_id);

    if (code != 0)
        return code;
    *report = (struct check_report){.url = target,
                                    .key_id = check->key_id,
                                    .webhook_id = check->webhook_id,
                                    .signature = &check->signature,
                                    .body = buf_str(&check->body)};
    signal(SIGPIPE, SIG_IGN); /* a receiver that hangs up is a result */
    r = make_options(&check->ctl->options.settings, &check->options, &error);
    if (r == 0)
        r = look(check, &url, &error);
    if (r == 0)
        r = send_ping(check, &error);
    report->setting = find_setting(check, &check->ctl->options.settings);
    return r < 0 ? ctl_fail_error(check->ctl, r, &error) : print_report(check);
}

int ctl_webhook_check(struct ctl *ctl, int argc, char **argv)
{
    const char *key_id = NULL;
    const struct program_option options[] = {
        {"key", "KEY_ID", "sign with the secrets of that API key (the only one)", &key_id},
        {NULL},
    };
    struct check *check;
    char **arguments;
    int code = ctl_read(ctl, argc, argv, options, &arguments);

    if (code != OPTIONS_RUN)
        return code;
    check = calloc(1, sizeof *check);
    if (check == NULL)
        return ctl_fail(ctl, EX_OSERR, "out of memory");
    check->ctl = ctl;
    check->body = (struct buf)BUF_INIT(CHECK_BODY_MAX);
    code = run(check, key_id, arguments[0]);
    check_release(check);
    free(check);
    return code;
}
