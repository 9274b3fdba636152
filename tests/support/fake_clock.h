/* SPDX-License-Identifier: Apache-2.0 */
/* A clock that stands still until a test moves it. */
#ifndef SUPPORT_FAKE_CLOCK_H
#define SUPPORT_FAKE_CLOCK_H

#include "base/clock.h"

struct fake_clock {
    struct clock clock;      /* what the code under test holds */
    _Atomic int64_t wall_us; /* threads of the code under test may read while the test moves it */
    _Atomic int64_t monotonic_us;
};

/* 2026-11-24T08:00:00.000Z, a machine that has been up for a minute. */
void fake_clock_init(struct fake_clock *clock);

/* Moves both clocks. */
void fake_clock_advance(struct fake_clock *clock, int64_t ms);

#endif
