/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/show.h"

#include <stdbool.h>
#include <string.h>

#include "base/clock.h"
#include "text/utf8.h"

/* Controls, the two separators that end a line in some readers, and what turns the direction of writing. */
static bool is_obeyed(uint32_t code_point)
{
    return code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0) ||
           (code_point >= 0x2028 && code_point <= 0x202e) || (code_point >= 0x2066 && code_point <= 0x2069);
}

void show_visible(struct buf *out, const char *bytes, size_t size)
{
    while (size > 0) {
        uint32_t code_point = 0;
        size_t taken = utf8_decode(bytes, size, &code_point);

        if (taken == 0 || (taken == 1 && is_obeyed(code_point))) {
            buf_printf(out, "\\x%02x", (unsigned char)*bytes);
            taken = 1;
        } else if (is_obeyed(code_point)) {
            buf_printf(out, "\\u%04x", (unsigned int)code_point);
        } else {
            buf_append(out, bytes, taken);
        }
        bytes += taken;
        size -= taken;
    }
}

void show_string(struct buf *out, const char *text)
{
    if (text == NULL)
        text = "none";
    show_visible(out, text, strlen(text));
}

void show_time(struct buf *out, int64_t wall_ms)
{
    char text[CLOCK_RFC3339_SIZE] = "-";

    if (wall_ms != 0)
        clock_format_rfc3339(wall_ms, text);
    buf_append_str(out, text);
}

void show_label(struct buf *out, const char *name)
{
    buf_printf(out, "%s%-16s", out->length > 0 ? "\n" : "", name);
}

void show_line(struct buf *out, const char *name, const char *value)
{
    show_label(out, name);
    show_string(out, value);
}

void show_line_time(struct buf *out, const char *name, int64_t wall_ms)
{
    show_label(out, name);
    show_time(out, wall_ms);
}

void show_us(struct buf *out, int64_t us)
{
    if (us < 0)
        buf_append_str(out, "-");
    else
        buf_printf(out, "%.2f ms", (double)us / 1000);
}
