/* SPDX-License-Identifier: Apache-2.0 */
#include "text/symbols.h"

#include "base/cleanup.h"

#define FLAG_LETTER_A 0x1F1E6
#define FLAG_LETTER_Z 0x1F1FF

/* Sorted: the build sees to it. */
static const struct symbol symbols[] = {
#define SYMBOL(code_point, name) {code_point, name},
#include "text/symbols.inc"
#undef SYMBOL
};

const char *symbol_find(const struct symbol *table, size_t count, uint32_t code_point)
{
    size_t low = 0;
    size_t high = count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (table[middle].code_point < code_point)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && table[low].code_point == code_point ? table[low].text : NULL;
}

const char *symbol_name(uint32_t code_point)
{
    if (code_point < symbols[0].code_point)
        return NULL; /* nearly all of most texts */
    return symbol_find(symbols, array_length(symbols), code_point);
}

char symbol_flag_letter(uint32_t code_point)
{
    if (code_point < FLAG_LETTER_A || code_point > FLAG_LETTER_Z)
        return '\0';
    return (char)('A' + (code_point - FLAG_LETTER_A));
}
