/* SPDX-License-Identifier: Apache-2.0 */
/* What is written for clients: the job object, the webhook's body, attempts, problem details. */
#include <errno.h>
#include <float.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "codec/delivery_json.h"
#include "codec/event_json.h"
#include "codec/job_json.h"
#include "codec/json_gate.h"
#include "codec/json_write.h"
#include "codec/problem.h"

#define BASE_URL "https://speech.example.org"
#define JOB_ID   "job_aaaaaaaaaaaaaaaaaaaaaaaaa00000000001"

/* One object in strict JSON, on one line. */
static void testcase_is_object(const struct buf *out)
{
    struct json_facts facts;
    struct json_fault fault = {0};

    cr_assert(buf_ok(out));
    cr_assert(json_gate(buf_str(out), out->length, &facts, &fault), "%s: %s at %zu", buf_str(out),
              fault.reason, fault.offset);
    cr_assert(facts.is_object);
    cr_assert_null(strchr(buf_str(out), '\n'));
}

static void testcase_holds(const struct buf *out, const char *part)
{
    cr_assert_not_null(strstr(buf_str(out), part), "%s is not in %s", part, buf_str(out));
}

static struct job pending_job(void)
{
    return (struct job){
        .job_id = JOB_ID,
        .status = JOB_PENDING,
        .language = (char *)(uintptr_t) "english",
        .voice = (char *)(uintptr_t) "slt",
        .speed = 1.0,
        .pitch = 1.25,
        .characters = 200,
        .queue_position = 3,
        .created_at = 1795507200123,
        .error_start = -1,
        .error_end = -1,
    };
}

static struct job completed_job(void)
{
    struct job job = pending_job();

    job.status = JOB_COMPLETED;
    job.completed_at = 1795507201000;
    job.audio = (struct audio_facts){.bytes = 32044, .samples = 20000, .sample_rate = 16000, .sha256 = "ab"};
    return job;
}

Test(json_write, strings_are_escaped_as_rfc_8259_asks)
{
    static const struct {
        const char *text;
        const char *json;
    } cases[] = {
        {NULL, "null"},
        {"", "\"\""},
        {"a\"b\\c/d", "\"a\\\"b\\\\c/d\""},
        {"\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\""},
        {"\x01x\x1F", "\"\\u0001x\\u001f\""},
        {"é😀\x7F", "\"é😀\x7F\""},
    };

    for (size_t i = 0; i < array_length(cases); i++) {
        cleanup(buf_release) struct buf out = BUF_INIT(256);

        json_string(&out, cases[i].text);
        cr_assert_str_eq(buf_str(&out), cases[i].json);
    }
}

Test(json_write, numbers_read_back_as_they_were)
{
    static const double numbers[] = {0, 1, -1, 0.1, 1.25, 1.0 / 3, 2e-7, 1e15, -1e300, 123456.789, DBL_MIN};
    static const int64_t integers[] = {0, 9, -1, INT64_MAX, INT64_MIN};

    for (size_t i = 0; i < array_length(numbers); i++) {
        cleanup(buf_release) struct buf out = BUF_INIT(64);

        json_double(&out, numbers[i]);
        cr_assert_eq(strtod(buf_str(&out), NULL), numbers[i], "%s", buf_str(&out));
    }
    for (size_t i = 0; i < array_length(integers); i++) {
        cleanup(buf_release) struct buf out = BUF_INIT(64);

        json_int(&out, integers[i]);
        cr_assert_eq(strtoll(buf_str(&out), NULL, 10), integers[i], "%s", buf_str(&out));
    }
}

Test(job_json, a_pending_job_has_every_member_of_the_contract)
{
    static const char *const members[] = {
        "\"job_id\":\"" JOB_ID "\"",
        "\"status\":\"pending\"",
        "\"message\":\"Job queued\"",
        "\"language\":\"english\"",
        "\"voice\":\"slt\"",
        "\"format\":\"wav\"",
        "\"speed\":1.0",
        "\"pitch\":1.25",
        "\"characters\":200",
        "\"progress\":0",
        "\"queue_position\":3",
        "\"created_at\":\"2026-11-24T08:00:00.123Z\"",
        "\"started_at\":null",
        "\"completed_at\":null",
        "\"expires_at\":null",
        "\"metadata\":null",
        "\"cancel_requested\":false",
        "\"audio_url\":null",
        "\"audio\":null",
        "\"timings_url\":null",
        "\"error\":null",
        "\"warnings\":null",
        "\"webhook\":{\"url\":null,\"status\":\"none\",\"attempts\":0,\"last_status_code\":null,"
        "\"last_error\":null,\"next_attempt_at\":null}",
    };
    cleanup(buf_release) struct buf out = BUF_INIT(65536);
    const struct job job = pending_job();

    job_json_render(&out, &job, BASE_URL, "Job queued");
    testcase_is_object(&out);
    for (size_t i = 0; i < array_length(members); i++)
        testcase_holds(&out, members[i]);
}

Test(job_json, a_completed_job_tells_where_its_audio_is_until_that_expires)
{
    cleanup(buf_release) struct buf out = BUF_INIT(65536);
    struct job job = completed_job();

    job.timings = true;
    job_json_render(&out, &job, BASE_URL, NULL);
    testcase_is_object(&out);
    testcase_holds(&out, "\"audio_url\":\"" BASE_URL "/v1/download/" JOB_ID "\"");
    testcase_holds(&out, "\"timings_url\":\"" BASE_URL "/v1/download/" JOB_ID ".json\"");
    testcase_holds(&out, "\"audio\":{\"bytes\":32044,\"duration_seconds\":1.25,\"sample_rate\":16000,"
                         "\"content_type\":\"audio/wav\",\"sha256\":\"ab\"}");
    testcase_holds(&out, "\"progress\":1.0");
    cr_assert_null(strstr(buf_str(&out), "message"));

    buf_clear(&out);
    job.audio_removed_at = 1795507209000;
    job_json_render(&out, &job, BASE_URL, NULL);
    testcase_holds(&out, "\"status\":\"completed\"");
    testcase_holds(&out, "\"audio_url\":null");
    testcase_holds(&out, "\"timings_url\":null");
}

Test(job_json, a_failed_job_says_which_part_of_the_text_did_it)
{
    cleanup(buf_release) struct buf out = BUF_INIT(65536);
    struct job job = pending_job();

    job.status = JOB_FAILED;
    job.error_code = (char *)(uintptr_t) "synthesis_crashed";
    job.error_message = (char *)(uintptr_t) "it \"crashed\"\n";
    job_json_render(&out, &job, BASE_URL, NULL);
    testcase_holds(&out, "\"error\":{\"code\":\"synthesis_crashed\",\"message\":\"it \\\"crashed\\\"\\n\"}");

    buf_clear(&out);
    job.error_start = 0;
    job.error_end = 17;
    job.webhook_url = (char *)(uintptr_t) "https://example.org/?a=\"";
    job.webhook_status = WEBHOOK_PENDING;
    job.webhook_attempts = 2;
    job.webhook_last_status_code = 503;
    job.webhook_last_error = (char *)(uintptr_t) "http_status";
    job_json_render(&out, &job, BASE_URL, NULL);
    testcase_is_object(&out);
    testcase_holds(&out, "\"start\":0,\"end\":17}");
    testcase_holds(&out, "\"url\":\"https://example.org/?a=\\\"\",\"status\":\"pending\",\"attempts\":2,"
                         "\"last_status_code\":503,\"last_error\":\"http_status\"");
}

Test(event_json, a_webhook_tells_what_became_of_the_job)
{
    static const char *const members[] = {
        "{\"type\":\"job.completed\"",
        "\"timestamp\":\"2026-11-24T08:00:02.000Z\"",
        "\"job_id\":\"" JOB_ID "\"",
        "\"status\":\"completed\"",
        "\"audio_url\":\"" BASE_URL "/v1/download/" JOB_ID "\"",
        "\"created_at\":\"2026-11-24T08:00:00.123Z\"",
        "\"completed_at\":\"2026-11-24T08:00:01.000Z\"",
        "\"language\":\"english\"",
        "\"voice\":\"slt\"",
        "\"format\":\"wav\"",
        "\"characters\":200",
        "\"duration_seconds\":1.25",
        "\"bytes\":32044",
        "\"error\":null",
        "\"metadata\":{\"a\":\"b\"}",
    };
    cleanup(buf_release) struct buf out = BUF_INIT(65536);
    struct job job = completed_job();
    struct error err = {""};

    job.metadata = (char *)(uintptr_t) "{\"a\":\"b\"}";
    cr_assert_eq(event_json_render(EVENT_JOB_COMPLETED, 1795507202000, &job, BASE_URL, &out, &err), 0);
    testcase_is_object(&out);
    for (size_t i = 0; i < array_length(members); i++)
        testcase_holds(&out, members[i]);
}

Test(event_json, a_cancelled_job_has_no_audio_in_its_webhook)
{
    cleanup(buf_release) struct buf out = BUF_INIT(65536);
    struct job job = pending_job();
    struct error err = {""};

    job.status = JOB_CANCELLED;
    cr_assert_eq(event_json_render(EVENT_JOB_CANCELLED, 1795507202000, &job, BASE_URL, &out, &err), 0);
    testcase_is_object(&out);
    testcase_holds(&out, "\"type\":\"job.cancelled\"");
    testcase_holds(&out, "\"audio_url\":null");
    testcase_holds(&out, "\"duration_seconds\":null");
    testcase_holds(&out, "\"bytes\":null");
}

Test(event_json, a_ping_has_the_members_of_a_job_and_they_are_null)
{
    static const char *const members[] = {
        "\"type\":\"ping\"",  "\"timestamp\":\"2026-11-24T08:00:02.000Z\"",
        "\"job_id\":null",    "\"status\":null",
        "\"audio_url\":null", "\"characters\":null",
        "\"metadata\":null",
    };
    cleanup(buf_release) struct buf out = BUF_INIT(1024);
    struct error err = {""};

    cr_assert_eq(event_json_render_ping(1795507202000, &out, &err), 0, "%s", err.text);
    testcase_is_object(&out);
    for (size_t i = 0; i < array_length(members); i++)
        testcase_holds(&out, members[i]);
}

Test(event_json, a_body_that_does_not_fit_is_an_error)
{
    cleanup(buf_release) struct buf out = BUF_INIT(100);
    const struct job job = pending_job();
    struct error err = {""};

    cr_assert(event_json_render(EVENT_JOB_FAILED, 1, &job, BASE_URL, &out, &err) < 0);
    cr_assert_neq(err.text[0], '\0');
}

Test(delivery_json, an_attempt_under_way_has_no_end_yet)
{
    static const struct delivery_view attempts[] = {
        {.attempt = 1,
         .event = EVENT_JOB_COMPLETED,
         .webhook_id = "msg_x",
         .started_at = 1795507200000,
         .duration_ms = 0,
         .status_code = 500,
         .error_code = "http_status",
         .error_message = "500",
         .response_excerpt = "oh\nno",
         .next_attempt_at = 1795507205000},
        {.attempt = 2,
         .event = EVENT_JOB_COMPLETED,
         .webhook_id = "msg_x",
         .started_at = 1,
         .duration_ms = -1},
    };
    cleanup(buf_release) struct buf out = BUF_INIT(65536);

    delivery_json_list_begin(&out);
    for (size_t i = 0; i < array_length(attempts); i++)
        delivery_json_list_add(&out, &attempts[i]);
    delivery_json_list_end(&out);
    testcase_is_object(&out);
    testcase_holds(&out,
                   "{\"deliveries\":[{\"attempt\":1,\"event\":\"job.completed\",\"webhook_id\":\"msg_x\"");
    testcase_holds(&out, "\"duration_ms\":0,");
    testcase_holds(&out, "\"status_code\":500,\"error\":{\"code\":\"http_status\",\"message\":\"500\"}");
    testcase_holds(&out, "\"response_excerpt\":\"oh\\nno\"");
    testcase_holds(&out, "\"duration_ms\":null,\"status_code\":null,\"error\":null");
}

Test(delivery_json, no_attempt_is_an_empty_list)
{
    cleanup(buf_release) struct buf out = BUF_INIT(256);

    delivery_json_list_begin(&out);
    delivery_json_list_end(&out);
    cr_assert_str_eq(buf_str(&out), "{\"deliveries\":[]}");
}

Test(problem, details_are_those_of_rfc_9457_with_all_the_faults)
{
    cleanup(buf_release) struct buf out = BUF_INIT(65536);
    struct faults faults = {0};

    fault_add(&faults, "wrong_type", "/text", "must be %s", "a \"string\"");
    fault_add(&faults, "unknown_member", "/x", "is unknown");
    problem_render(&out, PROBLEM_INVALID_REQUEST,
                   &(struct problem_details){.detail = "two things",
                                             .request_id = "req-1",
                                             .public_base_url = BASE_URL,
                                             .policy = "burst",
                                             .faults = &faults});
    testcase_is_object(&out);
    testcase_holds(&out, "\"type\":\"" BASE_URL "/docs/problems/invalid_request\"");
    testcase_holds(&out, "\"status\":422");
    testcase_holds(&out, "\"detail\":\"two things\"");
    testcase_holds(&out, "\"code\":\"invalid_request\"");
    testcase_holds(&out, "\"request_id\":\"req-1\"");
    testcase_holds(&out, "\"policy\":\"burst\"");
    testcase_holds(&out, "{\"pointer\":\"/text\",\"detail\":\"must be a \\\"string\\\"\"");
    testcase_holds(&out, "{\"pointer\":\"/x\",\"detail\":\"is unknown\"");
}

Test(problem, every_one_has_a_code_of_its_own_a_title_and_an_error_status)
{
    for (int i = 0; i < PROBLEM_COUNT; i++) {
        cleanup(buf_release) struct buf out = BUF_INIT(4096);
        const char *code = problem_code((enum problem)i);

        cr_assert(problem_status((enum problem)i) >= 400 && problem_status((enum problem)i) < 600);
        cr_assert_eq(strspn(code, "abcdefghijklmnopqrstuvwxyz_"), strlen(code));
        for (int j = 0; j < i; j++)
            cr_assert_str_neq(problem_code((enum problem)j), code);
        problem_render(
            &out, (enum problem)i,
            &(struct problem_details){.detail = "d", .request_id = "r", .public_base_url = BASE_URL});
        testcase_is_object(&out);
        cr_assert_null(strstr(buf_str(&out), "\"errors\""));
        cr_assert_null(strstr(buf_str(&out), "\"policy\""));
        cr_assert_null(strstr(buf_str(&out), "\"title\":null"));
    }
}
