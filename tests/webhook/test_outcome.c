/* SPDX-License-Identifier: Apache-2.0 */
#include "webhook/outcome.h"

#include <criterion/criterion.h>

#include "base/cleanup.h"

#define NOW 1000000

static const struct settings settings = {.webhook_retry_schedule = {.count = 2, .items_ms = {0, 5000}}};

static struct send_result answer(int status)
{
    return (struct send_result){
        .status_code = status,
        .error_code = status / 100 == 2 ? NULL : DELIVERY_HTTP_STATUS,
    };
}

static struct attempt_result follow(const struct send_result *sent, int64_t number)
{
    struct attempt_result record;

    outcome_make(&settings, sent, number, NOW, 0, &record);
    return record;
}

Test(outcome, a_success_is_delivered_and_a_failure_planned_again_while_the_schedule_lasts)
{
    const struct send_result taken = answer(204), failed = answer(500);

    cr_expect_eq(follow(&taken, 1).status, WEBHOOK_DELIVERED);
    cr_expect_eq(follow(&failed, 1).status, WEBHOOK_PENDING);
    cr_expect_eq(follow(&failed, 1).next_attempt_at, NOW + 4500);
    cr_expect_eq(follow(&failed, 2).status, WEBHOOK_FAILED);
}

Test(outcome, gone_and_forbidden_are_final)
{
    const struct send_result gone = answer(410),
                             forbidden = {.error_code = DELIVERY_BLOCKED_ADDRESS, .forbidden = true};

    cr_expect_eq(follow(&gone, 1).status, WEBHOOK_FAILED);
    cr_expect_eq(follow(&forbidden, 1).status, WEBHOOK_FAILED);
}

Test(outcome, what_could_not_be_judged_is_tried_again)
{
    const struct send_result unknown = {.error_code = DELIVERY_BLOCKED_ADDRESS};

    cr_expect_eq(follow(&unknown, 1).status, WEBHOOK_PENDING);
    cr_expect_eq(follow(&unknown, 1).next_attempt_at, NOW + 4500);
}

Test(outcome, any_failure_may_ask_for_a_pause_of_at_most_a_day)
{
    struct send_result sent = answer(404);

    sent.retry_after_s = 120;
    cr_expect_eq(follow(&sent, 1).pause_until, NOW + 120000);
    sent.retry_after_s = INT64_MAX;
    cr_expect_eq(follow(&sent, 1).pause_until, NOW + 86400000);
    sent.retry_after_s = 0;
    cr_expect_eq(follow(&sent, 1).pause_until, 0);
    sent = answer(200);
    sent.retry_after_s = 120;
    cr_expect_eq(follow(&sent, 1).pause_until, 0, "a success asks for nothing");
}

Test(outcome, what_an_end_tells_of_the_receiver)
{
    static const struct {
        const char *error;
        int status;
        bool tells;
        enum health_event event;
    } cases[] = {
        {NULL, 200, true, HEALTH_TAKEN},
        {DELIVERY_HTTP_STATUS, 302, true, HEALTH_TAKEN},
        {DELIVERY_HTTP_STATUS, 404, true, HEALTH_TAKEN},
        {DELIVERY_HTTP_STATUS, 408, true, HEALTH_TIMED_OUT},
        {DELIVERY_HTTP_STATUS, 429, true, HEALTH_OVERLOADED},
        {DELIVERY_HTTP_STATUS, 500, true, HEALTH_FAILED},
        {DELIVERY_HTTP_STATUS, 502, true, HEALTH_OVERLOADED},
        {DELIVERY_HTTP_STATUS, 503, true, HEALTH_OVERLOADED},
        {DELIVERY_HTTP_STATUS, 504, true, HEALTH_OVERLOADED},
        {DELIVERY_TIMEOUT, 0, true, HEALTH_TIMED_OUT},
        {DELIVERY_CONNECTION_REFUSED, 0, true, HEALTH_FAILED},
        {DELIVERY_TLS_FAILED, 0, true, HEALTH_FAILED},
        {DELIVERY_INTERRUPTED, 0, false, HEALTH_TAKEN},
        {DELIVERY_BLOCKED_ADDRESS, 0, false, HEALTH_TAKEN},
        {DELIVERY_BLOCKED_PORT, 0, false, HEALTH_TAKEN},
    };

    for (size_t i = 0; i < array_length(cases); i++) {
        const struct send_result sent = {.error_code = cases[i].error, .status_code = cases[i].status};
        enum health_event event = HEALTH_TAKEN;

        cr_expect_eq(outcome_tells(&sent, &event), cases[i].tells, "%s %d", cases[i].error, cases[i].status);
        cr_expect_eq(event, cases[i].event, "%s %d", cases[i].error, cases[i].status);
    }
}
