/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/oromo/numbers.h"

#include <string.h>

#include "base/cleanup.h"

static const char *const units[] = {
    "zeeroo", "tokko", "lama", "sadii", "afur", "shan", "jaha", "torba", "saddeet", "sagal",
};

/* Without their last vowel: -a alone, -ii before a unit. */
static const char *const tens[] = {
    "", "", "digdam", "soddom", "afurtam", "shantam", "jaatam", "torbaatam", "saddeettam", "sagaltam",
};

static const struct {
    uint64_t value;
    const char *name;
} scales[] = {{1000000000, "biliyoona"}, {1000000, "miliyoona"}, {1000, "kuma"}};

void words_put(struct buf *words, const char *text)
{
    if (words->length > 0)
        buf_append(words, " ", 1);
    buf_append_str(words, text);
}

void words_pause(struct buf *words)
{
    if (words->length > 0 && words->data[words->length - 1] != ',')
        buf_append(words, ",", 1);
}

/* 1 to 99 */
static void put_below_hundred(struct buf *words, unsigned number)
{
    if (number < 10) {
        words_put(words, units[number]);
    } else if (number == 10) {
        words_put(words, "kudhan");
    } else if (number < 20) {
        words_put(words, "kudha");
        words_put(words, units[number - 10]);
    } else {
        words_put(words, tens[number / 10]);
        buf_append_str(words, number % 10 == 0 ? "a" : "ii");
        if (number % 10 != 0)
            words_put(words, units[number % 10]);
    }
}

/* The factor behind "dhibba" or "kuma" is left out where the number ends with these: "kuma tokko" leads to
 * more, or 1,100 would be heard as a hundred thousand. */
static void put_hundreds(struct buf *words, unsigned hundreds, bool more)
{
    words_put(words, "dhibba");
    if (hundreds > 1 || more)
        words_put(words, units[hundreds]);
}

/* How many thousands, millions: without the link, which would be heard as one of the whole number. */
static void put_factor(struct buf *words, unsigned factor)
{
    if (factor >= 100)
        put_hundreds(words, factor / 100, factor % 100 != 0);
    if (factor % 100 != 0)
        put_below_hundred(words, factor % 100);
}

/* The last part of a number of several is linked to the others (Wikibooks, Afaan Oromo, chapter 1). */
static void link_last(struct buf *words, bool first, bool last)
{
    if (!first && last)
        words_put(words, "fi");
}

void number_put(struct buf *words, uint64_t number)
{
    bool first = true;

    if (number == 0)
        words_put(words, units[0]);
    for (size_t i = 0; i < array_length(scales); i++) {
        unsigned factor = (unsigned)(number / scales[i].value);

        number %= scales[i].value;
        if (factor == 0)
            continue;
        link_last(words, first, number == 0);
        words_put(words, scales[i].name);
        if (factor > 1 || number > 0)
            put_factor(words, factor);
        if (factor >= 100 && number > 0)
            words_pause(words);
        first = false;
    }
    if (number >= 100) {
        link_last(words, first, number % 100 == 0);
        put_hundreds(words, (unsigned)number / 100, number % 100 != 0);
        number %= 100;
        first = false;
    }
    if (number > 0) {
        link_last(words, first, true);
        put_below_hundred(words, (unsigned)number);
    }
}

void number_spell(struct buf *words, const char *digits, size_t count)
{
    for (size_t i = 0; i < count; i++)
        words_put(words, units[digits[i] - '0']);
}

void number_put_digits(struct buf *words, const char *digits, size_t count)
{
    uint64_t number = 0;

    if (count > NUMBER_DIGITS_MAX || (count > 1 && digits[0] == '0')) {
        number_spell(words, digits, count);
        return;
    }
    for (size_t i = 0; i < count; i++)
        number = number * 10 + (uint64_t)(digits[i] - '0');
    number_put(words, number);
}

static bool is_vowel(char c)
{
    return c != '\0' && strchr("aeiou", c) != NULL;
}

/* sadii is the one number whose ordinal has another vowel than its last. */
static void make_ordinal(struct buf *words)
{
    static const char three[] = "sadii";

    if (words->length >= 5 && strcmp(words->data + words->length - 5, three) == 0) {
        buf_drop(words, 2);
        buf_append(words, "a", 1);
    } else if (!is_vowel(words->data[words->length - 1]))
        buf_append(words, "a", 1);
    else if (words->data[words->length - 1] == words->data[words->length - 2])
        buf_drop(words, 1);
}

void words_end_with(struct buf *words, const char *ending, size_t length)
{
    bool lengthens = length == 1 && (ending[0] == 'n' || ending[0] == 'f');
    char last, before;

    if (!buf_ok(words) || words->length < 2 || length == 0)
        return;
    last = words->data[words->length - 1];
    before = words->data[words->length - 2];
    if (length >= 4 && strncmp(ending, "ffaa", 4) == 0)
        make_ordinal(words);
    else if (is_vowel(ending[0]) && is_vowel(last)) {
        if (before != last)
            buf_drop(words, 1);
        else
            while (length > 0 && is_vowel(ending[0]))
                ending++, length--;
    } else if (!is_vowel(ending[0]) && !is_vowel(last)) {
        buf_append_str(words, lengthens ? "ii" : "i");
    } else if (lengthens && before != last) {
        buf_append(words, &last, 1);
    }
    buf_append(words, ending, length);
}
