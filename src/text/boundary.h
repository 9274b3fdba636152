/* SPDX-License-Identifier: Apache-2.0 */
/* Where a segment of a text ends: at the end of a sentence or paragraph, and where it must for its length. */
#ifndef TEXT_BOUNDARY_H
#define TEXT_BOUNDARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text/language.h"

/*
 * The most code points of a segment.  Longer than nearly all sentences; short enough that a segment costs an
 * engine tens of megabytes at most, and that a text of some pages keeps every core busy.
 */
#define BOUNDARY_CHARS_MAX 300

/* How far behind a segment its end may depend on the text: white space, the opening marks of the next word
 * and the word, as far as it is in sight. */
#define BOUNDARY_LOOKAHEAD 40

#define BOUNDARY_WINDOW (BOUNDARY_CHARS_MAX + BOUNDARY_LOOKAHEAD)

/* White space of any kind, and control characters, which are read as such. */
bool boundary_is_white(uint32_t code_point);

/* Counts line breaks in a run of white space.  Zero at its start; two or more are a blank line. */
struct line_breaks {
    int count;
    uint32_t last;
};
void line_breaks_add(struct line_breaks *breaks, uint32_t code_point);

/*
 * The code points of the segment that starts at code_points[0], which is not white: 1 to BOUNDARY_CHARS_MAX,
 * without the white space behind it.  count is BOUNDARY_WINDOW, or less where the text ends with them.
 */
size_t boundary_find(const struct text_language *language, const uint32_t *code_points, size_t count);

#endif
