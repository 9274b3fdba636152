/* SPDX-License-Identifier: Apache-2.0 */
/* A look at a receiver from outside the schedule: where its name leads, who answers there, and one request.
 */
#ifndef WEBHOOK_PROBE_H
#define WEBHOOK_PROBE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/error.h"
#include "crypto/tls_peer.h"
#include "net/guard.h"
#include "net/url.h"
#include "webhook/sender.h"

/* More addresses of one name are not looked at. */
#define PROBE_ADDRESSES_MAX 32

struct probe_address {
    struct sockaddr_storage address;
    socklen_t size;
    char text[INET6_ADDRSTRLEN];
    bool allowed;
    struct error reason; /* where it is not: the guard's words */
};

/*
 * Resolves the host of a URL, and has each address judged.  PROBE_NO_ADDRESS where there is none, with the
 * resolver's reason in err.
 */
#define PROBE_NO_ADDRESS 1
int probe_resolve(struct guard *guard, const struct url *url,
                  struct probe_address ret_addresses[PROBE_ADDRESSES_MAX], size_t *ret_count,
                  struct error *err);

/*
 * Connects to an address and looks who answers there with TLS (crypto/tls_peer.h).  At most timeout_ms
 * for both.  A failure is for people to read; nothing follows from it.
 */
int probe_certificate(const struct probe_address *address, const char *host, int64_t timeout_ms,
                      struct tls_peer *ret_peer, struct error *err);

/*
 * Sends one request as the worker would, and waits for its end.  done and max_in_flight of the options, and
 * the context of the request, are not looked at.
 */
int probe_send(const struct sender_options *options, const struct send_request *request,
               struct send_result *ret_result, struct error *err);

#endif
