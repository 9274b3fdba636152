/* SPDX-License-Identifier: Apache-2.0 */
#include "net/url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"

/* RFC 3986 section 2: unreserved, reserved and the percent sign. */
#define URL_CHARACTERS                                                                                       \
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"                                         \
    "-._~:/?#[]@!$&'()*+,;=%"

static void free_curl_url(CURLU **url)
{
    curl_url_cleanup(*url);
}

static void free_curl_text(char **text)
{
    curl_free(*text);
}

static int check_characters(const char *text, struct error *err)
{
    size_t length = strnlen(text, URL_MAX + 1);
    size_t legal = strspn(text, URL_CHARACTERS);

    if (length > URL_MAX)
        return error_set(err, -EINVAL, "the URL is longer than %d bytes", URL_MAX);
    if (legal < length)
        return error_set(
            err, -EINVAL,
            "the URL holds a character that must be percent-encoded (a host in its ASCII form), at byte %zu",
            legal);
    for (const char *at = strchr(text, '%'); at != NULL; at = strchr(at + 1, '%'))
        if (!isxdigit((unsigned char)at[1]) || !isxdigit((unsigned char)at[2]))
            return error_set(err, -EINVAL,
                             "the URL holds a %% without two hexadecimal digits behind it, at byte %td",
                             at - text);
    return 0;
}

/* What curl's parser would let pass: any number of slashes, an empty user name, an encoded host. */
static int check_authority(const char *text, struct error *err)
{
    const char *authority;
    size_t length;

    if (strncasecmp(text, "https://", 8) == 0)
        authority = text + 8;
    else if (strncasecmp(text, "http://", 7) == 0)
        authority = text + 7;
    else
        return error_set(err, -EINVAL, "the URL must be absolute and begin with https:// or http://");
    length = strcspn(authority, "/?#");
    if (length == 0)
        return error_set(err, -EINVAL, "the URL names no host");
    if (memchr(authority, '@', length) != NULL)
        return error_set(err, -EINVAL, "the URL must not hold a user name or a password");
    if (memchr(authority, '%', length) != NULL)
        return error_set(err, -EINVAL, "the URL's host must not hold percent-encodings or an IPv6 zone");
    return 0;
}

static int refuse(CURLUcode code, struct error *err)
{
    return error_set(err, -EINVAL, "the URL is malformed: %s", curl_url_strerror(code));
}

static bool is_number(const char *label)
{
    return strncmp(label, "0x", 2) == 0 ? label[2 + strspn(label + 2, "0123456789abcdef")] == '\0'
                                        : label[strspn(label, "0123456789")] == '\0';
}

/*
 * A last label that is a number makes it an address (https://url.spec.whatwg.org/#ends-in-a-number-checker),
 * so "256.1.1.1" is none of a name; and no name has an empty label but the root's at its end.
 */
static bool is_host(const char *host)
{
    char copy[URL_HOST_MAX + 1];
    struct in_addr address;
    const char *last;

    snprintf(copy, sizeof copy, "%s", host);
    if (copy[0] != '\0' && copy[strlen(copy) - 1] == '.')
        copy[strlen(copy) - 1] = '\0';
    if (copy[0] == '\0' || copy[0] == '.' || copy[strlen(copy) - 1] == '.' || strstr(copy, "..") != NULL)
        return false;
    last = strrchr(copy, '.') != NULL ? strrchr(copy, '.') + 1 : copy;
    return !is_number(last) || inet_aton(copy, &address) != 0;
}

static int fill(CURLU *parsed, struct url *url, struct error *err)
{
    cleanup(free_curl_text) char *scheme = NULL;
    cleanup(free_curl_text) char *host = NULL;
    cleanup(free_curl_text) char *port = NULL;
    CURLUcode code = curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0);
    const char *name;
    size_t length;
    bool bracketed;

    if (code == CURLUE_OK)
        code = curl_url_get(parsed, CURLUPART_HOST, &host, 0);
    if (code == CURLUE_OK)
        code = curl_url_get(parsed, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT);
    if (code != CURLUE_OK)
        return refuse(code, err);
    length = strlen(host);
    bracketed = host[0] == '[' && host[length - 1] == ']';
    name = bracketed ? host + 1 : host;
    length -= bracketed ? 2 : 0;
    if (length == 0 || length > URL_HOST_MAX)
        return error_set(err, -EINVAL, "the URL's host must have 1 to %d characters", URL_HOST_MAX);
    url->port = (int)strtol(port, NULL, 10); /* digits: the parser has seen to that */
    if (url->port < 1 || url->port > 65535)
        return error_set(err, -EINVAL, "the URL's port must be 1 to 65535");
    snprintf(url->scheme, sizeof url->scheme, "%s", scheme);
    for (size_t i = 0; i < length; i++)
        url->host[i] = (char)tolower((unsigned char)name[i]);
    url->host[length] = '\0';
    if (!bracketed && !is_host(url->host))
        return error_set(err, -EINVAL, "the URL's host is neither a name nor an address");
    snprintf(url->receiver, sizeof url->receiver, bracketed ? "%s://[%s]:%d" : "%s://%s:%d", url->scheme,
             url->host, url->port);
    return 0;
}

int url_parse(const char *text, struct url *ret_url, struct error *err)
{
    cleanup(free_curl_url) CURLU *parsed = NULL;
    struct url url = {0};
    CURLUcode code;
    int r = check_characters(text, err);

    if (r == 0)
        r = check_authority(text, err);
    if (r < 0)
        return r;
    parsed = curl_url();
    if (parsed == NULL)
        return error_set(err, -ENOMEM, "out of memory");
    code = curl_url_set(parsed, CURLUPART_URL, text, CURLU_DISALLOW_USER);
    if (code != CURLUE_OK)
        return refuse(code, err);
    r = fill(parsed, &url, err);
    if (r == 0)
        *ret_url = url;
    return r;
}
