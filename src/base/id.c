/* SPDX-License-Identifier: Apache-2.0 */
#include "base/id.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

static const char alphabet[] = "0123456789abcdefghijklmnopqrstuvwxyz";

#define BASE 36u

/* The largest multiple of 36 in a byte: values from here on would make the first letters likelier, and are
 * drawn again. */
#define FAIR_LIMIT (256u - 256u % BASE)

static void fill_random(unsigned char *bytes, size_t size)
{
    size_t done = 0;

    while (done < size) {
        ssize_t got = getrandom(bytes + done, size - done, 0);

        if (got < 0 && errno == EINTR)
            continue;
        /* Without randomness an id can be guessed; a kernel that has none to give is no place to run. */
        if (got < 0)
            abort();
        done += (size_t)got;
    }
}

void id_random(char *ret_text, size_t count)
{
    unsigned char bytes[64];
    size_t done = 0;

    while (done < count) {
        fill_random(bytes, sizeof bytes);
        for (size_t i = 0; i < sizeof bytes && done < count; i++)
            if (bytes[i] < FAIR_LIMIT)
                ret_text[done++] = alphabet[bytes[i] % BASE];
    }
    ret_text[count] = '\0';
}

void id_format_number(uint64_t number, char *ret_text, size_t width)
{
    assert(width <= ID_NUMBER_CHARS);
    ret_text[width] = '\0';
    while (width > 0) {
        ret_text[--width] = alphabet[number % BASE];
        number /= BASE;
    }
    assert(number == 0);
}

bool id_parse_number(const char *text, size_t width, uint64_t *ret_number)
{
    uint64_t number = 0;

    for (size_t i = 0; i < width; i++) {
        char c = text[i];
        unsigned int digit;

        if (c >= '0' && c <= '9')
            digit = (unsigned int)(c - '0');
        else if (c >= 'a' && c <= 'z')
            digit = (unsigned int)(c - 'a') + 10;
        else
            return false;
        if (__builtin_mul_overflow(number, BASE, &number) || __builtin_add_overflow(number, digit, &number))
            return false;
    }
    *ret_number = number;
    return true;
}
