/* SPDX-License-Identifier: Apache-2.0 */
/* Who lives: our own lease, those of other workers, and which worker delivers webhooks. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/crash.h"
#include "base/file.h"
#include "base/id.h"
#include "job/files.h"
#include "worker/internal.h"

#define BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"

/* ---- our own ---- */

static int64_t monotonic(const struct worker *worker)
{
    return clock_monotonic_ms(worker->options.clock);
}

static int join(struct commit_work *work, struct store *store, struct error *err)
{
    struct lease *lease = container_of(work, struct lease, work);

    return worker_join(store, lease->lock_path, lease->boot_id, lease->until, &lease->joined, err);
}

static int beat(struct commit_work *work, struct store *store, struct error *err)
{
    struct lease *lease = container_of(work, struct lease, work);

    return worker_beat(store, atomic_load(&lease->worker), lease->until, err);
}

static void send_letter(struct commit_work *work)
{
    struct worker *worker = container_of(work, struct worker, lease.work);

    mailbox_send(&worker->mailbox, &worker->lease.letter);
}

static void drop_lock(struct lease *lease)
{
    if (lease->lock_fd < 0)
        return;
    crash_note_to(-1, NULL);
    unlink(lease->lock_path);
    close(lease->lock_fd);
    lease->lock_fd = -1;
}

/* A lock of a new name each time: the file of an old one may have been removed by those who took us for dead.
 */
static int take_lock(struct worker *worker, struct error *err)
{
    struct lease *lease = &worker->lease;
    char mark[9];
    int r;

    drop_lock(lease);
    id_random(mark, sizeof mark - 1);
    if ((size_t)snprintf(lease->lock_path, sizeof lease->lock_path, "%s-worker-%s.lock",
                         worker->options.settings->database, mark) >= sizeof lease->lock_path)
        return error_set(err, -ENAMETOOLONG, "the setting `database` is too long a path");
    r = file_lock(lease->lock_path, false, &lease->lock_fd, err);
    if (r == FILE_LOCK_HELD)
        return error_set(err, -EBUSY, "%s is locked by another process", lease->lock_path);
    return r < 0 ? r : crash_note_to(lease->lock_fd, err);
}

/* Others took us for dead: what we had is theirs now. */
static void start_over(struct worker *worker)
{
    log_warning("the lease was lost: other workers took the jobs over; registering again");
    atomic_store(&worker->lease.worker, 0);
    while (worker->runs != NULL)
        run_put_back(worker->runs);
}

static void receive_beat(struct letter *letter)
{
    struct worker *worker = container_of(letter, struct worker, lease.letter);
    struct lease *lease = &worker->lease;
    bool was_join = lease->work.run == join;

    lease->posted = false;
    if (lease->work.result < 0) {
        if (repeat_is_news(&lease->fault, monotonic(worker)))
            log_error("cannot prolong the lease: %s", lease->work.error.text);
        return;
    }
    if (repeat_is_over(&lease->fault))
        log_info("the lease can be prolonged again");
    if (was_join)
        atomic_store(&lease->worker, lease->joined);
    else if (lease->work.result == STORE_STALE && !worker->stopped)
        start_over(worker);
}

static void post(struct worker *worker, int64_t now)
{
    struct lease *lease = &worker->lease;
    int64_t timeout = worker->options.settings->lease_timeout;
    bool joins = atomic_load(&lease->worker) == 0;
    struct error err = {""};

    lease->until = now + timeout;
    lease->beat_at = now + timeout / 3;
    if (joins && take_lock(worker, &err) < 0) {
        log_error("cannot register: %s", err.text);
        return;
    }
    lease->work = (struct commit_work){.run = joins ? join : beat, .done = send_letter};
    lease->letter.receive = receive_beat;
    lease->posted = committer_post(worker->committer, &lease->work) == 0;
}

static int read_boot_id(struct lease *lease, struct error *err)
{
    cleanup(buf_release) struct buf buf = BUF_INIT(sizeof lease->boot_id - 1);
    int r = file_read(BOOT_ID_FILE, &buf, err);

    if (r < 0)
        return r;
    snprintf(lease->boot_id, sizeof lease->boot_id, "%.*s", (int)strcspn(buf_str(&buf), "\n"), buf_str(&buf));
    return 0;
}

int lease_start(struct worker *worker, struct error *err)
{
    struct lease *lease = &worker->lease;
    int64_t now = monotonic(worker);
    int r = read_boot_id(lease, err);

    if (r == 0)
        r = take_lock(worker, err);
    if (r < 0)
        return r;
    lease->until = now + worker->options.settings->lease_timeout;
    lease->beat_at = now + worker->options.settings->lease_timeout / 3;
    lease->work = (struct commit_work){.run = join};
    r = committer_call(worker->committer, &lease->work, err);
    if (r == 0)
        atomic_store(&lease->worker, lease->joined);
    return r;
}

/* ---- taking back ---- */

struct burial {
    struct commit_work work;
    struct take_back how;
    struct job jobs[WORKER_TAKE_BACK_MAX];
    size_t count;
    bool gone;
};

static void release_jobs(struct burial *burial)
{
    while (burial->count > 0)
        job_release(&burial->jobs[--burial->count]);
}

static int bury(struct commit_work *work, struct store *store, struct error *err)
{
    struct burial *burial = container_of(work, struct burial, work);

    release_jobs(burial); /* of a turn that was rolled back */
    return worker_take_back(store, &burial->how, burial->jobs, &burial->count, &burial->gone, err);
}

/* Why a worker's jobs are taken back. */
struct death {
    const char *cause;
    enum lease_loss loss;
    bool is_certain; /* else the process may come to itself and write on */
};

static void log_taken_back(const struct job *job)
{
    const struct log_context context = {.job_id = job->job_id, .request_id = job->request_id};

    if (job->status == JOB_FAILED)
        log_write(LOG_LEVEL_ERROR, &context, "job failed: %s: %s", job->error_code, job->error_message);
}

/*
 * Takes back all that a worker has, and removes it.  Its claims are over then.  What they left on disk is for
 * the next claim to go on with where the process is dead for sure; a hung one may come to itself and write
 * on, so its files go.
 */
static int take_all_back(struct worker *worker, const struct take_back *how, const struct death *death,
                         struct error *err)
{
    const struct settings *settings = worker->options.settings;
    struct burial *burial = calloc(1, sizeof *burial);
    int r = 0;

    if (burial == NULL)
        return error_set(err, -ENOMEM, "out of memory");
    burial->work.run = bury;
    burial->how = *how;
    while (r == 0 && !burial->gone) {
        r = committer_call(worker->committer, &burial->work, err);
        for (size_t i = 0; r == 0 && i < burial->count; i++) {
            const struct job *job = &burial->jobs[i];
            bool is_over = job_status_is_terminal(job->status);

            if (is_over || !death->is_certain)
                job_files_discard(settings, job, job->epoch, is_over);
            log_taken_back(job);
        }
        release_jobs(burial);
    }
    free(burial);
    return r;
}

void lease_end(struct worker *worker)
{
    static const struct death none = {.is_certain = true};
    struct lease *lease = &worker->lease;
    struct error err = {""};

    if (atomic_load(&lease->worker) != 0 &&
        take_all_back(worker, &(struct take_back){.worker = atomic_load(&lease->worker)}, &none, &err) < 0)
        log_error("cannot sign off: %s; other workers will notice", err.text);
    drop_lock(lease);
}

/* ---- the others ---- */

/* A lock that can be taken is nobody's; one that is held may still be that of a worker that hangs. */
static const struct death *death_of(const struct worker *worker, const struct worker_row *row)
{
    static const struct death restart = {"the machine was restarted", LEASE_REBOOTED, .is_certain = true};
    static const struct death end = {"its process ended", LEASE_PROCESS_ENDED, .is_certain = true};
    static const struct death hang = {"its lease ran out", LEASE_HUNG};

    if (strcmp(row->boot_id, worker->lease.boot_id) != 0)
        return &restart;
    if (file_lock_is_free(row->lock_path))
        return &end;
    return row->lease_until < clock_monotonic_ms(worker->options.clock) ? &hang : NULL;
}

/* What a worker that crashed has written into its lock file: the job that it was at, or "". */
static void read_culprit(const char *lock_path, char ret_job_id[JOB_ID_SIZE])
{
    cleanup(close_fd) int fd = open(lock_path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, ret_job_id, JOB_ID_SIZE - 1) : 0;

    ret_job_id[got > 0 ? got : 0] = '\0';
}

static void bury_worker(struct worker *worker, const struct worker_row *row, const struct death *death)
{
    char culprit[JOB_ID_SIZE];
    const struct take_back how = {row->worker, row->lease_until, culprit, true, death->loss};
    struct error err = {""};
    int r;

    read_culprit(row->lock_path, culprit);
    r = take_all_back(worker, &how, death, &err);
    if (r < 0 && repeat_is_news(&worker->burial_fault, monotonic(worker)))
        log_error("cannot take jobs back from worker %lld: %s", (long long)row->worker, err.text);
    if (r >= 0)
        worker->burial_fault.lasts = false; /* what it took back is said below */
    if (r != 0)
        return; /* it has given a sign of life meanwhile, or another worker was quicker */
    if (culprit[0] != '\0') {
        const struct log_context context = {.job_id = culprit};

        log_write(LOG_LEVEL_ERROR, &context, "worker %lld crashed at this job", (long long)row->worker);
    }
    log_info("took back the jobs of worker %lld: %s", (long long)row->worker, death->cause);
    unlink(row->lock_path);
    worker->maybe_pending = true;
}

static void watch_others(struct worker *worker)
{
    int64_t own = atomic_load(&worker->lease.worker);
    struct worker_row *rows;
    struct error err = {""};
    size_t count;

    if (worker_list(worker->store, &rows, &count, &err) < 0) {
        log_error("cannot look after other workers: %s", err.text);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const struct death *death = rows[i].worker != own ? death_of(worker, &rows[i]) : NULL;

        if (death != NULL)
            bury_worker(worker, &rows[i], death);
    }
    worker_rows_free(rows, count);
}

/* ---- the election ---- */

static void log_for_dispatcher(enum log_level level, const struct log_context *context, const char *message)
{
    log_write(level, context, "%s", message);
}

/* One worker delivers, so that limits per receiver and the order per job hold; it also removes what is old.
 */
static void try_election(struct worker *worker)
{
    const struct dispatcher_options options = {
        .settings = worker->options.settings,
        .store = &worker->store_options,
        .committer = worker->committer,
        .clock = worker->options.clock,
        .log = log_for_dispatcher,
    };
    const struct retirer_options retiring = {
        .settings = worker->options.settings,
        .store = &worker->store_options,
        .committer = worker->committer,
        .clock = worker->options.clock,
    };
    struct error err = {""};
    char path[PATH_MAX];
    int r;

    if (worker->dispatcher != NULL && worker->retirer != NULL)
        return;
    snprintf(path, sizeof path, "%s-deliverer.lock", worker->options.settings->database);
    if (worker->election_fd < 0) {
        r = file_lock(path, false, &worker->election_fd, &err);
        if (r == FILE_LOCK_HELD)
            return;
        if (r < 0) {
            log_error("cannot stand for delivery: %s", err.text);
            return;
        }
    }
    if (worker->dispatcher == NULL && dispatcher_start(&options, &worker->dispatcher, &err) < 0)
        log_error("cannot deliver webhooks: %s", err.text);
    if (worker->retirer == NULL && retirer_start(&retiring, &worker->retirer, &err) < 0)
        log_error("cannot remove what has been kept for its time: %s", err.text);
}

void lease_watch(struct worker *worker, int64_t now)
{
    if (now >= worker->lease.beat_at || atomic_load(&worker->lease.worker) == 0)
        if (!worker->lease.posted)
            post(worker, now);
    if (now < worker->watch_at)
        return;
    worker->watch_at = now + WATCH_INTERVAL_MS;
    watch_others(worker);
    try_election(worker);
}
