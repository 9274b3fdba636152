/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work on many rows beside a service that runs: in small transactions, so many a second, until it is done or
 * somebody presses Ctrl-C.
 */
#ifndef CTL_PACE_H
#define CTL_PACE_H

#include <stdbool.h>

#include "ctl/ctl.h"

/* Rows in one transaction at most, so that none holds up other writers. */
#define PACE_BATCH_MAX 64

struct pace {
    size_t batch;     /* rows in one transaction */
    int64_t pause_ms; /* behind each */
};

/* Reads "50" or "50/s", of what is named: 0, or EX_USAGE with the reason on stderr. */
int pace_read(const struct ctl *ctl, const char *text, const char *what, struct pace *ret_pace);

/* From now on SIGINT and SIGTERM end no program, but what asks pace_is_stopped(). */
void pace_catch_signals(void);
bool pace_is_stopped(void);

/* The pause behind a transaction; a signal ends it. */
void pace_wait(const struct pace *pace);

#endif
