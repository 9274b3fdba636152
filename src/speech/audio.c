/* SPDX-License-Identifier: Apache-2.0 */
#include "speech/audio.h"

#include <errno.h>
#include <fcntl.h>
#include <sndfile.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "crypto/sha256.h"

/* Read at a time when the file is hashed: beyond that it is not faster. */
#define HASH_CHUNK (256 * 1024)

/* Samples of silence written at a time. */
#define SILENCE_CHUNK 4096

/* The server of the downloads is another user; the folder decides who else comes so far. */
#define FILE_MODE 0644

/* Libsndfile's formats; 0 is one that is not written yet. */
static const int formats[AUDIO_FORMAT_COUNT] = {
    /* RF64 is a WAV without the limit of 4 GiB; a file that stays below is made a plain WAV when it is
       closed. */
    [AUDIO_WAV] = SF_FORMAT_RF64 | SF_FORMAT_PCM_16,
    [AUDIO_FLAC] = 0,
    [AUDIO_MP3] = 0,
    [AUDIO_OPUS] = 0,
    [AUDIO_VORBIS] = 0,
};

struct audio_writer {
    SNDFILE *sound;
    int fd;
    char *path;
    enum audio_format format;
    int sample_rate;
    int64_t samples;
};

bool audio_format_is_writable(enum audio_format format)
{
    return formats[format] != 0;
}

/* What libsndfile says, or the system where it was that. */
static int sound_error(SNDFILE *sound, int number, struct error *err, const char *what, const char *path)
{
    if (number != 0)
        return error_system(err, number, "cannot %s %s", what, path);
    return error_set(err, -EIO, "cannot %s %s: %s", what, path, sf_strerror(sound));
}

static int open_sound(struct audio_writer *writer, struct error *err)
{
    SF_INFO info = {.samplerate = writer->sample_rate, .channels = 1, .format = formats[writer->format]};

    errno = 0;
    writer->sound = sf_open_fd(writer->fd, SFM_WRITE, &info, SF_FALSE);
    if (writer->sound == NULL)
        return sound_error(NULL, errno, err, "begin", writer->path);
    if (writer->format == AUDIO_WAV)
        sf_command(writer->sound, SFC_RF64_AUTO_DOWNGRADE, NULL, SF_TRUE);
    return 0;
}

int audio_writer_open(const char *path, enum audio_format format, int sample_rate,
                      struct audio_writer **ret_writer, struct error *err)
{
    struct audio_writer *writer;
    int r;

    if (!audio_format_is_writable(format))
        return error_set(err, -ENOTSUP, "audio cannot be written as %s yet", audio_format_name(format));
    writer = calloc(1, sizeof *writer);
    if (writer == NULL)
        return error_set(err, -ENOMEM, "no memory for %s", path);
    writer->format = format;
    writer->sample_rate = sample_rate;
    writer->path = strdup(path);
    writer->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
    if (writer->fd < 0) {
        r = error_system(err, errno, "cannot create %s", path);
        free(writer->path);
        free(writer);
        return r;
    }
    r = writer->path != NULL ? open_sound(writer, err) : error_set(err, -ENOMEM, "no memory");
    if (r < 0) {
        unlink(path);
        audio_writer_abandon(writer);
        return r;
    }
    *ret_writer = writer;
    return 0;
}

int audio_writer_append(struct audio_writer *writer, const int16_t *samples, size_t count, struct error *err)
{
    sf_count_t written;

    if (count == 0)
        return 0;
    errno = 0;
    written = sf_write_short(writer->sound, samples, (sf_count_t)count);
    if (written != (sf_count_t)count)
        return sound_error(writer->sound, errno, err, "write", writer->path);
    writer->samples += written;
    return 0;
}

int audio_writer_silence(struct audio_writer *writer, uint64_t samples, struct error *err)
{
    static const int16_t silence[SILENCE_CHUNK];
    int r = 0;

    for (; r == 0 && samples > SILENCE_CHUNK; samples -= SILENCE_CHUNK)
        r = audio_writer_append(writer, silence, SILENCE_CHUNK, err);
    return r == 0 ? audio_writer_append(writer, silence, samples, err) : r;
}

int64_t audio_writer_samples(const struct audio_writer *writer)
{
    return writer->samples;
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

/* Completes the header: libsndfile tells of a failure there only by what the file is then. */
static int close_sound(struct audio_writer *writer, struct error *err)
{
    int r;

    errno = 0;
    r = sf_close(writer->sound);
    writer->sound = NULL;
    return r == 0 ? 0 : sound_error(NULL, errno, err, "complete", writer->path);
}

/* Where the chunks of a downgraded file lie: "RIFF", "JUNK" in place of RF64's own, "fmt ", "fact", "data".
 */
#define WAV_FORMAT_AT      44
#define WAV_FORMAT_SIZE    40 /* of WAVE_FORMAT_EXTENSIBLE */
#define WAV_DATA_AT        104
#define WAV_JUNK_AT        12
#define WAV_PLAIN_SIZE     16 /* of WAVE_FORMAT_PCM */
#define WAV_TAG_PCM        1
#define WAV_TAG_EXTENSIBLE 0xfffe

/*
 * RF64 is always written in the extensible form, and the downgrade leaves that as it is (libsndfile 1.2.0);
 * many readers, Python's wave before 3.12 among them, take only the plain form of PCM.  So the format chunk
 * of a downgraded file is cut to that form, and what it frees goes to the chunk of padding before it.
 */
static int make_plain_wav(struct audio_writer *writer, struct error *err)
{
    unsigned char header[WAV_DATA_AT + 4];
    unsigned char *format = header + WAV_FORMAT_AT;
    unsigned char *plain = header + WAV_DATA_AT - 8 - WAV_PLAIN_SIZE;

    if (pread(writer->fd, header, sizeof header, 0) != (ssize_t)sizeof header)
        return error_system(err, errno, "cannot read back %s", writer->path);
    if (memcmp(header, "RIFF", 4) != 0) /* past 4 GiB: RF64 it stays */
        return 0;
    if (memcmp(header + WAV_JUNK_AT, "JUNK", 4) != 0 || memcmp(format, "fmt ", 4) != 0 ||
        format[4] != WAV_FORMAT_SIZE || (format[8] | format[9] << 8) != WAV_TAG_EXTENSIBLE ||
        memcmp(header + WAV_DATA_AT, "data", 4) != 0)
        return error_set(err, -EIO, "libsndfile wrote %s in a layout that is not known here", writer->path);
    memmove(plain, format, 8 + WAV_PLAIN_SIZE);
    plain[4] = WAV_PLAIN_SIZE;
    plain[8] = WAV_TAG_PCM;
    plain[9] = 0;
    memset(header + WAV_JUNK_AT + 8, 0, (size_t)(plain - header) - WAV_JUNK_AT - 8);
    header[WAV_JUNK_AT + 4] = (unsigned char)(plain - header - WAV_JUNK_AT - 8);
    if (pwrite(writer->fd, header, sizeof header, 0) != (ssize_t)sizeof header)
        return error_system(err, errno, "cannot complete %s", writer->path);
    return 0;
}

static int complete(struct audio_writer *writer, struct audio_facts *ret_facts, struct error *err)
{
    struct audio_facts facts = {.samples = writer->samples, .sample_rate = writer->sample_rate};
    int r = close_sound(writer, err);

    if (r == 0 && writer->format == AUDIO_WAV)
        r = make_plain_wav(writer, err);
    if (r == 0 && fsync(writer->fd) < 0)
        r = error_system(err, errno, "cannot sync %s", writer->path);
    if (r == 0 && (r = hash_file(writer->fd, &facts.bytes, facts.sha256, err)) < 0)
        r = error_prefix(err, r, "%s", writer->path);
    if (r == 0)
        *ret_facts = facts;
    return r;
}

static void release(struct audio_writer *writer)
{
    if (writer->sound != NULL)
        sf_close(writer->sound);
    close(writer->fd);
    free(writer->path);
    free(writer);
}

int audio_writer_finish(struct audio_writer *writer, struct audio_facts *ret_facts, struct error *err)
{
    int r = complete(writer, ret_facts, err);

    if (r < 0)
        unlink(writer->path);
    release(writer);
    return r;
}

struct audio_writer *audio_writer_abandon(struct audio_writer *writer)
{
    if (writer == NULL)
        return NULL;
    if (writer->path != NULL)
        unlink(writer->path);
    release(writer);
    return NULL;
}
