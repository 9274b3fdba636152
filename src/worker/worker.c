/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/worker.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/epoll.h>

#include "base/file.h"
#include "base/wake.h"
#include "job/files.h"
#include "worker/internal.h"

/* Writes that may wait for the committer: far more than the loop and the dispatcher have under way at once.
 */
#define QUEUE_MAX 4096

/* What is unfinished when the worker stops must be put back within this. */
#define STOP_LIMIT_MS 10000

/* A running job ends within a second of its cancellation, however seldom the database is polled for new ones.
 */
#define CANCEL_INTERVAL_MS 500

/* A turn of the loop that comes so late was held up from outside. */
#define STALL_MS (3 * WATCH_INTERVAL_MS)

/* Nobody else has a use for what is spooled. */
#define SPOOL_FOLDER_MODE 0700

/* ---- birth and death ---- */

/* The cores that this process may use. */
static size_t core_count(void)
{
    cpu_set_t set;

    return sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0 ? (size_t)CPU_COUNT(&set) : 1;
}

static int watch_fd(struct worker *worker, int fd, struct error *err)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

    if (epoll_ctl(worker->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
        return error_system(err, errno, "cannot watch a descriptor");
    return 0;
}

static int start_pool(struct worker *worker, struct error *err)
{
    int64_t wanted = worker->options.settings->synthesizers;
    struct synth_pool_options options = {
        .program = worker->options.synth_program,
        .count = wanted > 0 ? (size_t)wanted : core_count(),
        .segment_limit_ms = SEGMENT_LIMIT_MS,
        .clock = worker->options.clock,
    };

    worker->synthesizers = options.count;
    return synth_pool_start(&options, &worker->pool, err);
}

/* Encrypts the webhook secrets that were there before the key was. */
static int seal_secrets(struct worker *worker, struct error *err)
{
    struct error left;
    size_t count;
    int r = secrets_seal(worker->store, &count, err);

    if (r < 0)
        return r;
    if (worker->options.sealer == NULL) {
        log_warning("webhook secrets lie in the database in plain text: no `secret_key_file` is set");
        return 0;
    }
    if (count > 0)
        log_info("webhook secrets that lay in plain text and are encrypted now: %zu", count);
    /* At each start, since a reader may have been in the way of the last one. */
    if (secrets_wipe(worker->store, &left) < 0)
        log_warning("%s", left.text);
    return 0;
}

static int start(struct worker *worker, struct error *err)
{
    int r = store_open(&worker->store_options, &worker->store, err);

    if (r == 0)
        r = seal_secrets(worker, err);
    if (r == 0)
        r = job_folders_make(worker->options.settings->downloads_dir, err);
    if (r == 0)
        r = file_make_folder(worker->options.settings->spool_dir, SPOOL_FOLDER_MODE, err);
    if (r == 0)
        r = mailbox_init(&worker->mailbox, err);
    if (r == 0)
        r = committer_start(&worker->store_options, "sayhook-worker", QUEUE_MAX, &worker->committer, err);
    if (r == 0)
        r = start_pool(worker, err);
    if (r == 0)
        r = encoders_start(worker, err);
    if (r == 0)
        r = finishers_start(worker, err);
    if (r == 0)
        r = wake_open(worker->options.settings->database, &worker->wake_fd, err);
    if (r == 0)
        r = lease_start(worker, err);
    if (r == 0 && (worker->epoll_fd = epoll_create1(EPOLL_CLOEXEC)) < 0)
        r = error_system(err, errno, "cannot make an epoll descriptor");
    if (r == 0)
        r = watch_fd(worker, worker->mailbox.fd, err);
    if (r == 0)
        r = watch_fd(worker, synth_pool_fd(worker->pool), err);
    if (r == 0 && worker->wake_fd >= 0)
        r = watch_fd(worker, worker->wake_fd, err);
    if (r == 0)
        r = watch_fd(worker, worker->options.service->stop_fd, err);
    if (r == 0)
        r = watch_fd(worker, worker->options.service->reload_fd, err);
    return r;
}

int worker_new(const struct worker_options *options, struct worker **ret_worker, struct error *err)
{
    struct worker *worker = calloc(1, sizeof *worker);
    int r;

    if (worker == NULL)
        return error_set(err, -ENOMEM, "out of memory");
    worker->event_json = event_json_make(options->settings->public_base_url);
    worker->options = *options;
    worker->store_options = (struct store_options){
        .path = options->settings->database,
        .clock = options->clock,
        .renderer = &worker->event_json.renderer,
        .webhook_delay = settings_webhook_delay(options->settings),
        .limits = limits_of_settings(options->settings),
        .retention_audio = options->settings->retention_audio,
        .sealer = options->sealer,
    };
    worker->election_fd = worker->wake_fd = worker->epoll_fd = worker->lease.lock_fd = worker->mailbox.fd =
        -1;
    worker->maybe_pending = true;
    r = start(worker, err);
    if (r < 0) {
        worker_free(worker);
        return r;
    }
    *ret_worker = worker;
    return 0;
}

struct worker *worker_free(struct worker *worker)
{
    if (worker == NULL)
        return NULL;
    worker->dispatcher = dispatcher_stop(worker->dispatcher);
    worker->retirer = retirer_stop(worker->retirer);
    if (worker->committer != NULL)
        lease_end(worker);
    encoders_stop(worker);
    finishers_stop(worker);
    durable_stop(worker);
    worker->committer = committer_stop(worker->committer);
    worker->stopped = true;
    if (worker->mailbox.fd >= 0)
        mailbox_empty(&worker->mailbox); /* the last letters own what they are about */
    while (worker->retries != NULL) {
        struct run *run = worker->retries;

        worker->retries = run->next;
        run_free(run);
    }
    while (worker->runs != NULL) {
        struct run *run = worker->runs;

        worker->runs = run->next;
        run_free(run);
    }
    worker->pool = synth_pool_stop(worker->pool);
    store_close(worker->store);
    if (worker->mailbox.fd >= 0)
        mailbox_release(&worker->mailbox);
    close_fd(&worker->wake_fd);
    close_fd(&worker->election_fd);
    close_fd(&worker->epoll_fd);
    free(worker);
    return NULL;
}

/* ---- the loop ---- */

static int64_t monotonic(const struct worker *worker)
{
    return clock_monotonic_ms(worker->options.clock);
}

static struct run *find_run(const struct worker *worker, int64_t id)
{
    for (struct run *run = worker->runs; run != NULL; run = run->next)
        if (run->job.id == id)
            return run;
    return NULL;
}

static void cancel_runs(struct worker *worker)
{
    int64_t ids[RUNS_MAX];
    struct error err = {""};
    size_t count;

    if (worker->run_count == 0)
        return;
    if (job_cancelled_list(worker->store, atomic_load(&worker->lease.worker), ids, RUNS_MAX, &count, &err) <
        0) {
        log_error("cannot look for cancelled jobs: %s", err.text);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct run *run = find_run(worker, ids[i]);

        if (run != NULL) /* else it is ending already */
            run_cancel(run);
    }
}

static int64_t look_interval(const struct worker *worker)
{
    int64_t poll_interval = worker->options.settings->poll_interval;

    return worker->run_count > 0 && poll_interval > CANCEL_INTERVAL_MS ? CANCEL_INTERVAL_MS : poll_interval;
}

/*
 * What other processes wrote: new jobs and cancellations.  Once in poll_interval, not once a turn: under load
 * there is a commit of our own in every turn.
 */
static void look_at_database(struct worker *worker, int64_t now)
{
    bool changed;

    if (now < worker->looked_at + look_interval(worker))
        return;
    worker->looked_at = now;
    changed = store_changed(worker->store);
    if (!changed && !worker->maybe_cancelled)
        return;
    worker->maybe_pending |= changed;
    worker->maybe_other |= changed;
    worker->maybe_cancelled = false;
    cancel_runs(worker);
}

static void watch_pool(struct worker *worker)
{
    const char *trouble = synth_pool_trouble(worker->pool);
    size_t restarts = synth_pool_restarts(worker->pool);

    if (restarts > worker->restarts)
        tally_add(committer_tally(worker->committer), METRIC_SYNTHESIZER_RESTARTS,
                  (int64_t)(restarts - worker->restarts) * METRIC_MILLIONTHS);
    worker->restarts = restarts;
    if (trouble != NULL && !worker->troubled)
        log_error("no synthesizer comes up: %s", trouble);
    else if (trouble == NULL && worker->troubled)
        log_info("the synthesizers are up again");
    worker->troubled = trouble != NULL;
}

static int wait_ms(const struct worker *worker, int64_t now)
{
    int64_t until = worker->looked_at + look_interval(worker);
    int64_t deadline = synth_pool_next_deadline(worker->pool);

    if (deadline >= 0 && deadline < until)
        until = deadline;
    if (!worker->lease.posted && worker->lease.beat_at < until)
        until = worker->lease.beat_at;
    if (until <= now)
        return 0;
    return until - now > WATCH_INTERVAL_MS ? WATCH_INTERVAL_MS : (int)(until - now);
}

/* The loop turns once in WATCH_INTERVAL_MS at least, unless the machine swaps or the process was stopped. */
static void notice_stall(struct worker *worker, int64_t now)
{
    int64_t stood = now - worker->turned_at;

    if (stood > STALL_MS) {
        log_warning("the worker stood still for %lld ms", (long long)stood);
        synth_pool_postpone(worker->pool, stood);
    }
    worker->turned_at = now;
}

/* What `systemctl status` shows. */
static void describe(const struct worker *worker, char ret_status[SERVICE_STATUS_MAX])
{
    const char *webhooks = worker->dispatcher != NULL ? "sends webhooks" : "another worker sends webhooks";

    if (worker->troubled)
        snprintf(ret_status, SERVICE_STATUS_MAX, "no synthesizer comes up; %s", webhooks);
    else if (worker->disk_is_full)
        snprintf(ret_status, SERVICE_STATUS_MAX, "the disk is below its reserve; %s", webhooks);
    else if (worker->run_count == 0)
        snprintf(ret_status, SERVICE_STATUS_MAX, "waiting for jobs; %s", webhooks);
    else
        snprintf(ret_status, SERVICE_STATUS_MAX, "speaking %zu job%s; %s", worker->run_count,
                 worker->run_count == 1 ? "" : "s", webhooks);
}

/* The watchdog hears of the loop from the loop itself. */
static void tell_service_manager(struct worker *worker, int64_t now)
{
    char status[SERVICE_STATUS_MAX];

    if (worker->options.service->tick_ms == 0 || now < worker->tick_at)
        return;
    worker->tick_at = now + worker->options.service->tick_ms;
    describe(worker, status);
    service_alive(status);
}

static void turn(struct worker *worker)
{
    int64_t now = monotonic(worker);

    notice_stall(worker, now);
    mailbox_empty(&worker->mailbox);
    synth_pool_dispatch(worker->pool);
    look_at_database(worker, now);
    finish_retries(worker, now);
    lease_watch(worker, now);
    watch_pool(worker);
    watch_space(worker, now);
    watch_durability(worker, now);
    schedule(worker);
    tell_service_manager(worker, now);
}

static bool is_busy(const struct worker *worker)
{
    return worker->ending_count > 0 || worker->claiming != NULL || worker->lease.posted;
}

/* Puts back what is unfinished and lets what is finished come to its end. */
static void stop(struct worker *worker)
{
    int64_t now = monotonic(worker), limit = now + STOP_LIMIT_MS;
    struct pollfd letters = {.fd = worker->mailbox.fd, .events = POLLIN};

    while (worker->runs != NULL)
        run_put_back(worker->runs);
    for (; is_busy(worker) && now < limit; now = monotonic(worker)) {
        int64_t wait =
            limit - now < FAULT_PAUSE_MS ? limit - now : FAULT_PAUSE_MS; /* for what is tried again */

        if (poll(&letters, 1, (int)wait) < 0 && errno != EINTR)
            return;
        mailbox_empty(&worker->mailbox);
        while (worker->runs != NULL) /* a claim that was under way */
            run_put_back(worker->runs);
        finish_retries(worker, monotonic(worker));
    }
}

int worker_run(struct worker *worker, struct error *err)
{
    worker->turned_at = monotonic(worker);
    for (;;) {
        struct epoll_event events[8];
        int count;

        turn(worker);
        if (worker->fatal < 0)
            return error_set(err, worker->fatal, "out of memory");
        count = epoll_wait(worker->epoll_fd, events, 8, wait_ms(worker, monotonic(worker)));
        if (count < 0 && errno != EINTR)
            return error_system(err, errno, "cannot wait for events");
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == worker->options.service->stop_fd) {
                service_stopping();
                stop(worker);
                return 0;
            }
            if (events[i].data.fd == worker->options.service->reload_fd &&
                service_reload_asked(worker->options.service)) {
                service_reloading();
                stop(worker);
                return SERVICE_RELOAD;
            }
            if (events[i].data.fd == worker->wake_fd) {
                wake_drain(worker->wake_fd);
                worker->maybe_pending = worker->maybe_other = true;
            }
        }
    }
}
