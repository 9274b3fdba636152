/* SPDX-License-Identifier: Apache-2.0 */
#include "config/options.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/cleanup.h"

static const char *colour;
static const char *fast;

static const struct program_option own[] = {
    {"colour", "NAME", "paint it", &colour},
    {"fast", NULL, "be quick", &fast},
    {NULL},
};

static const struct program_description program = {
    .name = "demo",
    .summary = "shows something",
    .arguments = "FILE",
    .options = own,
};

/* Runs options_parse() with these arguments; what it prints is dropped. */
static int testcase_parse(const struct program_description *description, struct options *options, int argc,
                          const char *const *argv)
{
    char *copy[8] = {0};
    int code;

    for (int i = 0; i < argc; i++)
        copy[i] = strdup(argv[i]);
    cr_redirect_stdout();
    cr_redirect_stderr();
    code = options_parse(argc, copy, description, options);
    fflush(stdout);
    for (int i = 0; i < argc; i++)
        free(copy[i]);
    return code;
}

#define PARSE(description, options, ...)                                                                     \
    testcase_parse(description, options, (int)array_length(((const char *[]){"demo", __VA_ARGS__})),         \
                   (const char *[]){"demo", __VA_ARGS__})

Test(options, help_and_version_exit_with_0)
{
    struct options options;

    cr_expect_eq(PARSE(&program, &options, "--help"), 0);
    cr_expect_eq(PARSE(&program, &options, "--version"), 0);
    cr_expect_eq(PARSE(&program, &options, "--help-settings"), 0);
}

Test(options, what_is_not_known_is_a_usage_error)
{
    struct options options;
    struct program_description bare = {.name = "demo", .summary = "shows something"};

    cr_expect_eq(PARSE(&program, &options, "--color", "red"), EX_USAGE);
    cr_expect_eq(PARSE(&program, &options, "-x"), EX_USAGE);
    cr_expect_eq(PARSE(&program, &options, "--config"), EX_USAGE);
    cr_expect_eq(PARSE(&program, &options, "--fast=1"), EX_USAGE);
    cr_expect_eq(PARSE(&bare, &options, "argument"), EX_USAGE);
}

Test(options, a_program_adds_options_of_its_own)
{
    struct options options = {0};

    colour = fast = NULL;
    cr_assert_eq(PARSE(&program, &options, "--colour", "red", "--fast", "file", "--check-config"),
                 OPTIONS_RUN);
    cr_expect_eq(options.first, 4);
    cr_expect_str_eq(fast, "");
    cr_expect_eq(options.settings.poll_interval, 20);
    options_release(&options);
}

Test(options, a_wrong_configuration_exits_with_78)
{
    char path[] = "/tmp/sayhook-options-XXXXXX";
    struct options options = {0};
    struct program_description later = program;
    int fd = mkstemp(path);

    later.settings_later = true;
    cr_assert_eq(write(fd, "api_threads = 0\n", 16), 16);
    close(fd);
    cr_expect_eq(PARSE(&program, &options, "--config", path), EX_CONFIG);
    cr_expect_eq(PARSE(&program, &options, "--check-config", "--config", path), EX_CONFIG);
    cr_expect_eq(PARSE(&program, &options, "--config", "/nonexistent"), EX_CONFIG);
    cr_expect_eq(PARSE(&later, &options, "--config", path), OPTIONS_RUN);
    cr_assert_eq(truncate(path, 0), 0);
    cr_expect_eq(PARSE(&program, &options, "--check-config", "--config", path), 0);
    unlink(path);
}

Test(options, a_configuration_that_the_service_may_not_read_says_what_lets_it)
{
    char path[] = "/tmp/sayhook-options-XXXXXX", command[64];
    struct options options = {.config = path};
    struct error error = {""};

    if (geteuid() != 0)
        cr_skip_test("only root can be another user");
    close(mkstemp(path));
    snprintf(command, sizeof command, "chmod a+r '%s'", path);
    cr_assert_eq(seteuid(65534), 0);
    cr_expect_lt(options_check(&program, &options, &error), 0);
    cr_expect_not_null(strstr(error.text, command), "%s", error.text);
    cr_assert_eq(seteuid(0), 0);
    unlink(path);
}

/* ---- folders of the state ---- */

static char state[] = "/tmp/sayhook-options-XXXXXX";
static const char *const folders[] = {"base", "downloads", "spool"};

/* A configuration that names all of them, which are as they should be. */
static void make_state(char ret_config[64])
{
    char path[64];
    FILE *file;

    cr_assert_not_null(mkdtemp(state));
    cr_assert_eq(chmod(state, 0755), 0);
    for (size_t i = 0; i < array_length(folders); i++) {
        snprintf(path, sizeof path, "%s/%s", state, folders[i]);
        cr_assert_eq(mkdir(path, 0700), 0);
    }
    snprintf(ret_config, 64, "%s/conf", state);
    cr_assert_not_null(file = fopen(ret_config, "w"));
    fprintf(file, "database = %s/base/x.db\ndownloads_dir = %s/downloads\nspool_dir = %s/spool\n", state,
            state, state);
    fclose(file);
    cr_assert_eq(chmod(ret_config, 0644), 0);
}

static void remove_state(const char *config)
{
    char path[64];

    for (size_t i = 0; i < array_length(folders); i++) {
        snprintf(path, sizeof path, "%s/%s", state, folders[i]);
        rmdir(path);
    }
    unlink(config);
    rmdir(state);
}

static void testcase_state(const char *config, const char *command)
{
    static const struct program_description daemon = {
        .name = "demo", .summary = "keeps something", .keeps_state = true};
    struct options options = {.config = config};
    struct error error = {""};

    if (command == NULL) {
        cr_expect_eq(options_check(&daemon, &options, &error), 0, "%s", error.text);
        return;
    }
    cr_expect_lt(options_check(&daemon, &options, &error), 0);
    cr_expect_not_null(strstr(error.text, command), "%s lacks %s", error.text, command);
}

Test(options, each_folder_of_the_state_that_others_may_change_is_refused)
{
    static const mode_t modes[] = {0720, 0702, 0777, 01777};
    char config[64], path[64], command[128];

    make_state(config);
    testcase_state(config, NULL);
    for (size_t i = 0; i < array_length(folders); i++) {
        snprintf(path, sizeof path, "%s/%s", state, folders[i]);
        snprintf(command, sizeof command, "mend it with: chmod go-w '%s'", path);
        for (size_t j = 0; j < array_length(modes); j++) {
            cr_assert_eq(chmod(path, modes[j]), 0);
            testcase_state(config, command);
        }
        cr_assert_eq(chmod(path, 0700), 0);
    }
    testcase_state(config, NULL);
    remove_state(config);
}

Test(options, each_folder_of_the_state_that_is_another_s_is_refused)
{
    char config[64], path[64], command[128];

    if (geteuid() != 0)
        cr_skip_test("only root can be another user");
    make_state(config);
    for (size_t i = 0; i < array_length(folders); i++) {
        for (size_t j = 0; j < array_length(folders); j++) {
            snprintf(path, sizeof path, "%s/%s", state, folders[j]);
            cr_assert_eq(chown(path, j == i ? 0 : 65534, 0), 0);
        }
        snprintf(command, sizeof command, "mend it with: chown nobody '%s/%s'", state, folders[i]);
        cr_assert_eq(seteuid(65534), 0);
        testcase_state(config, command);
        cr_assert_eq(seteuid(0), 0);
    }
    remove_state(config);
}

Test(options, subcommands_read_options_between_arguments)
{
    char *argv[] = {(char[]){"speak"}, (char[]){"file"}, (char[]){"--colour=blue"}, (char[]){"more"}, NULL};
    int first;

    cr_assert_eq(options_read(4, argv, own, &first), 0);
    cr_expect_eq(first, 2);
    cr_expect_str_eq(colour, "blue");
    cr_expect_str_eq(argv[2], "file");
    cr_expect_str_eq(argv[3], "more");
}
