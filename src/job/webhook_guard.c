/* SPDX-License-Identifier: Apache-2.0 */
#include "job/webhook_guard.h"

int webhook_guard_new(const struct settings *settings, const struct clock *clock, struct guard **ret_guard,
                      struct error *err)
{
    const struct guard_options options = {
        .allow_http = settings->webhook_allow_http,
        .cidrs = settings->webhook_allow_cidrs.items,
        .cidr_count = settings->webhook_allow_cidrs.count,
        .ports = settings->webhook_ports.items,
        .port_count = settings->webhook_ports.count,
        .clock = clock,
    };

    return guard_new(&options, ret_guard, err);
}
