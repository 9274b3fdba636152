/* SPDX-License-Identifier: Apache-2.0 */
/* Moments as people name them on a command line. */
#ifndef CTL_WHEN_H
#define CTL_WHEN_H

#include "ctl/ctl.h"

/* Reads RFC 3339 or how long ago it was, "90m": 0, or EX_USAGE with the reason on stderr, which names the
 * option. */
int ctl_read_time(const struct ctl *ctl, const char *option, const char *text, int64_t *ret_wall_ms);

#endif
