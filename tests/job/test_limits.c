/* SPDX-License-Identifier: Apache-2.0 */
#include "job/limits.h"

#include <criterion/criterion.h>

#define DAY_MS INT64_C(86400000)
#define NOON   (100 * DAY_MS + DAY_MS / 2)

static const struct job_cost sentence = {.characters = 70, .bytes = 140000};

/* 100 jobs at once, 50 more each second. */
static struct key_standing testcase_standing(void)
{
    return (struct key_standing){
        .limits = {.requests_per_second = 50,
                   .most = {[LIMIT_BURST] = 100,
                            [LIMIT_PENDING_JOBS] = 1000,
                            [LIMIT_PENDING_CHARS] = 100000,
                            [LIMIT_DAY_CHARS] = 1000000,
                            [LIMIT_STORED_BYTES] = 1000000000}},
        .usage = {.at = NOON},
    };
}

static void testcase_hit(const struct key_standing *standing, const struct job_cost *cost,
                         enum key_limit limit, int64_t retry_ms)
{
    struct limit_hit hit;

    cr_assert_not(usage_fits(standing, cost, &hit));
    cr_assert_eq(hit.limit, limit, "%s", limit_name(hit.limit));
    cr_assert_eq(hit.retry_ms, retry_ms, "%lld", (long long)hit.retry_ms);
}

Test(limits, a_burst_is_taken_and_the_bucket_fills_at_its_rate)
{
    struct key_standing standing = testcase_standing();
    struct limit_hit hit;

    for (int i = 0; i < 100; i++) {
        cr_assert(usage_fits(&standing, &sentence, &hit));
        usage_charge(&standing, &sentence);
    }
    cr_assert_eq(usage_left(&standing, LIMIT_BURST), 0);
    cr_assert_eq(usage_reset_ms(&standing, LIMIT_BURST), 2000);
    testcase_hit(&standing, &sentence, LIMIT_BURST, 20);
    usage_refresh(&standing, NOON + 19);
    testcase_hit(&standing, &sentence, LIMIT_BURST, 1);
    usage_refresh(&standing, NOON + 20);
    cr_assert(usage_fits(&standing, &sentence, &hit));
    usage_refresh(&standing, NOON + 1000);
    cr_assert_eq(usage_left(&standing, LIMIT_BURST), 50);
    usage_refresh(&standing, NOON + 60000);
    cr_assert_eq(usage_left(&standing, LIMIT_BURST), 100, "it never holds more than the burst");
}

Test(limits, a_clock_that_is_set_back_gives_nothing_and_stops_nothing)
{
    struct key_standing standing = testcase_standing();

    standing.usage.used[LIMIT_BURST] = 100;
    usage_refresh(&standing, NOON - DAY_MS);
    cr_assert_eq(usage_left(&standing, LIMIT_BURST), 0);
    usage_refresh(&standing, NOON - DAY_MS + 1000);
    cr_assert_eq(usage_left(&standing, LIMIT_BURST), 50);
}

Test(limits, the_characters_of_a_day_come_back_at_midnight)
{
    struct key_standing standing = testcase_standing();
    struct limit_hit hit;

    standing.usage.used[LIMIT_DAY_CHARS] = 999950;
    testcase_hit(&standing, &sentence, LIMIT_DAY_CHARS, DAY_MS / 2);
    usage_refresh(&standing, 101 * DAY_MS - 1);
    testcase_hit(&standing, &sentence, LIMIT_DAY_CHARS, 1);
    usage_refresh(&standing, 101 * DAY_MS);
    cr_assert(usage_fits(&standing, &sentence, &hit));
    cr_assert_eq(usage_left(&standing, LIMIT_DAY_CHARS), 1000000);
}

Test(limits, each_limit_is_reached_exactly_and_named)
{
    static const struct {
        enum key_limit limit;
        double needed;
    } cases[] = {
        {LIMIT_BURST, 1},      {LIMIT_PENDING_JOBS, 1},      {LIMIT_PENDING_CHARS, 70},
        {LIMIT_DAY_CHARS, 70}, {LIMIT_STORED_BYTES, 140000},
    };

    for (size_t i = 0; i < LIMIT_COUNT; i++) {
        struct key_standing standing = testcase_standing();
        struct limit_hit hit;

        standing.usage.used[cases[i].limit] = (double)standing.limits.most[cases[i].limit] - cases[i].needed;
        cr_assert(usage_fits(&standing, &sentence, &hit), "%s", limit_name(cases[i].limit));
        standing.usage.used[cases[i].limit] += 1;
        cr_assert_not(usage_fits(&standing, &sentence, &hit), "%s", limit_name(cases[i].limit));
        cr_assert_eq(hit.limit, cases[i].limit, "%s", limit_name(hit.limit));
        cr_assert_gt(hit.retry_ms, 0);
    }
}

Test(limits, of_several_the_one_with_the_longest_wait_is_named)
{
    struct key_standing standing = testcase_standing();

    standing.usage.used[LIMIT_BURST] = 100;
    standing.usage.used[LIMIT_DAY_CHARS] = 1000000;
    testcase_hit(&standing, &sentence, LIMIT_DAY_CHARS, DAY_MS / 2);
}

Test(limits, windows_are_told_where_a_clock_brings_back_what_was_used)
{
    struct key_standing standing = testcase_standing();

    cr_assert_eq(limit_window(&standing.limits, LIMIT_BURST), 2);
    cr_assert_eq(limit_window(&standing.limits, LIMIT_DAY_CHARS), 86400);
    cr_assert_eq(limit_window(&standing.limits, LIMIT_STORED_BYTES), 0);
}

Test(limits, a_job_is_charged_for_good_and_waits_for_a_while)
{
    struct key_standing standing = testcase_standing();

    usage_charge(&standing, &sentence);
    usage_wait(&standing, sentence.characters);
    cr_assert_eq(usage_left(&standing, LIMIT_PENDING_JOBS), 999);
    cr_assert_eq(usage_left(&standing, LIMIT_PENDING_CHARS), 99930);
    usage_waited(&standing, sentence.characters);
    cr_assert_eq(usage_left(&standing, LIMIT_PENDING_JOBS), 1000);
    cr_assert_eq(usage_left(&standing, LIMIT_PENDING_CHARS), 100000);
    cr_assert_eq(usage_left(&standing, LIMIT_DAY_CHARS), 999930);
    cr_assert_eq(usage_left(&standing, LIMIT_STORED_BYTES), 999860000);
}

Test(limits, a_limit_of_0_is_none)
{
    struct key_standing standing = testcase_standing();
    struct limit_hit hit;

    standing.limits.most[LIMIT_PENDING_JOBS] = 0;
    standing.usage.used[LIMIT_PENDING_JOBS] = 5000;
    cr_assert(usage_fits(&standing, &sentence, &hit));
}

Test(limits, more_used_than_allowed_leaves_nothing)
{
    struct key_standing standing = testcase_standing();

    standing.usage.used[LIMIT_PENDING_JOBS] = 5000; /* the limit was lowered */
    cr_assert_eq(usage_left(&standing, LIMIT_PENDING_JOBS), 0);
}

Test(limits, audio_is_estimated_by_format_and_speed)
{
    cr_assert_eq(job_audio_estimate(167, AUDIO_WAV, 1), 320000);
    cr_assert_eq(job_audio_estimate(167, AUDIO_WAV, 2), 160000);
    cr_assert_eq(job_audio_estimate(167, AUDIO_OPUS, 1), 42000);
}
