/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges of addresses in CIDR notation (RFC 4632, RFC 4291), of both families in one form. */
#ifndef NET_CIDR_H
#define NET_CIDR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/error.h"

#define CIDR_BYTES 16

struct cidr {
    int family;                      /* AF_INET or AF_INET6 */
    unsigned char bytes[CIDR_BYTES]; /* network order; four of them with AF_INET */
    int prefix;                      /* bits that count */
    int port;                        /* of an address that came with one */
};

/* "10.0.0.0/8", "::1/128", or an address alone.  -EINVAL, also where a bit behind the prefix is set. */
int cidr_parse(const char *text, struct cidr *ret_cidr, struct error *err);

/*
 * The range of the one address.  IPv4 inside IPv6 becomes IPv4: ::ffff:0:0/96 (RFC 4291 section 2.5.5.2) and
 * 64:ff9b::/96 (RFC 6052), since that is where a connection ends up.  False for other families.
 */
bool cidr_from_address(const struct sockaddr *address, struct cidr *ret_cidr);

/* Whether all of inner lies in outer. */
bool cidr_holds(const struct cidr *outer, const struct cidr *inner);

/*
 * Whether one of the ranges, as texts, holds the address, as a text; of what is no address, none does.  An
 * IPv4 client of a socket that takes both families is ::ffff:192.0.2.1 there (RFC 4291 section 2.5.5.2), and
 * is held as the IPv4 address.
 */
bool cidrs_hold_address(char *const *ranges, size_t count, const char *address);

#endif
