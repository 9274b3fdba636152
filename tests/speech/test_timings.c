/* SPDX-License-Identifier: Apache-2.0 */
#include "speech/timings.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "speech/pool.h"
#include "speech/timings_fixture.h"
#include "speech/words.h"
#include "text/utf8.h"

TestSuite(timings, .init = make_folder, .fini = remove_folder, .timeout = 900);

/* ---- words ---- */

Test(timings, a_short_text_is_written_in_three_ways)
{
    int64_t samples = testcase_make(&ordinary, "Hello, \"big\" world!\n\nFish & chips.\n");

    /* Hello: 300 ms, a pause of 20, big: 180, world: 300, a paragraph: 350, Fish: 240, nothing, chips: 300.
     */
    cr_assert_eq(samples, 1790 * RATE / 1000);
    testcase_holds(
        json_path,
        "{\"job_id\":\"job_x\",\"sample_rate\":16000,\"words\":[\n"
        "{\"text\":\"Hello,\",\"start\":0.000,\"end\":0.300,\"source_start\":0,\"source_end\":6},\n"
        "{\"text\":\"\\\"big\\\"\",\"start\":0.320,\"end\":0.500,\"source_start\":7,\"source_end\":12},\n"
        "{\"text\":\"world!\",\"start\":0.520,\"end\":0.820,\"source_start\":13,\"source_end\":19},\n"
        "{\"text\":\"Fish\",\"start\":1.190,\"end\":1.430,\"source_start\":21,\"source_end\":25},\n"
        "{\"text\":\"&\",\"start\":1.430,\"end\":1.430,\"source_start\":26,\"source_end\":27},\n"
        "{\"text\":\"chips.\",\"start\":1.470,\"end\":1.770,\"source_start\":28,\"source_end\":34}\n"
        "]}\n");
    testcase_holds(srt_path, "1\n00:00:00,000 --> 00:00:01,000\nHello, \"big\" world!\n\n"
                             "2\n00:00:01,190 --> 00:00:01,790\nFish & chips.\n");
    testcase_holds(vtt_path, "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nHello, \"big\" world!\n\n"
                             "00:00:01.190 --> 00:00:01.790\nFish &amp; chips.\n");
}

Test(timings, a_text_that_is_read_byte_by_byte_gives_the_same)
{
    static const char text[] =
        "Größe — naïve “quotes” and 日本 and 🎉 in one line.\r\n\r\nAnd a second paragraph…";
    int64_t samples = testcase_make(&ordinary, text);
    struct buf once[TIMINGS_FILES];

    for (int i = 0; i < TIMINGS_FILES; i++)
        once[i] = testcase_file(paths[i]);
    testcase_write(text, strlen(text), 1, samples);
    for (int i = 0; i < TIMINGS_FILES; i++) {
        testcase_holds(paths[i], buf_str(&once[i]));
        buf_release(&once[i]);
    }
}

Test(timings, a_token_that_is_not_heard_takes_no_time)
{
    struct told word;
    struct buf json;
    const char *at;

    testcase_make(&ordinary, "One — 日本 🎉 two.");
    json = testcase_file(json_path);
    at = strchr(buf_str(&json), '\n') + 1;
    for (int i = 0; i < 5; i++) {
        static const char *const texts[] = {"One", "—", "日本", "🎉", "two."};
        static const int starts[] = {0, 4, 6, 9, 11};

        cr_assert(read_word(&at, &word));
        cr_assert_str_eq(word.text, texts[i]);
        cr_assert_eq(word.source_start, starts[i]);
        cr_assert_eq(word.source_end, starts[i] + utf8_count(texts[i], strlen(texts[i])));
        if (i == 1 || i == 2) {
            cr_assert_eq(word.start, word.end);
            cr_assert_float_eq(word.start, 0.180, 1e-9, "it lies where it would be heard");
        }
    }
    cr_assert_not(read_word(&at, &word));
    buf_release(&json);
    testcase_cues_are_readable(NULL, 0, 0);
}

Test(timings, a_text_of_which_nothing_is_heard_has_words_and_no_cues)
{
    testcase_make(&ordinary, "日本 — 語");
    testcase_holds(srt_path, "");
    testcase_holds(vtt_path, "WEBVTT\n");
    testcase_holds(
        json_path,
        "{\"job_id\":\"job_x\",\"sample_rate\":16000,\"words\":[\n"
        "{\"text\":\"日本\",\"start\":0.000,\"end\":0.000,\"source_start\":0,\"source_end\":2},\n"
        "{\"text\":\"—\",\"start\":0.000,\"end\":0.000,\"source_start\":3,\"source_end\":4},\n"
        "{\"text\":\"語\",\"start\":0.000,\"end\":0.000,\"source_start\":5,\"source_end\":6}\n]}\n");
}

Test(timings, a_token_that_was_cut_for_the_engine_is_one_word)
{
    struct told word;
    struct buf json;
    const char *at;
    char text[600], token[500];

    memset(token, 'x', 450);
    token[450] = '\0';
    snprintf(text, sizeof text, "Begin %s end.", token);
    testcase_make(&ordinary, text);
    json = testcase_file(json_path);
    at = strchr(buf_str(&json), '\n') + 1;
    cr_assert(read_word(&at, &word));
    cr_assert(read_word(&at, &word));
    cr_assert_str_eq(word.text, token, "whatever the cleaning and the segments made of it");
    cr_assert_eq(word.source_end - word.source_start, 450);
    cr_assert_gt(word.end - word.start, 450 * 0.06 - 0.001);
    cr_assert(read_word(&at, &word));
    cr_assert_str_eq(word.text, "end.");
    cr_assert_not(read_word(&at, &word));
    buf_release(&json);
}

Test(timings, a_token_without_end_is_given_in_parts)
{
    const size_t size = 300000;
    cleanup(free_ptr) char *text = malloc(size + 1);
    struct told word;
    struct buf json;
    const char *at;
    long long end = 0;

    memset(text, 'a', size);
    text[size] = '\0';
    testcase_make(&ordinary, text);
    json = testcase_file(json_path);
    at = strchr(buf_str(&json), '\n') + 1;
    while (read_word(&at, &word)) {
        cr_assert_eq(word.source_start, end);
        cr_assert_leq(strlen(word.text), 1000);
        end = word.source_end;
    }
    cr_assert_eq(end, (long long)size);
    buf_release(&json);
}

/* ---- the engine ---- */

static bool is_done;

static void on_done(struct synth_task *task)
{
    (void)task;
    is_done = true;
}

static size_t speak_by_engine(void *engine, const struct segment *segment, struct synth_word *words,
                              uint32_t *ret_samples)
{
    struct synth_pool *pool = engine;
    struct synth_task task = {
        .language = "english",
        .voice = "kal16",
        .sample_rate = 16000,
        .speed = 1,
        .pitch = 1,
        .text = segment->text,
        .text_bytes = segment->bytes,
        .done = on_done,
    };
    struct pollfd fd = {.fd = synth_pool_fd(pool), .events = POLLIN};
    size_t count;

    while (synth_pool_room(pool) == 0 && poll(&fd, 1, 100) >= 0)
        synth_pool_dispatch(pool);
    is_done = false;
    cr_assert_eq(synth_pool_submit(pool, &task, NULL), 0);
    while (!is_done && poll(&fd, 1, 100) >= 0)
        synth_pool_dispatch(pool);
    cr_assert_eq(task.result, SYNTH_DONE, "%s", task.message);
    cr_assert_eq(task.sample_rate, RATE);
    *ret_samples = (uint32_t)task.sample_count;
    count = task.word_count;
    memcpy(words, task.words, count * sizeof *words);
    free(task.samples);
    free(task.words);
    return count;
}

Test(timings, what_the_engine_says_fits_the_text)
{
    static const char text[] =
        "“Good morning,” said Dr. Smith — at 10:30 a.m. — for £5.50 & more…\n\n"
        "See https://example.org/a?b=c, naïve café 🎉 (or not)! It cost $1,234.56. 日本 End.";
    const char *build = getenv("top_builddir");
    char program[4096];
    struct synth_pool_options options = {
        .program = program, .count = 1, .segment_limit_ms = 600000, .clock = &clock_system};
    struct synth_pool *pool = NULL;
    struct told word;
    struct buf json;
    const char *at;
    int64_t samples;
    size_t heard = 0, tokens = 0;
    double end = 0;

    snprintf(program, sizeof program, "%s/sayhook-synth", build != NULL ? build : ".");
    cr_assert_eq(synth_pool_start(&options, &pool, NULL), 0);
    samples = testcase_speak_with(speak_by_engine, pool, 350, text, strlen(text));
    synth_pool_stop(pool);
    testcase_write(text, strlen(text), SIZE_MAX, samples);
    json = testcase_file(json_path);
    for (at = strchr(buf_str(&json), '\n') + 1; read_word(&at, &word); tokens++) {
        bool silent = strcmp(word.text, "—") == 0 || strcmp(word.text, "日本") == 0;

        cr_assert_geq(word.start, end, "%s", word.text);
        cr_assert_geq(word.end, word.start);
        cr_assert(silent ? word.end == word.start : word.end - word.start > 0.03 || word.text[0] & 0x80,
                  "%s: %f to %f", word.text, word.start, word.end);
        heard += word.end > word.start;
        end = word.end;
    }
    cr_assert_leq(end, (double)samples / RATE);
    cr_assert_eq(tokens, 26);
    cr_assert_geq(heard, 22);
    buf_release(&json);
}

/* ---- hours ---- */

Test(timings, ten_hours_do_not_drift)
{
    const int tokens = 100000;
    struct buf text = BUF_INIT(1 << 22);
    cleanup(free_ptr) int64_t *starts = malloc((size_t)tokens * sizeof *starts);
    struct word_spool *spool = NULL;
    struct told word;
    struct shown *cues;
    struct buf json;
    const char *at;
    int64_t samples = 0;
    size_t count, shown = 0;

    cr_assert_eq(word_spool_open(words_path, &spool, NULL), 0);
    for (int i = 0; i < tokens; i++) {
        struct timed_word timed = {.source_start = (int64_t)text.length, .sample_start = samples};

        buf_printf(&text, "w%05d%s ", i, i % 7 == 6 ? "." : "");
        timed.source_end = (int64_t)text.length - 1;
        timed.sample_end = samples + 4801 + i % 13; /* no whole number of milliseconds */
        starts[i] = samples;
        samples = timed.sample_end + 987;
        cr_assert_eq(word_spool_append(spool, &timed, 1, NULL), 0);
    }
    cr_assert_gt(samples, INT64_C(10) * 3600 * RATE);
    cr_assert_eq(word_spool_count(spool), tokens);
    cr_assert_eq(word_spool_flush(spool, NULL), 0);
    word_spool_close(spool);
    testcase_write(buf_str(&text), text.length, SIZE_MAX, samples);

    json = testcase_file(json_path);
    at = strchr(buf_str(&json), '\n') + 1;
    for (int i = 0; i < tokens; i++) {
        cr_assert(read_word(&at, &word));
        cr_assert_leq((double)starts[i] / RATE - word.start, 0.001);
        cr_assert_geq((double)starts[i] / RATE - word.start, -1e-9);
    }
    cues = testcase_read_cues(srt_path, false, &count);
    testcase_cues_are_readable(cues, count, samples);
    for (size_t i = 0; i < count; i++) {
        int number = (int)strtol(cues[i].text[0] + 1, NULL, 10);

        cr_assert_eq((size_t)number, shown, "cue %zu begins with the word behind the last one", i);
        cr_assert_eq(cues[i].start, starts[number] * 1000 / RATE);
        for (int line = 0; line < cues[i].lines; line++)
            for (const char *c = cues[i].text[line]; *c != '\0'; c++)
                shown += *c == 'w';
    }
    cr_assert_eq(shown, (size_t)tokens);
    free(cues);
    buf_release(&json);
    buf_release(&text);
}

/* ---- faults ---- */

Test(timings, words_of_a_dead_process_are_gone_on_with)
{
    struct timed_word words[100];
    struct word_spool *spool = NULL;
    struct word_reader *reader = NULL;
    struct timed_word read;
    int count = 0;

    for (int i = 0; i < 100; i++)
        words[i] = (struct timed_word){i, i + 1, 10 * i, 10 * i + 5};
    cr_assert_eq(word_spool_open(words_path, &spool, NULL), 0);
    cr_assert_eq(word_spool_append(spool, words, 60, NULL), 0);
    cr_assert_eq(word_spool_flush(spool, NULL), 0);
    word_spool_close(spool);
    cr_assert_eq(word_spool_reopen(words_path, 61, &spool, NULL), -EBADMSG);
    cr_assert_eq(word_spool_reopen(words_path, 50, &spool, NULL), 0);
    cr_assert_eq(word_spool_count(spool), 50);
    cr_assert_eq(word_spool_append(spool, words + 50, 50, NULL), 0);
    cr_assert_eq(word_spool_flush(spool, NULL), 0);
    word_spool_close(spool);
    cr_assert_eq(word_spool_open(words_path, &spool, NULL), -EEXIST);
    cr_assert_eq(word_reader_open(words_path, &reader, NULL), 0);
    while (word_reader_next(reader, &read, NULL) == 0)
        cr_assert_eq(memcmp(&read, &words[count++], sizeof read), 0);
    cr_assert_eq(count, 100);
    word_reader_close(reader);
}

static int fail_to_read(void *context, int64_t offset, void *buffer, size_t size, size_t *ret_size,
                        struct error *err)
{
    (void)context;
    (void)offset;
    (void)buffer;
    (void)size;
    (void)ret_size;
    return error_set(err, -EIO, "the text cannot be read");
}

Test(timings, a_failure_leaves_no_file)
{
    struct timings_source source = {"job_x", RATE, 0, words_path, fail_to_read, NULL};
    struct error err = {""};

    cr_assert_eq(timings_write(&source, paths, &err), -ENOENT, "there are no words");
    testcase_speak(&ordinary, "Hello", 5);
    cr_assert_eq(timings_write(&source, paths, &err), -EIO);
    cr_assert_str_eq(err.text, "the text cannot be read");
    for (int i = 0; i < TIMINGS_FILES; i++)
        cr_assert_eq(access(paths[i], F_OK), -1);
}
