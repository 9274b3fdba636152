/* SPDX-License-Identifier: Apache-2.0 */
/* The calls about jobs: create, get, list, cancel, download, deliveries. */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "api/fixture.h"
#include "base/cleanup.h"
#include "base/wake.h"

TestSuite(jobs, .init = api_setup, .fini = api_teardown);
TestSuite(jobs_apart, .init = api_prepare, .fini = api_teardown);

/* ---- creating ---- */

Test(jobs, a_job_is_in_the_database_before_its_202)
{
    static const char body[] = "{\"text\":\"Hello there.\",\"voice\":\"kal16\",\"speed\":1.5,"
                               "\"webhook_url\":\"https://example.org/hook\",\"metadata\":{\"a\":\"é\"}}";
    struct fcgi_reply reply = api_call(
        &(struct fcgi_request){.method = "POST", .uri = "/v1/tts/async", .key = api.key, .body = body});
    char location[128];
    struct error err = {""};
    struct job job = {0};

    cr_assert_eq(reply.status, 202, "%s", reply.body);
    testcase_string(&reply, "/message", "Job queued");
    testcase_string(&reply, "/status", "pending");
    testcase_string(&reply, "/metadata/a", "é");
    cr_assert_not_null(fcgi_reply_field(&reply, "Location", location, sizeof location));
    cr_assert_eq(strncmp(location, "/v1/jobs/", 9), 0);
    testcase_string(&reply, "/job_id", location + 9);
    cr_assert_eq(job_get(api.database.store, api.key_row, location + 9, &job, &err), 0);
    cr_assert_str_eq(job.voice, "kal16");
    cr_assert_eq(job.speed, 1.5);
    cr_assert_eq(job.characters, 12);
    cr_assert_str_eq(job.webhook_url, "https://example.org/hook");
    job_release(&job);
    fcgi_reply_release(&reply);
}

Test(jobs, a_body_that_cannot_be_taken_is_told_why)
{
    static char large[100002];
    static const struct {
        struct fcgi_request request;
        int status;
        const char *code;
    } cases[] = {
        {{.body = "{\"text\":\"a\""}, 400, "invalid_json"},
        {{.body = "{\"text\":\"a\",\"text\":\"b\"}"}, 400, "invalid_json"},
        {{.body = "", .length = "0"}, 400, "invalid_json"},
        {{.body = "[]"}, 422, "invalid_request"},
        {{.body = "{\"text\":\"a\",\"speed\":3}"}, 422, "invalid_request"},
        {{.body = "{\"text\":\"...\"}"}, 422, "nothing_to_speak"},
        {{.body = "{\"text\":\"a\\u0000\"}"}, 422, "invalid_request"},
        {{.body = "{\"text\":\"a\"}", .length = "20"}, 400, "incomplete_body"},
        {{.body = large}, 413, "body_too_large"},
        {{.body = "{}", .length = "99999999999999999"}, 413, "body_too_large"},
        {{.body = "{}", .length = "-1"}, 411, "length_required"},
        {{.body = "{}", .length = "2x"}, 411, "length_required"},
        {{.body = "{}", .length = "99999999999999999999999999"}, 411, "length_required"},
        {{.body = "{\"text\":\"a\"}", .content_type = "text/plain"}, 415, "unsupported_media_type"},
        {{.body = "{\"text\":\"a\"}", .content_type = ""}, 415, "unsupported_media_type"},
        {{.body = "{\"text\":\"a\"}", .content_type = "application/json; charset=latin1"},
         415,
         "unsupported_media_type"},
        {{.body = "{\"text\":\"a\"}", .fields = {{"HTTP_CONTENT_ENCODING", "gzip"}}},
         415,
         "unsupported_media_type"},
        {{.body = "{\"text\":\"a\"}", .fields = {{"HTTP_CONTENT_ENCODING", "identity"}}},
         415,
         "unsupported_media_type"},
    };

    memset(large, ' ', sizeof large - 1);
    for (size_t i = 0; i < array_length(cases); i++) {
        struct fcgi_request request = cases[i].request;

        request.method = "POST";
        request.uri = "/v1/tts/async";
        request.key = api.key;
        testcase_problem(&request, cases[i].status, cases[i].code);
    }
}

Test(jobs, the_faults_of_a_body_are_listed_with_their_pointers)
{
    struct fcgi_reply reply = api_call(&(struct fcgi_request){.method = "POST",
                                                              .uri = "/v1/tts/async",
                                                              .key = api.key,
                                                              .body = "{\"txt\":\"a\",\"speed\":\"fast\"}"});

    cr_assert_eq(reply.status, 422);
    cr_assert_not_null(strstr(reply.body, "\"pointer\":\"/txt\""));
    cr_assert_not_null(strstr(reply.body, "did you mean \\\"text\\\""));
    cr_assert_not_null(strstr(reply.body, "\"pointer\":\"/speed\""));
    cr_assert_not_null(strstr(reply.body, "\"pointer\":\"/text\""));
    fcgi_reply_release(&reply);
}

Test(jobs, a_commit_wakes_the_worker)
{
    char job_id[JOB_ID_SIZE];
    struct error err = {""};
    cleanup(close_fd) int fd = -1;
    struct pollfd poller;

    cr_assert_eq(wake_open(api.database.path, &fd, &err), 0, "%s", err.text);
    create_job("Wake up.", job_id);
    poller = (struct pollfd){.fd = fd, .events = POLLIN};
    cr_assert_eq(poll(&poller, 1, 0), 1, "the hint is sent before the reply");
}

Test(jobs_apart, a_disk_below_its_reserve_takes_no_job_and_sends_no_webhook_again)
{
    api.settings.disk_reserve = INT64_MAX;
    api_start();
    testcase_problem(
        &(struct fcgi_request){
            .method = "POST", .uri = "/v1/tts/async", .key = api.key, .body = "{\"text\":\"a\"}"},
        507, "storage_full");
    testcase_problem(
        &(struct fcgi_request){.method = "POST", .uri = "/v1/jobs/job_x/redeliver", .key = api.key}, 507,
        "storage_full");
}

/* ---- reading ---- */

Test(jobs, a_job_has_a_tag_that_saves_its_bytes)
{
    char job_id[JOB_ID_SIZE], uri[128], tag[80], weak[160];
    struct fcgi_reply reply;
    struct fcgi_request request = {.uri = uri, .key = api.key, .fields = {{"HTTP_IF_NONE_MATCH", tag}}};

    create_job("One.", job_id);
    snprintf(uri, sizeof uri, "/v1/jobs/%s", job_id);
    reply = api_call_job("GET", job_id, api.key);
    cr_assert_eq(reply.status, 200);
    testcase_field(&reply, "Retry-After", "1");
    cr_assert_not_null(fcgi_reply_field(&reply, "ETag", tag, sizeof tag));
    cr_assert_eq(tag[0], '"', "it is strong");
    fcgi_reply_release(&reply);

    reply = api_call(&request);
    cr_assert_eq(reply.status, 304);
    testcase_field(&reply, "ETag", tag);
    fcgi_reply_release(&reply);
    snprintf(weak, sizeof weak, "\"x\", W/%s", tag);
    request.fields[0][1] = weak;
    reply = api_call(&request);
    cr_assert_eq(reply.status, 304, "If-None-Match compares weakly");
    testcase_field(&reply, "Cache-Control", "private, no-cache");
    fcgi_reply_release(&reply);

    finish_job(&outcome_completed);
    request.fields[0][1] = tag;
    reply = api_call(&request);
    cr_assert_eq(reply.status, 200, "another revision has another tag");
    cr_assert_null(fcgi_reply_field(&reply, "Retry-After", weak, sizeof weak), "it will not change again");
    testcase_string(&reply, "/status", "completed");
    fcgi_reply_release(&reply);
}

Test(jobs, a_head_has_the_fields_of_a_get_and_no_body)
{
    struct fcgi_reply get = api_call(&(struct fcgi_request){.uri = "/healthz"});
    struct fcgi_reply head = api_call(&(struct fcgi_request){.uri = "/healthz", .method = "HEAD"});
    char length[32];

    cr_assert_eq(head.status, 200);
    cr_assert_eq(head.body_size, 0);
    testcase_field(&head, "Content-Length", fcgi_reply_field(&get, "Content-Length", length, sizeof length));
    fcgi_reply_release(&get);
    fcgi_reply_release(&head);
}

Test(jobs, another_keys_job_and_one_that_never_was_are_the_same)
{
    char job_id[JOB_ID_SIZE], never[JOB_ID_SIZE], uri[2][128];
    static const char *const methods[] = {"GET", "DELETE"};

    create_job("Mine.", job_id);
    memcpy(never, job_id, sizeof never);
    never[5] = never[5] == 'x' ? 'y' : 'x'; /* the same number under another random part */
    snprintf(uri[0], sizeof uri[0], "/v1/jobs/%s", job_id);
    snprintf(uri[1], sizeof uri[1], "/v1/jobs/%s", never);
    for (size_t i = 0; i < array_length(methods); i++) {
        struct fcgi_request request = {
            .method = methods[i], .key = api.other_key, .fields = {{"HTTP_X_REQUEST_ID", "same"}}};
        struct fcgi_reply replies[2];

        for (int j = 0; j < 2; j++) {
            request.uri = uri[j];
            replies[j] = api_call(&request);
            cr_assert_eq(replies[j].status, 404);
        }
        cr_assert_str_eq(replies[0].head, replies[1].head);
        cr_assert_str_eq(replies[0].body, replies[1].body);
        fcgi_reply_release(&replies[0]);
        fcgi_reply_release(&replies[1]);
    }
}

/* Counts the jobs of a page, and takes its cursor. */
static int read_page(const char *uri, char ret_cursor[64])
{
    struct fcgi_reply reply = api_call(&(struct fcgi_request){.uri = uri, .key = api.key});
    struct json_document *document;
    const char *cursor;
    char pointer[32], link[512];
    int count = 0;

    cr_assert_eq(reply.status, 200, "%s", reply.body);
    document = read_json(&reply);
    for (;; count++) {
        snprintf(pointer, sizeof pointer, "/jobs/%d/job_id", count);
        if (json_read_string(document, pointer) == NULL)
            break;
    }
    cursor = json_read_string(document, "/next_cursor");
    snprintf(ret_cursor, 64, "%s", cursor != NULL ? cursor : "");
    cr_assert_eq(cursor != NULL, fcgi_reply_field(&reply, "Link", link, sizeof link) != NULL);
    if (cursor != NULL) {
        cr_assert_not_null(strstr(link, cursor), "%s", link);
        cr_assert_not_null(strstr(link, "; rel=\"next\""), "%s", link);
    }
    json_read_free(document);
    fcgi_reply_release(&reply);
    return count;
}

Test(jobs, pages_hold_every_job_once)
{
    char job_id[JOB_ID_SIZE], cursor[64], uri[256];

    cr_assert_eq(read_page("/v1/jobs", cursor), 0);
    for (int i = 0; i < 5; i++)
        create_job("Some text.", job_id);
    cr_assert_eq(read_page("/v1/jobs", cursor), 5);
    cr_assert_str_eq(cursor, "");
    cr_assert_eq(read_page("/v1/jobs?limit=2&status=pending&status=failed", cursor), 2);
    snprintf(uri, sizeof uri, "/v1/jobs?limit=2&cursor=%s", cursor);
    cr_assert_eq(read_page(uri, cursor), 2);
    snprintf(uri, sizeof uri, "/v1/jobs?limit=2&cursor=%s", cursor);
    cr_assert_eq(read_page(uri, cursor), 1);
    cr_assert_str_eq(cursor, "");
    cr_assert_eq(read_page("/v1/jobs?status=completed", cursor), 0);
    cr_assert_eq(read_page("/v1/jobs?created_after=2000-01-01T00:00:00Z", cursor), 5);
    cr_assert_eq(read_page("/v1/jobs?created_before=2000-01-01T00%3A00%3A00%2B01:00", cursor), 0);
}

Test(jobs, a_wrong_parameter_is_named)
{
    static const char *const wrong[] = {
        "limit=0",
        "limit=101",
        "limit=x",
        "limit=",
        "limit=1&limit=2",
        "status=Pending",
        "status=",
        "cursor=x",
        "cursor=c00000000000",
        "colour=red",
        "created_after=yesterday",
        "created_before=2026-02-30T00:00:00Z",
        "limit=%zz",
        "limit=%",
        "=",
        "limit=1%00",
        "a=&b=&c=&d=&e=&f=&g=&h=&i=&j=&k=&l=&m=&n=&o=&p=&q=",
    };

    for (size_t i = 0; i < array_length(wrong); i++) {
        char uri[256];

        snprintf(uri, sizeof uri, "/v1/jobs?%s", wrong[i]);
        testcase_problem(&(struct fcgi_request){.uri = uri, .key = api.key}, 400, "invalid_parameter");
    }
}

/* ---- cancelling, downloading ---- */

Test(jobs, a_pending_job_is_cancelled_at_once_and_again)
{
    char job_id[JOB_ID_SIZE];

    create_job("Never mind.", job_id);
    for (int i = 0; i < 2; i++) {
        struct fcgi_reply reply = api_call_job("DELETE", job_id, api.key);

        cr_assert_eq(reply.status, 200);
        testcase_string(&reply, "/status", "cancelled");
        fcgi_reply_release(&reply);
    }
}

Test(jobs, a_running_job_is_asked_to_stop)
{
    char job_id[JOB_ID_SIZE];
    struct job job = {0};
    struct fcgi_reply reply;

    create_job("Going on.", job_id);
    cr_assert_eq(database_claim(&api.database, database_join(&api.database), &job), 0);
    reply = api_call_job("DELETE", job_id, api.key);
    cr_assert_eq(reply.status, 202);
    testcase_string(&reply, "/status", "processing");
    cr_assert_not_null(strstr(reply.body, "\"cancel_requested\":true"));
    fcgi_reply_release(&reply);
    job_release(&job);
}

Test(jobs, a_job_that_has_ended_cannot_be_cancelled)
{
    char job_id[JOB_ID_SIZE];
    struct fcgi_reply reply;

    create_job("Done.", job_id);
    finish_job(&outcome_completed);
    reply = api_call_job("DELETE", job_id, api.key);
    cr_assert_eq(reply.status, 409);
    testcase_string(&reply, "/code", "job_not_cancellable");
    fcgi_reply_release(&reply);
}

Test(jobs, a_download_that_is_no_file_says_why)
{
    char job_id[JOB_ID_SIZE], uri[128], timings[128], after[16];
    struct fcgi_reply reply;

    testcase_problem(&(struct fcgi_request){.uri = "/v1/download/job_x"}, 404, "not_found");
    create_job("One.", job_id);
    snprintf(uri, sizeof uri, "/v1/download/%s", job_id);
    snprintf(timings, sizeof timings, "/v1/download/%s.json", job_id);
    reply = api_call(&(struct fcgi_request){.uri = uri});
    cr_assert_eq(reply.status, 409);
    testcase_string(&reply, "/code", "audio_not_ready");
    cr_assert_not_null(fcgi_reply_field(&reply, "Retry-After", after, sizeof after));
    fcgi_reply_release(&reply);
    testcase_problem(&(struct fcgi_request){.uri = timings}, 409, "audio_not_ready");
    finish_job(&outcome_failed);
    testcase_problem(&(struct fcgi_request){.uri = uri}, 410, "job_failed");

    create_job("Two.", job_id);
    snprintf(uri, sizeof uri, "/v1/download/%s", job_id);
    reply = api_call_job("DELETE", job_id, api.key);
    fcgi_reply_release(&reply);
    testcase_problem(&(struct fcgi_request){.uri = uri}, 410, "job_cancelled");
}

Test(jobs, a_job_without_a_webhook_has_no_deliveries)
{
    char job_id[JOB_ID_SIZE], uri[128];
    struct fcgi_reply reply;

    create_job("One.", job_id);
    snprintf(uri, sizeof uri, "/v1/jobs/%s/deliveries", job_id);
    reply = api_call(&(struct fcgi_request){.uri = uri, .key = api.key});
    cr_assert_eq(reply.status, 200);
    cr_assert_str_eq(reply.body, "{\"deliveries\":[]}");
    fcgi_reply_release(&reply);
    testcase_problem(&(struct fcgi_request){.uri = uri, .key = api.other_key}, 404, "not_found");
}
