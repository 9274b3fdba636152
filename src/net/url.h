/* SPDX-License-Identifier: Apache-2.0 */
/* The URLs that webhooks go to, taken apart by the very parser that later connects. */
#ifndef NET_URL_H
#define NET_URL_H

#include "base/error.h"

#define URL_MAX 2048 /* servers and proxies refuse longer ones */

/* A name in the DNS is at most 253 characters long (RFC 1035 section 2.3.4); a trailing dot may follow. */
#define URL_HOST_MAX 254

#define URL_SCHEME_SIZE   sizeof "https"
#define URL_RECEIVER_SIZE (URL_SCHEME_SIZE + sizeof "://[]:65535" + URL_HOST_MAX)

struct url {
    char scheme[URL_SCHEME_SIZE];     /* "http" or "https" */
    char host[URL_HOST_MAX + 1];      /* in lower case, without the brackets of an IPv6 address */
    int port;                         /* the scheme's own where the URL names none */
    char receiver[URL_RECEIVER_SIZE]; /* scheme://host:port, whose limits and pauses the URL shares */
};

/*
 * Takes an absolute http or https URL (RFC 3986) apart.  Stricter than browsers, so that no two parsers can
 * differ: at most URL_MAX bytes, only the characters of RFC 3986 (no space, no control character, no
 * backslash, nothing past ASCII), complete percent-encodings and none in the host (which keeps IPv6 zones
 * out), no user name or password. -EINVAL, with a text that a client understands.
 */
int url_parse(const char *text, struct url *ret_url, struct error *err);

#endif
