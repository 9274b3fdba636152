/* SPDX-License-Identifier: Apache-2.0 */
#include "net/cidr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* IPv6 addresses that carry an IPv4 address in their last four bytes, by their first twelve. */
static const unsigned char carriers[][12] = {
    {[10] = 0xff, [11] = 0xff},
    {0x00, 0x64, 0xff, 0x9b},
};

static int family_bits(int family)
{
    return family == AF_INET ? 32 : 128;
}

static bool bit_is_set(const struct cidr *cidr, int bit)
{
    return (cidr->bytes[bit / 8] >> (7 - bit % 8) & 1) != 0;
}

static bool read_prefix(const char *text, int bits, int *ret_prefix)
{
    char *end;
    long number;

    if (text[0] < '0' || text[0] > '9')
        return false;
    number = strtol(text, &end, 10);
    if (*end != '\0' || number < 0 || number > bits)
        return false;
    *ret_prefix = (int)number;
    return true;
}

int cidr_parse(const char *text, struct cidr *ret_cidr, struct error *err)
{
    const char *slash = strchrnul(text, '/');
    char address[INET6_ADDRSTRLEN] = "";
    struct cidr cidr = {.family = AF_INET};

    if ((size_t)(slash - text) < sizeof address)
        memcpy(address, text, (size_t)(slash - text));
    if (inet_pton(AF_INET, address, cidr.bytes) != 1) {
        cidr.family = AF_INET6;
        if (inet_pton(AF_INET6, address, cidr.bytes) != 1)
            return error_set(err, -EINVAL,
                             "\"%s\" is not a range of addresses such as 10.0.0.0/8 or fd00::/8", text);
    }
    cidr.prefix = family_bits(cidr.family);
    if (*slash == '/' && !read_prefix(slash + 1, cidr.prefix, &cidr.prefix))
        return error_set(err, -EINVAL, "the prefix of \"%s\" is not a number from 0 to %d", text,
                         family_bits(cidr.family));
    for (int bit = cidr.prefix; bit < family_bits(cidr.family); bit++)
        if (bit_is_set(&cidr, bit))
            return error_set(err, -EINVAL, "the address of \"%s\" has bits set behind its prefix", text);
    *ret_cidr = cidr;
    return 0;
}

bool cidr_from_address(const struct sockaddr *address, struct cidr *ret_cidr)
{
    struct cidr cidr = {.family = address->sa_family};
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (cidr.family == AF_INET) {
        memcpy(&v4, address, sizeof v4);
        memcpy(cidr.bytes, &v4.sin_addr, sizeof v4.sin_addr);
        cidr.port = ntohs(v4.sin_port);
    } else if (cidr.family == AF_INET6) {
        memcpy(&v6, address, sizeof v6);
        memcpy(cidr.bytes, &v6.sin6_addr, sizeof v6.sin6_addr);
        cidr.port = ntohs(v6.sin6_port);
    } else {
        return false;
    }
    for (size_t i = 0; cidr.family == AF_INET6 && i < array_length(carriers); i++)
        if (memcmp(cidr.bytes, carriers[i], sizeof carriers[i]) == 0) {
            cidr.family = AF_INET;
            memmove(cidr.bytes, cidr.bytes + sizeof carriers[i], 4);
        }
    cidr.prefix = family_bits(cidr.family);
    *ret_cidr = cidr;
    return true;
}

bool cidr_holds(const struct cidr *outer, const struct cidr *inner)
{
    if (outer->family != inner->family || outer->prefix > inner->prefix)
        return false;
    for (int bit = 0; bit < outer->prefix; bit++)
        if (bit_is_set(outer, bit) != bit_is_set(inner, bit))
            return false;
    return true;
}

#define MAPPED "::ffff:"

bool cidrs_hold_address(char *const *ranges, size_t count, const char *address)
{
    struct cidr range = {0}, one = {0};

    if (strncmp(address, MAPPED, strlen(MAPPED)) == 0 && strchr(address, '.') != NULL)
        address += strlen(MAPPED);
    if (strchr(address, '/') != NULL || cidr_parse(address, &one, NULL) < 0)
        return false;
    for (size_t i = 0; i < count; i++)
        if (cidr_parse(ranges[i], &range, NULL) == 0 && cidr_holds(&range, &one))
            return true;
    return false;
}
