/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long to go on asking a server that does not answer as it should: at first soon, then less and less
 * often, and not for ever.
 */
#ifndef CTL_PATIENCE_H
#define CTL_PATIENCE_H

#include <stdbool.h>

#include "base/clock.h"

struct patience {
    const struct clock *clock;
    int64_t end_ms;   /* of the clock: not asked again later than this */
    int64_t pause_ms; /* before asking again; doubles */
};

/* Lasts limit_ms from now on. */
void patience_init(struct patience *patience, const struct clock *clock, int64_t limit_ms);

/*
 * How long to wait before asking again: not less than the server said (0: it said nothing).  False where that
 * is later than there is patience.
 */
bool patience_pause(struct patience *patience, int64_t retry_after_ms, int64_t *ret_pause_ms);

#endif
