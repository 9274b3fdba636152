/* SPDX-License-Identifier: Apache-2.0 */
/* What is true of every setting in the table: a slip of any kind is told with its line and what would be
 * right. */
#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "config/number.h"
#include "config/settings.h"
#include "config/table.h"

/* Longer than any text that a setting takes. */
#define TEXT_MAX (32 << 10)

/* The file is refused, and the text behind its name holds what is expected. */
static void testcase_refused(const char *text, const char *expected)
{
    char path[] = "/tmp/sayhook-setting-XXXXXX";
    int fd = mkstemp(path);
    struct settings settings;
    struct error error = {""};
    int r;

    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    r = settings_load(path, &settings, &error);
    unlink(path);
    cr_assert_eq(r, -EINVAL, "accepted: %.200s", text);
    cr_expect(strncmp(error.text, path, strlen(path)) == 0, "no file in: %s", error.text);
    cr_expect_not_null(strstr(error.text, expected), "%.200s\n  gives %s\n  lacks %s", text, error.text,
                       expected);
}

Test(each_setting, that_stands_twice_is_told_with_both_lines)
{
    char text[2 * ERROR_TEXT_MAX], expected[ERROR_TEXT_MAX];

    for (size_t i = 0; i < settings_table_count; i++) {
        const struct setting *s = &settings_table[i];

        snprintf(text, sizeof text, "%s = \"%s\"\n\n%s = \"%s\"\n", s->name, s->fallback, s->name,
                 s->fallback);
        snprintf(expected, sizeof expected, ":3: %s stands here a second time, after line 1", s->name);
        testcase_refused(text, expected);
    }
}

Test(each_setting, that_is_misspelt_is_told_with_the_name_that_was_meant)
{
    for (size_t i = 0; i < settings_table_count; i++) {
        const struct setting *s = &settings_table[i];
        const int half = (int)strlen(s->name) / 2;
        char slips[3][64], text[ERROR_TEXT_MAX], expected[ERROR_TEXT_MAX];

        snprintf(slips[0], sizeof slips[0], "%sx", s->name);
        snprintf(slips[1], sizeof slips[1], "%.*s%s", half, s->name, s->name + half + 1);
        snprintf(slips[2], sizeof slips[2], "%.*sq%s", half, s->name, s->name + half);
        for (size_t j = 0; j < array_length(slips); j++) {
            snprintf(text, sizeof text, "# first\n%s = \"%s\"\n", slips[j], s->fallback);
            snprintf(expected, sizeof expected, ":2: there is no setting \"%s\"; did you mean %s?", slips[j],
                     s->name);
            testcase_refused(text, expected);
        }
    }
}

/* ---- out of range ---- */

/* A number just outside of the range: the message says which range that is. */
static void testcase_number(const struct setting *s, int64_t number, const char *suffix)
{
    char text[ERROR_TEXT_MAX], expected[ERROR_TEXT_MAX], range[VALUE_RANGE_SIZE] = "";

    number_describe_range(s->type == &value_count  ? NUMBER_COUNT
                          : s->type == &value_size ? NUMBER_SIZE
                                                   : NUMBER_DURATION,
                          s->range.min, s->range.max, range, sizeof range);
    snprintf(text, sizeof text, "%s = %" PRId64 "%s\n", s->name, number, suffix);
    snprintf(expected, sizeof expected, "is out of range, which is %s", range);
    testcase_refused(text, expected);
    snprintf(expected, sizeof expected, ":1: %s = \"%" PRId64 "%s\": ", s->name, number, suffix);
    testcase_refused(text, expected);
}

static void testcase_numbers(const struct setting *s)
{
    const char *suffix = s->type == &value_duration || s->type == &value_durations ? "ms" : "";

    testcase_number(s, s->range.max + 1, suffix);
    if (s->range.min > 0) /* there is no way to write a number below zero */
        testcase_number(s, s->range.min - 1, suffix);
}

static void testcase_text(const struct setting *s)
{
    cleanup(buf_release) struct buf text = BUF_INIT(TEXT_MAX);
    char expected[ERROR_TEXT_MAX];

    buf_printf(&text, "%s = %s/", s->name, s->type == &value_base_url ? "http://a" : "");
    for (int64_t i = 0; i < s->range.max; i++)
        buf_append_str(&text, "a");
    snprintf(expected, sizeof expected, "is longer than %" PRId64 " bytes", s->range.max);
    testcase_refused(buf_str(&text), expected);
}

static void testcase_word(const struct setting *s, const char *wrong, const char *hint)
{
    char text[ERROR_TEXT_MAX], expected[ERROR_TEXT_MAX];

    snprintf(text, sizeof text, "%s = %s\n", s->name, wrong);
    snprintf(expected, sizeof expected, ":1: %s = \"%s\": ", s->name, wrong);
    testcase_refused(text, expected);
    testcase_refused(text, hint);
}

/* Of each type that has no numbers for bounds: what is none of its values, and what the message names then.
 */
static const struct {
    const struct value_type *type;
    const char *wrong;
    const char *hint;
} words[] = {
    {&value_bool, "2", "must be yes or no"},
    {&value_ports, "65536", "no port of 1 to 65535"},
    {&value_cidrs, "10.0.0.0/33", "no network like 10.0.0.0/8"},
    {&value_origins, "example.org", "no origin like https://"},
    {&value_log_level, "loud", "must be error, warning, info or debug"},
    {&value_log_format, "xml", "must be auto, text, json or journal"},
};

static bool is_one_of(const struct value_type *type, const struct value_type *const *types)
{
    while (*types != NULL && *types != type)
        types++;
    return *types != NULL;
}

Test(each_setting, that_is_out_of_range_is_told_with_the_range)
{
    static const struct value_type *const numbers[] = {&value_count, &value_size, &value_duration,
                                                       &value_durations, NULL};
    static const struct value_type *const texts[] = {&value_path, &value_optional_path, &value_base_url,
                                                     NULL};

    for (size_t i = 0; i < settings_table_count; i++) {
        const struct setting *s = &settings_table[i];
        size_t word = 0;

        if (is_one_of(s->type, numbers)) {
            testcase_numbers(s);
        } else if (is_one_of(s->type, texts)) {
            testcase_text(s);
        } else {
            while (word < array_length(words) && words[word].type != s->type)
                word++;
            cr_assert_lt(word, array_length(words), "nothing is known that %s may not be", s->name);
            testcase_word(s, words[word].wrong, words[word].hint);
        }
    }
}
