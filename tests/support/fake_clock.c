/* SPDX-License-Identifier: Apache-2.0 */
#include "support/fake_clock.h"

#include "base/cleanup.h"

static int64_t wall(const struct clock *clock)
{
    return container_of(clock, const struct fake_clock, clock)->wall_us;
}

static int64_t monotonic(const struct clock *clock)
{
    return container_of(clock, const struct fake_clock, clock)->monotonic_us;
}

void fake_clock_init(struct fake_clock *clock)
{
    clock->clock = (struct clock){.wall_us = wall, .monotonic_us = monotonic};
    clock->wall_us = 1795507200000000;
    clock->monotonic_us = 60000000;
}

void fake_clock_advance(struct fake_clock *clock, int64_t ms)
{
    clock->wall_us += ms * 1000;
    clock->monotonic_us += ms * 1000;
}
