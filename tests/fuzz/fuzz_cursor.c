/* SPDX-License-Identifier: Apache-2.0 */
/* A cursor has one spelling only. */
#include "codec/query.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_string(data, size);
    char again[CURSOR_SIZE];
    int64_t number;

    if (cursor_parse(text, &number)) {
        check(number > 0);
        cursor_format(number, again);
        check(strcmp(text, again) == 0);
    }
    free(text);
    return 0;
}
