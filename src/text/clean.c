/* SPDX-License-Identifier: Apache-2.0 */
#include "text/clean.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>
#include <utf8proc.h>

#include "base/cleanup.h"
#include "text/address.h"
#include "text/number.h"
#include "text/symbols.h"
#include "text/utf8.h"

/* The longest decomposition is that of U+FDFA, 18 code points. */
#define DECOMPOSITION_MAX 18

/* The most bytes that one step emits: a name with spaces around it.  No decomposition and no amount of money
 * is longer. */
#define EXPANSION_MAX (SYMBOL_NAME_MAX + 2)

/* So many Greek letters in a row, as in a product of two, are read by their names. */
#define GREEK_NAMED_MAX 2

/* The longest unit that is looked over for the number before it: "km^2", "birr". */
#define UNIT_MAX 4

#define NO_BREAK_SPACE 0x00A0
#define DEGREE         0x00B0
#define ORDINAL_O      0x00BA /* which many keyboards have in its place */

struct cleaner {
    const struct text_language *language;
    const uint32_t *source;
    size_t count;
    size_t address_end; /* of the address that was found last: an index of source */
    struct clean_text *out;
    uint32_t origin; /* of what is emitted now */
    bool owes_space; /* before the next character */
    bool after_name; /* that space is of a symbol's name alone */
    uint32_t symbol; /* whose name was emitted last, with nothing but space behind it; or 0 */
    size_t token;    /* bytes since the last space */
    size_t marks;    /* punctuation marks in a row */
    size_t same;     /* of them, the same one */
};

/*
 * What NFKD leaves as it is, and symbols.tsv does not name.  A space at either end keeps the word apart.  A
 * comma attaches to the word before it and makes the pause that a dash means.
 */
static const struct symbol replacements[] = {
    {0x00AB, "\""}, {0x00AD, ""}, /* soft hyphen */
    {0x00B4, "'"},  {0x00BB, "\""}, {0x00C6, "AE"}, {0x00D0, "D"},  {0x00D8, "O"},  {0x00DE, "Th"},
    {0x00DF, "ss"}, {0x00E6, "ae"}, {0x00F0, "d"},  {0x00F8, "o"},  {0x00FE, "th"}, {0x0110, "D"},
    {0x0111, "d"},  {0x0126, "H"},  {0x0127, "h"},  {0x0131, "i"},  {0x0138, "k"},  {0x0141, "L"},
    {0x0142, "l"},  {0x014A, "Ng"}, {0x014B, "ng"}, {0x0152, "OE"}, {0x0153, "oe"}, {0x0166, "T"},
    {0x0167, "t"},  {0x0181, "B"},  {0x018A, "D"},  {0x0198, "K"},  {0x0199, "k"},  {0x01B3, "Y"},
    {0x01B4, "y"},  {0x0253, "b"},  {0x0257, "d"},  {0x0294, "'"},  {0x02B9, "'"},  {0x02BB, "'"},
    {0x02BC, "'"},  {0x02BD, "'"},  {0x02BE, "'"},  {0x02BF, "'"},  {0x02C0, "'"},  {0x02C1, "'"},
    {0x02C8, "'"},  {0x02CA, "'"},  {0x02CB, "'"},  {0x02EE, "'"},  {0x0384, "'"},  {0x055A, "'"},
    {0x05F3, "'"},  {0x07F4, "'"},  {0x07F5, "'"},  {0x1E9E, "SS"}, {0x1FBD, "'"},  {0x1FBF, "'"},
    {0x1FFD, "'"},  {0x1FFE, "'"},  {0x2010, "-"},  {0x2012, "-"},  {0x2013, "-"}, /* en dash between words:
                          see put_known() */
    {0x2014, ", "}, {0x2015, ", "}, {0x2018, "'"},  {0x2019, "'"},  {0x201A, "'"},  {0x201B, "'"},
    {0x201C, "\""}, {0x201D, "\""}, {0x201E, "\""}, {0x201F, "\""}, {0x2032, "'"},  {0x2035, "'"},
    {0x2039, "'"},  {0x203A, "'"},  {0x2044, "/"},  {0x20E3, " "}, /* what makes a key of a digit: the next
                                                                      one is a digit of its own */
    {0x2212, "-"},  {0x2215, "/"},  {0x275B, "'"},  {0x275C, "'"},  {0x3001, ", "}, {0x3002, ". "},
    {0xA78B, "'"},  {0xA78C, "'"},
};

static const char *find_replacement(const struct text_language *language, uint32_t code_point)
{
    if (code_point == 0xB2)
        return language->squared;
    if (code_point == 0xB3)
        return language->cubed;
    if (language->degree != NULL && (code_point == DEGREE || code_point == ORDINAL_O))
        return language->degree;
    return symbol_find(replacements, array_length(replacements), code_point);
}

static void put_byte(struct cleaner *cleaner, char c)
{
    struct clean_text *out = cleaner->out;

    assert(out->bytes < CLEAN_BYTES_MAX);
    out->text[out->bytes] = c;
    out->origins[out->bytes] = cleaner->origin;
    out->bytes++;
    cleaner->token++;
}

static void put_space(struct cleaner *cleaner)
{
    put_byte(cleaner, ' ');
    cleaner->owes_space = false;
    cleaner->after_name = false;
    cleaner->token = 0;
    cleaner->marks = 0;
    cleaner->same = 0;
}

/* Counts a mark into its run; false where the run is long enough. */
static bool admit_mark(struct cleaner *cleaner, char c)
{
    const struct clean_text *out = cleaner->out;
    bool repeats = cleaner->marks > 0 && out->text[out->bytes - 1] == c;

    if (cleaner->marks == CLEAN_MARKS_MAX || (repeats && cleaner->same == CLEAN_SAME_MARK_MAX))
        return false;
    cleaner->marks++;
    cleaner->same = repeats ? cleaner->same + 1 : 1;
    return true;
}

/* Emits a printable ASCII character, or owes a space. */
static void put_char(struct cleaner *cleaner, char c)
{
    struct clean_text *out = cleaner->out;

    if (c == ' ') {
        cleaner->owes_space = out->bytes > 0;
        cleaner->after_name = false;
        return;
    }
    cleaner->symbol = 0;
    if (cleaner->after_name && strchr(".,;:!?)]>-", c) != NULL)
        cleaner->owes_space = false;
    if (cleaner->owes_space || cleaner->token == CLEAN_TOKEN_MAX)
        put_space(cleaner);
    if (!isalnum((unsigned char)c)) {
        if (!admit_mark(cleaner, c))
            return;
    } else {
        cleaner->marks = 0;
    }
    if (text_is_speakable_char((unsigned char)c))
        out->speakable = true;
    put_byte(cleaner, c);
}

static void put_text(struct cleaner *cleaner, const char *text)
{
    if (*text == ',' || *text == '.') {
        if (cleaner->out->bytes == 0)
            return; /* a dash or a stop in front of everything */
        cleaner->owes_space = false;
    }
    for (; *text != '\0'; text++)
        put_char(cleaner, *text);
    cleaner->after_name = cleaner->owes_space;
}

/* The names of a row of hearts are one: a listener learns nothing from the others.  0 is a symbol that means
 * something each time, such as a letter. */
static void put_symbol(struct cleaner *cleaner, uint32_t code_point, const char *name)
{
    bool repeats = code_point != 0 && cleaner->symbol == code_point;

    put_char(cleaner, ' ');
    if (!repeats)
        put_text(cleaner, name);
    put_char(cleaner, ' ');
    cleaner->after_name = true;
    cleaner->symbol = code_point;
}

static bool is_greek(uint32_t code_point)
{
    return (code_point >= 0x0370 && code_point < 0x0400) || (code_point >= 0x1F00 && code_point < 0x2000);
}

/* A Greek letter of a formula has a name; a word of them would be spelled, which nobody could follow. */
static bool is_in_greek_word(const struct cleaner *cleaner)
{
    size_t start = cleaner->origin;
    size_t end = cleaner->origin;

    while (start > 0 && cleaner->origin - start < GREEK_NAMED_MAX && is_greek(cleaner->source[start - 1]))
        start--;
    while (end < cleaner->count && end - start <= GREEK_NAMED_MAX && is_greek(cleaner->source[end]))
        end++;
    return end - start > GREEK_NAMED_MAX;
}

static void count_loss(struct clean_losses *losses, uint32_t index)
{
    if (losses->count++ == 0)
        losses->start = index;
    losses->end = (int64_t)index + 1;
}

/* What has no form in ASCII: marks and format characters vanish, the rest leaves a space.  Returns false for
 * a loss. */
static bool drop(struct cleaner *cleaner, utf8proc_category_t category)
{
    switch (category) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_SK: /* the colour of a hand */
        return true;
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_PC:
    case UTF8PROC_CATEGORY_PD:
    case UTF8PROC_CATEGORY_PS:
    case UTF8PROC_CATEGORY_PE:
    case UTF8PROC_CATEGORY_PI:
    case UTF8PROC_CATEGORY_PF:
    case UTF8PROC_CATEGORY_PO:
        put_char(cleaner, ' ');
        return true;
    default:
        put_char(cleaner, ' ');
        cleaner->symbol = 0;
        return false;
    }
}

/* The start of the token that ends at `end` in what was emitted. */
static size_t token_start(const struct clean_text *out, size_t end)
{
    while (end > 0 && out->text[end - 1] != ' ')
        end--;
    return end;
}

/* Whether the dash at the origin is between numbers, the first one maybe with a unit: "5 km – 10 km". */
static bool is_in_range(const struct cleaner *cleaner)
{
    const struct clean_text *out = cleaner->out;
    size_t next = cleaner->origin + 1, start = token_start(out, out->bytes);

    while (next < cleaner->count && (cleaner->source[next] == ' ' || cleaner->source[next] == NO_BREAK_SPACE))
        next++;
    if (next == cleaner->count || !text_is_ascii_digit(cleaner->source[next]))
        return false;
    if (!isdigit((unsigned char)out->text[start]) && start > 0 && out->bytes - start <= UNIT_MAX)
        start = token_start(out, start - 1);
    return isdigit((unsigned char)out->text[start]) != 0;
}

/* Emits the name of a symbol, or what the table has for a code point; false where there is neither. */
static bool put_known(struct cleaner *cleaner, uint32_t code_point)
{
    const char *text = find_replacement(cleaner->language, code_point);
    const char *name = cleaner->language->symbol_name(code_point);
    char letters[] = {symbol_flag_letter(code_point), '\0'};

    if (code_point == 0x2013 && cleaner->owes_space &&
        !(cleaner->language->spaced_ranges && is_in_range(cleaner)))
        text = ", ";
    if (text != NULL)
        put_text(cleaner, text);
    else if (letters[0] != '\0')
        put_symbol(cleaner, 0, letters);
    else if (name != NULL && !(is_greek(code_point) && is_in_greek_word(cleaner)))
        put_symbol(cleaner, is_greek(code_point) ? 0 : code_point, name);
    else
        return false;
    return true;
}

/* Emits one part of a decomposition; false where it has no form in ASCII. */
static bool put_part(struct cleaner *cleaner, uint32_t part)
{
    if (part < ' ' || part > '~')
        return put_known(cleaner, part) || drop(cleaner, utf8proc_category((utf8proc_int32_t)part));
    put_char(cleaner, (char)part);
    return true;
}

/* Emits what a code point becomes; false where some of it has no form in ASCII. */
static bool put_code_point(struct cleaner *cleaner, uint32_t code_point)
{
    utf8proc_int32_t parts[DECOMPOSITION_MAX];
    utf8proc_ssize_t count;
    int last_boundclass = 0;
    bool complete = true;

    if (code_point < 0x80)
        return put_part(cleaner, code_point);
    if (put_known(cleaner, code_point))
        return true;
    count = utf8proc_decompose_char((utf8proc_int32_t)code_point, parts, DECOMPOSITION_MAX,
                                    UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE, &last_boundclass);
    if (count < 0 || count > DECOMPOSITION_MAX)
        return false; /* no code point */
    for (utf8proc_ssize_t i = 0; i < count; i++)
        complete &= put_part(cleaner, (uint32_t)parts[i]);
    return complete;
}

/* Emits a raised character, set apart from what it stands behind; false where there is none to be.  A single
 * 2 or 3 has a word of its own. */
static bool put_raised(struct cleaner *cleaner)
{
    const uint32_t *source = cleaner->source;
    size_t at = cleaner->origin;
    char c = number_raised(source, cleaner->count, at);
    bool first, last;

    if (c == '\0')
        return false;
    first = at == 0 || number_raised(source, cleaner->count, at - 1) == '\0';
    last = at + 1 == cleaner->count || number_raised(source, cleaner->count, at + 1) == '\0';
    if (first && last && find_replacement(cleaner->language, source[at]) != NULL)
        return false;
    if (first)
        put_text(cleaner, number_power(cleaner->language, source, cleaner->count, at));
    else if (!isalnum((unsigned char)c))
        put_text(cleaner, c == '-' ? cleaner->language->minus : cleaner->language->plus);
    if (isalnum((unsigned char)c))
        put_char(cleaner, c);
    if (last)
        put_char(cleaner, ' ');
    cleaner->after_name = cleaner->owes_space;
    return true;
}

/* "1½" is "1 and one half". */
static bool put_fraction(struct cleaner *cleaner)
{
    const struct clean_text *out = cleaner->out;
    const char *name = text_table_find(cleaner->language->fractions, cleaner->source[cleaner->origin]);

    if (name == NULL)
        return false;
    if (out->bytes > 0 && isdigit((unsigned char)out->text[out->bytes - 1]))
        put_text(cleaner, cleaner->language->conjunction);
    put_symbol(cleaner, 0, name);
    return true;
}

/* The unit comes from the last digit: times of words go forward only. */
static void put_amount(struct cleaner *cleaner, const struct number_amount *amount)
{
    for (size_t i = 0; i < amount->length; i++) {
        cleaner->origin++;
        put_char(cleaner, (char)cleaner->source[cleaner->origin]);
    }
    put_text(cleaner, amount->unit);
}

/*
 * Emits a mark of an address by its name; returns how many code points it is, 0 where there is none.  The end
 * of a scheme is a pause at most, and a row of one mark is cut short as it is everywhere.
 */
static size_t put_address_mark(struct cleaner *cleaner)
{
    const uint32_t *source = cleaner->source;
    size_t at = cleaner->origin;
    const char *name;
    size_t same = 0;

    if (at >= cleaner->address_end && (at == 0 || address_may_follow(source[at - 1])))
        cleaner->address_end = at + address_length(source + at, cleaner->count - at);
    if (at >= cleaner->address_end)
        return 0;
    name = text_table_find(cleaner->language->address_marks, source[at]);
    if (name == NULL)
        return 0;
    if (at + 2 < cleaner->address_end && source[at] == ':' && source[at + 1] == '/' &&
        source[at + 2] == '/') {
        put_char(cleaner, ' ');
        return 3;
    }
    while (same < CLEAN_SAME_MARK_MAX && same < at && source[at - 1 - same] == source[at])
        same++;
    if (same < CLEAN_SAME_MARK_MAX)
        put_symbol(cleaner, 0, name);
    return 1;
}

/* Emits what is at the origin; returns how many code points that is. */
static size_t put_next(struct cleaner *cleaner)
{
    uint32_t code_point = cleaner->source[cleaner->origin];
    struct number_amount amount;
    size_t taken = put_address_mark(cleaner);

    if (taken > 0)
        return taken;
    if (code_point >= 0x80) {
        amount = number_amount(cleaner->language, cleaner->source, cleaner->count, cleaner->origin);
        if (amount.length > 0) {
            put_amount(cleaner, &amount);
            return 1 + amount.length;
        }
        if (put_raised(cleaner) || put_fraction(cleaner))
            return 1;
    }
    if (!put_code_point(cleaner, code_point))
        count_loss(&cleaner->out->losses, cleaner->origin);
    return 1;
}

size_t clean_code_points(const struct text_language *language, const uint32_t *code_points, size_t count,
                         struct clean_text *ret_text)
{
    struct cleaner cleaner = {.language = language, .source = code_points, .count = count, .out = ret_text};
    size_t taken = 0;

    ret_text->bytes = 0;
    ret_text->speakable = false;
    ret_text->losses = (struct clean_losses){0};
    while (taken < count && ret_text->bytes + EXPANSION_MAX <= CLEAN_BYTES_MAX) {
        size_t before = ret_text->bytes;

        cleaner.origin = (uint32_t)taken;
        taken += put_next(&cleaner);
        assert(ret_text->bytes - before <= EXPANSION_MAX);
    }
    ret_text->text[ret_text->bytes] = '\0';
    return taken;
}
