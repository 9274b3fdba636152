/* SPDX-License-Identifier: Apache-2.0 */
#include "text/utf8.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/cleanup.h"

TestSuite(utf8);

static void testcase_decodes(const char *bytes, uint32_t expected)
{
    uint32_t code_point = 0;

    cr_expect_eq(utf8_decode(bytes, strlen(bytes), &code_point), strlen(bytes), "U+%04X", expected);
    cr_expect_eq(code_point, expected, "U+%04X and not U+%04X", expected, code_point);
}

Test(utf8, the_first_and_last_code_point_of_each_length_is_read)
{
    uint32_t code_point = 1;

    cr_expect_eq(utf8_decode("", 1, &code_point), 1);
    cr_expect_eq(code_point, 0);
    testcase_decodes("\x7F", 0x7F);
    testcase_decodes("\xC2\x80", 0x80);
    testcase_decodes("\xDF\xBF", 0x7FF);
    testcase_decodes("\xE0\xA0\x80", 0x800);
    testcase_decodes("\xEF\xBF\xBF", 0xFFFF);
    testcase_decodes("\xF0\x90\x80\x80", 0x10000);
    testcase_decodes("\xF4\x8F\xBF\xBF", 0x10FFFF);
}

Test(utf8, a_fault_is_found_at_its_first_byte)
{
    static const char *const faults[] = {
        "\x80",             /* a continuation alone */
        "\xC0\xAF",         /* overlong */
        "\xC1\xBF",         /* overlong */
        "\xE0\x9F\xBF",     /* overlong */
        "\xF0\x8F\xBF\xBF", /* overlong */
        "\xED\xA0\x80",     /* a surrogate */
        "\xED\xBF\xBF",     /* a surrogate */
        "\xF4\x90\x80\x80", /* past U+10FFFF */
        "\xF8\x88\x80\x80", /* five bytes */
        "\xFE",
        "\xFF",
        "\xC3",         /* cut */
        "\xE2\x82",     /* cut */
        "\xF0\x9F\x98", /* cut */
        "\xC3(",
        "\xE2\x82(",
    };

    for (size_t i = 0; i < array_length(faults); i++) {
        char text[32];
        size_t fault = 99;

        snprintf(text, sizeof text, "é%s", faults[i]);
        cr_expect_not(utf8_is_valid(text, strlen(text), &fault), "row %zu", i);
        cr_expect_eq(fault, 2, "row %zu", i);
        snprintf(text, sizeof text, "é%sabcd", faults[i]);
        cr_expect_not(utf8_is_valid(text, strlen(text), &fault), "row %zu", i);
    }
}

Test(utf8, a_valid_text_leaves_the_fault_alone)
{
    size_t fault = 99;

    cr_expect(utf8_is_valid("", 0, &fault));
    cr_expect(utf8_is_valid("na\xC3\xAFve \xF0\x9F\x98\x80", 11, &fault));
    cr_expect_eq(fault, 99);
}

Test(utf8, nothing_is_read_past_the_size)
{
    cleanup(free_ptr) char *bytes = malloc(3); /* a sanitizer guards its end */
    uint32_t code_point;
    size_t fault;

    memcpy(bytes, "\xF0\x9F\x98", 3);
    cr_expect_eq(utf8_decode(bytes, 3, &code_point), 0);
    cr_expect_eq(utf8_decode(bytes, 0, &code_point), 0);
    cr_expect_not(utf8_is_valid(bytes, 3, &fault));
    cr_expect_not(text_is_speakable(bytes, 3));
}

Test(utf8, code_points_are_counted)
{
    static const char text[] = "aé€😀";

    cr_expect_eq(utf8_count(text, sizeof text - 1), 4);
    cr_expect_eq(utf8_count("", 0), 0);
    cr_expect_eq(utf8_count("\0\0", 2), 2);
}

Test(utf8, a_character_ends_where_a_reader_sees_it_end)
{
    static const uint32_t joined[][2] = {
        {'e', 0x0301}, {0x1F44D, 0x1F3FD}, {0x2764, 0xFE0F}, {0x1F468, 0x200D}, {0x1100, 0x1161}};
    static const uint32_t apart[][2] = {{'e', 'e'}, {0x0301, 'e'}, {0x6F22, 0x5B57}, {0x1F44D, 0x1F44D}};
    int32_t state = 0;

    for (size_t i = 0; i < array_length(joined); i++, state = 0)
        cr_expect_not(utf8_character_ends(joined[i][0], joined[i][1], &state), "%zu", i);
    for (size_t i = 0; i < array_length(apart); i++, state = 0)
        cr_expect(utf8_character_ends(apart[i][0], apart[i][1], &state), "%zu", i);
    cr_expect_not(utf8_character_ends(0x1F468, 0x200D, &state));
    cr_expect_not(utf8_character_ends(0x200D, 0x1F469, &state), "a family is one");
}

Test(utf8, a_letter_a_digit_or_a_named_symbol_can_be_spoken)
{
    static const char *const texts[] = {"a", "7", "...x",     "é",      "ß",  "日本", "شكرا", "Ⅳ", "½", "%",
                                        "&", "+", "=",        "@",      "#",  "$",    "€",    "£", "°", "©",
                                        "₩", "😀", "👍🏽", "❤️", "🇪🇹", "→",    "∑",    "￦"};

    for (size_t i = 0; i < array_length(texts); i++)
        cr_expect(text_is_speakable(texts[i], strlen(texts[i])), "%s", texts[i]);
}

Test(utf8, punctuation_space_and_pictures_without_a_name_cannot_be_spoken)
{
    static const char *const texts[] = {
        "",    " ",   "\n\t", "...",      "?!",     "—",    "“”",           "…", "***",
        "---", "___", "( )",  "-- // \\", "~",      "'\"",  "\u00A0\u2003", "🂡", "🏽",
        "●",   "▓▒░", "◆ ◇",  "\u200B",   "\u0301", "、。", "\x01",
    };

    for (size_t i = 0; i < array_length(texts); i++)
        cr_expect_not(text_is_speakable(texts[i], strlen(texts[i])), "%s", texts[i]);
}
