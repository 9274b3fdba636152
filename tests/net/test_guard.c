/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>

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

/* The reason names the range, also where its neighbour is refused too; NULL is an address that is allowed. */
static void testcase_reason(struct guard *guard, const char *address, const char *reason)
{
    struct error err = {""};
    int r = judge(guard, address, 443, &err);

    if (reason == NULL) {
        cr_expect_eq(r, 0, "%s: %s", address, err.text);
        return;
    }
    cr_expect_eq(r, GUARD_BLOCKED_ADDRESS, "%s", address);
    cr_expect_not_null(strstr(err.text, reason), "%s: %s", address, err.text);
}

/* IPv4 as it is, mapped (RFC 4291 section 2.5.5.2), and as NAT64 translates it (RFC 6052 section 2.1). */
static void testcase_every_form(struct guard *guard, const char *address, const char *reason)
{
    static const char *const carriers[] = {"", "::ffff:", "64:ff9b::"};
    bool is_v4 = strchr(address, ':') == NULL;
    char text[64];

    for (size_t i = 0; i < (is_v4 ? array_length(carriers) : 1); i++) {
        snprintf(text, sizeof text, "%s%s", carriers[i], address);
        testcase_reason(guard, text, reason);
    }
}

#define MAX_96 "ffff:ffff:ffff:ffff:ffff:ffff"

/* Both ends of every range that is refused, and the addresses just outside. */
Test(guard, refuses_each_range_up_to_its_boundaries)
{
    static const struct {
        const char *reason;
        const char *first;
        const char *last;
        const char *below; /* NULL: there is none */
        const char *above;
        const char *reason_below; /* NULL: allowed */
        const char *reason_above;
    } ranges[] = {
        {"this network", "0.0.0.0", "0.255.255.255", NULL, "1.0.0.0", NULL, NULL},
        {"a private network", "10.0.0.0", "10.255.255.255", "9.255.255.255", "11.0.0.0", NULL, NULL},
        {"shared", "100.64.0.0", "100.127.255.255", "100.63.255.255", "100.128.0.0", NULL, NULL},
        {"this machine", "127.0.0.0", "127.255.255.255", "126.255.255.255", "128.0.0.0", NULL, NULL},
        {"a cloud's host", "168.63.129.16", "168.63.129.16", "168.63.129.15", "168.63.129.17", NULL, NULL},
        {"link-local", "169.254.0.0", "169.254.255.255", "169.253.255.255", "169.255.0.0", NULL, NULL},
        {"a private network", "172.16.0.0", "172.31.255.255", "172.15.255.255", "172.32.0.0", NULL, NULL},
        {"reserved", "192.0.0.0", "192.0.0.255", "191.255.255.255", "192.0.1.0", NULL, NULL},
        {"documentation", "192.0.2.0", "192.0.2.255", "192.0.1.255", "192.0.3.0", NULL, NULL},
        {"reserved", "192.88.99.0", "192.88.99.255", "192.88.98.255", "192.88.100.0", NULL, NULL},
        {"a private network", "192.168.0.0", "192.168.255.255", "192.167.255.255", "192.169.0.0", NULL, NULL},
        {"benchmarks", "198.18.0.0", "198.19.255.255", "198.17.255.255", "198.20.0.0", NULL, NULL},
        {"documentation", "198.51.100.0", "198.51.100.255", "198.51.99.255", "198.51.101.0", NULL, NULL},
        {"documentation", "203.0.113.0", "203.0.113.255", "203.0.112.255", "203.0.114.0", NULL, NULL},
        {"multicast", "224.0.0.0", "239.255.255.255", "223.255.255.255", "240.0.0.0", NULL, "reserved"},
        {"reserved", "240.0.0.0", "255.255.255.255", "239.255.255.255", NULL, "multicast", NULL},
        {"reserved", "::", "1fff:ffff:" MAX_96, NULL, "2000::", NULL, NULL},
        {"this machine", "::1", "::1", "::", "::2", "reserved", "reserved"},
        {"reserved", "2001::", "2001:1ff:" MAX_96, "2000:ffff:" MAX_96, "2001:200::", NULL, NULL},
        {"documentation", "2001:db8::", "2001:db8:" MAX_96, "2001:db7:" MAX_96, "2001:db9::", NULL, NULL},
        {"6to4", "2002::", "2002:ffff:" MAX_96, "2001:ffff:" MAX_96, "2003::", NULL, NULL},
        {"documentation", "3fff::", "3fff:fff:" MAX_96, "3ffe:ffff:" MAX_96, "3fff:1000::", NULL, NULL},
        {"reserved", "4000::", "7fff:ffff:" MAX_96, "3fff:ffff:" MAX_96, "8000::", NULL, "reserved"},
        {"reserved", "8000::", "fbff:ffff:" MAX_96, "7fff:ffff:" MAX_96, "fc00::", "reserved", "a private"},
        {"a private network", "fc00::", "fdff:ffff:" MAX_96, "fbff:ffff:" MAX_96, "fe00::", "reserved",
         "reserved"},
        {"link-local", "fe80::", "febf:ffff:" MAX_96, "fe7f:ffff:" MAX_96, "fec0::", "reserved", "reserved"},
        {"multicast", "ff00::", "ffff:ffff:" MAX_96, "feff:ffff:" MAX_96, NULL, "reserved", NULL},
    };
    struct guard *guard = make_guard(false, NULL, 0, all_ports, 1);

    for (size_t i = 0; i < array_length(ranges); i++) {
        testcase_every_form(guard, ranges[i].first, ranges[i].reason);
        testcase_every_form(guard, ranges[i].last, ranges[i].reason);
        if (ranges[i].below != NULL)
            testcase_every_form(guard, ranges[i].below, ranges[i].reason_below);
        if (ranges[i].above != NULL)
            testcase_every_form(guard, ranges[i].above, ranges[i].reason_above);
    }
    guard_free(guard);
}

Test(guard, only_the_two_carriers_of_ipv4_are_read_as_ipv4)
{
    static const char *const blocked[] = {"::1.1.1.1",
                                          "::fffe:1.1.1.1",
                                          "::1:0:0:1.1.1.1",
                                          "::ffff:0:1.1.1.1",
                                          "64:ff9a:ffff:ffff:ffff:ffff:1.1.1.1",
                                          "64:ff9b::1:1.1.1.1",
                                          "64:ff9b:1::1.1.1.1",
                                          "2002:101:101::"};
    struct guard *guard = make_guard(false, NULL, 0, all_ports, 1);

    for (size_t i = 0; i < array_length(blocked); i++)
        testcase_reason(guard, blocked[i], i + 1 < array_length(blocked) ? "reserved" : "6to4");
    testcase_every_form(guard, "1.1.1.1", NULL);
    testcase_every_form(guard, "2606:4700:4700::1111", NULL);
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

/* Without a descriptor the kernel cannot be asked. */
Test(guard, while_the_machines_own_addresses_are_not_known_nothing_is_judged_for_good)
{
    struct guard *guard = make_guard(true, NULL, 0, all_ports, 1);
    struct error err = {""};
    struct rlimit before, none;
    struct url url;

    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 0;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    cr_expect_eq(judge(guard, "8.8.8.8", 443, &err), GUARD_NOT_KNOWN);
    cr_expect_eq(judge(guard, "10.0.0.1", 443, &err), GUARD_BLOCKED_ADDRESS, "whatever the machine has");
    cr_expect_eq(guard_judge_url(guard, "https://8.8.8.8/", &url, &err), 0,
                 "the client who names it has made no mistake");
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    cr_expect_eq(judge(guard, "8.8.8.8", 443, &err), 0, "%s", err.text);
    guard_free(guard);
}

Test(guard, an_address_of_another_family_is_refused)
{
    const struct sockaddr address = {.sa_family = AF_UNIX};
    struct guard *guard = make_guard(false, NULL, 0, all_ports, 1);

    cr_expect_eq(guard_judge_address(guard, &address, NULL), GUARD_BLOCKED_ADDRESS);
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
    cr_expect_eq(judge(guard, "1.1.1.1", 444, NULL), GUARD_BLOCKED_PORT);
    cr_expect_eq(judge(guard, "1.1.1.1", 0, NULL), GUARD_BLOCKED_PORT);
    cr_expect_eq(judge(guard, "1.1.1.1", 65535, NULL), GUARD_BLOCKED_PORT);
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
        "0x7f.0x0.0x0.0x1",
        "0300.0250.1.1",
        "3232235777",
        "127.65535",
        "0x7F.1",
        "0.0.0.0.",
        "0x7f000001.",
        "[::FFFF:127.0.0.1]",
        "[0:0:0:0:0:ffff:7f00:1]",
        "[64:ff9b::169.254.169.254]",
        "[::127.0.0.1]",
        "localhost",
        "a.b.LocalHost",
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

/* Each would reach what it must not where one program read it as another does. */
Test(guard, a_url_that_is_written_to_deceive_is_refused)
{
    static const char *const urls[] = {
        "https://evil.com\\@127.0.0.1/",
        "https://evil.com@127.0.0.1/",
        "https://127.0.0.1@evil.com/",
        "https://:@evil.com/",
        "https:/127.0.0.1/",
        "https:127.0.0.1/",
        "https:///127.0.0.1/",
        "//127.0.0.1/",
        "https://127.0.0.1:/",
        "https://evil.com:0/",
        "https://evil.com:65536/",
        "https://evil.com:4294967739/",
        "https://evil.com:-443/",
        "https://evil.com:443:443/",
        "https://evil.com: 443/",
        "https://[fe80::1%eth0]/",
        "https://[fe80::1%25eth0]/",
        "https://[::1%251]/",
        "https://[2606:4700::1%25eth0]/",
        "https://[127.0.0.1]/",
        "https://[::ffff:0x7f.1]/",
        "https://[v1.a]/",
        "https://[::1]evil.com/",
        "https://[::1/",
        "https://::1/",
        "https://127.0.0.1%00.evil.com/",
        "https://%6c%6f%63%61%6c%68%6f%73%74/",
        "https://127%2e0%2e0%2e1/",
        "https://\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1/", /* 127 in full width */
        "https://127\xe3\x80\x82"
        "0.0.1/", /* an ideographic full stop */
        "https://loc\xc2\xad"
        "alhost/", /* a soft hyphen */
        "https://\xe2\x93\x9b"
        "ocalhost/", /* a letter in a circle */
        "https://127.0.0.1 /",
        " https://evil.com/",
        "https://evil.com/ ",
        "https://evil.com/\r\nHost: inside",
        "https://evil.com\t/",
        "https://\x01/",
        "https://evil.com\x7f/",
    };
    struct guard *guard = make_guard(true, NULL, 0, all_ports, 1);

    for (size_t i = 0; i < array_length(urls); i++) {
        struct error err = {""};
        struct url url;

        cr_expect_neq(guard_judge_url(guard, urls[i], &url, &err), 0, "%s", urls[i]);
        cr_expect_neq(err.text[0], '\0', "%s", urls[i]);
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
