/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/query.h"

#include <string.h>

#include "base/id.h"
#include "job/job.h"
#include "text/utf8.h"

/* "c" leaves room for another kind; behind it the number in base 36, as in a job's id. */
#define CURSOR_PREFIX 'c'

_Static_assert(CURSOR_SIZE == 1 + JOB_ID_NUMBER_CHARS + 1, "a cursor holds the number of any job");

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

static bool decode(const char *from, size_t length, char *ret_text, size_t size)
{
    size_t written = 0;
    size_t fault;

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
    return utf8_is_valid(ret_text, written, &fault);
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

bool query_decode(const char *text, struct query *ret_query)
{
    ret_query->count = 0;
    while (*text != '\0') {
        size_t length = strcspn(text, "&");

        if (length > 0 && !add_parameter(ret_query, text, length))
            return false;
        text += length;
        text += *text == '&';
    }
    return true;
}

void cursor_format(int64_t number, char ret_cursor[CURSOR_SIZE])
{
    ret_cursor[0] = CURSOR_PREFIX;
    id_format_number((uint64_t)number, ret_cursor + 1, JOB_ID_NUMBER_CHARS);
}

bool cursor_parse(const char *text, int64_t *ret_number)
{
    uint64_t number;

    if (strlen(text) != CURSOR_SIZE - 1 || text[0] != CURSOR_PREFIX ||
        !id_parse_number(text + 1, JOB_ID_NUMBER_CHARS, &number) || number == 0 || number > INT64_MAX)
        return false;
    *ret_number = (int64_t)number;
    return true;
}
