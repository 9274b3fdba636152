/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens become words by what they look like.  Words of letters are read as they are, but for those that have
 * no vowel: these are named letter by letter.  Numbers come with what is written around them: signs of money
 * and units, which are said in front, and endings, which are glued to the last word.
 */
#include "engine/oromo/tokens.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "engine/engine.h"
#include "engine/oromo/numbers.h"
#include "engine/oromo/values.h"
#include "engine/oromo/vocabulary.h"

static bool is_letter(char c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* The letter, or one of what people type for it. */
static bool is_apostrophe(char c)
{
    return c == '\'' || c == '`';
}

/* In lower case, and the apostrophe as it is typed most. */
static char plain_letter(char c)
{
    return is_apostrophe(c) ? '\'' : (char)(c | 0x20);
}

/* ---- letters ---- */

static size_t count_letters(const char *at)
{
    size_t count = 0;

    while (is_letter(at[count]) || (count > 0 && is_apostrophe(at[count]) &&
                                    (is_letter(at[count + 1]) || is_apostrophe(at[count + 1]))))
        count++;
    return count;
}

/* "baa", "ii": a consonant with aa, a vowel long. */
static void name_letters(struct buf *words, const char *at, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char letter = (char)(at[i] | 0x20);
        char name[] = {letter, letter, '\0', '\0'};

        if (!is_letter(at[i]))
            continue;
        if (strchr("aeiou", letter) == NULL)
            name[1] = name[2] = 'a';
        words_put(words, name);
    }
}

static bool has_vowel(const char *at, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strchr("aeiouAEIOU", at[i]) != NULL)
            return true;
    return false;
}

static void put_word(struct buf *words, const char *at, size_t count)
{
    words_put(words, "");
    for (size_t i = 0; i < count; i++) {
        char letter = plain_letter(at[i]);

        if (letter != '\'' || !is_apostrophe(at[i - 1]))
            buf_append(words, &letter, 1);
    }
}

static size_t count_capitals(const char *at, size_t count)
{
    size_t capitals = 0;

    while (capitals < count && at[capitals] >= 'A' && at[capitals] <= 'Z')
        capitals++;
    return capitals;
}

/* The capitals of "SQLiin" and "ABO'n", or 0: what has an ending in small letters. */
static size_t count_initials(const char *at, size_t count)
{
    size_t capitals = count_capitals(at, count);

    if (capitals < 2 || capitals == count)
        return 0;
    if (is_apostrophe(at[capitals]) && at[count] == '\0' && islower((unsigned char)at[capitals + 1]))
        return vocabulary_is_ending(at + capitals + 1) ? capitals : 0;
    return has_vowel(at, capitals) ? 0 : capitals;
}

static void put_ending(struct buf *words, const char *at, size_t count)
{
    char ending[ENGINE_TOKEN_MAX];

    for (size_t i = 0; i < count; i++)
        ending[i] = plain_letter(at[i]);
    words_end_with(words, ending, count);
}

static void put_letters(struct buf *words, const char *at, size_t count)
{
    const char *abbreviation = vocabulary_abbreviation(at, count);
    size_t initials = count_initials(at, count);

    if (abbreviation != NULL) {
        words_put(words, abbreviation); /* "fi/ykn" */
    } else if (initials > 0) {
        put_letters(words, at, initials);
        initials += is_apostrophe(at[initials]);
        put_ending(words, at + initials, count - initials);
    } else if (count == 1 || !has_vowel(at, count)) {
        name_letters(words, at, count);
    } else {
        put_word(words, at, count);
    }
}

/* ---- what is written around a number ---- */

static bool starts_with_number(const char *token)
{
    return token != NULL && is_digit(token[*token == '$']);
}

static bool ends_with_number(const char *token)
{
    size_t length = token != NULL ? strlen(token) : 0;

    if (length > 1 && token[length - 1] == '%')
        length--;
    return length > 0 && is_digit(token[length - 1]);
}

/* The unit that a number takes along from the token behind it, or NULL: a currency that has a number of its
 * own behind it stays there. */
static const char *unit_behind(const char *text, const char *next)
{
    return vocabulary_is_money(text) && starts_with_number(next) ? NULL : vocabulary_unit(text, strlen(text));
}

struct quantity {
    const struct token *token;
    struct buf value;
    const char *noun; /* said in front of the value */
};

/* The first one is said in front, and "$5 USD" has one only. */
static void take_unit(struct quantity *quantity, const char *unit)
{
    if (quantity->noun == NULL)
        quantity->noun = unit;
    else if (strcmp(quantity->noun, unit) != 0)
        words_put(&quantity->value, unit);
}

/* Of the unit that letters are, or begin with where the rest is an ending ("kmtti"); or 0. */
static size_t unit_length(const char *letters, size_t count)
{
    for (size_t length = count; length > 0; length--)
        if (vocabulary_unit(letters, length) != NULL &&
            (length == count || vocabulary_is_ending(letters + length)))
            return length;
    return 0;
}

/* Any letters are an ending but for those that are set apart, single ones ("5b"), and capitals ("3D"): of
 * these the ones that are known ("1FFAA"). */
static bool is_ending(const char *letters, size_t count, bool apart)
{
    bool small = islower((unsigned char)letters[0]) != 0;

    if (small && !apart && count > 1)
        return true;
    return vocabulary_is_ending(letters) && (small || count > 1);
}

/* The unit that is written with more than letters, "m^2", or nothing. */
static const char *take_marked_unit(struct quantity *quantity, const char *at)
{
    for (size_t length = strlen(at); length > count_letters(at); length--)
        if (vocabulary_unit(at, length) != NULL && !is_digit(at[length])) {
            take_unit(quantity, vocabulary_unit(at, length));
            return at + length;
        }
    return at;
}

/* The unit or the ending that is glued, or behind a hyphen or an apostrophe. */
static const char *take_letters(struct quantity *quantity, const char *at)
{
    const char *start = *at == '-' || is_apostrophe(*at) ? at + 1 : at;
    size_t count = count_letters(start);
    char letters[ENGINE_TOKEN_MAX + 1] = "";
    size_t unit;

    memcpy(letters, start, count);
    unit = unit_length(letters, count);
    if (unit > 0)
        take_unit(quantity, vocabulary_unit(letters, unit));
    else if (count == 0 || !is_ending(letters, count, start > at))
        return at;
    if (vocabulary_is_english_ordinal(letters))
        words_end_with(&quantity->value, "ffaa", 4);
    else
        put_ending(&quantity->value, letters + unit, count - unit);
    return start + count;
}

static const char *take_suffix(struct quantity *quantity, const char *at)
{
    const struct token *token = quantity->token;
    const char *half_day = vocabulary_half_day(at), *unit;

    if (half_day != NULL) {
        words_put(&quantity->value, half_day); /* "8:30am" */
        return at + strlen(at);
    }
    at = take_letters(quantity, take_marked_unit(quantity, at));
    if (*at != '\0' || token->next == NULL || !ends_with_number(token->text))
        return at; /* the next token is said by itself */
    unit = unit_behind(token->next, token->after);
    if (unit != NULL)
        take_unit(quantity, unit);
    else if (vocabulary_is_ending(token->next))
        put_ending(&quantity->value, token->next, strlen(token->next));
    return at;
}

/* Whether money is meant by what stands in front of a number, or behind it. */
static bool is_money(const struct token *token, const char *at, const char *previous)
{
    if (*at == '$' || vocabulary_is_money(previous) || at[strspn(at, "0123456789.,")] == '$')
        return true;
    return vocabulary_is_money(token->next) && unit_behind(token->next, token->after) != NULL;
}

/* "10-3" is a range, "10-3=7" is reckoned. */
static const char *name_hyphen(const char *at)
{
    char behind = at[1 + strspn(at + 1, "0123456789.,")];

    return behind == '=' || behind == '+' ? "hir'isuu" : "hanga";
}

/* Of a telephone number: it has a + in front, perhaps. */
static bool is_group(const struct token *token, const char *at)
{
    return token->in_telephone && at == token->text;
}

/* Puts the number at the front of text, which ends with a NUL, with all that belongs to it; returns what is
 * left. */
static const char *put_quantity(struct buf *words, const struct token *token, const char *at)
{
    struct quantity quantity = {.token = token, .value = BUF_INIT(TOKEN_WORDS_MAX)};
    const char *previous = at == token->text ? token->previous : NULL;
    bool money = is_money(token, at, previous);

    if (*at == '$')
        quantity.noun = vocabulary_unit(at++, 1);
    if (*at == '-') {
        words_put(words, "hir'isuu"); /* "$-5" */
        at++;
    }
    at += is_group(token, at) ? value_put_grouped(&quantity.value, at)
                              : value_put(&quantity.value, at, previous, money);
    if (*at == '-' && is_digit(at[1])) {
        words_put(&quantity.value, name_hyphen(at));
        at += 1 + value_put(&quantity.value, at + 1, NULL, money);
    }
    at = take_suffix(&quantity, at);
    if (quantity.noun != NULL)
        words_put(words, quantity.noun);
    words_put(words, buf_str(&quantity.value));
    if (token->in_telephone && starts_with_number(token->next))
        words_pause(words);
    buf_release(&quantity.value);
    return at;
}

/* ---- tokens ---- */

/* A number, or a sum of money: "5", "$5", "$-5".  ".5" is one where no letter, digit or stop is in front. */
static bool starts_quantity(const struct token *token, const char *at)
{
    if (*at == '.' && is_digit(at[1]))
        return at == token->text || (!isalnum((unsigned char)at[-1]) && at[-1] != '.');
    if (*at == '$')
        at += at[1] == '-' ? 2 : 1;
    return is_digit(*at) || (*at == '.' && is_digit(at[1]));
}

/* "*847#", which one dials. */
static bool is_dialled(const char *text)
{
    return *text == '*' && is_digit(text[1]) && text[strlen(text) - 1] == '#';
}

/* By what is around it, or NULL. */
static const char *name_sign(const struct token *token, const char *at)
{
    bool number_behind = is_digit(at[1]) || (at[1] == '\0' && starts_with_number(token->next));

    if (*at == '-' && at == token->text && starts_quantity(token, at + 1))
        return "hir'isuu";
    if (*at == '#' && !number_behind)
        return "haashii"; /* "#Oromoo" */
    if (*at == '*' && is_dialled(token->text))
        return "urjii";
    if (*at == '*' && number_behind &&
        (at > token->text ? is_digit(at[-1]) : ends_with_number(token->previous)))
        return "baay'isuu";
    return vocabulary_sign(*at);
}

/* A sign in front of a number, or anywhere else.  Two numbers with a mark between that is silent ("120/80")
 * are kept apart. */
static void put_sign(struct buf *words, const struct token *token, const char *at)
{
    const char *name = name_sign(token, at);

    if (name != NULL)
        words_put(words, name);
    else if (is_digit(at[1]))
        words_pause(words);
}

/* "5%-10%", "$5-$10": a range whose numbers are more than digits. */
static const char *put_hyphen(struct buf *words, const struct token *token, const char *at)
{
    if (*at != '-' || (is_digit(at[-1]) && is_digit(at[1])) || !starts_quantity(token, at + 1))
        return at;
    words_put(words, "hanga");
    return at + 1;
}

/* "OPDO-tti": the ending of what is written before it. */
static const char *put_word_ending(struct buf *words, const char *at, size_t letters)
{
    if (letters == 1 || *at != '-' || !islower((unsigned char)at[1]) || !vocabulary_is_ending(at + 1))
        return at;
    put_ending(words, at + 1, strlen(at + 1));
    return at + strlen(at);
}

static void put_parts(const struct token *token, struct buf *words)
{
    const char *at = token->text, *raised;

    while (*at != '\0' && buf_ok(words)) {
        size_t letters = count_letters(at);

        if (starts_quantity(token, at) || value_telephone_length(at) > 0 || is_group(token, at)) {
            at = put_quantity(words, token, at);
            at = put_hyphen(words, token, at);
        } else if (letters > 0) {
            put_letters(words, at, letters);
            at = put_word_ending(words, at + letters, letters);
        } else if ((raised = vocabulary_raised(at, &letters)) != NULL) {
            words_put(words, raised);
            at += letters;
        } else {
            put_sign(words, token, at);
            at++;
        }
    }
}

/* "5 - 10" is a range, "5 - 10 =" and "5 - 10 +" are reckoned. */
static bool is_reckoned(const char *after)
{
    return after != NULL && (*after == '=' || strcmp(after, "+") == 0);
}

/* Whether a number is the token before, be it with a unit or an ending: "5km", "9ffaa", "5 km". */
static bool is_behind_quantity(const struct token *token)
{
    if (starts_with_number(token->previous) || ends_with_number(token->previous))
        return true;
    return token->previous != NULL && ends_with_number(token->before) &&
           unit_behind(token->previous, token->text) != NULL;
}

/* What is read otherwise than by its parts, or NULL. */
static const char *special(const struct token *token)
{
    const char *words = vocabulary_abbreviation(token->text, strlen(token->text));
    bool behind = ends_with_number(token->previous), before = starts_with_number(token->next);

    if (words == NULL && behind)
        words = vocabulary_half_day(token->text);
    if (words == NULL && (behind || before))
        words = vocabulary_month(token->text);
    if (words == NULL && before && strcmp(token->text, "-") == 0 && is_behind_quantity(token))
        words = is_reckoned(token->after) ? "hir'isuu" : "hanga";
    return words;
}

/* What the number before it has taken along. */
static bool is_taken(const struct token *token)
{
    return ends_with_number(token->previous) &&
           (unit_behind(token->text, token->next) != NULL || vocabulary_is_ending(token->text));
}

/* A unit without a number before it, "kg": capitals are as likely to be a name, "MM". */
static bool is_lone_unit(const struct token *token, size_t length)
{
    return length > 1 && vocabulary_unit(token->text, length) != NULL && !has_vowel(token->text, length) &&
           (count_capitals(token->text, length) < length || starts_with_number(token->next));
}

void token_words(const struct token *token, struct buf *ret_words)
{
    const char *words = special(token);
    size_t length = strlen(token->text);

    buf_clear(ret_words);
    if (is_taken(token))
        return;
    if (words != NULL) {
        words_put(ret_words, words);
    } else if (is_lone_unit(token, length)) {
        words_put(ret_words, vocabulary_unit(token->text, length));
    } else {
        put_parts(token, ret_words);
    }
}

bool token_is_abbreviation(const char *text)
{
    return vocabulary_abbreviation(text, strlen(text)) != NULL || vocabulary_month(text) != NULL;
}
