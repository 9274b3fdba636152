/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/interrupt.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Behind a bar of progress it begins a line of its own. */
static char words[1024];

static void on_signal(int number)
{
    ssize_t written = write(STDERR_FILENO, words, strlen(words));

    (void)written;
    raise(number); /* as it would have ended without us: the handler is gone */
}

void interrupt_say(const char *line)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESETHAND};

    snprintf(words, sizeof words - 1, "\n%s", line);
    words[strlen(words)] = '\n'; /* in front of the last zero */
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}
