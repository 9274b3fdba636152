/* SPDX-License-Identifier: Apache-2.0 */
#include "webhook/due.h"

#include <errno.h>

_Static_assert(HEALTH_CLASS_COUNT == RECEIVER_CLASSES, "the store has them all");

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
    due->begun |= count > 0;
    webhooks_free(webhooks, count);
    return r;
}

/*
 * One that was forgotten, or that only a sender before has known, begins as the database has it.  Nobody has
 * seen it fail while it was due and no sender ran: that time does not count.
 */
static struct receiver_state *recall(struct due_finder *due, const struct due_receiver *found, int64_t now)
{
    int64_t failing_since = found->standing.failing_since + (now - found->due_at);
    int64_t failing_for = failing_since < now ? now - failing_since : 0;

    return receivers_add(due->receivers, found->receiver, &found->standing,
                         clock_monotonic_ms(due->clock) - failing_for);
}

/* What the database has otherwise of one that is known is recorded anew, with the end of its next attempt. */
static struct receiver_state *find_receiver(struct due_finder *due, const struct due_receiver *found,
                                            int64_t now)
{
    struct receiver_state *receiver = receivers_find(due->receivers, found->receiver);

    if (receiver == NULL)
        return recall(due, found, now);
    receiver->recorded = found->standing;
    return receiver;
}

static int serve_receiver(struct due_finder *due, const struct due_receiver *found, int64_t now,
                          struct error *err)
{
    struct receiver_state *receiver = find_receiver(due, found, now);
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

static bool has_place(const struct due_finder *due, enum health_class class)
{
    return places_free(&due->receivers->places, class) > 0;
}

/* *last, whose string is owned, is the last that was seen; *ret_more: there may be others behind it. */
static int serve_page(struct due_finder *due, enum health_class class, int64_t now, struct due_receiver *last,
                      bool *ret_more, struct error *err)
{
    struct due_receiver page[RECEIVER_PAGE];
    size_t count = 0;
    int r = receiver_due(due->store, class, now, last->receiver != NULL ? last : NULL, page, RECEIVER_PAGE,
                         &count, err);

    if (r < 0)
        return r;
    for (size_t i = 0; r == 0 && i < count && has_place(due, class); i++)
        r = serve_receiver(due, &page[i], now, err);
    *ret_more = count == RECEIVER_PAGE;
    if (count > 0) {
        due_receivers_free(last, 1);
        *last = page[--count];
    }
    due_receivers_free(page, count);
    return r;
}

static int serve_class(struct due_finder *due, enum health_class class, int64_t now, struct error *err)
{
    struct due_receiver last = {NULL};
    bool more = true;
    int r = 0;

    while (r == 0 && more && has_place(due, class))
        r = serve_page(due, class, now, &last, &more, err);
    due_receivers_free(&last, 1);
    return r;
}

static int look_at_class(struct due_finder *due, enum health_class class, int64_t now, struct error *err)
{
    int64_t next = 0;
    int r = receiver_next_due(due->store, class, now, &next, err);

    if (r == 0)
        r = serve_class(due, class, now, err);
    if (r == 0 && next != 0)
        note_due(due, next);
    return r;
}

int due_look(struct due_finder *due, struct error *err)
{
    int64_t now = clock_wall_ms(due->clock);

    due->next_due = 0;
    due->begun = false;
    for (unsigned int i = 0; i < HEALTH_CLASS_COUNT; i++) {
        int r = look_at_class(due, (enum health_class)((due->turn + i) % HEALTH_CLASS_COUNT), now, err);

        if (r < 0)
            return r;
    }
    if (due->begun)
        due->turn++;
    due->look = false;
    return 0;
}
