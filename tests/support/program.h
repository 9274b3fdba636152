/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a program as a user would, and keeps what it printed. */
#ifndef SUPPORT_PROGRAM_H
#define SUPPORT_PROGRAM_H

#include <sys/types.h>

#include "base/buf.h"

struct program {
    pid_t pid;
    int out; /* read ends of its stdout and stderr */
    int err;
    int code; /* its exit code, or 128 and the number of the signal that ended it */
    struct buf stdout_text;
    struct buf stderr_text;
};

/*
 * Starts $top_builddir/NAME with arguments (ended by NULL, without argv[0]) and stdin from a text (NULL:
 * /dev/null). Ends the test where it cannot.
 */
void program_start(struct program *program, const char *name, const char *stdin_text,
                   const char *const *arguments);

/* Reads stderr up to and with the next line end; what was read is in stderr_text. */
void program_read_stderr_line(struct program *program);

/* Reads what is left and waits for the end. */
void program_wait(struct program *program);

void program_release(struct program *program);

#endif
