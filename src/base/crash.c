/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crash.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

static struct sigaction before[array_length(faults)];
static atomic_int note_fd = -1;
static atomic_bool is_installed;
static _Thread_local const char *thread_note;

static void let_go_on(int number)
{
    for (size_t i = 0; i < array_length(faults); i++)
        if (faults[i] == number)
            sigaction(number, &before[i], NULL);
}

/* All that it calls is safe in a handler: signal-safety(7). */
static void on_fault(int number, siginfo_t *info, void *context)
{
    int fd = atomic_load(&note_fd);

    (void)context;
    if (fd >= 0 && thread_note != NULL) {
        ssize_t written = pwrite(fd, thread_note, strlen(thread_note), 0);

        (void)written;
    }
    let_go_on(number);
    if (info->si_code <= 0) /* it was sent: unlike a fault, it does not come back by itself */
        raise(number);
}

int crash_note_to(int fd, struct error *err)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};

    atomic_store(&note_fd, fd);
    if (fd < 0 || atomic_exchange(&is_installed, true))
        return 0;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < array_length(faults); i++)
        if (sigaction(faults[i], &action, &before[i]) < 0)
            return error_system(err, errno, "cannot watch for faults");
    return 0;
}

void crash_note(const char *note)
{
    thread_note = note;
}
