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

static void testcase_hides(const char *line)
{
    struct fcgi_reply reply = read_from("GET", "127.0.0.1");

    cr_assert_eq(reply.status, 200);
    cr_assert_null(strstr(reply.body, line), "%s is in %s", line, reply.body);
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

Test(metrics, every_request_counts_under_its_route_and_the_status_of_its_answer)
{
    char job_id[JOB_ID_SIZE];
    struct fcgi_reply reply;

    create_job("Hello.", job_id);
    for (int i = 0; i < 2; i++) {
        reply = fcgi_call_once(api.socket,
                               &(struct fcgi_request){.method = i == 0 ? "GET" : "HEAD", .uri = "/healthz"});
        fcgi_reply_release(&reply);
    }
    reply = api_call_job("GET", job_id, api.other_key);
    fcgi_reply_release(&reply);
    testcase_problem(&(struct fcgi_request){.uri = "/nothing"}, 404, "not_found");
    testcase_problem(&(struct fcgi_request){.method = "PUT", .uri = "/v1/jobs"}, 405, "method_not_allowed");
    testcase_shows("sayhook_http_requests_total{route=\"POST /v1/tts/async\",status=\"202\"} 1\n");
    testcase_shows("sayhook_http_requests_total{route=\"GET /healthz\",status=\"200\"} 2\n");
    testcase_shows("sayhook_http_requests_total{route=\"GET /v1/jobs/*\",status=\"404\"} 1\n");
    testcase_shows("sayhook_http_requests_total{route=\"other\",status=\"404\"} 1\n");
    testcase_shows("sayhook_http_requests_total{route=\"other\",status=\"405\"} 1\n");
    testcase_shows("sayhook_http_requests_total{route=\"GET /v1/usage\",status=\"200\"} 0\n");
    testcase_shows("sayhook_http_request_duration_seconds_count{route=\"GET /healthz\"} 2\n");
    testcase_shows("sayhook_http_request_duration_seconds_bucket{route=\"other\",le=\"+Inf\"} 2\n");
}

Test(metrics, they_are_shown_though_the_database_takes_no_writes)
{
    database_execute(&api.database,
                     "CREATE TRIGGER t BEFORE INSERT ON metrics BEGIN SELECT raise(ABORT, 'full'); END");
    testcase_shows("\nsayhook_build_info{version=\"" PACKAGE_VERSION "\"} 1\n");
    testcase_shows("sayhook_http_requests_total{route=\"GET /metrics\",status=\"200\"} 0\n");
}

Test(metrics, what_is_looked_at_is_what_there_is)
{
    int64_t worker;
    char job_id[JOB_ID_SIZE];

    testcase_shows("\nsayhook_workers 0\n");
    testcase_shows("\nsayhook_worker_heartbeat_age_seconds +Inf\n");
    testcase_shows("\nsayhook_job_oldest_pending_age_seconds 0\n");
    worker = database_join(&api.database);
    cr_assert_gt(worker, 0);
    create_job("Hello.", job_id);
    testcase_hides("\nsayhook_worker_heartbeat_age_seconds +Inf\n");
    testcase_shows("\nsayhook_workers 0\n"); /* nobody holds its lock */
    testcase_hides("\nsayhook_job_oldest_pending_age_seconds 0\n");
    testcase_hides("\nsayhook_database_bytes 0\n");
    testcase_hides("\nsayhook_wal_bytes 0\n");
    testcase_hides("\nsayhook_disk_free_bytes{disk=\"database\"} 0\n");
    testcase_hides("\nsayhook_disk_free_bytes{disk=\"database\"} NaN\n");
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
