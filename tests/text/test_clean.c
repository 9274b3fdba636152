/* SPDX-License-Identifier: Apache-2.0 */
#include "text/clean.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "text/symbols.h"
#include "text/utf8.h"

TestSuite(clean);

#define SOURCE_MAX 4096

static uint32_t source[SOURCE_MAX];
static struct clean_text cleaned;

/* Cleans a text of at most SOURCE_MAX code points; returns how many were taken. */
static size_t clean(const char *text)
{
    size_t count = 0;
    size_t left = strlen(text);

    while (left > 0) {
        size_t used = utf8_decode(text, left, &source[count++]);

        cr_assert(used > 0 && count < SOURCE_MAX);
        text += used;
        left -= used;
    }
    return clean_code_points(&text_english, source, count, &cleaned);
}

static void testcase_becomes(const char *text, const char *expected)
{
    clean(text);
    cr_expect_str_eq(cleaned.text, expected, "\"%s\" became \"%s\", not \"%s\"", text, cleaned.text,
                     expected);
    cr_expect_eq(cleaned.losses.count, 0, "\"%s\"", text);
}

Test(clean, plain_text_stays_as_it_is)
{
    testcase_becomes("Hello, world!", "Hello, world!");
    testcase_becomes("It's 5% of $3.50 (at 12:30).", "It's 5% of $3.50 (at 12:30).");
}

Test(clean, typography_becomes_plain)
{
    testcase_becomes("“Don’t,” she said…", "\"Don't,\" she said...");
    testcase_becomes("‘a’ ‚b‛ „c” «d» ‹e›", "'a' 'b' \"c\" \"d\" 'e'");
    testcase_becomes("non\u2011breaking\u00A0space\u202Fhere", "non-breaking space here");
    testcase_becomes("co\u00ADoper\u200Bate\uFEFF", "cooperate");
    testcase_becomes("ﬁnd ﬂat oﬃce", "find flat office");
    testcase_becomes("Ｈｅｌｌｏ！　１２３", "Hello! 123");
    testcase_becomes("№ 5, m², 10³, ½", "No 5, m squared, 10 cubed, one half");
}

Test(clean, a_dash_between_words_is_a_pause)
{
    testcase_becomes("well — yes", "well, yes");
    testcase_becomes("well—yes", "well, yes");
    testcase_becomes("well – yes", "well, yes");
    testcase_becomes("10–20", "10-20");
    testcase_becomes("10 – 20", "10, 20");
    testcase_becomes("— So?", "So?");
    testcase_becomes("−5", "-5");
}

Test(clean, accents_are_taken_off)
{
    testcase_becomes("Crème brûlée, naïve façade", "Creme brulee, naive facade");
    testcase_becomes("cre\u0300me", "creme");
    testcase_becomes("Straße Łódź Æsop œuvre Øre þing", "Strasse Lodz AEsop oeuvre Ore thing");
    testcase_becomes("Việt Nam, İstanbul, ığdır", "Viet Nam, Istanbul, igdir");
    testcase_becomes("waʼee", "wa'ee");
}

Test(clean, symbols_become_their_names)
{
    testcase_becomes("€5 or £4", "5 euros or 4 pounds");
    testcase_becomes("20°C ± 1", "20 degrees C plus minus 1");
    testcase_becomes("© 2024 ACME™", "copyright 2024 ACME trademark");
}

Test(clean, emoji_become_their_names)
{
    testcase_becomes("Well done 👍!", "Well done thumbs up!");
    testcase_becomes("I❤️you", "I red heart you");
    testcase_becomes("🎉", "party popper");
    testcase_becomes("👨‍👩‍👧", "man woman girl");
    testcase_becomes("go → there, ★", "go right arrow there, star");
    testcase_becomes("☑ done ✓", "checked box done check mark");
    testcase_becomes("🇪🇹 and 🇩🇪", "E T and D E");
    testcase_becomes("1️⃣2️⃣. #️⃣", "1 2. #");
}

Test(clean, a_row_of_one_symbol_is_named_once)
{
    testcase_becomes("Ha 😂😂😂 ha 😂", "Ha face with tears of joy ha face with tears of joy");
    testcase_becomes("👍🏽 👍🏿👍", "thumbs up");
    testcase_becomes("❤️\u200D❤️", "red heart");
    testcase_becomes("👍🎉👍", "thumbs up party popper thumbs up");
    testcase_becomes("👍. 👍", "thumbs up. thumbs up");
    testcase_becomes("🏽", "");
}

Test(clean, signs_of_money_and_of_formulas_become_their_names)
{
    testcase_becomes("in ₩ or ₪", "in won or shekel");
    testcase_becomes("￦ ￠", "won cent");
    testcase_becomes("¬a ∈ ∅, 5‰ of 3 \u2126", "not a element of empty set, 5 per mille of 3 ohm");
    testcase_becomes("∑ x ≠ y", "sum x not equal to y");
}

Test(clean, greek_letters_have_names_but_greek_words_have_none)
{
    testcase_becomes("α-helix, 2π, Ωm, 𝛼", "alpha-helix, 2 pi, omega m, alpha");
    testcase_becomes("Δθ = ππ", "delta theta = pi pi");
    clean("a καλημέρα b");
    cr_expect_str_eq(cleaned.text, "a b");
    cr_expect_eq(cleaned.losses.count, 8);
}

/* A text is taken for its symbols only where something of them is heard. */
Test(clean, a_symbol_that_can_be_spoken_is_heard)
{
    for (uint32_t code_point = 0x80; code_point < 0x110000; code_point++) {
        const char *name = symbol_name(code_point);

        clean_code_points(&text_english, &code_point, 1, &cleaned);
        if (name != NULL) {
            cr_expect(text_is_speakable_char(code_point), "U+%04X", code_point);
            cr_expect_str_eq(cleaned.text, name, "U+%04X", code_point);
            cr_expect_leq(strlen(name), SYMBOL_NAME_MAX);
        }
    }
}

Test(clean, raised_digits_are_powers_or_notes)
{
    testcase_becomes("10⁶ and 10⁻³.", "10 to the 6 and 10 to the minus 3.");
    testcase_becomes("10²³, (a+b)⁴, x⁵", "10 to the 23, (a+b) to the 4, x to the 5");
    testcase_becomes("5 km², m³, 3²", "5 km squared, m cubed, 3 squared");
    testcase_becomes("5 kg m⁻² cm⁻³", "5 kg m to the minus 2 cm to the minus 3");
    testcase_becomes("2ⁿ but 2ⁿᵈ", "2 to the n but 2nd");
    testcase_becomes("a word¹ and more¹²", "a word 1 and more 12");
    testcase_becomes("the end.¹ Na⁺, Ca²⁺", "the end. 1 Na plus, Ca 2 plus");
    testcase_becomes("H₂O", "H2O");
}

Test(clean, fractions_are_read_as_such)
{
    testcase_becomes("1½ cups, 2 ¾ pints", "1 and one half cups, 2 and three quarters pints");
    testcase_becomes("½", "one half");
    testcase_becomes("⅔ of it, or ⅛.", "two thirds of it, or one eighth.");
    testcase_becomes("a ½-inch nail", "a one half-inch nail");
}

Test(clean, an_amount_comes_before_its_currency)
{
    testcase_becomes("€1, £1,000.50 and ¥3.", "1 euro, 1,000.50 pounds and 3 yen.");
    testcase_becomes("(€5) ₹2.5 million", "(5 euros) 2.5 million rupees");
    testcase_becomes("£1 million millions", "1 million pounds millions");
    testcase_becomes("€5, 6 or 7", "5 euros, 6 or 7");
    testcase_becomes("It costs €5.", "It costs 5 euros.");
    /* What is not an amount in English form stays in its order. */
    testcase_becomes("€5,50 €5m €5–10", "euro 5,50 euro 5m euro 5-10");
    testcase_becomes("5 € or 5€", "5 euro or 5 euro");
    testcase_becomes("€ 5", "euro 5");
}

Test(clean, addresses_can_be_written_down)
{
    testcase_becomes(
        "See https://example.org/a-b_c?d=1&e=%20#f~g+h:8.",
        "See https example dot org slash a dash b underscore c question mark d equals 1 and e equals "
        "percent 20 hash f tilde g plus h colon 8.");
    testcase_becomes("(www.example.com), <http://a.org/>!",
                     "(www dot example dot com), <http a dot org slash>!");
    testcase_becomes("\"ftp://x.org\" “WWW.X.ORG”", "\"ftp x dot org\" \"WWW dot X dot ORG\"");
    testcase_becomes("Write to jo_b.smith@my-host.example.",
                     "Write to jo underscore b dot smith at my dash host dot example.");
    testcase_becomes("jo@x.org, al@y.net;", "jo at x dot org, al at y dot net;");
    testcase_becomes("https://café.fr/é", "https cafe dot fr slash e");
    testcase_becomes("https://a.org/......b", "https a dot org slash dot dot dot b");
}

Test(clean, what_is_no_address_stays_as_it_is)
{
    static const char *const texts[] = {
        "Stop. Go.",
        "It is 3.14 or 1/2.",
        "e.g. this, i.e. that",
        "report-2_final.txt",
        "src/text/clean.c",
        "and/or",
        "a - b",
        "example.com",
        "://",
        "http:// or www.",
        "@jo and #it",
        "jo@home",
        "a@b.c",
        "www",
        "x@1.22",
    };

    for (size_t i = 0; i < array_length(texts); i++)
        testcase_becomes(texts[i], texts[i]);
}

Test(clean, each_word_of_an_address_knows_its_place)
{
    clean("at http://a.b");
    cr_expect_str_eq(cleaned.text, "at http a dot b");
    cr_expect_eq(cleaned.origins[3], 3);
    cr_expect_eq(cleaned.origins[8], 10);
    cr_expect_eq(cleaned.origins[10], 11);
    cr_expect_eq(cleaned.origins[12], 11);
    cr_expect_eq(cleaned.origins[14], 12);
}

Test(clean, control_characters_are_spaces)
{
    static const uint32_t code_points[] = {'a', 0,    'b', '\n', '\r', 'c',    0x1B,
                                           '[', 0x7F, 'd', 0x9B, 'e',  0x2028, 'f'};

    cr_expect_eq(clean_code_points(&text_english, code_points, array_length(code_points), &cleaned),
                 array_length(code_points));
    cr_expect_str_eq(cleaned.text, "a b c [ d e f");
    cr_expect_eq(cleaned.losses.count, 0);
}

Test(clean, spaces_are_single_and_never_at_an_end)
{
    testcase_becomes("  a \t\n  b   ", "a b");
    testcase_becomes(" \u3000\u00A0 ", "");
}

Test(clean, runs_of_punctuation_are_cut_short)
{
    char text[512] = "a";

    memset(text + 1, '.', 400);
    testcase_becomes(text, "a...");
    testcase_becomes("No!!!!!! What?!?!?!?!?!?!?!", "No!!! What?!?!?!?!");
    testcase_becomes("(\"Yes.\")", "(\"Yes.\")");
    testcase_becomes("==========", "===");
}

Test(clean, long_tokens_are_cut)
{
    char letters[513] = "";
    char expected[CLEAN_BYTES_MAX] = "";

    memset(letters, 'x', 150);
    snprintf(expected, sizeof expected, "%.64s %.64s %.22s", letters, letters, letters);
    testcase_becomes(letters, expected);
    memset(letters, '7', 150);
    snprintf(expected, sizeof expected, "%.64s %.64s %.22s", letters, letters, letters);
    testcase_becomes(letters, expected);
}

Test(clean, no_token_and_no_run_ever_passes_its_limit)
{
    static const char alphabet[] = "aZ9.,;:!?)('\"-*& \n";
    unsigned int seed = 1;

    for (int round = 0; round < 500; round++) {
        size_t token = 0;
        size_t marks = 0;

        for (size_t i = 0; i < 400; i++)
            source[i] = (uint32_t)alphabet[rand_r(&seed) % (sizeof alphabet - 1)];
        clean_code_points(&text_english, source, 400, &cleaned);
        for (size_t i = 0; i < cleaned.bytes; i++) {
            token = cleaned.text[i] == ' ' ? 0 : token + 1;
            marks = strchr("aZ9 ", cleaned.text[i]) != NULL ? 0 : marks + 1;
            cr_assert_leq(token, CLEAN_TOKEN_MAX);
            cr_assert_leq(marks, CLEAN_MARKS_MAX);
        }
    }
}

Test(clean, what_has_no_form_in_ascii_is_counted)
{
    clean("ab 日本 c🂡d");
    cr_expect_str_eq(cleaned.text, "ab c d");
    cr_expect_eq(cleaned.losses.count, 3);
    cr_expect_eq(cleaned.losses.start, 3);
    cr_expect_eq(cleaned.losses.end, 8);
    cr_expect(cleaned.speakable);

    clean("日本");
    cr_expect_eq(cleaned.bytes, 0);
    cr_expect_not(cleaned.speakable);
}

Test(clean, any_number_as_code_point_is_taken)
{
    static const uint32_t code_points[] = {0xD800,   0xFFFE,     0xFFFF,     0x10FFFF,
                                           0x110000, 0x7FFFFFFF, 0xFFFFFFFF, 0xFDFA};

    cr_expect_eq(clean_code_points(&text_english, code_points, array_length(code_points), &cleaned),
                 array_length(code_points));
    cr_expect_eq(cleaned.bytes, 0);
    cr_expect_eq(cleaned.losses.count, array_length(code_points));
}

Test(clean, every_code_point_becomes_printable_ascii_within_the_limits)
{
    for (uint32_t code_point = 0; code_point < 0x110000; code_point++) {
        clean_code_points(&text_english, &code_point, 1, &cleaned);
        for (size_t i = 0; i < cleaned.bytes; i++)
            cr_assert(cleaned.text[i] >= ' ' && cleaned.text[i] <= '~', "U+%04X", code_point);
    }
}

Test(clean, each_byte_knows_where_it_came_from)
{
    static const char text[] = "ﬁn — é€";
    static const uint32_t expected[] = {0, 0, 1, 3, 5, 5, 6, 6, 6, 6, 6};

    clean(text);
    cr_expect_str_eq(cleaned.text, "fin, e euro");
    cr_assert_eq(cleaned.bytes, array_length(expected));
    for (size_t i = 0; i < cleaned.bytes; i++)
        cr_expect_eq(cleaned.origins[i], expected[i], "byte %zu: %u", i, cleaned.origins[i]);
}

Test(clean, an_amount_keeps_its_place)
{
    static const uint32_t expected[] = {0, 3, 3, 4, 4, 4, 4, 4, 4, 4, 6, 6};

    clean("a €12 b");
    cr_expect_str_eq(cleaned.text, "a 12 euros b");
    cr_assert_eq(cleaned.bytes, array_length(expected));
    for (size_t i = 0; i < cleaned.bytes; i++)
        cr_expect_eq(cleaned.origins[i], expected[i], "byte %zu: %u", i, cleaned.origins[i]);
}

Test(clean, a_text_that_grows_too_long_is_taken_in_part)
{
    size_t taken;

    for (size_t i = 0; i < 300; i++)
        source[i] = i % 2 == 0 ? 0x00A9 : 0x00AE;
    taken = clean_code_points(&text_english, source, 300, &cleaned);
    cr_expect_gt(taken, 10);
    cr_expect_lt(taken, 300);
    cr_expect_leq(cleaned.bytes, CLEAN_BYTES_MAX);
    cr_expect_eq(cleaned.origins[cleaned.bytes - 1], taken - 1);
}
