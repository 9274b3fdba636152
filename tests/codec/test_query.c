/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/query.h"

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"

Test(query, names_and_values_are_decoded)
{
    static const struct {
        const char *text;
        const char *name;
        const char *value;
    } cases[] = {
        {"status=pending", "status", "pending"},
        {"a", "a", ""},
        {"a=", "a", ""},
        {"=a", "", "a"},
        {"&&a=1&", "a", "1"},
        {"a=b=c", "a", "b=c"},
        {"a+b=c+d", "a b", "c d"},
        {"%61%3D=%26%2b%25", "a=", "&+%"},
        {"a=2026-11-24T08:00:00Z", "a", "2026-11-24T08:00:00Z"},
        {"a=%C3%A9\xC3\xA9%f0%9f%98%80", "a", "éé😀"},
        {"a=%2500", "a", "%00"},
    };

    for (size_t i = 0; i < array_length(cases); i++) {
        struct query query;

        cr_assert(query_decode(cases[i].text, &query), "%s", cases[i].text);
        cr_assert_eq(query.count, 1);
        cr_assert_str_eq(query.parameters[0].name, cases[i].name);
        cr_assert_str_eq(query.parameters[0].value, cases[i].value);
    }
}

Test(query, an_empty_one_has_no_parameters)
{
    struct query query;

    cr_assert(query_decode("", &query));
    cr_assert_eq(query.count, 0);
    cr_assert(query_decode("&&&", &query));
    cr_assert_eq(query.count, 0);
}

Test(query, what_is_broken_or_cannot_be_shown_is_refused)
{
    static const char *const wrong[] = {
        "a=%",         "a=%4",     "a=%4&b=1",       "a=%zz",       "%0",      "a=%00",  "%00=a",
        "a=%0a",       "a=%7f",    "a=\x01",         "a=%ff",       "%ff=1",   "a=\xff", "a=%c0%af",
        "a=%ed%a0%80", "a=%e2%82", "a=%f4%90%80%80", "a=1&b=2&c=%", "%c3=%a9",
    };
    struct query query;

    for (size_t i = 0; i < array_length(wrong); i++)
        cr_assert_not(query_decode(wrong[i], &query), "took %s", wrong[i]);
}

Test(query, has_room_for_so_much_and_no_more)
{
    char text[1024];
    struct query query;
    size_t length = 0;

    for (int i = 0; i < QUERY_PARAMETERS_MAX; i++)
        length += (size_t)snprintf(text + length, sizeof text - length, "&p%d=%d", i, i);
    cr_assert(query_decode(text, &query));
    cr_assert_eq(query.count, QUERY_PARAMETERS_MAX);
    cr_assert_str_eq(query.parameters[QUERY_PARAMETERS_MAX - 1].value, "15");
    snprintf(text + length, sizeof text - length, "&q");
    cr_assert_not(query_decode(text, &query));

    snprintf(text, sizeof text, "%0*d=%0*d", QUERY_NAME_SIZE - 1, 0, QUERY_VALUE_SIZE - 1, 0);
    cr_assert(query_decode(text, &query));
    snprintf(text, sizeof text, "%0*d", QUERY_NAME_SIZE, 0);
    cr_assert_not(query_decode(text, &query));
    snprintf(text, sizeof text, "a=%0*d", QUERY_VALUE_SIZE, 0);
    cr_assert_not(query_decode(text, &query));
}

Test(cursor, comes_back_as_it_went)
{
    static const int64_t numbers[] = {1, 36, 1790000000000000};
    char cursor[CURSOR_SIZE];
    int64_t number;

    for (size_t i = 0; i < array_length(numbers); i++) {
        cursor_format(numbers[i], cursor);
        cr_assert_eq(strlen(cursor), CURSOR_SIZE - 1);
        cr_assert(cursor_parse(cursor, &number));
        cr_assert_eq(number, numbers[i]);
    }
}

Test(cursor, what_is_none_is_refused)
{
    static const char *const wrong[] = {
        "",
        "c",
        "c00000000000",
        "c0000000000A",
        "c0000000001",
        "c000000000001",
        "d00000000001",
        "C00000000001",
        "c-0000000001",
        "c0000000000\xc3",
        "c 0000000001",
    };
    int64_t number = 7;

    for (size_t i = 0; i < array_length(wrong); i++)
        cr_assert_not(cursor_parse(wrong[i], &number), "took %s", wrong[i]);
    cr_assert_eq(number, 7);
}
