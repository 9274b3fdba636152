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
#include "speech/piece.h"

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

/*
 * The audio is encoded in pieces that know nothing of each other, so that several cores can work at one file.
 * The encoder hears the end of the piece before first: the transform overlaps as if there were no seam, and
 * what came of it is thrown away.  The first packet of a piece is predicted from nothing, so that a decoder
 * is right from there on, whatever it has heard before.
 */
#define PIECE_SECONDS 10
#define LEAD_FRAMES   2

/* In front of each packet of a piece. */
#define LENGTH_SIZE 2

/* RFC 7845, section 4: positions count samples at this rate, whatever was encoded. */
#define GRANULE_RATE 48000

/* A page a second, as section 6 wants it at most. */
#define PACKETS_PER_PAGE FRAMES_PER_SECOND

#define HEAD_SIZE 19
#define TAGS_MAX  512

static size_t frame_size(int sample_rate)
{
    return (size_t)(sample_rate / FRAMES_PER_SECOND);
}

/* ---- pieces ---- */

size_t audio_piece_size(enum audio_format format, int sample_rate)
{
    return format == AUDIO_OPUS ? PIECE_SECONDS * FRAMES_PER_SECOND * frame_size(sample_rate) : 0;
}

size_t audio_piece_lead(enum audio_format format, int sample_rate)
{
    return format == AUDIO_OPUS ? LEAD_FRAMES * frame_size(sample_rate) : 0;
}

/* *ret_delay: how many samples its output lags behind. */
static int make_encoder(int sample_rate, OpusEncoder **ret_opus, opus_int32 *ret_delay, struct error *err)
{
    int number;
    OpusEncoder *opus = opus_encoder_create(sample_rate, 1, MODE, &number);

    if (number == OPUS_OK)
        number = opus_encoder_ctl(opus, OPUS_SET_BITRATE(BIT_RATE(sample_rate)));
    if (number == OPUS_OK)
        number = opus_encoder_ctl(opus, OPUS_SET_COMPLEXITY(COMPLEXITY));
    if (number == OPUS_OK)
        number = opus_encoder_ctl(opus, OPUS_GET_LOOKAHEAD(ret_delay));
    if (number == OPUS_OK) {
        *ret_opus = opus;
        return 0;
    }
    if (opus != NULL)
        opus_encoder_destroy(opus);
    return error_set(err, number == OPUS_BAD_ARG ? -EINVAL : -EIO, "cannot encode %d Hz as opus: %s",
                     sample_rate, opus_strerror(number));
}

static int encode_frame(OpusEncoder *opus, const int16_t *samples, size_t count, struct buf *packets,
                        struct error *err)
{
    unsigned char packet[LENGTH_SIZE + PACKET_MAX];
    opus_int32 length = opus_encode(opus, samples, (int)count, packet + LENGTH_SIZE, PACKET_MAX);

    if (length < 0)
        return error_set(err, -EIO, "cannot encode opus: %s", opus_strerror(length));
    put_little_endian(packet, (uint64_t)length, LENGTH_SIZE);
    buf_append(packets, packet, LENGTH_SIZE + (size_t)length);
    return 0;
}

/* The frame that the audio ends in is filled up with silence. */
static int encode_samples(OpusEncoder *opus, const struct audio_piece *piece, size_t end, struct buf *packets,
                          struct error *err)
{
    size_t size = frame_size(piece->sample_rate);
    int16_t filled[FRAME_MAX] = {0};
    int r = 0;

    for (size_t at = 0; r == 0 && at < end; at += size) {
        size_t left = at < piece->count ? piece->count - at : 0;
        const int16_t *frame = piece->samples + at;

        if (left < size) {
            memset(filled, 0, sizeof filled);
            memcpy(filled, piece->samples + piece->count - left, left * sizeof *filled);
            frame = filled;
        }
        opus_encoder_ctl(opus, OPUS_SET_PREDICTION_DISABLED(at == 0));
        r = encode_frame(opus, frame, size, packets, err);
    }
    return r;
}

int audio_piece_encode(const struct audio_piece *piece, struct buf *packets, struct error *err)
{
    struct buf thrown_away = BUF_INIT(LEAD_FRAMES * (LENGTH_SIZE + PACKET_MAX));
    size_t size = frame_size(piece->sample_rate);
    opus_int32 delay = 0;
    OpusEncoder *opus = NULL;
    int r = make_encoder(piece->sample_rate, &opus, &delay, err);

    if (opus == NULL)
        return r;
    for (size_t lead = piece->lead; r == 0 && lead > 0; lead -= size)
        r = encode_frame(opus, piece->samples - lead, size, &thrown_away, err);
    /* Behind the end, silence pushes out what the delay holds back. */
    if (r == 0)
        r = encode_samples(opus, piece, piece->count + (piece->is_last ? (size_t)delay : 0), packets, err);
    opus_encoder_destroy(opus);
    buf_release(&thrown_away);
    if (r == 0 && !buf_ok(packets))
        r = error_set(err, -ENOMEM, "no memory for a piece of opus");
    return r;
}

/* ---- the file ---- */

struct opus_file {
    struct encoder encoder;
    struct sink *sink;
    int sample_rate;
    int64_t granules; /* of a sample */
    int64_t preskip;  /* granules that the decoder throws away: the encoder's delay */
    int64_t samples;  /* in the packets so far */
    int64_t frames;   /* likewise */
    int16_t *held;    /* what comes sample by sample: a lead and a piece, when it is first needed */
    size_t lead;
    size_t count;
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
static int write_headers(struct opus_file *file, struct error *err)
{
    unsigned char head[HEAD_SIZE] =
        "OpusHead\1\1"; /* version, channels; the rest is 0: no gain, plain mono */
    struct buf tags = BUF_INIT(TAGS_MAX);
    static const unsigned char tag_count[4] = {3};
    bool ok;

    put_little_endian(head + 10, (uint64_t)file->preskip, 2);
    put_little_endian(head + 12, (uint64_t)file->sample_rate, 4);
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
    int64_t encoded = file->frames * (int64_t)frame_size(file->sample_rate) * file->granules;
    int64_t end = file->preskip + file->samples * file->granules;

    ogg_page_write(&file->page, file->sink, is_last ? end : encoded, is_last);
    file->packets = 0;
}

/* A page is written only when there is a packet for the next one, so that the last page has one. */
static void add_packet(struct opus_file *file, const void *packet, size_t size)
{
    if (file->packets == PACKETS_PER_PAGE)
        write_page(file, false);
    if (!ogg_page_add(&file->page, packet, size)) {
        write_page(file, false);
        ogg_page_add(&file->page, packet, size);
    }
    file->packets++;
    file->frames++;
}

static int opus_add(struct encoder *encoder, const struct buf *packets, size_t samples, struct error *err)
{
    struct opus_file *file = container_of(encoder, struct opus_file, encoder);
    const unsigned char *at = (const unsigned char *)packets->data, *end = at + packets->length;

    (void)err;
    while (at < end) {
        size_t size = at[0] | (size_t)at[1] << 8;

        add_packet(file, at + LENGTH_SIZE, size);
        at += LENGTH_SIZE + size;
    }
    file->samples += (int64_t)samples;
    return 0;
}

/* ---- sample by sample ---- */

/* Encodes what is held, and keeps its end as the lead of the next piece. */
static int encode_held(struct opus_file *file, bool is_last, struct error *err)
{
    size_t lead = audio_piece_lead(AUDIO_OPUS, file->sample_rate);
    const struct audio_piece piece = {.samples = file->held + lead,
                                      .lead = file->lead,
                                      .count = file->count,
                                      .sample_rate = file->sample_rate,
                                      .is_last = is_last};
    struct buf packets = BUF_INIT(AUDIO_PIECE_BYTES_MAX);
    int r = audio_piece_encode(&piece, &packets, err);

    if (r == 0)
        r = opus_add(&file->encoder, &packets, file->count, err);
    buf_release(&packets);
    if (r == 0 && !is_last) {
        memcpy(file->held, file->held + file->count, lead * sizeof *file->held);
        file->lead = lead;
        file->count = 0;
    }
    return r;
}

static int hold(struct opus_file *file, struct error *err)
{
    size_t room =
        audio_piece_lead(AUDIO_OPUS, file->sample_rate) + audio_piece_size(AUDIO_OPUS, file->sample_rate);

    if (file->held == NULL)
        file->held = calloc(room, sizeof *file->held);
    return file->held != NULL ? 0 : error_set(err, -ENOMEM, "no memory for %s", file->sink->path);
}

/* A piece that is full waits for what comes behind it: it may be the last. */
static int opus_write(struct encoder *encoder, const int16_t *samples, size_t count, struct error *err)
{
    struct opus_file *file = container_of(encoder, struct opus_file, encoder);
    size_t lead = audio_piece_lead(AUDIO_OPUS, file->sample_rate);
    size_t size = audio_piece_size(AUDIO_OPUS, file->sample_rate);
    int r = hold(file, err);

    while (r == 0 && count > 0) {
        size_t taken = count < size - file->count ? count : size - file->count;

        if (taken == 0) {
            r = encode_held(file, false, err);
            continue;
        }
        memcpy(file->held + lead + file->count, samples, taken * sizeof *samples);
        file->count += taken;
        samples += taken;
        count -= taken;
    }
    return r;
}

static int opus_complete(struct encoder *encoder, struct error *err)
{
    struct opus_file *file = container_of(encoder, struct opus_file, encoder);
    int r = file->held != NULL ? encode_held(file, true, err) : 0;

    if (r == 0)
        write_page(file, true);
    return r;
}

static void opus_free(struct encoder *encoder)
{
    struct opus_file *file = container_of(encoder, struct opus_file, encoder);

    free(file->held);
    free(file);
}

static int set_up(struct opus_file *file, struct error *err)
{
    opus_int32 delay = 0;
    OpusEncoder *opus = NULL;
    int r = make_encoder(file->sample_rate, &opus, &delay, err);

    if (opus == NULL)
        return r;
    opus_encoder_destroy(opus);
    file->granules = GRANULE_RATE / file->sample_rate;
    file->preskip = delay * file->granules;
    return write_headers(file, err);
}

int opus_encoder_open(struct sink *sink, enum audio_format format, int sample_rate,
                      struct encoder **ret_encoder, struct error *err)
{
    struct opus_file *file = calloc(1, sizeof *file);
    int r;

    (void)format;
    if (file == NULL)
        return error_set(err, -ENOMEM, "no memory for %s", sink->path);
    file->encoder =
        (struct encoder){.write = opus_write, .add = opus_add, .complete = opus_complete, .free = opus_free};
    file->sink = sink;
    file->sample_rate = sample_rate;
    r = set_up(file, err);
    if (r < 0)
        opus_free(&file->encoder);
    else
        *ret_encoder = &file->encoder;
    return r;
}
