/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Symbols, emoji and Greek letters by their English names, as people read them out.  The table is
 * symbols.tsv; marks of ASCII are not in it, since engines know them.
 */
#ifndef TEXT_SYMBOLS_H
#define TEXT_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

/* A row of a table from code points to words, which is in the order of the code points. */
struct symbol {
    uint32_t code_point;
    const char *text;
};

/* The text of the table's row for a code point, or NULL. */
const char *symbol_find(const struct symbol *table, size_t count, uint32_t code_point);

/* The longest name. */
#define SYMBOL_NAME_MAX 60

/* Words in lower case with single spaces between them, or NULL. */
const char *symbol_name(uint32_t code_point);

/* The ASCII capital that a regional indicator stands for (two of them are a flag), or '\0'. */
char symbol_flag_letter(uint32_t code_point);

#endif
