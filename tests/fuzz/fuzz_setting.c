/* SPDX-License-Identifier: Apache-2.0 */
/* The value of a setting: the first byte picks the row of the table. */
#include "config/number.h"
#include "config/table.h"
#include "fuzz/fuzz.h"

static void check_number(enum number_kind kind, const char *text)
{
    char again[NUMBER_TEXT_SIZE];
    int64_t number, same;

    if (number_parse(kind, text, 0, INT64_MAX, &number, NULL) != 0)
        return;
    check(number >= 0);
    number_format(kind, number, again);
    check(number_parse(kind, again, 0, INT64_MAX, &same, NULL) == 0 && same == number);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct setting *setting = &settings_table[size > 0 ? data[0] % settings_table_count : 0];
    struct settings settings = {0};
    struct error err = {""};
    char *text = fuzz_string(data + (size > 0), size - (size > 0));
    int r = setting->type->parse(text, &setting->range, setting_member(setting, &settings), &err);

    check(r == 0 || *err.text != '\0');
    if (r == 0 && setting->type->release != NULL)
        setting->type->release(setting_member(setting, &settings));
    check_number(NUMBER_COUNT, text);
    check_number(NUMBER_SIZE, text);
    check_number(NUMBER_DURATION, text);
    free(text);
    return 0;
}
