/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can be done with jobs, keys, deliveries and metrics.  The verbs say nothing of SQLite: a second
 * implementation must fit behind them and pass the same tests.
 *
 * A struct store is one connection and belongs to one thread at a time.  A verb marked [write] is called
 * between store_begin() and store_commit() (most often by the committer, which gathers the writes of many
 * threads); every other verb is a read of its own.  A failure inside a write sticks: later verbs fail too,
 * and store_commit() rolls back.
 *
 * Times are wall-clock milliseconds, as the store's clock gives them.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "crypto/seal.h"
#include "job/event.h"
#include "job/job.h"
#include "job/limits.h"
#include "job/metric.h"

/* Conditions: positive, so that a caller must handle them. */
#define STORE_NOT_FOUND 1 /* no such row, or it is not the caller's to see */
#define STORE_STALE     2 /* the claim was taken back: another worker has the job now */
#define STORE_CONFLICT  3 /* the state does not allow it */
#define STORE_CANCELLED 4 /* its cancellation was asked for, so it has ended as cancelled */
#define STORE_LIMITED   5 /* one of the key's limits is reached */
#define STORE_IN_FLIGHT 6 /* the same request is being answered */
#define STORE_GAVE_UP   7 /* the job has failed: it had too many setbacks */

struct store;

struct store_options {
    const char *path; /* of the database */
    const struct clock *clock;
    const struct event_renderer *renderer; /* NULL: this connection ends no jobs */
    int64_t webhook_delay; /* milliseconds from an event to the first attempt: the schedule's first entry */
    struct key_limits limits;    /* of keys that have none of their own; 0 is no limit */
    int64_t retention_audio;     /* milliseconds that audio is kept from its job's completion on */
    const struct sealer *sealer; /* of webhook secrets; NULL: they lie in plain text, or are not used here */
};

/*
 * Opens the database, and creates and migrates it where needed (under the turnstile).  A database that is
 * newer than this program is refused.
 */
int store_open(const struct store_options *options, struct store **ret_store, struct error *err);
struct store *store_close(struct store *store);

/* One write transaction; who is its name in diagnostics.  -EBUSY where the turnstile was not to be had in 10
 * s. */
int store_begin(struct store *store, const char *who, struct error *err);
int store_commit(struct store *store, struct error *err);
void store_rollback(struct store *store);

/* Reads between the two see one state, and cost less.  Short; store_read_end() does nothing where none was
 * begun. */
int store_read_begin(struct store *store, struct error *err);
void store_read_end(struct store *store);

/* True where another connection has committed since the last call on this one (or on the first call). */
bool store_changed(struct store *store);

/* ---- keys ---- */

#define KEY_HASH_SIZE   32 /* SHA-256 of the API key's text */
#define KEY_ID_SIZE     (sizeof "key_" + 12)
#define KEY_NAME_MAX    100
#define KEY_SECRETS_MAX 4 /* live at once while secrets rotate */

struct api_key {
    int64_t key; /* the row */
    char key_id[KEY_ID_SIZE];
    char *name; /* owned */
    double weight;
    int64_t created_at;
    int64_t revoked_at; /* 0 is live */
    struct key_standing standing;
};

void api_key_release(struct api_key *key);

struct key_request {
    const char *name;
    double weight;
    struct key_limits limits;  /* the key's own; 0: as the settings say */
    const unsigned char *hash; /* KEY_HASH_SIZE bytes: the caller made the API key and kept only that */
    const char *secret;        /* the text of the webhook secret, "whsec_…" */
};

/* A change that leaves all as it is: set what is to be changed. */
#define KEY_UNCHANGED                                                                                        \
    ((struct key_request){.limits = {.requests_per_second = -1, .most = {-1, -1, -1, -1, -1}}})

/* [write] Fails as secrets_seal() does where the key's secret cannot lie as the others do. */
int key_create(struct store *store, const struct key_request *request, struct api_key *ret_key,
               struct error *err);

/* STORE_NOT_FOUND for a hash that is unknown or revoked. */
int key_find(struct store *store, const unsigned char hash[KEY_HASH_SIZE], struct api_key *ret_key,
             struct error *err);

/* How the key stands at present. */
int key_standing_read(struct store *store, int64_t key, struct key_standing *ret_standing, struct error *err);

/* Every key, revoked ones too, oldest first.  The caller releases each and frees the array. */
int key_list(struct store *store, struct api_key **ret_keys, size_t *ret_count, struct error *err);

/* [write] Changes a key in what is not as in KEY_UNCHANGED; hash and secret are not looked at.
 * STORE_NOT_FOUND. */
int key_change(struct store *store, const char *key_id, const struct key_request *change, struct error *err);

/* [write] STORE_NOT_FOUND; a key that is revoked already is no error. */
int key_revoke(struct store *store, const char *key_id, struct error *err);

/* ---- webhook secrets ---- */

/*
 * Where the store has a sealer, encrypts all secrets that lie in plain text, in a transaction of its own.
 * *ret_count is how many.  -EPROTO where they are encrypted already, and this store has no key or another
 * one.
 */
int secrets_seal(struct store *store, size_t *ret_count, struct error *err);

/* Removes what is left of their plain text after they were encrypted.  -EBUSY where a reader holds on to it:
 * later. */
int secrets_wipe(struct store *store, struct error *err);

/*
 * [write] Gives a key a further secret, which signs from now on, and ends those that it has, which sign too
 * until then, overlap milliseconds from now or earlier: 0 ends them at once.  *ret_ends_at is when.
 * STORE_NOT_FOUND; STORE_CONFLICT where the key is revoked; STORE_LIMITED where it has KEY_SECRETS_MAX live
 * ones, of which the next ends at *ret_ends_at. -EPROTO as secrets_seal().
 */
int secret_rotate(struct store *store, const char *key_id, const char *secret, int64_t overlap,
                  int64_t *ret_ends_at, struct error *err);

/* The texts of the key's live secrets, newest first; key_secrets_free() wipes and frees them.  -EPROTO,
 * -EUCLEAN where one cannot be decrypted. */
int key_secrets(struct store *store, int64_t key, char *ret_secrets[KEY_SECRETS_MAX], size_t *ret_count,
                struct error *err);
void key_secrets_free(char **secrets, size_t count);

/* ---- jobs: the client's side ---- */

struct job_request {
    int64_t key;
    const char *request_id;
    const char *text; /* UTF-8 */
    size_t text_bytes;
    int64_t characters;
    const char *language; /* names of the catalogue */
    const char *voice;
    enum audio_format format;
    double speed;
    double pitch;
    bool timings;
    const char *metadata;    /* or NULL */
    const char *webhook_url; /* or NULL */
    const char *receiver; /* scheme, host and port of webhook_url, as net/url.h writes them; NULL with it */
};

/*
 * [write] The job as it is answered is in *ret_job, which the caller releases.  STORE_LIMITED where one of
 * the key's limits is reached, and nothing was changed.  With both, *ret_standing is how the key stands.
 */
int job_create(struct store *store, const struct job_request *request, struct job *ret_job,
               struct key_standing *ret_standing, struct error *err);

/* What a job will be charged with. */
struct job_cost job_request_cost(const struct job_request *request);

/* A request that a client may repeat (Idempotency-Key): name is the client's, for its key alone. */
struct repeatable {
    int64_t key;
    const char *name;
    unsigned char body_hash[SHA256_BYTES];
};

/* So long the first answer is known. */
#define REPEATABLE_KEPT_MS (INT64_C(24) * 60 * 60 * 1000)

/*
 * [write] The job that the first request of that name created, as its answer told it (job_as_created()); the
 * caller releases it.  STORE_NOT_FOUND where this is the first, STORE_CONFLICT where the first had another
 * body, STORE_IN_FLIGHT where the first is in the same transaction and so not answered yet.
 */
int repeatable_find(struct store *store, const struct repeatable *request, struct job *ret_job,
                    struct error *err);

/* [write] Keeps a first request, which has created that job. */
int repeatable_keep(struct store *store, const struct repeatable *request, const struct job *job,
                    struct error *err);

/* STORE_NOT_FOUND where there is none or it is another key's.  key 0 sees every job. */
int job_get(struct store *store, int64_t key, const char *job_id, struct job *ret_job, struct error *err);

/* The state of a job by its row, whatever its key: small, for whoever asks often.  STORE_NOT_FOUND. */
int job_status_get(struct store *store, int64_t id, enum job_status *ret_status, struct error *err);

struct job_filter {
    unsigned int statuses;  /* bit 1 << enum job_status; 0 is all */
    int64_t created_after;  /* exclusive; 0 is no bound */
    int64_t created_before; /* exclusive; 0 is no bound */
    int64_t before;         /* only rows below this job.id: the cursor; 0 is the newest */
    size_t limit;           /* 1 to 100 */
};

struct job_page {
    struct job *jobs; /* owned */
    size_t count;
    int64_t next; /* the cursor of the next page; 0 where this is the last */
};

void job_page_release(struct job_page *page);

/* A page of a key's jobs, newest first.  It costs the same at any depth. */
int job_list(struct store *store, int64_t key, const struct job_filter *filter, struct job_page *ret_page,
             struct error *err);

/*
 * [write] Pending: cancelled at once, and its webhook owed.  Processing: cancel_requested, its worker does
 * the rest. Cancelled: no change.  STORE_NOT_FOUND; STORE_CONFLICT where it is completed or failed (*ret_job
 * is filled then too).
 */
int job_cancel(struct store *store, int64_t key, const char *job_id, struct job *ret_job, struct error *err);

/* ---- jobs: the worker's side ---- */

/*
 * [write] Registers a worker that holds the flock on lock_path; its claims last until lease_until (monotonic
 * milliseconds of the boot boot_id) and are prolonged by worker_beat().
 */
int worker_join(struct store *store, const char *lock_path, const char *boot_id, int64_t lease_until,
                int64_t *ret_worker, struct error *err);

/* [write] Prolongs the leases.  STORE_STALE where others took this worker for dead and removed it: join
 * again. */
int worker_beat(struct store *store, int64_t worker, int64_t lease_until, struct error *err);

/* A claim that came to nothing by the job's own doing: what the job fails with at the last one
 * (JOB_SETBACKS_MAX). */
struct setback {
    const char *code;
    const char *message;
};

/*
 * Whose jobs are taken back.  lease_until: not where the worker has prolonged its lease meanwhile; 0 takes
 * back in any case.  culprit: the job_id of the job at which the worker crashed; NULL where it did not.
 * is_lost: the worker does not leave of its own accord, which is counted by its cause.
 */
struct take_back {
    int64_t worker;
    int64_t lease_until;
    const char *culprit;
    bool is_lost;
    enum lease_loss loss;
};

/*
 * [write] Takes jobs back from a worker that leaves or is dead, at most WORKER_TAKE_BACK_MAX a call: each
 * waits again, or is cancelled where that was asked for; the culprit has a setback, and may fail as
 * `worker_crashed`.  Once none is left the worker is removed, and *ret_gone is true.  The jobs are as they
 * stand afterwards; the caller releases them, and removes the files that the worker left of them.
 * STORE_STALE where the lease was prolonged, or the worker is gone.
 */
#define WORKER_TAKE_BACK_MAX 64
int worker_take_back(struct store *store, const struct take_back *how,
                     struct job ret_jobs[WORKER_TAKE_BACK_MAX], size_t *ret_count, bool *ret_gone,
                     struct error *err);

/* A worker as the others see it, for the judgement whether it lives. */
struct worker_row {
    int64_t worker;
    char *lock_path;
    char *boot_id;
    int64_t lease_until;
    int64_t beat_at;
    int64_t started_at;
};
int worker_list(struct store *store, struct worker_row **ret_rows, size_t *ret_count, struct error *err);
void worker_rows_free(struct worker_row *rows, size_t count);

/* 0 where a job of a key that is not among except waits, else STORE_NOT_FOUND. */
int key_waits(struct store *store, const int64_t *except, size_t except_count, struct error *err);

/*
 * [write] Claims the next job by fairness: the oldest of the key with the least virtual time, which then
 * grows by characters / weight.  Keys among except are left out.  STORE_NOT_FOUND where none is pending,
 * STORE_STALE where there is no such worker any more.  The claim is the pair of job.id and job.epoch.
 */
int job_claim(struct store *store, int64_t worker, const int64_t *except, size_t except_count,
              struct job *ret_job, struct error *err);

/* Reads up to size bytes of the text from offset on; *ret_size is 0 at its end.  STORE_NOT_FOUND where it is
 * gone. */
int job_text_read(struct store *store, int64_t id, int64_t offset, void *buffer, size_t size,
                  size_t *ret_size, struct error *err);

/* [write] Code points spoken so far.  STORE_STALE. */
int job_progress_set(struct store *store, int64_t id, int64_t epoch, int64_t spoken, struct error *err);

/* Those of the worker's jobs whose cancellation was asked for.  *ret_count is at most max. */
int job_cancelled_list(struct store *store, int64_t worker, int64_t *ret_ids, size_t max, size_t *ret_count,
                       struct error *err);

struct job_outcome {
    enum job_status status;   /* completed, failed or cancelled */
    struct audio_facts audio; /* completed */
    const char *error_code;   /* failed */
    const char *error_message;
    int64_t error_start, error_end; /* code points, or -1 */
    const char *warnings;           /* a JSON array, or NULL */
};

/*
 * [write] Ends a claimed job: its state, its counters, its text's removal and the webhook that it owes.
 * STORE_STALE where the claim was taken back: the outcome is discarded.  STORE_CANCELLED where it would be
 * completed, and its cancellation was asked for meanwhile.  With either the caller removes the files it made.
 */
int job_finish(struct store *store, int64_t id, int64_t epoch, const struct job_outcome *outcome,
               struct error *err);

/*
 * [write] Undoes a claim: the job waits again.  setback is NULL for faults that are not the job's.
 * STORE_STALE; STORE_CANCELLED or STORE_GAVE_UP where it ends instead, since its cancellation was asked for,
 * or by its setback.
 */
int job_put_back(struct store *store, int64_t id, int64_t epoch, const struct setback *setback,
                 struct error *err);

/* Since when claiming is paused (store/service.h) and job_claim() and key_waits() find nothing; 0: it is not.
 */
int service_paused_since(struct store *store, int64_t *ret_wall_ms, struct error *err);

/* ---- webhooks and their deliveries ---- */

/* An event that is owed to a receiver.  Strings are owned. */
struct webhook {
    int64_t webhook; /* the row */
    char webhook_id[WEBHOOK_ID_SIZE];
    int64_t key;
    char job_id[JOB_ID_SIZE];
    enum event_type event;
    char *url;
    char *receiver;
    char *body;            /* the bytes that are sent and signed */
    int64_t attempts;      /* made so far */
    int64_t interruptions; /* those of them whose sender died */
    int64_t due_at;
};

void webhook_release(struct webhook *webhook);
void webhooks_free(struct webhook *webhooks, size_t count);

/* Up to max due webhooks of one receiver, the longest due first. */
int webhook_due(struct store *store, const char *receiver, int64_t now_ms, size_t max,
                struct webhook **ret_webhooks, size_t *ret_count, struct error *err);

/* [write] Records that an attempt starts, before it does: the webhook is not due while it lasts. */
int webhook_attempt_begin(struct store *store, int64_t webhook, int64_t *ret_attempt, struct error *err);

/* How an attempt went, for administrators.  Microseconds; -1: that step was not reached. */
struct attempt_trace {
    const char *peer; /* "192.0.2.1:443" that it was connected to, or NULL */
    bool reused;      /* over a connection that was kept, so without the first three steps */
    int64_t sends;    /* how often the request left: libcurl sends again where a kept connection is dead */
    int64_t name_lookup_us;
    int64_t connect_us;
    int64_t tls_us;
    int64_t first_byte_us; /* from the end of the request to the first byte of the answer */
    int64_t total_us;
};

struct receiver_standing; /* store/receivers.h */

/* How an attempt ended. */
struct attempt_result {
    int64_t duration_ms;
    int64_t status_code;    /* 0 where no answer came */
    const char *error_code; /* NULL is success */
    const char *error_message;
    const char *response_excerpt; /* UTF-8, or NULL */
    enum webhook_status status;   /* of the webhook from now on: pending, delivered or failed */
    int64_t next_attempt_at;      /* with pending */
    int64_t pause_until;          /* nothing goes to the receiver before; 0: no pause */
    int64_t
        give_up_until; /* what was owed to the receiver up to then is given up, if not 0: a bounded number */
    const struct receiver_standing *standing; /* of its receiver from now on; NULL: as before */
    const struct attempt_trace *trace;        /* NULL: not known */
};

/* [write] Records the end of an attempt and what follows from it. */
int webhook_attempt_end(struct store *store, int64_t webhook, int64_t attempt,
                        const struct attempt_result *result, struct error *err);

/* [write] Takes the beginning of an attempt back, which was not sent: the webhook is due again after
 * delay_ms. */
int webhook_attempt_withdraw(struct store *store, int64_t webhook, int64_t attempt, int64_t delay_ms,
                             struct error *err);

/*
 * An attempt that began and never ended: its sender died.  For the sender that takes over: it ends each with
 * the code "interrupted".  At most max a call.
 */
struct attempt_ref {
    int64_t webhook;
    int64_t attempt;
    int64_t started_at;
    int64_t interruptions; /* of the webhook's attempts before it */
};
int webhook_open_attempts(struct store *store, struct attempt_ref *ret_attempts, size_t max,
                          size_t *ret_count, struct error *err);

/*
 * [write] Has the webhook of a job sent once more, under the same webhook_id: it is due at once, and a
 * failure is tried again only where the schedule has entries left.  STORE_NOT_FOUND as job_get().
 * STORE_CONFLICT, as *ret_job tells: there is none, it is owed as it is, it was sent WEBHOOK_ATTEMPTS_MAX
 * times, or its body was removed.  *ret_job is the caller's to release but with STORE_NOT_FOUND.
 */
int webhook_redeliver(struct store *store, int64_t key, const char *job_id, struct job *ret_job,
                      struct error *err);

/* One attempt with all that is known of it.  Strings are owned. */
struct delivery {
    int64_t attempt;
    enum event_type event;
    char webhook_id[WEBHOOK_ID_SIZE];
    int64_t started_at;
    int64_t duration_ms; /* -1 until it ended */
    int64_t status_code; /* 0 is none */
    char *error_code;    /* NULL is success, or not ended */
    char *error_message;
    char *response_excerpt;
    int64_t next_attempt_at;
    bool traced; /* trace is known; it is for administrators */
    struct attempt_trace trace;
    char *peer; /* trace.peer is this */
};

/* Every attempt of a job's webhook, oldest first.  STORE_NOT_FOUND as job_get(). */
int delivery_list(struct store *store, int64_t key, const char *job_id, struct delivery **ret_deliveries,
                  size_t *ret_count, struct error *err);
void deliveries_free(struct delivery *deliveries, size_t count);

/* ---- metrics ---- */

/* [write] Adds to one.  What a transaction adds is gathered, written once before its commit, and forgotten
 * where it is rolled back. */
void metric_add(struct store *store, enum metric metric, double amount);

/* All of them, as of one moment where the caller has begun a read.  Those that nothing has changed yet are 0.
 */
int metrics_read(struct store *store, double ret_values[METRIC_COUNT], struct error *err);

/* One by its name (job/metric.h). */
int metric_get(struct store *store, const char *name, double *ret_value, struct error *err);

#endif
