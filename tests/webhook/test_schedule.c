/* SPDX-License-Identifier: Apache-2.0 */
#include "webhook/schedule.h"

#include <criterion/criterion.h>

static const struct duration_list schedule = {.count = 3, .items_ms = {0, 5000, 300000}};

static int64_t due_after(int64_t attempts, uint32_t random)
{
    int64_t due_at = -1;

    cr_expect(schedule_next(&schedule, attempts, 1000000, random, &due_at));
    return due_at - 1000000;
}

Test(schedule, has_one_attempt_for_each_entry)
{
    static const struct duration_list empty = {.count = 0};
    int64_t due_at = -7;

    cr_expect_eq(due_after(0, 0), 0);
    cr_expect_not(schedule_next(&schedule, 3, 1000000, 0, &due_at));
    cr_expect_not(schedule_next(&schedule, INT64_MAX, 1000000, 0, &due_at));
    cr_expect_not(schedule_next(&empty, 0, 1000000, 0, &due_at));
    cr_expect_eq(due_at, -7);
}

Test(schedule, delays_vary_by_a_tenth)
{
    cr_expect_eq(due_after(1, 0), 4500);
    cr_expect_eq(due_after(1, 500), 5000);
    cr_expect_eq(due_after(1, 1000), 5500);
    cr_expect_eq(due_after(1, 1001), 4500);
    cr_expect_eq(due_after(2, 0), 270000);
    cr_expect_eq(due_after(2, 60000), 330000);
    for (uint32_t random = 0; random < UINT32_MAX - 9999991; random += 9999991) {
        cr_expect_geq(due_after(2, random), 270000);
        cr_expect_leq(due_after(2, random), 330000);
    }
}

Test(schedule, its_length_has_every_delay_at_its_longest_and_every_attempt)
{
    static const struct duration_list empty = {.count = 0};

    cr_expect_eq(schedule_length(&schedule, 1000), 5500 + 330000 + 3 * 1000);
    cr_expect_eq(schedule_length(&empty, 1000), 0);
}

Test(schedule, an_interrupted_attempt_is_repeated_soon_and_uses_up_nothing)
{
    int64_t due_at = -7;

    cr_expect(schedule_next_interrupted(&schedule, 1, 1, 1000000, 0, &due_at));
    cr_expect_eq(due_at, 1002000);
    cr_expect(schedule_next_interrupted(&schedule, 4, 1, 2000000, 0, &due_at), "it was the last of three");
    cr_expect_eq(due_at, 2002000);
    cr_expect_eq(schedule_used(4, 1), 3);
    cr_expect_eq(schedule_used(3, 0), 3);
}

Test(schedule, a_webhook_that_is_interrupted_for_ever_comes_to_its_end)
{
    const int64_t most = SCHEDULE_INTERRUPTIONS_MAX;
    int64_t attempts = 0, due_at = 0;

    do {
        attempts++;
        cr_assert_lt(attempts, 1000);
    } while (schedule_next_interrupted(&schedule, attempts, attempts, 1000000, 0, &due_at));
    cr_expect_eq(attempts, most + 3, "those that cost nothing, and the schedule");
    cr_expect(schedule_next_interrupted(&schedule, most + 1, most + 1, 1000000, 0, &due_at));
    cr_expect_eq(due_at, 1004500, "the one too many is followed as a failure is");
}
