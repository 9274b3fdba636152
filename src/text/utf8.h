/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 as RFC 3629 defines it: no overlong form, no surrogate, nothing past U+10FFFF. */
#ifndef TEXT_UTF8_H
#define TEXT_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest sequence. */
#define UTF8_SEQUENCE_MAX 4

/* What stands for a byte that belongs to no sequence. */
#define UTF8_REPLACEMENT 0xFFFD

/* Reads one code point.  Returns the bytes that it takes, 0 where a broken or cut sequence (or nothing) is in
 * front. */
size_t utf8_decode(const char *bytes, size_t size, uint32_t *ret_code_point);

/* False where a sequence is broken; *ret_fault is then the offset of its first byte. */
bool utf8_is_valid(const char *bytes, size_t size, size_t *ret_fault);

/* Code points of a valid text. */
int64_t utf8_count(const char *bytes, size_t size);

/*
 * Whether a character as readers see it, such as a letter with its accents, ends between two code points
 * (Unicode Standard Annex #29).  *state is 0 at the start of a text and goes along with it.
 */
bool utf8_character_ends(uint32_t before, uint32_t after, int32_t *state);

/*
 * True where a valid text holds something that can be spoken in some language: a letter, a digit, or a symbol
 * that has a name of its own in speech, such as %, € or an emoji (text/symbols.h).  Punctuation, white space
 * and pictures without a name have none.
 */
bool text_is_speakable(const char *bytes, size_t size);

/* The same of a single code point. */
bool text_is_speakable_char(uint32_t code_point);

/* Of ASCII alone. */
static inline bool text_is_ascii_digit(uint32_t code_point)
{
    return code_point >= '0' && code_point <= '9';
}

static inline bool text_is_ascii_letter(uint32_t code_point)
{
    return (code_point | 0x20) >= 'a' && (code_point | 0x20) <= 'z';
}

#endif
