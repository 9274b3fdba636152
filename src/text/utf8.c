/* SPDX-License-Identifier: Apache-2.0 */
#include "text/utf8.h"

#include <utf8proc.h>

#include "base/cleanup.h"
#include "text/symbols.h"

size_t utf8_decode(const char *bytes, size_t size, uint32_t *ret_code_point)
{
    utf8proc_int32_t code_point;
    utf8proc_ssize_t used;

    if (size == 0)
        return 0;
    if (size > UTF8_SEQUENCE_MAX)
        size = UTF8_SEQUENCE_MAX;
    used = utf8proc_iterate((const utf8proc_uint8_t *)bytes, (utf8proc_ssize_t)size, &code_point);
    if (used <= 0)
        return 0;
    *ret_code_point = (uint32_t)code_point;
    return (size_t)used;
}

bool utf8_is_valid(const char *bytes, size_t size, size_t *ret_fault)
{
    size_t at = 0;

    while (at < size) {
        uint32_t code_point;
        size_t used = (unsigned char)bytes[at] < 0x80 ? 1 : utf8_decode(bytes + at, size - at, &code_point);

        if (used == 0) {
            *ret_fault = at;
            return false;
        }
        at += used;
    }
    return true;
}

int64_t utf8_count(const char *bytes, size_t size)
{
    int64_t count = 0;

    for (size_t i = 0; i < size; i++)
        count += ((unsigned char)bytes[i] & 0xC0) != 0x80;
    return count;
}

bool utf8_character_ends(uint32_t before, uint32_t after, int32_t *state)
{
    return utf8proc_grapheme_break_stateful((utf8proc_int32_t)before, (utf8proc_int32_t)after, state);
}

/*
 * Symbols that people read out by name, of ASCII and of its wide forms.  Those that decorate more often than
 * they speak (* / \ ^ _ | ~) are not among them: a line of asterisks is a ruler, not a text.
 */
static bool is_named_mark(uint32_t code_point)
{
    static const uint32_t marks[] = {
        '#',    '$',    '%',    '&',    '+',    '=',    '@',    0xFF03, 0xFF04,
        0xFF05, 0xFF06, 0xFF0B, 0xFF1D, 0xFF20, 0xFFE0, 0xFFE1, 0xFFE5, 0xFFE6,
    };

    for (size_t i = 0; i < array_length(marks); i++)
        if (marks[i] == code_point)
            return true;
    return false;
}

bool text_is_speakable_char(uint32_t code_point)
{
    switch (utf8proc_category((utf8proc_int32_t)code_point)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
        return true;
    default:
        return is_named_mark(code_point) || symbol_name(code_point) != NULL ||
               symbol_flag_letter(code_point) != '\0';
    }
}

bool text_is_speakable(const char *bytes, size_t size)
{
    size_t at = 0;

    while (at < size) {
        uint32_t code_point;
        size_t used = utf8_decode(bytes + at, size - at, &code_point);

        if (used > 0 && text_is_speakable_char(code_point))
            return true;
        at += used > 0 ? used : 1;
    }
    return false;
}
