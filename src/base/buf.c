/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 256

void buf_release(struct buf *buf)
{
    free(buf->data);
    *buf = BUF_INIT(buf->maximum);
}

void buf_clear(struct buf *buf)
{
    buf->length = 0;
    buf->failed = false;
    if (buf->data != NULL)
        buf->data[0] = '\0';
}

void buf_drop(struct buf *buf, size_t size)
{
    if (buf->length == 0)
        return;
    buf->length -= size < buf->length ? size : buf->length;
    buf->data[buf->length] = '\0';
}

char *buf_reserve(struct buf *buf, size_t size)
{
    size_t needed;
    size_t capacity = buf->capacity > 0 ? buf->capacity : FIRST_CAPACITY;
    char *data;

    if (buf->failed || size > buf->maximum || buf->length > buf->maximum - size) {
        buf->failed = true;
        return NULL;
    }
    needed = buf->length + size + 1;
    if (needed <= buf->capacity)
        return buf->data + buf->length;
    while (capacity < needed)
        capacity *= 2;
    data = realloc(buf->data, capacity);
    if (data == NULL) {
        buf->failed = true;
        return NULL;
    }
    buf->data = data;
    buf->capacity = capacity;
    return data + buf->length;
}

void buf_commit(struct buf *buf, size_t size)
{
    assert(buf->length + size < buf->capacity);
    buf->length += size;
    buf->data[buf->length] = '\0';
}

void buf_append(struct buf *buf, const void *bytes, size_t size)
{
    char *room = buf_reserve(buf, size);

    if (room == NULL)
        return;
    if (size > 0)
        memcpy(room, bytes, size);
    buf_commit(buf, size);
}

void buf_append_str(struct buf *buf, const char *text)
{
    buf_append(buf, text, strlen(text));
}

void buf_append_int(struct buf *buf, int64_t value)
{
    char digits[24]; /* INT64_MIN has 20 */
    char *at = digits + sizeof digits;
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;

    do {
        *--at = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (value < 0)
        *--at = '-';
    buf_append(buf, at, (size_t)(digits + sizeof digits - at));
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    size_t size = buf->capacity - buf->length;
    char *room = buf->data != NULL ? buf->data + buf->length : NULL;
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(room, size, format, args);
    va_end(args);
    if (length < 0 || buf_reserve(buf, (size_t)length) == NULL) {
        buf->failed = true;
        if (room != NULL)
            *room = '\0';
        return;
    }
    if ((size_t)length >= size) { /* it did not fit in what was there */
        va_start(args, format);
        vsnprintf(buf->data + buf->length, (size_t)length + 1, format, args);
        va_end(args);
    }
    buf_commit(buf, (size_t)length);
}

void buf_consume(struct buf *buf, size_t size)
{
    assert(size <= buf->length);
    if (size == 0)
        return;
    memmove(buf->data, buf->data + size, buf->length - size + 1);
    buf->length -= size;
}

bool buf_ok(const struct buf *buf)
{
    return !buf->failed;
}

const char *buf_str(const struct buf *buf)
{
    return buf->data != NULL ? buf->data : "";
}

char *buf_steal(struct buf *buf)
{
    char *text;

    if (buf->failed)
        return NULL;
    text = buf->data != NULL ? buf->data : calloc(1, 1);
    *buf = BUF_INIT(buf->maximum);
    return text;
}
