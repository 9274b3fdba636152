/* SPDX-License-Identifier: Apache-2.0 */
/* The types of lists: entries separated by spaces, of which each has a check of its own. */
#include "config/value.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "config/number.h"
#include "config/settings.h"

#define SPACES " \t"

/* A list of text takes entries up to here: an origin with the longest host name that there is, 253 bytes. */
#define ENTRY_MAX 300

/* Copies the next entry from *cursor into entry and moves on; false at the end.  *ret_fits: it was not cut.
 */
static bool next_entry(const char **cursor, char entry[ENTRY_MAX + 1], bool *ret_fits)
{
    const char *start = *cursor + strspn(*cursor, SPACES);
    size_t length = strcspn(start, SPACES);

    *cursor = start + length;
    *ret_fits = length <= ENTRY_MAX;
    snprintf(entry, ENTRY_MAX + 1, "%.*s", *ret_fits ? (int)length : ENTRY_MAX, start);
    return length > 0;
}

/* No entry of any list holds a comma: one is a slip of who knows other files. */
static int refuse_comma(const char *entry, struct error *err)
{
    return strchr(entry, ',') == NULL
               ? 0
               : error_set(err, -EINVAL, "holds \"%s\"; entries are separated by spaces, not by commas",
                           entry);
}

/* ---- lists of words ---- */

/* Checks an entry, and may write it anew as programs want it. */
typedef int (*entry_check)(char entry[ENTRY_MAX + 1], struct error *err);

static void release_strings(void *member)
{
    struct string_list *list = member;

    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    *list = (struct string_list){0};
}

static int add_string(struct string_list *list, const char *entry, struct error *err)
{
    char *copy;

    if (list->count == SETTINGS_LIST_MAX)
        return error_set(err, -EINVAL, "has more than %d entries", SETTINGS_LIST_MAX);
    copy = strdup(entry);
    if (copy == NULL)
        return error_system(err, ENOMEM, "cannot keep the value");
    list->items[list->count++] = copy;
    return 0;
}

static int parse_strings(const char *text, entry_check check, struct string_list *ret_list, struct error *err)
{
    cleanup(release_strings) struct string_list list = {0};
    char entry[ENTRY_MAX + 1];
    bool fits;
    int r;

    while (next_entry(&text, entry, &fits)) {
        if (!fits)
            return error_set(err, -EINVAL, "has an entry longer than %d bytes", ENTRY_MAX);
        r = refuse_comma(entry, err);
        if (r == 0)
            r = check(entry, err);
        if (r < 0)
            return r;
        r = add_string(&list, entry, err);
        if (r < 0)
            return r;
    }
    *ret_list = list;
    list = (struct string_list){0};
    return 0;
}

static int check_port(char entry[ENTRY_MAX + 1], struct error *err)
{
    int64_t port;

    if (strcmp(entry, "all") == 0)
        return 0;
    /* Digits alone: 8K is a count, not a port. */
    if (entry[strspn(entry, "0123456789")] != '\0' ||
        number_parse(NUMBER_COUNT, entry, 1, 65535, &port, NULL) < 0)
        return error_set(err, -EINVAL, "holds \"%s\", which is no port of 1 to 65535", entry);
    snprintf(entry, ENTRY_MAX + 1, "%d", (int)port);
    return 0;
}

static int parse_ports(const char *text, const struct value_range *range, void *ret_member, struct error *err)
{
    cleanup(release_strings) struct string_list list = {0};
    struct string_list *member = ret_member;
    int r = parse_strings(text, check_port, &list, err);

    (void)range;
    if (r < 0)
        return r;
    for (size_t i = 0; i < list.count; i++)
        if (list.count > 1 && strcmp(list.items[i], "all") == 0)
            return error_set(err, -EINVAL, "must be a list of ports, or the word all by itself");
    *member = list;
    list = (struct string_list){0};
    return 0;
}

/* Whether every bit behind the prefix is zero: a network with others is a slip, and net/ refuses it too. */
static bool is_network(const unsigned char *address, int64_t prefix, int64_t bits)
{
    for (int64_t bit = prefix; bit < bits; bit++)
        if ((address[bit / 8] & (0x80 >> bit % 8)) != 0)
            return false;
    return true;
}

/* An address alone is the network that holds nothing else. */
static bool rewrite_cidr(char entry[ENTRY_MAX + 1])
{
    char address[INET6_ADDRSTRLEN];
    size_t length = strcspn(entry, "/");
    unsigned char bytes[sizeof(struct in6_addr)];
    bool is_v6 = memchr(entry, ':', length) != NULL;
    int64_t bits = is_v6 ? 128 : 32;
    int64_t prefix = bits;
    const char *digits = entry + length + 1;

    if (length >= sizeof address)
        return false;
    memcpy(address, entry, length);
    address[length] = '\0';
    if (inet_pton(is_v6 ? AF_INET6 : AF_INET, address, bytes) != 1)
        return false;
    if (entry[length] == '/' && (digits[strspn(digits, "0123456789")] != '\0' ||
                                 number_parse(NUMBER_COUNT, digits, 0, bits, &prefix, NULL) < 0))
        return false;
    snprintf(entry, ENTRY_MAX + 1, "%s/%d", address, (int)prefix);
    return is_network(bytes, prefix, bits);
}

static int check_cidr(char entry[ENTRY_MAX + 1], struct error *err)
{
    char original[ENTRY_MAX + 1];

    memcpy(original, entry, sizeof original);
    return rewrite_cidr(entry)
               ? 0
               : error_set(err, -EINVAL, "holds \"%s\", which is no network like 10.0.0.0/8 or fd00::/8",
                           original);
}

static int parse_cidrs(const char *text, const struct value_range *range, void *ret_member, struct error *err)
{
    (void)range;
    return parse_strings(text, check_cidr, ret_member, err);
}

/* RFC 6454, section 6.2: scheme, host and port, as a browser's Origin header has them; compared byte for
 * byte. */
static int check_origin(char entry[ENTRY_MAX + 1], struct error *err)
{
    const char *host = strstr(entry, "://");

    if (strcmp(entry, "*") == 0)
        return 0;
    if (host == NULL || host == entry || host[3] == '\0' || strpbrk(host + 3, "/?#@\\*\"") != NULL)
        return error_set(err, -EINVAL, "holds \"%s\", which is no origin like https://app.example.org",
                         entry);
    return 0;
}

static int parse_origins(const char *text, const struct value_range *range, void *ret_member,
                         struct error *err)
{
    (void)range;
    return parse_strings(text, check_origin, ret_member, err);
}

const struct value_type value_ports = {"ports, or the word all", parse_ports, NULL, release_strings};
const struct value_type value_cidrs = {"networks like 10.0.0.0/8 or fd00::/8", parse_cidrs, NULL,
                                       release_strings};
const struct value_type value_origins = {"origins like https://app.example.org, or *", parse_origins, NULL,
                                         release_strings};

/* ---- lists of durations ---- */

static int parse_durations(const char *text, const struct value_range *range, void *ret_member,
                           struct error *err)
{
    struct duration_list list = {0};
    struct duration_list *member = ret_member;
    char entry[ENTRY_MAX + 1];
    bool fits;
    int r;

    while (next_entry(&text, entry, &fits)) {
        if (list.count == SETTINGS_LIST_MAX)
            return error_set(err, -EINVAL, "has more than %d entries", SETTINGS_LIST_MAX);
        r = refuse_comma(entry, err);
        if (r < 0)
            return r;
        r = number_parse(NUMBER_DURATION, entry, range->min, range->max, &list.items_ms[list.count], err);
        if (r < 0)
            return error_prefix(err, r, "entry \"%s\"", entry);
        list.count++;
    }
    if (list.count == 0)
        return error_set(err, -EINVAL, "must have at least one duration, such as 0s");
    *member = list;
    return 0;
}

static void describe_durations(const struct value_range *range, char ret_text[VALUE_RANGE_SIZE])
{
    char each[VALUE_RANGE_SIZE - 16];

    number_describe_range(NUMBER_DURATION, range->min, range->max, each, sizeof each);
    snprintf(ret_text, VALUE_RANGE_SIZE, "1 to %d of %s", SETTINGS_LIST_MAX, each);
}

const struct value_type value_durations = {"durations: each a number and ms, s, m, h or d", parse_durations,
                                           describe_durations, NULL};
