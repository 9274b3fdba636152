/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How functions fail.
 *
 * A function that can fail returns int: 0 is success, a negative errno value is a failure that callers
 * forward unchanged, and a positive value is a condition that the function names in its own header and its
 * caller must handle.  The text of a failure travels in a struct error that the caller owns: what was wrong,
 * where, and what would be right, in one line without a final stop.  Every error argument may be NULL.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

/* One line of a log or of a terminal; a longer text is cut. */
#define ERROR_TEXT_MAX 512

struct error {
    char text[ERROR_TEXT_MAX];
};

/* Sets the text and returns code, which is a negative errno value. */
int error_set(struct error *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same for a failed system call: appends ": " and the description of number (a positive errno), returns
 * -number. */
int error_system(struct error *err, int number, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts a context and ": " before the text that is there, and returns code. */
int error_prefix(struct error *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
