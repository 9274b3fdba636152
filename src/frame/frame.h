/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frames between the worker and a synthesizer, over the synthesizer's stdin and stdout.
 *
 * Pure: bytes to structs and back.  Neither side trusts the other: every length is checked here, before
 * memory is taken for it.  docs/ENGINES.md describes the frames for whoever writes another engine.
 */
#ifndef FRAME_FRAME_H
#define FRAME_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

/* Raised when an old engine and a new worker would misunderstand each other. */
#define FRAME_PROTOCOL 1

/* Type, three bytes of zero, length of the payload. */
#define FRAME_HEADER_SIZE 8

/* What a pipe holds; a larger frame would only wait. */
#define FRAME_PAYLOAD_MAX (64 * 1024)

/* A segment's text.  The worker cuts far shorter ones (text/segment.h); in any script a sentence fits. */
#define FRAME_TEXT_MAX 4096

/* A name of a voice, a language or an engine: one line on a terminal. */
#define FRAME_NAME_MAX 63

/* An error's message: one line of a log. */
#define FRAME_MESSAGE_MAX 200

/* Far more than any engine has, and they must fit into one frame. */
#define FRAME_VOICES_MAX 128

/* Samples in one piece: a second of the usual voice, half the payload. */
#define FRAME_PIECE_MAX 16384

/* Every second byte of a text can begin a word. */
#define FRAME_WORDS_MAX (FRAME_TEXT_MAX / 2)

/* What engines may say of themselves; telephone to studio. */
#define FRAME_RATE_MIN 4000
#define FRAME_RATE_MAX 48000

/* The contract of speed and pitch: 1 is as the voice is. */
#define FRAME_FACTOR_MIN 0.5
#define FRAME_FACTOR_MAX 2.0

/*
 * The most audio that a text may make at speed 1.  The densest texts known (a row of per cent signs, of
 * capitals, of digits) make 570 ms a byte, prose 65; a single byte is surrounded by pauses.
 */
#define FRAME_AUDIO_MS_PER_BYTE 1000
#define FRAME_AUDIO_MS_BASE     5000

enum frame_type {
    FRAME_READY = 1,  /* engine: once, before all else */
    FRAME_AUDIO = 2,  /* engine: a piece of the segment that it speaks */
    FRAME_WORDS = 3,  /* engine: when its words are heard */
    FRAME_DONE = 4,   /* engine: the segment is complete */
    FRAME_ERROR = 5,  /* engine: the segment cannot be spoken */
    FRAME_SPEAK = 16, /* worker: a segment to speak */
};

enum frame_error_code {
    FRAME_FLOODED = 1,       /* more audio than frame_samples_max() */
    FRAME_BAD_TEXT = 2,      /* too long, empty, or of bytes that the engine does not take */
    FRAME_UNKNOWN_VOICE = 3, /* no such language, or no such voice in it */
    FRAME_BAD_VALUE = 4,     /* speed or pitch out of range */
    FRAME_ENGINE_FAILED = 5, /* the engine gave up and ends: what was sent behind it is to be sent again */
};

/* Strings end with NUL, and lie in the bytes that were parsed. */
struct frame_voice {
    const char *language;
    const char *id;
    uint32_t sample_rate; /* Hz */
};

struct frame_ready {
    uint32_t protocol;
    const char *engine;
    size_t voice_count;
    struct frame_voice voices[FRAME_VOICES_MAX];
};

struct frame_audio {
    uint32_t id; /* of the SPEAK that it answers, as in the frames below */
    uint32_t sample_rate;
    size_t count;             /* samples, 1 to FRAME_PIECE_MAX */
    const unsigned char *pcm; /* 16 bits each, little-endian; frame_audio_samples() reads them */
};

/* Bytes of the text and samples of the segment; ends are exclusive. */
struct frame_word {
    uint32_t text_start;
    uint32_t text_end;
    uint32_t sample_start;
    uint32_t sample_end;
};

struct frame_words {
    uint32_t id;
    size_t count;              /* up to FRAME_WORDS_MAX */
    const unsigned char *rows; /* frame_words_at() reads them */
};

struct frame_done {
    uint32_t id;
    uint32_t sample_rate;
    uint32_t samples; /* in all; 0 where the text has nothing to speak */
};

struct frame_error {
    uint32_t id;
    uint32_t code; /* enum frame_error_code, or one of a later protocol */
    const char *message;
};

struct frame_speak {
    uint32_t id;
    double speed;
    double pitch;
    const char *language;
    const char *voice;
    const char *text; /* NUL ends it, and none is inside */
    size_t text_bytes;
};

struct frame {
    enum frame_type type;
    size_t size; /* header and payload: what to take from the front of the bytes */
    union {
        struct frame_ready ready;
        struct frame_audio audio;
        struct frame_words words;
        struct frame_done done;
        struct frame_error error;
        struct frame_speak speak;
    };
};

/*
 * Reads the frame at the front of size bytes; *ret_frame borrows from them.  FRAME_INCOMPLETE where more
 * bytes are needed; -EPROTO for bytes that are no frame, noticed as soon as the header tells.
 */
#define FRAME_INCOMPLETE 1
int frame_parse(const void *bytes, size_t size, struct frame *ret_frame, struct error *err);

void frame_audio_samples(const struct frame_audio *audio, int16_t *ret_samples);
struct frame_word frame_words_at(const struct frame_words *words, size_t index);

/*
 * Append a frame to buf, whose failure sticks where it did not fit.  A value past its maximum is a fault of
 * the caller (assert), but for the message, which is cut.
 */
void frame_put_ready(struct buf *buf, const struct frame_ready *ready);
void frame_put_audio(struct buf *buf, uint32_t id, uint32_t sample_rate, const int16_t *samples,
                     size_t count);
void frame_put_words(struct buf *buf, uint32_t id, const struct frame_word *words, size_t count);
void frame_put_done(struct buf *buf, const struct frame_done *done);
void frame_put_error(struct buf *buf, uint32_t id, enum frame_error_code code, const char *message);
void frame_put_speak(struct buf *buf, const struct frame_speak *speak);

/* The most samples that a text of so many bytes may make; both sides hold the other to it. */
uint32_t frame_samples_max(size_t text_bytes, double speed, uint32_t sample_rate);

#endif
