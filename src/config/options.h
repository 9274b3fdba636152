/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line that all programs share: --help, --version, --config FILE, --check-config,
 * --help-settings, and whatever options a program adds in a table of its own.  A main is then:
 *
 *     static const struct program_description program = {
 *         .name = "sayhook-worker",
 *         .summary = "speaks the jobs that wait and sends their webhooks",
 *     };
 *
 *     int main(int argc, char **argv)
 *     {
 *         cleanup(options_release) struct options options = {0};
 *         int code = options_parse(argc, argv, &program, &options);
 *
 *         if (code != OPTIONS_RUN)
 *             return code;
 *         ... options.settings is loaded, the log is set up ...
 *     }
 */
#ifndef CONFIG_OPTIONS_H
#define CONFIG_OPTIONS_H

#include <stdbool.h>

#include "config/secret_key.h"
#include "config/settings.h"

/* A long option; a table of them ends with one whose name is NULL. */
struct program_option {
    const char *name;     /* without its dashes */
    const char *argument; /* what the help calls its argument; NULL: it takes none */
    const char *help;     /* in a few words */
    const char **value; /* becomes the argument, or "" where the option takes none; untouched unless given */
};

/* The most options in one table. */
#define PROGRAM_OPTIONS_MAX 16

struct program_description {
    const char *name;
    const char *summary;   /* what it does, "speaks the jobs that wait" */
    const char *arguments; /* what follows the options, "COMMAND …"; NULL: there are no arguments */
    const struct program_option *options; /* the program's own; NULL is none */
    void (*print_epilogue)(void);         /* prints lines below the options in the help; NULL is none */
    bool settings_later;                  /* options_parse() reads no configuration, but for --check-config */
    bool uses_secrets;                    /* it is given the key that encrypts webhook secrets */
    bool keeps_state;                     /* it writes to the folders of the settings, so they are checked */
    bool writes_audio;                    /* those of audio and of the spool among them */
    const char
        *config_variable; /* of the environment: names the file where --config does not; NULL is none */
};

struct options {
    struct settings settings;     /* unless settings_later; owned */
    struct secret_key secret_key; /* with the settings, for a program that uses_secrets */
    const char *config;           /* the argument of --config, else of config_variable, or NULL */
    int first;                    /* the index in argv of the first argument behind the options */
};

/* The program goes on.  Exit codes are not negative. */
#define OPTIONS_RUN (-1)

/*
 * Reads the options up to the first argument, does what --help and the like ask for, reads the configuration
 * and sets up the log.  Returns OPTIONS_RUN, or the code with which to exit at once (0, or one of sysexits.h;
 * the reason is on stderr then).  Without --config the file is SETTINGS_DEFAULT_FILE, or the defaults where
 * there is no such file.
 */
int options_parse(int argc, char **argv, const struct program_description *program,
                  struct options *ret_options);

/* The file that the settings are read from, or NULL: the defaults alone hold. */
const char *options_config_file(const struct options *options);

/* For settings_later: reads what options_parse() would have.  EX_CONFIG with the reason on stderr; 0. */
int options_load_settings(const struct program_description *program, struct options *options);

void options_release(struct options *options);

/*
 * Whether a program that runs on these options could begin anew with the configuration as it is now, the
 * folders that it needs among it: 0, or a negative errno value with what is wrong.
 */
int options_check(const struct program_description *program, const struct options *options,
                  struct error *err);

/*
 * For subcommands: reads argv[1] on by a table, wherever the options stand, and moves the arguments to the
 * end. *ret_first is the index of the first argument.  Returns 0, or EX_USAGE with the reason on stderr.
 */
int options_read(int argc, char **argv, const struct program_option *table, int *ret_first);

/* Writes the lines of a help text for a table to stdout. */
void options_describe(const struct program_option *table);

/*
 * What a daemon exits with after a failure, a negative errno value: EX_CONFIG where the database is a newer
 * Sayhook's (EPROTO) or another program's (EUCLEAN), which no restart mends, else EX_UNAVAILABLE.
 */
int daemon_exit_code(int failure);

#endif
