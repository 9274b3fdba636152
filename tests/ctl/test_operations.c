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

/* It waits for a job that is being spoken, and has paused the workers. */
static void start_drain(struct program *ret_program)
{
    program_start(ret_program, "sayhookctl", NULL,
                  (const char *const[]){"--config", config, "worker", "drain", NULL});
    while (database_count(&database, "SELECT count(*) FROM pause") == 0)
        usleep(1000);
}

Test(operations, a_drain_ends_with_the_last_job)
{
    cleanup(job_release) struct job claim = claim_a_job();
    struct program program;

    start_drain(&program);
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

    start_drain(&program);
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

/* ---- status ---- */

Test(operations, status_tells_what_waits_runs_and_is_paused)
{
    cleanup(job_release) struct job claim = claim_a_job();
    cleanup(job_release) struct job waiting = database_add_job(&database, database.key, "Hello.", NULL);
    struct json_document *status;

    testcase_steers("pause", "\"paused\":true");
    status = read_json(0, RUN("status", "--json"));
    cr_expect_eq(json_read_number(status, "/jobs/pending", -1), 1);
    cr_expect_eq(json_read_number(status, "/jobs/processing", -1), 1);
    cr_expect_not_null(json_read_string(status, "/jobs/oldest_pending_at"));
    cr_expect_not_null(json_read_string(status, "/paused_since"));
    cr_expect_eq(json_read_number(status, "/workers/known", -1), 1);
    cr_expect_eq(json_read_number(status, "/workers/alive", -1), 0); /* of a test, without a lock */
    cr_expect_eq(json_read_number(status, "/keys/live", -1), 1);
    cr_expect_eq(json_read_number(status, "/disks/2/reserve_bytes", -1), 256 << 20);
    json_read_free(status);
}

Test(operations, people_see_what_is_missing_and_what_starts_it)
{
    struct program program = RUN("status");

    cr_expect_eq(program.code, 0);
    expect_text(&program.stdout_text, "NONE IS ALIVE: systemctl start sayhook-worker");
    expect_text(&program.stdout_text, "NOBODY LISTENS");
    cr_expect_null(strchr(buf_str(&program.stdout_text), '\033'));
    program_release(&program);
}

Test(operations, status_neither_makes_nor_migrates_a_database)
{
    struct program program;

    database_execute(&database, "PRAGMA user_version = 8");
    program = RUN("status");
    cr_expect_eq(program.code, EX_CONFIG);
    expect_text(&program.stderr_text, "has version 8");
    program_release(&program);
    cr_expect_eq(database_count(&database, "PRAGMA user_version"), 8);
    configure("");
    cr_assert_eq(unlink(database.path), 0);
    program = RUN("status");
    cr_expect_eq(program.code, EX_NOINPUT);
    expect_text(&program.stderr_text, "sayhookctl doctor");
    cr_expect_neq(access(database.path, F_OK), 0);
    program_release(&program);
}

Test(operations, a_watch_ends_with_ctrl_c_and_has_no_codes_for_terminals_elsewhere)
{
    char line[4096] = "";
    struct program program;

    program_start(&program, "sayhookctl", NULL,
                  (const char *const[]){"--config", config, "status", "--watch", "--interval", "100ms",
                                        "--json", NULL});
    cr_assert_gt(read(program.out, line, sizeof line - 1), 0);
    kill(program.pid, SIGINT);
    program_wait(&program);
    cr_expect_eq(program.code, 0, "%s", buf_str(&program.stderr_text));
    cr_expect_eq(strncmp(line, "{\"version\":\"", 12), 0, "%s", line);
    cr_expect_null(strchr(line, '\033'));
    program_release(&program);
}

/* ---- config ---- */

static void testcase_shows(const struct json_document *shown, const char *name, const char *value, int line)
{
    char pointer[64];

    for (int i = 0;; i++) {
        snprintf(pointer, sizeof pointer, "/settings/%d/name", i);
        cr_assert_not_null(json_read_string(shown, pointer), "%s is not shown", name);
        if (strcmp(json_read_string(shown, pointer), name) != 0)
            continue;
        snprintf(pointer, sizeof pointer, "/settings/%d/value", i);
        cr_expect_str_eq(json_read_string(shown, pointer), value);
        snprintf(pointer, sizeof pointer, "/settings/%d/source", i);
        cr_expect_str_eq(json_read_string(shown, pointer), line > 0 ? "file" : "default");
        snprintf(pointer, sizeof pointer, "/settings/%d/line", i);
        cr_expect_eq(json_read_number(shown, pointer, 0), line);
        return;
    }
}

Test(operations, every_setting_is_shown_with_where_it_comes_from)
{
    struct json_document *shown;

    configure("poll_interval = 1500ms\nwebhook_ports = 443 8443\n");
    shown = read_json(0, RUN("config", "show", "--json"));
    cr_expect_str_eq(json_read_string(shown, "/file"), config);
    testcase_shows(shown, "database", database.path, 1);
    testcase_shows(shown, "poll_interval", "1500ms", 5);
    testcase_shows(shown, "webhook_ports", "443 8443", 6);
    testcase_shows(shown, "max_body_bytes", "16M", 0);
    testcase_shows(shown, "webhook_retry_schedule", "0s 5s 5m 30m 2h 5h 10h 14h 20h 1d", 0);
    json_read_free(shown);
}

Test(operations, the_key_itself_is_never_shown)
{
    static const char key[] = "0123456789abcdef0123456789abcdef";
    char path[96], setting[128];
    struct program program;

    snprintf(path, sizeof path, "%s/secret_key", database.folder);
    cr_assert_eq(file_replace(path, key, sizeof key - 1, 0400, NULL), 0);
    snprintf(setting, sizeof setting, "secret_key_file = %s\n", path);
    configure(setting);
    program = RUN("config", "show");
    cr_expect_eq(program.code, 0);
    expect_text(&program.stdout_text, path);
    cr_expect_null(strstr(buf_str(&program.stdout_text), key));
    program_release(&program);
}

/* The folders that the configuration names, as they should be. */
static void make_folders(void)
{
    char path[96];

    cr_assert_eq(chmod(database.folder, 0750), 0);
    snprintf(path, sizeof path, "%s/downloads", database.folder);
    cr_assert_eq(mkdir(path, 0750), 0);
    snprintf(path, sizeof path, "%s/spool", database.folder);
    cr_assert_eq(mkdir(path, 0700), 0);
}

Test(operations, a_right_configuration_is_ok)
{
    struct program program;

    make_folders();
    program = RUN("config", "check");
    cr_expect_eq(program.code, 0, "%s", buf_str(&program.stdout_text));
    expect_text(&program.stdout_text, "sayhook.conf: ok");
    program_release(&program);
}

static void testcase_faulty(const char *const *expected)
{
    struct program program = RUN("config", "check");

    cr_expect_eq(program.code, EX_CONFIG);
    for (; *expected != NULL; expected++)
        expect_text(&program.stdout_text, *expected);
    program_release(&program);
}

#define FAULTY(...) testcase_faulty((const char *const[]){__VA_ARGS__, NULL})

Test(operations, every_fault_of_a_configuration_is_named_with_its_line)
{
    make_folders();
    configure("poll_intervall = 5ms\nlog_level = loud\nlog_level = info\n");
    FAULTY("sayhook.conf:5: there is no setting \"poll_intervall\"; did you mean poll_interval?",
           "sayhook.conf:6: log_level = \"loud\"", "sayhook.conf:7: log_level stands here a second time");
}

Test(operations, what_others_may_change_is_named_with_the_command_that_mends_it)
{
    char path[96], command[128];

    make_folders();
    cr_assert_eq(chmod(config, 0666), 0);
    snprintf(path, sizeof path, "%s/downloads", database.folder);
    cr_assert_eq(chmod(path, 0770), 0); /* the group is among the others */
    snprintf(command, sizeof command, "chmod go-w '%s'", path);
    FAULTY("has the mode 0666: others than its owner may change it", "chmod go-w '", command);
}

Test(operations, folders_that_are_missing_are_named)
{
    cr_assert_eq(chmod(database.folder, 0750), 0);
    FAULTY("/downloads: No such file or directory", "install -d -o ");
}

Test(operations, a_key_that_others_may_read_is_named)
{
    static const char key[] = "0123456789abcdef0123456789abcdef";
    char path[96], setting[128];

    make_folders();
    snprintf(path, sizeof path, "%s/secret_key", database.folder);
    cr_assert_eq(file_replace(path, key, sizeof key - 1, 0644, NULL), 0);
    cr_assert_eq(chmod(path, 0644), 0);
    snprintf(setting, sizeof setting, "secret_key_file = %s\n", path);
    configure(setting);
    FAULTY("its mode is 0644", "chmod 0400 '");
}

/* ---- doctor ---- */

/* What it says of one check: its verdict, and that it found that. */
static void expect_check(const struct json_document *report, const char *name, const char *verdict,
                         const char *found)
{
    char pointer[64];
    const char *text;

    for (int i = 0;; i++) {
        snprintf(pointer, sizeof pointer, "/checks/%d/name", i);
        cr_assert_not_null(json_read_string(report, pointer), "there is no check %s", name);
        if (strcmp(json_read_string(report, pointer), name) != 0)
            continue;
        snprintf(pointer, sizeof pointer, "/checks/%d/verdict", i);
        cr_expect_str_eq(json_read_string(report, pointer), verdict, "%s is %s", name,
                         json_read_string(report, pointer));
        for (int j = 0;; j++) {
            snprintf(pointer, sizeof pointer, "/checks/%d/notes/%d/found", i, j);
            text = json_read_string(report, pointer);
            cr_assert_not_null(text, "%s does not say %s", name, found);
            if (strstr(text, found) != NULL)
                return;
        }
    }
}

static void testcase_finds(const char *name, const char *verdict, const char *found)
{
    struct json_document *report = read_json(1, RUN("doctor", "--json"));

    expect_check(report, name, verdict, found);
    cr_expect_str_eq(json_read_string(report, "/verdict"), "fault");
    json_read_free(report);
}

Test(operations, a_doctor_says_what_is_right_and_what_is_not)
{
    struct json_document *report;

    make_folders();
    report = read_json(1, RUN("doctor", "--json"));
    expect_check(report, "configuration", "ok", "sayhook.conf");
    expect_check(report, "state's owners", "ok", "belong to");
    expect_check(report, "database", "ok", "in WAL mode");
    expect_check(report, "voices", "ok", "speak");
    expect_check(report, "formats", "ok", "can be written");
    expect_check(report, "sync", json_read_string(report, "/checks/10/verdict"), "a sync takes");
    expect_check(report, "API", "fault", "nobody listens");
    expect_check(report, "workers", "fault", "no worker is alive");
    json_read_free(report);
}

Test(operations, a_doctor_gives_no_advice_to_give_away_what_a_link_leads_to)
{
    struct json_document *report;
    char path[96];

    make_folders();
    snprintf(path, sizeof path, "%s-deliverer.lock", database.path);
    unlink(path);
    cr_assert_eq(symlink("/etc/passwd", path), 0);
    report = read_json(1, RUN("doctor", "--json"));
    expect_check(report, "state's owners", "fault", "is a symbolic link");
    json_read_free(report);
    unlink(path);
}

Test(operations, a_doctor_works_without_a_configuration_that_can_be_read)
{
    struct json_document *report;

    configure("poll_intervall = 5ms\n");
    report = read_json(1, RUN("doctor", "--json"));
    expect_check(report, "configuration", "fault", "did you mean poll_interval?");
    expect_check(report, "database", "skipped", "it needs the configuration");
    expect_check(report, "voices", "ok", "speak");
    json_read_free(report);
}

Test(operations, a_doctor_makes_no_database_and_names_the_one_that_is_missing)
{
    cr_assert_eq(unlink(database.path), 0);
    testcase_finds("database", "fault", "No such file or directory");
    cr_expect_neq(access(database.path, F_OK), 0);
}

Test(operations, a_doctor_leaves_a_newer_database_alone)
{
    database_execute(&database, "PRAGMA user_version = 9999");
    testcase_finds("database", "fault", "has version 9999, and this program knows versions up to");
    cr_expect_eq(database_count(&database, "PRAGMA user_version"), 9999);
}

Test(operations, a_doctor_names_a_file_that_is_no_database_and_gives_no_advice_on_its_mode)
{
    static const char text[] = "This is a file of somebody else, which has nothing to do with Sayhook.\n";
    struct program program;
    char wal[128];

    snprintf(wal, sizeof wal, "%s-wal", database.path);
    cr_assert_eq(unlink(wal), 0); /* all of the database may be in it */
    cr_assert_eq(file_replace(database.path, text, sizeof text - 1, 0666, NULL), 0);
    testcase_finds("database", "fault", "file is not a database");
    program = RUN("doctor");
    cr_expect_null(strstr(buf_str(&program.stdout_text), "chmod o= "));
    program_release(&program);
}

Test(operations, a_doctor_tells_of_an_engine_that_is_missing)
{
    struct program program = RUN("doctor", "--synth", "/nonexistent/synth");

    cr_expect_eq(program.code, 1);
    expect_text(&program.stdout_text, "the speech engine /nonexistent/synth cannot be run: No such file");
    program_release(&program);
}

Test(operations, a_doctor_tells_of_disks_below_their_reserve)
{
    make_folders();
    configure("disk_reserve = 1000G\n");
    testcase_finds("room", "fault", "no job is accepted");
}

Test(operations, a_doctor_tells_of_a_clock_that_was_set_back)
{
    cleanup(job_release) struct job job = {0};

    fake_clock_advance(&database.clock, INT64_C(50) * 366 * 24 * 3600 * 1000);
    job = database_add_job(&database, database.key, "Hello.", NULL);
    testcase_finds("clock", "fault", "behind the newest job");
}
