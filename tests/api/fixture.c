/* SPDX-License-Identifier: Apache-2.0 */
#include "api/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "api/api.h"

struct api_fixture api;

static int64_t add_key(char text[API_KEY_SIZE])
{
    unsigned char hash[SHA256_SIZE];
    struct api_key key = {0};
    struct error err = {""};
    int64_t row;

    secret_make_api_key(text, hash);
    cr_assert_eq(store_begin(api.database.store, "test", &err), 0);
    cr_assert_eq(key_create(api.database.store,
                            &(struct key_request){.name = "client",
                                                  .weight = 1,
                                                  .hash = hash,
                                                  .secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
                            &key, &err),
                 0, "%s", err.text);
    cr_assert_eq(store_commit(api.database.store, &err), 0, "%s", err.text);
    row = key.key;
    api_key_release(&key);
    return row;
}

static void set_text(char **setting, const char *text)
{
    free(*setting);
    *setting = strdup(text);
}

static void report_ready(void)
{
    eventfd_write(api.ready_fd, 1);
}

static void *serve(void *unused)
{
    struct handover sockets = {.listener = -1};
    struct error err = {""};

    (void)unused;
    api.result = api_serve(&api.settings, &api.service, &sockets, report_ready, &err);
    handover_release(&sockets);
    cr_expect_eq(api.result, 0, "%s", err.text);
    if (api.result != 0)
        report_ready();
    return NULL;
}

void api_start(void)
{
    eventfd_t count;

    cr_assert_eq(pthread_create(&api.thread, NULL, serve, NULL), 0);
    cr_assert_eq(eventfd_read(api.ready_fd, &count), 0);
    cr_assert_eq(api.result, 0);
    api.running = true;
}

void api_stop(void)
{
    if (!api.running)
        return;
    eventfd_write(api.service.stop_fd, 1);
    pthread_join(api.thread, NULL);
    api.running = false;
}

void api_prepare(void)
{
    struct error err = {""};

    database_open(&api.database);
    cr_assert_eq(settings_load(NULL, &api.settings, &err), 0, "%s", err.text);
    snprintf(api.socket, sizeof api.socket, "%s/api.sock", api.database.folder);
    set_text(&api.settings.database, api.database.path);
    set_text(&api.settings.downloads_dir, api.database.folder);
    set_text(&api.settings.api_socket, api.socket);
    set_text(&api.settings.public_base_url, "https://speech.example.org");
    api.settings.api_threads = 4;
    api.settings.max_body_bytes = 100000;
    api.settings.max_text_chars = 50000;
    api.settings.disk_reserve = 0;
    api.key_row = add_key(api.key);
    add_key(api.other_key);
    api.service.stop_fd = eventfd(0, EFD_CLOEXEC);
    api.service.reload_fd = eventfd(0, EFD_CLOEXEC);
    api.ready_fd = eventfd(0, EFD_CLOEXEC);
}

void api_setup(void)
{
    api_prepare();
    api_start();
}

void api_teardown(void)
{
    api_stop();
    service_close(&api.service);
    close(api.ready_fd);
    settings_release(&api.settings);
    database_close(&api.database);
}

void testcase_field(const struct fcgi_reply *reply, const char *name, const char *value)
{
    char buffer[512];

    cr_assert_not_null(fcgi_reply_field(reply, name, buffer, sizeof buffer), "no %s in %s", name,
                       reply->head);
    cr_assert_str_eq(buffer, value, "%s: %s", name, buffer);
}

/* What every reply has. */
static void testcase_is_whole(const struct fcgi_reply *reply, bool head_only)
{
    char length[32];
    char buffer[512];

    cr_assert(reply->ended);
    cr_assert_not_null(fcgi_reply_field(reply, "X-Request-Id", buffer, sizeof buffer));
    if (reply->status == 204 || reply->status == 304) {
        cr_assert_eq(reply->body_size, 0);
        return;
    }
    if (!head_only) {
        snprintf(length, sizeof length, "%zu", reply->body_size);
        testcase_field(reply, "Content-Length", length);
    }
    testcase_field(reply, "Content-Type",
                   reply->status < 400 ? "application/json" : "application/problem+json");
}

struct fcgi_reply api_call(const struct fcgi_request *request)
{
    struct fcgi_reply reply = fcgi_call_once(api.socket, request);

    testcase_is_whole(&reply, request->method != NULL && strcmp(request->method, "HEAD") == 0);
    return reply;
}

struct json_document *read_json(const struct fcgi_reply *reply)
{
    struct json_document *document;
    struct error err = {""};

    cr_assert_eq(json_read(reply->body, reply->body_size, &document, &err), 0, "%s: %s", err.text,
                 reply->body);
    return document;
}

void testcase_string(const struct fcgi_reply *reply, const char *pointer, const char *value)
{
    struct json_document *document = read_json(reply);
    const char *text = json_read_string(document, pointer);

    cr_assert_not_null(text, "no %s in %s", pointer, reply->body);
    cr_assert_str_eq(text, value, "%s in %s", pointer, reply->body);
    json_read_free(document);
}

void testcase_problem(const struct fcgi_request *request, int status, const char *code)
{
    struct fcgi_reply reply = api_call(request);
    char type[128];

    cr_assert_eq(reply.status, status, "%s: %d %s", request->uri, reply.status, reply.body);
    testcase_string(&reply, "/code", code);
    snprintf(type, sizeof type, "https://speech.example.org/docs/problems/%s", code);
    testcase_string(&reply, "/type", type);
    fcgi_reply_release(&reply);
}

void create_job(const char *text, char ret_job_id[JOB_ID_SIZE])
{
    char body[256];
    struct fcgi_reply reply;
    struct json_document *document;

    snprintf(body, sizeof body, "{\"text\":\"%s\"}", text);
    reply = api_call(
        &(struct fcgi_request){.method = "POST", .uri = "/v1/tts/async", .key = api.key, .body = body});
    cr_assert_eq(reply.status, 202, "%s", reply.body);
    document = read_json(&reply);
    snprintf(ret_job_id, JOB_ID_SIZE, "%s", json_read_string(document, "/job_id"));
    json_read_free(document);
    fcgi_reply_release(&reply);
}

struct fcgi_reply api_call_job(const char *method, const char *job_id, const char *key)
{
    char uri[128];

    snprintf(uri, sizeof uri, "/v1/jobs/%s", job_id);
    return api_call(&(struct fcgi_request){.method = method, .uri = uri, .key = key});
}

void finish_job(const struct job_outcome *outcome)
{
    struct job job = {0};

    cr_assert_eq(database_claim(&api.database, database_join(&api.database), &job), 0);
    cr_assert_eq(database_finish(&api.database, &job, outcome), 0);
    job_release(&job);
}
