/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the worker share. */
#ifndef WORKER_INTERNAL_H
#define WORKER_INTERNAL_H

#include <limits.h>
#include <stdatomic.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/repeat.h"
#include "codec/event_json.h"
#include "config/settings.h"
#include "speech/audio.h"
#include "speech/pool.h"
#include "speech/words.h"
#include "store/committer.h"
#include "store/store.h"
#include "text/segment.h"
#include "webhook/dispatcher.h"
#include "worker/checkpoint.h"
#include "worker/mailbox.h"
#include "worker/retire.h"
#include "worker/worker.h"

/* Jobs spoken at once.  Each holds a piece of text and a few segments of audio, so this bounds the worker's
 * memory; so many keys with long jobs are served at once. */
#define RUNS_MAX 64

/* Places that are left to keys that are not served yet, however many synthesizers there are to be kept busy.
 */
#define RUNS_RESERVED 32

/*
 * Jobs with segments to submit that are kept at hand for each synthesizer: a claim takes a commit, in which a
 * synthesizer speaks a few sentences.  More would only make claims less fair.
 */
#define RUNS_AHEAD 4

/* Jobs that wait for the disk or the database to be over.  Each holds an open file, so that a slow disk must
 * not let them grow: past this no job is claimed. */
#define ENDINGS_MAX 64

/*
 * Segments of one job, for each synthesizer, that are spoken or wait to be joined: two are with it, and as
 * many wait for a slower one that comes before them.  Enough to keep every core busy, few enough to stay
 * small.
 */
#define UTTERANCES_AHEAD 4

/* Threads that encode: one a synthesizer, but no more than any machine has cores to spare. */
#define ENCODERS_MAX 64

/* Threads that make audio files durable: they wait for the disk, not for a core.  While one waits, the other
 * gathers. */
#define FINISHERS 2

/* Audio files that one thread makes durable together. */
#define FINISH_BATCH 16

/* A segment may take this long: the slowest voice speaks 400 characters in half a second. */
#define SEGMENT_LIMIT_MS 20000

/* How often the leases of others are looked at, and the election is tried. */
#define WATCH_INTERVAL_MS 1000

/* A fault of the disk or the database is tried again after this. */
#define FAULT_PAUSE_MS 1000

/* Progress is written at most this often. */
#define PROGRESS_INTERVAL_MS 250

/*
 * How often what a long job keeps is made durable.  A crash of the machine costs what was spoken since the
 * last time but one; most jobs are over before the first, and none of them costs the disk anything.
 */
#define SYNC_INTERVAL_MS 60000

/* The pause behind a paragraph. */
#define PARAGRAPH_PAUSE_MS 350

struct run;

/* What the runs of one key share: how much of the synthesizers the key has had here. */
struct flow {
    int64_t key;
    size_t runs; /* 0: free */
    double weight;
    double virtual_time; /* bytes submitted ÷ weight */
    double run_time;     /* of the run that was served last: where a new one starts */
};

/* One segment on its way from text to joined audio.  They form a list in the order of the text. */
struct utterance {
    struct synth_task task;
    struct segment segment;
    struct run *run;
    struct utterance *next;
    enum {
        UTTERANCE_READY,    /* to be submitted */
        UTTERANCE_SPEAKING, /* in the pool */
        UTTERANCE_SPOKEN,   /* its samples wait for those before them */
    } state;
    int attempts;
};

/* A claimed job.  Owned by the loop while it is spoken, then by a finisher, then by the committer, then by
 * the loop. */
struct run {
    struct worker *worker;
    int64_t claimed_by; /* the worker's row at that time */
    struct job job;
    int sample_rate;     /* of its voice */
    struct flow *flow;   /* while it is among the worker's runs */
    double virtual_time; /* among the runs of its flow: bytes submitted */
    struct run *next;

    struct segmenter *segmenter;
    char *text; /* the beginning of the text, read with the claim; NULL once it was fed */
    size_t text_size;
    int64_t text_offset; /* bytes of the text fed so far */
    bool segmented;      /* the segmenter has none left */
    struct utterance *first;
    struct utterance **last;
    size_t utterances;

    struct audio_writer *audio;     /* NULL until the first samples */
    struct checkpoint *checkpoint;  /* of a long job, from then on */
    struct checkpoint_mark mark;    /* what is joined so far */
    int64_t sync_at;                /* when what is kept is made durable next */
    int spool_fd;                   /* its samples, of a format that is encoded; else -1 */
    struct word_spool *words;       /* of a job with timings, from its first samples on */
    int64_t samples;                /* joined so far: in the file, or in the spool */
    int64_t in_file;                /* of them, encoded and in the file */
    int64_t encoded;                /* of the spool, those that are with the encoders included */
    size_t encoding;                /* tasks that the encoders have */
    struct encode_task *first_task; /* in the order of the samples, until they are in the file */
    struct encode_task **last_task;
    size_t task_count;
    char part_path[PATH_MAX];
    char final_path[PATH_MAX];

    int64_t spoken;       /* code points that are in the audio */
    int64_t engine_chars; /* code points that synthesizers have spoken, not reported yet */
    int64_t progress_at;
    bool progress_posted;
    int64_t progress_value; /* what is being written */
    int64_t progress_chars; /* likewise, of engine_chars */
    struct commit_work progress;
    struct letter progress_letter;
    bool over; /* waits for what other threads have of it before it comes to its end */

    struct job_outcome outcome;
    char error_message[ERROR_TEXT_MAX];
    struct commit_work ending;
    struct letter ending_letter;
    bool put_back;                 /* ends by being put back, not by outcome */
    const struct setback *setback; /* that this is, or NULL */
    bool left;                     /* what is spoken is left to the next claim */
    char warnings[256];
};

/* The worker's registration in the database and the lock that proves that it lives. */
struct lease {
    char lock_path[PATH_MAX];
    int lock_fd;
    char boot_id[64];
    atomic_llong worker; /* the row; 0 while not registered */
    int64_t beat_at;     /* when the next beat is due, monotonic */
    bool posted;         /* a beat or a join is under way */
    int64_t until;
    int64_t joined; /* the row that a join made */
    struct repeat fault;
    struct commit_work work;
    struct letter letter;
};

struct finisher {
    struct finisher_queue *queue;
    struct store *store; /* a connection of its own, to read texts */
    pthread_t thread;
};

struct finisher_queue {
    struct finisher finishers[FINISHERS];
    size_t started;
    pthread_mutex_t mutex;
    pthread_cond_t posted;
    struct run *first;
    struct run **last;
    bool stopping;
};

struct encoders {
    pthread_t threads[ENCODERS_MAX];
    size_t started;
    pthread_mutex_t mutex;
    pthread_cond_t posted;
    struct encode_task *first;
    struct encode_task **last;
    bool stopping;
};

struct worker {
    struct worker_options options;
    struct event_json event_json; /* what webhooks say */
    struct store_options store_options;
    struct store *store; /* reads, on the loop's thread */
    struct committer *committer;
    struct synth_pool *pool;
    size_t synthesizers;
    struct dispatcher *dispatcher; /* NULL unless elected */
    struct retirer *retirer;       /* likewise */
    int election_fd;
    struct mailbox mailbox;
    int wake_fd;
    int epoll_fd;

    struct lease lease;
    struct encoders encoders;
    struct finisher_queue finishers;

    struct run *runs; /* being spoken, the oldest claim first */
    size_t run_count;
    struct flow flows[RUNS_MAX];
    double virtual_time; /* of the flow that was served last: where a new one starts */
    size_t ending_count; /* runs that finishers and committer have */
    struct run *retries; /* runs whose ending failed, to be tried again at retry_at */
    int64_t retry_at;
    struct repeat ending_fault, claim_fault, burial_fault; /* of writes that end, claim and take back */
    int64_t claim_not_before;                              /* after a fault */
    int64_t space_at;                                      /* when the disks are asked for room next */
    bool disk_is_full;
    int64_t watch_at;
    int64_t turned_at;              /* when the loop turned last */
    int64_t tick_at;                /* when the service manager hears of it next */
    int64_t looked_at;              /* when the database was looked at last */
    struct claim_request *claiming; /* a claim is under way */
    struct sync_work *syncing;      /* a sync is under way */
    bool maybe_cancelled;           /* a claimed job's cancellation may have been asked for */
    bool stopped;                   /* letters only free what they are about */
    int fatal;                      /* why the worker cannot go on, a negative errno value */
    bool maybe_pending;             /* a job may be waiting */
    bool maybe_other;               /* one of a key that is not served yet */
    bool troubled;                  /* the trouble of the pool has been logged */
    size_t restarts;                /* of the pool's processes, that are counted */
};

/* ---- lease.c ---- */

/* Takes the lock, and registers. */
int lease_start(struct worker *worker, struct error *err);

/* Prolongs the lease when that is due; takes back what dead workers had; tries the election. */
void lease_watch(struct worker *worker, int64_t now);

/* Puts back what is claimed, and leaves. */
void lease_end(struct worker *worker);

/* ---- schedule.c ---- */

/* Claims jobs and gives segments to the synthesizers, as far as there is room for either. */
void schedule(struct worker *worker);

/* Looks how much room the disks have; where there is hardly any, the run that takes the most gives way. */
void watch_space(struct worker *worker, int64_t now);

/* ---- flow.c ---- */

/* The flow of the run's key, with one run more; there is always room, since there are no more flows than
 * runs. */
struct flow *flow_join(struct worker *worker, const struct job *job);
void flow_leave(struct flow *flow);

/* ---- run.c ---- */

/* Text that is read with the claim: a short text needs no other read. */
#define CLAIM_TEXT_MAX 4096

/* Takes the job over (and empties *job); text is the beginning of its text.  NULL where memory ran out. */
struct run *run_new(struct worker *worker, struct job *job, const char *text, size_t text_size);
struct run *run_free(struct run *run);

/* What the log says a run is about. */
struct log_context run_context(const struct run *run);

void utterance_free(struct utterance *utterance);

/* The ends of a run; after each of them it is not the loop's any more. */
void run_complete(struct run *run);
void run_cancel(struct run *run);
void run_put_back(struct run *run);
void run_fail(struct run *run, const struct utterance *culprit, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/*
 * A fault (a negative errno value) of ours, not of the text: logged, and the job waits until it can be tried
 * again.  Where the disk is full, that is a setback of the job's, and what it has there is removed: it may be
 * what the disk is full of.  Only what would be the same each time, audio that no file may hold, ends it.
 */
void run_suffer(struct run *run, int fault, const struct error *err);

/* The same of a run that a finisher has: only notes and logs how it ends. */
void run_note_fault(struct run *run, int fault, const struct error *err);

/* Whether the run comes to its end with all of its audio. */
bool run_is_whole(const struct run *run);

/* Of a run that is over: goes on to its end once no other thread has anything of it. */
void run_settle(struct run *run);

/* ---- speak.c ---- */

/* Joins what can be joined, and ends the run where it is complete. */
void run_advance(struct run *run);

/* True where run_next_utterance() may have one. */
bool run_has_more(const struct run *run);

/* The next segment to submit, cut from the text where need be; NULL where there is none now (the run may have
 * ended). */
struct utterance *run_next_utterance(struct run *run);

/* ---- subtitle.c ---- */

/* From the first samples of a run on, if timings are wanted: keeps its words. */
int run_open_words(struct run *run, struct error *err);

/* Before the samples of the utterance are appended. */
int run_add_words(struct run *run, const struct utterance *utterance, struct error *err);

/* Writes the timings of a run whose audio is complete, under the claim's own names; store is the thread's. */
int run_write_timings(struct run *run, struct store *store, struct error *err);

/* Then they are renamed into their places, or removed.  All do nothing for a run without timings. */
int run_rename_timings(struct run *run, struct error *err);
void run_discard_timings(struct run *run);

/* That they are in their places. */
bool run_has_timings(const struct run *run);

/* ---- resume.c ---- */

/* From the first samples of a run on: a spool where the format wants one; and a long one keeps what is
 * spoken. */
int run_keep(struct run *run, struct error *err);

/* run->mark is up to date but for its samples: vouches for them. */
int run_mark(struct run *run, struct error *err);

/* Removes what was kept. */
void run_forget(struct run *run);

/* Leaves what was kept to the next claim; false where nothing was, or it is not ours to leave. */
bool run_leave(struct run *run);

/* Goes on where an earlier claim came to; a run whose earlier claims left nothing stays at its beginning. */
int run_resume(struct run *run, struct error *err);

/* ---- durable.c ---- */

/* Makes what a long run keeps durable when it is time, beside the loop. */
void watch_durability(struct worker *worker, int64_t now);

/* The same for one run, now: waits for the disk. */
int run_make_durable(struct run *run, struct error *err);

/* Waits for the sync that is under way; its letter comes after that. */
void durable_stop(struct worker *worker);

/* ---- encode.c ---- */

int encoders_start(struct worker *worker, struct error *err);

/* Tasks that are under way come to their end. */
void encoders_stop(struct worker *worker);

/* Gives the encoders what they may have of the spool; all of it where the text is spoken. */
int encode_more(struct run *run, bool is_spoken, struct error *err);

/* What no encoder has begun is not begun any more. */
void encode_drop(struct run *run);

/* Once the encoders have none of them. */
void encode_tasks_free(struct run *run);

/* ---- finish.c ---- */

int finishers_start(struct worker *worker, struct error *err);
void finishers_stop(struct worker *worker);

/* Hands a run over: its audio is made durable, then its end is committed. */
void finish_run(struct run *run);

/* Runs whose ending failed, tried again. */
void finish_retries(struct worker *worker, int64_t now);

#endif
