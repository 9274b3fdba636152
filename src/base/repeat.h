/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes wrong again and again, on a full disk for one, and what the log says of it: the first time, once
 * in REPEAT_PAUSE_MS while it lasts, and when it is over.  Zero is a good start; one thread's.
 */
#ifndef BASE_REPEAT_H
#define BASE_REPEAT_H

#include <stdbool.h>
#include <stdint.h>

/* So long the log is silent: whoever looks still finds it near the end, and a night fills no disk. */
#define REPEAT_PAUSE_MS 60000

struct repeat {
    bool lasts;
    int64_t said_at;
};

/* It went wrong, at a time of the monotonic clock: true where that is to be said. */
bool repeat_is_news(struct repeat *repeat, int64_t now_ms);

/* It went well: true where it had gone wrong before. */
bool repeat_is_over(struct repeat *repeat);

#endif
