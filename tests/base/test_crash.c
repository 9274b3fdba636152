/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crash.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"

/* What a process has written that ended by the signal, in the middle of the note or without one. */
static void testcase_note(int number, const char *note, const char *expected)
{
    char path[] = "/tmp/sayhook-crash-XXXXXX", text[64] = "";
    cleanup(close_fd) int fd = mkstemp(path);
    pid_t child = fork();
    int status;

    if (child == 0) {
        crash_note_to(fd, NULL);
        crash_note("something that is over");
        crash_note(note);
        raise(number);
        _exit(0);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == number, "the signal went its way");
    cr_assert_geq(pread(fd, text, sizeof text - 1, 0), 0);
    cr_assert_str_eq(text, expected);
    cr_assert_eq(unlink(path), 0);
}

Test(crash, a_crash_tells_what_it_was_at)
{
    testcase_note(SIGABRT, "job_17", "job_17");
}

Test(crash, a_crash_at_nothing_tells_nothing)
{
    testcase_note(SIGABRT, NULL, "");
}

Test(crash, who_is_killed_tells_nothing)
{
    testcase_note(SIGKILL, "job_17", "");
}
