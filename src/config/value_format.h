/* SPDX-License-Identifier: Apache-2.0 */
/* Settings as text, the other way round from value.h. */
#ifndef CONFIG_VALUE_FORMAT_H
#define CONFIG_VALUE_FORMAT_H

#include "base/buf.h"
#include "config/table.h"

/* Appends the value of a setting as it may stand in the file, without quotes around it. */
void setting_format(const struct setting *setting, struct settings *settings, struct buf *out);

/*
 * What a number counts: "bytes", "ms", or what the table says of a count; *ret_number is it then.  NULL for
 * what is no number.
 */
const char *setting_unit(const struct setting *setting, struct settings *settings, int64_t *ret_number);

#endif
