/* SPDX-License-Identifier: Apache-2.0 */
#include "webhook/schedule.h"

bool schedule_next(const struct duration_list *schedule, int64_t used, int64_t from, uint32_t random,
                   int64_t *ret_due_at)
{
    int64_t delay;
    int64_t spread;

    if (used < 0 || (uint64_t)used >= schedule->count)
        return false;
    delay = schedule->items_ms[used];
    spread = delay * SCHEDULE_JITTER_PERCENT / 100;
    *ret_due_at = from + delay - spread + (int64_t)(random % (uint64_t)(2 * spread + 1));
    return true;
}

int64_t schedule_used(int64_t attempts, int64_t interruptions)
{
    return attempts -
           (interruptions < SCHEDULE_INTERRUPTIONS_MAX ? interruptions : SCHEDULE_INTERRUPTIONS_MAX);
}

bool schedule_next_interrupted(const struct duration_list *schedule, int64_t attempts, int64_t interruptions,
                               int64_t from, uint32_t random, int64_t *ret_due_at)
{
    if (interruptions > SCHEDULE_INTERRUPTIONS_MAX)
        return schedule_next(schedule, schedule_used(attempts, interruptions), from, random, ret_due_at);
    *ret_due_at = from + SCHEDULE_REPEAT_MS;
    return true;
}

int64_t schedule_length(const struct duration_list *schedule, int64_t attempt_ms)
{
    int64_t length = 0;

    for (size_t i = 0; i < schedule->count; i++)
        length += schedule->items_ms[i] * (100 + SCHEDULE_JITTER_PERCENT) / 100 + attempt_ms;
    return length;
}
