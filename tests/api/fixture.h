/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The API as nginx meets it: real FastCGI on a Unix socket, real threads, a real database.  One test is one
 * process, so that there is one API.
 */
#ifndef TESTS_API_FIXTURE_H
#define TESTS_API_FIXTURE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/service.h"
#include "codec/json_read.h"
#include "config/settings.h"
#include "crypto/secret.h"
#include "support/database.h"
#include "support/fcgi_client.h"

struct api_fixture {
    struct database database;
    struct settings settings;
    char socket[128];
    char key[API_KEY_SIZE];       /* the client's */
    char other_key[API_KEY_SIZE]; /* another client's */
    int64_t key_row;
    struct service service;
    int ready_fd;
    atomic_int result; /* of api_serve() */
    bool running;
    pthread_t thread;
};
extern struct api_fixture api;

/* All but the start, for a test that changes a setting first. */
void api_prepare(void);
void api_start(void);
void api_stop(void);

/* For the start and the end of a test. */
void api_setup(void);
void api_teardown(void);

/* A call on a connection of its own, whose reply has what every reply has. */
struct fcgi_reply api_call(const struct fcgi_request *request);
struct fcgi_reply api_call_job(const char *method, const char *job_id, const char *key);

struct json_document *read_json(const struct fcgi_reply *reply);

void testcase_field(const struct fcgi_reply *reply, const char *name, const char *value);

/* A string of the body by its JSON pointer. */
void testcase_string(const struct fcgi_reply *reply, const char *pointer, const char *value);

/* The request is answered by a problem of this status and code. */
void testcase_problem(const struct fcgi_request *request, int status, const char *code);

void create_job(const char *text, char ret_job_id[JOB_ID_SIZE]);

/* Claims the one job that waits, and ends it. */
void finish_job(const struct job_outcome *outcome);

#endif
