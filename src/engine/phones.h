/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine would say, as text: for tests, and for those who know a language and mend its rules. */
#ifndef ENGINE_PHONES_H
#define ENGINE_PHONES_H

#include <stdio.h>

#include "base/error.h"

/*
 * Reads a text (UTF-8) from in and prints a line for each of its tokens: the token without the punctuation
 * around it, a tab, and what is said for it: phones with spaces between them, behind a vowel the stress of
 * its syllable (1 or 0), " . " between syllables and " | " between words.  The phones are those of the
 * language. A token that is silent has none.  -EINVAL for a language that the engine does not speak; -EIO.
 */
int phones_print(const char *language, FILE *in, FILE *out, struct error *err);

#endif
