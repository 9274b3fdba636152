/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/patience.h"

#include <criterion/criterion.h>

#include "support/fake_clock.h"

/* Asks again until the patience is over; how long that took, and how often it was. */
static int64_t testcase_ask(int64_t limit_ms, int64_t retry_after_ms, int *ret_count)
{
    struct fake_clock clock;
    struct patience patience;
    int64_t begin_ms, pause_ms;
    int count = 0;

    fake_clock_init(&clock);
    begin_ms = clock_monotonic_ms(&clock.clock);
    patience_init(&patience, &clock.clock, limit_ms);
    for (; patience_pause(&patience, retry_after_ms, &pause_ms); count++) {
        cr_expect_geq(pause_ms, retry_after_ms);
        cr_expect_geq(pause_ms, 250);
        fake_clock_advance(&clock, pause_ms);
    }
    *ret_count = count;
    return clock_monotonic_ms(&clock.clock) - begin_ms;
}

Test(patience, it_asks_less_and_less_often_and_not_for_ever)
{
    int count;

    cr_expect_eq(testcase_ask(1000, 0, &count), 250 + 500);
    cr_expect_eq(count, 2);
    cr_expect_eq(testcase_ask(60000, 0, &count), 250 + 500 + 1000 + 2000 + 4000 + 6 * 8000);
    cr_expect_eq(count, 11);
}

Test(patience, it_waits_for_as_long_as_the_server_says)
{
    int count;

    cr_expect_eq(testcase_ask(60000, 20000, &count), 60000);
    cr_expect_eq(count, 3);
}

Test(patience, it_does_not_wait_for_what_comes_too_late)
{
    int count;

    cr_expect_eq(testcase_ask(60000, 60001, &count), 0);
    cr_expect_eq(testcase_ask(0, 0, &count), 0);
}
