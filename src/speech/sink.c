/* SPDX-License-Identifier: Apache-2.0 */
#include "speech/sink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Some ten seconds of compressed speech: a write each, and 64 jobs at once take 4 MiB. */
#define BUFFER_SIZE ((size_t)64 * 1024)

int sink_init(struct sink *sink, int fd, const char *path, int64_t start, struct error *err)
{
    *sink = (struct sink){.fd = fd, .path = path, .start = start, .size = start};
    sink->buffer = malloc(BUFFER_SIZE);
    return sink->buffer != NULL ? 0 : error_set(err, -ENOMEM, "no memory for %s", path);
}

void sink_release(struct sink *sink)
{
    free(sink->buffer);
    sink->buffer = NULL;
}

static void write_out(struct sink *sink, const unsigned char *bytes, size_t size)
{
    while (size > 0 && sink->error == 0) {
        ssize_t written = pwrite(sink->fd, bytes, size, sink->start);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0) {
            sink->error = errno;
            return;
        }
        bytes += written;
        size -= (size_t)written;
        sink->start += written;
        if (sink->start > sink->size)
            sink->size = sink->start;
    }
}

static void empty(struct sink *sink)
{
    write_out(sink, sink->buffer, sink->used);
    sink->used = 0;
}

void sink_write(struct sink *sink, const void *bytes, size_t size)
{
    if (sink->used + size > BUFFER_SIZE)
        empty(sink);
    if (size > BUFFER_SIZE) {
        write_out(sink, bytes, size);
    } else if (sink->error == 0 && size > 0) {
        memcpy(sink->buffer + sink->used, bytes, size);
        sink->used += size;
    }
}

int64_t sink_tell(const struct sink *sink)
{
    return sink->start + (int64_t)sink->used;
}

int64_t sink_size(const struct sink *sink)
{
    int64_t end = sink_tell(sink);

    return end > sink->size ? end : sink->size;
}

void sink_seek(struct sink *sink, int64_t position)
{
    if (position == sink_tell(sink))
        return;
    empty(sink);
    sink->start = position;
}

int sink_flush(struct sink *sink, struct error *err)
{
    empty(sink);
    return sink_check(sink, err);
}

int sink_check(const struct sink *sink, struct error *err)
{
    return sink->error == 0 ? 0 : error_system(err, sink->error, "cannot write %s", sink->path);
}

void sink_close(struct sink *sink)
{
    sink->used = 0;
    if (sink->error == 0)
        sink->error = ECANCELED;
}
