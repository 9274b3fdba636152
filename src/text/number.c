/* SPDX-License-Identifier: Apache-2.0 */
#include "text/number.h"

#include <stdbool.h>
#include <string.h>
#include <utf8proc.h>

#include "base/cleanup.h"
#include "text/utf8.h"

#define RAISED_N 0x207F

static bool is_letter(uint32_t code_point)
{
    switch (utf8proc_category((utf8proc_int32_t)code_point)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
        return true;
    default:
        return false;
    }
}

/* ---- raised digits ---- */

char number_raised(const uint32_t *code_points, size_t count, size_t at)
{
    static const struct {
        uint32_t code_point;
        char c;
    } raised[] = {
        {0x00B2, '2'}, {0x00B3, '3'}, {0x00B9, '1'},   {0x2070, '0'}, {0x2074, '4'},
        {0x2075, '5'}, {0x2076, '6'}, {0x2077, '7'},   {0x2078, '8'}, {0x2079, '9'},
        {0x207A, '+'}, {0x207B, '-'}, {RAISED_N, 'n'},
    };

    if (code_points[at] == RAISED_N && at + 1 < count &&
        utf8proc_category((utf8proc_int32_t)code_points[at + 1]) == UTF8PROC_CATEGORY_LM)
        return '\0';
    for (size_t i = 0; i < array_length(raised); i++)
        if (raised[i].code_point == code_points[at])
            return raised[i].c;
    return '\0';
}

/* Whether what ends before `at` can be raised to a power: a number, a letter that stands alone, a bracket. */
static bool is_base(const uint32_t *code_points, size_t at)
{
    if (at == 0)
        return false;
    if (is_letter(code_points[at - 1]))
        return at == 1 || !is_letter(code_points[at - 2]);
    return text_is_ascii_digit(code_points[at - 1]) || code_points[at - 1] == ')' ||
           code_points[at - 1] == ']';
}

const char *number_power(const struct text_language *language, const uint32_t *code_points, size_t count,
                         size_t at)
{
    char first = number_raised(code_points, count, at);
    char second = at + 1 < count ? number_raised(code_points, count, at + 1) : '\0';
    bool is_signed = (first == '-' || first == '+') && second != '\0';

    /* "cm⁻³": a note has no sign. */
    if (is_signed && at > 0 && (is_letter(code_points[at - 1]) || is_base(code_points, at)))
        return first == '-' ? language->power_minus : language->power_plus;
    if (first == '-')
        return language->minus;
    if (first == '+')
        return language->plus;
    return is_base(code_points, at) ? language->power : " ";
}

/* ---- money ---- */

static size_t skip_digits(const uint32_t *code_points, size_t count, size_t at)
{
    while (at < count && text_is_ascii_digit(code_points[at]))
        at++;
    return at;
}

/* Behind the number at `at`: digits, thousands behind commas, decimals behind a point. */
static size_t skip_number(const uint32_t *code_points, size_t count, size_t at)
{
    size_t end = skip_digits(code_points, count, at);

    while (end < count && code_points[end] == ',' && skip_digits(code_points, count, end + 1) == end + 4)
        end += 4;
    if (end + 1 < count && code_points[end] == '.' && text_is_ascii_digit(code_points[end + 1]))
        end = skip_digits(code_points, count, end + 1);
    return end;
}

/* Behind " million" and the like, or `at`. */
static size_t skip_scale(const char *const *scales, const uint32_t *code_points, size_t count, size_t at)
{
    for (; *scales != NULL; scales++) {
        size_t length = strlen(*scales);
        size_t same = 0;

        while (same < length && at + same < count && code_points[at + same] == (unsigned char)(*scales)[same])
            same++;
        if (same == length && (at + same == count || !is_letter(code_points[at + same])))
            return at + same;
    }
    return at;
}

/* Whether a number goes on at `at`, in a form that is not known: "5,50", "5m", "5-10", "5½". */
static bool goes_on(const uint32_t *code_points, size_t count, size_t at)
{
    if (at == count)
        return false;
    if (at + 1 < count && text_is_ascii_digit(code_points[at + 1]) &&
        (code_points[at] == ',' || code_points[at] == '.' || code_points[at] == '-' ||
         code_points[at] == 0x2013))
        return true;
    return is_letter(code_points[at]) ||
           utf8proc_category((utf8proc_int32_t)code_points[at]) == UTF8PROC_CATEGORY_NO;
}

struct number_amount number_amount(const struct text_language *language, const uint32_t *code_points,
                                   size_t count, size_t at)
{
    size_t start = at + 1;
    size_t end;

    if (count > start + NUMBER_AMOUNT_MAX)
        count = start + NUMBER_AMOUNT_MAX;
    if (at > 0 && (is_letter(code_points[at - 1]) || text_is_ascii_digit(code_points[at - 1])))
        return (struct number_amount){0};
    for (const struct text_currency *currency = language->currencies; currency->sign != 0; currency++) {
        if (currency->sign != code_points[at])
            continue;
        end = skip_number(code_points, count, start);
        if (end == start || goes_on(code_points, count, end))
            break;
        if (end == start + 1 && code_points[start] == '1' &&
            skip_scale(language->scales, code_points, count, end) == end)
            return (struct number_amount){1, currency->one};
        return (struct number_amount){skip_scale(language->scales, code_points, count, end) - start,
                                      currency->many};
    }
    return (struct number_amount){0};
}
