/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "codec/json_write.h"
#include "config/value.h"
#include "crypto/secret.h"
#include "ctl/ctl.h"

/* A day is enough for receivers that are deployed daily; past a month an old secret has been forgotten. */
#define OVERLAP_DEFAULT "24h"
#define OVERLAP_MAX_MS  (INT64_C(30) * 24 * 60 * 60 * 1000)

static int read_overlap(const struct ctl *ctl, const char *text, int64_t *ret_overlap)
{
    const struct value_range range = {0, OVERLAP_MAX_MS};
    struct error error;

    if (value_duration.parse(text, &range, ret_overlap, &error) < 0)
        return ctl_fail(ctl, EX_USAGE, "--overlap: %s", error.text);
    return 0;
}

static int print_secret(const struct ctl *ctl, const char *key_id, const char *secret, int64_t ends_at,
                        int64_t overlap)
{
    cleanup(buf_release) struct buf text = BUF_INIT(CTL_OUTPUT_MAX);
    char end[CLOCK_RFC3339_SIZE];
    int code;

    if (ctl->json) {
        buf_append_str(&text, "{");
        json_member_string(&text, "key_id", key_id);
        json_member_string(&text, "webhook_secret", secret);
        json_member_time(&text, "previous_ends_at", ends_at);
        buf_append_str(&text, "}");
        return ctl_print(ctl, &text);
    }
    clock_format_rfc3339(ends_at, end);
    buf_printf(&text, "key id          %s\nwebhook secret  %s\nold secrets     %s %s", key_id, secret,
               overlap > 0 ? "sign until" : "ended", end);
    code = ctl_print(ctl, &text);
    fprintf(stderr, "Keep the webhook secret: it is not shown again.\n");
    return code;
}

/* The conditions of secret_rotate(). */
static int fail_rotation(const struct ctl *ctl, int condition, const char *key_id, int64_t ends_at)
{
    char end[CLOCK_RFC3339_SIZE];

    if (condition == STORE_NOT_FOUND)
        return ctl_fail_no_key(ctl, key_id);
    if (condition == STORE_CONFLICT)
        return ctl_fail(ctl, EX_DATAERR, "the key %s is revoked, and needs no new secret", key_id);
    clock_format_rfc3339(ends_at, end);
    return ctl_fail(
        ctl, EX_TEMPFAIL,
        "%s has %d live secrets, the most that sign at once; the next one ends at %s: wait until then, or end "
        "them all with --overlap 0s",
        key_id, KEY_SECRETS_MAX, end);
}

int ctl_secret_rotate(struct ctl *ctl, int argc, char **argv)
{
    const char *overlap_text = OVERLAP_DEFAULT;
    const struct program_option options[] = {
        {"overlap", "DURATION", "how long the old secret signs too, up to 30d (" OVERLAP_DEFAULT ")",
         &overlap_text},
        {NULL},
    };
    cleanup(ctl_close_store) struct store *store = NULL;
    char secret[WEBHOOK_SECRET_SIZE];
    int64_t overlap, ends_at = 0;
    struct error error;
    char **arguments;
    int code = ctl_read(ctl, argc, argv, options, &arguments);
    int r;

    if (code != OPTIONS_RUN || (code = read_overlap(ctl, overlap_text, &overlap)) != 0 ||
        (code = ctl_open_secrets(ctl, &store)) != 0)
        return code;
    secret_make_webhook(secret);
    r = store_begin(store, "sayhookctl secret rotate", &error);
    if (r == 0)
        r = secret_rotate(store, arguments[0], secret, overlap, &ends_at, &error);
    if (r > 0) {
        store_rollback(store);
        return fail_rotation(ctl, r, arguments[0], ends_at);
    }
    if (r == 0)
        r = store_commit(store, &error);
    return r == 0 ? print_secret(ctl, arguments[0], secret, ends_at, overlap)
                  : ctl_fail_error(ctl, r, &error);
}
