/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/serve.h"

#include <errno.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"

/* Two SPEAK frames of the longest texts: the worker has no more than that in the pipe. */
#define INPUT_MAX ((size_t)2 * FRAME_PAYLOAD_MAX)

/* The audio that waits for company, the words, the end. */
#define OUTPUT_MAX ((size_t)3 * (FRAME_HEADER_SIZE + FRAME_PAYLOAD_MAX))

struct server {
    struct engine_sink sink;
    struct engine *engine;
    int in;
    int out;
    struct buf input;
    struct buf output;
    uint32_t id;          /* of the segment that is spoken */
    uint32_t sample_rate; /* of it */
    struct engine_result result;
};

static int flush(struct server *server, struct error *err)
{
    int r;

    if (!buf_ok(&server->output))
        return error_set(err, -ENOMEM, "no memory for a frame");
    r = file_write_all(server->out, server->output.data, server->output.length, err);
    buf_clear(&server->output);
    return r;
}

/*
 * The piece before goes out when the next one is there, and so the last one together with the words and the
 * end: each write wakes the worker.
 */
static int on_audio(struct engine_sink *sink, const int16_t *samples, size_t count)
{
    struct server *server = container_of(sink, struct server, sink);
    int r = server->output.length > 0 ? flush(server, NULL) : 0;

    frame_put_audio(&server->output, server->id, server->sample_rate, samples, count);
    return r;
}

static int answer(struct server *server, const struct frame_speak *speak, struct error *err)
{
    struct engine_result *result = &server->result;
    struct error reason = {.text = ""};
    struct engine_request request = {
        .language = speak->language,
        .voice = speak->voice,
        .speed = speak->speed,
        .pitch = speak->pitch,
        .text = speak->text,
        .text_bytes = speak->text_bytes,
    };
    int r;

    server->id = speak->id;
    server->sample_rate = engine_sample_rate(server->engine, speak->language, speak->voice);
    if (speak->speed >= FRAME_FACTOR_MIN)
        request.samples_max = frame_samples_max(speak->text_bytes, speak->speed, server->sample_rate);
    r = engine_speak(server->engine, &request, &server->sink, result, &reason);
    if (r < 0)
        return error_set(err, r, "%s", reason.text);
    if (r > 0) {
        frame_put_error(&server->output, server->id, (enum frame_error_code)r, reason.text);
    } else {
        frame_put_words(&server->output, server->id, result->words, result->word_count);
        frame_put_done(&server->output,
                       &(struct frame_done){server->id, result->sample_rate, result->samples});
    }
    if (flush(server, err) < 0)
        return -EPIPE;
    return r == FRAME_ENGINE_FAILED ? error_set(err, -EIO, "%s", reason.text) : 0;
}

/* Answers the frames that have come. */
static int answer_all(struct server *server, struct error *err)
{
    for (;;) {
        struct frame frame;
        int r = frame_parse(server->input.data, server->input.length, &frame, err);

        if (r != 0)
            return r == FRAME_INCOMPLETE ? 0 : r;
        if (frame.type != FRAME_SPEAK)
            return error_set(err, -EPROTO, "a frame of type %d, which is not for an engine", (int)frame.type);
        r = answer(server, &frame.speak, err);
        if (r < 0)
            return r;
        buf_consume(&server->input, frame.size);
    }
}

static int read_and_answer(struct server *server, struct error *err)
{
    for (;;) {
        char *room = buf_reserve(&server->input, FRAME_PAYLOAD_MAX);
        ssize_t got = room != NULL ? read(server->in, room, FRAME_PAYLOAD_MAX) : 0;
        int r;

        if (room == NULL)
            return error_set(err, -ENOMEM, "no memory for a frame");
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_system(err, errno, "cannot read frames");
        if (got == 0)
            return 0;
        buf_commit(&server->input, (size_t)got);
        r = answer_all(server, err);
        if (r < 0)
            return r;
    }
}

int engine_serve(struct engine *engine, int in, int out, struct error *err)
{
    struct server server = {
        .sink = {.audio = on_audio},
        .engine = engine,
        .in = in,
        .out = out,
        .input = BUF_INIT(INPUT_MAX + FRAME_HEADER_SIZE),
        .output = BUF_INIT(OUTPUT_MAX),
    };
    struct frame_ready ready;
    int r;

    engine_describe(&ready);
    frame_put_ready(&server.output, &ready);
    r = flush(&server, err);
    if (r == 0)
        r = read_and_answer(&server, err);
    buf_release(&server.input);
    buf_release(&server.output);
    return r;
}
