/* SPDX-License-Identifier: Apache-2.0 */
/* The frames between worker and synthesizer, neither of which trusts the other. */
#include <errno.h>

#include "frame/frame.h"
#include "fuzz/fuzz.h"

static void look_at(const struct frame *frame)
{
    static int16_t samples[FRAME_PIECE_MAX];

    switch (frame->type) {
    case FRAME_READY:
        check(frame->ready.voice_count <= FRAME_VOICES_MAX && strlen(frame->ready.engine) <= FRAME_NAME_MAX);
        for (size_t i = 0; i < frame->ready.voice_count; i++)
            check(strlen(frame->ready.voices[i].language) <= FRAME_NAME_MAX &&
                  strlen(frame->ready.voices[i].id) <= FRAME_NAME_MAX);
        break;
    case FRAME_AUDIO:
        check(frame->audio.count >= 1 && frame->audio.count <= FRAME_PIECE_MAX);
        frame_audio_samples(&frame->audio, samples);
        break;
    case FRAME_WORDS:
        check(frame->words.count <= FRAME_WORDS_MAX);
        for (size_t i = 0; i < frame->words.count; i++)
            frame_words_at(&frame->words, i);
        break;
    case FRAME_DONE:
        break;
    case FRAME_ERROR:
        check(strlen(frame->error.message) <= FRAME_MESSAGE_MAX);
        break;
    case FRAME_SPEAK:
        check(frame->speak.text_bytes <= FRAME_TEXT_MAX);
        check(strlen(frame->speak.text) == frame->speak.text_bytes);
        check(strlen(frame->speak.language) <= FRAME_NAME_MAX &&
              strlen(frame->speak.voice) <= FRAME_NAME_MAX);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct frame frame; /* large */
    struct error err = {""};
    int r = 0;

    while (r == 0) {
        r = frame_parse(data, size, &frame, &err);
        check(r == 0 || r == FRAME_INCOMPLETE || (r == -EPROTO && *err.text != '\0'));
        if (r == 0) {
            check(frame.size >= FRAME_HEADER_SIZE && frame.size <= size);
            check(frame.size <= FRAME_HEADER_SIZE + FRAME_PAYLOAD_MAX);
            look_at(&frame);
            data += frame.size;
            size -= frame.size;
        }
    }
    return 0;
}
