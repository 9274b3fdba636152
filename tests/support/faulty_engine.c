/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An engine that does all that an engine must not do: at its start by the word behind the dot in its own
 * name, and with a text by a word in it.  Any other text becomes RATE samples a byte, each of the value of
 * the text's first byte, and one word.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "frame/frame.h"

#define RATE             16000
#define SAMPLES_PER_BYTE 100

static struct buf out = BUF_INIT(1 << 20);

static void flush(void)
{
    if (file_write_all(STDOUT_FILENO, out.data, out.length, NULL) < 0)
        _exit(4);
    buf_clear(&out);
}

static void put_ready(uint32_t protocol)
{
    frame_put_ready(&out, &(struct frame_ready){.protocol = protocol,
                                                .engine = "faulty",
                                                .voice_count = 1,
                                                .voices = {{"english", "slt", RATE}}});
    flush();
}

static void put_audio(uint32_t id, int16_t value, size_t count)
{
    int16_t samples[FRAME_PIECE_MAX];

    for (size_t i = 0; i < FRAME_PIECE_MAX; i++)
        samples[i] = value;
    for (; count > 0; count -= count < FRAME_PIECE_MAX ? count : FRAME_PIECE_MAX)
        frame_put_audio(&out, id, RATE, samples, count < FRAME_PIECE_MAX ? count : FRAME_PIECE_MAX);
}

static void put_done(uint32_t id, size_t samples)
{
    frame_put_done(&out, &(struct frame_done){.id = id, .sample_rate = RATE, .samples = (uint32_t)samples});
    flush();
}

static void speak(const struct frame_speak *say)
{
    size_t count = say->text_bytes * SAMPLES_PER_BYTE;
    struct frame_word word = {0, (uint32_t)say->text_bytes, 0, (uint32_t)count};

    put_audio(say->id, say->text[0], count);
    frame_put_words(&out, say->id, &word, 1);
    put_done(say->id, count);
}

static void crash(const struct frame_speak *say)
{
    const struct sigaction plain = {.sa_handler = SIG_DFL};

    (void)say;
    sigaction(SIGSEGV, &plain, NULL);
    raise(SIGSEGV);
}

static void leave(const struct frame_speak *say)
{
    (void)say;
    _exit(3);
}

static void hang(const struct frame_speak *say)
{
    (void)say;
    for (;;)
        pause();
}

static void flood(const struct frame_speak *say)
{
    for (;;) {
        put_audio(say->id, 1, FRAME_PIECE_MAX);
        flush();
    }
}

static void talk_rubbish(const struct frame_speak *say)
{
    (void)say;
    buf_append_str(&out, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    flush();
    hang(say);
}

static void promise_much(const struct frame_speak *say)
{
    static const unsigned char header[FRAME_HEADER_SIZE] = {FRAME_AUDIO, 0, 0, 0, 0xff, 0xff, 0xff, 0x7f};

    buf_append(&out, header, sizeof header);
    flush();
    hang(say);
}

static void answer_another(const struct frame_speak *say)
{
    put_done(say->id + 1, 0);
    hang(say);
}

static void be_ready_again(const struct frame_speak *say)
{
    put_ready(FRAME_PROTOCOL);
    hang(say);
}

static void ask_back(const struct frame_speak *say)
{
    frame_put_speak(&out, say);
    flush();
    hang(say);
}

static void miscount(const struct frame_speak *say)
{
    put_audio(say->id, 1, 100);
    put_done(say->id, 101);
    hang(say);
}

static void change_rate(const struct frame_speak *say)
{
    int16_t sample = 1;

    frame_put_audio(&out, say->id, RATE, &sample, 1);
    frame_put_audio(&out, say->id, RATE / 2, &sample, 1);
    put_done(say->id, 2);
    hang(say);
}

/* As high as a frame may have it, and more of it than a piece of RATE has samples. */
static void speak_high(const struct frame_speak *say)
{
    static const int16_t samples[FRAME_PIECE_MAX];
    size_t most = frame_samples_max(say->text_bytes, say->speed, FRAME_RATE_MAX), count = 0;

    for (; count + FRAME_PIECE_MAX <= most; count += FRAME_PIECE_MAX)
        frame_put_audio(&out, say->id, FRAME_RATE_MAX, samples, FRAME_PIECE_MAX);
    frame_put_done(
        &out, &(struct frame_done){.id = say->id, .sample_rate = FRAME_RATE_MAX, .samples = (uint32_t)count});
    flush();
}

static void misplace_words(const struct frame_speak *say)
{
    struct frame_word word = {0, FRAME_TEXT_MAX * 2, 0, 0};

    frame_put_words(&out, say->id, &word, 1);
    put_done(say->id, 0);
    hang(say);
}

static void refuse(const struct frame_speak *say)
{
    frame_put_error(&out, say->id, FRAME_BAD_TEXT, "not\nthis \x1b[31mone");
    flush();
}

static void report_flood(const struct frame_speak *say)
{
    frame_put_error(&out, say->id, FRAME_FLOODED, "too much");
    flush();
}

static void give_up(const struct frame_speak *say)
{
    frame_put_error(&out, say->id, FRAME_ENGINE_FAILED, "gave up");
    flush();
    _exit(1);
}

/* Names what it has of the worker's environment. */
static void tell_environment(const struct frame_speak *say)
{
    char names[FRAME_MESSAGE_MAX + 1] = "";
    size_t length = 0;

    for (char **variable = environ; *variable != NULL && length < sizeof names - 1; variable++)
        length += (size_t)snprintf(names + length, sizeof names - length, "%.*s ",
                                   (int)strcspn(*variable, "="), *variable);
    frame_put_error(&out, say->id, FRAME_BAD_TEXT, names);
    flush();
}

static void speak_and_leave(const struct frame_speak *say)
{
    speak(say);
    _exit(0);
}

static const struct {
    const char *word;
    void (*act)(const struct frame_speak *say);
} acts[] = {
    {"crash", crash},
    {"exit", leave},
    {"hang", hang},
    {"flood", flood},
    {"rubbish", talk_rubbish},
    {"promise", promise_much},
    {"another", answer_another},
    {"ready", be_ready_again},
    {"ask", ask_back},
    {"miscount", miscount},
    {"rate", change_rate},
    {"high", speak_high},
    {"misplace", misplace_words},
    {"refuse", refuse},
    {"report", report_flood},
    {"give up", give_up},
    {"last words", speak_and_leave},
    {"environment", tell_environment},
};

static void answer(const struct frame_speak *say)
{
    for (size_t i = 0; i < array_length(acts); i++)
        if (strstr(say->text, acts[i].word) != NULL) {
            acts[i].act(say);
            return;
        }
    speak(say);
}

static void start(const char *manner)
{
    if (strcmp(manner, "die") == 0)
        _exit(7);
    if (strcmp(manner, "mute") == 0)
        hang(NULL);
    put_ready(strcmp(manner, "old") == 0 ? FRAME_PROTOCOL - 1 : FRAME_PROTOCOL);
    if (strcmp(manner, "tire") == 0)
        _exit(8);
}

int main(int argc, char **argv)
{
    const char *manner = argc > 0 ? strrchr(argv[0], '.') : NULL;
    struct buf in = BUF_INIT((size_t)4 * FRAME_PAYLOAD_MAX);
    const struct sigaction ignore = {.sa_handler = SIG_IGN};

    sigaction(SIGPIPE, &ignore, NULL);
    start(manner != NULL ? manner + 1 : "");
    for (;;) {
        char *room = buf_reserve(&in, FRAME_PAYLOAD_MAX);
        ssize_t got = room != NULL ? read(STDIN_FILENO, room, FRAME_PAYLOAD_MAX) : 0;
        struct frame frame;

        if (got <= 0)
            _exit(0);
        buf_commit(&in, (size_t)got);
        while (frame_parse(in.data, in.length, &frame, NULL) == 0 && frame.type == FRAME_SPEAK) {
            answer(&frame.speak);
            buf_consume(&in, frame.size);
        }
    }
}
