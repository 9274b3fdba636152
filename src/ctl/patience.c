/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/patience.h"

/* A server that is started again is back within moments. */
#define PAUSE_FIRST_MS 250

/* One that is away for longer is not missed by more than this. */
#define PAUSE_LAST_MS 8000

void patience_init(struct patience *patience, const struct clock *clock, int64_t limit_ms)
{
    *patience = (struct patience){
        .clock = clock, .end_ms = clock_monotonic_ms(clock) + limit_ms, .pause_ms = PAUSE_FIRST_MS};
}

bool patience_pause(struct patience *patience, int64_t retry_after_ms, int64_t *ret_pause_ms)
{
    int64_t pause_ms = retry_after_ms > patience->pause_ms ? retry_after_ms : patience->pause_ms;

    if (clock_monotonic_ms(patience->clock) + pause_ms > patience->end_ms)
        return false;
    if (patience->pause_ms < PAUSE_LAST_MS)
        patience->pause_ms *= 2;
    *ret_pause_ms = pause_ms;
    return true;
}
