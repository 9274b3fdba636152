/* SPDX-License-Identifier: Apache-2.0 */
#include "config/value_format.h"

#include <stdbool.h>

#include "base/cleanup.h"
#include "config/number.h"

static void format_text(const void *member, struct buf *out)
{
    buf_append_str(out, *(char *const *)member);
}

static void format_bool(const void *member, struct buf *out)
{
    buf_append_str(out, *(const bool *)member ? "yes" : "no");
}

static void format_number(enum number_kind kind, int64_t number, struct buf *out)
{
    char text[NUMBER_TEXT_SIZE];

    number_format(kind, number, text);
    buf_append_str(out, text);
}

static void format_count(const void *member, struct buf *out)
{
    format_number(NUMBER_COUNT, *(const int64_t *)member, out);
}

static void format_size(const void *member, struct buf *out)
{
    format_number(NUMBER_SIZE, *(const int64_t *)member, out);
}

static void format_duration(const void *member, struct buf *out)
{
    format_number(NUMBER_DURATION, *(const int64_t *)member, out);
}

static void format_durations(const void *member, struct buf *out)
{
    const struct duration_list *list = member;

    for (size_t i = 0; i < list->count; i++) {
        buf_append_str(out, i > 0 ? " " : "");
        format_duration(&list->items_ms[i], out);
    }
}

static void format_strings(const void *member, struct buf *out)
{
    const struct string_list *list = member;

    for (size_t i = 0; i < list->count; i++)
        buf_printf(out, "%s%s", i > 0 ? " " : "", list->items[i]);
}

static void format_log_level(const void *member, struct buf *out)
{
    static const char *const names[] = {[LOG_LEVEL_ERROR] = "error",
                                        [LOG_LEVEL_WARNING] = "warning",
                                        [LOG_LEVEL_INFO] = "info",
                                        [LOG_LEVEL_DEBUG] = "debug"};

    buf_append_str(out, names[*(const enum log_level *)member]);
}

static void format_log_format(const void *member, struct buf *out)
{
    static const char *const names[] = {[LOG_FORMAT_AUTO] = "auto",
                                        [LOG_FORMAT_TEXT] = "text",
                                        [LOG_FORMAT_JSON] = "json",
                                        [LOG_FORMAT_JOURNAL] = "journal"};

    buf_append_str(out, names[*(const enum log_format *)member]);
}

/* A test formats the default of every setting, so that no type is missing here. */
static const struct {
    const struct value_type *type;
    void (*format)(const void *member, struct buf *out);
} formats[] = {
    {&value_path, format_text},
    {&value_optional_path, format_text},
    {&value_base_url, format_text},
    {&value_bool, format_bool},
    {&value_count, format_count},
    {&value_size, format_size},
    {&value_duration, format_duration},
    {&value_durations, format_durations},
    {&value_ports, format_strings},
    {&value_cidrs, format_strings},
    {&value_origins, format_strings},
    {&value_log_level, format_log_level},
    {&value_log_format, format_log_format},
};

void setting_format(const struct setting *setting, struct settings *settings, struct buf *out)
{
    for (size_t i = 0; i < array_length(formats); i++)
        if (formats[i].type == setting->type)
            formats[i].format(setting_member(setting, settings), out);
}

const char *setting_unit(const struct setting *setting, struct settings *settings, int64_t *ret_number)
{
    const char *unit = setting->type == &value_size       ? "bytes"
                       : setting->type == &value_duration ? "ms"
                       : setting->type == &value_count    ? setting->unit
                                                          : NULL;

    if (unit != NULL)
        *ret_number = *(int64_t *)setting_member(setting, settings);
    return unit;
}
