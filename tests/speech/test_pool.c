/* SPDX-License-Identifier: Apache-2.0 */
#include "speech/pool.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "frame/frame.h"
#include "job/catalogue.h"
#include "support/fake_clock.h"

/* No answer of an engine takes so long, on any machine. */
#define PATIENCE_MS 120000
#define LIMIT_MS    600000

#define FAULTY "tests/support/faulty_engine"
#define REAL   "sayhook-synth"

struct said {
    struct synth_task task;
    int done; /* calls */
};

static int in_order; /* tasks done so far */
static struct said *order[64];

static void on_done(struct synth_task *task)
{
    struct said *said = container_of(task, struct said, task);

    said->done++;
    order[in_order++ % (int)array_length(order)] = said;
}

static struct said testcase_said(const char *text)
{
    return (struct said){.task = {.language = "english",
                                  .voice = "slt",
                                  .sample_rate = 16000,
                                  .speed = 1,
                                  .pitch = 1,
                                  .text = text,
                                  .text_bytes = strlen(text),
                                  .done = on_done}};
}

static void testcase_forget(struct said *said)
{
    free(said->task.samples);
    free(said->task.words);
}

/* The program under a name by which the faulty engine knows how to start. */
static void name_manner(char *path, size_t size, const char *manner)
{
    char named[4096];

    snprintf(named, sizeof named, "%s.%s", path, manner);
    cr_assert(symlink(strrchr(path, '/') + 1, named) == 0 || errno == EEXIST);
    snprintf(path, size, "%s", named);
}

static struct synth_pool *testcase_pool(const char *program, const char *manner, size_t count,
                                        const struct clock *clock)
{
    const char *build = getenv("top_builddir");
    char path[4096];
    struct synth_pool *pool = NULL;
    struct error err = {.text = ""};
    struct synth_pool_options options = {
        .program = path, .count = count, .segment_limit_ms = LIMIT_MS, .clock = clock};

    snprintf(path, sizeof path, "%s/%s", build != NULL ? build : ".", program);
    if (manner != NULL)
        name_manner(path, sizeof path, manner);
    cr_assert_eq(synth_pool_start(&options, &pool, &err), 0, "%s", err.text);
    return pool;
}

/* One turn of an event loop. */
static void testcase_turn(struct synth_pool *pool, int patience_ms)
{
    struct pollfd fd = {.fd = synth_pool_fd(pool), .events = POLLIN};
    int64_t deadline = synth_pool_next_deadline(pool), now = clock_monotonic_ms(&clock_system);
    int wait = patience_ms;

    if (deadline >= 0 && deadline - now < wait)
        wait = deadline > now ? (int)(deadline - now) : 0;
    poll(&fd, 1, wait);
    synth_pool_dispatch(pool);
}

static void testcase_wait(struct synth_pool *pool, struct said *said)
{
    int64_t start = clock_monotonic_ms(&clock_system);

    while (said->done == 0) {
        cr_assert_lt(clock_monotonic_ms(&clock_system) - start, PATIENCE_MS, "'%s' never ends",
                     said->task.text);
        testcase_turn(pool, 1000);
    }
    cr_assert_eq(said->done, 1);
}

static void testcase_submit(struct synth_pool *pool, struct said *said)
{
    struct error err = {.text = ""};

    /* A process that ended a moment ago is replaced first. */
    for (int turns = 0; synth_pool_room(pool) == 0 && turns < PATIENCE_MS / 10; turns++)
        testcase_turn(pool, 10);
    cr_assert_eq(synth_pool_submit(pool, &said->task, &err), 0, "%s", err.text);
}

/* Of the faulty engine's honest speech. */
static void testcase_spoken(const struct said *said)
{
    const struct synth_task *task = &said->task;

    cr_assert_eq(task->result, SYNTH_DONE, "%s: %d, %s", task->text, task->result, task->message);
    cr_assert_str_eq(task->message, "");
    cr_assert_eq(task->sample_rate, 16000);
    cr_assert_eq(task->sample_count, 100 * task->text_bytes);
    cr_assert_eq(task->samples[0], task->text[0]);
    cr_assert_eq(task->samples[task->sample_count - 1], task->text[0]);
    cr_assert_eq(task->word_count, 1);
    cr_assert_eq(task->words[0].text_end, task->text_bytes);
    cr_assert_eq(task->words[0].sample_end, task->sample_count);
}

/* Turns until the pool would wait for this moment of the fake clock. */
static void testcase_until_deadline(struct synth_pool *pool, int64_t deadline)
{
    int64_t start = clock_monotonic_ms(&clock_system);

    while (synth_pool_next_deadline(pool) != deadline) {
        struct pollfd fd = {.fd = synth_pool_fd(pool), .events = POLLIN};

        synth_pool_dispatch(pool);
        cr_assert_lt(clock_monotonic_ms(&clock_system) - start, PATIENCE_MS, "deadline %lld, not %lld",
                     (long long)synth_pool_next_deadline(pool), (long long)deadline);
        poll(&fd, 1, 10);
        synth_pool_dispatch(pool);
    }
}

Test(pool, tasks_come_back_with_their_own_samples)
{
    struct synth_pool *pool = testcase_pool(FAULTY, NULL, 2, &clock_system);
    struct said said[] = {testcase_said("alpha"), testcase_said("beta"), testcase_said("c"),
                          testcase_said("dd")};
    struct said more = testcase_said("more");

    cr_assert_eq(synth_pool_room(pool), 4);
    for (size_t i = 0; i < 4; i++)
        testcase_submit(pool, &said[i]);
    cr_assert_eq(synth_pool_room(pool), 0);
    cr_assert_eq(synth_pool_submit(pool, &more.task, NULL), -EAGAIN);
    for (size_t i = 0; i < 4; i++) {
        testcase_wait(pool, &said[i]);
        testcase_spoken(&said[i]);
        testcase_forget(&said[i]);
    }
    cr_assert_eq(synth_pool_room(pool), 4);
    cr_assert_eq(synth_pool_restarts(pool), 0);
    /* One process may have done it all before the other one was ready. */
    testcase_until_deadline(pool, -1);
    cr_assert_null(synth_pool_trouble(pool));
    synth_pool_stop(pool);
}

Test(pool, tasks_out_of_range_are_refused_at_once)
{
    struct synth_pool *pool = testcase_pool(FAULTY, NULL, 1, &clock_system);
    static char long_text[FRAME_TEXT_MAX + 2];
    struct said said[] = {testcase_said(""), testcase_said("a"), testcase_said("a"), testcase_said("a"),
                          testcase_said(long_text)};

    memset(long_text, 'a', sizeof long_text - 1);
    said[1].task.speed = 0.1;
    said[2].task.pitch = 1e300;
    said[3].task.voice = "";
    said[4].task.text_bytes = sizeof long_text - 1;
    for (size_t i = 0; i < array_length(said); i++)
        cr_assert_eq(synth_pool_submit(pool, &said[i].task, NULL), -EINVAL, "%zu", i);
    synth_pool_stop(pool);
}

Test(pool, a_bad_text_costs_its_process_and_nothing_else)
{
    static const struct {
        const char *text;
        enum synth_result result;
        const char *message; /* a part of it */
        size_t restarts;
    } cases[] = {
        {"a crash", SYNTH_CRASHED, "by signal 11", 1},    {"an exit", SYNTH_CRASHED, "exit code 3", 1},
        {"a flood", SYNTH_FLOODED, "more than", 1},       {"rubbish", SYNTH_CRASHED, "rubbish", 1},
        {"a promise", SYNTH_CRASHED, "rubbish", 1},       {"another id", SYNTH_CRASHED, "out of turn", 1},
        {"ready twice", SYNTH_CRASHED, "out of turn", 1}, {"ask back", SYNTH_CRASHED, "out of turn", 1},
        {"miscount", SYNTH_CRASHED, "does not fit", 1},   {"rates", SYNTH_CRASHED, "at 8000 Hz", 1},
        {"misplaced", SYNTH_CRASHED, "does not fit", 1},  {"give up", SYNTH_CRASHED, "gave up", 1},
        {"high", SYNTH_CRASHED, "at 48000 Hz", 1},        {"refuse", SYNTH_REFUSED, "not?this ?[31mone", 0},
        {"report", SYNTH_FLOODED, "too much", 0},
    };

    for (size_t i = 0; i < array_length(cases); i++) {
        struct synth_pool *pool = testcase_pool(FAULTY, NULL, 1, &clock_system);
        struct said bad = testcase_said(cases[i].text), behind = testcase_said("well behaved");

        testcase_submit(pool, &bad);
        testcase_submit(pool, &behind);
        testcase_wait(pool, &bad);
        cr_assert_eq(bad.task.result, cases[i].result, "%s: %d", cases[i].text, bad.task.result);
        cr_assert_not_null(strstr(bad.task.message, cases[i].message), "%s: %s", cases[i].text,
                           bad.task.message);
        cr_assert_null(bad.task.samples);
        testcase_wait(pool, &behind);
        testcase_spoken(&behind);
        testcase_forget(&behind);
        cr_assert_eq(synth_pool_restarts(pool), cases[i].restarts, "%s", cases[i].text);
        synth_pool_stop(pool);
    }
}

Test(pool, a_task_that_is_to_be_alone_gets_a_process_of_its_own)
{
    struct synth_pool *pool = testcase_pool(FAULTY, NULL, 1, &clock_system);
    struct said first = testcase_said("well behaved"), alone = testcase_said("well behaved, too"),
                behind = testcase_said("well behaved, as well");

    testcase_submit(pool, &first);
    testcase_wait(pool, &first);
    alone.task.alone = true;
    testcase_submit(pool, &alone);
    testcase_submit(pool, &behind);
    testcase_wait(pool, &alone);
    testcase_spoken(&alone);
    cr_assert_eq(synth_pool_restarts(pool), 1, "a process that has spoken before made room");
    testcase_wait(pool, &behind);
    testcase_spoken(&behind);
    cr_assert_eq(synth_pool_restarts(pool), 1);
    testcase_forget(&first);
    testcase_forget(&alone);
    testcase_forget(&behind);
    synth_pool_stop(pool);
}

Test(pool, what_an_engine_said_before_it_died_counts)
{
    struct synth_pool *pool = testcase_pool(FAULTY, NULL, 1, &clock_system);
    struct said last = testcase_said("last words"), behind = testcase_said("behind");

    testcase_submit(pool, &last);
    testcase_wait(pool, &last);
    testcase_spoken(&last);
    testcase_submit(pool, &behind);
    testcase_wait(pool, &behind);
    /* It was given to a process that was dead already or not: nobody can tell, and one of the two comes. */
    cr_assert(behind.task.result == SYNTH_DONE || behind.task.result == SYNTH_CRASHED);
    testcase_forget(&last);
    testcase_forget(&behind);
    synth_pool_stop(pool);
}

static void testcase_wait_still(struct synth_pool *pool, struct said *said)
{
    struct pollfd fd = {.fd = synth_pool_fd(pool), .events = POLLIN};

    for (int turns = 0; said->done == 0; turns++) {
        cr_assert_lt(turns, PATIENCE_MS / 10);
        poll(&fd, 1, 10);
        synth_pool_dispatch(pool);
    }
}

/* The task that hangs is given up when its limit is over, and no sooner. */
static void testcase_times_out(struct synth_pool *pool, struct fake_clock *clock, struct said *slow)
{
    fake_clock_advance(clock, LIMIT_MS - 1);
    synth_pool_dispatch(pool);
    cr_assert_eq(slow->done, 0);
    fake_clock_advance(clock, 1);
    testcase_wait_still(pool, slow);
    cr_assert_eq(slow->task.result, SYNTH_TIMED_OUT);
}

Test(pool, a_segment_may_take_its_limit_and_no_longer)
{
    struct fake_clock clock;
    struct synth_pool *pool;
    struct said slow = testcase_said("hang"), behind = testcase_said("behind");
    int64_t limit;

    fake_clock_init(&clock);
    pool = testcase_pool(FAULTY, NULL, 1, &clock.clock);
    limit = clock_monotonic_ms(&clock.clock) + LIMIT_MS;
    testcase_submit(pool, &slow);
    testcase_submit(pool, &behind);
    testcase_until_deadline(pool, limit);
    testcase_times_out(pool, &clock, &slow);
    testcase_wait_still(pool, &behind);
    testcase_spoken(&behind);
    testcase_forget(&behind);
    cr_assert_eq(synth_pool_restarts(pool), 1);
    synth_pool_stop(pool);
}

Test(pool, a_time_in_which_nobody_listened_does_not_count)
{
    struct fake_clock clock;
    struct synth_pool *pool;
    struct said slow = testcase_said("hang");

    fake_clock_init(&clock);
    pool = testcase_pool(FAULTY, NULL, 1, &clock.clock);
    testcase_submit(pool, &slow);
    testcase_until_deadline(pool, clock_monotonic_ms(&clock.clock) + LIMIT_MS);
    fake_clock_advance(&clock, 3 * LIMIT_MS);
    synth_pool_postpone(pool, 3 * LIMIT_MS);
    testcase_times_out(pool, &clock, &slow);
    synth_pool_stop(pool);
}

Test(pool, a_dropped_task_is_never_heard_of_again)
{
    struct synth_pool *pool = testcase_pool(FAULTY, NULL, 1, &clock_system);
    struct said *spoken = malloc(sizeof *spoken), *behind = malloc(sizeof *behind);
    struct said first = testcase_said("first"), good = testcase_said("good");

    /* Whether it is spoken, in the socket or still waits: its memory is gone, as a sanitizer would tell. */
    testcase_submit(pool, &first);
    testcase_wait(pool, &first);
    *spoken = testcase_said("hang");
    *behind = testcase_said("crash");
    testcase_submit(pool, spoken);
    testcase_submit(pool, behind);
    synth_pool_drop(pool, &behind->task);
    free(behind);
    synth_pool_drop(pool, &spoken->task);
    free(spoken);
    testcase_submit(pool, &good);
    testcase_wait(pool, &good);
    testcase_spoken(&good);
    cr_assert_eq(synth_pool_restarts(pool), 1);
    testcase_forget(&first);
    testcase_forget(&good);
    synth_pool_stop(pool);
}

Test(pool, a_dropped_task_behind_another_disturbs_it_not)
{
    struct synth_pool *pool = testcase_pool(FAULTY, NULL, 1, &clock_system);
    struct said *behind = malloc(sizeof *behind);
    struct said warm = testcase_said("warm"), first = testcase_said("first"), good = testcase_said("good");

    testcase_submit(pool, &warm);
    testcase_wait(pool, &warm);
    *behind = testcase_said("hang");
    testcase_submit(pool, &first);
    testcase_submit(pool, behind);
    synth_pool_drop(pool, &behind->task);
    free(behind);
    testcase_wait(pool, &first);
    testcase_spoken(&first);
    testcase_submit(pool, &good);
    testcase_wait(pool, &good);
    testcase_spoken(&good);
    testcase_forget(&warm);
    testcase_forget(&first);
    testcase_forget(&good);
    synth_pool_stop(pool);
}

static struct synth_pool *chained_pool;
static struct said chained[20];
static int chain_length;

static void on_chained_done(struct synth_task *task)
{
    on_done(task);
    if (chain_length < (int)array_length(chained))
        cr_assert_eq(synth_pool_submit(chained_pool, &chained[chain_length++].task, NULL), 0);
}

Test(pool, done_may_submit_the_next_task)
{
    static const char *const texts[] = {"one", "crash", "three", "exit", "five"};

    chained_pool = testcase_pool(FAULTY, NULL, 2, &clock_system);
    for (size_t i = 0; i < array_length(chained); i++) {
        chained[i] = testcase_said(texts[i % array_length(texts)]);
        chained[i].task.done = on_chained_done;
    }
    testcase_submit(chained_pool, &chained[chain_length++]);
    for (size_t i = 0; i < array_length(chained); i++) {
        testcase_wait(chained_pool, &chained[i]);
        cr_assert_eq(chained[i].task.result, i % 5 == 1 || i % 5 == 3 ? SYNTH_CRASHED : SYNTH_DONE);
        testcase_forget(&chained[i]);
    }
    /* The last that crashed may come up after the other process has spoken the last task. */
    for (int turns = 0; synth_pool_restarts(chained_pool) < 8 && turns < PATIENCE_MS / 10; turns++)
        testcase_turn(chained_pool, 10);
    /* A process that does not come up costs a start more, which is no matter here. */
    cr_assert_geq(synth_pool_restarts(chained_pool), 8, "%zu", synth_pool_restarts(chained_pool));
    synth_pool_stop(chained_pool);
}

Test(pool, an_engine_has_nothing_of_the_workers_environment)
{
    static const char *const names[] = {"CREDENTIALS_DIRECTORY", "PATH", "HOME", "SAYHOOK_API_KEY", "LANG"};
    struct said said = testcase_said("environment");
    struct synth_pool *pool;

    for (size_t i = 0; i < array_length(names); i++)
        cr_assert_eq(setenv(names[i], "/etc", 1), 0);
    cr_assert_eq(setenv("JOURNAL_STREAM", "1:2", 1), 0);
    pool = testcase_pool(FAULTY, NULL, 1, &clock_system);
    testcase_submit(pool, &said);
    testcase_wait(pool, &said);
    for (size_t i = 0; i < array_length(names); i++)
        cr_expect_null(strstr(said.task.message, names[i]), "%s", said.task.message);
    cr_expect_not_null(strstr(said.task.message, "JOURNAL_STREAM"), "%s", said.task.message);
    synth_pool_stop(pool);
}

Test(pool, a_program_that_is_not_there_is_an_error_at_the_start)
{
    struct synth_pool *pool = NULL;
    struct error err = {.text = ""};
    struct synth_pool_options options = {.program = "/nowhere/sayhook-synth",
                                         .count = 2,
                                         .segment_limit_ms = LIMIT_MS,
                                         .clock = &clock_system};

    cr_assert_eq(synth_pool_start(&options, &pool, &err), -ENOENT);
    cr_assert_not_null(strstr(err.text, "/nowhere/sayhook-synth"), "%s", err.text);
    cr_assert_null(pool);
    options.program = "/etc/passwd";
    cr_assert_eq(synth_pool_start(&options, &pool, &err), -EACCES);
    cr_assert_null(synth_pool_stop(NULL));
}

Test(pool, engines_that_do_not_come_up_are_tried_ever_more_slowly_and_reported)
{
    static const struct {
        const char *manner;
        const char *trouble;
    } cases[] = {{"die", "exit code 7"}, {"old", "protocol 0 and not 1"}, {"tire", "exit code 8"}};

    for (size_t i = 0; i < array_length(cases); i++) {
        struct fake_clock clock;
        struct synth_pool *pool;
        struct said said = testcase_said("hopeless");

        fake_clock_init(&clock);
        pool = testcase_pool(FAULTY, cases[i].manner, 1, &clock.clock);
        if (strcmp(cases[i].manner, "tire") != 0)
            testcase_submit(pool, &said);
        for (int64_t delay = 100; delay <= 1600; delay *= 2) {
            testcase_until_deadline(pool, clock_monotonic_ms(&clock.clock) + delay);
            cr_assert_not_null(strstr(synth_pool_trouble(pool), cases[i].trouble), "%s",
                               synth_pool_trouble(pool));
            if (delay < 1600)
                cr_assert_eq(said.done, 0, "%lld", (long long)delay);
            fake_clock_advance(&clock, delay);
        }
        if (strcmp(cases[i].manner, "tire") != 0) {
            testcase_wait_still(pool, &said);
            cr_assert_eq(said.task.result, SYNTH_UNAVAILABLE);
            cr_assert_not_null(strstr(said.task.message, cases[i].trouble), "%s", said.task.message);
        }
        synth_pool_stop(pool);
    }
}

Test(pool, an_engine_that_never_says_ready_is_replaced)
{
    struct fake_clock clock;
    struct synth_pool *pool;

    fake_clock_init(&clock);
    pool = testcase_pool(FAULTY, "mute", 1, &clock.clock);
    fake_clock_advance(&clock, synth_pool_next_deadline(pool) - clock_monotonic_ms(&clock.clock));
    synth_pool_dispatch(pool);
    testcase_until_deadline(pool, clock_monotonic_ms(&clock.clock) + 30000);
    cr_assert_eq(synth_pool_restarts(pool), 1);
    cr_assert_not_null(strstr(synth_pool_trouble(pool), "not ready"));
    synth_pool_stop(pool);
}

Test(pool, the_real_engine_speaks_every_voice_and_repeats_itself)
{
    struct synth_pool *pool = testcase_pool(REAL, NULL, 2, &clock_system);
    size_t count;
    const struct voice *voices = catalogue_voices(&count);

    for (size_t i = 0; i < count; i++) {
        /* One for each process. */
        struct said said[] = {testcase_said("It costs $5, they say."),
                              testcase_said("It costs $5, they say.")};

        for (size_t k = 0; k < 2; k++) {
            said[k].task.voice = voices[i].id;
            said[k].task.sample_rate = voices[i].sample_rate;
            testcase_submit(pool, &said[k]);
        }
        for (size_t k = 0; k < 2; k++) {
            testcase_wait(pool, &said[k]);
            cr_assert_eq(said[k].task.result, SYNTH_DONE, "%s: %s", voices[i].id, said[k].task.message);
            cr_assert_eq(said[k].task.word_count, 5);
        }
        cr_assert_eq(said[0].task.sample_count, said[1].task.sample_count);
        cr_assert_arr_eq(said[0].task.samples, said[1].task.samples, 2 * said[0].task.sample_count);
        testcase_forget(&said[0]);
        testcase_forget(&said[1]);
    }
    cr_assert_eq(synth_pool_restarts(pool), 0);
    synth_pool_stop(pool);
}

Test(pool, the_real_engine_refuses_what_it_cannot_speak_and_goes_on)
{
    struct synth_pool *pool = testcase_pool(REAL, NULL, 1, &clock_system);
    static char dots[401], wide[2001];
    static const struct {
        const char *text, *voice;
        enum synth_result result;
    } cases[] = {
        {"(", "kal16", SYNTH_DONE},
        {dots, "kal16", SYNTH_REFUSED},
        {wide, "kal16", SYNTH_REFUSED},
        {"caf\xc3", "kal16", SYNTH_REFUSED},
        {"Good.", "../../etc/passwd", SYNTH_REFUSED},
        {"7777777777777777777777777777777777777777 7777777777777777777777777", "kal16", SYNTH_DONE},
        {"Good.", "kal16", SYNTH_DONE},
    };

    memset(dots, '.', sizeof dots - 1);
    memset(wide, 'w', sizeof wide - 1);
    dots[0] = 'a';
    for (size_t i = 0; i < array_length(cases); i++) {
        struct said said = testcase_said(cases[i].text);

        said.task.voice = cases[i].voice;
        testcase_submit(pool, &said);
        testcase_wait(pool, &said);
        cr_assert_eq(said.task.result, cases[i].result, "%s: %s", cases[i].text, said.task.message);
        cr_assert_eq(said.task.samples == NULL, said.task.sample_count == 0);
        testcase_forget(&said);
    }
    cr_assert_eq(synth_pool_restarts(pool), 0);
    synth_pool_stop(pool);
}

Test(pool, synthesizers_die_with_the_process_that_started_them)
{
    static const char text[] =
        "This goes on and on and on, for quite a while, and is never waited for by anybody.";
    pid_t child;
    int status, orphans = 0;

    /* The orphans become ours. */
    cr_assert_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    child = fork();
    if (child == 0) {
        struct synth_pool *pool = testcase_pool(REAL, NULL, 2, &clock_system);
        struct said warm[] = {testcase_said(text), testcase_said(text)};
        struct said left[] = {testcase_said(text), testcase_said(text)};

        for (size_t i = 0; i < 2; i++)
            testcase_submit(pool, &warm[i]);
        for (size_t i = 0; i < 2; i++)
            testcase_wait(pool, &warm[i]);
        for (size_t i = 0; i < 2; i++)
            testcase_submit(pool, &left[i]);
        raise(SIGKILL);
    }
    cr_assert_gt(child, 0);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "%x", status);
    while (waitpid(-1, &status, 0) > 0) {
        cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "%x", status);
        orphans++;
    }
    cr_assert_eq(orphans, 2);
}
