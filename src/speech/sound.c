/* SPDX-License-Identifier: Apache-2.0 */
/* The formats that libsndfile writes, through our own sink: it sees the errors that libsndfile drops. */
#include <errno.h>
#include <sndfile.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "speech/encoder.h"
#include "speech/ogg.h"

/*
 * What a format is set to; docs/FORMATS.md has what comes of it.  The level is libsndfile's, 0 the best and 1
 * the smallest: FLAC's 5 of 8, VBR 5 of LAME's 0 to 9, Vorbis's quality 0.4.
 */
static const struct {
    int format;
    double level;
    int bit_rate_mode; /* -1: the format has none */
} settings[AUDIO_FORMAT_COUNT] = {
    [AUDIO_FLAC] = {SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 5 / 8.0, -1},
    [AUDIO_MP3] = {SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, 0.5, SF_BITRATE_MODE_VARIABLE},
    [AUDIO_VORBIS] = {SF_FORMAT_OGG | SF_FORMAT_VORBIS, 1 - 0.4, -1},
};

/*
 * Samples are handed to libsndfile in blocks of one size, or the bytes would depend on how a text was cut:
 * libvorbis extrapolates what came before the first sample from as many as it is given at first.
 */
#define BLOCK_SIZE 8192

struct sound_encoder {
    struct encoder encoder;
    struct sink *sink;
    SNDFILE *sound;
    size_t held; /* samples in block */
    int16_t block[BLOCK_SIZE];
    struct ogg_stamper *stamper; /* NULL where the format is not Ogg */
};

/* ---- libsndfile's file ---- */

static sf_count_t file_size(void *user)
{
    return sink_size(((struct sound_encoder *)user)->sink);
}

static sf_count_t file_tell(void *user)
{
    return sink_tell(((struct sound_encoder *)user)->sink);
}

static sf_count_t file_seek(sf_count_t offset, int whence, void *user)
{
    struct sink *sink = ((struct sound_encoder *)user)->sink;

    if (whence == SEEK_CUR)
        offset += sink_tell(sink);
    else if (whence == SEEK_END)
        offset += sink_size(sink);
    sink_seek(sink, offset);
    return offset;
}

static sf_count_t file_write(const void *bytes, sf_count_t size, void *user)
{
    struct sound_encoder *encoder = user;

    if (encoder->stamper != NULL)
        ogg_stamp(encoder->stamper, encoder->sink, bytes, (size_t)size);
    else
        sink_write(encoder->sink, bytes, (size_t)size);
    return encoder->sink->error == 0 ? size : 0;
}

static sf_count_t file_read(void *bytes, sf_count_t size, void *user)
{
    (void)bytes;
    (void)size;
    (void)user;
    return 0; /* what is written is not read */
}

static SF_VIRTUAL_IO file_calls = {file_size, file_seek, file_read, file_write, file_tell};

/* ---- the encoder ---- */

/* The sink's own failure says more than what libsndfile makes of it. */
static int sound_error(const struct sound_encoder *encoder, struct error *err, const char *what)
{
    int r = sink_check(encoder->sink, err);

    if (r < 0)
        return r;
    return error_set(err, -EIO, "cannot %s %s: %s", what, encoder->sink->path, sf_strerror(encoder->sound));
}

static int write_block(struct sound_encoder *encoder, struct error *err)
{
    sf_count_t count = (sf_count_t)encoder->held;

    encoder->held = 0;
    return sf_write_short(encoder->sound, encoder->block, count) == count
               ? 0
               : sound_error(encoder, err, "write");
}

static int sound_write(struct encoder *base, const int16_t *samples, size_t count, struct error *err)
{
    struct sound_encoder *encoder = container_of(base, struct sound_encoder, encoder);
    int r = 0;

    while (r == 0 && count > 0) {
        size_t room = BLOCK_SIZE - encoder->held;
        size_t taken = count < room ? count : room;

        memcpy(encoder->block + encoder->held, samples, taken * sizeof *samples);
        encoder->held += taken;
        samples += taken;
        count -= taken;
        if (encoder->held == BLOCK_SIZE)
            r = write_block(encoder, err);
    }
    return r;
}

static int sound_complete(struct encoder *base, struct error *err)
{
    struct sound_encoder *encoder = container_of(base, struct sound_encoder, encoder);
    int r = write_block(encoder, err);
    int number;

    if (r < 0)
        return r;
    number = sf_close(encoder->sound);
    encoder->sound = NULL;
    return number == 0 ? 0 : sound_error(encoder, err, "complete");
}

static void sound_free(struct encoder *base)
{
    struct sound_encoder *encoder = container_of(base, struct sound_encoder, encoder);

    if (encoder->sound != NULL)
        sf_close(encoder->sound);
    free(encoder->stamper);
    free(encoder);
}

/* All of it before the first sample, or it has no effect. */
static int set_up(struct sound_encoder *encoder, enum audio_format format, struct error *err)
{
    double level = settings[format].level;
    int mode = settings[format].bit_rate_mode;
    bool ok = sf_command(encoder->sound, SFC_SET_COMPRESSION_LEVEL, &level, sizeof level) == SF_TRUE;

    if (mode >= 0)
        ok = ok && sf_command(encoder->sound, SFC_SET_BITRATE_MODE, &mode, sizeof mode) == SF_TRUE;
    ok = ok && sf_set_string(encoder->sound, SF_STR_TITLE, TAG_TITLE) == 0;
    ok = ok && sf_set_string(encoder->sound, SF_STR_COMMENT, TAG_COMMENT) == 0;
    return ok ? 0 : sound_error(encoder, err, "set up");
}

static int open_sound(struct sound_encoder *encoder, enum audio_format format, int sample_rate,
                      struct error *err)
{
    SF_INFO info = {.samplerate = sample_rate, .channels = 1, .format = settings[format].format};

    if (format == AUDIO_VORBIS) {
        encoder->stamper = calloc(1, sizeof *encoder->stamper);
        if (encoder->stamper == NULL)
            return error_set(err, -ENOMEM, "no memory for %s", encoder->sink->path);
    }
    encoder->sound = sf_open_virtual(&file_calls, SFM_WRITE, &info, encoder);
    return encoder->sound != NULL ? set_up(encoder, format, err) : sound_error(encoder, err, "begin");
}

int sound_encoder_open(struct sink *sink, enum audio_format format, int sample_rate,
                       struct encoder **ret_encoder, struct error *err)
{
    struct sound_encoder *encoder = calloc(1, sizeof *encoder);
    int r;

    if (encoder == NULL)
        return error_set(err, -ENOMEM, "no memory for %s", sink->path);
    encoder->encoder = (struct encoder){.write = sound_write, .complete = sound_complete, .free = sound_free};
    encoder->sink = sink;
    r = open_sound(encoder, format, sample_rate, err);
    if (r < 0)
        sound_free(&encoder->encoder);
    else
        *ret_encoder = &encoder->encoder;
    return r;
}
