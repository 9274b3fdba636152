/* SPDX-License-Identifier: Apache-2.0 */
/* A time of RFC 3339, as created_after takes it. */
#include "base/clock.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_string(data, size);
    char again[CLOCK_RFC3339_SIZE];
    int64_t wall_ms, same;

    if (clock_parse_rfc3339(text, &wall_ms)) {
        check(wall_ms >= 0);
        clock_format_rfc3339(wall_ms, again);
        check(strlen(again) == CLOCK_RFC3339_SIZE - 1);
        check(clock_parse_rfc3339(again, &same) && same == wall_ms);
    }
    free(text);
    return 0;
}
