/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "codec/json_write.h"
#include "crypto/secret.h"
#include "ctl/ctl.h"
#include "text/utf8.h"

/* A weight is a share relative to other keys; past this range one key would starve the other. */
#define WEIGHT_MIN 0.001
#define WEIGHT_MAX 1000.0

static void close_store(struct store **store)
{
    store_close(*store);
}

static int check_name(const struct ctl *ctl, const char *name)
{
    size_t length = name != NULL ? strlen(name) : 0;
    size_t fault;

    if (name == NULL)
        return ctl_fail(ctl, EX_USAGE, "give the key a name: --name NAME");
    if (length == 0 || length > KEY_NAME_MAX || !utf8_is_valid(name, length, &fault))
        return ctl_fail(ctl, EX_USAGE, "a name is UTF-8 of 1 to %d bytes", KEY_NAME_MAX);
    for (; *name != '\0'; name++)
        if ((unsigned char)*name < 0x20 || *name == 0x7f)
            return ctl_fail(ctl, EX_USAGE, "a name holds no control characters");
    return 0;
}

static int read_weight(const struct ctl *ctl, const char *text, double *ret_weight)
{
    char *end;
    double weight = strtod(text, &end);

    if (end == text || *end != '\0' || !(weight >= WEIGHT_MIN && weight <= WEIGHT_MAX))
        return ctl_fail(ctl, EX_USAGE, "a weight is a number of %g to %g", WEIGHT_MIN, WEIGHT_MAX);
    *ret_weight = weight;
    return 0;
}

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
    const char *name = NULL, *weight_text = "1";
    const struct program_option options[] = {
        {"name", "NAME", "whose key it is", &name},
        {"weight", "N", "share of the machine relative to other keys (1)", &weight_text},
        {NULL},
    };
    cleanup(close_store) struct store *store = NULL;
    cleanup(api_key_release) struct api_key key = {0};
    char api_key[API_KEY_SIZE], secret[WEBHOOK_SECRET_SIZE];
    unsigned char hash[KEY_HASH_SIZE];
    struct error error;
    double weight = 1;
    char **arguments;
    int code = ctl_read(ctl, argc, argv, options, &arguments);
    int r;

    if (code != OPTIONS_RUN || (code = check_name(ctl, name)) != 0 ||
        (code = read_weight(ctl, weight_text, &weight)) != 0 || (code = ctl_open_store(ctl, &store)) != 0)
        return code;
    secret_make_api_key(api_key, hash);
    secret_make_webhook(secret);
    r = store_begin(store, "sayhookctl key create", &error);
    if (r == 0)
        r = key_create(store, name, weight, hash, secret, &key, &error);
    if (r == 0)
        r = store_commit(store, &error);
    return r == 0 ? print_new_key(ctl, &key, api_key, secret) : ctl_fail_error(ctl, r, &error);
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
    json_member_int(text, "pending_jobs", key->pending_jobs);
    json_member_int(text, "pending_chars", key->pending_chars);
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
        buf_printf(&text, "\n%-16s  %-24s  %-7s  %6g  %8" PRId64 "  %s", keys[i].key_id, created,
                   keys[i].revoked_at != 0 ? "revoked" : "live", keys[i].weight, keys[i].pending_jobs,
                   keys[i].name);
    }
    return ctl_print(ctl, &text);
}

int ctl_key_list(struct ctl *ctl, int argc, char **argv)
{
    static const struct program_option options[] = {{NULL}};
    cleanup(close_store) struct store *store = NULL;
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

int ctl_key_revoke(struct ctl *ctl, int argc, char **argv)
{
    static const struct program_option options[] = {{NULL}};
    cleanup(close_store) struct store *store = NULL;
    cleanup(buf_release) struct buf text = BUF_INIT(CTL_OUTPUT_MAX);
    struct error error;
    char **arguments;
    int code = ctl_read(ctl, argc, argv, options, &arguments);
    int r;

    if (code != OPTIONS_RUN || (code = ctl_open_store(ctl, &store)) != 0)
        return code;
    r = store_begin(store, "sayhookctl key revoke", &error);
    if (r == 0)
        r = key_revoke(store, arguments[0], &error);
    if (r == STORE_NOT_FOUND) {
        store_rollback(store);
        return ctl_fail(ctl, EX_NOUSER, "there is no key %s; 'key list' shows them", arguments[0]);
    }
    if (r == 0)
        r = store_commit(store, &error);
    if (r < 0)
        return ctl_fail_error(ctl, r, &error);
    if (ctl->json) {
        buf_append_str(&text, "{");
        json_member_string(&text, "key_id", arguments[0]);
        json_member_bool(&text, "revoked", true);
        buf_append_str(&text, "}");
    } else {
        buf_printf(&text, "%s is revoked", arguments[0]);
    }
    return ctl_print(ctl, &text);
}
