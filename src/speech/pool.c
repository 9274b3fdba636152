/* SPDX-License-Identifier: Apache-2.0 */
#include "speech/pool.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/cleanup.h"
#include "speech/slot.h"

/* More processes than any machine has cores is a slip of the pen. */
#define PROCESSES_MAX 1024

/* Events taken in one call; the rest is still there for the next one. */
#define EVENTS_MAX 64

/*
 * A process that dies without a text to blame is replaced at once, a second one after the first of these,
 * which then doubles: what is broken is not made whole by starting it a thousand times a second.
 */
#define RESTART_DELAY_MS     100
#define RESTART_DELAY_MAX_MS 10000

/* After so many such deaths of every process in a row (some two seconds), tasks that wait are given up. */
#define HOPELESS_FAILURES 6

struct synth_pool {
    int epoll_fd;
    char *program;
    const struct clock *clock;
    uint32_t last_id;
    size_t restarts;
    struct task_list waiting;  /* submitted, and with no process yet */
    struct task_list finished; /* their done is to be called */
    char trouble[SYNTH_MESSAGE_SIZE];
    size_t count;
    struct slot slots[];
};

/* An event's data: the slot's number, doubled, and 1 where it is about the end of the process. */
#define ABOUT_END 1

static int watch(struct synth_pool *pool, int operation, int fd, uint32_t events, uint64_t data)
{
    struct epoll_event event = {.events = events, .data.u64 = data};

    return epoll_ctl(pool->epoll_fd, operation, fd, &event);
}

static uint64_t slot_data(const struct synth_pool *pool, const struct slot *slot)
{
    return 2 * (uint64_t)(slot - pool->slots);
}

static int start_slot(struct synth_pool *pool, struct slot *slot, struct error *err)
{
    int r = slot_start(slot, pool->program, clock_monotonic_ms(pool->clock), err);

    if (r < 0)
        return r;
    if (watch(pool, EPOLL_CTL_ADD, slot->process.socket, EPOLLIN, slot_data(pool, slot)) < 0 ||
        watch(pool, EPOLL_CTL_ADD, slot->process.pid_fd, EPOLLIN, slot_data(pool, slot) | ABOUT_END) < 0)
        return error_system(err, errno, "cannot watch the synthesizer");
    return 0;
}

/* Asks to be told of room in the socket exactly while something waits for it. */
static void watch_room(struct synth_pool *pool, struct slot *slot, bool was_writing)
{
    if (slot->state == SLOT_READY && slot->writing != was_writing)
        watch(pool, EPOLL_CTL_MOD, slot->process.socket, EPOLLIN | (slot->writing ? EPOLLOUT : 0),
              slot_data(pool, slot));
}

int synth_pool_start(const struct synth_pool_options *options, struct synth_pool **ret_pool,
                     struct error *err)
{
    struct synth_pool *pool;
    int r = 0;

    if (options->count < 1 || options->count > PROCESSES_MAX)
        return error_set(err, -EINVAL, "%zu synthesizers; 1 to %d are possible", options->count,
                         PROCESSES_MAX);
    pool = calloc(1, sizeof *pool + options->count * sizeof pool->slots[0]);
    if (pool == NULL)
        return error_set(err, -ENOMEM, "no memory for the synthesizers");
    pool->clock = options->clock;
    pool->count = options->count;
    task_list_init(&pool->waiting);
    task_list_init(&pool->finished);
    for (size_t i = 0; i < pool->count; i++)
        slot_init(&pool->slots[i], options->segment_limit_ms, &pool->finished);
    pool->program = strdup(options->program);
    pool->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (pool->epoll_fd < 0)
        r = error_system(err, errno, "cannot watch the synthesizers");
    else if (pool->program == NULL)
        r = error_set(err, -ENOMEM, "no memory for the synthesizers");
    for (size_t i = 0; r == 0 && i < pool->count; i++)
        r = start_slot(pool, &pool->slots[i], err);
    if (r < 0) {
        synth_pool_stop(pool);
        return r;
    }
    *ret_pool = pool;
    return 0;
}

struct synth_pool *synth_pool_stop(struct synth_pool *pool)
{
    if (pool == NULL)
        return NULL;
    for (size_t i = 0; i < pool->count; i++)
        slot_release(&pool->slots[i]);
    close_fd(&pool->epoll_fd);
    free(pool->program);
    free(pool);
    return NULL;
}

int synth_pool_fd(const struct synth_pool *pool)
{
    return pool->epoll_fd;
}

size_t synth_pool_restarts(const struct synth_pool *pool)
{
    return pool->restarts;
}

/* Whether a task may count on it: it works, or is started for the first time since it did. */
static bool is_sound(const struct slot *slot)
{
    return slot->state == SLOT_READY || slot->failures == 0;
}

const char *synth_pool_trouble(const struct synth_pool *pool)
{
    for (size_t i = 0; i < pool->count; i++)
        if (is_sound(&pool->slots[i]))
            return NULL;
    return pool->trouble;
}

size_t synth_pool_room(const struct synth_pool *pool)
{
    size_t places = 0, taken = 0;

    for (size_t i = 0; i < pool->count; i++) {
        places += is_sound(&pool->slots[i]) ? SLOT_QUEUE_MAX : 0;
        taken += slot_taken(&pool->slots[i]);
    }
    for (const struct synth_task *task = pool->waiting.first; task != NULL; task = task->next)
        taken++;
    return places > taken ? places - taken : 0;
}

/* The one with the least to do that can take a task, or NULL. */
static struct slot *freest_slot(struct synth_pool *pool)
{
    struct slot *best = NULL;

    for (size_t i = 0; i < pool->count; i++) {
        struct slot *slot = &pool->slots[i];
        bool has_room = slot->queued < SLOT_QUEUE_MAX && !(slot->alone && slot->queued > 0);

        if (slot->state == SLOT_READY && has_room && (best == NULL || slot->queued < best->queued))
            best = slot;
    }
    return best;
}

/*
 * For a task that is to be alone: a process that has spoken nothing, or NULL.  What killed one process may
 * have damaged another before, without ending it: so one that is idle makes room for a new one.
 */
static struct slot *fresh_slot(struct synth_pool *pool)
{
    struct slot *idle = NULL;

    for (size_t i = 0; i < pool->count; i++) {
        struct slot *slot = &pool->slots[i];

        if (slot->state != SLOT_READY && slot->failures == 0)
            return NULL; /* it will be one */
        if (slot->state != SLOT_READY || slot->queued > 0)
            continue;
        if (slot->fresh)
            return slot;
        idle = slot;
    }
    if (idle != NULL)
        slot_end(idle);
    return NULL;
}

static struct slot *slot_for(struct synth_pool *pool, const struct synth_task *task)
{
    return task->alone ? fresh_slot(pool) : freest_slot(pool);
}

static void give_waiting(struct synth_pool *pool)
{
    struct slot *slot;

    while (pool->waiting.first != NULL && (slot = slot_for(pool, pool->waiting.first)) != NULL) {
        bool was_writing = slot->writing;

        slot_give(slot, task_list_pop(&pool->waiting), ++pool->last_id, clock_monotonic_ms(pool->clock));
        watch_room(pool, slot, was_writing);
    }
}

static bool is_name(const char *name)
{
    return name != NULL && name[0] != '\0' && strlen(name) <= FRAME_NAME_MAX;
}

static bool is_factor(double factor)
{
    return factor >= FRAME_FACTOR_MIN && factor <= FRAME_FACTOR_MAX;
}

int synth_pool_submit(struct synth_pool *pool, struct synth_task *task, struct error *err)
{
    if (!is_name(task->language) || !is_name(task->voice) || !is_factor(task->speed) ||
        !is_factor(task->pitch))
        return error_set(err, -EINVAL, "language, voice, speed or pitch of a segment is out of range");
    if (task->text_bytes < 1 || task->text_bytes > FRAME_TEXT_MAX ||
        memchr(task->text, '\0', task->text_bytes) != NULL)
        return error_set(err, -EINVAL, "a segment of %zu bytes; 1 to %d without a NUL are possible",
                         task->text_bytes, FRAME_TEXT_MAX);
    if (synth_pool_room(pool) == 0)
        return error_set(err, -EAGAIN, "every synthesizer has enough to do");
    task->result = SYNTH_CRASHED;
    task->samples = NULL;
    task->words = NULL;
    task->sample_count = task->word_count = 0;
    task->message[0] = '\0';
    task_list_append(&pool->waiting, task);
    give_waiting(pool);
    return 0;
}

void synth_pool_drop(struct synth_pool *pool, struct synth_task *task)
{
    if (task_list_remove(&pool->waiting, task))
        return;
    if (task_list_remove(&pool->finished, task)) {
        free(task->samples);
        free(task->words);
        task->samples = NULL;
        task->words = NULL;
        return;
    }
    for (size_t i = 0; i < pool->count; i++)
        if (slot_drop(&pool->slots[i], task))
            return;
}

static int64_t restart_delay(unsigned failures)
{
    int64_t delay = RESTART_DELAY_MS;

    if (failures < 2)
        return 0;
    for (unsigned i = 2; i < failures && delay < RESTART_DELAY_MAX_MS; i++)
        delay *= 2;
    return delay < RESTART_DELAY_MAX_MS ? delay : RESTART_DELAY_MAX_MS;
}

static void plan_restart(struct synth_pool *pool, struct slot *slot)
{
    pool->restarts++;
    slot->deadline = clock_monotonic_ms(pool->clock) + restart_delay(slot->failures);
}

static void bury(struct synth_pool *pool, struct slot *slot)
{
    slot_hear_out(slot, clock_monotonic_ms(pool->clock));
    if (slot->state != SLOT_ENDING || !slot_bury(slot, &pool->waiting))
        return;
    if (slot->failed)
        snprintf(pool->trouble, sizeof pool->trouble, "%s", slot->message);
    plan_restart(pool, slot);
}

static void handle(struct synth_pool *pool, const struct epoll_event *event)
{
    struct slot *slot = &pool->slots[event->data.u64 / 2];
    bool was_writing = slot->writing;

    if (event->data.u64 & ABOUT_END) {
        bury(pool, slot);
        return;
    }
    /* The process of before may have been meant: then nothing is there to read, and that is all. */
    if (event->events & EPOLLOUT && slot->state == SLOT_READY)
        slot_write(slot);
    if (event->events & ~(uint32_t)EPOLLOUT)
        slot_read(slot, clock_monotonic_ms(pool->clock));
    watch_room(pool, slot, was_writing);
}

static void restart(struct synth_pool *pool, struct slot *slot)
{
    struct error err = {.text = ""};

    if (start_slot(pool, slot, &err) == 0)
        return;
    snprintf(pool->trouble, sizeof pool->trouble, "%s", err.text);
    slot->failures++;
    if (slot->state == SLOT_STARTING)
        slot_release(slot);
    slot->state = SLOT_DOWN;
    plan_restart(pool, slot);
}

static void look_at_deadlines(struct synth_pool *pool)
{
    int64_t now = clock_monotonic_ms(pool->clock);

    for (size_t i = 0; i < pool->count; i++) {
        struct slot *slot = &pool->slots[i];

        if (now < slot->deadline)
            continue;
        if (slot->state == SLOT_DOWN)
            restart(pool, slot);
        else if (slot->state == SLOT_STARTING || (slot->state == SLOT_READY && slot->queued > 0))
            slot_expire(slot);
    }
}

void synth_pool_postpone(struct synth_pool *pool, int64_t stood_ms)
{
    for (size_t i = 0; i < pool->count; i++)
        if (pool->slots[i].state == SLOT_STARTING || pool->slots[i].state == SLOT_READY)
            pool->slots[i].deadline += stood_ms;
}

/* Tasks wait for as long as one process may still come up. */
static void give_up_where_hopeless(struct synth_pool *pool)
{
    struct synth_task *task;

    for (size_t i = 0; i < pool->count; i++)
        if (pool->slots[i].failures < HOPELESS_FAILURES || pool->slots[i].state == SLOT_READY)
            return;
    while ((task = task_list_pop(&pool->waiting)) != NULL) {
        task->result = SYNTH_UNAVAILABLE;
        snprintf(task->message, sizeof task->message, "%s", pool->trouble);
        task_list_append(&pool->finished, task);
    }
}

void synth_pool_dispatch(struct synth_pool *pool)
{
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(pool->epoll_fd, events, EVENTS_MAX, 0);
    struct synth_task *task;

    for (int i = 0; i < count; i++)
        handle(pool, &events[i]);
    look_at_deadlines(pool);
    give_waiting(pool);
    give_up_where_hopeless(pool);
    /* Last, since done may submit and drop. */
    while ((task = task_list_pop(&pool->finished)) != NULL)
        task->done(task);
}

int64_t synth_pool_next_deadline(const struct synth_pool *pool)
{
    int64_t next = -1;

    for (size_t i = 0; i < pool->count; i++) {
        const struct slot *slot = &pool->slots[i];
        bool idle = slot->state == SLOT_READY && slot->queued == 0;

        if (slot->state != SLOT_ENDING && !idle && (next < 0 || slot->deadline < next))
            next = slot->deadline;
    }
    return next;
}
