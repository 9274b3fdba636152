/* SPDX-License-Identifier: Apache-2.0 */
#include "webhook/probe.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

#include "base/cleanup.h"
#include "base/clock.h"

static void free_addresses(struct addrinfo **addresses)
{
    if (*addresses != NULL)
        freeaddrinfo(*addresses);
}

static void free_sender(struct sender **sender)
{
    sender_free(*sender);
}

/* ---- addresses ---- */

static void judge(struct guard *guard, const struct addrinfo *found, struct probe_address *ret_address)
{
    *ret_address = (struct probe_address){.size = found->ai_addrlen};
    memcpy(&ret_address->address, found->ai_addr, found->ai_addrlen);
    getnameinfo(found->ai_addr, found->ai_addrlen, ret_address->text, sizeof ret_address->text, NULL, 0,
                NI_NUMERICHOST);
    ret_address->allowed = guard_judge_address(guard, found->ai_addr, &ret_address->reason) == 0;
}

int probe_resolve(struct guard *guard, const struct url *url,
                  struct probe_address ret_addresses[PROBE_ADDRESSES_MAX], size_t *ret_count,
                  struct error *err)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    cleanup(free_addresses) struct addrinfo *found = NULL;
    char port[sizeof "65535"];
    size_t count = 0;
    int r;

    snprintf(port, sizeof port, "%d", url->port);
    r = getaddrinfo(url->host, port, &hints, &found);
    if (r != 0)
        return error_set(err, PROBE_NO_ADDRESS, "%s: %s", url->host, gai_strerror(r));
    for (const struct addrinfo *at = found; at != NULL && count < PROBE_ADDRESSES_MAX; at = at->ai_next)
        judge(guard, at, &ret_addresses[count++]);
    *ret_count = count;
    return 0;
}

/* ---- the certificate ---- */

/* A blocking connect() within the time that the socket may take to send: so says socket(7). */
static int connect_within(const struct probe_address *address, int64_t timeout_ms, int *ret_fd,
                          struct error *err)
{
    const struct timeval timeout = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
    cleanup(close_fd) int fd = socket(address->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return error_system(err, errno, "cannot make a socket");
    if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) < 0)
        return error_system(err, errno, "cannot set a time-out");
    if (connect(fd, (const struct sockaddr *)&address->address, address->size) < 0)
        return error_system(err, errno == EINPROGRESS ? ETIMEDOUT : errno, "no connection to %s",
                            address->text);
    *ret_fd = steal_fd(&fd);
    return 0;
}

int probe_certificate(const struct probe_address *address, const char *host, int64_t timeout_ms,
                      struct tls_peer *ret_peer, struct error *err)
{
    int64_t deadline = clock_monotonic_ms(&clock_system) + timeout_ms;
    cleanup(close_fd) int fd = -1;
    int r = connect_within(address, timeout_ms, &fd, err);

    return r == 0 ? tls_peer_look(fd, host, deadline, ret_peer, err) : r;
}

/* ---- the request ---- */

struct exchange {
    bool done;
    struct send_result result;
};

static void note_result(const struct send_request *request, const struct send_result *result)
{
    struct exchange *exchange = request->context;

    exchange->result = *result;
    exchange->done = true;
}

int probe_send(const struct sender_options *options, const struct send_request *request,
               struct send_result *ret_result, struct error *err)
{
    struct exchange exchange = {.done = false};
    struct sender_options own_options = *options;
    struct send_request own_request = *request;
    cleanup(free_sender) struct sender *sender = NULL;
    int r;

    own_options.max_in_flight = 1;
    own_options.done = note_result;
    own_request.context = &exchange;
    r = sender_new(&own_options, &sender, err);
    if (r == 0)
        r = sender_start(sender, &own_request, &exchange.result, err);
    if (r == SENDER_REFUSED)
        exchange.done = true;
    if (r < 0)
        return r;
    while (!exchange.done) {
        struct pollfd readable = {.fd = sender_fd(sender), .events = POLLIN};

        poll(&readable, 1, sender_wait_ms(sender));
        sender_step(sender);
    }
    *ret_result = exchange.result;
    return 0;
}
