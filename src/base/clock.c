/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t read_us(clockid_t id)
{
    struct timespec now = {0};

    clock_gettime(id, &now); /* cannot fail for the two clocks below */
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t system_wall_us(const struct clock *clock)
{
    (void)clock;
    return read_us(CLOCK_REALTIME);
}

static int64_t system_monotonic_us(const struct clock *clock)
{
    (void)clock;
    return read_us(CLOCK_BOOTTIME);
}

const struct clock clock_system = {
    .wall_us = system_wall_us,
    .monotonic_us = system_monotonic_us,
};

int64_t clock_wall_us(const struct clock *clock)
{
    return clock->wall_us(clock);
}

int64_t clock_wall_ms(const struct clock *clock)
{
    return clock->wall_us(clock) / 1000;
}

int64_t clock_monotonic_ms(const struct clock *clock)
{
    return clock->monotonic_us(clock) / 1000;
}

void clock_format_rfc3339(int64_t wall_ms, char ret_text[CLOCK_RFC3339_SIZE])
{
    static const int64_t last_ms = 253402300799999; /* 9999-12-31T23:59:59.999Z */
    time_t seconds;
    struct tm utc;
    size_t length;

    if (wall_ms < 0)
        wall_ms = 0;
    if (wall_ms > last_ms)
        wall_ms = last_ms;
    seconds = (time_t)(wall_ms / 1000);
    gmtime_r(&seconds, &utc);
    length = strftime(ret_text, CLOCK_RFC3339_SIZE, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(ret_text + length, CLOCK_RFC3339_SIZE - length, ".%03uZ",
             (unsigned int)(wall_ms % 1000) % 1000u);
}
