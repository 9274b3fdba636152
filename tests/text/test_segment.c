/* SPDX-License-Identifier: Apache-2.0 */
#include "text/segment.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "text/boundary.h"
#include "text/utf8.h"

TestSuite(segment);

/* As much as a test looks at. */
#define SEGMENTS_MAX 20000

struct segments {
    size_t count;
    struct segment items[SEGMENTS_MAX];
};

static struct segments whole, pieces;

static void release_segments(struct segments *segments)
{
    for (size_t i = 0; i < segments->count; i++)
        segment_release(&segments->items[i]);
    segments->count = 0;
}

/* Feeds a text in pieces of 1 to largest bytes (0: the most that may be fed), and collects the segments. */
static void cut_with(struct segmenter *segmenter, const char *text, size_t size, size_t largest,
                     struct segments *ret_segments)
{
    unsigned int seed = 7;
    size_t fed = 0;
    int result;

    release_segments(ret_segments);
    while ((result = segmenter_next(segmenter, &ret_segments->items[ret_segments->count])) !=
           SEGMENT_NONE_LEFT) {
        size_t piece = largest == 0 ? SEGMENTER_FEED_MAX : 1 + (size_t)rand_r(&seed) % largest;

        cr_assert(result == 0 || result == SEGMENT_NEEDS_INPUT);
        if (result == 0) {
            cr_assert_lt(++ret_segments->count, SEGMENTS_MAX);
            continue;
        }
        if (piece > size - fed)
            piece = size - fed;
        if (piece == 0)
            segmenter_end(segmenter);
        else
            cr_assert_eq(segmenter_feed(segmenter, text + fed, piece), 0);
        fed += piece;
    }
    cr_expect_eq(segmenter_next(segmenter, &ret_segments->items[ret_segments->count]), SEGMENT_NONE_LEFT);
    segmenter_free(segmenter);
}

static void cut(const char *text, size_t size, size_t largest, struct segments *ret_segments)
{
    cut_with(segmenter_new(&text_english), text, size, largest, ret_segments);
}

/* What an engine is promised (text/clean.h). */
static void testcase_is_clean(const struct segment *segment)
{
    size_t token = 0, marks = 0, same = 0;

    for (size_t i = 0; i < segment->bytes; i++) {
        char c = segment->text[i];
        char before = i > 0 ? segment->text[i - 1] : ' ';

        cr_assert(c >= ' ' && c <= '~');
        cr_assert(c != ' ' || before != ' ', "two spaces in a row, or one in front");
        token = c == ' ' ? 0 : token + 1;
        marks = ispunct((unsigned char)c) ? marks + 1 : 0;
        same = marks > 1 && c == before ? same + 1 : marks > 0;
        cr_assert_leq(token, CLEAN_TOKEN_MAX);
        cr_assert_leq(marks, CLEAN_MARKS_MAX);
        cr_assert_leq(same, CLEAN_SAME_MARK_MAX);
    }
}

/* As the segmenter counts: a byte that belongs to no sequence is one, too. */
static int64_t count_code_points(const char *text, size_t size)
{
    int64_t count = 0;

    for (size_t at = 0; at < size; count++) {
        uint32_t code_point;
        size_t used = utf8_decode(text + at, size - at, &code_point);

        at += used > 0 ? used : 1;
    }
    return count;
}

/* The segments cover the text, and each is within its limits. */
static void testcase_covers(const struct segments *segments, int64_t code_points)
{
    int64_t at = 0;

    for (size_t i = 0; i < segments->count; i++) {
        const struct segment *segment = &segments->items[i];

        cr_assert_eq(segment->source_start, at);
        cr_assert_gt(segment->source_end, at);
        cr_assert_leq(segment->bytes, CLEAN_BYTES_MAX);
        cr_assert_eq(strlen(segment->text), segment->bytes);
        testcase_is_clean(segment);
        for (size_t j = 0; j < segment->bytes; j++) {
            cr_assert_lt(at + segment->origins[j], segment->source_end);
            cr_assert(j == 0 || segment->origins[j] >= segment->origins[j - 1]);
        }
        at = segment->source_end;
    }
    cr_assert_eq(at, code_points);
}

/* The pieces are the whole's segments from the first on. */
static void testcase_same_from(size_t first)
{
    cr_assert_eq(whole.count - first, pieces.count, "%zu and not %zu segments", pieces.count,
                 whole.count - first);
    for (size_t i = first; i < whole.count; i++) {
        const struct segment *a = &whole.items[i];
        const struct segment *b = &pieces.items[i - first];

        cr_assert_str_eq(a->text, b->text);
        cr_assert_eq(a->source_start, b->source_start);
        cr_assert_eq(a->source_end, b->source_end);
        cr_assert_eq(a->source_bytes, b->source_bytes);
        cr_assert_eq(a->ends_paragraph, b->ends_paragraph);
        cr_assert_eq(a->losses.count, b->losses.count);
        cr_assert_eq(a->losses.start, b->losses.start);
        cr_assert_eq(a->losses.end, b->losses.end);
        cr_assert_eq(memcmp(a->origins, b->origins, a->bytes * sizeof a->origins[0]), 0);
    }
    release_segments(&pieces);
}

/* The segments do not depend on how the text is cut for feeding. */
static void testcase_same_in_pieces(const char *text, size_t size, size_t largest)
{
    cut(text, size, largest, &pieces);
    testcase_same_from(0);
}

/* Nor on where it is gone on with; a few of the places, where there are many. */
static void testcase_same_from_any_end(const char *text, size_t size)
{
    for (size_t i = 0; i < whole.count; i += 1 + whole.count / 16) {
        const struct segment *segment = &whole.items[i];

        cut_with(segmenter_new_at(&text_english, segment->source_end, segment->source_bytes),
                 text + segment->source_bytes, size - (size_t)segment->source_bytes, 100, &pieces);
        testcase_same_from(i + 1);
    }
}

static void testcase_holds(const char *text, size_t size)
{
    cut(text, size, 0, &whole);
    testcase_covers(&whole, count_code_points(text, size));
    cr_assert_eq(whole.count > 0 ? whole.items[whole.count - 1].source_bytes : 0, (int64_t)size);
    testcase_same_in_pieces(text, size, 1);
    testcase_same_in_pieces(text, size, 7);
    testcase_same_in_pieces(text, size, 1000);
    testcase_same_from_any_end(text, size);
}

/* Expects the texts of the segments, joined by "|", with "¶" behind one that ends a paragraph. */
static void testcase_segments(const char *text, const char *expected)
{
    struct buf joined = BUF_INIT(1024 * 1024);

    testcase_holds(text, strlen(text));
    for (size_t i = 0; i < whole.count; i++)
        buf_printf(&joined, "%s%s%s", i > 0 ? "|" : "", whole.items[i].text,
                   whole.items[i].ends_paragraph ? "¶" : "");
    cr_expect_str_eq(buf_str(&joined), expected, "\"%s\" was cut to \"%s\"", text, buf_str(&joined));
    buf_release(&joined);
    release_segments(&whole);
}

Test(segment, a_sentence_is_a_segment)
{
    testcase_segments("One. Two! Three? Four", "One.|Two!|Three?|Four");
    testcase_segments("“Stop.” He did (at last.) Then…  Gone.", "\"Stop.\"|He did (at last.)|Then...|Gone.");
    testcase_segments("What?! No... Yes.", "What?!|No...|Yes.");
    testcase_segments("こ。A。B", "|A.|B");
}

Test(segment, what_only_looks_like_an_end_is_none)
{
    static const char *const texts[] = {
        "Dr. Smith met Mrs. Jones and Prof. Lee.",
        "See e.g. Berlin, i.e. Germany.",
        "The U.S. Army and J. R. R. Tolkien.",
        "It costs 3.50 or 1.000.000 in all.",
        "See no. 5, fig. 12 and pp. 3 to 4.",
        "He waited... and waited.",
        "At example.com or a.b.c today.",
        "approx. five kg. of flour etc. for all.",
        "\"Really?\" he said.",
        "1. First item",
        "12. Another",
        "Mr. \"Big\" Jones",
        "Version 2.0 is out",
        "Acme Inc. CEO Tim Smith and Smith Bros. Ltd. Chairman Lee met.",
        "From 5 Main Rd. Bristol to Sunset Blvd. Los Angeles.",
        "On Mon. 5 May and Tues. Jan. 6 at ten.",
        "Maj. Tom and Mme. Curie",
    };

    for (size_t i = 0; i < array_length(texts); i++)
        testcase_segments(texts[i], texts[i]);
    testcase_segments("He works for Acme Inc. The firm is old.", "He works for Acme Inc.|The firm is old.");
    testcase_segments("Come on Fri. We wait.", "Come on Fri.|We wait.");
    testcase_segments("It is at Main Rd. \"So what?\"", "It is at Main Rd.|\"So what?\"");
    testcase_segments("They sat. Tom wed. Ann saw the sun. Bob left.",
                      "They sat.|Tom wed.|Ann saw the sun.|Bob left.");
    testcase_segments("He is from Acme Co.", "He is from Acme Co.");
    testcase_segments("At www.example.com today.", "At www dot example dot com today.");
    testcase_segments("See www.example.com. It is", "See www dot example dot com.|It is");
    testcase_segments("He said no. Then he left.", "He said no.|Then he left.");
    testcase_segments("So do I. And you?", "So do I.|And you?");
    testcase_segments("Bread, milk etc. Then home.", "Bread, milk etc.|Then home.");
    testcase_segments("In 1999. Then", "In 1999.|Then");
}

Test(segment, a_blank_line_ends_a_paragraph)
{
    testcase_segments("A title\n\nIts text", "A title¶|Its text");
    testcase_segments("A title\r\n\r\nIts text.\r\nMore", "A title¶|Its text.|More");
    testcase_segments("One.\n \t\nTwo.", "One.¶|Two.");
    testcase_segments("One\u2029Two", "One¶|Two");
    testcase_segments("one\nline", "one line");
    testcase_segments("one\r\nline", "one line");
    testcase_segments("\n\nText.\n\n\n", "Text.");
}

Test(segment, a_blank_line_is_seen_across_any_distance)
{
    struct buf text = BUF_INIT(16384);

    buf_append_str(&text, "One");
    buf_printf(&text, "\n%*s\n", 5000, "");
    buf_append_str(&text, "Two");
    testcase_segments(buf_str(&text), "One¶|Two");
    buf_release(&text);
}

Test(segment, a_text_without_ends_is_cut_at_a_clause_then_at_a_space)
{
    struct buf text = BUF_INIT(65536);

    for (int i = 0; i < 200; i++)
        buf_append_str(&text, i % 10 == 9 ? "words, " : "words ");
    testcase_holds(buf_str(&text), text.length);
    cr_assert_gt(whole.count, 4);
    for (size_t i = 0; i + 1 < whole.count; i++) {
        cr_expect_eq(whole.items[i].text[whole.items[i].bytes - 1], ',');
        cr_expect_gt(whole.items[i].bytes, 200);
    }
    buf_clear(&text);
    for (int i = 0; i < 200; i++)
        buf_append_str(&text, "words ");
    testcase_holds(buf_str(&text), text.length);
    for (size_t i = 0; i < whole.count; i++)
        cr_expect_str_eq(whole.items[i].text + whole.items[i].bytes - 5, "words");
    release_segments(&whole);
    buf_release(&text);
}

Test(segment, nothing_to_speak_is_a_segment_without_text)
{
    testcase_segments("...\n\nHello.", "¶|Hello.");
    testcase_segments("🂡🂡\n\nHello.", "¶|Hello.");
    testcase_segments("👍\n\nHello.", "thumbs up¶|Hello.");
    testcase_segments("   ", "");
    testcase_segments(". . . Hello.", ". . . Hello.");

    testcase_holds("", 0);
    cr_expect_eq(whole.count, 0);
    testcase_holds(" \n\n ", 4);
    cr_assert_eq(whole.count, 1);
    cr_expect_eq(whole.items[0].bytes, 0);
    cr_expect_not(whole.items[0].ends_paragraph);
    release_segments(&whole);
}

Test(segment, losses_and_origins_are_places_in_the_whole_text)
{
    static const char text[] = "One. 🂡 Two 日 three.";
    int64_t start;
    int64_t end;

    testcase_holds(text, sizeof text - 1);
    cr_assert_eq(whole.count, 2);
    cr_expect_eq(whole.items[0].losses.count, 0);
    cr_expect_eq(whole.items[1].losses.count, 2);
    cr_expect_eq(whole.items[1].losses.start, 5);
    cr_expect_eq(whole.items[1].losses.end, 12);
    cr_expect_str_eq(whole.items[1].text, "Two three.");
    segment_source(&whole.items[1], 4, 10, &start, &end);
    cr_expect_eq(start, 13);
    cr_expect_eq(end, 19);
    release_segments(&whole);

    testcase_holds("  \n hi", 6);
    segment_source(&whole.items[0], 0, 2, &start, &end);
    cr_expect_eq(start, 4);
    cr_expect_eq(end, 6);
    release_segments(&whole);
}

/* Appends a piece of the list of hostile texts, without its escapes. */
static void append_piece(struct buf *text, const char *piece)
{
    static const char names[] = "sntr\\", meanings[] = " \n\t\r\\";

    while (*piece != '\0') {
        size_t digits = piece[0] != '\\' ? 0 : piece[1] == 'x' ? 2 : piece[1] == 'u' ? 6 : 0;
        char number[7] = "";

        if (digits > 0) {
            utf8proc_uint8_t bytes[UTF8_SEQUENCE_MAX];
            unsigned long value;

            cr_assert_geq(strlen(piece), 2 + digits, "%s", piece);
            memcpy(number, piece + 2, digits);
            value = strtoul(number, NULL, 16);
            if (digits == 2)
                buf_append(text, &(char){(char)value}, 1);
            else
                buf_append(text, bytes, (size_t)utf8proc_encode_char((utf8proc_int32_t)value, bytes));
            piece += 2 + digits;
        } else if (*piece == '\\') {
            const char *name = strchr(names, piece[1]);

            cr_assert(piece[1] != '\0' && name != NULL, "%s", piece);
            buf_append(text, &meanings[name - names], 1);
            piece += 2;
        } else {
            buf_append(text, piece++, 1);
        }
    }
}

/* Makes the text that a line of the list describes; cuts the line into its columns. */
static void append_line(struct buf *text, char *line)
{
    char *columns[64];
    size_t count = 0;

    for (char *column = strsep(&line, "\t"); column != NULL; column = strsep(&line, "\t")) {
        cr_assert_lt(count, array_length(columns));
        columns[count++] = column;
    }
    cr_assert(count >= 3 && count % 2 == 1, "a line of the list has no TIMES, or a COUNT without PIECE");
    for (int times = atoi(columns[0]); times > 0; times--)
        for (size_t i = 1; i < count; i += 2)
            for (int left = atoi(columns[i]); left > 0; left--)
                append_piece(text, columns[i + 1]);
}

Test(segment, hostile_texts_are_covered_within_the_limits)
{
    const char *top = getenv("top_srcdir");
    char path[4096], line[1024];
    FILE *list;
    int texts = 0;

    snprintf(path, sizeof path, "%s/tests/text/hostile_texts.txt", top != NULL ? top : ".");
    list = fopen(path, "re");
    cr_assert_not_null(list, "%s", path);
    while (fgets(line, sizeof line, list) != NULL) {
        struct buf text = BUF_INIT(2 * 1024 * 1024);

        line[strcspn(line, "\n")] = '\0';
        if (line[0] != '#' && line[0] != '\0') {
            append_line(&text, line);
            cr_assert_gt(text.length, 0);
            testcase_holds(buf_str(&text), text.length);
            texts++;
        }
        release_segments(&whole);
        buf_release(&text);
    }
    fclose(list);
    cr_expect_gt(texts, 100);
}

Test(segment, random_bytes_count_each_as_a_code_point_that_is_lost)
{
    static const char broken[] = "a\xFF\xC3 b\xE2\x82.\xF0\x9F\x98";
    char noise[5000];
    unsigned int seed = 3;

    cut(broken, sizeof broken - 1, 0, &whole);
    testcase_same_in_pieces(broken, sizeof broken - 1, 1);
    testcase_covers(&whole, 11);
    cr_expect_str_eq(whole.items[0].text, "a b .");
    cr_expect_eq(whole.items[0].losses.count, 7);

    for (int round = 0; round < 20; round++) {
        for (size_t i = 0; i < sizeof noise; i++)
            noise[i] = (char)(rand_r(&seed) % 3 == 0 ? rand_r(&seed) % 256 : " .aB\n"[rand_r(&seed) % 5]);
        cut(noise, sizeof noise, 0, &whole);
        testcase_covers(&whole, count_code_points(noise, sizeof noise));
        testcase_same_in_pieces(noise, sizeof noise, 1);
        testcase_same_in_pieces(noise, sizeof noise, 400);
        testcase_same_from_any_end(noise, sizeof noise);
    }
    release_segments(&whole);
}

Test(segment, more_than_may_be_fed_is_refused)
{
    struct segmenter *segmenter = segmenter_new(&text_english);
    cleanup(free_ptr) char *text = calloc(1, SEGMENTER_FEED_MAX + UTF8_SEQUENCE_MAX + 1);
    struct segment segment;

    cr_expect_eq(segmenter_feed(segmenter, text, SEGMENTER_FEED_MAX + UTF8_SEQUENCE_MAX + 1), -ENOBUFS);
    cr_expect_eq(segmenter_feed(segmenter, text, SEGMENTER_FEED_MAX), 0);
    cr_expect_eq(segmenter_feed(segmenter, text, SEGMENTER_FEED_MAX), -ENOBUFS);
    cr_expect_eq(segmenter_next(segmenter, &segment), SEGMENT_NEEDS_INPUT);
    cr_expect_eq(segmenter_feed(segmenter, text, SEGMENTER_FEED_MAX), 0);
    segmenter_free(segmenter);
    cr_expect_null(segmenter_free(NULL));
}
