/* SPDX-License-Identifier: Apache-2.0 */
#include "webhook/due.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Receivers asked for at a time. */
#define RECEIVER_PAGE 32

static int serve_receiver(struct due_finder *due, const char *receiver, int64_t now, struct error *err)
{
    size_t busy = attempt_list_count_at(due->attempts, receiver);
    size_t limit = (size_t)due->settings->webhook_max_per_receiver;
    size_t room = (size_t)due->settings->webhook_max_in_flight - due->attempts->count;
    size_t places = busy < limit ? limit - busy : 0;
    struct webhook *webhooks = NULL;
    size_t count = 0;
    int r;

    places = places < room ? places : room;
    if (places == 0)
        return 0;
    /* Those whose beginning is not committed yet still look due, so as many more are asked for. */
    r = webhook_due(due->store, receiver, now, places + busy, &webhooks, &count, err);
    for (size_t i = 0; r == 0 && i < count && places > 0; i++) {
        if (attempt_list_has(due->attempts, webhooks[i].webhook))
            continue;
        r = due->begin(due, &webhooks[i], err);
        places--;
    }
    webhooks_free(webhooks, count);
    return r;
}

static int remember(struct due_finder *due, const char *receiver, struct error *err)
{
    char *copy = strdup(receiver);

    if (copy == NULL)
        return error_set(err, -ENOMEM, "out of memory");
    free(due->cursor);
    due->cursor = copy;
    return 0;
}

static bool is_full(const struct due_finder *due)
{
    return due->attempts->count >= (size_t)due->settings->webhook_max_in_flight;
}

static int serve_page(struct due_finder *due, int64_t now, size_t *ret_count, struct error *err)
{
    char *receivers[RECEIVER_PAGE];
    size_t count = 0;
    const char *after = due->cursor != NULL ? due->cursor : "";
    int r = receiver_due(due->store, now, after, receivers, RECEIVER_PAGE, &count, err);

    if (r < 0)
        return r;
    for (size_t i = 0; i < count; i++) {
        if (r == 0 && !is_full(due)) {
            r = serve_receiver(due, receivers[i], now, err);
            if (r == 0)
                r = remember(due, receivers[i], err);
        }
        free(receivers[i]);
    }
    *ret_count = count;
    return r;
}

void due_release(struct due_finder *due)
{
    free(due->cursor);
    due->cursor = NULL;
}

int due_look(struct due_finder *due, int64_t now, struct error *err)
{
    bool from_start = due->cursor == NULL;
    int r = receiver_next_due(due->store, now, &due->next_due, err);

    if (r < 0)
        return r;
    due->look = false;
    while (!is_full(due)) {
        size_t count = 0;

        r = serve_page(due, now, &count, err);
        if (r < 0)
            return r;
        if (count == RECEIVER_PAGE)
            continue;
        due_release(due); /* the end: from the start again, once */
        if (from_start)
            break;
        from_start = true;
    }
    return 0;
}
