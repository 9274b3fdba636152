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
