/* SPDX-License-Identifier: Apache-2.0 */
/* GET /metrics: who may read it, and what it says. */
#include <string.h>

#include <criterion/criterion.h>

#include "api/fixture.h"
#include "base/cleanup.h"

TestSuite(metrics, .init = api_setup, .fini = api_teardown);
TestSuite(metrics_for_others, .fini = api_teardown);

static struct fcgi_reply read_from(const char *method, const char *address)
{
    const struct fcgi_request request = {.method = method, .uri = "/metrics", .address = address};

    return fcgi_call_once(api.socket, &request);
}

static void testcase_shown_to(const char *address)
{
    struct fcgi_reply reply = read_from("GET", address);

    cr_assert_eq(reply.status, 200, "%s: %s", address, reply.body);
    testcase_field(&reply, "Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    testcase_field(&reply, "Cache-Control", "no-store");
    cr_assert_not_null(strstr(reply.body, "\nsayhook_build_info{version=\"" PACKAGE_VERSION "\"} 1\n"));
    fcgi_reply_release(&reply);
}

static void testcase_refused_to(const char *address)
{
    testcase_problem(&(struct fcgi_request){.uri = "/metrics", .key = api.key, .address = address}, 403,
                     "forbidden");
}

static void testcase_shows(const char *line)
{
    struct fcgi_reply reply = read_from("GET", "127.0.0.1");

    cr_assert_not_null(strstr(reply.body, line), "no %s in %s", line, reply.body);
    fcgi_reply_release(&reply);
}

Test(metrics, they_are_for_the_machine_itself_whatever_a_client_says_of_its_address)
{
    testcase_shown_to("127.0.0.1");
    testcase_shown_to("::1");
    testcase_shown_to("::ffff:127.0.0.1");
    testcase_refused_to("192.0.2.1");
    testcase_refused_to("2001:db8::1");
    testcase_refused_to("unix:");
    testcase_problem(&(struct fcgi_request){.uri = "/metrics",
                                            .address = "192.0.2.1",
                                            .fields = {{"HTTP_X_FORWARDED_FOR", "127.0.0.1"},
                                                       {"HTTP_X_REAL_IP", "127.0.0.1"},
                                                       {"HTTP_FORWARDED", "for=127.0.0.1"}}},
                     403, "forbidden");
}

Test(metrics, a_head_has_the_fields_alone)
{
    struct fcgi_reply reply = read_from("HEAD", "127.0.0.1");

    cr_assert_eq(reply.status, 200);
    cr_assert_eq(reply.body_size, 0);
    testcase_field(&reply, "Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    fcgi_reply_release(&reply);
}

Test(metrics, they_tell_of_jobs_as_soon_as_those_are_committed)
{
    char job_id[JOB_ID_SIZE];

    testcase_shows("\njob_queue_length 0\n");
    create_job("Hello.", job_id);
    testcase_shows("\njob_queue_length 1\n");
    testcase_shows("job_status_total{status=\"pending\"} 1\n");
    finish_job(&outcome_completed);
    testcase_shows("\njob_queue_length 0\n");
    testcase_shows("job_status_total{status=\"completed\"} 1\n");
    testcase_shows("\njob_processing_duration_seconds_count 1\n");
}

Test(metrics, a_check_of_readiness_is_a_write_that_is_counted)
{
    struct fcgi_reply reply = fcgi_call_once(api.socket, &(struct fcgi_request){.uri = "/readyz"});

    cr_assert_eq(reply.status, 503, "there is no worker");
    fcgi_reply_release(&reply);
    testcase_shows("\nreadiness_check_total 1\n");
}

Test(metrics_for_others, the_setting_says_for_whom_they_are)
{
    api_prepare();
    free(api.settings.metrics_allow_cidrs.items[0]);
    api.settings.metrics_allow_cidrs.items[0] = strdup("192.0.2.0/24");
    api_start();
    testcase_shown_to("192.0.2.1");
    testcase_shown_to("::1");
    testcase_refused_to("127.0.0.1");
    testcase_refused_to("192.0.3.1");
}
