/* SPDX-License-Identifier: Apache-2.0 */
#include "text/address.h"

#include <string.h>
#include <utf8proc.h>

#include "base/cleanup.h"
#include "text/boundary.h"
#include "text/utf8.h"

static bool is_one_of(uint32_t code_point, const char *marks)
{
    return code_point > 0 && code_point < 0x80 && strchr(marks, (int)code_point) != NULL;
}

static bool is_alnum(uint32_t code_point)
{
    return text_is_ascii_letter(code_point) || text_is_ascii_digit(code_point);
}

bool address_may_follow(uint32_t code_point)
{
    switch (utf8proc_category((utf8proc_int32_t)code_point)) {
    case UTF8PROC_CATEGORY_PS:
    case UTF8PROC_CATEGORY_PI:
        return true;
    default:
        return boundary_is_white(code_point) || is_one_of(code_point, "\"'<");
    }
}

/* Up to what no address holds unless it is escaped (RFC 3986, section 2); letters may be of any script. */
static size_t token_length(const uint32_t *code_points, size_t count)
{
    size_t length = 0;

    while (length < count && length < ADDRESS_MAX &&
           (is_alnum(code_points[length]) || is_one_of(code_points[length], "-._~:/?#[]@!$&'()*+,;=%") ||
            (code_points[length] >= 0x80 && text_is_speakable_char(code_points[length]))))
        length++;
    return length;
}

/* The length of "scheme://" (RFC 3986, section 3.1) or of "www.", or 0. */
static size_t head_length(const uint32_t *code_points, size_t count)
{
    size_t scheme = 0;
    size_t same = 0;

    while (same < 4 && same < count && (code_points[same] | 0x20) == (unsigned char)"www."[same])
        same++;
    if (same == 4 && code_points[3] == '.')
        return same;
    while (scheme < count && (is_alnum(code_points[scheme]) || is_one_of(code_points[scheme], "+-.")))
        scheme++;
    if (scheme == 0 || !text_is_ascii_letter(code_points[0]) || scheme + 3 > count ||
        code_points[scheme] != ':' || code_points[scheme + 1] != '/' || code_points[scheme + 2] != '/')
        return 0;
    return scheme + 3;
}

/* The length of local@host.tld, or 0. */
static size_t mailbox_length(const uint32_t *code_points, size_t count)
{
    size_t host = 0;
    size_t end, label;

    while (host < count && (is_alnum(code_points[host]) || is_one_of(code_points[host], "._%+-")))
        host++;
    if (host == 0 || host == count || code_points[host] != '@')
        return 0;
    end = ++host;
    while (end < count && (is_alnum(code_points[end]) || is_one_of(code_points[end], ".-")))
        end++;
    while (end > host && !is_alnum(code_points[end - 1]))
        end--;
    label = end;
    while (label > host && text_is_ascii_letter(code_points[label - 1]))
        label--;
    if (end - label < 2 || label < host + 2 || code_points[label - 1] != '.' || !is_alnum(code_points[host]))
        return 0;
    return end;
}

size_t address_length(const uint32_t *code_points, size_t count)
{
    size_t length, head;

    if (count == 0 || !is_alnum(code_points[0]))
        return 0;
    length = token_length(code_points, count);
    head = head_length(code_points, length);
    if (head == 0)
        return mailbox_length(code_points, length);
    while (length > head && is_one_of(code_points[length - 1], ".,;:!?)]'"))
        length--;
    if (length == head || (!is_alnum(code_points[head]) && code_points[head] < 0x80))
        return 0;
    return length;
}
