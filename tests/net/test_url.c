/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "net/url.h"

static void testcase_url(const char *text, const char *scheme, const char *host, int port,
                         const char *receiver)
{
    struct error err = {""};
    struct url url = {0};

    cr_expect_eq(url_parse(text, &url, &err), 0, "%s: %s", text, err.text);
    cr_expect_str_eq(url.scheme, scheme, "%s", text);
    cr_expect_str_eq(url.host, host, "%s", text);
    cr_expect_eq(url.port, port, "%s", text);
    cr_expect_str_eq(url.receiver, receiver, "%s", text);
}

static void testcase_refused(const char *text, const char *reason)
{
    struct error err = {""};
    struct url url = {.port = -7};

    cr_expect_eq(url_parse(text, &url, &err), -EINVAL, "%s", text);
    cr_expect_not_null(strstr(err.text, reason), "%s: %s", text, err.text);
    cr_expect_eq(url.port, -7);
}

Test(url, is_taken_apart_and_named_by_its_receiver)
{
    testcase_url("https://example.com/hook?a=1&b[]=2#top", "https", "example.com", 443,
                 "https://example.com:443");
    testcase_url("HTTPS://Example.COM:8443", "https", "example.com", 8443, "https://example.com:8443");
    testcase_url("http://example.com", "http", "example.com", 80, "http://example.com:80");
    testcase_url("http://example.com:/x", "http", "example.com", 80, "http://example.com:80");
    testcase_url("https://[2001:DB8::1]:9/x", "https", "2001:db8::1", 9, "https://[2001:db8::1]:9");
    testcase_url("https://192.0.2.1/", "https", "192.0.2.1", 443, "https://192.0.2.1:443");
    testcase_url("https://xn--bcher-kva.example/%C3%A9", "https", "xn--bcher-kva.example", 443,
                 "https://xn--bcher-kva.example:443");
    testcase_url("https://example.com?@evil", "https", "example.com", 443, "https://example.com:443");
}

Test(url, user_info_is_refused)
{
    testcase_refused("https://user:password@example.com/", "user name");
    testcase_refused("https://user@example.com/", "user name");
    testcase_refused("https://@example.com/", "user name");
    testcase_refused("https://:@example.com/", "user name");
}

Test(url, what_parsers_read_differently_is_refused)
{
    static const char *const urls[] = {
        "https://evil.com\\@127.0.0.1/",
        "https://exa mple.com/",
        "https://example.com/a b",
        "https://example.com/\t",
        "https://example.com/\n",
        "https://example.com/\x7f",
        "https://b\xc3\xbc"
        "cher.example/",
        "https://example.com/\"",
        "https://example.com/<a>",
        "https://example.com/{a}",
        "https://example.com/a|b",
        " https://example.com/",
        "https://example.com/`",
    };

    for (size_t i = 0; i < array_length(urls); i++)
        testcase_refused(urls[i], "character");
    testcase_refused("https://example.com/%", "%");
    testcase_refused("https://example.com/%4", "%");
    testcase_refused("https://example.com/%zz", "%");
    testcase_refused("https://[fe80::1%25eth0]/", "zone");
    testcase_refused("https://%31%32%37.0.0.1/", "host");
}

Test(url, must_be_absolute_and_of_http)
{
    static const char *const urls[] = {
        "",
        "example.com",
        "/hook",
        "//example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "https:example.com",
        "https:/example.com/",
        "gopher://example.com/",
        "httpss://example.com/",
    };

    for (size_t i = 0; i < array_length(urls); i++)
        testcase_refused(urls[i], "https://");
}

Test(url, a_missing_or_broken_host_is_refused)
{
    testcase_refused("https://", "no host");
    testcase_refused("https:///path", "no host");
    testcase_refused("https://?x", "no host");
    testcase_refused("https://:443/", "");
    testcase_refused("https://[::1/", "");
    testcase_refused("https://[::g]/", "");
    testcase_refused("https://256.1.1.1/", "neither a name nor an address");
    testcase_refused("https://1.2.3.4.5/", "neither a name nor an address");
    testcase_refused("https://0xffffffff1/", "neither a name nor an address");
    testcase_refused("https://example.1/", "neither a name nor an address");
    testcase_refused("https://a..example/", "neither a name nor an address");
    testcase_refused("https://.example/", "neither a name nor an address");
    testcase_refused("https://example../", "neither a name nor an address");
    testcase_refused("https://./", "neither a name nor an address");
    testcase_url("https://1.example.0xyz./", "https", "1.example.0xyz.", 443, "https://1.example.0xyz.:443");
    testcase_url("https://127.0.0.1./", "https", "127.0.0.1.", 443, "https://127.0.0.1.:443");
    testcase_refused("https://example.com:0/", "");
    testcase_refused("https://example.com:65536/", "");
    testcase_refused("https://example.com:-1/", "");
    testcase_refused("https://example.com:80a/", "");
}

Test(url, has_limits)
{
    char text[URL_MAX + 2] = "https://example.com/";
    char host[400] = "https://";

    memset(text + strlen(text), 'a', URL_MAX - strlen(text));
    testcase_url(text, "https", "example.com", 443, "https://example.com:443");
    text[URL_MAX] = 'a';
    testcase_refused(text, "longer");
    memset(host + 8, 'a', URL_HOST_MAX + 1);
    testcase_refused(host, "host");
}
