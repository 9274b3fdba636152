/* SPDX-License-Identifier: Apache-2.0 */
/* How commands show on a terminal what others have sent, and times. */
#ifndef CTL_SHOW_H
#define CTL_SHOW_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Bytes as they are where they are readable UTF-8; "\x1b" and "\u202e" for what a terminal would obey. */
void show_visible(struct buf *out, const char *bytes, size_t size);

/* The same of a string; "none" for NULL. */
void show_string(struct buf *out, const char *text);

/* RFC 3339, or "-" for 0. */
void show_time(struct buf *out, int64_t wall_ms);

/*
 * A line of what is known of one thing: a label, behind which its value is put, or one with a string or a
 * time.
 */
void show_label(struct buf *out, const char *name);
void show_line(struct buf *out, const char *name, const char *value);
void show_line_time(struct buf *out, const char *name, int64_t wall_ms);

/* Microseconds as "1.25 ms", or "-" where they are negative. */
void show_us(struct buf *out, int64_t us);

#endif
