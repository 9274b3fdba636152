/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>

#include "base/cleanup.h"
#include "net/guard.h"

static char all[] = "all";
static char https_port[] = "443";
static char *const all_ports[] = {all};
static char *const one_port[] = {https_port};

static struct guard *make_guard(bool allow_http, char *const *cidrs, size_t cidr_count, char *const *ports,
                                size_t port_count)
{
    const struct guard_options options = {allow_http, cidrs, cidr_count, ports, port_count, &clock_system};
    struct guard *guard = NULL;
    struct error err = {""};

    cr_assert_eq(guard_new(&options, &guard, &err), 0, "%s", err.text);
    return guard;
}

static int judge(struct guard *guard, const char *text, int port, struct error *err)
{
    struct sockaddr_storage address = {0};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address;

    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
    } else {
        cr_assert_eq(inet_pton(AF_INET6, text, &v6->sin6_addr), 1, "%s", text);
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)port);
    }
    return guard_judge_address(guard, (struct sockaddr *)&address, err);
}

/* The addresses just outside and just inside each end of every range that is refused. */
Test(guard, refuses_each_range_up_to_its_boundaries)
{
    static const struct {
        const char *below;
        const char *first;
        const char *last;
        const char *above;
    } ranges[] = {
        {NULL, "0.0.0.0", "0.255.255.255", "1.0.0.0"},
        {"9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"},
        {"100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0"},
        {"126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0"},
        {"168.63.129.15", "168.63.129.16", "168.63.129.16", "168.63.129.17"},
        {"169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0"},
        {"172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0"},
        {"191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0"},
        {"192.0.1.255", "192.0.2.0", "192.0.2.255", "192.0.3.0"},
        {"192.88.98.255", "192.88.99.0", "192.88.99.255", "192.88.100.0"},
        {"192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0"},
        {"198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0"},
        {"198.51.99.255", "198.51.100.0", "198.51.100.255", "198.51.101.0"},
        {"203.0.112.255", "203.0.113.0", "203.0.113.255", "203.0.114.0"},
        {"223.255.255.255", "224.0.0.0", "255.255.255.255", NULL},
        {NULL, "::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL},
        {"3fff:1000::", "4000::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL},
        {NULL, "2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:200::"},
        {"2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2001::", "2001:0:ffff::", NULL},
        {"2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
         "2001:db9::"},
        {"2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
         "2003::"},
        {"3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff",
         "3fff:1000::"},
        {"2000::", "::1", "fe80::1", NULL},
        {NULL, "fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL},
    };
    struct guard *guard = make_guard(false, NULL, 0, all_ports, 1);

    for (size_t i = 0; i < array_length(ranges); i++) {
        struct error err = {""};

        if (ranges[i].below != NULL)
            cr_expect_eq(judge(guard, ranges[i].below, 443, &err), 0, "%s: %s", ranges[i].below, err.text);
        cr_expect_eq(judge(guard, ranges[i].first, 443, &err), GUARD_BLOCKED_ADDRESS, "%s", ranges[i].first);
        cr_expect_eq(judge(guard, ranges[i].last, 443, &err), GUARD_BLOCKED_ADDRESS, "%s", ranges[i].last);
        if (ranges[i].above != NULL)
            cr_expect_eq(judge(guard, ranges[i].above, 443, &err), 0, "%s: %s", ranges[i].above, err.text);
    }
    guard_free(guard);
}

Test(guard, judges_ipv4_within_ipv6_as_ipv4)
{
    static const char *const blocked[] = {"::ffff:127.0.0.1",   "::ffff:10.1.2.3",    "64:ff9b::7f00:1",
                                          "64:ff9b::a9fe:a9fe", "::127.0.0.1",        "64:ff9b:1::1.1.1.1",
                                          "::ffff:0:127.0.0.1", "64:ff9b::1:1.1.1.1", "2002:7f00:1::"};
    static const char *const public[] = {"::ffff:1.1.1.1", "64:ff9b::1.1.1.1", "2606:4700:4700::1111"};
    struct guard *guard = make_guard(false, NULL, 0, all_ports, 1);

    for (size_t i = 0; i < array_length(blocked); i++)
        cr_expect_eq(judge(guard, blocked[i], 443, NULL), GUARD_BLOCKED_ADDRESS, "%s", blocked[i]);
    for (size_t i = 0; i < array_length(public); i++)
        cr_expect_eq(judge(guard, public[i], 443, NULL), 0, "%s", public[i]);
    guard_free(guard);
}

Test(guard, refuses_the_addresses_of_this_machines_interfaces)
{
    struct guard *guard = make_guard(false, NULL, 0, all_ports, 1);
    struct ifaddrs *interfaces;

    cr_assert_eq(getifaddrs(&interfaces), 0);
    for (struct ifaddrs *at = interfaces; at != NULL; at = at->ifa_next) {
        struct sockaddr_storage copy = {0};

        if (at->ifa_addr == NULL ||
            (at->ifa_addr->sa_family != AF_INET && at->ifa_addr->sa_family != AF_INET6))
            continue;
        memcpy(&copy, at->ifa_addr,
               at->ifa_addr->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
        cr_expect_eq(guard_judge_address(guard, (struct sockaddr *)&copy, NULL), GUARD_BLOCKED_ADDRESS);
    }
    freeifaddrs(interfaces);
    guard_free(guard);
}

Test(guard, ranges_of_the_configuration_win)
{
    static char loopback[] = "127.0.0.0/8";
    static char one[] = "10.1.2.3";
    static char six[] = "fd00::/8";
    static char *const cidrs[] = {loopback, one, six};
    struct guard *guard = make_guard(false, cidrs, 3, all_ports, 1);

    cr_expect_eq(judge(guard, "127.0.0.1", 1, NULL), 0);
    cr_expect_eq(judge(guard, "127.255.255.255", 65535, NULL), 0);
    cr_expect_eq(judge(guard, "::ffff:127.0.0.1", 443, NULL), 0);
    cr_expect_eq(judge(guard, "10.1.2.3", 443, NULL), 0);
    cr_expect_eq(judge(guard, "fd12::1", 443, NULL), 0);
    cr_expect_eq(judge(guard, "10.1.2.4", 443, NULL), GUARD_BLOCKED_ADDRESS);
    cr_expect_eq(judge(guard, "::1", 443, NULL), GUARD_BLOCKED_ADDRESS);
    cr_expect_eq(judge(guard, "fe80::1", 443, NULL), GUARD_BLOCKED_ADDRESS);
    guard_free(guard);
}

Test(guard, refuses_other_ports)
{
    struct guard *guard = make_guard(false, NULL, 0, one_port, 1);
    struct guard *none = make_guard(false, NULL, 0, NULL, 0);

    cr_expect_eq(judge(guard, "1.1.1.1", 443, NULL), 0);
    cr_expect_eq(judge(guard, "1.1.1.1", 442, NULL), GUARD_BLOCKED_PORT);
    cr_expect_eq(judge(guard, "2606::1", 22, NULL), GUARD_BLOCKED_PORT);
    cr_expect_eq(judge(none, "1.1.1.1", 443, NULL), GUARD_BLOCKED_PORT);
    guard_free(guard);
    guard_free(none);
}

static void testcase_judged(struct guard *guard, const char *text, int expected)
{
    struct error err = {""};
    struct url url = {0};

    cr_expect_eq(guard_judge_url(guard, text, &url, &err), expected, "%s: %s", text, err.text);
    if (expected != 0)
        cr_expect_neq(err.text[0], '\0', "%s", text);
}

Test(guard, a_url_that_names_a_blocked_address_in_any_spelling_is_refused)
{
    static const char *const hosts[] = {
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "0x7f000001",
        "017700000001",
        "10.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[::]",
        "0",
        "0.0.0.0",
        "169.254.169.254",
        "[fe80::1]",
        "[::ffff:7f00:1]",
        "localhost",
        "LOCALHOST.",
        "127.0.0.1.",
        "127.1.",
        "a.localhost",
        "[fd00::1]",
        "[0:0:0:0:0:0:0:1]",
        "255.255.255.255",
    };
    struct guard *guard = make_guard(true, NULL, 0, all_ports, 1);
    char text[128];

    for (size_t i = 0; i < array_length(hosts); i++) {
        snprintf(text, sizeof text, "http://%s:8080/hook", hosts[i]);
        testcase_judged(guard, text, GUARD_BLOCKED_ADDRESS);
        snprintf(text, sizeof text, "https://%s", hosts[i]);
        testcase_judged(guard, text, GUARD_BLOCKED_ADDRESS);
    }
    guard_free(guard);
}

Test(guard, a_url_is_judged_by_scheme_and_port)
{
    struct guard *strict = make_guard(false, NULL, 0, one_port, 1);
    struct guard *open = make_guard(true, NULL, 0, all_ports, 1);

    testcase_judged(strict, "https://example.com/hook", 0);
    testcase_judged(strict, "https://example.com:443/hook", 0);
    testcase_judged(strict, "https://notlocalhost/", 0);
    testcase_judged(strict, "https://localhost.example.com/", 0);
    testcase_judged(strict, "https://1.1.1.1/", 0);
    testcase_judged(strict, "https://[2606:4700:4700::1111]/", 0);
    testcase_judged(strict, "http://example.com:443/", GUARD_BLOCKED_SCHEME);
    testcase_judged(strict, "https://example.com:8443/", GUARD_BLOCKED_PORT);
    testcase_judged(strict, "https://127.0.0.1:22/", GUARD_BLOCKED_PORT);
    testcase_judged(strict, "https://user@example.com/", -EINVAL);
    testcase_judged(strict, "ftp://example.com/", -EINVAL);
    testcase_judged(open, "http://example.com/", 0);
    testcase_judged(open, "http://example.com:1/", 0);
    guard_free(strict);
    guard_free(open);
}

static void testcase_bad_options(const char *cidr, const char *port)
{
    char copy[64];
    char *const items[] = {copy};
    const struct guard_options options = {.cidrs = items,
                                          .cidr_count = cidr != NULL,
                                          .ports = items,
                                          .port_count = port != NULL,
                                          .clock = &clock_system};
    struct guard *guard = NULL;
    struct error err = {""};

    snprintf(copy, sizeof copy, "%s", cidr != NULL ? cidr : port);
    cr_expect_eq(guard_new(&options, &guard, &err), -EINVAL, "%s", copy);
    cr_expect_null(guard);
    cr_expect_not_null(strstr(err.text, copy), "%s", err.text);
}

Test(guard, settings_that_are_wrong_are_named)
{
    static const char *const cidrs[] = {
        "",         "10.0.0.0/33", "10.0.0.1/8",  "::/129",    "fd00::1/8",   "10.0.0.0/",
        "10.0.0/8", "10.0.0.0/+8", "10.0.0.0/8 ", "localhost", "10.0.0.0/8/8"};
    static const char *const ports[] = {"",      "0",    "65536", "-1",
                                        "https", "443 ", "+443",  "99999999999999999999"};

    for (size_t i = 0; i < array_length(cidrs); i++)
        testcase_bad_options(cidrs[i], NULL);
    for (size_t i = 0; i < array_length(ports); i++)
        testcase_bad_options(NULL, ports[i]);
}
