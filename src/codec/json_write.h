/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes JSON into a buffer.  A value is written behind a json_name() or inside an array; commas are put by
 * looking at the byte in front, so that writers need not count.  Failures stick in the buffer.
 */
#ifndef CODEC_JSON_WRITE_H
#define CODEC_JSON_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* A comma unless the container was opened just now, the name (which needs no escape), and a colon. */
void json_name(struct buf *out, const char *name);

/* A comma unless the array was opened just now: before each of its items. */
void json_item(struct buf *out);

/* UTF-8 as it is, with quotes and escapes; NULL is null. */
void json_string(struct buf *out, const char *text);

void json_int(struct buf *out, int64_t value);
void json_bool(struct buf *out, bool value);

/* The shortest of the spellings that reads back as the same number; a whole one ends in ".0". */
void json_double(struct buf *out, double value);

/* RFC 3339; 0 or less is null. */
void json_time(struct buf *out, int64_t wall_ms);

/* A name and its value. */
void json_member_string(struct buf *out, const char *name, const char *text);
void json_member_int(struct buf *out, const char *name, int64_t value);
/* Null where there is none. */
void json_member_int_if(struct buf *out, const char *name, bool is_there, int64_t value);
void json_member_bool(struct buf *out, const char *name, bool value);
void json_member_double(struct buf *out, const char *name, double value);
void json_member_time(struct buf *out, const char *name, int64_t wall_ms);
/* An object of code and message; null where code is NULL. */
void json_member_error(struct buf *out, const char *name, const char *code, const char *message);
/* JSON that is written already; NULL is null. */
void json_member_raw(struct buf *out, const char *name, const char *json);

#endif
