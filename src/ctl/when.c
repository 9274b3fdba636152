/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/when.h"

#include <sysexits.h>

#include "base/clock.h"
#include "config/number.h"

/* Longer than any setting lets jobs and webhooks be kept. */
#define AGO_MAX_MS (INT64_C(10) * 366 * 24 * 60 * 60 * 1000)

int ctl_read_time(const struct ctl *ctl, const char *option, const char *text, int64_t *ret_wall_ms)
{
    int64_t ago;

    if (clock_parse_rfc3339(text, ret_wall_ms))
        return 0;
    if (number_parse(NUMBER_DURATION, text, 0, AGO_MAX_MS, &ago, NULL) < 0)
        return ctl_fail(ctl, EX_USAGE,
                        "%s takes a time, 2026-11-24T08:30:00Z, or how long ago it was, 90m or 2d", option);
    *ret_wall_ms = clock_wall_ms(&clock_system) - ago;
    return 0;
}
