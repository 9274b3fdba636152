/* SPDX-License-Identifier: Apache-2.0 */
#include "speech/wav.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "samples are written as they lie in memory");

#define SAMPLE_SIZE ((int64_t)sizeof(int16_t))
#define TAG_PCM     1

struct wav_encoder {
    struct encoder encoder;
    struct sink *sink;
    int sample_rate;
};

static unsigned char *put(unsigned char *at, const char *name)
{
    memcpy(at, name, 4);
    return at + 4;
}

static unsigned char *put_number(unsigned char *at, uint64_t value, size_t bytes)
{
    put_little_endian(at, value, bytes);
    return at + bytes;
}

/* A tag of the list of information; its text ends with a NUL, and chunks have even lengths. */
static unsigned char *put_tag(unsigned char *at, const char *name, const char *text)
{
    size_t size = strlen(text) + 1;

    at = put_number(put(at, name), size, 4);
    memcpy(at, text, size);
    return at + size + size % 2;
}

/* The lengths that do not fit into 32 bits; otherwise padding in their place. */
static unsigned char *put_long_lengths(unsigned char *at, bool is_long, uint64_t bytes, uint64_t samples)
{
    at = put_number(put(at, is_long ? "ds64" : "JUNK"), 28, 4);
    if (!is_long)
        return at + 28;
    at = put_number(at, WAV_HEADER_SIZE - 8 + bytes, 8);
    at = put_number(at, bytes, 8);
    at = put_number(at, samples, 8);
    return put_number(at, 0, 4); /* other chunks that are long: none */
}

void wav_header(int sample_rate, int64_t samples, unsigned char ret_header[WAV_HEADER_SIZE])
{
    uint64_t bytes = (uint64_t)(samples * SAMPLE_SIZE);
    bool is_long = WAV_HEADER_SIZE - 8 + bytes > UINT32_MAX;
    unsigned char *at = ret_header, *list;

    memset(ret_header, 0, WAV_HEADER_SIZE);
    at =
        put_number(put(at, is_long ? "RF64" : "RIFF"), is_long ? UINT32_MAX : WAV_HEADER_SIZE - 8 + bytes, 4);
    at = put_long_lengths(put(at, "WAVE"), is_long, bytes, (uint64_t)samples);
    at = put_number(put(at, "fmt "), 16, 4);
    at = put_number(at, TAG_PCM, 2);
    at = put_number(at, 1, 2); /* channel */
    at = put_number(at, (uint64_t)sample_rate, 4);
    at = put_number(at, (uint64_t)(sample_rate * SAMPLE_SIZE), 4);
    at = put_number(at, SAMPLE_SIZE, 2); /* of all channels */
    at = put_number(at, 8 * SAMPLE_SIZE, 2);
    list = put(at, "LIST");
    at = put_tag(put_tag(put(list + 4, "INFO"), "INAM", TAG_TITLE), "ICMT", TAG_COMMENT);
    put_number(list, (uint64_t)(at - list - 4), 4);
    put_number(put(at, "data"), is_long ? UINT32_MAX : bytes, 4);
}

/* ---- the encoder ---- */

static int wav_write(struct encoder *encoder, const int16_t *samples, size_t count, struct error *err)
{
    struct wav_encoder *wav = container_of(encoder, struct wav_encoder, encoder);

    (void)err;
    sink_write(wav->sink, samples, count * (size_t)SAMPLE_SIZE);
    return 0;
}

static void write_header(struct wav_encoder *wav, int64_t samples)
{
    unsigned char header[WAV_HEADER_SIZE];

    wav_header(wav->sample_rate, samples, header);
    sink_seek(wav->sink, 0);
    sink_write(wav->sink, header, sizeof header);
}

static int wav_complete(struct encoder *encoder, struct error *err)
{
    struct wav_encoder *wav = container_of(encoder, struct wav_encoder, encoder);

    (void)err;
    write_header(wav, (sink_size(wav->sink) - WAV_HEADER_SIZE) / SAMPLE_SIZE);
    return 0;
}

static void wav_free(struct encoder *encoder)
{
    free(container_of(encoder, struct wav_encoder, encoder));
}

static struct wav_encoder *wav_new(struct sink *sink, int sample_rate)
{
    struct wav_encoder *wav = calloc(1, sizeof *wav);

    if (wav != NULL) {
        wav->encoder = (struct encoder){.write = wav_write, .complete = wav_complete, .free = wav_free};
        wav->sink = sink;
        wav->sample_rate = sample_rate;
    }
    return wav;
}

int wav_encoder_open(struct sink *sink, enum audio_format format, int sample_rate,
                     struct encoder **ret_encoder, struct error *err)
{
    struct wav_encoder *wav = wav_new(sink, sample_rate);

    (void)format;
    if (wav == NULL)
        return error_set(err, -ENOMEM, "no memory for %s", sink->path);
    write_header(wav, 0);
    *ret_encoder = &wav->encoder;
    return 0;
}

/* Whether the header is that of a file of so many samples. */
static bool is_header(const unsigned char found[WAV_HEADER_SIZE], int sample_rate, int64_t samples)
{
    unsigned char expected[WAV_HEADER_SIZE];

    wav_header(sample_rate, samples, expected);
    return memcmp(found, expected, sizeof expected) == 0;
}

/* That the file is what this process would have made of so many samples, and perhaps more; it may have been
 * completed, too, by one that died before anybody heard of it. */
static int check_file(int fd, const char *path, int sample_rate, int64_t samples, struct error *err)
{
    unsigned char found[WAV_HEADER_SIZE];
    struct stat status;

    if (fstat(fd, &status) < 0 || pread(fd, found, sizeof found, 0) < 0)
        return error_system(err, errno, "cannot read %s", path);
    if (status.st_size < WAV_HEADER_SIZE + samples * SAMPLE_SIZE)
        return error_set(err, -EBADMSG, "%s has fewer than %lld samples", path, (long long)samples);
    if (!is_header(found, sample_rate, 0) &&
        !is_header(found, sample_rate, (status.st_size - WAV_HEADER_SIZE) / SAMPLE_SIZE))
        return error_set(err, -EBADMSG, "%s is not an unfinished WAV of %d Hz", path, sample_rate);
    return 0;
}

int wav_encoder_reopen(struct sink *sink, int fd, const char *path, int sample_rate, int64_t samples,
                       struct encoder **ret_encoder, struct error *err)
{
    int64_t end = WAV_HEADER_SIZE + samples * SAMPLE_SIZE;
    struct wav_encoder *wav;
    int r = check_file(fd, path, sample_rate, samples, err);

    if (r < 0)
        return r;
    if (ftruncate(fd, end) < 0)
        return error_system(err, errno, "cannot cut %s", path);
    wav = wav_new(sink, sample_rate);
    if (wav == NULL)
        return error_set(err, -ENOMEM, "no memory for %s", path);
    r = sink_init(sink, fd, path, end, err);
    if (r < 0) {
        free(wav);
        return r;
    }
    write_header(wav, 0); /* as long as it is not complete */
    sink_seek(sink, end);
    *ret_encoder = &wav->encoder;
    return 0;
}
