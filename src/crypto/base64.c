/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/base64.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void encode(const unsigned char *from, size_t size, const char *alphabet, bool pad, char *to)
{
    while (size > 0) {
        size_t taken = size < 3 ? size : 3;
        uint32_t group = (uint32_t)from[0] << 16;

        if (taken > 1)
            group |= (uint32_t)from[1] << 8;
        if (taken > 2)
            group |= from[2];
        for (size_t i = 0; i < 4; i++) {
            if (i <= taken)
                *to++ = alphabet[group >> (18 - 6 * i) & 63];
            else if (pad)
                *to++ = '=';
        }
        from += taken;
        size -= taken;
    }
    *to = '\0';
}

void base64_encode(const void *bytes, size_t size, char *ret_text)
{
    encode(bytes, size, standard, true, ret_text);
}

void base64url_encode(const void *bytes, size_t size, char *ret_text)
{
    encode(bytes, size, url_safe, false, ret_text);
}

/* -1 where c is not of the alphabet. */
static int digit_value(char c)
{
    const char *found = c != '\0' ? strchr(standard, c) : NULL;

    return found != NULL ? (int)(found - standard) : -1;
}

/* Reads a group of which the first count characters are digits, into count - 1 bytes. */
static bool decode_group(const char *text, size_t count, unsigned char *to)
{
    uint32_t group = 0;

    for (size_t i = 0; i < count; i++) {
        int value = digit_value(text[i]);

        if (value < 0)
            return false;
        group |= (uint32_t)value << (18 - 6 * i);
    }
    for (size_t i = 0; i + 1 < count; i++)
        to[i] = (unsigned char)(group >> (16 - 8 * i));
    return count == 4 || (group & (0xffffffu >> (8 * (count - 1)))) == 0;
}

int base64_decode(const char *text, size_t length, void *ret_bytes, size_t *ret_size)
{
    unsigned char *to = ret_bytes;
    size_t padding = 0;
    size_t size;

    if (length % 4 != 0)
        return -EINVAL;
    while (padding < 2 && padding < length && text[length - 1 - padding] == '=')
        padding++;
    size = length / 4 * 3 - padding;
    for (size_t at = 0; at < length; at += 4) {
        if (!decode_group(text + at, at + 4 == length ? 4 - padding : 4, to))
            return -EINVAL;
        to += 3;
    }
    *ret_size = size;
    return 0;
}
