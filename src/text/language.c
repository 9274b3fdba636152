/* SPDX-License-Identifier: Apache-2.0 */
#include "text/language.h"

#include <string.h>

#include "base/cleanup.h"

static const struct text_language *const languages[] = {&text_english, &text_oromo};

const struct text_language *text_language_find(const char *name)
{
    for (size_t i = 0; i < array_length(languages); i++)
        if (strcmp(languages[i]->name, name) == 0)
            return languages[i];
    return &text_english;
}

bool text_list_has(const char *const *list, const char *word)
{
    for (; *list != NULL; list++)
        if (strcmp(*list, word) == 0)
            return true;
    return false;
}

const char *text_table_find(const struct symbol *table, uint32_t code_point)
{
    for (; table->text != NULL; table++)
        if (table->code_point == code_point)
            return table->text;
    return NULL;
}
