/* SPDX-License-Identifier: Apache-2.0 */
/* Prefer: wait on GET /v1/jobs/{job_id}. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "api/fixture.h"
#include "api/wait.h"
#include "base/cleanup.h"

TestSuite(wait, .init = api_setup, .fini = api_teardown);

/* Long enough for any machine, and no test passes by being faster. */
#define PATIENCE_MS 60000

/* A machine that does nothing for so long has nothing left to do: what should stay silent would have spoken.
 */
#define SILENCE_MS 300

/*
 * A GET of a job on a connection of its own, sent and not yet answered.  Kept, as nginx does: libfcgi would
 * wait for seconds for a client to close first that reads another's answer meanwhile.
 */
static int ask(const char *job_id, const char *prefer, const char *tag)
{
    char uri[128];
    int fd = fcgi_connect(api.socket);

    cr_assert(fd >= 0);
    snprintf(uri, sizeof uri, "/v1/jobs/%s", job_id);
    fcgi_send(fd, &(struct fcgi_request){
                      .uri = uri,
                      .key = api.key,
                      .keep = true,
                      .fields = {{"HTTP_PREFER", prefer}, {tag != NULL ? "HTTP_IF_NONE_MATCH" : NULL, tag}}});
    return fd;
}

static bool is_answered(int fd, int patience_ms)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};

    return poll(&one, 1, patience_ms) == 1;
}

/* Reads the answer to ask(), and closes. */
static struct fcgi_reply answer(int fd)
{
    struct fcgi_reply reply;

    cr_assert(is_answered(fd, PATIENCE_MS), "no answer");
    reply = fcgi_receive(fd);
    cr_assert(reply.ended);
    close(fd);
    return reply;
}

static bool is_applied(const struct fcgi_reply *reply)
{
    char applied[64];

    return fcgi_reply_field(reply, "Preference-Applied", applied, sizeof applied) != NULL;
}

/* The answer to ask() is this state. */
static void testcase_answer(int fd, const char *status, const char *applied)
{
    struct fcgi_reply reply = answer(fd);

    cr_assert_eq(reply.status, 200, "%s", reply.body);
    testcase_string(&reply, "/status", status);
    if (applied != NULL)
        testcase_field(&reply, "Preference-Applied", applied);
    else
        cr_assert_not(is_applied(&reply));
    fcgi_reply_release(&reply);
}

static struct job claim(void)
{
    struct job job = {0};

    cr_assert_eq(database_claim(&api.database, database_join(&api.database), &job), 0);
    return job;
}

static void set_progress(const struct job *job, int64_t spoken)
{
    struct error err = {""};

    cr_assert_eq(store_begin(api.database.store, "test", &err), 0);
    cr_assert_eq(job_progress_set(api.database.store, job->id, job->epoch, spoken, &err), 0);
    cr_assert_eq(store_commit(api.database.store, &err), 0);
}

Test(wait, it_answers_as_soon_as_the_state_is_another)
{
    char job_id[JOB_ID_SIZE];
    struct job job;
    int fd;

    create_job("Some text.", job_id);
    fd = ask(job_id, "wait=30", NULL);
    cr_assert_not(is_answered(fd, SILENCE_MS));
    job = claim();
    testcase_answer(fd, "processing", "wait=30");
    fd = ask(job_id, "respond-async, wait=30", NULL);
    set_progress(&job, 3);
    cr_assert_not(is_answered(fd, SILENCE_MS), "progress is no change of state");
    database_finish(&api.database, &job, &outcome_completed);
    testcase_answer(fd, "completed", "wait=30");
    job_release(&job);
}

Test(wait, a_state_that_changes_before_the_first_look_is_seen)
{
    char job_id[JOB_ID_SIZE];
    struct job job;

    for (int i = 0; i < 20; i++) {
        int fd;

        create_job("Some text.", job_id);
        fd = ask(job_id, "wait=30", NULL);
        job = claim(); /* while the request is on its way through the threads */
        testcase_answer(fd, "processing", "wait=30");
        fd = ask(job_id, "wait=30", NULL);
        database_finish(&api.database, &job, &outcome_failed);
        testcase_answer(fd, "failed", "wait=30");
        job_release(&job);
    }
}

Test(wait, what_has_ended_is_answered_at_once)
{
    char job_id[JOB_ID_SIZE];

    create_job("Some text.", job_id);
    finish_job(&outcome_completed);
    testcase_answer(ask(job_id, "wait=20", NULL), "completed", "wait=20");
    testcase_answer(ask(job_id, "wait=31", NULL), "completed", "wait=30");
    testcase_answer(ask(job_id, "wait=99999999999999999999", NULL), "completed", "wait=30");
    testcase_answer(ask(job_id, "wait", NULL), "completed", NULL);
    testcase_answer(ask(job_id, "wait=soon", NULL), "completed", NULL);
    testcase_answer(ask(job_id, "wait=-1", NULL), "completed", NULL);
}

Test(wait, when_the_time_is_over_the_job_is_told_as_it_is)
{
    char job_id[JOB_ID_SIZE], tag[64];
    struct fcgi_reply reply;

    create_job("Some text.", job_id);
    testcase_answer(ask(job_id, "wait=0", NULL), "pending", "wait=0");
    testcase_answer(ask(job_id, "wait=1", NULL), "pending", "wait=1");
    reply = api_call_job("GET", job_id, api.key);
    cr_assert_not_null(fcgi_reply_field(&reply, "ETag", tag, sizeof tag));
    fcgi_reply_release(&reply);
    reply = answer(ask(job_id, "wait=1", tag));
    cr_assert_eq(reply.status, 304);
    testcase_field(&reply, "ETag", tag);
    testcase_field(&reply, "Preference-Applied", "wait=1");
    fcgi_reply_release(&reply);
}

Test(wait, a_tag_of_the_state_before_gives_the_new_one)
{
    char job_id[JOB_ID_SIZE], tag[64];
    struct fcgi_reply reply;
    int fd;

    create_job("Some text.", job_id);
    reply = api_call_job("GET", job_id, api.key);
    cr_assert_not_null(fcgi_reply_field(&reply, "ETag", tag, sizeof tag));
    fcgi_reply_release(&reply);
    fd = ask(job_id, "wait=30", tag);
    finish_job(&outcome_completed);
    /* One look may see both changes, or each in turn. */
    reply = answer(fd);
    cr_assert_eq(reply.status, 200);
    cr_assert_null(strstr(reply.body, "\"status\":\"pending\""));
    fcgi_reply_release(&reply);
}

Test(wait, those_that_wait_keep_no_thread)
{
    char job_id[JOB_ID_SIZE];
    int fds[20]; /* the fixture's API has four threads */
    struct fcgi_reply reply;

    create_job("Some text.", job_id);
    for (size_t i = 0; i < array_length(fds); i++)
        fds[i] = ask(job_id, "wait=30", NULL);
    for (int i = 0; i < 20; i++) {
        reply = api_call_job("GET", job_id, api.key);
        cr_assert_eq(reply.status, 200);
        fcgi_reply_release(&reply);
    }
    for (size_t i = 0; i < array_length(fds); i++)
        cr_assert_not(is_answered(fds[i], 0));
    reply = api_call_job("DELETE", job_id, api.key);
    fcgi_reply_release(&reply);
    for (size_t i = 0; i < array_length(fds); i++)
        testcase_answer(fds[i], "cancelled", "wait=30");
}

/* Of those that ask the index of one that was answered; fails where none is. */
static size_t first_answered(const int *fds, size_t count)
{
    struct pollfd polled[WAITS_OF_KEY_MAX + 1];
    size_t i;

    for (i = 0; i < count; i++)
        polled[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
    cr_assert_eq(poll(polled, count, PATIENCE_MS), 1, "exactly one is answered");
    for (i = 0; polled[i].revents == 0; i++)
        ;
    return i;
}

Test(wait, one_more_than_may_wait_is_answered_at_once)
{
    char job_id[JOB_ID_SIZE];
    int fds[WAITS_OF_KEY_MAX + 1];
    size_t refused;
    struct fcgi_reply reply;

    create_job("Some text.", job_id);
    for (size_t i = 0; i < array_length(fds); i++)
        fds[i] = ask(job_id, "wait=30", NULL);
    refused = first_answered(fds, array_length(fds));
    testcase_answer(fds[refused], "pending", NULL);
    reply = api_call_job("DELETE", job_id, api.key);
    fcgi_reply_release(&reply);
    for (size_t i = 0; i < array_length(fds); i++)
        if (i != refused)
            testcase_answer(fds[i], "cancelled", "wait=30");
}

Test(wait, clients_that_have_gone_leave_room_for_others)
{
    char job_id[JOB_ID_SIZE];
    int fds[WAITS_OF_KEY_MAX + 1];
    size_t refused;
    bool waited = false;

    create_job("Some text.", job_id);
    for (size_t i = 0; i < array_length(fds); i++)
        fds[i] = ask(job_id, "wait=30", NULL);
    refused = first_answered(fds, array_length(fds));
    testcase_answer(fds[refused], "pending", NULL);
    for (size_t i = 0; i < array_length(fds); i++)
        if (i != refused)
            close(fds[i]);
    for (int i = 0; i < PATIENCE_MS / WAITS_INTERVAL_MS && !waited; i++) {
        struct fcgi_reply reply = answer(ask(job_id, "wait=1", NULL));

        waited = is_applied(&reply);
        fcgi_reply_release(&reply);
        poll(NULL, 0, WAITS_INTERVAL_MS); /* they are looked at so often */
    }
    cr_assert(waited);
}

Test(wait, a_stop_answers_those_that_wait)
{
    char job_id[JOB_ID_SIZE];
    int fds[40];

    create_job("Some text.", job_id);
    for (size_t i = 0; i < array_length(fds); i++)
        fds[i] = ask(job_id, "wait=30", NULL);
    cr_assert_not(is_answered(fds[0], SILENCE_MS));
    api_stop();
    for (size_t i = 0; i < array_length(fds); i++)
        testcase_answer(fds[i], "pending", "wait=30");
}

Test(wait, a_key_that_is_revoked_meanwhile_learns_nothing)
{
    char job_id[JOB_ID_SIZE];
    struct api_key *keys;
    struct error err = {""};
    struct fcgi_reply reply;
    size_t count;
    int fd;

    create_job("Some text.", job_id);
    fd = ask(job_id, "wait=30", NULL);
    cr_assert_not(is_answered(fd, SILENCE_MS));
    cr_assert_eq(key_list(api.database.store, &keys, &count, &err), 0);
    cr_assert_eq(store_begin(api.database.store, "test", &err), 0);
    for (size_t i = 0; i < count; i++) {
        if (keys[i].key == api.key_row)
            cr_assert_eq(key_revoke(api.database.store, keys[i].key_id, &err), 0);
        api_key_release(&keys[i]);
    }
    free(keys);
    cr_assert_eq(store_commit(api.database.store, &err), 0);
    cr_assert_not(is_answered(fd, SILENCE_MS)); /* longer than a thread remembers a key */
    finish_job(&outcome_completed);
    reply = answer(fd);
    cr_assert_eq(reply.status, 401);
    testcase_field(&reply, "Cache-Control", "no-store");
    fcgi_reply_release(&reply);
}

Test(wait, a_head_waits_as_a_get_does)
{
    char job_id[JOB_ID_SIZE], uri[128];
    struct fcgi_reply reply;
    int fd = fcgi_connect(api.socket);

    create_job("Some text.", job_id);
    snprintf(uri, sizeof uri, "/v1/jobs/%s", job_id);
    fcgi_send(fd, &(struct fcgi_request){
                      .method = "HEAD", .uri = uri, .key = api.key, .fields = {{"HTTP_PREFER", "wait=30"}}});
    cr_assert_not(is_answered(fd, SILENCE_MS));
    finish_job(&outcome_completed);
    reply = answer(fd);
    cr_assert_eq(reply.status, 200);
    cr_assert_eq(reply.body_size, 0);
    testcase_field(&reply, "Preference-Applied", "wait=30");
    fcgi_reply_release(&reply);
}

/* A connection that is kept is good for another request after a wait. */
Test(wait, a_kept_connection_outlives_a_wait)
{
    char job_id[JOB_ID_SIZE], uri[128];
    struct fcgi_request request = {
        .uri = uri, .key = api.key, .keep = true, .fields = {{"HTTP_PREFER", "wait=1"}}};
    cleanup(close_fd) int fd = fcgi_connect(api.socket);

    create_job("Some text.", job_id);
    snprintf(uri, sizeof uri, "/v1/jobs/%s", job_id);
    for (int i = 0; i < 2; i++) {
        struct fcgi_reply reply = fcgi_call(fd, &request);

        cr_assert_eq(reply.status, 200);
        testcase_field(&reply, "Preference-Applied", "wait=1");
        fcgi_reply_release(&reply);
    }
}
