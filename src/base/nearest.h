/* SPDX-License-Identifier: Apache-2.0 */
/* "Did you mean …?": the known name that is closest to one that is not known. */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include <stddef.h>

/* Longer names are not compared: the work grows with the square of the length, and a stranger wrote the name.
 */
#define NEAREST_NAME_MAX 64

/*
 * The one of count names with the fewest edits (a letter put in, left out, changed, or swapped with the next;
 * case counts for nothing) to name, the first of equals.  NULL where even that one needs more than a third of
 * its letters: such a guess would mislead.
 */
const char *nearest_name(const char *name, const char *const *names, size_t count);

#endif
