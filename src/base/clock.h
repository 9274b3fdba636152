/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time, injected: whoever needs the time holds a struct clock, so that a test can hold one of its own.
 *
 * Records carry the wall clock, leases and time-outs the monotonic one.  Both are in milliseconds but for
 * clock_wall_us(), from which the order of jobs is made, and clock_monotonic_us(), for what is measured.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct clock {
    int64_t (*wall_us)(const struct clock *clock); /* microseconds since 1970-01-01T00:00:00Z */
    int64_t (*monotonic_us)(
        const struct clock *clock); /* microseconds since the machine started, sleep included */
};

/* The clocks of the system: CLOCK_REALTIME and CLOCK_BOOTTIME. */
extern const struct clock clock_system;

int64_t clock_wall_us(const struct clock *clock);
int64_t clock_wall_ms(const struct clock *clock);
int64_t clock_monotonic_ms(const struct clock *clock);
int64_t clock_monotonic_us(const struct clock *clock);

/*
 * So long from now by the system's CLOCK_MONOTONIC, whatever the injected clock says: for the timed waits of
 * pthread_condattr_setclock(), which end by that alone.
 */
struct timespec;
void clock_deadline(int64_t in_ms, struct timespec *ret_deadline);

/* RFC 3339 in UTC with milliseconds, "2026-11-24T08:30:00.000Z"; room for the years 0000 to 9999. */
#define CLOCK_RFC3339_SIZE sizeof "2026-11-24T08:30:00.000Z"

void clock_format_rfc3339(int64_t wall_ms, char ret_text[CLOCK_RFC3339_SIZE]);

/*
 * Reads a time as RFC 3339 section 5.6 writes it, with any offset and any fraction of a second (cut to
 * milliseconds). False where it is none.  One before 1970 is read as the beginning of 1970, and one past 9999
 * in UTC as the last millisecond of 9999: nothing of ours lies beyond.
 */
bool clock_parse_rfc3339(const char *text, int64_t *ret_wall_ms);

#endif
