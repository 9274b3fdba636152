/* SPDX-License-Identifier: Apache-2.0 */
#include "base/nearest.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/cleanup.h"

static const char *const names[] = {"text",  "language",    "voice",   "format",
                                    "speed", "webhook_url", "metadata"};

static void testcase_nearest(const char *name, const char *expected)
{
    const char *nearest = nearest_name(name, names, array_length(names));

    if (expected == NULL)
        cr_expect_null(nearest, "%s gives %s", name, nearest);
    else
        cr_expect(nearest != NULL && strcmp(nearest, expected) == 0, "%s gives %s", name, nearest);
}

Test(nearest, a_slip_of_the_hand_is_recognised)
{
    testcase_nearest("langauge", "language");
    testcase_nearest("txt", "text");
    testcase_nearest("Voice", "voice");
    testcase_nearest("webhookurl", "webhook_url");
    testcase_nearest("webhook-url", "webhook_url");
    testcase_nearest("formaat", "format");
    testcase_nearest("speed", "speed");
}

Test(nearest, a_stranger_gets_no_guess)
{
    char endless[10001];

    testcase_nearest("", NULL);
    testcase_nearest("callback", NULL);
    testcase_nearest("x", NULL);
    memset(endless, 'a', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    testcase_nearest(endless, NULL);
    cr_expect_null(nearest_name("text", names, 0));
}
