/* SPDX-License-Identifier: Apache-2.0 */
#include "speech/audio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "crypto/sha256.h"
#include "speech/encoder.h"
#include "speech/wav.h"

/* Read at a time when the file is hashed: beyond that it is not faster. */
#define HASH_CHUNK (256 * 1024)

/* The server of the downloads is another user; the folder decides who else comes so far. */
#define FILE_MODE 0644

static encoder_open *const openers[AUDIO_FORMAT_COUNT] = {
    [AUDIO_WAV] = wav_encoder_open,   [AUDIO_FLAC] = sound_encoder_open,   [AUDIO_MP3] = sound_encoder_open,
    [AUDIO_OPUS] = opus_encoder_open, [AUDIO_VORBIS] = sound_encoder_open,
};

struct audio_writer {
    struct encoder *encoder; /* NULL while there is none */
    struct sink sink;
    int fd;
    char *path;
    enum audio_format format;
    int sample_rate;
    int64_t samples;
};

bool audio_format_is_writable(enum audio_format format)
{
    return openers[format] != NULL;
}

static void release(struct audio_writer *writer)
{
    sink_close(&writer->sink); /* an encoder may write when it goes */
    if (writer->encoder != NULL)
        writer->encoder->free(writer->encoder);
    sink_release(&writer->sink);
    if (writer->fd >= 0)
        close(writer->fd);
    free(writer->path);
    free(writer);
}

/* A writer that has its file, and no encoder yet. */
static int writer_new(const char *path, int flags, enum audio_format format, int sample_rate,
                      struct audio_writer **ret_writer, struct error *err)
{
    struct audio_writer *writer;
    int r = 0;

    if (!audio_format_is_writable(format))
        return error_set(err, -ENOTSUP, "audio cannot be written as %s yet", audio_format_name(format));
    writer = calloc(1, sizeof *writer);
    if (writer == NULL)
        return error_set(err, -ENOMEM, "no memory for %s", path);
    writer->format = format;
    writer->sample_rate = sample_rate;
    writer->fd = open(path, flags | O_RDWR | O_CLOEXEC, FILE_MODE);
    if (writer->fd < 0)
        r = error_system(err, errno, "cannot %s %s", (flags & O_CREAT) != 0 ? "create" : "open", path);
    else if ((writer->path = strdup(path)) == NULL)
        r = error_set(err, -ENOMEM, "no memory for %s", path);
    if (r == 0) {
        *ret_writer = writer;
        return 0;
    }
    if (writer->fd >= 0 && (flags & O_CREAT) != 0)
        unlink(path);
    release(writer);
    return r;
}

int audio_writer_open(const char *path, enum audio_format format, int sample_rate,
                      struct audio_writer **ret_writer, struct error *err)
{
    struct audio_writer *writer = NULL;
    int r = writer_new(path, O_CREAT | O_EXCL, format, sample_rate, &writer, err);

    if (writer == NULL)
        return r;
    r = sink_init(&writer->sink, writer->fd, writer->path, 0, err);
    if (r == 0)
        r = openers[format](&writer->sink, format, sample_rate, &writer->encoder, err);
    if (r < 0)
        audio_writer_abandon(writer);
    else
        *ret_writer = writer;
    return r;
}

int audio_writer_reopen(const char *path, enum audio_format format, int sample_rate, int64_t samples,
                        struct audio_writer **ret_writer, struct error *err)
{
    struct audio_writer *writer = NULL;
    int r;

    if (format != AUDIO_WAV)
        return error_set(err, -ENOTSUP, "%s cannot be gone on with: only a WAV can", path);
    r = writer_new(path, 0, format, sample_rate, &writer, err);
    if (writer == NULL)
        return r;
    r = wav_encoder_reopen(&writer->sink, writer->fd, writer->path, sample_rate, samples, &writer->encoder,
                           err);
    if (r < 0) {
        release(writer);
        return r;
    }
    writer->samples = samples;
    *ret_writer = writer;
    return 0;
}

/* Of so many samples that the encoder has taken. */
static int count_samples(struct audio_writer *writer, size_t count, struct error *err)
{
    int r = sink_check(&writer->sink, err);

    if (r == 0)
        writer->samples += (int64_t)count;
    return r;
}

int audio_writer_append(struct audio_writer *writer, const int16_t *samples, size_t count, struct error *err)
{
    int r = writer->encoder->write(writer->encoder, samples, count, err);

    return r < 0 ? r : count_samples(writer, count, err);
}

int audio_writer_add(struct audio_writer *writer, const struct buf *packets, size_t samples,
                     struct error *err)
{
    int r = writer->encoder->add(writer->encoder, packets, samples, err);

    return r < 0 ? r : count_samples(writer, samples, err);
}

int audio_writer_flush(struct audio_writer *writer, struct error *err)
{
    return sink_flush(&writer->sink, err);
}

static int hash_file(int fd, int64_t *ret_bytes, char ret_hex[SHA256_HEX_SIZE], struct error *err)
{
    struct sha256 *hash = sha256_new();
    cleanup(free_ptr) char *chunk = malloc(HASH_CHUNK);
    int64_t bytes = 0;
    ssize_t got = hash != NULL && chunk != NULL ? 1 : 0;

    if (got == 0)
        errno = ENOMEM;
    while (got > 0) {
        got = pread(fd, chunk, HASH_CHUNK, bytes);
        if (got < 0 && errno == EINTR) {
            got = 1;
        } else if (got > 0) {
            sha256_update(hash, chunk, (size_t)got);
            bytes += got;
        }
    }
    if (got == 0 && bytes > 0) {
        sha256_final_hex(hash, ret_hex);
        *ret_bytes = bytes;
    }
    sha256_free(hash);
    return got == 0 && bytes > 0 ? 0 : error_system(err, errno, "cannot read back");
}

static int complete(struct audio_writer *writer, struct audio_facts *ret_facts, struct error *err)
{
    struct audio_facts facts = {.samples = writer->samples, .sample_rate = writer->sample_rate};
    int r = writer->encoder->complete(writer->encoder, err);

    if (r == 0)
        r = sink_flush(&writer->sink, err);
    if (r == 0 && fsync(writer->fd) < 0)
        r = error_system(err, errno, "cannot sync %s", writer->path);
    if (r == 0 && (r = hash_file(writer->fd, &facts.bytes, facts.sha256, err)) < 0)
        r = error_prefix(err, r, "%s", writer->path);
    if (r == 0)
        *ret_facts = facts;
    return r;
}

int audio_writer_finish(struct audio_writer *writer, struct audio_facts *ret_facts, struct error *err)
{
    int r = complete(writer, ret_facts, err);

    if (r < 0)
        unlink(writer->path);
    release(writer);
    return r;
}

struct audio_writer *audio_writer_leave(struct audio_writer *writer)
{
    release(writer);
    return NULL;
}

struct audio_writer *audio_writer_abandon(struct audio_writer *writer)
{
    if (writer == NULL)
        return NULL;
    unlink(writer->path);
    release(writer);
    return NULL;
}
