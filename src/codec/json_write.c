/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

void json_item(struct buf *out)
{
    char last = out->length > 0 ? out->data[out->length - 1] : '[';

    if (last != '{' && last != '[')
        buf_append(out, ",", 1);
}

void json_name(struct buf *out, const char *name)
{
    json_item(out);
    buf_append(out, "\"", 1);
    buf_append_str(out, name);
    buf_append(out, "\":", 2);
}

static void append_escape(struct buf *out, unsigned char c)
{
    static const char short_forms[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    char escape[] = "\\u0000";

    for (size_t i = 0; i < sizeof short_forms - 1; i += 2)
        if (short_forms[i] == (char)c) {
            escape[1] = short_forms[i + 1];
            buf_append(out, escape, 2);
            return;
        }
    snprintf(escape, sizeof escape, "\\u%04x", c);
    buf_append(out, escape, sizeof escape - 1);
}

void json_string(struct buf *out, const char *text)
{
    const char *plain = text;

    if (text == NULL) {
        buf_append(out, "null", 4);
        return;
    }
    buf_append(out, "\"", 1);
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;

        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        buf_append(out, plain, (size_t)(text - plain));
        append_escape(out, c);
        plain = text + 1;
    }
    buf_append(out, plain, (size_t)(text - plain));
    buf_append(out, "\"", 1);
}

void json_int(struct buf *out, int64_t value)
{
    buf_append_int(out, value);
}

void json_bool(struct buf *out, bool value)
{
    buf_append_str(out, value ? "true" : "false");
}

void json_double(struct buf *out, double value)
{
    char text[40];

    if (value > -1e15 && value < 1e15 && value == (double)(int64_t)value) {
        json_int(out, (int64_t)value);
        buf_append(out, ".0", 2);
        return;
    }
    snprintf(text, sizeof text, "%.15g", value);
    if (strtod(text, NULL) != value)
        snprintf(text, sizeof text, "%.17g", value);
    buf_append_str(out, text);
}

void json_time(struct buf *out, int64_t wall_ms)
{
    char text[CLOCK_RFC3339_SIZE];

    if (wall_ms <= 0) {
        buf_append(out, "null", 4);
        return;
    }
    clock_format_rfc3339(wall_ms, text);
    buf_append(out, "\"", 1);
    buf_append_str(out, text);
    buf_append(out, "\"", 1);
}

void json_member_string(struct buf *out, const char *name, const char *text)
{
    json_name(out, name);
    json_string(out, text);
}

void json_member_int(struct buf *out, const char *name, int64_t value)
{
    json_name(out, name);
    json_int(out, value);
}

void json_member_int_if(struct buf *out, const char *name, bool is_there, int64_t value)
{
    if (is_there)
        json_member_int(out, name, value);
    else
        json_member_raw(out, name, NULL);
}

void json_member_bool(struct buf *out, const char *name, bool value)
{
    json_name(out, name);
    json_bool(out, value);
}

void json_member_double(struct buf *out, const char *name, double value)
{
    json_name(out, name);
    json_double(out, value);
}

void json_member_time(struct buf *out, const char *name, int64_t wall_ms)
{
    json_name(out, name);
    json_time(out, wall_ms);
}

void json_member_error(struct buf *out, const char *name, const char *code, const char *message)
{
    if (code == NULL) {
        json_member_raw(out, name, NULL);
        return;
    }
    json_name(out, name);
    buf_append_str(out, "{");
    json_member_string(out, "code", code);
    json_member_string(out, "message", message);
    buf_append_str(out, "}");
}

void json_member_raw(struct buf *out, const char *name, const char *json)
{
    json_name(out, name);
    buf_append_str(out, json != NULL ? json : "null");
}
