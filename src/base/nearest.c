/* SPDX-License-Identifier: Apache-2.0 */
#include "base/nearest.h"

#include <ctype.h>
#include <string.h>

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static int folded(char c)
{
    return tolower((unsigned char)c);
}

/* The optimal string alignment distance; it needs three rows of the table at a time. */
static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t rows[3][NEAREST_NAME_MAX + 1];
    size_t *before = rows[0], *last = rows[1], *row = rows[2];

    for (size_t j = 0; j <= b_length; j++)
        last[j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t *oldest = before;

        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t change = folded(a[i - 1]) != folded(b[j - 1]);

            row[j] = least(last[j - 1] + change, least(last[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && folded(a[i - 1]) == folded(b[j - 2]) &&
                folded(a[i - 2]) == folded(b[j - 1]))
                row[j] = least(row[j], before[j - 2] + 1);
        }
        before = last;
        last = row;
        row = oldest;
    }
    return last[b_length];
}

const char *nearest_name(const char *name, const char *const *names, size_t count)
{
    size_t length = strnlen(name, NEAREST_NAME_MAX + 1);
    size_t best_edits = NEAREST_NAME_MAX;
    const char *best = NULL;

    if (length > NEAREST_NAME_MAX)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t other = strnlen(names[i], NEAREST_NAME_MAX + 1);
        size_t edits;

        if (other > NEAREST_NAME_MAX)
            continue;
        edits = distance(name, length, names[i], other);
        if (edits < best_edits && 3 * edits <= other) {
            best_edits = edits;
            best = names[i];
        }
    }
    return best;
}
