/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int error_set(struct error *err, int code, const char *format, ...)
{
    va_list args;

    if (err != NULL) {
        va_start(args, format);
        vsnprintf(err->text, sizeof err->text, format, args);
        va_end(args);
    }
    return code;
}

int error_system(struct error *err, int number, const char *format, ...)
{
    va_list args;
    char reason[128];
    int length;

    if (err != NULL) {
        va_start(args, format);
        length = vsnprintf(err->text, sizeof err->text, format, args);
        va_end(args);
        if (length >= 0 && (size_t)length < sizeof err->text)
            snprintf(err->text + length, sizeof err->text - (size_t)length, ": %s",
                     strerror_r(number, reason, sizeof reason));
    }
    return number > 0 ? -number : -EIO;
}

int error_prefix(struct error *err, int code, const char *format, ...)
{
    char inner[ERROR_TEXT_MAX];
    va_list args;
    int length;

    if (err != NULL) {
        memcpy(inner, err->text, sizeof inner);
        va_start(args, format);
        length = vsnprintf(err->text, sizeof err->text, format, args);
        va_end(args);
        if (length >= 0 && (size_t)length < sizeof err->text)
            snprintf(err->text + length, sizeof err->text - (size_t)length, ": %s", inner);
    }
    return code;
}
