/* SPDX-License-Identifier: Apache-2.0 */
#include "frame/frame.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

#define WORD_SIZE 16 /* bytes of a row of WORDS */

/* What is left to read of a payload.  A read past the end sticks and gives zeros, so one check serves for
 * all. */
struct reader {
    const unsigned char *at;
    size_t left;
    bool failed;
};

static const unsigned char *take(struct reader *reader, size_t size)
{
    const unsigned char *at = reader->at;

    if (reader->failed || size > reader->left) {
        reader->failed = true;
        return NULL;
    }
    reader->at += size;
    reader->left -= size;
    return at;
}

static uint32_t load_u16(const unsigned char *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8;
}

static uint32_t load_u32(const unsigned char *at)
{
    return load_u16(at) | load_u16(at + 2) << 16;
}

static uint32_t take_u16(struct reader *reader)
{
    const unsigned char *at = take(reader, 2);

    return at != NULL ? load_u16(at) : 0;
}

static uint32_t take_u32(struct reader *reader)
{
    const unsigned char *at = take(reader, 4);

    return at != NULL ? load_u32(at) : 0;
}

static double take_f64(struct reader *reader)
{
    uint64_t bits = take_u32(reader);
    double value;

    bits |= (uint64_t)take_u32(reader) << 32;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Length, that many bytes, NUL. */
static const char *take_string(struct reader *reader, size_t maximum, size_t *ret_length)
{
    size_t length = take_u16(reader);
    const unsigned char *at = take(reader, length + 1);

    if (at == NULL || length > maximum || at[length] != '\0' || memchr(at, '\0', length) != NULL) {
        reader->failed = true;
        return "";
    }
    if (ret_length != NULL)
        *ret_length = length;
    return (const char *)at;
}

static void read_ready(struct reader *reader, struct frame *frame)
{
    struct frame_ready *ready = &frame->ready;

    ready->protocol = take_u32(reader);
    ready->engine = take_string(reader, FRAME_NAME_MAX, NULL);
    ready->voice_count = take_u16(reader);
    if (ready->voice_count > FRAME_VOICES_MAX) {
        reader->failed = true;
        return;
    }
    for (size_t i = 0; i < ready->voice_count; i++) {
        struct frame_voice *voice = &ready->voices[i];

        voice->language = take_string(reader, FRAME_NAME_MAX, NULL);
        voice->id = take_string(reader, FRAME_NAME_MAX, NULL);
        voice->sample_rate = take_u32(reader);
        if (voice->sample_rate < FRAME_RATE_MIN || voice->sample_rate > FRAME_RATE_MAX)
            reader->failed = true;
    }
}

static void read_audio(struct reader *reader, struct frame *frame)
{
    struct frame_audio *audio = &frame->audio;

    audio->id = take_u32(reader);
    audio->sample_rate = take_u32(reader);
    audio->count = reader->left / 2;
    audio->pcm = take(reader, audio->count * 2);
    if (audio->count == 0 || audio->count > FRAME_PIECE_MAX || audio->sample_rate < FRAME_RATE_MIN ||
        audio->sample_rate > FRAME_RATE_MAX)
        reader->failed = true;
}

static void read_words(struct reader *reader, struct frame *frame)
{
    struct frame_words *words = &frame->words;

    words->id = take_u32(reader);
    words->count = reader->left / WORD_SIZE;
    words->rows = take(reader, words->count * WORD_SIZE);
    if (words->count > FRAME_WORDS_MAX)
        reader->failed = true;
}

static void read_done(struct reader *reader, struct frame *frame)
{
    frame->done.id = take_u32(reader);
    frame->done.sample_rate = take_u32(reader);
    frame->done.samples = take_u32(reader);
    if (frame->done.sample_rate < FRAME_RATE_MIN || frame->done.sample_rate > FRAME_RATE_MAX)
        reader->failed = true;
}

static void read_error(struct reader *reader, struct frame *frame)
{
    frame->error.id = take_u32(reader);
    frame->error.code = take_u32(reader);
    frame->error.message = take_string(reader, FRAME_MESSAGE_MAX, NULL);
}

static void read_speak(struct reader *reader, struct frame *frame)
{
    struct frame_speak *speak = &frame->speak;

    speak->id = take_u32(reader);
    speak->speed = take_f64(reader);
    speak->pitch = take_f64(reader);
    speak->language = take_string(reader, FRAME_NAME_MAX, NULL);
    speak->voice = take_string(reader, FRAME_NAME_MAX, NULL);
    speak->text = take_string(reader, FRAME_TEXT_MAX, &speak->text_bytes);
}

static const struct {
    enum frame_type type;
    const char *name;
    void (*read)(struct reader *reader, struct frame *frame);
} readers[] = {
    {FRAME_READY, "READY", read_ready}, {FRAME_AUDIO, "AUDIO", read_audio},
    {FRAME_WORDS, "WORDS", read_words}, {FRAME_DONE, "DONE", read_done},
    {FRAME_ERROR, "ERROR", read_error}, {FRAME_SPEAK, "SPEAK", read_speak},
};

int frame_parse(const void *bytes, size_t size, struct frame *ret_frame, struct error *err)
{
    const unsigned char *header = bytes;
    size_t length, i;
    struct reader reader;
    struct frame frame;

    if (size < FRAME_HEADER_SIZE)
        return FRAME_INCOMPLETE;
    for (i = 0; i < array_length(readers) && readers[i].type != header[0]; i++)
        continue;
    if (i == array_length(readers) || header[1] != 0 || header[2] != 0 || header[3] != 0)
        return error_set(err, -EPROTO, "bytes that are no frame (type %d)", header[0]);
    length = load_u32(header + 4);
    if (length > FRAME_PAYLOAD_MAX)
        return error_set(err, -EPROTO, "a %s frame of %zu bytes, more than %d", readers[i].name, length,
                         FRAME_PAYLOAD_MAX);
    if (size - FRAME_HEADER_SIZE < length)
        return FRAME_INCOMPLETE;
    reader = (struct reader){.at = header + FRAME_HEADER_SIZE, .left = length};
    frame.type = readers[i].type;
    frame.size = FRAME_HEADER_SIZE + length;
    readers[i].read(&reader, &frame);
    if (reader.failed || reader.left > 0)
        return error_set(err, -EPROTO, "a malformed %s frame", readers[i].name);
    *ret_frame = frame;
    return 0;
}

void frame_audio_samples(const struct frame_audio *audio, int16_t *ret_samples)
{
    for (size_t i = 0; i < audio->count; i++)
        ret_samples[i] = (int16_t)(uint16_t)load_u16(audio->pcm + 2 * i);
}

struct frame_word frame_words_at(const struct frame_words *words, size_t index)
{
    const unsigned char *row = words->rows + WORD_SIZE * index;

    return (struct frame_word){load_u32(row), load_u32(row + 4), load_u32(row + 8), load_u32(row + 12)};
}

static void store_u32(unsigned char *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (unsigned char)(value >> (8 * i));
}

static void put_u32(struct buf *buf, uint32_t value)
{
    unsigned char bytes[4];

    store_u32(bytes, value);
    buf_append(buf, bytes, sizeof bytes);
}

static void put_f64(struct buf *buf, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    put_u32(buf, (uint32_t)bits);
    put_u32(buf, (uint32_t)(bits >> 32));
}

static void put_u16(struct buf *buf, size_t value)
{
    unsigned char bytes[2] = {(unsigned char)value, (unsigned char)(value >> 8)};

    buf_append(buf, bytes, sizeof bytes);
}

static void put_string(struct buf *buf, const char *text, size_t length)
{
    put_u16(buf, length);
    buf_append(buf, text, length);
    buf_append(buf, "", 1);
}

static void put_name(struct buf *buf, const char *name)
{
    size_t length = strlen(name);

    assert(length <= FRAME_NAME_MAX);
    put_string(buf, name, length);
}

static void put_header(struct buf *buf, enum frame_type type, size_t length)
{
    unsigned char header[FRAME_HEADER_SIZE] = {(unsigned char)type};

    store_u32(header + 4, (uint32_t)length);
    buf_append(buf, header, sizeof header);
}

/* Frames whose length shows only when they are written: begin() leaves the length open, end() fills it in. */
static size_t begin(struct buf *buf, enum frame_type type)
{
    put_header(buf, type, 0);
    return buf->length;
}

static void end(struct buf *buf, size_t payload)
{
    if (!buf_ok(buf))
        return;
    assert(buf->length - payload <= FRAME_PAYLOAD_MAX);
    store_u32((unsigned char *)buf->data + payload - 4, (uint32_t)(buf->length - payload));
}

void frame_put_ready(struct buf *buf, const struct frame_ready *ready)
{
    size_t payload = begin(buf, FRAME_READY);

    assert(ready->voice_count <= FRAME_VOICES_MAX);
    put_u32(buf, ready->protocol);
    put_name(buf, ready->engine);
    put_u16(buf, ready->voice_count);
    for (size_t i = 0; i < ready->voice_count; i++) {
        put_name(buf, ready->voices[i].language);
        put_name(buf, ready->voices[i].id);
        put_u32(buf, ready->voices[i].sample_rate);
    }
    end(buf, payload);
}

void frame_put_audio(struct buf *buf, uint32_t id, uint32_t sample_rate, const int16_t *samples, size_t count)
{
    unsigned char *room;

    assert(count > 0 && count <= FRAME_PIECE_MAX);
    put_header(buf, FRAME_AUDIO, 8 + 2 * count);
    put_u32(buf, id);
    put_u32(buf, sample_rate);
    room = (unsigned char *)buf_reserve(buf, 2 * count);
    if (room == NULL)
        return;
    for (size_t i = 0; i < count; i++) {
        room[2 * i] = (unsigned char)samples[i];
        room[2 * i + 1] = (unsigned char)((uint16_t)samples[i] >> 8);
    }
    buf_commit(buf, 2 * count);
}

void frame_put_words(struct buf *buf, uint32_t id, const struct frame_word *words, size_t count)
{
    assert(count <= FRAME_WORDS_MAX);
    put_header(buf, FRAME_WORDS, 4 + WORD_SIZE * count);
    put_u32(buf, id);
    for (size_t i = 0; i < count; i++) {
        put_u32(buf, words[i].text_start);
        put_u32(buf, words[i].text_end);
        put_u32(buf, words[i].sample_start);
        put_u32(buf, words[i].sample_end);
    }
}

void frame_put_done(struct buf *buf, const struct frame_done *done)
{
    put_header(buf, FRAME_DONE, 12);
    put_u32(buf, done->id);
    put_u32(buf, done->sample_rate);
    put_u32(buf, done->samples);
}

void frame_put_error(struct buf *buf, uint32_t id, enum frame_error_code code, const char *message)
{
    size_t payload = begin(buf, FRAME_ERROR);

    put_u32(buf, id);
    put_u32(buf, (uint32_t)code);
    put_string(buf, message, strnlen(message, FRAME_MESSAGE_MAX));
    end(buf, payload);
}

void frame_put_speak(struct buf *buf, const struct frame_speak *speak)
{
    size_t payload = begin(buf, FRAME_SPEAK);

    assert(speak->text_bytes <= FRAME_TEXT_MAX);
    put_u32(buf, speak->id);
    put_f64(buf, speak->speed);
    put_f64(buf, speak->pitch);
    put_name(buf, speak->language);
    put_name(buf, speak->voice);
    put_string(buf, speak->text, speak->text_bytes);
    end(buf, payload);
}

uint32_t frame_samples_max(size_t text_bytes, double speed, uint32_t sample_rate)
{
    double seconds = ((double)text_bytes * FRAME_AUDIO_MS_PER_BYTE + FRAME_AUDIO_MS_BASE) / (1000.0 * speed);

    /* At most 8,202 s at 48 kHz: it fits. */
    assert(text_bytes <= FRAME_TEXT_MAX && speed >= FRAME_FACTOR_MIN && sample_rate <= FRAME_RATE_MAX);
    return (uint32_t)(seconds * sample_rate);
}
