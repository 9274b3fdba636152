/* SPDX-License-Identifier: Apache-2.0 */
/* Which job is claimed next and which segment is spoken next. */
#include <errno.h>
#include <math.h>

#include "job/files.h"
#include "worker/internal.h"

/* The most jobs that one transaction claims: enough for a turn of the loop, few enough to stay fair. */
#define CLAIM_MAX 8

struct claim_request {
    struct commit_work work;
    struct letter letter;
    struct worker *worker;
    size_t wanted;
    bool others_only; /* jobs of keys that are not served yet */
    int64_t served[RUNS_MAX];
    size_t served_count;
    size_t count;
    struct job jobs[CLAIM_MAX];
    char texts[CLAIM_MAX][CLAIM_TEXT_MAX];
    size_t sizes[CLAIM_MAX];
};

/* ---- claims ---- */

/* The keys of the runs, each once. */
static size_t served_keys(const struct worker *worker, int64_t ret_keys[RUNS_MAX])
{
    size_t count = 0;

    for (size_t i = 0; i < RUNS_MAX; i++)
        if (worker->flows[i].runs > 0)
            ret_keys[count++] = worker->flows[i].key;
    return count;
}

static void release_jobs(struct claim_request *request)
{
    while (request->count > 0)
        job_release(&request->jobs[--request->count]);
}

static int claim_one(struct claim_request *request, struct store *store, int64_t worker, struct error *err)
{
    size_t i = request->count;
    int r = job_claim(store, worker, request->served, request->others_only ? request->served_count : 0,
                      &request->jobs[i], err);

    if (r != 0)
        return r;
    request->count++;
    /* In the pages that this connection has at hand anyway. */
    return job_text_read(store, request->jobs[i].id, 0, request->texts[i], CLAIM_TEXT_MAX, &request->sizes[i],
                         err);
}

static int claim(struct commit_work *work, struct store *store, struct error *err)
{
    struct claim_request *request = container_of(work, struct claim_request, work);
    int64_t worker = atomic_load(&request->worker->lease.worker);
    int r = 0;

    release_jobs(request); /* of a turn that was rolled back */
    if (worker == 0)
        return STORE_STALE;
    while (r == 0 && request->count < request->wanted)
        r = claim_one(request, store, worker, err);
    return r;
}

static void send_letter(struct commit_work *work)
{
    struct claim_request *request = container_of(work, struct claim_request, work);

    mailbox_send(&request->worker->mailbox, &request->letter);
}

static void add_run(struct worker *worker, struct job *job, const char *text, size_t text_size)
{
    struct run *run = run_new(worker, job, text, text_size);
    struct run **link = &worker->runs;

    if (run == NULL) {
        /* A claim that nobody works at would stay ours: the worker ends, and others take its claims back. */
        worker->fatal = -ENOMEM;
        job_release(job);
        return;
    }
    while (*link != NULL)
        link = &(*link)->next;
    *link = run;
    run->flow = flow_join(worker, &run->job);
    run->virtual_time = run->flow->run_time;
    worker->run_count++;
}

static void receive_claims(struct letter *letter)
{
    struct claim_request *request = container_of(letter, struct claim_request, letter);
    struct worker *worker = request->worker;

    worker->claiming = NULL;
    if (request->work.result < 0) {
        int64_t now = clock_monotonic_ms(worker->options.clock);

        if (repeat_is_news(&worker->claim_fault, now))
            log_error("cannot claim jobs: %s", request->work.error.text);
        worker->claim_not_before = now + FAULT_PAUSE_MS;
        release_jobs(request);
    } else if (repeat_is_over(&worker->claim_fault)) {
        log_info("jobs can be claimed again");
    }
    for (size_t i = 0; i < request->count; i++)
        add_run(worker, &request->jobs[i], request->texts[i], request->sizes[i]);
    /* What was asked for came: there may be more.  And a claim that failed is tried again. */
    if (request->count == request->wanted || request->work.result < 0)
        worker->maybe_pending = worker->maybe_other = true;
    worker->maybe_cancelled = request->count > 0; /* asked for before the run was there to be found */
    free(request);
}

static void post_claim(struct worker *worker, size_t wanted, bool others_only)
{
    struct claim_request *request = calloc(1, sizeof *request);

    if (request == NULL)
        return;
    request->work = (struct commit_work){.run = claim, .done = send_letter};
    request->letter.receive = receive_claims;
    request->worker = worker;
    request->wanted = wanted < CLAIM_MAX ? wanted : CLAIM_MAX;
    request->others_only = others_only;
    request->served_count = served_keys(worker, request->served);
    if (committer_post(worker->committer, &request->work) < 0) {
        free(request);
        return;
    }
    worker->claiming = request;
    if (!others_only)
        worker->maybe_pending = false; /* until something says otherwise, while the claim is under way too */
    worker->maybe_other = false;
}

/*
 * Jobs whose segments are not all with the synthesizers: with so many, no synthesizer waits for a claim.  And
 * those that are not encoded yet: where encoders are slower than synthesizers, the cores have work enough.
 */
static size_t unfinished_runs(const struct worker *worker)
{
    size_t count = 0;

    for (const struct run *run = worker->runs; run != NULL; run = run->next)
        count += run_has_more(run) || run->first_task != NULL;
    return count;
}

/* Looks, which costs no commit, since it is asked often while all are busy. */
static bool another_key_waits(struct worker *worker)
{
    int64_t served[RUNS_MAX];
    size_t count = served_keys(worker, served);

    return key_waits(worker->store, served, count, NULL) == 0;
}

/* The one that has the most on the disk; NULL where none has anything. */
static struct run *largest_run(const struct worker *worker)
{
    struct run *largest = NULL;

    for (struct run *run = worker->runs; run != NULL; run = run->next)
        if (run->samples > (largest != NULL ? largest->samples : 0))
            largest = run;
    return largest;
}

/*
 * Half of the reserve is for jobs that were taken before the disk filled up.  Below that they wait: each that
 * is begun and cannot be written would be spoken in vain.  The last quarter is the database's.
 */
void watch_space(struct worker *worker, int64_t now)
{
    const struct settings *settings = worker->options.settings;
    struct run *largest;
    struct error err;
    bool full;

    if (now < worker->space_at)
        return;
    worker->space_at = now + WATCH_INTERVAL_MS;
    full = job_space_is_below(settings, settings->disk_reserve / 2);
    if (full != worker->disk_is_full)
        log_write(full ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO, NULL,
                  full ? "the disk is below half of its reserve: no job is begun until there is room"
                       : "the disk has room again");
    worker->disk_is_full = full;
    if (full && job_space_is_below(settings, settings->disk_reserve / 4) &&
        (largest = largest_run(worker)) != NULL)
        run_suffer(largest, error_set(&err, -ENOSPC, "the disk is below a quarter of its reserve"), &err);
}

static bool may_claim(struct worker *worker)
{
    return worker->claiming == NULL && worker->maybe_pending && worker->run_count < RUNS_MAX &&
           worker->ending_count < ENDINGS_MAX && atomic_load(&worker->lease.worker) != 0 &&
           clock_monotonic_ms(worker->options.clock) >= worker->claim_not_before && !worker->disk_is_full;
}

/*
 * Jobs enough to keep the synthesizers busy.  Past that, only those of keys that are not served yet: a key
 * whose long jobs take all places must not keep the others waiting until one of them ends.
 */
static void claim_more(struct worker *worker)
{
    size_t wanted = RUNS_AHEAD * worker->synthesizers;
    size_t enough = wanted < RUNS_MAX - RUNS_RESERVED ? wanted : RUNS_MAX - RUNS_RESERVED;
    size_t room = RUNS_MAX - worker->run_count;
    size_t unfinished;

    if (!may_claim(worker))
        return;
    unfinished = unfinished_runs(worker);
    if (unfinished < enough)
        post_claim(worker, enough - unfinished < room ? enough - unfinished : room, false);
    else if (worker->maybe_other && another_key_waits(worker))
        post_claim(worker, 1, true);
    else
        worker->maybe_other = false; /* jobs of the keys that are served may wait all the same */
}

/* ---- segments ---- */

/*
 * Start-time fair queueing (Goyal, Vin, Cheng, SIGCOMM 1996), by bytes of segments: first between the keys
 * that are served, by their weights, then between the runs of the key, so that a short job does not wait for
 * the end of a long one.
 */
static bool goes_before(const struct run *left, const struct run *right)
{
    if (left->flow != right->flow)
        return left->flow->virtual_time < right->flow->virtual_time;
    return left->virtual_time < right->virtual_time;
}

static struct run *next_run(const struct worker *worker)
{
    struct run *next = NULL;

    for (struct run *run = worker->runs; run != NULL; run = run->next)
        if ((next == NULL || goes_before(run, next)) && run_has_more(run))
            next = run;
    return next;
}

static void charge(struct worker *worker, struct run *run, size_t bytes)
{
    struct flow *flow = run->flow;

    /* One that had nothing to submit for a while starts from where the others are: it has saved nothing up.
     */
    worker->virtual_time = fmax(worker->virtual_time, flow->virtual_time);
    flow->virtual_time = worker->virtual_time + (double)bytes / flow->weight;
    flow->run_time = fmax(flow->run_time, run->virtual_time);
    run->virtual_time = flow->run_time + (double)bytes;
}

/* False where no run has a segment to submit. */
static bool submit_one(struct worker *worker)
{
    struct run *run = next_run(worker);
    struct utterance *utterance = run != NULL ? run_next_utterance(run) : NULL;
    struct error err = {""};

    if (utterance == NULL)
        return run != NULL; /* it had none left, and may have ended: there may be others */
    if (synth_pool_submit(worker->pool, &utterance->task, &err) == 0) {
        utterance->state = UTTERANCE_SPEAKING;
        charge(worker, run, utterance->task.text_bytes);
    } else {
        run_fail(run, utterance, "synthesis_refused", "this part of the text cannot be spoken: %s", err.text);
    }
    return true;
}

void schedule(struct worker *worker)
{
    while (synth_pool_room(worker->pool) > 0 && submit_one(worker))
        ;
    claim_more(worker);
}
