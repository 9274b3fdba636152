/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/progress.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "support/fake_clock.h"

static struct fake_clock clock;
static struct progress progress;
static FILE *out;
static char *shown;
static size_t size;

static void testcase_begin(bool is_terminal)
{
    fake_clock_init(&clock);
    out = open_memstream(&shown, &size);
    progress_init(&progress, out, is_terminal, &clock.clock);
}

/* What was shown from the beginning on. */
static void testcase_shown(const char *expected)
{
    cr_expect_str_eq(shown, expected);
}

static void testcase_end(void)
{
    progress_end(&progress);
    fclose(out);
    free(shown);
}

Test(progress, a_short_work_writes_nothing_to_a_log)
{
    testcase_begin(false);
    for (int i = 0; i <= 100; i++) {
        progress_show(&progress, "processing", i / 100.0);
        fake_clock_advance(&clock, 19);
    }
    fflush(out);
    testcase_shown("");
    testcase_end();
}

Test(progress, a_log_gets_a_line_each_tenth_but_not_more_than_one_in_two_seconds)
{
    testcase_begin(false);
    for (int i = 0; i < 100; i++) {
        progress_show(&progress, "processing", i / 100.0);
        fake_clock_advance(&clock, 100);
    }
    testcase_shown("processing    20 %\nprocessing    40 %\nprocessing    60 %\nprocessing    80 %\n");
    testcase_end();
}

Test(progress, a_long_tenth_is_told_of_and_a_standstill_is_not)
{
    testcase_begin(false);
    fake_clock_advance(&clock, 2000);
    progress_show(&progress, "processing", 0.10);
    progress_show(&progress, "processing", 0.11);
    fake_clock_advance(&clock, 9999);
    progress_show(&progress, "processing", 0.13);
    fake_clock_advance(&clock, 1);
    progress_show(&progress, "processing", 0.13);
    fake_clock_advance(&clock, 3600000);
    progress_show(&progress, "processing", 0.13);
    testcase_shown("processing    10 %\nprocessing    13 %\n");
    testcase_end();
}

Test(progress, another_phase_is_a_line)
{
    testcase_begin(false);
    fake_clock_advance(&clock, 2000);
    progress_show(&progress, "pending", 0);
    fake_clock_advance(&clock, 2000);
    progress_show(&progress, "processing", 0);
    testcase_shown("pending        0 %\nprocessing     0 %\n");
    testcase_end();
}

Test(progress, a_terminal_has_a_bar_that_goes)
{
    testcase_begin(true);
    progress_show(&progress, "processing", 0.5);
    testcase_shown("\r\033[Kprocessing   [####################....................]  50 %");
    progress_end(&progress);
    fflush(out);
    cr_expect_str_eq(shown + strlen(shown) - strlen("\r\033[K"), "\r\033[K");
    testcase_end();
}

Test(progress, where_none_is_wanted_there_is_none)
{
    fake_clock_init(&clock);
    progress_init(&progress, NULL, true, &clock.clock);
    progress_show(&progress, "processing", 0.5);
    progress_end(&progress);
}
