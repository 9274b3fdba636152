/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who answers at the other end of a TLS connection, whether to be trusted or not: for an administrator who
 * wants to know why a receiver is refused, or how long its certificate lasts.  Nothing is sent over it.
 */
#ifndef CRYPTO_TLS_PEER_H
#define CRYPTO_TLS_PEER_H

#include <stdint.h>

#include "base/error.h"

#define TLS_PEER_NAME_SIZE 256 /* a longer name is cut */

struct tls_peer {
    char version[16];                 /* "TLSv1.3" */
    char subject[TLS_PEER_NAME_SIZE]; /* as RFC 2253 writes it, what is not ASCII escaped */
    char issuer[TLS_PEER_NAME_SIZE];
    int64_t not_after; /* seconds since 1970: the certificate's end */
};

/*
 * Shakes hands over a connected socket, as TLS 1.2 or later, and reads the certificate without judging it.
 * host goes as the server name (RFC 6066 section 3) unless it is an address.  Until deadline, which is
 * monotonic milliseconds, however its bytes trickle in.  The socket no longer blocks afterwards; the caller
 * closes it. -EPROTO where there is no TLS at the other end, or none that both speak; -ETIMEDOUT.
 */
int tls_peer_look(int fd, const char *host, int64_t deadline, struct tls_peer *ret_peer, struct error *err);

#endif
