/* SPDX-License-Identifier: Apache-2.0 */
/* What a setting's value may be: each type reads a text into a member of struct settings, and describes
 * itself. */
#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* The bounds of a value: of a number or of each entry of a list of durations; of a text, the most bytes. */
struct value_range {
    int64_t min;
    int64_t max;
};

/* Room for any range in words. */
#define VALUE_RANGE_SIZE 96

struct value_type {
    const char *form; /* how a value is written, for people: "a duration: a number and ms, s, m, h or d" */

    /*
     * Reads text into *ret_member, whose type is the one that the comment at the value_type names.  -EINVAL
     * with what is wrong and what would be right, without the setting's name.
     */
    int (*parse)(const char *text, const struct value_range *range, void *ret_member, struct error *err);

    /* "1s to 1h"; NULL where the form says all. */
    void (*describe_range)(const struct value_range *range, char ret_text[VALUE_RANGE_SIZE]);

    /* Frees what the member owns; NULL where it owns nothing. */
    void (*release)(void *member);
};

extern const struct value_type value_path;          /* char *: absolute */
extern const struct value_type value_optional_path; /* char *: absolute or "" */
extern const struct value_type value_base_url;      /* char *: without a slash at its end */
extern const struct value_type value_bool;          /* bool */
extern const struct value_type value_count;         /* int64_t; K M G are powers of 1000 */
extern const struct value_type value_size;          /* int64_t, bytes; K M G are powers of 1024 */
extern const struct value_type value_duration;      /* int64_t, milliseconds */
extern const struct value_type value_durations;     /* struct duration_list, not empty */
extern const struct value_type value_ports;         /* struct string_list: numbers, or the one word "all" */
extern const struct value_type value_cidrs;         /* struct string_list: each "address/prefix" */
extern const struct value_type value_origins;       /* struct string_list: "scheme://host[:port]", or "*" */
extern const struct value_type value_log_level;     /* enum log_level */
extern const struct value_type value_log_format;    /* enum log_format */

#endif
