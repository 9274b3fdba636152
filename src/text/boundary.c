/* SPDX-License-Identifier: Apache-2.0 */
#include "text/boundary.h"

#include <string.h>
#include <utf8proc.h>

#include "base/cleanup.h"
#include "text/utf8.h"

/* The longest abbreviation of the table, and of those with inner stops that can be told from a word. */
#define ABBREVIATION_MAX 10

/* The longest word of those that sentences start with. */
#define STARTER_MAX 8

/* A list's item number has no more digits than this. */
#define ITEM_DIGITS_MAX 3

/* A clause that ends before this part of a segment is no place to cut it. */
#define CLAUSE_FROM (BOUNDARY_CHARS_MAX / 4)

static bool contains(const uint32_t *set, size_t count, uint32_t code_point)
{
    for (size_t i = 0; i < count; i++)
        if (set[i] == code_point)
            return true;
    return false;
}

bool boundary_is_white(uint32_t code_point)
{
    if (code_point < 0x80)
        return code_point <= ' ' || code_point == 0x7F;
    switch (utf8proc_category((utf8proc_int32_t)code_point)) {
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_CC:
        return true;
    default:
        return false;
    }
}

void line_breaks_add(struct line_breaks *breaks, uint32_t code_point)
{
    static const uint32_t line_ends[] = {'\n', '\v', '\f', '\r', 0x85, 0x2028};

    if (code_point == 0x2029) /* paragraph separator */
        breaks->count += 2;
    else if (contains(line_ends, array_length(line_ends), code_point))
        breaks->count += code_point == '\n' && breaks->last == '\r' ? 0 : 1;
    if (breaks->count > 2)
        breaks->count = 2; /* a text may be nothing but line ends */
    breaks->last = code_point;
}

/* Marks that end a sentence; those of scripts without spaces do so whatever follows. */
static bool is_terminal(uint32_t code_point)
{
    static const uint32_t marks[] = {'.',    '!',    '?',    0x2026, 0x203C, 0x203D, 0x2047, 0x2048, 0x2049,
                                     0x0589, 0x061F, 0x06D4, 0x0964, 0x0965, 0x1362, 0x1367, 0x1368};

    return contains(marks, array_length(marks), code_point);
}

static bool is_wide_terminal(uint32_t code_point)
{
    static const uint32_t marks[] = {0x3002, 0xFF01, 0xFF1F, 0xFF61};

    return contains(marks, array_length(marks), code_point);
}

static bool is_closer(uint32_t code_point)
{
    static const uint32_t marks[] = {'"',    '\'',   ')',    ']',    '}',    0x00BB, 0x2019,
                                     0x201D, 0x203A, 0x300D, 0x300F, 0xFF09, 0x3011};

    return contains(marks, array_length(marks), code_point);
}

static bool is_opener(uint32_t code_point)
{
    static const uint32_t marks[] = {'"',    '\'',   '(',    '[',    '{',    0x00AB, 0x2018, 0x201A,
                                     0x201C, 0x201E, 0x2039, 0x300C, 0x300E, 0x00BF, 0x00A1};

    return contains(marks, array_length(marks), code_point);
}

static bool is_clause_mark(uint32_t code_point)
{
    static const uint32_t marks[] = {',',    ';',    ':',    '.',    '!',    '?',   ')',
                                     0x2013, 0x2014, 0x2026, 0x3001, 0xFF0C, 0x1363};

    return contains(marks, array_length(marks), code_point);
}

static bool is_lower(uint32_t code_point)
{
    return utf8proc_category((utf8proc_int32_t)code_point) == UTF8PROC_CATEGORY_LL;
}

/* Whether the word at the front is one that a sentence starts with more often than a name does. */
static bool starts_as_a_sentence(const struct text_language *language, const uint32_t *code_points,
                                 size_t count)
{
    char word[STARTER_MAX + 1];
    size_t length = 0;

    while (length < count && length < STARTER_MAX && text_is_ascii_letter(code_points[length])) {
        word[length] = (char)(code_points[length] | 0x20);
        length++;
    }
    if (length < count && text_is_ascii_letter(code_points[length]))
        return false;
    word[length] = '\0';
    return text_list_has(language->sentence_starters, word);
}

/* "J." and "U.S.": single letters, each with its stop.  "I." alone is the word. */
static bool is_initials(const char *word)
{
    size_t length = strlen(word);

    if (length == 1)
        return strcmp(word, "i") != 0;
    for (size_t i = 1; i < length; i += 2)
        if (word[i] != '.')
            return false;
    return length % 2 == 1;
}

/* Whether the single stop at `stop` belongs to the word before it; the word behind it starts at `next`. */
static bool is_stop_of_word(const struct text_language *language, const uint32_t *code_points, size_t count,
                            size_t stop, size_t next)
{
    char word[ABBREVIATION_MAX + 1];
    size_t start = stop;
    size_t length;

    while (start > 0 && text_is_ascii_digit(code_points[start - 1]))
        start--;
    if (start == 0 && stop <= ITEM_DIGITS_MAX)
        return true; /* "1. First item" */
    for (start = stop; start > 0; start--)
        if (!text_is_ascii_letter(code_points[start - 1]) && code_points[start - 1] != '.')
            break;
    length = stop - start;
    if (length == 0 || length > ABBREVIATION_MAX ||
        (start > 0 &&
         (text_is_ascii_digit(code_points[start - 1]) || text_is_speakable_char(code_points[start - 1]))))
        return false;
    for (size_t i = 0; i < length; i++)
        word[i] = (char)(code_points[start + i] == '.' ? '.' : code_points[start + i] | 0x20);
    word[length] = '\0';
    if (text_list_has(language->doubtful_abbreviations, word) && !is_lower(code_points[start]))
        return !starts_as_a_sentence(language, code_points + next, count - next);
    return is_initials(word) || text_list_has(language->abbreviations, word) ||
           (text_is_ascii_digit(code_points[next]) && text_list_has(language->number_abbreviations, word));
}

/*
 * Whether a sentence ends with the marks in [start, end), closing quotes and brackets among them.  Nothing is
 * known behind count: there a doubt is for the end.
 */
static bool ends_sentence(const struct text_language *language, const uint32_t *code_points, size_t count,
                          size_t start, size_t end)
{
    bool wide = is_wide_terminal(code_points[end - 1]);
    bool asks = code_points[start] == '!' || code_points[start] == '?';
    bool closed = is_closer(code_points[end - 1]);
    size_t next = end;

    if (end == count || wide)
        return true;
    if (!boundary_is_white(code_points[end]))
        return false;
    while (next < count && (boundary_is_white(code_points[next]) || is_opener(code_points[next])))
        next++;
    if (next == count)
        return true;
    if (is_lower(code_points[next]) && (!asks || closed))
        return false;
    if (code_points[start] == '.' && (start + 1 == count || !is_terminal(code_points[start + 1])))
        return !is_stop_of_word(language, code_points, count, start, next);
    return true;
}

/* The place to cut a text that runs on past BOUNDARY_CHARS_MAX. */
static size_t cut_long(const uint32_t *code_points)
{
    size_t cut = BOUNDARY_CHARS_MAX;

    for (size_t i = BOUNDARY_CHARS_MAX; i >= CLAUSE_FROM; i--)
        if (boundary_is_white(code_points[i]) && is_clause_mark(code_points[i - 1]))
            return i;
    for (size_t i = BOUNDARY_CHARS_MAX; i > 0; i--)
        if (boundary_is_white(code_points[i]) && !boundary_is_white(code_points[i - 1]))
            return i;
    /* A letter keeps the marks that combine with it, within reason. */
    while (cut > BOUNDARY_CHARS_MAX - BOUNDARY_LOOKAHEAD &&
           utf8proc_category((utf8proc_int32_t)code_points[cut]) == UTF8PROC_CATEGORY_MN)
        cut--;
    return cut;
}

/* Behind the run of white space at start; *ret_blank where it holds a blank line, or its end is not in sight.
 */
static size_t skip_white(const uint32_t *code_points, size_t count, size_t start, bool *ret_blank)
{
    struct line_breaks breaks = {0};
    size_t i = start;

    for (; i < count && boundary_is_white(code_points[i]); i++)
        line_breaks_add(&breaks, code_points[i]);
    *ret_blank = breaks.count >= 2 || i == count;
    return i;
}

/* Behind the run of terminal marks at start and what closes with them. */
static size_t skip_terminal(const uint32_t *code_points, size_t count, size_t start)
{
    size_t i = start;

    while (i < count && (is_terminal(code_points[i]) || is_wide_terminal(code_points[i])))
        i++;
    while (i < count && is_closer(code_points[i]))
        i++;
    return i;
}

size_t boundary_find(const struct text_language *language, const uint32_t *code_points, size_t count)
{
    bool speakable = false; /* a sentence says something */
    bool blank;
    size_t i = 0;

    while (i < count && i < BOUNDARY_CHARS_MAX) {
        if (boundary_is_white(code_points[i])) {
            size_t end = skip_white(code_points, count, i, &blank);

            if (blank)
                return i;
            i = end;
        } else if (text_is_speakable_char(code_points[i])) {
            speakable = true;
            i++;
        } else if (is_terminal(code_points[i]) || is_wide_terminal(code_points[i])) {
            size_t end = skip_terminal(code_points, count, i);

            if (end <= BOUNDARY_CHARS_MAX && speakable && ends_sentence(language, code_points, count, i, end))
                return end;
            i = end;
        } else {
            i++;
        }
    }
    return count <= BOUNDARY_CHARS_MAX ? count : cut_long(code_points);
}
