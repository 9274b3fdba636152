/* SPDX-License-Identifier: Apache-2.0 */
/* The whole worker on a real database, with the real engine and with one that misbehaves on command. */
#include "worker/worker.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/wake.h"
#include "crypto/sha256.h"
#include "job/files.h"
#include "support/database.h"
#include "worker/checkpoint.h"

/* Long enough for a loaded machine under a sanitizer; a test that waits this long has failed. */
#define PATIENCE_MS 60000

static struct database database;
static struct settings settings;

static char *in_folder(const char *name)
{
    char *path = NULL;

    cr_assert_gt(asprintf(&path, "%s/%s", database.folder, name), 0);
    return path;
}

static void set_text(char **setting, char *value)
{
    free(*setting);
    *setting = value;
}

static void setup(void)
{
    struct error err = {""};

    log_setup("test", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
    database_open(&database);
    store_close(database.store);
    database.options.clock = &clock_system;
    cr_assert_eq(store_open(&database.options, &database.store, &err), 0, "%s", err.text);
    cr_assert_eq(settings_load(NULL, &settings, &err), 0, "%s", err.text);
    set_text(&settings.database, strdup(database.path));
    set_text(&settings.downloads_dir, in_folder("downloads"));
    set_text(&settings.spool_dir, in_folder("spool"));
    settings.synthesizers = 2;
    cr_assert_eq(mkdir(settings.downloads_dir, 0755), 0);
}

static void teardown(void)
{
    settings_release(&settings);
    database_close(&database);
}

TestSuite(worker, .init = setup, .fini = teardown, .timeout = 900);

/* ---- a worker on a thread of its own ---- */

/* The system's clock; the monotonic one may be put forward. */
static _Atomic int64_t ahead_us;

static int64_t wall_us(const struct clock *clock)
{
    (void)clock;
    return clock_system.wall_us(&clock_system);
}

static int64_t monotonic_us(const struct clock *clock)
{
    (void)clock;
    return clock_system.monotonic_us(&clock_system) + ahead_us;
}

static const struct clock clock_of_workers = {wall_us, monotonic_us};

struct running {
    struct worker *worker;
    pthread_t thread;
    struct service service;
    const char *program;
    int result;
};

/* Made, run and freed on one thread, as in a process of its own. */
static void *work(void *argument)
{
    struct running *running = argument;
    const struct worker_options options = {.settings = &settings,
                                           .synth_program = running->program,
                                           .clock = &clock_of_workers,
                                           .service = &running->service};
    struct error err = {""};

    running->result = worker_new(&options, &running->worker, &err);
    cr_expect_eq(running->result, 0, "%s", err.text);
    if (running->result == 0) {
        running->result = worker_run(running->worker, &err);
        cr_expect_eq(running->result, 0, "%s", err.text);
        worker_free(running->worker);
    }
    return NULL;
}

static void start(struct running *running, const char *program)
{
    *running = (struct running){
        .service = {.stop_fd = eventfd(0, EFD_CLOEXEC), .reload_fd = eventfd(0, EFD_CLOEXEC)},
        .program = program};
    cr_assert_eq(pthread_create(&running->thread, NULL, work, running), 0);
}

static void stop(struct running *running)
{
    cr_assert_eq(eventfd_write(running->service.stop_fd, 1), 0);
    pthread_join(running->thread, NULL);
    service_close(&running->service);
}

static struct job wait_for_end(const char *job_id)
{
    for (int waited = 0; waited < PATIENCE_MS; waited += 10) {
        struct job job = {0};

        cr_assert_eq(job_get(database.store, 0, job_id, &job, NULL), 0);
        if (job_status_is_terminal(job.status))
            return job;
        job_release(&job);
        poll(NULL, 0, 10);
    }
    cr_assert_fail("%s has not ended", job_id);
    return (struct job){0};
}

static struct job speak(const char *text)
{
    cleanup(job_release) struct job created = database_add_job(&database, database.key, text, NULL);

    return wait_for_end(created.job_id);
}

static void check_audio(const struct job *job)
{
    cleanup(buf_release) struct buf audio = BUF_INIT(64 << 20);
    cleanup(free_ptr) char *path = NULL;
    unsigned char digest[SHA256_SIZE];
    char name[JOB_PATH_SIZE], hash[SHA256_HEX_SIZE];
    struct error err = {""};

    job_file_path(job->job_id, "wav", name);
    cr_assert_gt(asprintf(&path, "%s/%s", settings.downloads_dir, name), 0);
    cr_assert_eq(file_read(path, &audio, &err), 0, "%s", err.text);
    cr_assert_eq((int64_t)audio.length, job->audio.bytes);
    cr_assert_eq(memcmp(audio.data, "RIFF", 4), 0);
    sha256(audio.data, audio.length, digest);
    hex_encode(digest, sizeof digest, hash);
    cr_assert_str_eq(hash, job->audio.sha256);
}

static int count_files(void)
{
    char command[256];
    FILE *list;
    int count = -1;

    snprintf(command, sizeof command, "find '%s' -type f | wc -l", settings.downloads_dir);
    list = popen(command, "r");
    cr_assert_not_null(list);
    cr_assert_eq(fscanf(list, "%d", &count), 1);
    pclose(list);
    return count;
}

/* ---- with the real engine ---- */

Test(worker, speaks_a_job_and_stores_audio_that_matches_its_hash)
{
    struct running running;
    struct job job;

    start(&running, SYNTH_FOR_TESTS);
    job = speak("Hello there. This is a second sentence.\n\nAnd a new paragraph.");
    cr_assert_eq(job.status, JOB_COMPLETED, "%s", job.error_message);
    cr_assert_eq(job.spoken, job.characters);
    check_audio(&job);
    stop(&running);
    job_release(&job);
}

Test(worker, the_same_text_gives_the_same_bytes_however_many_synthesizers_speak_it)
{
    static const char text[] =
        "One sentence. Another one, a bit longer than the first. A third! And a fourth? Yes. "
        "Six. Seven. Eight. Nine. Ten sentences are enough to need several turns.";
    struct running running;
    struct job parallel, alone;

    start(&running, SYNTH_FOR_TESTS);
    parallel = speak(text);
    stop(&running);
    settings.synthesizers = 1;
    start(&running, SYNTH_FOR_TESTS);
    alone = speak(text);
    stop(&running);
    cr_assert_eq(alone.status, JOB_COMPLETED);
    cr_assert_str_eq(parallel.audio.sha256, alone.audio.sha256);
    job_release(&parallel);
    job_release(&alone);
}

/* Each part that is joined reports how far the job is, and how much was spoken. */
Test(worker, what_was_spoken_counts_once_though_no_report_of_progress_could_be_written)
{
    struct running running;
    double spoken = 0;
    struct job job;

    database_execute(&database, "CREATE TRIGGER no_progress BEFORE UPDATE ON jobs"
                                " WHEN NEW.status = 'processing' AND NEW.spoken <> OLD.spoken"
                                " BEGIN SELECT RAISE(ABORT, 'no progress'); END");
    start(&running, SYNTH_FOR_TESTS);
    job = speak("One sentence.\n\nAnother one.\n\nA third one.\n\nAnd a fourth.");
    stop(&running);
    cr_assert_eq(job.status, JOB_COMPLETED, "%s", job.error_message);
    cr_assert_eq(metric_get(database.store, "engine_characters_total", &spoken, NULL), 0);
    cr_assert_float_eq(spoken, (double)job.characters, 8, "%g of %lld characters", spoken,
                       (long long)job.characters);
    job_release(&job);
}

static struct job add_job_of(const char *text, enum audio_format format, const char *voice)
{
    struct job job = database_add_job(&database, database.key, text, NULL);
    char sql[160];

    snprintf(sql, sizeof sql, "UPDATE jobs SET format = '%s', voice = '%s', timings = 1 WHERE id = %lld",
             audio_format_name(format), voice, (long long)job.id);
    database_execute(&database, sql);
    return job;
}

/* Long enough for several pieces that are encoded apart, and for a spool that outlives its worker. */
static char *long_text(void)
{
    struct buf text = BUF_INIT(1 << 20);

    for (int i = 0; i < 120; i++)
        buf_printf(&text, "This is sentence number %d of a text that takes a while. ", i);
    cr_assert(buf_ok(&text));
    return text.data;
}

Test(worker, every_format_is_encoded_beside_the_loop)
{
    cleanup(free_ptr) char *text = long_text();
    struct job jobs[AUDIO_FORMAT_COUNT];
    struct running running;

    for (int format = 0; format < AUDIO_FORMAT_COUNT; format++)
        jobs[format] = add_job_of(text, (enum audio_format)format, "kal");
    start(&running, SYNTH_FOR_TESTS);
    for (int format = 0; format < AUDIO_FORMAT_COUNT; format++) {
        cleanup(job_release) struct job job = wait_for_end(jobs[format].job_id);

        cr_expect_eq(job.status, JOB_COMPLETED, "%s: %s", audio_format_name(job.format), job.error_message);
        cr_expect_gt(job.audio.samples, 8000 * 60);
        job_release(&jobs[format]);
    }
    stop(&running);
    cr_assert_eq(count_files(), AUDIO_FORMAT_COUNT * (1 + TIMINGS_FILES));
}

/* Wherever they are: being spoken, encoded, or on their way to the disk. */
Test(worker, jobs_of_every_format_outlive_workers_that_stop)
{
    cleanup(free_ptr) char *text = long_text();
    struct job jobs[2 * AUDIO_FORMAT_COUNT];

    for (size_t i = 0; i < array_length(jobs); i++)
        jobs[i] = add_job_of(text, (enum audio_format)(i % AUDIO_FORMAT_COUNT), "kal");
    for (int turn = 0; turn < 8; turn++) {
        struct running running;

        start(&running, SYNTH_FOR_TESTS);
        poll(NULL, 0, 20 + 40 * turn);
        stop(&running);
    }
    for (size_t i = 0; i < array_length(jobs); i++) {
        struct running running;
        cleanup(job_release) struct job job = {0};

        start(&running, SYNTH_FOR_TESTS);
        job = wait_for_end(jobs[i].job_id);
        stop(&running);
        cr_expect_eq(job.status, JOB_COMPLETED, "%s: %s", audio_format_name(job.format), job.error_message);
        job_release(&jobs[i]);
    }
    cr_assert_eq(count_files(), 2 * AUDIO_FORMAT_COUNT * (1 + TIMINGS_FILES));
}

Test(worker, a_text_in_which_the_voice_finds_nothing_fails_and_says_so)
{
    struct running running;
    struct job job;

    start(&running, SYNTH_FOR_TESTS);
    job = speak("\xe4\xbd\xa0\xe5\xa5\xbd"); /* Chinese, and the voice is English */
    stop(&running);
    cr_assert_eq(job.status, JOB_FAILED);
    cr_assert_str_eq(job.error_code, "nothing_to_speak");
    cr_assert_not_null(strstr(job.warnings, "\"count\":2,\"start\":0,\"end\":2"));
    cr_assert_eq(count_files(), 0);
    job_release(&job);
}

static struct job add_very_long_job(void)
{
    cleanup(buf_release) struct buf text = BUF_INIT(1 << 20);

    for (int i = 0; i < 2000; i++)
        buf_printf(&text, "This is sentence number %d of a text that takes a while. ", i);
    return database_add_job(&database, database.key, buf_str(&text), NULL);
}

static void wait_for_progress(const char *job_id)
{
    int64_t spoken = 0;

    for (int waited = 0; spoken == 0; waited += 10) {
        cleanup(job_release) struct job job = {0};

        cr_assert_lt(waited, PATIENCE_MS);
        cr_assert_eq(job_get(database.store, 0, job_id, &job, NULL), 0);
        spoken = job.spoken;
        poll(NULL, 0, 10);
    }
}

static void cancel(const char *job_id)
{
    cleanup(job_release) struct job asked = {0};

    cr_assert_eq(store_begin(database.store, "test", NULL), 0);
    cr_assert_eq(job_cancel(database.store, database.key, job_id, &asked, NULL), 0);
    cr_assert_eq(store_commit(database.store, NULL), 0);
}

static void testcase_cancelled_while_running(void)
{
    cleanup(job_release) struct job created = add_very_long_job(), job = {0};
    struct running running;

    start(&running, SYNTH_FOR_TESTS);
    wait_for_progress(created.job_id);
    cancel(created.job_id);
    job = wait_for_end(created.job_id);
    stop(&running);
    cr_assert_eq(job.status, JOB_CANCELLED);
    cr_assert_eq(count_files(), 0);
}

Test(worker, a_running_job_that_is_cancelled_leaves_no_file)
{
    testcase_cancelled_while_running();
}

Test(worker, a_cancellation_does_not_wait_for_the_next_poll)
{
    settings.poll_interval = 10 * PATIENCE_MS;
    testcase_cancelled_while_running();
}

/* Samples that another boot of the machine would trust, by a copy of the job's marks; 0 is none. */
static int64_t durable_samples(const struct job *job)
{
    cleanup(buf_release) struct buf marks = BUF_INIT(1 << 20);
    cleanup(free_ptr) char *copy = in_folder("marks");
    struct checkpoint *checkpoint = NULL;
    struct checkpoint_mark mark = {0};
    char path[PATH_MAX];

    cr_assert(job_spool_path(settings.spool_dir, job, 1, SPOOL_MARKS, path));
    cr_assert_eq(file_read(path, &marks, NULL), 0);
    cr_assert_eq(file_replace(copy, marks.data, marks.length, 0600, NULL), 0);
    if (checkpoint_reopen(copy, "another boot", &checkpoint, &mark, NULL) == 0)
        checkpoint_close(checkpoint);
    return mark.samples;
}

Test(worker, what_is_spoken_of_a_long_job_becomes_durable_while_it_goes_on)
{
    cleanup(job_release) struct job created = add_very_long_job(), job = {0};
    struct running running;
    int64_t durable = 0;

    start(&running, SYNTH_FOR_TESTS);
    wait_for_progress(created.job_id);
    cr_assert_eq(durable_samples(&created), 0, "the disk is spared at first");
    ahead_us += (int64_t)2 * 60 * 1000 * 1000;
    for (int waited = 0; durable == 0; waited += 10) {
        cr_assert_lt(waited, PATIENCE_MS);
        durable = durable_samples(&created);
        poll(NULL, 0, 10);
    }
    cancel(created.job_id);
    job = wait_for_end(created.job_id);
    stop(&running);
    cr_assert_eq(job.status, JOB_CANCELLED);
    cr_assert_eq(count_files(), 0);
}

Test(worker, what_is_unfinished_when_it_stops_is_put_back_and_finished_by_the_next)
{
    cleanup(buf_release) struct buf text = BUF_INIT(1 << 20);
    cleanup(job_release) struct job created = {0}, job = {0};
    struct running running;

    for (int i = 0; i < 60; i++)
        buf_printf(&text, "This is sentence number %d. ", i);
    created = database_add_job(&database, database.key, buf_str(&text), NULL);
    start(&running, SYNTH_FOR_TESTS);
    for (int waited = 0; waited < PATIENCE_MS && job.status != JOB_PROCESSING; waited += 1) {
        job_release(&job);
        cr_assert_eq(job_get(database.store, 0, created.job_id, &job, NULL), 0);
        poll(NULL, 0, 1);
    }
    stop(&running);
    job_release(&job);
    cr_assert_eq(job_get(database.store, 0, created.job_id, &job, NULL), 0);
    cr_assert_neq(job.status, JOB_PROCESSING);
    start(&running, SYNTH_FOR_TESTS);
    job_release(&job);
    job = wait_for_end(created.job_id);
    stop(&running);
    cr_assert_eq(job.status, JOB_COMPLETED);
    check_audio(&job);
    cr_assert_eq(count_files(), 1);
}

Test(worker, two_workers_share_the_jobs_and_none_is_spoken_twice)
{
    struct running first, second;
    struct job jobs[40];
    double completed = 0;

    start(&first, SYNTH_FOR_TESTS);
    start(&second, SYNTH_FOR_TESTS);
    for (size_t i = 0; i < array_length(jobs); i++)
        jobs[i] = database_add_job(&database, database.key, "Hello there.", NULL);
    for (size_t i = 0; i < array_length(jobs); i++) {
        struct job ended = wait_for_end(jobs[i].job_id);

        cr_assert_eq(ended.status, JOB_COMPLETED);
        cr_assert_eq(ended.epoch, 1, "claimed once");
        check_audio(&ended);
        job_release(&ended);
        job_release(&jobs[i]);
    }
    stop(&first);
    stop(&second);
    cr_assert_eq(metric_get(database.store, "job_status_total{status=\"completed\"}", &completed, NULL), 0);
    cr_assert_eq(completed, (double)array_length(jobs));
}

/* Beside long jobs, which have all the places that are needed to keep the synthesizers busy, one of that key.
 */
static void testcase_served_beside(int64_t key, size_t long_jobs)
{
    static char text[200000];
    struct running running;
    struct job longs[80], small, ended;

    for (size_t i = 0; i + 1 < sizeof text; i++)
        text[i] = "All work and no play makes a dull boy. "[i % 39];
    for (size_t i = 0; i < long_jobs; i++)
        longs[i] = database_add_job(&database, database.key, text, NULL);
    start(&running, SYNTH_FOR_TESTS);
    for (int64_t started = 0; started == 0; poll(NULL, 0, 5)) {
        struct job job;

        cr_assert_eq(job_get(database.store, 0, longs[long_jobs < 4 ? long_jobs - 1 : 3].job_id, &job, NULL),
                     0);
        started = job.started_at;
        job_release(&job);
    }
    small = database_add_job(&database, key, "Hello there.", NULL);
    ended = wait_for_end(small.job_id);
    cr_assert_eq(ended.status, JOB_COMPLETED);
    job_release(&ended);
    cr_assert_eq(job_get(database.store, 0, longs[0].job_id, &ended, NULL), 0);
    cr_assert_eq(ended.status, JOB_PROCESSING, "the first of the long jobs is not over yet");
    job_release(&ended);
    job_release(&small);
    stop(&running);
    for (size_t i = 0; i < long_jobs; i++)
        job_release(&longs[i]);
}

Test(worker, a_key_whose_long_jobs_take_all_places_does_not_keep_another_waiting)
{
    settings.synthesizers = 1;
    testcase_served_beside(database_add_key(&database, 7), 12);
}

Test(worker, nor_where_many_synthesizers_take_many_jobs)
{
    settings.synthesizers = 16;
    testcase_served_beside(database_add_key(&database, 7), 80);
}

Test(worker, a_long_job_does_not_keep_a_short_one_of_its_own_key_waiting)
{
    settings.synthesizers = 1;
    testcase_served_beside(database.key, 2);
}

Test(worker, jobs_of_a_worker_that_died_are_taken_back)
{
    cleanup(job_release) struct job created = database_add_job(&database, database.key, "Hello there.", NULL);
    cleanup(job_release) struct job claim = {0}, job = {0};
    int64_t dead = database_join(&database); /* its lock file is nobody's, and its boot another's */
    struct running running;

    cr_assert_eq(database_claim(&database, dead, &claim), 0);
    start(&running, SYNTH_FOR_TESTS);
    job = wait_for_end(created.job_id);
    stop(&running);
    cr_assert_eq(job.status, JOB_COMPLETED);
    cr_assert_gt(job.epoch, claim.epoch);
}

/* Claims the only job, and is gone; what it wrote into its lock file is what it crashed at. */
static void die(const char *culprit)
{
    cleanup(job_release) struct job claim = {0};
    cleanup(free_ptr) char *lock_path = in_folder("dead.lock");
    char boot_id[64];
    int64_t worker;
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "r");

    cr_assert_not_null(file);
    cr_assert_eq(fscanf(file, "%63s", boot_id), 1);
    fclose(file);
    cr_assert_eq(store_begin(database.store, "test", NULL), 0);
    cr_assert_eq(worker_join(database.store, lock_path, boot_id, INT64_MAX, &worker, NULL), 0);
    cr_assert_eq(store_commit(database.store, NULL), 0);
    cr_assert_eq(database_claim(&database, worker, &claim), 0);
    cr_assert_eq(file_replace(lock_path, culprit, strlen(culprit), 0600, NULL), 0);
}

/* Runs a worker until no other one is registered. */
static void bury_the_dead(void)
{
    struct running running;

    start(&running, SYNTH_FOR_TESTS);
    for (int waited = 0; waited < PATIENCE_MS; waited += 10) {
        if (database_count(&database, "SELECT count(*) FROM workers WHERE lock_path LIKE '%/dead.lock'") == 0)
            break;
        poll(NULL, 0, 10);
    }
    stop(&running);
}

static void testcase_setbacks(const struct job *job, const char *culprit, int64_t setbacks)
{
    char sql[128];

    die(culprit);
    bury_the_dead();
    snprintf(sql, sizeof sql, "SELECT setbacks FROM jobs WHERE id = %lld", (long long)job->id);
    cr_assert_eq(database_count(&database, sql), setbacks);
}

Test(worker, a_job_at_which_a_worker_crashed_has_a_setback)
{
    cleanup(job_release) struct job job = database_add_job(&database, database.key, "Hello there.", NULL);

    testcase_setbacks(&job, job.job_id, 1);
}

Test(worker, a_job_at_which_a_worker_was_killed_has_none)
{
    cleanup(job_release) struct job job = database_add_job(&database, database.key, "Hello there.", NULL);

    testcase_setbacks(&job, "", 0);
}

Test(worker, a_job_that_no_worker_survives_fails_and_leaves_no_file)
{
    cleanup(job_release) struct job created = database_add_job(&database, database.key, "Hello there.", NULL);
    cleanup(job_release) struct job job = {0};

    die(created.job_id);
    database_execute(&database, "UPDATE jobs SET setbacks = 2");
    bury_the_dead();
    job = wait_for_end(created.job_id);
    cr_assert_eq(job.status, JOB_FAILED);
    cr_assert_str_eq(job.error_code, "worker_crashed");
    cr_assert_eq(count_files(), 0);
}

Test(worker, audio_that_no_file_may_hold_fails_its_job_only)
{
    static const char sentence[] = "This sentence is said again and again, until the file is full. ";
    const struct rlimit limit = {.rlim_cur = 2 << 20, .rlim_max = RLIM_INFINITY};
    cleanup(buf_release) struct buf text = BUF_INIT(1 << 20);
    cleanup(job_release) struct job large = {0}, small = {0};
    struct running running;

    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    for (int i = 0; i < 30; i++) /* some hundred seconds of audio, 3 MiB */
        buf_append(&text, sentence, sizeof sentence - 1);
    start(&running, SYNTH_FOR_TESTS);
    large = speak(buf_str(&text));
    small = speak("A short one.");
    stop(&running);
    cr_assert_eq(large.status, JOB_FAILED);
    cr_assert_str_eq(large.error_code, "audio_too_large");
    cr_assert_eq(small.status, JOB_COMPLETED);
    cr_assert_eq(count_files(), 1);
}

/* ---- with an engine that misbehaves on command ---- */

/* Its samples would not fit where those of the voice's rate do. */
Test(worker, an_engine_that_speaks_at_another_rate_harms_its_job_only)
{
    cleanup(job_release) struct job created = add_job_of("Please speak high.", AUDIO_OPUS, "slt");
    cleanup(job_release) struct job job = {0}, after = {0};
    struct running running;

    start(&running, FAULTY_ENGINE_FOR_TESTS);
    job = wait_for_end(created.job_id);
    after = speak("An honest text.");
    stop(&running);
    cr_assert_eq(job.status, JOB_FAILED);
    cr_assert_str_eq(job.error_code, "synthesis_crashed");
    cr_assert_eq(after.status, JOB_COMPLETED);
}

/* The second sentence of the text is to blame, in code points. */
static void testcase_poison(const char *text, const char *code)
{
    cleanup(job_release) struct job poison = {0}, before = {0}, after = {0};
    struct running running;

    start(&running, FAULTY_ENGINE_FOR_TESTS);
    before = speak("An honest text.");
    poison = speak(text);
    after = speak("Another honest text.");
    stop(&running);
    cr_assert_eq(before.status, JOB_COMPLETED);
    cr_assert_eq(after.status, JOB_COMPLETED);
    cr_assert_eq(poison.status, JOB_FAILED);
    cr_assert_str_eq(poison.error_code, code);
    cr_assert_leq(poison.error_start, 17);
    cr_assert_geq(poison.error_end, 39, "the culprit's place in the text is told");
    cr_assert_lt(poison.error_end, 54);
    cr_assert_eq(count_files(), 2);
}

Test(worker, a_segment_that_kills_its_synthesizer_twice_fails_its_job_only)
{
    testcase_poison("An honest start. Then please crash now. An honest end.", "synthesis_crashed");
}

Test(worker, a_segment_that_floods_twice_fails_its_job_only)
{
    testcase_poison("An h\xC3\xB6nest st\xC3\xA4rt. Then please flood now. An honest end.",
                    "synthesis_flooded");
}
