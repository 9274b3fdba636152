/* SPDX-License-Identifier: Apache-2.0 */
#include "frame/frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"

#define ROOM (2 * (FRAME_HEADER_SIZE + FRAME_PAYLOAD_MAX))

static struct frame testcase_parse(const struct buf *buf)
{
    struct frame frame;
    struct error err = {.text = ""};

    cr_assert(buf_ok(buf));
    cr_assert_eq(frame_parse(buf->data, buf->length, &frame, &err), 0, "%s", err.text);
    cr_assert_eq(frame.size, buf->length);
    return frame;
}

Test(frame, ready_tells_engine_and_voices)
{
    struct buf buf = BUF_INIT(ROOM);
    struct frame_ready ready = {.protocol = FRAME_PROTOCOL,
                                .engine = "flite",
                                .voice_count = 2,
                                .voices = {{"english", "slt", 16000}, {"english", "kal", 8000}}};
    struct frame frame;

    frame_put_ready(&buf, &ready);
    frame = testcase_parse(&buf);
    cr_assert_eq(frame.type, FRAME_READY);
    cr_assert_eq(frame.ready.protocol, FRAME_PROTOCOL);
    cr_assert_str_eq(frame.ready.engine, "flite");
    cr_assert_eq(frame.ready.voice_count, 2);
    cr_assert_str_eq(frame.ready.voices[1].language, "english");
    cr_assert_str_eq(frame.ready.voices[1].id, "kal");
    cr_assert_eq(frame.ready.voices[1].sample_rate, 8000);
    buf_release(&buf);
}

Test(frame, audio_keeps_every_sample)
{
    struct buf buf = BUF_INIT(ROOM);
    static int16_t samples[FRAME_PIECE_MAX], back[FRAME_PIECE_MAX];
    struct frame frame;

    for (size_t i = 0; i < FRAME_PIECE_MAX; i++)
        samples[i] = (int16_t)(i * 4 - 32768);
    frame_put_audio(&buf, 7, 16000, samples, FRAME_PIECE_MAX);
    frame = testcase_parse(&buf);
    cr_assert_eq(frame.type, FRAME_AUDIO);
    cr_assert_eq(frame.audio.id, 7);
    cr_assert_eq(frame.audio.sample_rate, 16000);
    cr_assert_eq(frame.audio.count, FRAME_PIECE_MAX);
    frame_audio_samples(&frame.audio, back);
    cr_assert_arr_eq(samples, back, sizeof samples);
    buf_release(&buf);
}

Test(frame, the_most_words_fit_into_one_frame)
{
    struct buf buf = BUF_INIT(ROOM);
    static struct frame_word words[FRAME_WORDS_MAX];
    struct frame frame;
    struct frame_word last;

    for (uint32_t i = 0; i < FRAME_WORDS_MAX; i++)
        words[i] = (struct frame_word){2 * i, 2 * i + 1, 1000 * i, 1000 * i + 999};
    frame_put_words(&buf, 8, words, FRAME_WORDS_MAX);
    frame = testcase_parse(&buf);
    cr_assert_eq(frame.words.id, 8);
    cr_assert_eq(frame.words.count, FRAME_WORDS_MAX);
    last = frame_words_at(&frame.words, FRAME_WORDS_MAX - 1);
    cr_assert_eq(last.text_start, FRAME_TEXT_MAX - 2);
    cr_assert_eq(last.text_end, FRAME_TEXT_MAX - 1);
    cr_assert_eq(last.sample_start, 2047000);
    cr_assert_eq(last.sample_end, 2047999);
    buf_release(&buf);
}

Test(frame, speak_keeps_text_and_factors)
{
    struct buf buf = BUF_INIT(ROOM);
    struct frame_speak speak = {.id = 4000000000,
                                .speed = 1.25,
                                .pitch = 0.7,
                                .language = "english",
                                .voice = "slt",
                                .text = "Good morning. This is not sent.",
                                .text_bytes = 13};
    struct frame frame;

    frame_put_speak(&buf, &speak);
    frame = testcase_parse(&buf);
    cr_assert_eq(frame.type, FRAME_SPEAK);
    cr_assert_eq(frame.speak.id, 4000000000);
    cr_assert_eq(frame.speak.speed, 1.25);
    cr_assert_eq(frame.speak.pitch, 0.7);
    cr_assert_str_eq(frame.speak.language, "english");
    cr_assert_str_eq(frame.speak.voice, "slt");
    cr_assert_str_eq(frame.speak.text, "Good morning.");
    cr_assert_eq(frame.speak.text_bytes, 13);
    buf_release(&buf);
}

Test(frame, done_and_error_carry_their_numbers_and_a_cut_message)
{
    struct buf buf = BUF_INIT(ROOM);
    char message[FRAME_MESSAGE_MAX + 100];
    struct frame frame;

    frame_put_done(&buf, &(struct frame_done){.id = 1, .sample_rate = 8000, .samples = 123456});
    frame = testcase_parse(&buf);
    cr_assert_eq(frame.done.id, 1);
    cr_assert_eq(frame.done.sample_rate, 8000);
    cr_assert_eq(frame.done.samples, 123456);

    buf_clear(&buf);
    memset(message, 'x', sizeof message);
    message[sizeof message - 1] = '\0';
    frame_put_error(&buf, 2, FRAME_FLOODED, message);
    frame = testcase_parse(&buf);
    cr_assert_eq(frame.error.id, 2);
    cr_assert_eq(frame.error.code, FRAME_FLOODED);
    cr_assert_eq(strlen(frame.error.message), FRAME_MESSAGE_MAX);
    buf_release(&buf);
}

Test(frame, frames_come_out_of_a_stream_that_is_cut_anywhere)
{
    struct buf buf = BUF_INIT(ROOM);
    struct frame frame;
    size_t first;

    frame_put_error(&buf, 1, FRAME_BAD_TEXT, "no");
    first = buf.length;
    frame_put_done(&buf, &(struct frame_done){.id = 2, .sample_rate = 16000, .samples = 5});
    for (size_t length = 0; length < first; length++) {
        /* An exact copy, so that a read past the end shows. */
        char *part = malloc(length + 1);

        memcpy(part, buf.data, length);
        cr_assert_eq(frame_parse(part, length, &frame, NULL), FRAME_INCOMPLETE);
        free(part);
    }
    cr_assert_eq(frame_parse(buf.data, buf.length, &frame, NULL), 0);
    cr_assert_eq(frame.type, FRAME_ERROR);
    cr_assert_eq(frame.size, first);
    buf_consume(&buf, frame.size);
    cr_assert_eq(frame_parse(buf.data, buf.length, &frame, NULL), 0);
    cr_assert_eq(frame.done.samples, 5);
    buf_release(&buf);
}

Test(frame, hostile_bytes_are_refused)
{
    static const struct {
        const char *what;
        size_t size;
        const char *bytes;
    } cases[] = {
        {"an unknown type", 8, "\x09\0\0\0\0\0\0\0"},
        {"type 0", 8, "\0\0\0\0\0\0\0\0"},
        {"a reserved byte", 8, "\x04\1\0\0\x0c\0\0\0"},
        {"a payload past the maximum, before it came", 8, "\x02\0\0\0\1\0\1\0"},
        {"a payload of 4 GiB", 8, "\x02\0\0\0\xff\xff\xff\xff"},
        {"DONE too short", 12, "\x04\0\0\0\4\0\0\0\1\0\0\0"},
        {"DONE too long", 21, "\x04\0\0\0\x0d\0\0\0\1\0\0\0\x80\x3e\0\0\1\0\0\0\0"},
        {"DONE at 0 Hz", 20, "\x04\0\0\0\x0c\0\0\0\1\0\0\0\0\0\0\0\1\0\0\0"},
        {"AUDIO without samples", 16, "\x02\0\0\0\x08\0\0\0\1\0\0\0\x80\x3e\0\0"},
        {"AUDIO of half a sample", 17, "\x02\0\0\0\x09\0\0\0\1\0\0\0\x80\x3e\0\0\0"},
        {"AUDIO at 2 GHz", 18, "\x02\0\0\0\x0a\0\0\0\1\0\0\0\0\0\0\x80\0\0"},
        {"WORDS with a broken row", 16, "\x03\0\0\0\x08\0\0\0\1\0\0\0\0\0\0\0"},
        {"ERROR whose string runs out", 18, "\x05\0\0\0\x0a\0\0\0\1\0\0\0\1\0\0\0\x09\0"},
        {"ERROR whose string lacks its NUL", 20, "\x05\0\0\0\x0c\0\0\0\1\0\0\0\1\0\0\0\1\0xx"},
        {"ERROR with a NUL inside", 21, "\x05\0\0\0\x0d\0\0\0\1\0\0\0\1\0\0\0\2\0x\0\0"},
        {"READY with voices that are not there", 17, "\x01\0\0\0\x09\0\0\0\1\0\0\0\0\0\0\xff\xff"},
    };

    for (size_t i = 0; i < array_length(cases); i++) {
        struct frame frame = {.type = FRAME_SPEAK};
        struct error err = {.text = ""};
        char *exact = malloc(cases[i].size);
        int r;

        memcpy(exact, cases[i].bytes, cases[i].size);
        r = frame_parse(exact, cases[i].size, &frame, &err);
        cr_assert_eq(r, -EPROTO, "%s: %d", cases[i].what, r);
        cr_assert(err.text[0] != '\0');
        cr_assert_eq(frame.type, FRAME_SPEAK, "%s: the output stays untouched", cases[i].what);
        free(exact);
    }
}

Test(frame, random_bytes_never_read_past_their_end)
{
    struct frame frame;

    srand(1);
    for (int round = 0; round < 20000; round++) {
        size_t size = 8 + (size_t)rand() % 120;
        unsigned char *bytes = malloc(size);

        for (size_t i = 0; i < size; i++)
            bytes[i] = rand() % 4 == 0 ? (unsigned char)rand() : 0;
        bytes[0] = (unsigned char)(1 + rand() % 6);
        if (bytes[0] == 6)
            bytes[0] = FRAME_SPEAK;
        memset(bytes + 1, 0, 7);
        bytes[4] = (unsigned char)(size - 8);
        frame_parse(bytes, size, &frame, NULL);
        free(bytes);
    }
}

Test(frame, the_audio_limit_follows_length_speed_and_rate)
{
    cr_assert_eq(frame_samples_max(0, 1, 16000), 80000);
    cr_assert_eq(frame_samples_max(100, 1, 16000), 1680000);
    cr_assert_eq(frame_samples_max(100, 0.5, 8000), 1680000);
    cr_assert_gt(frame_samples_max(FRAME_TEXT_MAX, FRAME_FACTOR_MIN, FRAME_RATE_MAX), 1);
}
