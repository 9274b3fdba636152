/* SPDX-License-Identifier: Apache-2.0 */
#include "net/guard.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "net/cidr.h"

/* How old the list of the machine's own addresses may be: an interface that comes up is noticed within this
 * time. */
#define OWN_ADDRESSES_AGE_MS 5000

/* A bit a port: 8 KiB, and no search on the way to a connection. */
#define PORT_COUNT 65536

struct guard {
    bool allow_http;
    struct cidr *allowed;
    size_t allowed_count;
    unsigned char ports[PORT_COUNT / CHAR_BIT];
    const struct clock *clock;
    pthread_mutex_t lock; /* of the members below */
    struct cidr *own;
    size_t own_count;
    int64_t own_read_at; /* monotonic milliseconds */
};

/*
 * IPv4 that is not the public internet: IANA's special-purpose registry, and 168.63.129.16, at which a large
 * cloud's host answers its guests.  IPv6 that is public is within 2000::/3; the others are exceptions in it.
 */
static const struct {
    const char *cidr;
    const char *reason;
} blocked_ranges[] = {
    {"0.0.0.0/8", "this network"},
    {"10.0.0.0/8", "a private network"},
    {"100.64.0.0/10", "a provider's shared network"},
    {"127.0.0.0/8", "this machine"},
    {"168.63.129.16/32", "a cloud's host"},
    {"169.254.0.0/16", "link-local"},
    {"172.16.0.0/12", "a private network"},
    {"192.0.0.0/24", "reserved"},
    {"192.0.2.0/24", "for documentation"},
    {"192.88.99.0/24", "reserved"},
    {"192.168.0.0/16", "a private network"},
    {"198.18.0.0/15", "for benchmarks"},
    {"198.51.100.0/24", "for documentation"},
    {"203.0.113.0/24", "for documentation"},
    {"224.0.0.0/4", "multicast"},
    {"240.0.0.0/4", "reserved"},
    {"::1/128", "this machine"},
    {"fc00::/7", "a private network"},
    {"fe80::/10", "link-local"},
    {"ff00::/8", "multicast"},
    {"::/3", "reserved"}, /* the rest of what is not 2000::/3, in three blocks */
    {"4000::/2", "reserved"},
    {"8000::/1", "reserved"},
    {"2001::/23", "reserved"},
    {"2001:db8::/32", "for documentation"},
    {"2002::/16", "6to4"},
    {"3fff::/20", "for documentation"},
};

static void free_interfaces(struct ifaddrs **interfaces)
{
    freeifaddrs(*interfaces);
}

static void free_addresses(struct addrinfo **addresses)
{
    if (*addresses != NULL)
        freeaddrinfo(*addresses);
}

struct guard *guard_free(struct guard *guard)
{
    if (guard == NULL)
        return NULL;
    free(guard->allowed);
    free(guard->own);
    pthread_mutex_destroy(&guard->lock);
    free(guard);
    return NULL;
}

static void allow_port(struct guard *guard, unsigned long port)
{
    guard->ports[port / CHAR_BIT] |= (unsigned char)(1u << (port % CHAR_BIT));
}

static bool port_is_allowed(const struct guard *guard, int port)
{
    return (guard->ports[port / CHAR_BIT] >> (port % CHAR_BIT) & 1) != 0;
}

static int read_ports(struct guard *guard, const struct guard_options *options, struct error *err)
{
    if (options->port_count == 1 && strcmp(options->ports[0], "all") == 0) {
        memset(guard->ports, 0xff, sizeof guard->ports);
        return 0;
    }
    for (size_t i = 0; i < options->port_count; i++) {
        const char *text = options->ports[i];
        char *end;
        unsigned long port = strtoul(text, &end, 10);

        if (text[0] < '0' || text[0] > '9' || *end != '\0' || port < 1 || port >= PORT_COUNT)
            return error_set(err, -EINVAL, "\"%s\" is not a port: 1 to 65535, or the one word all", text);
        allow_port(guard, port);
    }
    return 0;
}

int guard_new(const struct guard_options *options, struct guard **ret_guard, struct error *err)
{
    struct guard *guard = calloc(1, sizeof *guard);
    int r = 0;

    if (guard == NULL)
        return error_set(err, -ENOMEM, "out of memory");
    pthread_mutex_init(&guard->lock, NULL);
    guard->allow_http = options->allow_http;
    guard->clock = options->clock;
    guard->allowed = calloc(options->cidr_count + 1, sizeof *guard->allowed);
    if (guard->allowed == NULL)
        r = error_set(err, -ENOMEM, "out of memory");
    for (size_t i = 0; r == 0 && i < options->cidr_count; i++) {
        r = cidr_parse(options->cidrs[i], &guard->allowed[i], err);
        guard->allowed_count += r == 0;
    }
    if (r == 0)
        r = read_ports(guard, options, err);
    if (r < 0)
        guard_free(guard);
    else
        *ret_guard = guard;
    return r;
}

/* With the lock held.  Where the kernel does not answer, the list from before goes on to serve. */
static void refresh_own_addresses(struct guard *guard)
{
    cleanup(free_interfaces) struct ifaddrs *interfaces = NULL;
    int64_t now = clock_monotonic_ms(guard->clock);
    struct cidr *own;
    size_t count = 0;

    if (guard->own != NULL && now - guard->own_read_at < OWN_ADDRESSES_AGE_MS)
        return;
    if (getifaddrs(&interfaces) < 0)
        return;
    for (const struct ifaddrs *at = interfaces; at != NULL; at = at->ifa_next)
        count++;
    own = calloc(count + 1, sizeof *own);
    if (own == NULL)
        return;
    count = 0;
    for (const struct ifaddrs *at = interfaces; at != NULL; at = at->ifa_next)
        if (at->ifa_addr != NULL && cidr_from_address(at->ifa_addr, &own[count]))
            count++;
    free(guard->own);
    guard->own = own;
    guard->own_count = count;
    guard->own_read_at = now;
}

/* Where the machine's addresses cannot be had at all, each could be its own. */
static int judge_own(struct guard *guard, const struct cidr *address)
{
    int condition = 0;

    pthread_mutex_lock(&guard->lock);
    refresh_own_addresses(guard);
    if (guard->own == NULL)
        condition = GUARD_NOT_KNOWN;
    for (size_t i = 0; condition == 0 && i < guard->own_count; i++)
        if (cidr_holds(&guard->own[i], address))
            condition = GUARD_BLOCKED_ADDRESS;
    pthread_mutex_unlock(&guard->lock);
    return condition;
}

/* NULL where the address is of the public internet. */
static const char *blocked_reason(const struct cidr *address)
{
    for (size_t i = 0; i < array_length(blocked_ranges); i++) {
        struct cidr range;

        if (cidr_parse(blocked_ranges[i].cidr, &range, NULL) == 0 && cidr_holds(&range, address))
            return blocked_ranges[i].reason;
    }
    return NULL;
}

int guard_judge_address(struct guard *guard, const struct sockaddr *address, struct error *err)
{
    struct cidr one;
    const char *reason;
    int condition;

    if (!cidr_from_address(address, &one))
        return error_set(err, GUARD_BLOCKED_ADDRESS, "the address is neither IPv4 nor IPv6");
    if (!port_is_allowed(guard, one.port))
        return error_set(err, GUARD_BLOCKED_PORT, "webhooks may not go to port %d", one.port);
    for (size_t i = 0; i < guard->allowed_count; i++)
        if (cidr_holds(&guard->allowed[i], &one))
            return 0;
    reason = blocked_reason(&one);
    if (reason != NULL)
        return error_set(err, GUARD_BLOCKED_ADDRESS, "webhooks may not go to this address (%s)", reason);
    condition = judge_own(guard, &one);
    if (condition == GUARD_NOT_KNOWN)
        return error_set(err, condition, "this machine's own addresses are not known");
    return condition != 0 ? error_set(err, condition, "webhooks may not go to this address (this machine)")
                          : 0;
}

/* RFC 6761 section 6.3: these names are the machine itself, whatever the DNS says.  Without a final dot. */
static bool is_localhost(const char *host)
{
    static const char name[] = "localhost";
    size_t length = strlen(host);

    if (length < sizeof name - 1 || strncmp(host + length - (sizeof name - 1), name, sizeof name - 1) != 0)
        return false;
    return length == sizeof name - 1 || host[length - sizeof name] == '.';
}

/* The C library reads an address in all the spellings in which a connection would. */
static int judge_literal(struct guard *guard, const struct url *url, struct error *err)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
    cleanup(free_addresses) struct addrinfo *addresses = NULL;
    size_t length = strlen(url->host);
    struct sockaddr_storage copy = {0};
    char host[URL_HOST_MAX + 1];

    /* "127.0.0.1." is a name to the C library, and an address to some resolvers. */
    snprintf(host, sizeof host, "%.*s",
             (int)(length > 0 && url->host[length - 1] == '.' ? length - 1 : length), url->host);
    if (getaddrinfo(is_localhost(host) ? "127.0.0.1" : host, NULL, &hints, &addresses) != 0)
        return 0;
    memcpy(&copy, addresses->ai_addr, addresses->ai_addrlen);
    if (copy.ss_family == AF_INET6)
        ((struct sockaddr_in6 *)&copy)->sin6_port = htons((uint16_t)url->port);
    else
        ((struct sockaddr_in *)&copy)->sin_port = htons((uint16_t)url->port);
    return guard_judge_address(guard, (const struct sockaddr *)&copy, err);
}

int guard_judge_url(struct guard *guard, const char *text, struct url *ret_url, struct error *err)
{
    struct error reason = {""};
    struct url url;
    int r = url_parse(text, &url, err);

    if (r < 0)
        return r;
    if (strcmp(url.scheme, "https") != 0 && !guard->allow_http)
        return error_set(err, GUARD_BLOCKED_SCHEME, "the URL must begin with https://");
    if (!port_is_allowed(guard, url.port))
        return error_set(err, GUARD_BLOCKED_PORT, "webhooks may not go to port %d", url.port);
    r = judge_literal(guard, &url, &reason);
    /* What is not known is no fault of the URL's; the judgement at the connection counts. */
    if (r != 0 && r != GUARD_NOT_KNOWN)
        return error_set(err, r, "%s", reason.text);
    *ret_url = url;
    return 0;
}
