/* SPDX-License-Identifier: Apache-2.0 */
#include "base/repeat.h"

bool repeat_is_news(struct repeat *repeat, int64_t now_ms)
{
    if (repeat->lasts && now_ms - repeat->said_at < REPEAT_PAUSE_MS)
        return false;
    *repeat = (struct repeat){.lasts = true, .said_at = now_ms};
    return true;
}

bool repeat_is_over(struct repeat *repeat)
{
    bool lasted = repeat->lasts;

    repeat->lasts = false;
    return lasted;
}
