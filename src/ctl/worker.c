/* SPDX-License-Identifier: Apache-2.0 */
/* Pauses the workers of a database, waits until they are idle, and has them go on. */
#include <inttypes.h>
#include <stdio.h>
#include <sysexits.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/wake.h"
#include "codec/json_write.h"
#include "config/number.h"
#include "ctl/ctl.h"
#include "ctl/interrupt.h"
#include "ctl/progress.h"
#include "ctl/show.h"
#include "store/service.h"

/* Jobs of usual length end in seconds; who waits for a book says so. */
#define WAIT_DEFAULT "10m"
#define WAIT_MAX_MS  (7 * INT64_C(24) * 60 * 60 * 1000)

/* A look costs microseconds; nobody notices that an end was seen so late. */
#define LOOK_INTERVAL_MS 200

struct steering {
    int64_t paused_since; /* 0 is not paused */
    bool changed;         /* by this command */
    int64_t claimed;      /* jobs that are being worked at */
};

/* change is service_pause() or service_resume(). */
static int steer(struct store *store, int (*change)(struct store *, struct error *),
                 struct steering *ret_steering, struct error *err)
{
    int condition, r = store_begin(store, "sayhookctl worker", err);

    if (r == 0)
        r = change(store, err);
    if (r < 0) {
        store_rollback(store);
        return r;
    }
    condition = r;
    r = store_commit(store, err);
    if (r == 0)
        r = service_paused_since(store, &ret_steering->paused_since, err);
    if (r == 0)
        r = job_count_claimed(store, &ret_steering->claimed, err);
    ret_steering->changed = condition == 0;
    return r;
}

static void append_text(struct buf *text, const struct steering *steering)
{
    if (steering->paused_since == 0) {
        buf_append_str(text, steering->changed ? "the workers go on" : "the workers were not paused");
        return;
    }
    buf_printf(text, "%s since ", steering->changed ? "paused" : "paused already,");
    show_time(text, steering->paused_since);
    if (steering->claimed > 0)
        buf_printf(text, "; being spoken: %" PRId64, steering->claimed);
    else
        buf_append_str(text, "; no job is being spoken");
    buf_append_str(text, "; 'sayhookctl worker resume' has the workers go on");
}

static int print_steering(const struct ctl *ctl, const struct steering *steering)
{
    cleanup(buf_release) struct buf text = BUF_INIT(CTL_OUTPUT_MAX);

    if (ctl->json) {
        buf_append_str(&text, "{");
        json_member_bool(&text, "paused", steering->paused_since != 0);
        json_member_time(&text, "paused_since", steering->paused_since);
        json_member_bool(&text, "changed", steering->changed);
        json_member_int(&text, "processing_jobs", steering->claimed);
        buf_append_str(&text, "}");
    } else {
        append_text(&text, steering);
    }
    return ctl_print(ctl, &text);
}

static int run(struct ctl *ctl, int argc, char **argv, int (*change)(struct store *, struct error *))
{
    static const struct program_option options[] = {{NULL}};
    cleanup(ctl_close_store) struct store *store = NULL;
    struct steering steering = {0};
    struct error error;
    char **arguments;
    int code = ctl_read(ctl, argc, argv, options, &arguments);
    int r;

    if (code != OPTIONS_RUN || (code = ctl_open_store(ctl, &store)) != 0)
        return code;
    r = steer(store, change, &steering, &error);
    if (r < 0)
        return ctl_fail_error(ctl, r, &error);
    if (steering.paused_since == 0) {
        cleanup(close_fd) int sender = wake_sender();

        wake_send(sender, ctl->options.settings.database);
    }
    return print_steering(ctl, &steering);
}

int ctl_worker_pause(struct ctl *ctl, int argc, char **argv)
{
    return run(ctl, argc, argv, service_pause);
}

int ctl_worker_resume(struct ctl *ctl, int argc, char **argv)
{
    return run(ctl, argc, argv, service_resume);
}

/* ---- drain ---- */

static void pause_ms(int64_t ms)
{
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    nanosleep(&pause, NULL);
}

/* Until no job is claimed, the time is over, or somebody has resumed meanwhile. */
static int wait_for_idle(struct store *store, int64_t wait_ms, bool is_shown, struct steering *steering,
                         struct error *err)
{
    int64_t end = clock_monotonic_ms(&clock_system) + wait_ms;
    int64_t at_first = steering->claimed;
    struct progress progress;
    int r = 0;

    progress_init(&progress, is_shown ? stderr : NULL, isatty(STDERR_FILENO), &clock_system);
    while (r == 0 && steering->claimed > 0 && steering->paused_since != 0 &&
           clock_monotonic_ms(&clock_system) < end) {
        progress_show(&progress, "draining",
                      at_first > 0 ? 1 - (double)steering->claimed / (double)at_first : 0);
        pause_ms(LOOK_INTERVAL_MS);
        r = job_count_claimed(store, &steering->claimed, err);
        if (r == 0)
            r = service_paused_since(store, &steering->paused_since, err);
    }
    progress_end(&progress);
    return r;
}

int ctl_worker_drain(struct ctl *ctl, int argc, char **argv)
{
    const char *wait_text = WAIT_DEFAULT;
    const struct program_option options[] = {
        {"wait", "DURATION", "how long to wait at most (" WAIT_DEFAULT ")", &wait_text},
        {NULL},
    };
    cleanup(ctl_close_store) struct store *store = NULL;
    struct steering steering = {0};
    int64_t wait_ms;
    struct error error;
    char **arguments;
    int code = ctl_read(ctl, argc, argv, options, &arguments);
    int r;

    if (code != OPTIONS_RUN)
        return code;
    if (number_parse(NUMBER_DURATION, wait_text, 0, WAIT_MAX_MS, &wait_ms, &error) < 0)
        return ctl_fail(ctl, EX_USAGE, "--wait: %s", error.text);
    if ((code = ctl_open_store(ctl, &store)) != 0)
        return code;
    interrupt_say("The workers stay paused; 'sayhookctl worker resume' has them go on.");
    r = steer(store, service_pause, &steering, &error);
    if (r < 0)
        return ctl_fail_error(ctl, r, &error);
    r = wait_for_idle(store, wait_ms, !ctl->json, &steering, &error);
    if (r < 0)
        return ctl_fail_error(ctl, r, &error);
    code = print_steering(ctl, &steering);
    if (code != 0 || (steering.claimed == 0 && steering.paused_since != 0))
        return code;
    if (steering.paused_since == 0)
        return ctl_fail(ctl, EX_TEMPFAIL, "somebody has the workers go on; 'worker drain' pauses them again");
    return ctl_fail(ctl, EX_TEMPFAIL,
                    "still being spoken after %s: %" PRId64
                    "; they end by themselves, or are kept for later when the worker is stopped: see "
                    "'sayhookctl status'",
                    wait_text, steering.claimed);
}
