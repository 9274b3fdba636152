/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The address guard: clients choose where webhooks go, and must not reach with them what only this machine
 * can reach.
 *
 * A URL is judged twice.  guard_judge_url() judges what its text tells, when a job is created, so that a
 * mistake is answered at once.  guard_judge_address() judges the address that is connected to, after the DNS
 * has answered: that is the judgement which counts, since a name may lead anywhere and elsewhere a second
 * later.
 *
 * Refused are the ranges that are not of the public internet (IANA's special-purpose registries, RFC 6890)
 * and every address of this machine's own interfaces; ranges that the configuration allows win over both.
 */
#ifndef NET_GUARD_H
#define NET_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/error.h"
#include "net/url.h"

/* Conditions; the text in err is the reason, for a client to read. */
#define GUARD_BLOCKED_SCHEME  1
#define GUARD_BLOCKED_PORT    2
#define GUARD_BLOCKED_ADDRESS 3
#define GUARD_NOT_KNOWN       4 /* nothing goes there now; another time it may be found allowed */

struct guard;

/* The settings of the same names; read by guard_new() alone. */
struct guard_options {
    bool allow_http;
    char *const *cidrs; /* "127.0.0.0/8", "fd00::/8", or one address; no bit set behind the prefix */
    size_t cidr_count;
    char *const *ports; /* numbers, or the one word "all" */
    size_t port_count;
    const struct clock *clock;
};

/* -EINVAL with the entry that is wrong. */
int guard_new(const struct guard_options *options, struct guard **ret_guard, struct error *err);
struct guard *guard_free(struct guard *guard);

/*
 * Parses a URL and judges its scheme, its port and, where the host is an address in any spelling ("127.1",
 * "0x7f.1", "2130706433", "[::ffff:127.0.0.1]") or localhost, the address.  Asks no DNS.  -EINVAL as
 * url_parse(), or one of the first three conditions.  Any thread.
 */
int guard_judge_url(struct guard *guard, const char *text, struct url *ret_url, struct error *err);

/*
 * Judges an address and the port in it.  IPv4 inside IPv6 (mapped, and NAT64's 64:ff9b::/96) is judged as
 * IPv4.  0, GUARD_BLOCKED_PORT or GUARD_BLOCKED_ADDRESS; GUARD_NOT_KNOWN where the kernel has never told this
 * machine's own addresses, of which this could be one.  Any thread.
 */
int guard_judge_address(struct guard *guard, const struct sockaddr *address, struct error *err);

#endif
