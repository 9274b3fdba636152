/* SPDX-License-Identifier: Apache-2.0 */
#include "speech/slot.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Read in one go: a frame and the one behind it. */
#define READ_SIZE ((size_t)FRAME_PAYLOAD_MAX + 2 * FRAME_HEADER_SIZE)

/* What a text makes at the most, at any rate and speed. */
#define SAMPLES_MAX_BYTES ((size_t)2 * frame_samples_max(FRAME_TEXT_MAX, FRAME_FACTOR_MIN, FRAME_RATE_MAX))

void slot_init(struct slot *slot, int64_t segment_limit_ms, struct task_list *finished)
{
    *slot = (struct slot){
        .process = PROCESS_NONE,
        .segment_limit_ms = segment_limit_ms,
        .finished = finished,
        .input = BUF_INIT(2 * READ_SIZE),
        .output = BUF_INIT(SLOT_QUEUE_MAX * READ_SIZE),
        .samples = BUF_INIT(SAMPLES_MAX_BYTES),
        .words = BUF_INIT(FRAME_WORDS_MAX * sizeof(struct synth_word)),
    };
}

void slot_release(struct slot *slot)
{
    char how[64];

    if (slot->process.pid > 0) {
        process_kill(&slot->process);
        process_reap(&slot->process, true, how, sizeof how);
    }
    buf_release(&slot->input);
    buf_release(&slot->output);
    buf_release(&slot->samples);
    buf_release(&slot->words);
}

int slot_start(struct slot *slot, const char *program, int64_t now, struct error *err)
{
    int r = process_start(program, &slot->process, err);

    if (r < 0)
        return r;
    slot->state = SLOT_STARTING;
    slot->deadline = now + SLOT_START_LIMIT_MS;
    slot->guilty = slot->failed = slot->alone = false;
    slot->fresh = true;
    slot->message[0] = '\0';
    return 0;
}

void slot_end(struct slot *slot)
{
    if (slot->state == SLOT_ENDING || slot->state == SLOT_DOWN)
        return;
    process_kill(&slot->process);
    slot->state = SLOT_ENDING;
    slot->writing = false;
    buf_clear(&slot->input);
    buf_clear(&slot->output);
}

static void __attribute__((format(printf, 3, 4)))
blame(struct slot *slot, enum synth_result result, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(slot->message, sizeof slot->message, format, args);
    va_end(args);
    slot->guilty = slot->state == SLOT_READY && slot->queued > 0;
    slot->failed = !slot->guilty;
    slot->result = result;
    slot_end(slot);
}

void slot_expire(struct slot *slot)
{
    if (slot->state == SLOT_STARTING)
        blame(slot, SYNTH_CRASHED, "the synthesizer was not ready after %d s", SLOT_START_LIMIT_MS / 1000);
    else
        blame(slot, SYNTH_TIMED_OUT, "a segment was not spoken after %lld ms",
              (long long)slot->segment_limit_ms);
}

void slot_write(struct slot *slot)
{
    while (slot->output.length > 0) {
        ssize_t sent =
            send(slot->process.socket, slot->output.data, slot->output.length, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0) {
            /* Where it is dead, reading says so, too, and then knows what it had still said. */
            slot->writing = errno == EAGAIN;
            return;
        }
        buf_consume(&slot->output, (size_t)sent);
    }
    slot->writing = false;
}

/* Another task is at the head of the queue. */
static void turn_to_first(struct slot *slot, int64_t now)
{
    buf_clear(&slot->samples);
    buf_clear(&slot->words);
    slot->deadline = now + slot->segment_limit_ms;
    /* It cannot be told to leave one out. */
    if (slot->queued > 0 && slot->queue[0].task == NULL)
        slot_end(slot);
}

void slot_give(struct slot *slot, struct synth_task *task, uint32_t id, int64_t now)
{
    frame_put_speak(&slot->output, &(struct frame_speak){
                                       .id = id,
                                       .speed = task->speed,
                                       .pitch = task->pitch,
                                       .language = task->language,
                                       .voice = task->voice,
                                       .text = task->text,
                                       .text_bytes = task->text_bytes,
                                   });
    slot->queue[slot->queued++] = (struct slot_entry){.task = task, .id = id};
    slot->fresh = false;
    slot->alone = task->alone;
    if (slot->queued == 1)
        turn_to_first(slot, now);
    slot_write(slot);
}

/* The head of the queue is done with, as the caller has written into its task. */
static void finish_first(struct slot *slot, int64_t now)
{
    if (slot->queue[0].task != NULL)
        task_list_append(slot->finished, slot->queue[0].task);
    slot->queued--;
    memmove(slot->queue, slot->queue + 1, slot->queued * sizeof *slot->queue);
    slot->failures = 0;
    turn_to_first(slot, now);
}

/* Engines' words go into logs: one line of ASCII. */
static void set_message(struct synth_task *task, const char *message)
{
    snprintf(task->message, sizeof task->message, "%s", message);
    for (char *at = task->message; *at != '\0'; at++)
        if (*at < ' ' || *at > '~')
            *at = '?';
}

static void on_ready(struct slot *slot, const struct frame_ready *ready)
{
    if (ready->protocol != FRAME_PROTOCOL)
        blame(slot, SYNTH_CRASHED, "the synthesizer speaks protocol %u and not %d", ready->protocol,
              FRAME_PROTOCOL);
    else
        slot->state = SLOT_READY;
}

static void on_audio(struct slot *slot, const struct frame_audio *audio)
{
    const struct synth_task *task = slot->queue[0].task;
    size_t most = frame_samples_max(task->text_bytes, task->speed, audio->sample_rate);
    char *room;

    if ((int)audio->sample_rate != task->sample_rate) {
        blame(slot, SYNTH_CRASHED, "the synthesizer speaks the voice %s at %u Hz and not at %d", task->voice,
              audio->sample_rate, task->sample_rate);
        return;
    }
    if (slot->samples.length / 2 + audio->count > most) {
        blame(slot, SYNTH_FLOODED, "%zu bytes of text made more than %zu samples", task->text_bytes, most);
        return;
    }
    room = buf_reserve(&slot->samples, 2 * audio->count);
    if (room == NULL) {
        blame(slot, SYNTH_CRASHED, "no memory for the samples");
        return;
    }
    frame_audio_samples(audio, (int16_t *)(void *)room);
    buf_commit(&slot->samples, 2 * audio->count);
}

static void on_words(struct slot *slot, const struct frame_words *words)
{
    for (size_t i = 0; i < words->count; i++) {
        struct frame_word word = frame_words_at(words, i);
        struct synth_word row = {word.text_start, word.text_end, word.sample_start, word.sample_end};

        buf_append(&slot->words, &row, sizeof row);
    }
    if (!buf_ok(&slot->words))
        blame(slot, SYNTH_CRASHED, "the synthesizer told of too many words");
}

static bool words_are_sound(const struct synth_word *words, size_t count, size_t text_bytes, size_t samples)
{
    size_t text = 0, sample = 0;

    for (size_t i = 0; i < count; i++) {
        if (words[i].text_start < text || words[i].text_end < words[i].text_start ||
            words[i].sample_start < sample || words[i].sample_end < words[i].sample_start)
            return false;
        text = words[i].text_end;
        sample = words[i].sample_end;
    }
    return text <= text_bytes && sample <= samples;
}

static void on_done(struct slot *slot, const struct frame_done *done, int64_t now)
{
    struct synth_task *task = slot->queue[0].task;
    size_t samples = slot->samples.length / 2, words = slot->words.length / sizeof(struct synth_word);

    if (done->samples != samples || (samples > 0 && (int)done->sample_rate != task->sample_rate) ||
        !words_are_sound((const struct synth_word *)(const void *)slot->words.data, words, task->text_bytes,
                         samples)) {
        blame(slot, SYNTH_CRASHED, "the synthesizer's account does not fit what it sent");
        return;
    }
    task->result = SYNTH_DONE;
    task->sample_count = samples;
    task->samples = samples > 0 ? (int16_t *)(void *)buf_steal(&slot->samples) : NULL;
    task->word_count = words;
    task->words = words > 0 ? (struct synth_word *)(void *)buf_steal(&slot->words) : NULL;
    finish_first(slot, now);
}

static void on_error(struct slot *slot, const struct frame_error *error, int64_t now)
{
    if (error->code == FRAME_ENGINE_FAILED) {
        blame(slot, SYNTH_CRASHED, "%s", error->message);
        return;
    }
    slot->queue[0].task->result = error->code == FRAME_FLOODED ? SYNTH_FLOODED : SYNTH_REFUSED;
    set_message(slot->queue[0].task, error->message);
    finish_first(slot, now);
}

static bool is_answer(const struct slot *slot, uint32_t id)
{
    return slot->state == SLOT_READY && slot->queued > 0 && slot->queue[0].id == id;
}

/* False where the frame has no place here.  Of a READY slot, the head of the queue has a task:
 * turn_to_first(). */
static bool take_frame(struct slot *slot, const struct frame *frame, int64_t now)
{
    bool fits = false;

    switch (frame->type) {
    case FRAME_READY:
        fits = slot->state == SLOT_STARTING;
        if (fits)
            on_ready(slot, &frame->ready);
        break;
    case FRAME_AUDIO:
        fits = is_answer(slot, frame->audio.id);
        if (fits)
            on_audio(slot, &frame->audio);
        break;
    case FRAME_WORDS:
        fits = is_answer(slot, frame->words.id);
        if (fits)
            on_words(slot, &frame->words);
        break;
    case FRAME_DONE:
        fits = is_answer(slot, frame->done.id);
        if (fits)
            on_done(slot, &frame->done, now);
        break;
    case FRAME_ERROR:
        fits = is_answer(slot, frame->error.id);
        if (fits)
            on_error(slot, &frame->error, now);
        break;
    case FRAME_SPEAK:
        break;
    }
    return fits;
}

static void take_frames(struct slot *slot, int64_t now)
{
    size_t taken = 0;

    while (slot->state == SLOT_STARTING || slot->state == SLOT_READY) {
        struct error err = {.text = ""};
        struct frame frame;
        int r = frame_parse(slot->input.data + taken, slot->input.length - taken, &frame, &err);

        if (r == FRAME_INCOMPLETE) {
            buf_consume(&slot->input, taken);
            return;
        }
        if (r < 0)
            blame(slot, SYNTH_CRASHED, "the synthesizer talked rubbish: %s", err.text);
        else if (!take_frame(slot, &frame, now))
            blame(slot, SYNTH_CRASHED, "the synthesizer talked out of turn (frame %d)", (int)frame.type);
        else
            taken += frame.size;
    }
}

static bool is_alive(const struct slot *slot)
{
    return slot->state == SLOT_STARTING || slot->state == SLOT_READY;
}

bool slot_read(struct slot *slot, int64_t now)
{
    char *room;
    ssize_t got;

    if (!is_alive(slot))
        return false;
    room = buf_reserve(&slot->input, READ_SIZE);
    if (room == NULL) {
        blame(slot, SYNTH_CRASHED, "no memory for a frame");
        return false;
    }
    got = recv(slot->process.socket, room, READ_SIZE, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (got <= 0) {
        /* How it died is known when it is buried. */
        blame(slot, SYNTH_CRASHED, "%s", "");
        return false;
    }
    buf_commit(&slot->input, (size_t)got);
    take_frames(slot, now);
    return is_alive(slot);
}

void slot_hear_out(struct slot *slot, int64_t now)
{
    while (slot_read(slot, now))
        continue;
    if (is_alive(slot))
        blame(slot, SYNTH_CRASHED, "%s", "");
}

size_t slot_taken(const struct slot *slot)
{
    size_t taken = 0;

    for (size_t i = 0; i < slot->queued; i++)
        taken += slot->state == SLOT_READY || slot->queue[i].task != NULL;
    return taken;
}

bool slot_drop(struct slot *slot, struct synth_task *task)
{
    for (size_t i = 0; i < slot->queued; i++)
        if (slot->queue[i].task == task) {
            slot->queue[i].task = NULL;
            if (i == 0)
                slot_end(slot);
            return true;
        }
    return false;
}

bool slot_bury(struct slot *slot, struct task_list *ret_waiting)
{
    char how[64];
    size_t innocent = 0;

    if (!process_reap(&slot->process, false, how, sizeof how))
        return false;
    if (slot->message[0] == '\0')
        snprintf(slot->message, sizeof slot->message, "the synthesizer ended %s", how);
    if (slot->guilty) {
        struct synth_task *task = slot->queue[0].task;

        innocent = 1;
        if (task != NULL) {
            task->result = slot->result;
            set_message(task, slot->message);
            task_list_append(slot->finished, task);
        }
    }
    for (size_t i = slot->queued; i > innocent; i--)
        if (slot->queue[i - 1].task != NULL)
            task_list_prepend(ret_waiting, slot->queue[i - 1].task);
    if (slot->failed)
        slot->failures++;
    slot->queued = 0;
    slot->state = SLOT_DOWN;
    return true;
}
