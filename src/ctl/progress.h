/* SPDX-License-Identifier: Apache-2.0 */
/* A progress bar on stderr where that is a terminal, and silence elsewhere. */
#ifndef CTL_PROGRESS_H
#define CTL_PROGRESS_H

#include <stdbool.h>

struct progress {
    bool shown;     /* a bar stands on the terminal's line */
    char phase[16]; /* what was drawn last: only a change is drawn again */
    int percent;
};

#define PROGRESS_INIT ((struct progress){.percent = -1})

/* share is 0 to 1. */
void progress_show(struct progress *progress, const char *phase, double share);

/* Clears the line, if there is one. */
void progress_end(struct progress *progress);

#endif
