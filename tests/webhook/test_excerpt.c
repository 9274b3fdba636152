/* SPDX-License-Identifier: Apache-2.0 */
#include "webhook/excerpt.h"

#include <string.h>

#include <criterion/criterion.h>

static void testcase_excerpt(const char *bytes, size_t size, size_t room, const char *expected)
{
    char text[64];

    excerpt_make(bytes, size, text, room);
    cr_expect_str_eq(text, expected);
}

#define EXCERPT(bytes, expected) testcase_excerpt(bytes, sizeof bytes - 1, sizeof(char[64]), expected)

Test(excerpt, is_utf8_on_one_line_whatever_came)
{
    EXCERPT("", "");
    EXCERPT("plain <b>text</b>", "plain <b>text</b>");
    EXCERPT("caf\xc3\xa9 \xf0\x9f\x90\x98!", "caf\xc3\xa9 \xf0\x9f\x90\x98!");
    EXCERPT("two\r\nlines\tand\x1b[31m\x7f", "two  lines and [31m ");
    EXCERPT("a\0b", "a b");
    EXCERPT("c1\xc2\x9b.", "c1 .");
    EXCERPT("broken \xff\xc0\xaf.....", "broken \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd.....");
    EXCERPT("surrogate \xed\xa0\x80....", "surrogate \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd....");
}

Test(excerpt, never_ends_within_a_character)
{
    EXCERPT("cut \xf0\x9f\x90", "cut ");
    EXCERPT("cut \xc3", "cut ");
    testcase_excerpt("abc\xc3\xa9", 5, 5, "abc");
    testcase_excerpt("abc\xc3\xa9", 5, 6, "abc\xc3\xa9");
    testcase_excerpt("abc\xff....", 8, 6, "abc");
    testcase_excerpt("abcdef", 6, 4, "abc");
    testcase_excerpt("abc", 3, 1, "");
}
