/* SPDX-License-Identifier: Apache-2.0 */
#include "speech/process.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

extern char **environ;

/*
 * What an engine has of our environment: where stderr leads (base/log.h), and how a build with sanitizers
 * reports.  Anything else is no business of a process that a text may take over.
 */
static const char *const handed_on[] = {
    "JOURNAL_STREAM", "ASAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS",
};

static bool is_handed_on(const char *variable)
{
    for (size_t i = 0; i < array_length(handed_on); i++) {
        size_t length = strlen(handed_on[i]);

        if (strncmp(variable, handed_on[i], length) == 0 && variable[length] == '=')
            return true;
    }
    return false;
}

/* Ended by NULL; the strings stay ours. */
static void pick_environment(char *ret_variables[array_length(handed_on) + 1])
{
    size_t count = 0;

    for (char **variable = environ; *variable != NULL && count < array_length(handed_on); variable++)
        if (is_handed_on(*variable))
            ret_variables[count++] = *variable;
    ret_variables[count] = NULL;
}

/*
 * The child starts with no signal blocked and none ignored, whatever its parent does, and with the socket as
 * its stdin and stdout; every other descriptor of ours is to be closed on exec.
 */
static int spawn(const char *program, int socket, pid_t *ret_pid)
{
    const char *const arguments[] = {program, NULL};
    char *variables[array_length(handed_on) + 1];
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    int r;

    pick_environment(variables);
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    r = posix_spawn_file_actions_adddup2(&actions, socket, STDIN_FILENO);
    if (r == 0)
        r = posix_spawn_file_actions_adddup2(&actions, socket, STDOUT_FILENO);
    /* The argument vector is not const for historical reasons alone. */
    if (r == 0)
        r = posix_spawn(ret_pid, program, &actions, &attributes, (char **)(uintptr_t)arguments, variables);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return r;
}

int process_start(const char *program, struct process *ret_process, struct error *err)
{
    cleanup(close_fd) int ours = -1;
    cleanup(close_fd) int theirs = -1;
    int pair[2], pid_fd, r;
    pid_t pid;

    /* Ours alone is non-blocking: an engine may simply read and write. */
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return error_system(err, errno, "cannot make a socket pair");
    ours = pair[0];
    theirs = pair[1];
    r = spawn(program, theirs, &pid);
    if (r != 0)
        return error_system(err, r, "cannot run %s", program);
    pid_fd = pidfd_open(pid, 0);
    if (pid_fd < 0) {
        r = errno;
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        return error_system(err, r, "cannot watch %s", program);
    }
    *ret_process = (struct process){.pid = pid, .pid_fd = pid_fd, .socket = steal_fd(&ours)};
    return 0;
}

void process_kill(struct process *process)
{
    if (process->socket >= 0)
        close(steal_fd(&process->socket));
    if (process->pid > 0)
        pidfd_send_signal(process->pid_fd, SIGKILL, NULL, 0);
}

bool process_reap(struct process *process, bool wait, char *ret_how, size_t size)
{
    int status = 0;
    pid_t got;

    do
        got = waitpid(process->pid, &status, wait ? 0 : WNOHANG);
    while (got < 0 && errno == EINTR);
    if (got == 0)
        return false;
    if (WIFSIGNALED(status))
        snprintf(ret_how, size, "by signal %d (%s)", WTERMSIG(status), sigdescr_np(WTERMSIG(status)));
    else
        snprintf(ret_how, size, "with exit code %d", WEXITSTATUS(status));
    if (process->socket >= 0)
        close(process->socket);
    close(process->pid_fd);
    *process = PROCESS_NONE;
    return true;
}
