/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker's synthesizers: a fixed number of disposable processes that turn segments of text into samples.
 *
 * Nothing here blocks.  The owner waits for synth_pool_fd() to become readable or for
 * synth_pool_next_deadline() to pass, then calls synth_pool_dispatch(), which calls the tasks' done.  A
 * process holds at most two tasks: the one that it speaks and one that lies in its pipe already, so that it
 * never waits for the worker.  Whatever a text does to its process (crash, hang, flood, rubbish) ends that
 * process and that task; the task behind it goes to another process and nobody notices.
 *
 * All calls come from one thread, the one that started the pool, and it must outlive the pool: the kernel
 * kills a synthesizer when the thread that started it ends.  SIGCHLD must not be ignored.
 */
#ifndef SPEECH_POOL_H
#define SPEECH_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"

enum synth_result {
    SYNTH_DONE,        /* spoken; no samples at all where the engine found nothing to speak */
    SYNTH_CRASHED,     /* the process died of it or talked rubbish */
    SYNTH_TIMED_OUT,   /* it was still at it after segment_limit_ms */
    SYNTH_FLOODED,     /* more audio than any honest text of this length makes */
    SYNTH_UNAVAILABLE, /* no process comes up; the text has nothing to do with it */
    SYNTH_REFUSED,     /* the engine declined: voice, language, value or text; the message says which */
};

/* When a word is heard, and which bytes of the text it is; both ends exclusive, in order of the text. */
struct synth_word {
    uint32_t text_start; /* bytes of the text */
    uint32_t text_end;
    uint32_t sample_start; /* samples of the segment */
    uint32_t sample_end;   /* equal to sample_start where the token is silent */
};

#define SYNTH_MESSAGE_SIZE 256

/*
 * One segment.  The caller embeds it in a struct of its own, sets what stands before result, and keeps it and
 * the strings until done was called.
 */
struct synth_task {
    const char *language; /* a name of the catalogue */
    const char *voice;    /* an id of the catalogue */
    int sample_rate;      /* the voice's, in Hz: audio at another is the engine's fault */
    double speed;         /* 0.5 to 2 */
    double pitch;         /* 0.5 to 2 */
    const char *text;     /* need not end with NUL */
    size_t text_bytes;    /* 1 to FRAME_TEXT_MAX (frame/frame.h) */
    bool alone;           /* by a process that has spoken nothing yet, and has nothing behind it */
    void (*done)(struct synth_task *task); /* from within synth_pool_dispatch(); may submit and drop tasks */

    enum synth_result result;
    int16_t *samples; /* the caller frees them; NULL unless SYNTH_DONE, and where there are none */
    size_t sample_count;
    struct synth_word *words; /* likewise */
    size_t word_count;
    char message[SYNTH_MESSAGE_SIZE]; /* why it is not SYNTH_DONE, in one line; "" where it is */

    struct synth_task *next; /* the pool's own */
};

struct synth_pool;

struct synth_pool_options {
    const char *program;      /* path of the engine */
    size_t count;             /* processes, at least 1 */
    int64_t segment_limit_ms; /* the most that one segment may take, from when its process turned to it */
    const struct clock *clock;
};

/* Starts the processes and does not wait for them.  Fails where the program cannot be run at all. */
int synth_pool_start(const struct synth_pool_options *options, struct synth_pool **ret_pool,
                     struct error *err);

/* Kills and reaps the processes.  Tasks that are under way are forgotten: their done is not called.  Takes
 * NULL. */
struct synth_pool *synth_pool_stop(struct synth_pool *pool);

/* An epoll descriptor that is readable when there is something to dispatch; the pool's own. */
int synth_pool_fd(const struct synth_pool *pool);

/* Does all that can be done without waiting, and calls done of the tasks that ended. */
void synth_pool_dispatch(struct synth_pool *pool);

/* When dispatch must be called though the descriptor is silent: monotonic milliseconds, or -1 for never. */
int64_t synth_pool_next_deadline(const struct synth_pool *pool);

/*
 * For a caller that stood still so long: the limits of what is under way are put off by it.  Engines could
 * not get rid of what they had to say.
 */
void synth_pool_postpone(struct synth_pool *pool, int64_t stood_ms);

/* How many tasks may be submitted now: at most two for each process. */
size_t synth_pool_room(const struct synth_pool *pool);

/* Takes the task over until its done is called.  -EAGAIN without room, -EINVAL where a member is out of
 * range. */
int synth_pool_submit(struct synth_pool *pool, struct synth_task *task, struct error *err);

/*
 * Forgets a task that was submitted and is not done: its done is never called and its memory is not touched
 * any more.  A process that speaks it is killed and replaced.  Does nothing for a task that the pool has not.
 */
void synth_pool_drop(struct synth_pool *pool, struct synth_task *task);

/* Processes that had to be replaced so far, for whatever reason. */
size_t synth_pool_restarts(const struct synth_pool *pool);

/* Why the processes do not come up, while none of them does: one line; NULL while all is well. */
const char *synth_pool_trouble(const struct synth_pool *pool);

#endif
