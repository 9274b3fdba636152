/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char ellipsis[] = "…";

/* The length of the longest start of text that takes at most limit bytes and ends between two characters. */
static size_t whole_characters(const char *text, size_t limit)
{
    size_t length = strnlen(text, limit + 1);

    if (length <= limit)
        return length;
    length = limit;
    while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80)
        length--;
    return length;
}

void fault_quote(const char *text, char *ret_text, size_t size)
{
    size_t length = strnlen(text, size);

    if (length < size) {
        memcpy(ret_text, text, length + 1);
    } else {
        length = whole_characters(text, size - sizeof ellipsis);
        memcpy(ret_text, text, length);
        memcpy(ret_text + length, ellipsis, sizeof ellipsis);
    }
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)ret_text[i] < 0x20 || ret_text[i] == 0x7F)
            ret_text[i] = ' ';
}

void fault_pointer_append(char pointer[FAULT_POINTER_SIZE], const char *name)
{
    char escaped[FAULT_POINTER_SIZE + 2];
    size_t start = strlen(pointer);
    size_t length = 0;

    escaped[length++] = '/';
    for (; *name != '\0' && length < FAULT_POINTER_SIZE; name++) {
        if (*name == '~' || *name == '/')
            escaped[length++] = '~';
        escaped[length++] = *name == '~' ? '0' : *name == '/' ? '1' : *name;
    }
    escaped[length] = '\0';
    if (FAULT_POINTER_SIZE - start >= sizeof ellipsis)
        fault_quote(escaped, pointer + start, FAULT_POINTER_SIZE - start);
}

void fault_add(struct faults *faults, const char *code, const char *pointer, const char *format, ...)
{
    char detail[2 * FAULT_DETAIL_SIZE];
    struct fault *fault;
    va_list args;

    faults->total++;
    if (faults->count == FAULTS_MAX)
        return;
    fault = &faults->items[faults->count++];
    fault->code = code;
    va_start(args, format);
    vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    fault_quote(detail, fault->detail, sizeof fault->detail);
    fault_quote(pointer, fault->pointer, sizeof fault->pointer);
}
