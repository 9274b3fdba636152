/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing buffer that has its maximum at birth.
 *
 * A failure sticks: once an append did not fit, every later one does nothing, and one check of buf_ok() at
 * the end serves for them all.  The bytes are followed by a NUL that is not counted.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
    char *data;      /* NULL while nothing was appended */
    size_t length;   /* bytes in use */
    size_t capacity; /* bytes allocated */
    size_t maximum;  /* bytes that length may reach */
    bool failed;     /* an append did not fit, or memory ran out */
};

#define BUF_INIT(max) ((struct buf){.maximum = (max)})

void buf_release(struct buf *buf);

/* Forgets the content and a failure, keeps the memory. */
void buf_clear(struct buf *buf);

void buf_append(struct buf *buf, const void *bytes, size_t size);
void buf_append_str(struct buf *buf, const char *text);
void buf_append_int(struct buf *buf, int64_t value);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Removes size bytes (at most length) from the front. */
void buf_consume(struct buf *buf, size_t size);

/* Removes size bytes (at most length) from the back. */
void buf_drop(struct buf *buf, size_t size);

/* Room for at least size bytes behind the content, or NULL; buf_commit() then counts those that were written.
 */
char *buf_reserve(struct buf *buf, size_t size);
void buf_commit(struct buf *buf, size_t size);

bool buf_ok(const struct buf *buf);

/* The content as a string: "" where nothing was appended. */
const char *buf_str(const struct buf *buf);

/* Hands the content over as a string that the caller frees; NULL where the buffer has failed or memory ran
 * out. */
char *buf_steal(struct buf *buf);

#endif
