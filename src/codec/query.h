/* SPDX-License-Identifier: Apache-2.0 */
/* The query string of a request, and the cursors that travel in it.  Pure. */
#ifndef CODEC_QUERY_H
#define CODEC_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most parameters that a query may hold, and the room for each: more than any call takes. */
#define QUERY_PARAMETERS_MAX 16
#define QUERY_NAME_SIZE      32
#define QUERY_VALUE_SIZE     256

/* Decoded: UTF-8 without control characters. */
struct query_parameter {
    char name[QUERY_NAME_SIZE];
    char value[QUERY_VALUE_SIZE];
};

struct query {
    struct query_parameter parameters[QUERY_PARAMETERS_MAX];
    size_t count;
};

/*
 * Reads what stands behind the "?" as application/x-www-form-urlencoded (WHATWG URL standard section 5.1, but
 * that faults are not passed over).  False where there is more than a struct query holds, a percent-encoding
 * is broken, or what it makes is no UTF-8 or a control character.
 */
bool query_decode(const char *text, struct query *ret_query);

/* A cursor: opaque to clients, the number of the last job of its page to us; 1 to INT64_MAX. */
#define CURSOR_SIZE 13
void cursor_format(int64_t number, char ret_cursor[CURSOR_SIZE]);

/* False where text is not what cursor_format() writes. */
bool cursor_parse(const char *text, int64_t *ret_number);

#endif
