/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/which_key.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/cleanup.h"
#include "ctl/show.h"

/* A line of a terminal or two; whoever has more keys knows how to list them. */
#define NAMES_MAX 400

static bool is_meant(const struct api_key *key, const char *key_id)
{
    return key_id != NULL ? strcmp(key->key_id, key_id) == 0 : key->revoked_at == 0;
}

static int fail_many(const struct ctl *ctl, const struct api_key *keys, size_t count)
{
    cleanup(buf_release) struct buf names = BUF_INIT(CTL_OUTPUT_MAX);

    for (size_t i = 0; i < count && names.length < NAMES_MAX; i++) {
        if (!is_meant(&keys[i], NULL))
            continue;
        buf_printf(&names, "%s%s (", names.length > 0 ? ", " : "", keys[i].key_id);
        show_string(&names, keys[i].name);
        buf_append_str(&names, ")");
    }
    return ctl_fail(ctl, EX_USAGE, "there is more than one key; say which with --key KEY_ID: %s%s",
                    buf_str(&names), names.length < NAMES_MAX ? "" : ", ...");
}

/* The one that is meant moves to *ret_key. */
static int choose(const struct ctl *ctl, struct api_key *keys, size_t count, const char *key_id,
                  struct api_key *ret_key)
{
    struct api_key *found = NULL;

    for (size_t i = 0; i < count; i++) {
        if (!is_meant(&keys[i], key_id))
            continue;
        if (found != NULL)
            return fail_many(ctl, keys, count);
        found = &keys[i];
    }
    if (found == NULL && key_id == NULL)
        return ctl_fail(ctl, EX_NOUSER, "there is no API key yet; 'key create' makes one");
    if (found == NULL)
        return ctl_fail_no_key(ctl, key_id);
    *ret_key = *found;
    *found = (struct api_key){0};
    return 0;
}

int which_key(const struct ctl *ctl, struct store *store, const char *key_id, struct api_key *ret_key)
{
    struct api_key *keys;
    struct error error;
    size_t count;
    int code, r = key_list(store, &keys, &count, &error);

    if (r < 0)
        return ctl_fail_error(ctl, r, &error);
    code = choose(ctl, keys, count, key_id, ret_key);
    while (count > 0)
        api_key_release(&keys[--count]);
    free(keys);
    return code;
}
