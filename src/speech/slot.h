/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A place of the pool: one synthesizer after the other, and what the present one has to do.  Private to
 * speech/.
 *
 *     DOWN ──slot_start──▶ STARTING ──READY──▶ READY
 *      ▲                       │                 │   slot_end: it died, lied, was too slow or is not wanted
 *      └──slot_bury── ENDING ◀─┴─────────────────┘
 */
#ifndef SPEECH_SLOT_H
#define SPEECH_SLOT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "frame/frame.h"
#include "speech/pool.h"
#include "speech/process.h"

/* The task that is spoken and the one behind it, which lies in the socket already. */
#define SLOT_QUEUE_MAX 2

/* From the start of a process to its READY; far more than any engine's voices take to load. */
#define SLOT_START_LIMIT_MS 30000

struct task_list {
    struct synth_task *first;
    struct synth_task **last; /* where the next one is hung in */
};

void task_list_init(struct task_list *list);
void task_list_append(struct task_list *list, struct synth_task *task);
void task_list_prepend(struct task_list *list, struct synth_task *task);
struct synth_task *task_list_pop(struct task_list *list);               /* NULL where it is empty */
bool task_list_remove(struct task_list *list, struct synth_task *task); /* false where it is not in it */

enum slot_state {
    SLOT_DOWN,
    SLOT_STARTING,
    SLOT_READY,
    SLOT_ENDING,
};

struct slot_entry {
    struct synth_task *task; /* NULL: dropped */
    uint32_t id;
};

struct slot {
    enum slot_state state;
    struct process process;
    unsigned failures; /* ends in a row for which no text is to blame */
    int64_t deadline;  /* DOWN: when it may start; STARTING: by when it is READY; READY: by when the first is
                          done */
    int64_t segment_limit_ms;
    struct task_list *finished; /* the pool's: tasks whose done is to be called */
    struct buf input;
    struct buf output;
    bool writing; /* output waits for room in the socket */
    bool fresh;   /* no task was given to this process yet */
    bool alone;   /* its one task is to stay alone */

    struct slot_entry queue[SLOT_QUEUE_MAX]; /* [0] is being spoken, once READY */
    size_t queued;
    struct buf samples; /* of queue[0], so far */
    struct buf words;

    bool guilty; /* ENDING: queue[0] is to blame, with this result and message */
    bool failed; /* ENDING: no task is to blame, and nobody asked for it */
    enum synth_result result;
    char message[SYNTH_MESSAGE_SIZE];
};

void slot_init(struct slot *slot, int64_t segment_limit_ms, struct task_list *finished);

/* Frees what it holds and ends its process; tasks are forgotten. */
void slot_release(struct slot *slot);

int slot_start(struct slot *slot, const char *program, int64_t now, struct error *err);

/* Places of the queue that are taken, also by dropped tasks as long as their process lives. */
size_t slot_taken(const struct slot *slot);

/* READY with room in its queue: sends the task. */
void slot_give(struct slot *slot, struct synth_task *task, uint32_t id, int64_t now);

/* The socket is readable: takes what has come.  True where there may be more. */
bool slot_read(struct slot *slot, int64_t now);

/* The socket is writable. */
void slot_write(struct slot *slot);

/* The process has ended: takes what it still said, since a segment that is complete is no loss. */
void slot_hear_out(struct slot *slot, int64_t now);

/* Kills the process, without blame on its task. */
void slot_end(struct slot *slot);

/* The deadline of a STARTING or READY slot has passed. */
void slot_expire(struct slot *slot);

/* True where it had the task; its process is killed where it was speaking it. */
bool slot_drop(struct slot *slot, struct synth_task *task);

/*
 * ENDING, and the process may have ended: false where it has not.  Otherwise the slot is DOWN, the guilty
 * task is finished, and the others are put before ret_waiting.
 */
bool slot_bury(struct slot *slot, struct task_list *ret_waiting);

#endif
