/* SPDX-License-Identifier: Apache-2.0 */
/* What the command lines of the real programs have in common. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "support/program.h"

static const char *const programs[] = {"sayhook-api", "sayhook-worker", "sayhook-synth", "sayhookctl"};

static char folder[] = "/tmp/sayhook-programs-XXXXXX";
static char config[64];

static void write_config(const char *text)
{
    cr_assert_eq(file_replace(config, text, strlen(text), 0600, NULL), 0);
}

static void set_up(void)
{
    cr_assert_not_null(mkdtemp(folder));
    snprintf(config, sizeof config, "%s/sayhook.conf", folder);
    unsetenv("SAYHOOK_CONFIG");
}

static void tear_down(void)
{
    unlink(config);
    cr_assert_eq(rmdir(folder), 0);
}

TestSuite(programs, .init = set_up, .fini = tear_down);

static struct program run(const char *name, const char *const *arguments)
{
    struct program program;

    program_start(&program, name, NULL, arguments);
    program_wait(&program);
    return program;
}

#define RUN(name, ...) run(name, (const char *const[]){__VA_ARGS__, NULL})

static void testcase_prints(const char *text, struct program program)
{
    cr_expect_eq(program.code, 0, "%d: %s", program.code, buf_str(&program.stderr_text));
    cr_expect_str_eq(buf_str(&program.stdout_text), text);
    cr_expect_eq(program.stderr_text.length, 0, "%s", buf_str(&program.stderr_text));
    program_release(&program);
}

/* The program names itself, says what is wrong, and prints nothing else. */
static void testcase_fails(int code, const char *name, const char *hint, struct program program)
{
    const char *said = buf_str(&program.stderr_text);

    cr_expect_eq(program.code, code, "%d instead of %d: %s", program.code, code, said);
    cr_expect(strncmp(said, name, strlen(name)) == 0 && said[strlen(name)] == ':', "%s", said);
    cr_expect(strstr(said, hint) != NULL, "%s lacks %s", said, hint);
    cr_expect_eq(program.stdout_text.length, 0, "%s", buf_str(&program.stdout_text));
    program_release(&program);
}

Test(programs, help_names_what_all_have)
{
    static const char *const options[] = {"--config FILE", "--check-config", "--help-settings", "--help",
                                          "--version"};

    for (size_t i = 0; i < array_length(programs); i++) {
        struct program program = RUN(programs[i], "--help");
        const char *text = buf_str(&program.stdout_text);
        char usage[64];

        snprintf(usage, sizeof usage, "Usage: %s [OPTION]...", programs[i]);
        cr_expect_eq(program.code, 0);
        cr_expect_eq(program.stderr_text.length, 0);
        cr_expect_eq(strncmp(text, usage, strlen(usage)), 0, "%s", text);
        for (size_t o = 0; o < array_length(options); o++)
            cr_expect_not_null(strstr(text, options[o]), "%s: no %s", programs[i], options[o]);
        program_release(&program);
    }
}

Test(programs, version_is_one_line)
{
    for (size_t i = 0; i < array_length(programs); i++) {
        char line[64];

        snprintf(line, sizeof line, "%s %s\n", programs[i], PACKAGE_VERSION);
        testcase_prints(line, RUN(programs[i], "--version"));
    }
}

Test(programs, check_config_takes_what_is_right)
{
    char line[128];

    write_config("poll_interval = 50ms\n");
    snprintf(line, sizeof line, "%s: ok\n", config);
    for (size_t i = 0; i < array_length(programs); i++)
        testcase_prints(line, RUN(programs[i], "--check-config", "--config", config));
}

Test(programs, check_config_says_where_and_what_is_wrong)
{
    static const struct {
        const char *text;
        const char *hint; /* behind the file's name */
    } faults[] = {
        {"pol_interval = 50ms\n", ":1: there is no setting \"pol_interval\"; did you mean poll_interval?"},
        {"# first\npoll_interval = 50\n", ":2: poll_interval"},
        {"poll_interval = 50ms\npoll_interval = 60ms\n", ":2: "},
        {"api_threads = 0\n", ":1: api_threads"},
    };
    char hint[256];

    for (size_t i = 0; i < array_length(programs); i++) {
        for (size_t f = 0; f < array_length(faults); f++) {
            write_config(faults[f].text);
            snprintf(hint, sizeof hint, "%s%s", config, faults[f].hint);
            testcase_fails(EX_CONFIG, programs[i], hint,
                           RUN(programs[i], "--check-config", "--config", config));
        }
        testcase_fails(EX_CONFIG, programs[i], "/nonexistent",
                       RUN(programs[i], "--check-config", "--config", "/nonexistent"));
    }
}

Test(programs, check_config_looks_at_the_key_of_secrets_too)
{
    char text[128], key[64];

    snprintf(key, sizeof key, "%s/key", folder);
    snprintf(text, sizeof text, "secret_key_file = %s\n", key);
    write_config(text);
    for (size_t i = 0; i < array_length(programs); i++) {
        testcase_fails(EX_CONFIG, programs[i], "No such file",
                       RUN(programs[i], "--check-config", "--config", config));
        cr_assert_eq(file_replace(key, text, 31, 0600, NULL), 0);
        testcase_fails(EX_CONFIG, programs[i], "holds 31 bytes",
                       RUN(programs[i], "--check-config", "--config", config));
        unlink(key);
    }
    testcase_fails(EX_CONFIG, "sayhook-worker", "secret_key_file", RUN("sayhook-worker", "--config", config));
    testcase_fails(EX_CONFIG, "sayhookctl", "secret_key_file",
                   RUN("sayhookctl", "key", "list", "--config", config));
}

static void testcase_refuses(const char *name, const char *what)
{
    char command[128];

    snprintf(command, sizeof command, "chmod go-w '%s'", what);
    testcase_fails(EX_CONFIG, name, command, RUN(name, "--check-config", "--config", config));
}

Test(programs, what_others_may_change_stops_the_daemons_with_the_command_that_mends_it)
{
    char spool[80], text[256];

    snprintf(spool, sizeof spool, "%s/spool", folder);
    snprintf(text, sizeof text, "spool_dir = %s\ndatabase = %s/sayhook.db\ndownloads_dir = %s\n", spool,
             folder, folder);
    write_config(text);
    cr_assert_eq(mkdir(spool, 0700), 0);
    cr_assert_eq(chmod(spool, 0777), 0);
    testcase_refuses("sayhook-worker", spool);
    testcase_refuses("sayhook-api", spool);
    cr_assert_eq(rmdir(spool), 0);
    cr_assert_eq(chmod(config, 0662), 0);
    for (size_t i = 0; i < array_length(programs); i++)
        testcase_refuses(programs[i], config);
}

Test(programs, an_option_that_there_is_not_is_a_usage_error)
{
    for (size_t i = 0; i < array_length(programs); i++) {
        struct program program = RUN(programs[i], "--no-such-option");

        cr_expect_eq(program.code, EX_USAGE);
        cr_expect_not_null(strstr(buf_str(&program.stderr_text), "--no-such-option"));
        cr_expect_not_null(strstr(buf_str(&program.stderr_text), "--help'."));
        program_release(&program);
    }
}

Test(programs, sayhookctl_finds_its_configuration_in_the_environment)
{
    struct program help = RUN("sayhookctl", "--help");
    char line[128];

    cr_expect_not_null(strstr(buf_str(&help.stdout_text), "SAYHOOK_CONFIG"));
    program_release(&help);
    write_config("poll_interval = 50ms\n");
    snprintf(line, sizeof line, "%s: ok\n", config);
    setenv("SAYHOOK_CONFIG", config, 1);
    testcase_prints(line, RUN("sayhookctl", "--check-config"));
    setenv("SAYHOOK_CONFIG", "/nonexistent", 1);
    testcase_prints(line, RUN("sayhookctl", "--check-config", "--config", config));
    testcase_fails(EX_CONFIG, "sayhookctl", "/nonexistent", RUN("sayhookctl", "--check-config"));
    testcase_fails(EX_CONFIG, "sayhookctl", "/nonexistent", RUN("sayhookctl", "key", "list"));
}

Test(programs, a_language_that_is_not_known_is_refused_with_those_that_are)
{
    struct program program = RUN("sayhook-synth", "--phones", "--language", "klingon");

    cr_expect_eq(program.code, EX_USAGE, "%d", program.code);
    cr_expect(strstr(buf_str(&program.stderr_text), "'klingon'; there are: english") != NULL, "%s",
              buf_str(&program.stderr_text));
    cr_expect_eq(program.stdout_text.length, 0);
    program_release(&program);
}
