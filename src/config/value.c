/* SPDX-License-Identifier: Apache-2.0 */
/* The types of single values.  Those of lists are in value_list.c. */
#include "config/value.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "config/number.h"

/* ---- text ---- */

static void describe_length(const struct value_range *range, char ret_text[VALUE_RANGE_SIZE])
{
    snprintf(ret_text, VALUE_RANGE_SIZE, "at most %" PRId64 " bytes", range->max);
}

static void release_text(void *member)
{
    char **text = member;

    free(*text);
    *text = NULL;
}

/* No path or URL holds control characters, and a log or a terminal would obey them. */
static int check_text(const char *text, const struct value_range *range, struct error *err)
{
    for (const char *c = text; *c != '\0'; c++)
        if (iscntrl((unsigned char)*c))
            return error_set(err, -EINVAL, "holds a control character");
    if (strlen(text) > (size_t)range->max)
        return error_set(err, -EINVAL, "is longer than %" PRId64 " bytes", range->max);
    return 0;
}

static int copy_text(const char *text, size_t length, char **ret_member, struct error *err)
{
    char *copy = strndup(text, length);

    if (copy == NULL)
        return error_system(err, ENOMEM, "cannot keep the value");
    *ret_member = copy;
    return 0;
}

static int parse_path(const char *text, const struct value_range *range, void *ret_member, struct error *err)
{
    int r = check_text(text, range, err);

    if (r < 0)
        return r;
    if (text[0] != '/')
        return error_set(err, -EINVAL, "must be an absolute path, with / at its start");
    return copy_text(text, strlen(text), ret_member, err);
}

static int parse_optional_path(const char *text, const struct value_range *range, void *ret_member,
                               struct error *err)
{
    return text[0] == '\0' ? copy_text("", 0, ret_member, err) : parse_path(text, range, ret_member, err);
}

/* The scheme of "http://" or "https://" in any case; the length of it all, 0 where text starts with neither.
 */
static size_t http_scheme_length(const char *text)
{
    static const char *const schemes[] = {"http://", "https://"};

    for (size_t i = 0; i < array_length(schemes); i++)
        if (strncasecmp(text, schemes[i], strlen(schemes[i])) == 0)
            return strlen(schemes[i]);
    return 0;
}

static int parse_base_url(const char *text, const struct value_range *range, void *ret_member,
                          struct error *err)
{
    size_t scheme = http_scheme_length(text);
    size_t length = strlen(text);
    int r = check_text(text, range, err);

    if (r < 0)
        return r;
    while (length > scheme && text[length - 1] == '/')
        length--;
    if (scheme == 0 || length == scheme || text[scheme] == '/' || strpbrk(text, " ?#@\\\"<>") != NULL)
        return error_set(err, -EINVAL,
                         "must be an http or https URL with a host and without user, query and fragment");
    return copy_text(text, length, ret_member, err);
}

const struct value_type value_path = {"an absolute path", parse_path, describe_length, release_text};
const struct value_type value_optional_path = {"an absolute path, or nothing", parse_optional_path,
                                               describe_length, release_text};
const struct value_type value_base_url = {"an http or https URL", parse_base_url, describe_length,
                                          release_text};

/* ---- numbers ---- */

static void describe_count(const struct value_range *range, char ret_text[VALUE_RANGE_SIZE])
{
    number_describe_range(NUMBER_COUNT, range->min, range->max, ret_text, VALUE_RANGE_SIZE);
}

static void describe_size(const struct value_range *range, char ret_text[VALUE_RANGE_SIZE])
{
    number_describe_range(NUMBER_SIZE, range->min, range->max, ret_text, VALUE_RANGE_SIZE);
}

static void describe_duration(const struct value_range *range, char ret_text[VALUE_RANGE_SIZE])
{
    number_describe_range(NUMBER_DURATION, range->min, range->max, ret_text, VALUE_RANGE_SIZE);
}

static int parse_count(const char *text, const struct value_range *range, void *ret_member, struct error *err)
{
    return number_parse(NUMBER_COUNT, text, range->min, range->max, ret_member, err);
}

static int parse_size(const char *text, const struct value_range *range, void *ret_member, struct error *err)
{
    return number_parse(NUMBER_SIZE, text, range->min, range->max, ret_member, err);
}

static int parse_duration(const char *text, const struct value_range *range, void *ret_member,
                          struct error *err)
{
    return number_parse(NUMBER_DURATION, text, range->min, range->max, ret_member, err);
}

const struct value_type value_count = {"a number; K, M, G are thousands, millions, billions", parse_count,
                                       describe_count, NULL};
const struct value_type value_size = {"bytes; K, M, G are powers of 1024", parse_size, describe_size, NULL};
const struct value_type value_duration = {"a duration: a number and ms, s, m, h or d", parse_duration,
                                          describe_duration, NULL};

/* ---- words ---- */

static int parse_bool(const char *text, const struct value_range *range, void *ret_member, struct error *err)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = {{"yes", true}, {"no", false},  {"true", true}, {"false", false},
                 {"on", true},  {"off", false}, {"1", true},    {"0", false}};
    bool *member = ret_member;

    (void)range;
    for (size_t i = 0; i < array_length(words); i++)
        if (strcasecmp(text, words[i].word) == 0) {
            *member = words[i].value;
            return 0;
        }
    return error_set(err, -EINVAL, "must be yes or no");
}

static int parse_log_level(const char *text, const struct value_range *range, void *ret_member,
                           struct error *err)
{
    (void)range;
    return log_parse_level(text, ret_member)
               ? 0
               : error_set(err, -EINVAL, "must be error, warning, info or debug");
}

static int parse_log_format(const char *text, const struct value_range *range, void *ret_member,
                            struct error *err)
{
    (void)range;
    return log_parse_format(text, ret_member)
               ? 0
               : error_set(err, -EINVAL, "must be auto, text, json or journal");
}

const struct value_type value_bool = {"yes or no", parse_bool, NULL, NULL};
const struct value_type value_log_level = {"error, warning, info or debug", parse_log_level, NULL, NULL};
const struct value_type value_log_format = {"auto, text, json or journal", parse_log_format, NULL, NULL};
