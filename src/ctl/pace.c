/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/pace.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "config/number.h"

/* The most rows a second; faster is no pace. */
#define RATE_MAX 5000

/* Transactions a second, as far as RATE_MAX and PACE_BATCH_MAX allow. */
#define BATCHES_A_SECOND 10

static struct pace pace_of(int64_t rate)
{
    int64_t batch = rate / BATCHES_A_SECOND;

    batch = batch < 1 ? 1 : batch > PACE_BATCH_MAX ? PACE_BATCH_MAX : batch;
    return (struct pace){.batch = (size_t)batch, .pause_ms = batch * 1000 / rate};
}

int pace_read(const struct ctl *ctl, const char *text, const char *what, struct pace *ret_pace)
{
    char number[NUMBER_TEXT_SIZE];
    size_t length = strlen(text);
    int64_t rate = 1;

    if (length > 2 && strcmp(text + length - 2, "/s") == 0)
        length -= 2;
    if (length < sizeof number) {
        snprintf(number, sizeof number, "%.*s", (int)length, text);
        if (number_parse(NUMBER_COUNT, number, 1, RATE_MAX, &rate, NULL) == 0) {
            *ret_pace = pace_of(rate);
            return 0;
        }
    }
    return ctl_fail(ctl, EX_USAGE, "--rate takes 1 to %d %s a second", RATE_MAX, what);
}

static volatile sig_atomic_t stopped;

static void stop(int number)
{
    stopped = number;
}

void pace_catch_signals(void)
{
    struct sigaction action = {.sa_handler = stop};

    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool pace_is_stopped(void)
{
    return stopped != 0;
}

void pace_wait(const struct pace *pace)
{
    struct timespec pause = {.tv_sec = pace->pause_ms / 1000, .tv_nsec = pace->pause_ms % 1000 * 1000000};

    nanosleep(&pause, NULL);
}
