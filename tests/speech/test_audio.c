/* SPDX-License-Identifier: Apache-2.0 */
#include "speech/audio.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "crypto/sha256.h"

static char folder[256], path[512];

static void make_folder(void)
{
    const char *tmp = getenv("TMPDIR");

    snprintf(folder, sizeof folder, "%s/sayhook-audio-XXXXXX", tmp != NULL ? tmp : "/tmp");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/test.wav", folder);
}

static void remove_folder(void)
{
    unlink(path);
    cr_assert_eq(rmdir(folder), 0, "nothing else was left in the folder");
}

TestSuite(audio, .init = make_folder, .fini = remove_folder);

static struct audio_writer *testcase_writer(int sample_rate)
{
    struct audio_writer *writer = NULL;
    struct error err = {.text = ""};

    cr_assert_eq(audio_writer_open(path, AUDIO_WAV, sample_rate, &writer, &err), 0, "%s", err.text);
    return writer;
}

static uint32_t u32_at(const struct buf *buf, size_t at)
{
    uint32_t value;

    cr_assert_leq(at + 4, buf->length);
    memcpy(&value, buf->data + at, sizeof value);
    return value;
}

Test(audio, a_short_file_is_a_plain_wav)
{
    static const int16_t samples[] = {0, 1, -1, 32767, -32768, 12345};
    struct audio_writer *writer = testcase_writer(16000);
    struct audio_facts facts;
    struct buf file = BUF_INIT(1 << 20);
    char hex[SHA256_HEX_SIZE];
    unsigned char hash[SHA256_SIZE];
    size_t data;

    cr_assert_eq(audio_writer_append(writer, samples, 6, NULL), 0);
    cr_assert_eq(audio_writer_silence(writer, 10000, NULL), 0);
    cr_assert_eq(audio_writer_append(writer, samples, 6, NULL), 0);
    cr_assert_eq(audio_writer_append(writer, NULL, 0, NULL), 0);
    cr_assert_eq(audio_writer_samples(writer), 10012);
    cr_assert_eq(audio_writer_finish(writer, &facts, NULL), 0);
    cr_assert_eq(file_read(path, &file, NULL), 0);
    cr_assert_eq(facts.bytes, (int64_t)file.length);
    cr_assert_eq(facts.samples, 10012);
    cr_assert_eq(facts.sample_rate, 16000);
    sha256(file.data, file.length, hash);
    hex_encode(hash, sizeof hash, hex);
    cr_assert_str_eq(facts.sha256, hex);
    cr_assert_arr_eq(file.data, "RIFF", 4);
    cr_assert_eq(u32_at(&file, 4), file.length - 8);
    cr_assert_arr_eq(file.data + 8, "WAVE", 4);
    cr_assert_eq(u32_at(&file, 16), 60, "the padding before the format");
    cr_assert_arr_eq(file.data + 80, "fmt ", 4);
    cr_assert_eq(u32_at(&file, 84), 16, "the short form of the format chunk, which every reader takes");
    cr_assert_eq(u32_at(&file, 88), 1 << 16 | 1, "PCM, one channel");
    cr_assert_arr_eq(file.data + 104, "data", 4);
    cr_assert_eq(u32_at(&file, file.length - 2 * 10012 - 4), 2 * 10012, "the length of the data");
    data = file.length - 2 * 10012;
    cr_assert_arr_eq(file.data + data, samples, sizeof samples);
    cr_assert_arr_eq(file.data + file.length - sizeof samples, samples, sizeof samples);
    cr_assert_eq(file.data[data + 12], 0);
    buf_release(&file);
}

Test(audio, the_same_samples_give_the_same_bytes)
{
    char first[SHA256_HEX_SIZE] = "";

    for (int round = 0; round < 2; round++) {
        struct audio_writer *writer = testcase_writer(8000);
        struct audio_facts facts;

        cr_assert_eq(audio_writer_silence(writer, 5000, NULL), 0);
        cr_assert_eq(audio_writer_finish(writer, &facts, NULL), 0);
        if (round == 0)
            memcpy(first, facts.sha256, sizeof first);
        cr_assert_str_eq(facts.sha256, first);
        cr_assert_eq(unlink(path), 0);
    }
}

Test(audio, a_file_that_is_there_is_not_overwritten)
{
    struct audio_writer *writer = testcase_writer(16000);
    struct audio_writer *second = NULL;
    struct audio_facts facts;
    struct error err = {.text = ""};

    cr_assert_eq(audio_writer_open(path, AUDIO_WAV, 16000, &second, &err), -EEXIST);
    cr_assert_not_null(strstr(err.text, path));
    cr_assert_null(second);
    cr_assert_eq(audio_writer_finish(writer, &facts, NULL), 0, "the first one is not disturbed");
}

Test(audio, formats_that_cannot_be_written_say_so_and_make_no_file)
{
    static const enum audio_format formats[] = {AUDIO_FLAC, AUDIO_MP3, AUDIO_OPUS, AUDIO_VORBIS};
    struct audio_writer *writer = NULL;
    struct error err = {.text = ""};

    cr_assert(audio_format_is_writable(AUDIO_WAV));
    for (size_t i = 0; i < array_length(formats); i++) {
        cr_assert_not(audio_format_is_writable(formats[i]));
        cr_assert_eq(audio_writer_open(path, formats[i], 16000, &writer, &err), -ENOTSUP);
        cr_assert_not_null(strstr(err.text, audio_format_name(formats[i])));
        cr_assert_eq(access(path, F_OK), -1);
    }
}

Test(audio, an_abandoned_file_is_gone)
{
    struct audio_writer *writer = testcase_writer(16000);

    cr_assert_eq(audio_writer_silence(writer, 100000, NULL), 0);
    cr_assert_null(audio_writer_abandon(writer));
    cr_assert_eq(access(path, F_OK), -1);
    cr_assert_null(audio_writer_abandon(NULL));
}

Test(audio, a_folder_that_is_not_there_is_named)
{
    struct audio_writer *writer = NULL;
    struct error err = {.text = ""};

    cr_assert_eq(audio_writer_open("/nowhere/at/all.wav", AUDIO_WAV, 16000, &writer, &err), -ENOENT);
    cr_assert_not_null(strstr(err.text, "/nowhere/at/all.wav"));
}

Test(audio, a_disk_that_is_full_fails_the_write)
{
    struct audio_writer *writer = testcase_writer(16000);
    struct rlimit limit = {100000, 100000};
    struct error err = {.text = ""};
    int r = 0;

    /* The nearest to a full disk that any user can make: EFBIG in place of ENOSPC. */
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    for (int i = 0; r == 0 && i < 100; i++)
        r = audio_writer_silence(writer, 16000, &err);
    cr_assert_eq(r, -EFBIG, "%d %s", r, err.text);
    cr_assert_not_null(strstr(err.text, path));
    cr_assert_null(audio_writer_abandon(writer));
    cr_assert_eq(access(path, F_OK), -1);
}

static void *finish_elsewhere(void *writer)
{
    static struct audio_facts facts;

    return audio_writer_finish(writer, &facts, NULL) == 0 ? &facts : NULL;
}

Test(audio, a_writer_may_be_finished_on_another_thread)
{
    struct audio_writer *writer = testcase_writer(16000);
    pthread_t thread;
    void *result = NULL;

    cr_assert_eq(audio_writer_silence(writer, 50000, NULL), 0);
    cr_assert_eq(pthread_create(&thread, NULL, finish_elsewhere, writer), 0);
    cr_assert_eq(pthread_join(thread, &result), 0);
    cr_assert_not_null(result);
    cr_assert_eq(((struct audio_facts *)result)->samples, 50000);
}
