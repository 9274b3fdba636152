/* SPDX-License-Identifier: Apache-2.0 */
/* What the table is used for; the file itself is read in settings_file.c. */
#include "config/settings.h"

#include <stdio.h>
#include <string.h>

#include "config/table.h"

/* Width of the prose in the printed file. */
#define DESCRIBE_WIDTH 96

void settings_release(struct settings *settings)
{
    for (size_t i = 0; i < settings_table_count; i++)
        if (settings_table[i].type->release != NULL)
            settings_table[i].type->release(setting_member(&settings_table[i], settings));
    *settings = (struct settings){0};
}

static void print_wrapped(const char *text)
{
    while (*text != '\0') {
        size_t length = strlen(text);

        if (length > DESCRIBE_WIDTH) {
            length = DESCRIBE_WIDTH;
            while (length > 0 && text[length] != ' ')
                length--;
        }
        printf("# %.*s\n", (int)length, text);
        text += length;
        text += strspn(text, " ");
    }
}

void settings_describe(void)
{
    char range[VALUE_RANGE_SIZE];

    puts(
        "# The settings of Sayhook, each with its default.  A line is NAME = VALUE; quotes around a value may be\n"
        "# left out; a list is separated by spaces, and an empty value is an empty list.");
    for (size_t i = 0; i < settings_table_count; i++) {
        const struct setting *setting = &settings_table[i];

        puts("");
        print_wrapped(setting->reason);
        printf("# (%s", setting->type->form);
        if (setting->unit != NULL)
            printf("; %s", setting->unit);
        if (setting->type->describe_range != NULL) {
            setting->type->describe_range(&setting->range, range);
            printf("; %s", range);
        }
        printf(")\n#%s = %s%s%s\n", setting->name, strchr(setting->fallback, ' ') ? "\"" : "",
               setting->fallback[0] != '\0' ? setting->fallback : "\"\"",
               strchr(setting->fallback, ' ') ? "\"" : "");
    }
}
