/* SPDX-License-Identifier: Apache-2.0 */
/* An engine as a child process, from its start to its burial.  Private to speech/. */
#ifndef SPEECH_PROCESS_H
#define SPEECH_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

struct process {
    pid_t pid;  /* 0: there is none */
    int pid_fd; /* readable when it has ended */
    int socket; /* its stdin and stdout; non-blocking */
};

#define PROCESS_NONE ((struct process){.pid = 0, .pid_fd = -1, .socket = -1})

/* Runs program, its stderr ours, its environment next to empty.  Fails where it cannot be executed. */
int process_start(const char *program, struct process *ret_process, struct error *err);

/* SIGKILL; the end is to be waited for at pid_fd.  Closes the socket. */
void process_kill(struct process *process);

/*
 * Buries a process that has ended: true, with how it ended in ret_how, "by signal 9 (Killed)", and *process
 * is PROCESS_NONE.  False where it has not ended; with wait: waits for that.
 */
bool process_reap(struct process *process, bool wait, char *ret_how, size_t size);

#endif
