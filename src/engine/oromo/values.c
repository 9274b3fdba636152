/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/oromo/values.h"

#include <string.h>

#include "engine/engine.h"
#include "engine/oromo/numbers.h"
#include "engine/oromo/vocabulary.h"

/* A row of digits behind + or 0 that is as long as this is a telephone number, not a sum. */
#define TELEPHONE_DIGITS 9

/* Of Ethiopia and Kenya, with the code of the country and without. */
#define TELEPHONE_DIGITS_ABROAD 12
#define TELEPHONE_DIGITS_HOME   10

static size_t count_digits(const char *at)
{
    size_t count = 0;

    while (is_digit(at[count]))
        count++;
    return count;
}

/* Digits with thousands set apart: 1,500 or 1.500.000 (one stop alone is a decimal one, but in 1.500,25).
 * Returns what is read of at, and the digits alone. */
static size_t read_whole(const char *at, char *ret_digits, size_t *ret_count)
{
    size_t length = count_digits(at);
    char mark = at[length];
    size_t groups = 0;

    memcpy(ret_digits, at, length);
    *ret_count = length;
    if (length > 3 || at[0] == '0' || (mark != ',' && mark != '.'))
        return length;
    while (at[length + 4 * groups] == mark && count_digits(at + length + 4 * groups + 1) == 3)
        groups++;
    if (groups == 0 || (mark == '.' && groups == 1 && at[length + 4] != ','))
        return length;
    for (size_t i = 0; i < groups; i++)
        memcpy(ret_digits + length + 3 * i, at + length + 4 * i + 1, 3);
    *ret_count = length + 3 * groups;
    return length + 4 * groups;
}

/* Decimals behind a whole number of some bytes: not where its thousands have the same mark. */
static bool has_decimals(const char *whole, size_t length)
{
    const char *at = whole + length;

    return (*at == '.' || *at == ',') && is_digit(at[1]) && memchr(whole, *at, length) == NULL;
}

/* A sum of money has hundredths, of which none are said of a whole sum; any other number has decimals, digit
 * by digit. */
static size_t put_decimals(struct buf *words, const char *at, bool money)
{
    size_t count = count_digits(at + 1);

    if (money && count == 2) {
        uint64_t hundredths = (uint64_t)(at[1] - '0') * 10 + (uint64_t)(at[2] - '0');

        if (hundredths > 0) {
            words_put(words, "fi saantima");
            number_put(words, hundredths);
        }
    } else {
        words_put(words, "tuqaa");
        number_spell(words, at + 1, count);
    }
    return 1 + count;
}

static size_t put_number(struct buf *words, const char *at, bool money)
{
    char digits[ENGINE_TOKEN_MAX];
    size_t count;
    size_t length = read_whole(at, digits, &count);

    if (is_digit(*at))
        number_put_digits(words, digits, count);
    else
        number_put(words, 0); /* ".5" */
    if (has_decimals(at, length))
        length += put_decimals(words, at + length, money);
    return length;
}

/* Two digits behind a colon, below the limit. */
static bool is_sixtieth(const char *at)
{
    return *at == ':' && count_digits(at + 1) == 2 && at[1] < '6';
}

/* 11:20, or 11:20:30; 0 where it is no time.  Whole hours have no minutes. */
static size_t put_time(struct buf *words, const char *at, const char *previous)
{
    size_t hour = count_digits(at);
    bool seconds = is_sixtieth(at + hour) && is_sixtieth(at + hour + 3);
    size_t length = hour + (seconds ? 6 : 3);

    if (hour > 2 || (hour == 2 && (at[0] > '2' || (at[0] == '2' && at[1] > '4'))) ||
        !is_sixtieth(at + hour) || at[length] == ':')
        return 0;
    if (!vocabulary_is_hour(previous))
        words_put(words, "sa'aatii");
    number_put_digits(words, at[0] == '0' && hour == 2 ? at + 1 : at, at[0] == '0' && hour == 2 ? 1 : hour);
    if (strncmp(at + hour, ":00", 3) != 0) {
        words_put(words, "fi daqiiqaa");
        number_put(words, (uint64_t)(at[hour + 1] - '0') * 10 + (uint64_t)(at[hour + 2] - '0'));
    }
    if (seconds) {
        words_put(words, "fi sekondii");
        number_put(words, (uint64_t)(at[hour + 4] - '0') * 10 + (uint64_t)(at[hour + 5] - '0'));
    }
    return length;
}

/* A part of a date: 05 is five. */
static void put_date_part(struct buf *words, const char *at, size_t count)
{
    if (count > 1 && *at == '0') {
        at++;
        count--;
    }
    number_put_digits(words, at, count);
}

/* Three numbers with the same mark between, in the order in which they are written, since writers differ; 0
 * where it is no date. */
static size_t put_date(struct buf *words, const char *at)
{
    size_t first = count_digits(at);
    char mark = at[first];
    size_t second = mark != '\0' ? count_digits(at + first + 1) : 0;
    size_t third;

    if (first > 4 || second == 0 || second > 2 || (mark != '/' && mark != '-' && mark != '.') ||
        at[first + 1 + second] != mark)
        return 0;
    third = count_digits(at + first + second + 2);
    if (third == 0 || third > 4 || at[first + second + 2 + third] == mark)
        return 0;
    put_date_part(words, at, first);
    words_pause(words);
    put_date_part(words, at + first + 1, second);
    words_pause(words);
    put_date_part(words, at + first + second + 2, third);
    return first + second + third + 2;
}

/* Below one, with a denominator up to ten: 3/4.  0 where it is none. */
static size_t put_fraction(struct buf *words, const char *at)
{
    unsigned above = (unsigned)(at[0] - '0'), below;
    size_t digits = at[1] == '/' ? count_digits(at + 2) : 0;

    if (digits == 0 || digits > 2 || at[2 + digits] == '/')
        return 0;
    below = digits == 1 ? (unsigned)(at[2] - '0') : strncmp(at + 2, "10", 2) == 0 ? 10 : 0;
    if (above == 0 || above >= below)
        return 0;
    if (above == 1 && below == 2)
        words_put(words, "walakkaa");
    else if (above == 1 && below == 4)
        words_put(words, "kurmaana");
    else {
        number_put(words, above);
        number_put(words, below);
        words_end_with(words, "ffaa", 4);
    }
    return 2 + digits;
}

/* Digits, with hyphens between and maybe a + in front.  Returns what they take, and how many they are. */
static size_t grouped_length(const char *at, size_t *ret_digits)
{
    const char *end = at + (*at == '+');

    *ret_digits = 0;
    for (; is_digit(*end) || (*end == '-' && is_digit(end[1])); end++)
        *ret_digits += is_digit(*end);
    return (size_t)(end - at);
}

/* 251911234567, as one has it on a screen. */
static bool has_country(const char *at, size_t digits)
{
    return digits == TELEPHONE_DIGITS_ABROAD && (strncmp(at, "251", 3) == 0 || strncmp(at, "254", 3) == 0);
}

size_t value_telephone_length(const char *at)
{
    size_t digits, length = grouped_length(at, &digits);

    if (digits < TELEPHONE_DIGITS || at[length] == '.' || at[length] == ',')
        return 0;
    return *at == '+' || *at == '0' || has_country(at, digits) ? length : 0;
}

size_t value_telephone_groups(const char *const *tokens, size_t count)
{
    size_t wanted = *tokens[0] == '+' ? TELEPHONE_DIGITS_ABROAD : TELEPHONE_DIGITS_HOME;
    size_t all = 0, i = 0;
    bool ended = *tokens[0] != '+' && *tokens[0] != '0';

    for (; i < count && !ended && all < wanted; i++) {
        size_t digits, length = grouped_length(tokens[i], &digits);

        /* "0 10 20 30 40" are numbers. */
        if (digits == 0 || digits > TELEPHONE_GROUP_DIGITS || (digits == 1 && *tokens[i] != '+') ||
            (i > 0 && *tokens[i] == '+'))
            break;
        all += digits;
        ended = tokens[i][length] != '\0'; /* by an ending */
    }
    return all >= TELEPHONE_DIGITS ? i : 0;
}

size_t value_put_grouped(struct buf *words, const char *at)
{
    size_t digits, length = grouped_length(at, &digits);

    for (size_t i = 0; i < length; i++)
        if (is_digit(at[i]))
            number_spell(words, at + i, 1);
        else
            words_pause(words);
    return length;
}

/* Numbers with the same mark between, at least so many, that are not thousands.  Returns what they take, or
 * 0. */
static size_t row_length(const char *at, char mark, size_t least)
{
    size_t length = count_digits(at), parts = 1;
    bool thousands = true;

    for (size_t part; at[length] == mark && (part = count_digits(at + length + 1)) > 0; length += 1 + part) {
        thousands = thousands && part == 3;
        parts++;
    }
    return parts < least || thousands ? 0 : length;
}

/* An address or a version, 192.168.1.1, or a list, 1,2,3; 0 where it is neither. */
static size_t put_row(struct buf *words, const char *at)
{
    size_t dotted = row_length(at, '.', 4);
    size_t length = dotted > 0 ? dotted : row_length(at, ',', 3);

    for (size_t i = 0, part; i < length; i += part + 1) {
        part = count_digits(at + i);
        if (i > 0 && dotted > 0)
            words_put(words, "tuqaa");
        else
            words_pause(words);
        number_put_digits(words, at + i, part);
    }
    return length;
}

size_t value_put(struct buf *words, const char *at, const char *previous, bool money)
{
    size_t length = value_telephone_length(at) > 0 ? value_put_grouped(words, at) : 0;

    if (*at == '.')
        return put_number(words, at, money);
    if (length == 0)
        length = put_date(words, at);
    if (length == 0)
        length = put_time(words, at, previous);
    if (length == 0)
        length = put_fraction(words, at);
    if (length == 0)
        length = put_row(words, at);
    return length > 0 ? length : put_number(words, at, money);
}
