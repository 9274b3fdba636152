/* SPDX-License-Identifier: Apache-2.0 */
#include "webhook/due.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Receivers asked for at a time. */
#define RECEIVER_PAGE 32

static void note_due(struct due_finder *due, int64_t at)
{
    if (due->next_due == 0 || at < due->next_due)
        due->next_due = at;
}

static int begin_due(struct due_finder *due, struct receiver_state *receiver, int64_t now, size_t room,
                     struct error *err)
{
    struct webhook *webhooks = NULL;
    size_t count = 0;
    int r = webhook_due(due->store, receiver->name, now, room, &webhooks, &count, err);

    for (size_t i = 0; r == 0 && i < count; i++)
        r = due->begin(due, &webhooks[i], receiver, err);
    webhooks_free(webhooks, count);
    return r;
}

static int serve_receiver(struct due_finder *due, const char *name, int64_t now, struct error *err)
{
    struct receiver_state *receiver = receivers_get(due->receivers, name);
    int64_t monotonic = clock_monotonic_ms(due->clock);
    size_t room;

    if (receiver == NULL)
        return error_set(err, -ENOMEM, "out of memory");
    if (receiver->beginning > 0) /* once they are committed there is another look, which does not see them */
        return 0;
    room = receivers_room(due->receivers, receiver, monotonic);
    if (room > 0)
        return begin_due(due, receiver, now, room, err);
    if (receiver->health.paused_until > monotonic)
        note_due(due, now + receiver->health.paused_until - monotonic);
    return 0;
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
    const struct places *places = &due->receivers->places;

    return places_used(places) >= places->max;
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
    }
    receivers_free(receivers, count);
    *ret_count = count;
    return r;
}

void due_release(struct due_finder *due)
{
    free(due->cursor);
    due->cursor = NULL;
}

int due_look(struct due_finder *due, struct error *err)
{
    bool from_start = due->cursor == NULL;
    int64_t now = clock_wall_ms(due->clock);
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
