/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far a work is: a bar on a terminal; elsewhere a line now and then, none for a work of a moment, so that
 * a log shows that a long one goes on.
 */
#ifndef CTL_PROGRESS_H
#define CTL_PROGRESS_H

#include <stdbool.h>
#include <stdio.h>

#include "base/clock.h"

struct progress {
    FILE *out; /* NULL: nothing is shown */
    bool is_terminal;
    const struct clock *clock;
    int64_t last_ms; /* when a line was written last, or the work began */
    bool shown;      /* a bar stands on the terminal's line */
    char phase[16];  /* what was shown last: only a change is shown again */
    int percent;
};

/* The work begins. */
void progress_init(struct progress *progress, FILE *out, bool is_terminal, const struct clock *clock);

/* share is 0 to 1. */
void progress_show(struct progress *progress, const char *phase, double share);

/* Clears the bar, if there is one. */
void progress_end(struct progress *progress);

#endif
