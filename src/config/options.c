/* SPDX-License-Identifier: Apache-2.0 */
#include "config/options.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/ownership.h"
#include "config/places.h"

/* The column at which the help's explanations start. */
#define HELP_COLUMN 26

/* The shared options, in the order of shared_table(). */
struct shared {
    const char *config;
    const char *check_config;
    const char *help_settings;
    const char *help;
    const char *version;
};
#define SHARED_OPTIONS 5

static void shared_table(struct shared *shared, struct program_option ret_table[SHARED_OPTIONS + 1])
{
    const struct program_option table[SHARED_OPTIONS + 1] = {
        {"config", "FILE", "read settings from FILE (default: " SETTINGS_DEFAULT_FILE ")", &shared->config},
        {"check-config", NULL, "check the settings and exit: 0 where they are right", &shared->check_config},
        {"help-settings", NULL, "print every setting with its default and exit", &shared->help_settings},
        {"help", NULL, "print this help and exit", &shared->help},
        {"version", NULL, "print the version and exit", &shared->version},
        {NULL},
    };

    memcpy(ret_table, table, sizeof table);
}

/* Reads two tables, of which the second may be NULL; short_options "+" stops at the first argument. */
static int read_tables(int argc, char **argv, const char *short_options, const struct program_option *one,
                       const struct program_option *two, int *ret_first)
{
    const struct program_option *const tables[] = {one, two};
    struct option options[SHARED_OPTIONS + PROGRAM_OPTIONS_MAX + 1] = {0};
    const char **values[array_length(options)] = {0};
    int count = 0, index = 0, c;

    for (size_t t = 0; t < array_length(tables); t++)
        for (const struct program_option *o = tables[t]; o != NULL && o->name != NULL; o++) {
            assert(count < SHARED_OPTIONS + PROGRAM_OPTIONS_MAX);
            options[count] =
                (struct option){o->name, o->argument != NULL ? required_argument : no_argument, NULL, 0};
            values[count++] = o->value;
        }
    optind = 0; /* GNU: forget an earlier scan wholly */
    while ((c = getopt_long(argc, argv, short_options, options, &index)) != -1) {
        if (c != 0 || values[index] == NULL) /* never NULL, but analysers cannot know */
            return EX_USAGE;
        *values[index] = optarg != NULL ? optarg : "";
    }
    *ret_first = optind;
    return 0;
}

int options_read(int argc, char **argv, const struct program_option *table, int *ret_first)
{
    return read_tables(argc, argv, "", table, NULL, ret_first);
}

void options_describe(const struct program_option *table)
{
    char left[64];

    for (; table->name != NULL; table++) {
        snprintf(left, sizeof left, "--%s%s%s", table->name, table->argument != NULL ? " " : "",
                 table->argument != NULL ? table->argument : "");
        printf("  %-*s  %s\n", HELP_COLUMN - 4, left, table->help);
    }
}

static void print_help(const struct program_description *program, const struct program_option *shared)
{
    printf("Usage: %s [OPTION]...%s%s\n%s %s.\n\nOptions:\n", program->name,
           program->arguments != NULL ? " " : "", program->arguments != NULL ? program->arguments : "",
           program->name, program->summary);
    if (program->options != NULL)
        options_describe(program->options);
    options_describe(shared);
    if (program->config_variable != NULL)
        printf("\nWithout --config, the environment variable %s may name the file.\n",
               program->config_variable);
    if (program->print_epilogue != NULL) {
        puts("");
        program->print_epilogue();
    }
}

/* The file that the environment names, or NULL; a variable that is empty is as good as none. */
static const char *config_of_environment(const struct program_description *program)
{
    const char *path = program->config_variable != NULL ? getenv(program->config_variable) : NULL;

    return path != NULL && path[0] != '\0' ? path : NULL;
}

const char *options_config_file(const struct options *options)
{
    if (options->config != NULL)
        return options->config;
    return access(SETTINGS_DEFAULT_FILE, F_OK) == 0 ? SETTINGS_DEFAULT_FILE : NULL;
}

static int read_files(const struct program_description *program, bool with_key, struct options *options,
                      struct error *err)
{
    const char *file = options_config_file(options);
    int r = file != NULL ? ownership_check_path(file, OWNER_SELF_OR_ROOT, OTHERS_MAY_CHANGE, err) : 0;

    if (r == 0)
        r = settings_load(file, &options->settings, err);
    if (r == -EACCES && file != NULL)
        error_prefix(err, ownership_refuse_reading(file, false, err), "%s", file);
    if (r == 0 && program->keeps_state)
        r = places_check_owners(&options->settings, err);
    if (r == 0 && with_key)
        r = secret_key_read(options->settings.secret_key_file, &options->secret_key, err);
    return r;
}

int options_check(const struct program_description *program, const struct options *options, struct error *err)
{
    cleanup(options_release) struct options anew = {.config = options->config};
    int r = read_files(program, program->uses_secrets, &anew, err);

    return r == 0 && program->keeps_state ? places_check(&anew.settings, program->writes_audio, true, err)
                                          : r;
}

/* What to do next about a configuration that cannot be read at all; "" where the error says so itself. */
static const char *next_step(int r, const struct options *options)
{
    if (r == -ENOENT && options->config != NULL)
        return "; 'sayhookctl --help-settings' prints a file to start from";
    return "";
}

static int load(const struct program_description *program, bool with_key, struct options *options)
{
    struct error error;
    int r = read_files(program, with_key, options, &error);

    if (r < 0) {
        fprintf(stderr, "%s: %s%s\n", program->name, error.text, next_step(r, options));
        return EX_CONFIG;
    }
    log_setup(program->name, options->settings.log_level, options->settings.log_format);
    return 0;
}

int options_load_settings(const struct program_description *program, struct options *options)
{
    return load(program, program->uses_secrets, options);
}

/* The key, too, whichever program is asked. */
static int check_config(const struct program_description *program, struct options *options)
{
    int code = load(program, true, options);
    struct error error;

    if (code == 0 && program->keeps_state &&
        places_check(&options->settings, program->writes_audio, false, &error) < 0) {
        fprintf(stderr, "%s: %s\n", program->name, error.text);
        return EX_CONFIG;
    }
    if (code == 0)
        printf("%s: ok\n",
               options_config_file(options) != NULL ? options_config_file(options) : "the defaults");
    return code;
}

void options_release(struct options *options)
{
    settings_release(&options->settings);
    secret_key_release(&options->secret_key);
}

static int usage_error(const struct program_description *program)
{
    fprintf(stderr, "Try '%s --help'.\n", program->name);
    return EX_USAGE;
}

int options_parse(int argc, char **argv, const struct program_description *program,
                  struct options *ret_options)
{
    struct program_option table[SHARED_OPTIONS + 1];
    struct shared shared = {0};
    cleanup(options_release) struct options options = {0};
    int code;

    shared_table(&shared, table);
    code = read_tables(argc, argv, "+", table, program->options, &options.first);
    if (code != 0)
        return usage_error(program);
    options.config = shared.config != NULL ? shared.config : config_of_environment(program);
    if (shared.help != NULL) {
        print_help(program, table);
        return 0;
    }
    if (shared.version != NULL) {
        printf("%s %s\n", program->name, PACKAGE_VERSION);
        return 0;
    }
    if (shared.help_settings != NULL) {
        settings_describe();
        return 0;
    }
    if (shared.check_config != NULL)
        return check_config(program, &options);
    if (program->arguments == NULL && options.first < argc) {
        fprintf(stderr, "%s: it takes no arguments, but there is '%s'\n", program->name, argv[options.first]);
        return usage_error(program);
    }
    log_setup(program->name, LOG_LEVEL_INFO, LOG_FORMAT_AUTO);
    code = program->settings_later ? 0 : options_load_settings(program, &options);
    if (code != 0)
        return code;
    *ret_options = options;
    options = (struct options){0};
    return OPTIONS_RUN;
}

int daemon_exit_code(int failure)
{
    return failure == -EPROTO || failure == -EUCLEAN ? EX_CONFIG : EX_UNAVAILABLE;
}
