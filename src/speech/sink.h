/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where an encoder's bytes go: a file, through a buffer.  Encoders write in small pieces (an MP3 frame is 36
 * ms of speech) and go back to complete a header at the end; and those of libsndfile drop the errors of half
 * their writes.  So the first error sticks here, later calls do nothing, and one check serves for them all.
 */
#ifndef SPEECH_SINK_H
#define SPEECH_SINK_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct sink {
    int fd;           /* the owner's */
    const char *path; /* the owner's; for messages */
    unsigned char *buffer;
    size_t used;   /* bytes in the buffer */
    int64_t start; /* where in the file they belong */
    int64_t size;  /* of the file, without what is in the buffer */
    int error;     /* errno of the first failure, or 0 */
};

/* The next byte goes to `start`, which is the size of the file, too. */
int sink_init(struct sink *sink, int fd, const char *path, int64_t start, struct error *err);
void sink_release(struct sink *sink);

void sink_write(struct sink *sink, const void *bytes, size_t size);

/* Where the next byte goes, and how long the file is, with what is in the buffer. */
int64_t sink_tell(const struct sink *sink);
int64_t sink_size(const struct sink *sink);
void sink_seek(struct sink *sink, int64_t position);

/* Empties the buffer.  The first failure since sink_init(), this time's included. */
int sink_flush(struct sink *sink, struct error *err);

/* The first failure so far. */
int sink_check(const struct sink *sink, struct error *err);

/* What is still written is dropped: the file goes. */
void sink_close(struct sink *sink);

/* Numbers in the headers of all formats. */
static inline void put_little_endian(unsigned char *at, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        at[i] = (unsigned char)(value >> (8 * i));
}

#endif
