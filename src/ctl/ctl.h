/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sayhookctl: a table of commands (commands.c), one file for each group of them, and what they share.
 *
 * With --json a command prints one JSON document on stdout (listen: one a line); messages go to stderr; exit
 * codes are those of sysexits.h.
 */
#ifndef CTL_CTL_H
#define CTL_CTL_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/error.h"
#include "codec/event_json.h"
#include "config/options.h"
#include "crypto/seal.h"
#include "store/store.h"

/* The most bytes that a command prints as one document: a list of ten thousand keys. */
#define CTL_OUTPUT_MAX (16 << 20)

struct ctl;

struct command {
    const char *name;                                   /* one word or two: "key create" */
    const char *arguments;                              /* what follows the options; "" is nothing */
    int argument_count;                                 /* exactly so many... */
    bool optional;                                      /* ...or none */
    const char *summary;                                /* in one line */
    const char *details;                                /* further lines of the help, or NULL */
    int (*run)(struct ctl *ctl, int argc, char **argv); /* returns the exit code */
};

struct ctl {
    char *invoked_as; /* argv[0] of main() */
    const struct program_description *program;
    struct options options;
    struct sealer sealer;         /* of webhook secrets, where there is a key */
    struct event_json event_json; /* of what jobs owe that a command ends */
    const struct command *command;
    bool json;
};

/* Ended by one whose name is NULL. */
extern const struct command ctl_commands[];

/* Finds the command of argv[0] on and runs it; the exit code. */
int ctl_run(struct ctl *ctl, int argc, char **argv);

/* Prints the commands, a line each. */
void ctl_list_commands(void);

/*
 * Reads a command's options (own is ended by a NULL name), among them --json, --config and --help, and puts
 * its arguments at ret_arguments, NULL behind them.  OPTIONS_RUN, or the exit code.
 */
int ctl_read(struct ctl *ctl, int argc, char **argv, const struct program_option *own, char ***ret_arguments);

/* Reads the configuration, unless that was done: 0, or an exit code with the reason on stderr. */
int ctl_load_settings(struct ctl *ctl);

/* Reads the configuration and opens the database: 0, or an exit code with the reason on stderr. */
int ctl_open_store(struct ctl *ctl, struct store **ret_store);

/* The same where a missing database is an error, and none is created. */
int ctl_open_database(struct ctl *ctl, struct store **ret_store);

/* The same for commands that use webhook secrets: those in plain text are encrypted first, where there is a
 * key. */
int ctl_open_secrets(struct ctl *ctl, struct store **ret_store);

/* Reads the configuration and opens the database to look at: nothing of it is changed, nor made where it is
 * missing. */
int ctl_look_at_store(struct ctl *ctl, struct store **ret_store);

/* For cleanup(): a store that was opened, or NULL. */
void ctl_close_store(struct store **store);

/* Writes "sayhookctl: TEXT" to stderr and returns code. */
int ctl_fail(const struct ctl *ctl, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The exit code that fits the negative errno value r. */
int ctl_code_of(int r);

/* ctl_fail() for a function that failed with the negative errno value r; returns ctl_code_of(r). */
int ctl_fail_error(const struct ctl *ctl, int r, const struct error *error);

/* There is no key of that name: EX_NOUSER. */
int ctl_fail_no_key(const struct ctl *ctl, const char *key_id);

/* Writes a document and a line end to stdout: 0, or EX_IOERR with the reason on stderr. */
int ctl_print(const struct ctl *ctl, const struct buf *text);

/* The commands. */
int ctl_key_create(struct ctl *ctl, int argc, char **argv);
int ctl_key_list(struct ctl *ctl, int argc, char **argv);
int ctl_key_set(struct ctl *ctl, int argc, char **argv);
int ctl_key_revoke(struct ctl *ctl, int argc, char **argv);
int ctl_secret_rotate(struct ctl *ctl, int argc, char **argv);
int ctl_delivery_list(struct ctl *ctl, int argc, char **argv);
int ctl_delivery_show(struct ctl *ctl, int argc, char **argv);
int ctl_delivery_redeliver(struct ctl *ctl, int argc, char **argv);
int ctl_webhook_check(struct ctl *ctl, int argc, char **argv);
int ctl_doctor(struct ctl *ctl, int argc, char **argv);
int ctl_status(struct ctl *ctl, int argc, char **argv);
int ctl_config_show(struct ctl *ctl, int argc, char **argv);
int ctl_config_check(struct ctl *ctl, int argc, char **argv);
int ctl_worker_pause(struct ctl *ctl, int argc, char **argv);
int ctl_worker_resume(struct ctl *ctl, int argc, char **argv);
int ctl_worker_drain(struct ctl *ctl, int argc, char **argv);
int ctl_job_list(struct ctl *ctl, int argc, char **argv);
int ctl_job_show(struct ctl *ctl, int argc, char **argv);
int ctl_job_cancel(struct ctl *ctl, int argc, char **argv);
int ctl_job_retry(struct ctl *ctl, int argc, char **argv);
int ctl_job_purge(struct ctl *ctl, int argc, char **argv);
int ctl_db_backup(struct ctl *ctl, int argc, char **argv);
int ctl_db_restore(struct ctl *ctl, int argc, char **argv);
int ctl_db_check(struct ctl *ctl, int argc, char **argv);
int ctl_db_vacuum(struct ctl *ctl, int argc, char **argv);
int ctl_db_shell(struct ctl *ctl, int argc, char **argv);
int ctl_migrate(struct ctl *ctl, int argc, char **argv);
int ctl_listen(struct ctl *ctl, int argc, char **argv);
int ctl_speak(struct ctl *ctl, int argc, char **argv);

#endif
