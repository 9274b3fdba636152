/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the fuzzers share.  Each is a program of libFuzzer around one parser: it hands the parser whatever
 * bytes come, under AddressSanitizer and UndefinedBehaviorSanitizer, and holds what comes out to what the
 * parser's header says.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As assert(), whatever NDEBUG says. */
#define check(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: this does not hold: %s\n", __FILE__, __LINE__, #condition);              \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

/* The bytes up to the first NUL as a string of their very size, so that a read past its end is seen; free()
 * it. */
static inline char *fuzz_string(const uint8_t *data, size_t size)
{
    char *text;

    size = strnlen((const char *)data, size);
    text = malloc(size + 1);
    check(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

#endif
