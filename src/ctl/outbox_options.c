/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/outbox_options.h"

#include <string.h>
#include <sysexits.h>

#include "base/cleanup.h"
#include "ctl/show.h"
#include "ctl/when.h"
#include "ctl/which_key.h"

static int read_status(const struct ctl *ctl, const char *text, enum webhook_status *ret_status)
{
    if (webhook_status_parse(text, ret_status) && *ret_status != WEBHOOK_NONE)
        return 0;
    return ctl_fail(ctl, EX_USAGE, "--status takes pending, delivered or failed");
}

int outbox_read_words(const struct ctl *ctl, const struct outbox_words *words, struct url *ret_url,
                      struct outbox_filter *ret_filter)
{
    struct error error;
    int code = 0;

    if (words->receiver != NULL) {
        if (url_parse(words->receiver, ret_url, &error) < 0)
            return ctl_fail(ctl, EX_USAGE, "--receiver: %s", error.text);
        ret_filter->receiver = ret_url->receiver;
    }
    if (words->status != NULL)
        code = read_status(ctl, words->status, &ret_filter->status);
    if (code == 0 && words->since != NULL)
        code = ctl_read_time(ctl, "--since", words->since, &ret_filter->since);
    return code;
}

int outbox_find_key(const struct ctl *ctl, struct store *store, const struct outbox_words *words,
                    struct outbox_filter *filter)
{
    cleanup(api_key_release) struct api_key key = {0};
    int code;

    if (words->key == NULL)
        return 0;
    code = which_key(ctl, store, words->key, &key);
    filter->key = key.key;
    return code;
}

int outbox_find_named(const struct ctl *ctl, struct store *store, const char *id,
                      struct outbox_entry *ret_entry)
{
    cleanup(buf_release) struct buf name = BUF_INIT(ERROR_TEXT_MAX);
    struct error error;
    int r = outbox_find(store, id, ret_entry, &error);

    if (r < 0)
        return ctl_fail_error(ctl, r, &error);
    if (r == 0)
        return 0;
    show_string(&name, id);
    if (r == STORE_CONFLICT)
        return ctl_fail(ctl, EX_DATAERR,
                        "the job %s has no webhook: it named no webhook_url, or has not ended",
                        buf_str(&name));
    return ctl_fail(ctl, EX_NOINPUT, "there is no webhook and no job %s; 'delivery list' shows them",
                    buf_str(&name));
}
