/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "api/internal.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* False where it does not fit, or a percent-encoding is broken or makes a control character. */
static bool decode(const char *from, size_t length, char *ret_text, size_t size)
{
    size_t written = 0;

    for (size_t i = 0; i < length; i++) {
        int c = (unsigned char)from[i];

        if (c == '+') {
            c = ' ';
        } else if (c == '%') {
            int high = i + 2 < length ? hex_digit(from[i + 1]) : -1;
            int low = i + 2 < length ? hex_digit(from[i + 2]) : -1;

            if (high < 0 || low < 0)
                return false;
            c = high * 16 + low;
            i += 2;
        }
        if (c < 0x20 || c == 0x7f || written + 1 >= size)
            return false;
        ret_text[written++] = (char)c;
    }
    ret_text[written] = '\0';
    return true;
}

static bool add_parameter(struct query *query, const char *text, size_t length)
{
    struct query_parameter *parameter = &query->parameters[query->count];
    const char *equals = memchr(text, '=', length);
    size_t name = equals != NULL ? (size_t)(equals - text) : length;
    size_t value = equals != NULL ? length - name - 1 : 0;

    if (query->count == QUERY_PARAMETERS_MAX ||
        !decode(text, name, parameter->name, sizeof parameter->name) ||
        !decode(equals != NULL ? equals + 1 : "", value, parameter->value, sizeof parameter->value))
        return false;
    query->count++;
    return true;
}

bool query_parse(struct exchange *exchange, struct query *ret_query)
{
    const char *at = exchange->query;

    ret_query->count = 0;
    while (*at != '\0') {
        size_t length = strcspn(at, "&");

        if (length > 0 && !add_parameter(ret_query, at, length)) {
            reply_problem(
                exchange, PROBLEM_INVALID_PARAMETER,
                "the query string must be NAME=VALUE pairs joined by &, percent-encoded, at most %d of them "
                "and none longer than %d characters",
                QUERY_PARAMETERS_MAX, QUERY_VALUE_MAX - 1);
            return false;
        }
        at += length;
        at += *at == '&';
    }
    return true;
}
