/* SPDX-License-Identifier: Apache-2.0 */
/* Where webhooks may go, by the settings: the API judges a URL by it when a job is created, and whoever sends
 * judges the address. */
#ifndef JOB_WEBHOOK_GUARD_H
#define JOB_WEBHOOK_GUARD_H

#include "config/settings.h"
#include "net/guard.h"

/* As guard_new(); the settings are read by this call alone, the clock must outlive the guard. */
int webhook_guard_new(const struct settings *settings, const struct clock *clock, struct guard **ret_guard,
                      struct error *err);

#endif
