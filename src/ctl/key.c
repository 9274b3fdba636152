/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "codec/json_write.h"
#include "crypto/secret.h"
#include "ctl/key_options.h"
#include "ctl/show.h"

static int print_new_key(const struct ctl *ctl, const struct api_key *key, const char *api_key,
                         const char *secret)
{
    cleanup(buf_release) struct buf text = BUF_INIT(CTL_OUTPUT_MAX);
    int code;

    if (!ctl->json) {
        buf_printf(&text, "key id          %s\nname            %s\nAPI key         %s\nwebhook secret  %s",
                   key->key_id, key->name, api_key, secret);
        code = ctl_print(ctl, &text);
        fprintf(stderr, "Keep the API key and the webhook secret: they are not shown again.\n");
        return code;
    }
    buf_append_str(&text, "{");
    json_member_string(&text, "key_id", key->key_id);
    json_member_string(&text, "name", key->name);
    json_member_string(&text, "api_key", api_key);
    json_member_string(&text, "webhook_secret", secret);
    buf_append_str(&text, "}");
    return ctl_print(ctl, &text);
}

int ctl_key_create(struct ctl *ctl, int argc, char **argv)
{
    cleanup(ctl_close_store) struct store *store = NULL;
    cleanup(api_key_release) struct api_key key = {0};
    char api_key[API_KEY_SIZE], secret[WEBHOOK_SECRET_SIZE];
    unsigned char hash[KEY_HASH_SIZE];
    struct key_request request = {.weight = 1, .hash = hash, .secret = secret};
    struct error error;
    char **arguments;
    int code = key_options_read(ctl, argc, argv, false, &request, &arguments);
    int r;

    if (code != OPTIONS_RUN)
        return code;
    if (request.name == NULL)
        return ctl_fail(ctl, EX_USAGE, "give the key a name: --name NAME");
    if ((code = ctl_open_secrets(ctl, &store)) != 0)
        return code;
    secret_make_api_key(api_key, hash);
    secret_make_webhook(secret);
    r = store_begin(store, "sayhookctl key create", &error);
    if (r == 0)
        r = key_create(store, &request, &key, &error);
    if (r == 0)
        r = store_commit(store, &error);
    return r == 0 ? print_new_key(ctl, &key, api_key, secret) : ctl_fail_error(ctl, r, &error);
}

static void append_limits(struct buf *text, const struct key_standing *standing)
{
    json_member_int(text, "rate_limit_requests", standing->limits.requests_per_second);
    json_name(text, "limits");
    buf_append_str(text, "{");
    for (int i = 0; i < LIMIT_COUNT; i++) {
        json_name(text, limit_name((enum key_limit)i));
        buf_append_str(text, "{");
        json_member_int(text, "limit", standing->limits.most[i]);
        json_member_int(text, "remaining", usage_left(standing, (enum key_limit)i));
        buf_append_str(text, "}");
    }
    buf_append_str(text, "}");
}

static int64_t pending(const struct api_key *key)
{
    return (int64_t)key->standing.usage.used[LIMIT_PENDING_JOBS];
}

static void append_key(struct buf *text, const struct api_key *key)
{
    json_item(text);
    buf_append_str(text, "{");
    json_member_string(text, "key_id", key->key_id);
    json_member_string(text, "name", key->name);
    json_member_double(text, "weight", key->weight);
    json_member_time(text, "created_at", key->created_at);
    json_member_time(text, "revoked_at", key->revoked_at);
    json_member_int(text, "pending_jobs", pending(key));
    json_member_int(text, "pending_chars", (int64_t)key->standing.usage.used[LIMIT_PENDING_CHARS]);
    append_limits(text, &key->standing);
    buf_append_str(text, "}");
}

static int print_keys(const struct ctl *ctl, const struct api_key *keys, size_t count)
{
    cleanup(buf_release) struct buf text = BUF_INIT(CTL_OUTPUT_MAX);
    char created[CLOCK_RFC3339_SIZE];

    if (ctl->json) {
        buf_append_str(&text, "{\"keys\":[");
        for (size_t i = 0; i < count; i++)
            append_key(&text, &keys[i]);
        buf_append_str(&text, "]}");
        return ctl_print(ctl, &text);
    }
    buf_printf(&text, "%-16s  %-24s  %-7s  %6s  %8s  %s", "KEY ID", "CREATED", "STATE", "WEIGHT", "PENDING",
               "NAME");
    for (size_t i = 0; i < count; i++) {
        clock_format_rfc3339(keys[i].created_at, created);
        buf_printf(&text, "\n%-16s  %-24s  %-7s  %6g  %8" PRId64 "  ", keys[i].key_id, created,
                   keys[i].revoked_at != 0 ? "revoked" : "live", keys[i].weight, pending(&keys[i]));
        show_string(&text, keys[i].name);
    }
    return ctl_print(ctl, &text);
}

int ctl_key_list(struct ctl *ctl, int argc, char **argv)
{
    static const struct program_option options[] = {{NULL}};
    cleanup(ctl_close_store) struct store *store = NULL;
    struct api_key *keys;
    struct error error;
    size_t count;
    char **arguments;
    int code = ctl_read(ctl, argc, argv, options, &arguments);
    int r;

    if (code != OPTIONS_RUN || (code = ctl_open_store(ctl, &store)) != 0)
        return code;
    r = key_list(store, &keys, &count, &error);
    if (r < 0)
        return ctl_fail_error(ctl, r, &error);
    code = print_keys(ctl, keys, count);
    while (count > 0)
        api_key_release(&keys[--count]);
    free(keys);
    return code;
}

/* The end of a write to a key: result is what it returned, done says what has become of the key. */
static int end_write(struct ctl *ctl, struct store *store, const char *key_id, const char *done, int result,
                     struct error *err)
{
    cleanup(buf_release) struct buf text = BUF_INIT(CTL_OUTPUT_MAX);

    if (result == STORE_NOT_FOUND) {
        store_rollback(store);
        return ctl_fail_no_key(ctl, key_id);
    }
    if (result == 0)
        result = store_commit(store, err);
    if (result < 0)
        return ctl_fail_error(ctl, result, err);
    if (ctl->json) {
        buf_append_str(&text, "{");
        json_member_string(&text, "key_id", key_id);
        json_member_bool(&text, done, true);
        buf_append_str(&text, "}");
    } else {
        buf_printf(&text, "%s is %s", key_id, done);
    }
    return ctl_print(ctl, &text);
}

int ctl_key_set(struct ctl *ctl, int argc, char **argv)
{
    cleanup(ctl_close_store) struct store *store = NULL;
    struct key_request request = KEY_UNCHANGED;
    struct error error;
    char **arguments;
    int code = key_options_read(ctl, argc, argv, true, &request, &arguments);
    int r;

    if (code != OPTIONS_RUN || (code = ctl_open_store(ctl, &store)) != 0)
        return code;
    r = store_begin(store, "sayhookctl key set", &error);
    if (r == 0)
        r = key_change(store, arguments[0], &request, &error);
    return end_write(ctl, store, arguments[0], "changed", r, &error);
}

int ctl_key_revoke(struct ctl *ctl, int argc, char **argv)
{
    static const struct program_option options[] = {{NULL}};
    cleanup(ctl_close_store) struct store *store = NULL;
    struct error error;
    char **arguments;
    int code = ctl_read(ctl, argc, argv, options, &arguments);
    int r;

    if (code != OPTIONS_RUN || (code = ctl_open_store(ctl, &store)) != 0)
        return code;
    r = store_begin(store, "sayhookctl key revoke", &error);
    if (r == 0)
        r = key_revoke(store, arguments[0], &error);
    return end_write(ctl, store, arguments[0], "revoked", r, &error);
}
