/* SPDX-License-Identifier: Apache-2.0 */
/* The commands that steer the service and look at it: the real program on a temporary database. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "codec/json_read.h"
#include "support/database.h"
#include "support/program.h"

static struct database database;
static char config[96];

static void configure(const char *more)
{
    char text[1024];

    snprintf(
        text, sizeof text,
        "database = %s\ndownloads_dir = %s/downloads\nspool_dir = %s/spool\napi_socket = %s/api.sock\n%s",
        database.path, database.folder, database.folder, database.folder, more);
    cr_assert_eq(file_replace(config, text, strlen(text), 0600, NULL), 0);
}

static void set_up(void)
{
    database_open(&database);
    snprintf(config, sizeof config, "%s/sayhook.conf", database.folder);
    configure("");
}

static void tear_down(void)
{
    database_close(&database);
}

TestSuite(operations, .init = set_up, .fini = tear_down);

static struct program run(const char *const *arguments)
{
    struct program program;

    program_start(&program, "sayhookctl", NULL, arguments);
    program_wait(&program);
    return program;
}

#define RUN(...) run((const char *const[]){"--config", config, __VA_ARGS__, NULL})

static void expect_text(const struct buf *text, const char *part)
{
    cr_expect(strstr(buf_str(text), part) != NULL, "%s lacks %s", buf_str(text), part);
}

/* What a command prints with --json, read. */
static struct json_document *read_json(int code, struct program program)
{
    struct json_document *document = NULL;
    struct error error;

    cr_assert_eq(program.code, code, "%d: %s", program.code, buf_str(&program.stderr_text));
    cr_assert_eq(json_read(buf_str(&program.stdout_text), program.stdout_text.length, &document, &error), 0,
                 "%s: %s", error.text, buf_str(&program.stdout_text));
    program_release(&program);
    return document;
}

static struct job claim_a_job(void)
{
    cleanup(job_release) struct job job = database_add_job(&database, database.key, "Hello.", NULL);
    struct job claim = {0};

    cr_assert_eq(database_claim(&database, database_join(&database), &claim), 0);
    return claim;
}

/* ---- worker ---- */

static void testcase_steers(const char *verb, const char *expected)
{
    struct program program = RUN("worker", verb, "--json");

    cr_expect_eq(program.code, 0, "%s", buf_str(&program.stderr_text));
    expect_text(&program.stdout_text, expected);
    program_release(&program);
}

Test(operations, to_pause_or_resume_twice_changes_nothing)
{
    testcase_steers("pause", "{\"paused\":true,\"paused_since\":\"20");
    testcase_steers("pause", "\"changed\":false,\"processing_jobs\":0}");
    testcase_steers("resume",
                    "{\"paused\":false,\"paused_since\":null,\"changed\":true,\"processing_jobs\":0}");
    testcase_steers("resume", "\"changed\":false");
}

Test(operations, people_are_told_how_to_go_on)
{
    struct program paused = RUN("worker", "pause"), resumed = RUN("worker", "resume");

    expect_text(&paused.stdout_text, "sayhookctl worker resume");
    expect_text(&resumed.stdout_text, "the workers go on");
    program_release(&paused);
    program_release(&resumed);
}

Test(operations, an_idle_worker_is_drained_at_once)
{
    struct json_document *drained = read_json(0, RUN("worker", "drain", "--json"));

    cr_expect_not_null(json_read_string(drained, "/paused_since"));
    cr_expect_eq(json_read_number(drained, "/processing_jobs", -1), 0);
    json_read_free(drained);
}

Test(operations, a_drain_says_what_is_left_when_its_time_is_over)
{
    cleanup(job_release) struct job claim = claim_a_job();
    struct program program = RUN("worker", "drain", "--wait", "50ms", "--json");

    expect_text(&program.stderr_text, "still being spoken after 50ms: 1");
    expect_text(&program.stdout_text, "\"processing_jobs\":1");
    cr_expect_eq(program.code, EX_TEMPFAIL);
    program_release(&program);
}

Test(operations, a_drain_ends_with_the_last_job)
{
    cleanup(job_release) struct job claim = claim_a_job();
    struct program program;

    program_start(&program, "sayhookctl", NULL,
                  (const char *const[]){"--config", config, "worker", "drain", NULL});
    while (database_count(&database, "SELECT count(*) FROM pause") == 0)
        usleep(1000);
    cr_assert_eq(database_finish(&database, &claim, &outcome_completed), 0);
    program_wait(&program);
    cr_expect_eq(program.code, 0, "%s", buf_str(&program.stderr_text));
    expect_text(&program.stdout_text, "no job is being spoken");
    program_release(&program);
}

Test(operations, ctrl_c_leaves_a_drain_paused_and_says_so)
{
    cleanup(job_release) struct job claim = claim_a_job();
    struct program program;

    program_start(&program, "sayhookctl", NULL,
                  (const char *const[]){"--config", config, "worker", "drain", NULL});
    while (database_count(&database, "SELECT count(*) FROM pause") == 0)
        usleep(1000);
    kill(program.pid, SIGINT);
    program_wait(&program);
    cr_expect_eq(program.code, 128 + SIGINT);
    expect_text(&program.stderr_text, "sayhookctl worker resume");
    cr_expect_eq(database_count(&database, "SELECT count(*) FROM pause"), 1);
    program_release(&program);
}

Test(operations, a_wait_that_is_none_is_refused)
{
    struct program program = RUN("worker", "drain", "--wait", "soon");

    cr_expect_eq(program.code, EX_USAGE);
    expect_text(&program.stderr_text, "--wait");
    program_release(&program);
}
