/* SPDX-License-Identifier: Apache-2.0 */
/* The cleaner: any numbers in, text that an engine survives out. */
#include <ctype.h>

#include "fuzz/fuzz.h"
#include "text/clean.h"
#include "text/utf8.h"

#define CODE_POINTS_MAX 1024

/* UTF-8 where it is, else the bytes as numbers, four at a time. */
static size_t to_code_points(const uint8_t *data, size_t size, uint32_t code_points[CODE_POINTS_MAX])
{
    size_t count = 0;

    while (size > 0 && count < CODE_POINTS_MAX) {
        size_t taken = utf8_decode((const char *)data, size, &code_points[count]);

        if (taken == 0) {
            code_points[count] = 0;
            taken = size < 4 ? size : 4;
            memcpy(&code_points[count], data, taken);
        }
        data += taken;
        size -= taken;
        count++;
    }
    return count;
}

static void check_clean(const struct clean_text *clean, size_t count)
{
    size_t token = 0, marks = 0;

    check(clean->bytes <= CLEAN_BYTES_MAX && strlen(clean->text) == clean->bytes);
    for (size_t i = 0; i < clean->bytes; i++) {
        char c = clean->text[i];

        check(c >= ' ' && c <= '~');
        check(c != ' ' || (i > 0 && clean->text[i - 1] != ' '));
        token = c == ' ' ? 0 : token + 1;
        marks = ispunct((unsigned char)c) ? marks + 1 : 0;
        check(token <= CLEAN_TOKEN_MAX);
        check(marks <= CLEAN_MARKS_MAX);
        check(clean->origins[i] < count);
        check(i == 0 || clean->origins[i] >= clean->origins[i - 1]);
    }
    check(clean->losses.count >= 0 && clean->losses.count <= (int64_t)count);
    if (clean->losses.count > 0)
        check(clean->losses.start >= 0 && clean->losses.start < clean->losses.end &&
              clean->losses.end <= (int64_t)count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct clean_text clean;
    uint32_t code_points[CODE_POINTS_MAX];
    size_t count = to_code_points(data, size, code_points);
    size_t taken = 0;

    while (taken < count) {
        size_t step = clean_code_points(size % 2 == 0 ? &text_english : &text_oromo, code_points + taken,
                                        count - taken, &clean);

        check(step >= 1 && step <= count - taken);
        check_clean(&clean, step);
        taken += step;
    }
    return 0;
}
