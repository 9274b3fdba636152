/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BAR_WIDTH 40

/* \r, and erasing to the end of the line as ECMA-48 has it. */
#define LINE_START "\r\033[K"

void progress_show(struct progress *progress, const char *phase, double share)
{
    int percent = share <= 0 ? 0 : share >= 1 ? 100 : (int)(share * 100);
    char bar[BAR_WIDTH + 1];

    if (phase == NULL || isatty(STDERR_FILENO) == 0 ||
        (percent == progress->percent && strcmp(phase, progress->phase) == 0))
        return;
    for (int i = 0; i < BAR_WIDTH; i++)
        bar[i] = i * 100 < percent * BAR_WIDTH ? '#' : '.';
    bar[BAR_WIDTH] = '\0';
    fprintf(stderr, LINE_START "%-12s [%s] %3d %%", phase, bar, percent);
    progress->shown = true;
    snprintf(progress->phase, sizeof progress->phase, "%s", phase);
    progress->percent = percent;
}

void progress_end(struct progress *progress)
{
    if (progress->shown)
        fputs(LINE_START, stderr);
    *progress = PROGRESS_INIT;
}
