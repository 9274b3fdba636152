/* SPDX-License-Identifier: Apache-2.0 */
#include "speech/cues.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "speech/timings_fixture.h"

/* The most that the cues of a test show. */
#define SHOWN_MAX ((size_t)1 << 20)

TestSuite(cues, .init = make_folder, .fini = remove_folder, .timeout = 900);

/* What all cues show, one blank between words; pieces of long tokens have blanks between them, too. */
static char *testcase_shown_text(const struct shown *cues, size_t count)
{
    struct buf text = BUF_INIT(SHOWN_MAX);

    for (size_t i = 0; i < count; i++)
        for (int line = 0; line < cues[i].lines; line++)
            buf_printf(&text, "%s%s", text.length > 0 ? " " : "", cues[i].text[line]);
    cr_assert(buf_ok(&text));
    return buf_steal(&text);
}

static void testcase_cues(const char *text, struct shown **ret_cues, size_t *ret_count)
{
    int64_t samples = testcase_make(&ordinary, text);
    struct shown *vtt;
    size_t count;

    *ret_cues = testcase_read_cues(srt_path, false, ret_count);
    testcase_cues_are_readable(*ret_cues, *ret_count, samples);
    vtt = testcase_read_cues(vtt_path, true, &count);
    cr_assert_eq(count, *ret_count, "both files have the same cues");
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(vtt[i].start, (*ret_cues)[i].start);
        cr_assert_eq(vtt[i].end, (*ret_cues)[i].end);
        cr_assert_eq(vtt[i].lines, (*ret_cues)[i].lines);
        for (int line = 0; line < vtt[i].lines; line++)
            cr_assert_str_eq(vtt[i].text[line], (*ret_cues)[i].text[line]);
    }
    free(vtt);
}

Test(cues, cues_break_where_phrases_end)
{
    static const char *const expected[][2] = {
        {"The quick brown fox jumps over the", "lazy dog, and nobody knows why."},
        {"It did so yesterday; it will do so", "tomorrow, as Dr. Smith of the U.S. says,"},
        {"when the weather is fine", "and the dog is still asleep."},
        {"End of it.", NULL},
    };
    struct shown *cues;
    size_t count;

    testcase_cues(
        "The quick brown fox jumps over the lazy dog, and nobody knows why. It did so yesterday; it will do "
        "so tomorrow, as Dr. Smith of the U.S. says, when the weather is fine and the dog is still asleep.\n\n"
        "End of it.",
        &cues, &count);
    cr_assert_eq(count, array_length(expected));
    for (size_t i = 0; i < count; i++) {
        cr_assert_str_eq(cues[i].text[0], expected[i][0]);
        cr_assert_eq(cues[i].lines, expected[i][1] != NULL ? 2 : 1);
        if (cues[i].lines == 2)
            cr_assert_str_eq(cues[i].text[1], expected[i][1]);
    }
    free(cues);
}

Test(cues, cues_show_the_whole_text_once_in_order)
{
    static const char *const words[] = {"a",
                                        "of",
                                        "the",
                                        "speech",
                                        "synthesizer,",
                                        "Straße",
                                        "naïveté;",
                                        "incomprehensibilities",
                                        "(quoted)",
                                        "end.",
                                        "“Really?”",
                                        "no",
                                        "1,234.5",
                                        "x",
                                        "y",
                                        "z"};
    struct buf text = BUF_INIT(1 << 20);
    struct shown *cues;
    cleanup(free_ptr) char *shown = NULL;
    size_t count;
    unsigned int state = 12345;

    for (int i = 0; i < 5000; i++) {
        state = state * 1103515245 + 12345;
        buf_printf(&text, "%s%s", i > 0 ? " " : "", words[state >> 16 & 15]);
    }
    testcase_cues(buf_str(&text), &cues, &count);
    shown = testcase_shown_text(cues, count);
    cr_assert_str_eq(shown, buf_str(&text));
    cr_assert_gt(count, 300);
    free(cues);
    buf_release(&text);
}

/* Whatever stands in a text, at whatever pace: silence, long tokens, other scripts, marks, paragraphs. */
Test(cues, cues_keep_their_rules_for_any_text)
{
    static const char *const pieces[] = {
        "a", "be", "sea ", "e. ", ", ", " — ", "\n\n", "日本", "🎉 ", "é", "wwwwwwwwwwwwwwww",
        "5", "\t", " \"'"};
    unsigned int state = 1;

    for (int round = 0; round < 200; round++) {
        struct voice voice = {
            .ms_per_byte = 1 + round * round / 10, .pause_ms = round % 50, .paragraph_pause_ms = round};
        struct buf text = BUF_INIT(SHOWN_MAX);
        struct shown *cues;
        int64_t samples;
        size_t count;

        for (int i = 0; i < 200; i++) {
            state = state * 1103515245 + 12345;
            buf_append_str(&text, pieces[(state >> 16) % array_length(pieces)]);
        }
        samples = testcase_make(&voice, buf_str(&text));
        for (int vtt = 0; vtt < 2; vtt++) {
            cues = testcase_read_cues(vtt ? vtt_path : srt_path, vtt, &count);
            testcase_cues_are_readable(cues, count, samples);
            free(cues);
        }
        cr_assert_eq(remove(words_path), 0);
        buf_release(&text);
    }
}

Test(cues, markup_is_text)
{
    struct shown *cues;
    struct buf vtt;
    size_t count;

    testcase_cues("Is 1 < 2 & 3 --> <b>bold</b> &amp; or not?", &cues, &count);
    cr_assert_eq(count, 1);
    cr_assert_str_eq(cues[0].text[0], "Is 1 < 2 & 3 --> <b>bold</b> &amp; or not?");
    vtt = testcase_file(vtt_path);
    cr_assert_not_null(
        strstr(buf_str(&vtt), "\nIs 1 &lt; 2 &amp; 3 --&gt; &lt;b&gt;bold&lt;/b&gt; &amp;amp; or not?\n"));
    buf_release(&vtt);
    free(cues);
}

Test(cues, a_paragraph_begins_a_cue)
{
    struct shown *cues;
    size_t count;

    testcase_cues("One.\n\nTwo.\nThree.\n\n\n\n — \n\nFour.", &cues, &count);
    cr_assert_eq(count, 3);
    cr_assert_str_eq(cues[0].text[0], "One.");
    cr_assert_str_eq(cues[1].text[0], "Two. Three.");
    cr_assert_str_eq(cues[2].text[0], "Four.");
    free(cues);
}

Test(cues, a_pause_is_not_covered)
{
    static const struct voice slow = {.ms_per_byte = 100, .pause_ms = 20, .paragraph_pause_ms = 5000};
    struct shown *cues;
    size_t count;

    testcase_make(&slow, "This is a sentence.\n\nThis is another one.");
    cues = testcase_read_cues(srt_path, false, &count);
    cr_assert_eq(count, 2);
    cr_assert_eq(cues[1].start - cues[0].end, 5020);
    free(cues);
}

Test(cues, long_tokens_are_broken_into_lines_and_cues)
{
    struct shown *cues;
    size_t count;
    char text[400];

    memset(text, 'w', 300);
    text[300] = '\0';
    testcase_cues(text, &cues, &count);
    cr_assert_geq(count, 4);
    free(cues);
}

static void testcase_lines(const char *text, const char *const *expected, size_t lines)
{
    struct shown *cues;
    size_t count, found = 0;

    testcase_cues(text, &cues, &count);
    for (size_t i = 0; i < count; i++)
        for (int line = 0; line < cues[i].lines; line++, found++) {
            cr_assert_lt(found, lines);
            cr_expect_str_eq(cues[i].text[line], expected[found]);
        }
    cr_assert_eq(found, lines);
    cr_assert_eq(remove(words_path), 0);
    free(cues);
}

/* A token that fits into a line is whole; a longer one stays within a cue, and is broken where it has marks.
 */
Test(cues, a_long_address_is_broken_behind_its_marks)
{
    static const char *const expected[] = {
        "All that is known of it can be read at",
        "https://www.example.org/library/",
        "speech-synthesis/subtitles.html?line=42",
        "today.",
    };
    static const char *const whole[] = {
        "All that is known of it can be read at",
        "www.example.org/library/of-the-subtitles,",
        "today.",
    };

    testcase_lines("All that is known of it can be read at "
                   "https://www.example.org/library/speech-synthesis/subtitles.html?line=42 today.",
                   expected, array_length(expected));
    testcase_lines("All that is known of it can be read at www.example.org/library/of-the-subtitles, today.",
                   whole, array_length(whole));
}

Test(cues, a_letter_keeps_its_accents_where_a_token_is_broken)
{
    struct buf text = BUF_INIT(1000);
    struct shown *cues;
    size_t count;

    for (int i = 0; i < 21; i++)
        buf_append_str(&text, "xe\xCC\x81\xCC\xA3"); /* an e with an accent and a dot below */
    testcase_cues(buf_str(&text), &cues, &count);
    for (size_t i = 0; i < count; i++)
        for (int line = 0; line < cues[i].lines; line++)
            cr_assert(cues[i].text[line][0] == 'x' || cues[i].text[line][0] == 'e', "%s", cues[i].text[line]);
    buf_release(&text);
    free(cues);
}

Test(cues, a_token_that_is_heard_for_long_is_shown_in_parts)
{
    static const struct voice slow = {.ms_per_byte = 1000, .pause_ms = 20, .paragraph_pause_ms = 350};
    int64_t samples = testcase_make(&slow, "Supercalifragilisticexpialidocious it is.");
    size_t count;
    struct shown *cues = testcase_read_cues(srt_path, false, &count);

    testcase_cues_are_readable(cues, count, samples);
    cr_assert_geq(count, 5);
    free(cues);
}
