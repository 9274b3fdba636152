/* SPDX-License-Identifier: Apache-2.0 */
/* The text layer for Afaan Oromoo. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/cleanup.h"
#include "text/segment.h"
#include "text/utf8.h"

TestSuite(text_oromo);

#define SOURCE_MAX 512

static struct clean_text testcase_clean(const char *text)
{
    static uint32_t source[SOURCE_MAX];
    struct clean_text cleaned;
    size_t count = 0;

    for (size_t left = strlen(text), used; left > 0; text += used, left -= used) {
        used = utf8_decode(text, left, &source[count++]);
        cr_assert(used > 0 && count < SOURCE_MAX);
    }
    cr_assert_eq(clean_code_points(&text_oromo, source, count, &cleaned), count);
    return cleaned;
}

static void testcase_becomes(const char *text, const char *expected)
{
    struct clean_text cleaned = testcase_clean(text);

    cr_expect_str_eq(cleaned.text, expected, "\"%s\" became \"%s\"", text, cleaned.text);
    cr_expect_eq(cleaned.losses.count, 0, "\"%s\"", text);
}

Test(text_oromo, an_apostrophe_of_any_kind_is_the_plain_one)
{
    static const char *const marks[] = {
        "'",      "\u2019", "\u2018", "\u201B", "\u02BC", "\u02BB", "\u02BD", "\u02BE",
        "\u02BF", "\u02C0", "\u02C8", "\u02B9", "\u0294", "\u2032", "\u00B4", "\uFF07",
        "\uA78C", "\uA78B", "\u055A", "\u05F3", "\u07F4", "\u1FBD", "\u1FBF", "\u2035",
        "\u02C1", "\u02CA", "\u02CB", "\u02EE", "\u0384", "\u1FFD", "\u275B", "\u275C",
    };
    char text[32];

    for (size_t i = 0; i < array_length(marks); i++) {
        snprintf(text, sizeof text, "har%sa", marks[i]);
        testcase_becomes(text, "har'a");
    }
    testcase_becomes("bu`uura", "bu`uura");
}

Test(text_oromo, a_dash_between_numbers_is_left_to_the_engine)
{
    testcase_becomes("1974 – 1991", "1974 - 1991");
    testcase_becomes("5 km\u00A0–\u00A010 km", "5 km - 10 km");
    testcase_becomes("5 m² – 10 m²", "5 m^2 - 10 m^2");
    testcase_becomes("20% – 30%", "20% - 30%");
    testcase_becomes("bara 2017 dhufe – 12 isaanii", "bara 2017 dhufe, 12 isaanii");
    testcase_becomes("har'a – boru", "har'a, boru");
    testcase_becomes("har'a – 5", "har'a, 5");
    testcase_becomes("5 – har'a", "5, har'a");
}

Test(text_oromo, symbols_have_names_in_oromo)
{
    testcase_becomes("25\u00A0°C", "25 ^oC");
    testcase_becomes("€50, £1,000", "yuuroo 50, paawundii 1,000");
    testcase_becomes("3 × 4 ÷ 2", "3 baay'isuu 4 hiruu 2");
    testcase_becomes("½ fi ¾", "walakkaa fi sadii afuraffaa");
    testcase_becomes("1½", "1 fi walakkaa");
    testcase_becomes("5 m², 2⁵", "5 m^2, 2 humna 5");
    testcase_becomes("www.oromia.com/a-b", "www tuqaa oromia tuqaa com islaashii a sarara b");
    testcase_becomes("nama@mana.com", "nama aat mana tuqaa com");
}

Test(text_oromo, what_has_no_name_in_oromo_is_counted_and_not_read_in_english)
{
    struct clean_text emoji = testcase_clean("Nagaa \U0001F600 fi \u2665.");
    struct clean_text script = testcase_clean("Maqaan \u12A0\u1260\u1260 dha");

    cr_expect_eq(emoji.losses.count, 2);
    cr_expect_null(strstr(emoji.text, "face"));
    cr_expect_eq(script.losses.count, 3);
    cr_expect_eq(script.losses.start, 7);
    cr_expect_eq(script.losses.end, 10);
}

Test(text_oromo, the_stop_of_an_abbreviation_ends_no_sentence)
{
    static const char text[] =
        "Obb. Tolaa fi Aadd. Caaltuu dhufan. Lakk. 5 fi fkn. Adaamaa. Gaafa Onk. 12 deeman. Nagaa!";
    static const char *const expected[] = {"Obb. Tolaa fi Aadd. Caaltuu dhufan.", "Lakk. 5 fi fkn. Adaamaa.",
                                           "Gaafa Onk. 12 deeman.", "Nagaa!"};
    struct segmenter *segmenter = segmenter_new(&text_oromo);
    struct segment segment = {0};

    cr_assert_eq(segmenter_feed(segmenter, text, sizeof text - 1), 0);
    segmenter_end(segmenter);
    for (size_t i = 0; i < array_length(expected); i++) {
        cr_assert_eq(segmenter_next(segmenter, &segment), 0);
        cr_expect_str_eq(segment.text, expected[i]);
        segment_release(&segment);
    }
    cr_assert_eq(segmenter_next(segmenter, &segment), SEGMENT_NONE_LEFT);
    segmenter_free(segmenter);
}

Test(text_oromo, a_language_that_is_not_known_is_taken_apart_as_english)
{
    cr_assert_eq(text_language_find("oromo"), &text_oromo);
    cr_assert_eq(text_language_find("klingon"), &text_english);
}
