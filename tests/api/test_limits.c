/* SPDX-License-Identifier: Apache-2.0 */
/* What a key may use, as clients see it; requests that are repeated. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "api/fixture.h"
#include "base/cleanup.h"

static void setup(void)
{
    api_prepare();
    api.settings.rate_limit_requests = 1;
    api.settings.rate_limit_burst = 3;
    api.settings.max_pending_jobs = 100;
    api.settings.max_chars_per_day = 1000;
    api_start();
}

TestSuite(limits, .init = setup, .fini = api_teardown);
TestSuite(idempotency, .init = api_setup, .fini = api_teardown);

static struct fcgi_reply testcase_create(const char *body, const char *idempotency_key)
{
    struct fcgi_request request = {.method = "POST", .uri = "/v1/tts/async", .key = api.key, .body = body};

    if (idempotency_key != NULL) {
        request.fields[0][0] = "HTTP_IDEMPOTENCY_KEY";
        request.fields[0][1] = idempotency_key;
    }
    return api_call(&request);
}

static void testcase_holds(const struct fcgi_reply *reply, const char *name, const char *part)
{
    char value[512];

    cr_assert_not_null(fcgi_reply_field(reply, name, value, sizeof value), "%s", name);
    cr_assert_not_null(strstr(value, part), "%s: %s", name, value);
}

Test(limits, every_answer_to_a_key_tells_what_is_left)
{
    struct fcgi_reply reply = testcase_create("{\"text\":\"Hello.\"}", NULL);

    cr_assert_eq(reply.status, 202, "%s", reply.body);
    testcase_holds(&reply, "RateLimit-Policy", "\"burst\";q=3;w=3, \"pending_jobs\";q=100, ");
    testcase_holds(&reply, "RateLimit-Policy", "\"day_chars\";q=1000;w=86400");
    testcase_holds(&reply, "RateLimit", "\"burst\";r=2;t=1, \"pending_jobs\";r=99, ");
    testcase_holds(&reply, "RateLimit", "\"day_chars\";r=994;t=");
    fcgi_reply_release(&reply);
    reply = api_call(&(struct fcgi_request){.method = "GET", .uri = "/v1/jobs", .key = api.key});
    testcase_holds(&reply, "RateLimit", "\"burst\";r=");
    fcgi_reply_release(&reply);
    reply = api_call(&(struct fcgi_request){.method = "GET", .uri = "/v1/voices", .key = "wrong"});
    cr_assert_eq(reply.status, 401);
    cr_assert_null(strstr(reply.head, "RateLimit"));
    fcgi_reply_release(&reply);
}

Test(limits, a_429_names_the_limit_and_when_to_come_again)
{
    struct fcgi_reply reply;

    for (int i = 0; i < 3; i++) {
        reply = testcase_create("{\"text\":\"Hello.\"}", NULL);
        cr_assert_eq(reply.status, 202, "%s", reply.body);
        fcgi_reply_release(&reply);
    }
    reply = testcase_create("{\"text\":\"Hello.\"}", NULL);
    cr_assert_eq(reply.status, 429, "%s", reply.body);
    testcase_string(&reply, "/code", "rate_limited");
    testcase_string(&reply, "/policy", "burst");
    testcase_field(&reply, "Retry-After", "1");
    testcase_holds(&reply, "RateLimit", "\"burst\";r=0;t=3");
    fcgi_reply_release(&reply);
}

Test(limits, a_quota_is_told_apart_from_the_rate)
{
    static char body[1200];
    struct fcgi_reply reply;

    memset(body, 'a', sizeof body);
    memcpy(body, "{\"text\":\"", 9);
    memcpy(body + sizeof body - 3, "\"}", 3);
    reply = testcase_create(body, NULL);
    cr_assert_eq(reply.status, 429, "%s", reply.body);
    testcase_string(&reply, "/code", "quota_exceeded");
    testcase_string(&reply, "/policy", "day_chars");
    cr_assert_not_null(strstr(reply.body, "it never fits, and has to be split"), "%s", reply.body);
    fcgi_reply_release(&reply);
    reply = testcase_create("{\"text\":\"Short.\"}", NULL);
    cr_assert_eq(reply.status, 202, "a shorter text still fits: %s", reply.body);
    fcgi_reply_release(&reply);
}

Test(limits, usage_is_what_the_key_has_left)
{
    struct fcgi_reply reply = testcase_create("{\"text\":\"Hello.\"}", NULL);

    cr_assert_eq(reply.status, 202);
    fcgi_reply_release(&reply);
    reply = api_call(&(struct fcgi_request){.method = "GET", .uri = "/v1/usage", .key = api.key});
    cr_assert_eq(reply.status, 200);
    testcase_string(&reply, "/limits/0/name", "burst");
    testcase_string(&reply, "/limits/1/name", "pending_jobs");
    cr_assert_not_null(
        strstr(reply.body, "{\"name\":\"pending_jobs\",\"unit\":\"jobs\",\"limit\":100,\"remaining\":99}"));
    cr_assert_not_null(strstr(reply.body, "\"limit\":1000,\"remaining\":994,\"window_seconds\":86400,"));
    fcgi_reply_release(&reply);
}

/* ---- requests that are repeated ---- */

Test(idempotency, a_repeated_request_gets_the_first_answer_again)
{
    static const char body[] = "{\"text\":\"Hello.\"}";
    struct fcgi_reply first = testcase_create(body, "\"order-1\""), again = testcase_create(body, "order-1");
    char location[128];

    cr_assert_eq(first.status, 202, "%s", first.body);
    cr_assert_null(strstr(first.head, "Idempotent-Replayed"));
    cr_assert_eq(again.status, 202, "%s", again.body);
    testcase_field(&again, "Idempotent-Replayed", "true");
    cr_assert_str_eq(again.body, first.body);
    cr_assert_not_null(fcgi_reply_field(&first, "Location", location, sizeof location));
    testcase_field(&again, "Location", location);
    cr_assert_eq(database_count(&api.database, "SELECT count(*) FROM jobs"), 1);
    fcgi_reply_release(&first);
    fcgi_reply_release(&again);
}

Test(idempotency, the_first_answer_comes_again_when_the_job_has_gone_on)
{
    static const char body[] = "{\"text\":\"Hello.\"}";
    struct fcgi_reply first = testcase_create(body, "order-1"), again;

    finish_job(&outcome_completed);
    again = testcase_create(body, "order-1");
    cr_assert_eq(again.status, 202);
    cr_assert_str_eq(again.body, first.body);
    fcgi_reply_release(&first);
    fcgi_reply_release(&again);
}

Test(idempotency, the_same_key_with_another_body_is_refused)
{
    struct fcgi_reply reply = testcase_create("{\"text\":\"Hello.\"}", "order-1");

    cr_assert_eq(reply.status, 202);
    fcgi_reply_release(&reply);
    reply = testcase_create("{\"text\":\"Goodbye.\"}", "order-1");
    cr_assert_eq(reply.status, 422, "%s", reply.body);
    testcase_string(&reply, "/code", "idempotency_key_reused");
    cr_assert_eq(database_count(&api.database, "SELECT count(*) FROM jobs"), 1);
    fcgi_reply_release(&reply);
}

Test(idempotency, a_request_that_was_refused_used_no_key)
{
    struct fcgi_reply reply = testcase_create("{\"text\":\"\"}", "order-1");

    cr_assert_eq(reply.status, 422, "%s", reply.body);
    fcgi_reply_release(&reply);
    reply = testcase_create("{\"text\":\"Hello.\"}", "order-1");
    cr_assert_eq(reply.status, 202, "%s", reply.body);
    fcgi_reply_release(&reply);
}

Test(idempotency, a_key_that_is_none_is_refused)
{
    static char longer[257];
    const char *const keys[] = {"\"\"", "\"open", "caf\xc3\xa9", longer};

    memset(longer, 'a', sizeof longer - 1);
    for (size_t i = 0; i < array_length(keys); i++) {
        struct fcgi_reply reply = testcase_create("{\"text\":\"Hello.\"}", keys[i]);

        cr_assert_eq(reply.status, 400, "%s: %s", keys[i], reply.body);
        testcase_string(&reply, "/code", "invalid_header");
        fcgi_reply_release(&reply);
    }
}
