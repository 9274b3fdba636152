/* SPDX-License-Identifier: Apache-2.0 */
#include "webhook/schedule.h"

bool schedule_next(const struct duration_list *schedule, int64_t attempts, int64_t from, uint32_t random,
                   int64_t *ret_due_at)
{
    int64_t delay;
    int64_t spread;

    if (attempts < 0 || (uint64_t)attempts >= schedule->count)
        return false;
    delay = schedule->items_ms[attempts];
    spread = delay * SCHEDULE_JITTER_PERCENT / 100;
    *ret_due_at = from + delay - spread + (int64_t)(random % (uint64_t)(2 * spread + 1));
    return true;
}

int64_t schedule_length(const struct duration_list *schedule, int64_t attempt_ms)
{
    int64_t length = 0;

    for (size_t i = 0; i < schedule->count; i++)
        length += schedule->items_ms[i] * (100 + SCHEDULE_JITTER_PERCENT) / 100 + attempt_ms;
    return length;
}
