/* SPDX-License-Identifier: Apache-2.0 */
#include "config/value_format.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/cleanup.h"

static void format_default(size_t index, const char *text, struct buf *out)
{
    const struct setting *setting = &settings_table[index];
    struct settings settings = {0};
    struct error error = {""};

    cr_assert_eq(setting->type->parse(text, &setting->range, setting_member(setting, &settings), &error), 0,
                 "%s = %s: %s", setting->name, text, error.text);
    setting_format(setting, &settings, out);
    settings_release(&settings);
}

Test(value_format, every_default_reads_back_as_it_is_shown)
{
    for (size_t i = 0; i < settings_table_count; i++) {
        cleanup(buf_release) struct buf first = BUF_INIT(4096), second = BUF_INIT(4096);
        const char *fallback = settings_table[i].fallback;

        format_default(i, fallback, &first);
        cr_expect_eq(first.length > 0, fallback[0] != '\0', "%s is shown as nothing", settings_table[i].name);
        format_default(i, buf_str(&first), &second);
        cr_expect_str_eq(buf_str(&first), buf_str(&second));
    }
}

Test(value_format, numbers_have_the_unit_in_which_they_are_counted)
{
    struct settings settings;
    int64_t number;
    size_t seen = 0;

    cr_assert_eq(settings_load(NULL, &settings, NULL), 0);
    for (size_t i = 0; i < settings_table_count; i++) {
        const struct setting *setting = &settings_table[i];
        const char *unit = setting_unit(setting, &settings, &number);

        if (strcmp(setting->name, "max_body_bytes") == 0) {
            cr_expect_str_eq(unit, "bytes");
            cr_expect_eq(number, 16 << 20);
            seen++;
        } else if (strcmp(setting->name, "poll_interval") == 0) {
            cr_expect_str_eq(unit, "ms");
            cr_expect_eq(number, 20);
            seen++;
        } else if (setting->type == &value_path) {
            cr_expect_null(unit);
        }
    }
    cr_expect_eq(seen, 2);
    settings_release(&settings);
}
