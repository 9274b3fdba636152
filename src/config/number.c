/* SPDX-License-Identifier: Apache-2.0 */
#include "config/number.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

#define SUFFIXES_MAX 5

struct suffix {
    const char *text;
    int64_t factor;
};

/* Each kind's suffixes, smallest first. */
static const struct kind {
    const char *form;
    struct suffix suffixes[SUFFIXES_MAX];
} kinds[] = {
    [NUMBER_COUNT] = {"a whole number, with K, M or G behind it or nothing",
                      {{"", 1}, {"K", 1000}, {"M", 1000000}, {"G", 1000000000}}},
    [NUMBER_SIZE] = {"a whole number of bytes, with K, M or G behind it or nothing",
                     {{"", 1}, {"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}}},
    [NUMBER_DURATION] = {"a whole number with ms, s, m, h or d behind it",
                         {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}}},
};

static const struct suffix *find_suffix(const struct kind *kind, const char *text)
{
    for (size_t i = 0; i < SUFFIXES_MAX && kind->suffixes[i].text != NULL; i++)
        if (strcmp(kind->suffixes[i].text, text) == 0)
            return &kind->suffixes[i];
    return NULL;
}

int number_parse(enum number_kind kind, const char *text, int64_t min, int64_t max, int64_t *ret_number,
                 struct error *err)
{
    size_t digits = strspn(text, "0123456789");
    const struct suffix *suffix = find_suffix(&kinds[kind], text + digits);
    int64_t number = 0;
    bool overflow = false;
    char range[2 * NUMBER_TEXT_SIZE + 8];

    if (digits == 0 || suffix == NULL)
        return error_set(err, -EINVAL, "must be %s", kinds[kind].form);
    for (size_t i = 0; i < digits; i++)
        overflow |= __builtin_mul_overflow(number, 10, &number) ||
                    __builtin_add_overflow(number, text[i] - '0', &number);
    overflow |= __builtin_mul_overflow(number, suffix->factor, &number);
    if (overflow || number < min || number > max) {
        number_describe_range(kind, min, max, range, sizeof range);
        return error_set(err, -EINVAL, "is out of range, which is %s", range);
    }
    *ret_number = number;
    return 0;
}

void number_format(enum number_kind kind, int64_t number, char ret_text[NUMBER_TEXT_SIZE])
{
    /* Nothing is written 0s, not 0ms. */
    const struct suffix *best = &kinds[kind].suffixes[number == 0 && kind == NUMBER_DURATION ? 1 : 0];

    for (size_t i = 1; number > 0 && i < SUFFIXES_MAX && kinds[kind].suffixes[i].text != NULL; i++)
        if (number % kinds[kind].suffixes[i].factor == 0)
            best = &kinds[kind].suffixes[i];
    snprintf(ret_text, NUMBER_TEXT_SIZE, "%" PRId64 "%s", number / best->factor, best->text);
}

void number_describe_range(enum number_kind kind, int64_t min, int64_t max, char *ret_text, size_t size)
{
    char least[NUMBER_TEXT_SIZE], most[NUMBER_TEXT_SIZE];

    number_format(kind, min, least);
    number_format(kind, max, most);
    snprintf(ret_text, size, "%s to %s", least, most);
}
