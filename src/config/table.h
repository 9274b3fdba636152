/* SPDX-License-Identifier: Apache-2.0 */
/* The table of every setting: to add one, add its row to table.c and its member to struct settings. */
#ifndef CONFIG_TABLE_H
#define CONFIG_TABLE_H

#include <stddef.h>

#include "config/settings.h"
#include "config/value.h"

struct setting {
    const char *name;
    const struct value_type *type;
    size_t offset; /* of its member in struct settings; the member's type is what the value_type says */
    const char *fallback; /* the default, as it would stand in the file */
    struct value_range range;
    const char *unit;   /* of a count: what is counted; else NULL */
    const char *reason; /* what it does, and why default and range are as they are */
};

extern const struct setting settings_table[];
extern const size_t settings_table_count;

static inline void *setting_member(const struct setting *setting, struct settings *settings)
{
    return (char *)settings + setting->offset;
}

#endif
