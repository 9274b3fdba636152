/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/progress.h"

#include <string.h>

#define BAR_WIDTH 40

/* \r, and erasing to the end of the line as ECMA-48 has it. */
#define LINE_START "\r\033[K"

/* Lines come no faster than one can read them... */
#define LINE_PAUSE_MS 2000

/* ...and a tenth that takes long is told of in between. */
#define LINE_LATEST_MS 10000

void progress_init(struct progress *progress, FILE *out, bool is_terminal, const struct clock *clock)
{
    *progress = (struct progress){.out = out,
                                  .is_terminal = is_terminal,
                                  .clock = clock,
                                  .last_ms = clock_monotonic_ms(clock),
                                  .percent = -1};
}

static void draw_bar(struct progress *progress, const char *phase, int percent)
{
    char bar[BAR_WIDTH + 1];

    for (int i = 0; i < BAR_WIDTH; i++)
        bar[i] = i * 100 < percent * BAR_WIDTH ? '#' : '.';
    bar[BAR_WIDTH] = '\0';
    fprintf(progress->out, LINE_START "%-12s [%s] %3d %%", phase, bar, percent);
    progress->shown = true;
}

/* Whether it is time for a line. */
static bool line_is_due(const struct progress *progress, const char *phase, int percent, int64_t now_ms)
{
    int64_t silence_ms = now_ms - progress->last_ms;
    bool is_step = percent / 10 != progress->percent / 10 || strcmp(phase, progress->phase) != 0;

    return silence_ms >= (is_step ? LINE_PAUSE_MS : LINE_LATEST_MS);
}

void progress_show(struct progress *progress, const char *phase, double share)
{
    int percent = share <= 0 ? 0 : share >= 1 ? 100 : (int)(share * 100);
    int64_t now_ms = clock_monotonic_ms(progress->clock);

    if (progress->out == NULL || phase == NULL ||
        (percent == progress->percent && strcmp(phase, progress->phase) == 0))
        return;
    if (progress->is_terminal)
        draw_bar(progress, phase, percent);
    else if (line_is_due(progress, phase, percent, now_ms))
        fprintf(progress->out, "%-12s %3d %%\n", phase, percent);
    else
        return;
    fflush(progress->out);
    progress->last_ms = now_ms;
    snprintf(progress->phase, sizeof progress->phase, "%s", phase);
    progress->percent = percent;
}

void progress_end(struct progress *progress)
{
    if (progress->shown)
        fputs(LINE_START, progress->out);
    progress->shown = false;
    progress->percent = -1;
}
