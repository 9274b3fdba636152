/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compressed formats, beside the loop: for a fast voice, encoding costs more than speaking.
 *
 * The loop spools the samples as they are joined; threads read them from the spool and encode.  A format with
 * pieces (speech/piece.h) keeps several threads busy with one job; the samples of the others are encoded in
 * turn, a stretch at a time.  Where encoding is slower than speaking, the spool gets longer; no more jobs are
 * claimed for that (schedule.c).
 */
#include <errno.h>
#include <unistd.h>

#include "base/crash.h"
#include "speech/piece.h"
#include "worker/internal.h"

/* What is encoded at a time of a format without pieces, so that jobs take turns: 13 ms of MP3. */
#define STRETCH_SAMPLES 160000

/* Part of a job's samples on its way from the spool to the file. */
struct encode_task {
    struct run *run;
    int64_t from;
    size_t count;
    bool is_last;
    struct buf packets; /* of a format with pieces */
    int result;
    struct error error;
    bool is_done;
    struct encode_task *next;   /* of the run, in the order of the samples */
    struct encode_task *queued; /* in the threads' queue */
    struct letter letter;
};

/* ---- on the encoders' threads ---- */

static int read_samples(const struct encode_task *task, size_t lead, int16_t *samples, struct error *err)
{
    size_t size = (lead + task->count) * sizeof *samples, done = 0;
    off_t at = (off_t)(task->from - (int64_t)lead) * (off_t)sizeof *samples;

    while (done < size) {
        ssize_t got = pread(task->run->spool_fd, (char *)samples + done, size - done, at + (off_t)done);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return error_system(err, got < 0 ? errno : EIO, "cannot read the spool");
        done += (size_t)got;
    }
    return 0;
}

static int encode(struct encode_task *task, struct error *err)
{
    const struct run *run = task->run;
    int rate = (int)run->mark.sample_rate;
    bool has_pieces = audio_piece_size(run->job.format, rate) > 0;
    size_t lead = task->from > 0 ? audio_piece_lead(run->job.format, rate) : 0;
    cleanup(free_ptr) int16_t *samples = calloc(lead + task->count, sizeof *samples);
    const struct audio_piece piece = {.samples = samples + lead,
                                      .lead = lead,
                                      .count = task->count,
                                      .sample_rate = rate,
                                      .is_last = task->is_last};
    int r =
        samples != NULL ? read_samples(task, lead, samples, err) : error_set(err, -ENOMEM, "out of memory");

    if (r < 0)
        return r;
    return has_pieces ? audio_piece_encode(&piece, &task->packets, err)
                      : audio_writer_append(run->audio, samples, task->count, err);
}

/* NULL when there will be none any more. */
static struct encode_task *take_task(struct encoders *encoders)
{
    struct encode_task *task;

    pthread_mutex_lock(&encoders->mutex);
    while (encoders->first == NULL && !encoders->stopping)
        pthread_cond_wait(&encoders->posted, &encoders->mutex);
    task = encoders->first;
    if (task != NULL)
        encoders->first = task->queued;
    if (encoders->first == NULL)
        encoders->last = &encoders->first;
    pthread_mutex_unlock(&encoders->mutex);
    return task;
}

static void *run_encoder(void *argument)
{
    struct encoders *encoders = argument;
    struct encode_task *task;

    while ((task = take_task(encoders)) != NULL) {
        crash_note(task->run->job.job_id);
        task->result = encode(task, &task->error);
        crash_note(NULL);
        mailbox_send(&task->run->worker->mailbox, &task->letter);
    }
    return NULL;
}

int encoders_start(struct worker *worker, struct error *err)
{
    struct encoders *encoders = &worker->encoders;

    encoders->last = &encoders->first;
    pthread_mutex_init(&encoders->mutex, NULL);
    pthread_cond_init(&encoders->posted, NULL);
    while (encoders->started < worker->synthesizers && encoders->started < ENCODERS_MAX) {
        int r = pthread_create(&encoders->threads[encoders->started], NULL, run_encoder, encoders);

        if (r != 0)
            return error_system(err, r, "cannot start a thread");
        encoders->started++;
    }
    return 0;
}

void encoders_stop(struct worker *worker)
{
    struct encoders *encoders = &worker->encoders;

    if (encoders->last == NULL)
        return;
    pthread_mutex_lock(&encoders->mutex);
    encoders->stopping = true;
    pthread_cond_broadcast(&encoders->posted);
    pthread_mutex_unlock(&encoders->mutex);
    for (size_t i = 0; i < encoders->started; i++)
        pthread_join(encoders->threads[i], NULL);
    pthread_cond_destroy(&encoders->posted);
    pthread_mutex_destroy(&encoders->mutex);
}

/* ---- on the loop's thread ---- */

static void drop_first(struct run *run)
{
    struct encode_task *task = run->first_task;

    run->first_task = task->next;
    if (run->first_task == NULL)
        run->last_task = &run->first_task;
    run->task_count--;
    buf_release(&task->packets);
    free(task);
}

void encode_tasks_free(struct run *run)
{
    while (run->first_task != NULL)
        drop_first(run);
}

void encode_drop(struct run *run)
{
    struct encoders *encoders = &run->worker->encoders;
    struct encode_task **link = &encoders->first;

    pthread_mutex_lock(&encoders->mutex);
    while (*link != NULL)
        if ((*link)->run == run) {
            *link = (*link)->queued;
            run->encoding--;
        } else {
            link = &(*link)->queued;
        }
    encoders->last = link;
    pthread_mutex_unlock(&encoders->mutex);
}

/* What is done goes into the file, in the order of the samples. */
static int collect(struct run *run, struct error *err)
{
    while (run->first_task != NULL && run->first_task->is_done) {
        struct encode_task *task = run->first_task;
        int r = task->result;

        if (r < 0)
            *err = task->error;
        else if (task->packets.length > 0)
            r = audio_writer_add(run->audio, &task->packets, task->count, err);
        run->in_file += (int64_t)task->count;
        drop_first(run);
        if (r < 0)
            return r;
    }
    return 0;
}

static void receive(struct letter *letter)
{
    struct encode_task *task = container_of(letter, struct encode_task, letter);
    struct run *run = task->run;
    struct error err = {""};
    int r;

    task->is_done = true;
    run->encoding--;
    if (run->over) {
        run_settle(run);
        return;
    }
    if (run->worker->stopped)
        return;
    r = collect(run, &err);
    if (r < 0)
        run_suffer(run, r, &err);
    else
        run_advance(run);
}

static int post(struct run *run, size_t count, bool is_last, struct error *err)
{
    struct encoders *encoders = &run->worker->encoders;
    struct encode_task *task = calloc(1, sizeof *task);

    if (task == NULL)
        return error_set(err, -ENOMEM, "out of memory");
    *task = (struct encode_task){.run = run,
                                 .from = run->encoded,
                                 .count = count,
                                 .is_last = is_last,
                                 .packets = BUF_INIT(AUDIO_PIECE_BYTES_MAX),
                                 .letter = {.receive = receive}};
    *run->last_task = task;
    run->last_task = &task->next;
    run->task_count++;
    run->encoded += (int64_t)count;
    run->encoding++;
    pthread_mutex_lock(&encoders->mutex);
    *encoders->last = task;
    encoders->last = &task->queued;
    pthread_cond_signal(&encoders->posted);
    pthread_mutex_unlock(&encoders->mutex);
    return 0;
}

/* A piece is not posted before it is known whether it is the last one. */
int encode_more(struct run *run, bool is_spoken, struct error *err)
{
    size_t size = audio_piece_size(run->job.format, (int)run->mark.sample_rate);
    size_t tasks_max = size > 0 ? run->worker->synthesizers + 1 : 1;
    int r = 0;

    if (size == 0)
        size = STRETCH_SAMPLES;
    while (r == 0 && run->task_count < tasks_max) {
        int64_t left = run->samples - run->encoded;

        if (left == 0 || (left <= (int64_t)size && !is_spoken))
            break;
        r = left <= (int64_t)size ? post(run, (size_t)left, true, err) : post(run, size, false, err);
    }
    return r;
}
