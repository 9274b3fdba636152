/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ogg Opus, RFC 7845.  Not through libsndfile: that always encodes with the greatest effort (complexity 10),
 * which for speech costs more than slt takes to speak it; and it numbers its streams at random.
 */
#include <errno.h>
#include <opus.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "speech/encoder.h"
#include "speech/ogg.h"

/*
 * Measured on slt at 16 kHz: the linear-prediction mode needs 1.9 ms of a core for a second of speech at the
 * least effort, 9 ms at the greatest; the transform mode alone, which the restriction to low delay asks for,
 * 0.6 ms at the least, where slt takes 9 ms to be spoken.  8 kbit/s more make up for what effort would gain.
 */
#define MODE       OPUS_APPLICATION_RESTRICTED_LOWDELAY
#define COMPLEXITY 0

/* 32 kbit/s at 16 kHz, 24 at 8: half the sounds need less. */
#define BIT_RATE(sample_rate) (16000 + (sample_rate))

/* The longest frame of that mode, and what libopus advises as room for one packet. */
#define FRAMES_PER_SECOND 50
#define FRAME_MAX         (48000 / FRAMES_PER_SECOND)
#define PACKET_MAX        4000

/* RFC 7845, section 4: positions count samples at this rate, whatever was encoded. */
#define GRANULE_RATE 48000

/* A page a second, as section 6 wants it at most. */
#define PACKETS_PER_PAGE FRAMES_PER_SECOND

#define HEAD_SIZE 19
#define TAGS_MAX  512

struct opus_file {
    struct encoder encoder;
    struct sink *sink;
    OpusEncoder *opus;
    int64_t granules; /* of a sample */
    int64_t preskip;  /* granules that the decoder throws away: the encoder's delay */
    int64_t samples;  /* written */
    int64_t frames;   /* encoded */
    size_t frame_size;
    size_t held; /* samples in frame */
    int16_t frame[FRAME_MAX];
    size_t packets; /* on the page */
    struct ogg_page page;
};

static void put_text(struct buf *packet, const char *text)
{
    size_t size = strlen(text);
    unsigned char length[4];

    put_little_endian(length, size, sizeof length);
    buf_append(packet, length, sizeof length);
    buf_append(packet, text, size);
}

/* Sections 5.1 and 5.2: each on a page of its own, at position 0. */
static int write_headers(struct opus_file *file, int sample_rate, struct error *err)
{
    unsigned char head[HEAD_SIZE] =
        "OpusHead\1\1"; /* version, channels; the rest is 0: no gain, plain mono */
    struct buf tags = BUF_INIT(TAGS_MAX);
    static const unsigned char tag_count[4] = {3};
    bool ok;

    put_little_endian(head + 10, (uint64_t)file->preskip, 2);
    put_little_endian(head + 12, (uint64_t)sample_rate, 4);
    buf_append(&tags, "OpusTags", 8);
    put_text(&tags, opus_get_version_string());
    buf_append(&tags, tag_count, sizeof tag_count);
    put_text(&tags, "ENCODER=Sayhook");
    put_text(&tags, "TITLE=" TAG_TITLE);
    put_text(&tags, "COMMENT=" TAG_COMMENT);
    ok = buf_ok(&tags);
    if (ok) {
        ogg_page_add(&file->page, head, sizeof head);
        ogg_page_write(&file->page, file->sink, 0, false);
        ogg_page_add(&file->page, tags.data, tags.length);
        ogg_page_write(&file->page, file->sink, 0, false);
    }
    buf_release(&tags);
    return ok ? 0 : error_set(err, -ENOMEM, "no memory for %s", file->sink->path);
}

static void write_page(struct opus_file *file, bool is_last)
{
    int64_t encoded = file->frames * (int64_t)file->frame_size * file->granules;
    int64_t end = file->preskip + file->samples * file->granules;

    ogg_page_write(&file->page, file->sink, is_last ? end : encoded, is_last);
    file->packets = 0;
}

/* A page is written only when there is a packet for the next one, so that the last page has one. */
static int encode_frame(struct opus_file *file, struct error *err)
{
    unsigned char packet[PACKET_MAX];
    opus_int32 size = opus_encode(file->opus, file->frame, (int)file->frame_size, packet, sizeof packet);

    if (size < 0)
        return error_set(err, -EIO, "cannot encode %s: %s", file->sink->path, opus_strerror(size));
    if (file->packets == PACKETS_PER_PAGE)
        write_page(file, false);
    if (!ogg_page_add(&file->page, packet, (size_t)size)) {
        write_page(file, false);
        ogg_page_add(&file->page, packet, (size_t)size);
    }
    file->packets++;
    file->frames++;
    file->held = 0;
    return 0;
}

static int opus_write(struct encoder *encoder, const int16_t *samples, size_t count, struct error *err)
{
    struct opus_file *file = container_of(encoder, struct opus_file, encoder);
    int r = 0;

    while (r == 0 && count > 0) {
        size_t room = file->frame_size - file->held;
        size_t taken = count < room ? count : room;

        memcpy(file->frame + file->held, samples, taken * sizeof *samples);
        file->held += taken;
        file->samples += (int64_t)taken;
        samples += taken;
        count -= taken;
        if (file->held == file->frame_size)
            r = encode_frame(file, err);
    }
    return r;
}

/* Silence pushes out what the encoder's delay holds back; the last position cuts what is too much of it. */
static int opus_complete(struct encoder *encoder, struct error *err)
{
    struct opus_file *file = container_of(encoder, struct opus_file, encoder);
    int64_t needed = file->samples + file->preskip / file->granules;
    int r = 0;

    while (r == 0 && file->frames * (int64_t)file->frame_size < needed) {
        memset(file->frame + file->held, 0, (file->frame_size - file->held) * sizeof file->frame[0]);
        r = encode_frame(file, err);
    }
    if (r == 0)
        write_page(file, true);
    return r;
}

static void opus_free(struct encoder *encoder)
{
    struct opus_file *file = container_of(encoder, struct opus_file, encoder);

    if (file->opus != NULL)
        opus_encoder_destroy(file->opus);
    free(file);
}

static int set_up(struct opus_file *file, int sample_rate, struct error *err)
{
    opus_int32 delay = 0;
    int number;

    file->opus = opus_encoder_create(sample_rate, 1, MODE, &number);
    if (number == OPUS_OK)
        number = opus_encoder_ctl(file->opus, OPUS_SET_BITRATE(BIT_RATE(sample_rate)));
    if (number == OPUS_OK)
        number = opus_encoder_ctl(file->opus, OPUS_SET_COMPLEXITY(COMPLEXITY));
    if (number == OPUS_OK)
        number = opus_encoder_ctl(file->opus, OPUS_GET_LOOKAHEAD(&delay));
    if (number != OPUS_OK)
        return error_set(err, number == OPUS_BAD_ARG ? -EINVAL : -EIO, "cannot encode %d Hz as opus: %s",
                         sample_rate, opus_strerror(number));
    file->frame_size = (size_t)(sample_rate / FRAMES_PER_SECOND);
    file->granules = GRANULE_RATE / sample_rate;
    file->preskip = delay * file->granules;
    return write_headers(file, sample_rate, err);
}

int opus_encoder_open(struct sink *sink, enum audio_format format, int sample_rate,
                      struct encoder **ret_encoder, struct error *err)
{
    struct opus_file *file = calloc(1, sizeof *file);
    int r;

    (void)format;
    if (file == NULL)
        return error_set(err, -ENOMEM, "no memory for %s", sink->path);
    file->encoder = (struct encoder){.write = opus_write, .complete = opus_complete, .free = opus_free};
    file->sink = sink;
    r = set_up(file, sample_rate, err);
    if (r < 0)
        opus_free(&file->encoder);
    else
        *ret_encoder = &file->encoder;
    return r;
}
