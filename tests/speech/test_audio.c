/* SPDX-License-Identifier: Apache-2.0 */
#include "speech/audio.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "crypto/sha256.h"
#include "speech/piece.h"
#include "speech/wav.h"

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

static struct audio_writer *testcase_format_writer(enum audio_format format, int sample_rate)
{
    struct audio_writer *writer = NULL;
    struct error err = {.text = ""};

    cr_assert_eq(audio_writer_open(path, format, sample_rate, &writer, &err), 0, "%s", err.text);
    return writer;
}

static struct audio_writer *testcase_writer(int sample_rate)
{
    return testcase_format_writer(AUDIO_WAV, sample_rate);
}

static struct audio_facts testcase_finish(struct audio_writer *writer)
{
    struct audio_facts facts = {0};
    struct error err = {.text = ""};

    cr_assert_eq(audio_writer_finish(writer, &facts, &err), 0, "%s", err.text);
    return facts;
}

static void testcase_append(struct audio_writer *writer, const int16_t *samples, size_t count)
{
    struct error err = {.text = ""};

    cr_assert_eq(audio_writer_append(writer, samples, count, &err), 0, "%s", err.text);
}

/* Something like a vowel: harmonics of a pitch that glides, in syllables. */
static int16_t *testcase_speech(size_t count, int sample_rate)
{
    int16_t *samples = malloc((count + 1) * sizeof *samples);
    double phase = 0;

    for (size_t i = 0; i < count; i++) {
        double seconds = (double)i / sample_rate, sum = 0;

        phase += 2 * M_PI * (120 + 30 * sin(2 * M_PI * 0.7 * seconds)) / sample_rate;
        for (int harmonic = 1; harmonic <= 12; harmonic++)
            sum += sin(harmonic * phase) / harmonic;
        samples[i] = (int16_t)(6000 * sum * (0.6 - 0.4 * cos(2 * M_PI * 4 * seconds)));
    }
    return samples;
}

/* Decodes path; *ret_samples is the caller's. */
static SF_INFO testcase_decode(int16_t **ret_samples)
{
    SF_INFO info = {0};
    SNDFILE *sound = sf_open(path, SFM_READ, &info);

    cr_assert_not_null(sound, "%s", sf_strerror(NULL));
    cr_assert_str_eq(sf_get_string(sound, SF_STR_TITLE), "Speech");
    cr_assert_str_eq(sf_get_string(sound, SF_STR_COMMENT), "Synthetic speech made by Sayhook");
    *ret_samples = calloc((size_t)info.frames + 1, sizeof **ret_samples);
    cr_assert_eq(sf_read_short(sound, *ret_samples, info.frames + 1), info.frames,
                 "there is as much as it says");
    sf_close(sound);
    return info;
}

static uint32_t u32_at(const struct buf *buf, size_t at)
{
    uint32_t value;

    cr_assert_leq(at + 4, buf->length);
    memcpy(&value, buf->data + at, sizeof value);
    return value;
}

static void testcase_silence(struct audio_writer *writer, size_t count)
{
    static const int16_t silence[100000];

    cr_assert_eq(audio_writer_append(writer, silence, count, NULL), 0);
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
    testcase_silence(writer, 10000);
    cr_assert_eq(audio_writer_append(writer, samples, 6, NULL), 0);
    cr_assert_eq(audio_writer_append(writer, NULL, 0, NULL), 0);
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
    cr_assert_arr_eq(file.data + 12, "JUNK", 4);
    cr_assert_eq(u32_at(&file, 16), 28, "room for the lengths of RF64");
    cr_assert_arr_eq(file.data + 48, "fmt ", 4);
    cr_assert_eq(u32_at(&file, 52), 16, "the short form of the format chunk, which every reader takes");
    cr_assert_eq(u32_at(&file, 56), 1 << 16 | 1, "PCM, one channel");
    cr_assert_arr_eq(file.data + 72, "LIST", 4);
    cr_assert_arr_eq(file.data + 80 + u32_at(&file, 76), "data", 4);
    cr_assert_eq(file.length, WAV_HEADER_SIZE + 2 * 10012);
    cr_assert_eq(u32_at(&file, file.length - 2 * 10012 - 4), 2 * 10012, "the length of the data");
    data = file.length - 2 * 10012;
    cr_assert_arr_eq(file.data + data, samples, sizeof samples);
    cr_assert_arr_eq(file.data + file.length - sizeof samples, samples, sizeof samples);
    cr_assert_eq(file.data[data + 12], 0);
    buf_release(&file);
}

Test(audio, a_wav_past_4_gib_is_rf64)
{
    const int64_t samples = INT64_C(2147483648);
    unsigned char header[WAV_HEADER_SIZE], plain[WAV_HEADER_SIZE];
    uint64_t riff, data, count;

    wav_header(16000, samples, header);
    memcpy(&riff, header + 20, 8);
    memcpy(&data, header + 28, 8);
    memcpy(&count, header + 36, 8);
    cr_assert_arr_eq(header, "RF64\xff\xff\xff\xffWAVEds64\x1c\0\0\0", 20);
    cr_assert_eq(riff, 2 * samples + WAV_HEADER_SIZE - 8);
    cr_assert_eq(data, 2 * samples);
    cr_assert_eq(count, samples);
    cr_assert_arr_eq(header + WAV_HEADER_SIZE - 8, "data\xff\xff\xff\xff", 8);
    wav_header(16000, (UINT32_MAX - (WAV_HEADER_SIZE - 8)) / 2, plain);
    cr_assert_arr_eq(plain, "RIFF", 4);
    wav_header(16000, (UINT32_MAX - (WAV_HEADER_SIZE - 8)) / 2 + 1, plain);
    cr_assert_arr_eq(plain, "RF64", 4, "one sample more, and the length would not fit");
}

/* How far apart two signals are: the energy of the difference, of that of the first. */
static double difference(const int16_t *a, const int16_t *b, size_t count)
{
    double energy = 0, other = 0;

    for (size_t i = 0; i < count; i++) {
        energy += (double)a[i] * a[i];
        other += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
    }
    return other / energy;
}

/* What is heard is what was spoken, at the moment when it was: a shift of a few samples would show, too. */
static void testcase_round_trip(enum audio_format format, int sample_rate, double tolerance)
{
    size_t count = (size_t)sample_rate * 3 + 123;
    cleanup(free_ptr) int16_t *spoken = testcase_speech(count, sample_rate), *heard = NULL;
    struct audio_writer *writer = testcase_format_writer(format, sample_rate);
    struct audio_facts facts;
    struct stat status;
    SF_INFO info;

    testcase_append(writer, spoken, count);
    facts = testcase_finish(writer);
    cr_assert_eq(stat(path, &status), 0);
    cr_assert_eq(facts.bytes, status.st_size);
    cr_assert_eq(facts.samples, (int64_t)count);
    info = testcase_decode(&heard);
    cr_assert_eq(info.samplerate, sample_rate, "%s of %d Hz is %d", audio_format_name(format), sample_rate,
                 info.samplerate);
    cr_assert_eq(info.channels, 1);
    cr_assert_eq(info.frames, (sf_count_t)count, "%s: %ld of %zu", audio_format_name(format),
                 (long)info.frames, count);
    cr_assert_leq(difference(spoken, heard, count), tolerance, "%s of %d Hz: %f", audio_format_name(format),
                  sample_rate, difference(spoken, heard, count));
    cr_assert_eq(unlink(path), 0);
}

Test(audio, every_format_gives_back_what_was_spoken, .timeout = 900)
{
    for (int rate = 8000; rate <= 16000; rate += 8000) {
        testcase_round_trip(AUDIO_WAV, rate, 0);
        testcase_round_trip(AUDIO_FLAC, rate, 0);
        testcase_round_trip(AUDIO_MP3, rate, 0.05);
        testcase_round_trip(AUDIO_OPUS, rate, 0.05);
        testcase_round_trip(AUDIO_VORBIS, rate, 0.05);
    }
}

/* Around the frames of each codec, and from a single sample on. */
Test(audio, every_format_says_exactly_how_long_it_is, .timeout = 900)
{
    static const size_t counts[] = {1,   2,   100, 159, 160,  279,  280,  281,   319,  320,
                                    321, 575, 576, 577, 1152, 4096, 4097, 16384, 16385};
    cleanup(free_ptr) int16_t *spoken = testcase_speech(20000, 16000);

    for (int format = 0; format < AUDIO_FORMAT_COUNT; format++) {
        for (size_t i = 0; i < array_length(counts); i++) {
            cleanup(free_ptr) int16_t *heard = NULL;
            struct audio_writer *writer = testcase_format_writer(format, 16000);

            testcase_append(writer, spoken, counts[i]);
            cr_assert_eq(testcase_finish(writer).samples, (int64_t)counts[i]);
            cr_assert_eq(testcase_decode(&heard).frames, (sf_count_t)counts[i], "%s with %zu samples",
                         audio_format_name(format), counts[i]);
            cr_assert_eq(unlink(path), 0);
        }
    }
}

Test(audio, the_same_samples_give_the_same_bytes_however_they_are_cut, .timeout = 900)
{
    static const size_t pieces[] = {100000, 100000, 999, 1};
    const size_t count = 50000;

    for (int format = 0; format < AUDIO_FORMAT_COUNT; format++) {
        int rate = format % 2 == 0 ? 16000 : 8000;
        cleanup(free_ptr) int16_t *spoken = testcase_speech(count, rate);
        char first[SHA256_HEX_SIZE] = "";

        for (size_t round = 0; round < array_length(pieces); round++) {
            struct audio_writer *writer = testcase_format_writer(format, rate);
            struct audio_facts facts;

            for (size_t at = 0; at < count; at += pieces[round])
                testcase_append(writer, spoken + at, pieces[round] < count - at ? pieces[round] : count - at);
            facts = testcase_finish(writer);
            if (round == 0)
                memcpy(first, facts.sha256, sizeof first);
            cr_assert_str_eq(facts.sha256, first, "%s in pieces of %zu", audio_format_name(format),
                             pieces[round]);
            cr_assert_eq(unlink(path), 0);
        }
    }
}

/* Encodes samples piece by piece, the last piece first, and adds them in their order. */
static struct audio_facts testcase_pieces(const int16_t *samples, size_t count, int sample_rate)
{
    size_t size = audio_piece_size(AUDIO_OPUS, sample_rate), lead = audio_piece_lead(AUDIO_OPUS, sample_rate);
    size_t pieces = (count + size - 1) / size;
    struct audio_writer *writer = testcase_format_writer(AUDIO_OPUS, sample_rate);
    struct buf packets[8] = {{0}};

    cr_assert_leq(pieces, array_length(packets));
    for (size_t i = pieces; i-- > 0;) {
        const struct audio_piece piece = {.samples = samples + i * size,
                                          .lead = i > 0 ? lead : 0,
                                          .count = i + 1 < pieces ? size : count - i * size,
                                          .sample_rate = sample_rate,
                                          .is_last = i + 1 == pieces};

        packets[i] = (struct buf)BUF_INIT(AUDIO_PIECE_BYTES_MAX);
        cr_assert_eq(audio_piece_encode(&piece, &packets[i], NULL), 0);
    }
    for (size_t i = 0; i < pieces; i++) {
        cr_assert_eq(audio_writer_add(writer, &packets[i], i + 1 < pieces ? size : count - i * size, NULL),
                     0);
        buf_release(&packets[i]);
    }
    return testcase_finish(writer);
}

Test(audio, pieces_that_are_encoded_apart_make_the_same_file, .timeout = 900)
{
    for (int rate = 8000; rate <= 16000; rate += 8000) {
        size_t size = audio_piece_size(AUDIO_OPUS, rate);
        const size_t counts[] = {1, size - 1, size, size + 1, 2 * size, 3 * size + 777};
        cleanup(free_ptr) int16_t *spoken = testcase_speech(4 * size, rate);

        for (size_t i = 0; i < array_length(counts); i++) {
            cleanup(free_ptr) int16_t *heard = NULL;
            struct audio_facts apart = testcase_pieces(spoken, counts[i], rate), whole;
            struct audio_writer *writer;

            cr_assert_eq(testcase_decode(&heard).frames, (sf_count_t)counts[i]);
            cr_assert_eq(unlink(path), 0);
            writer = testcase_format_writer(AUDIO_OPUS, rate);
            testcase_append(writer, spoken, counts[i]);
            whole = testcase_finish(writer);
            cr_assert_str_eq(apart.sha256, whole.sha256, "%zu samples of %d Hz", counts[i], rate);
            cr_assert_eq(unlink(path), 0);
        }
    }
}

/* A quarter of a second around where two pieces meet sounds no worse than one in the middle of a piece. */
Test(audio, where_two_pieces_meet_nothing_is_heard, .timeout = 900)
{
    for (int rate = 8000; rate <= 16000; rate += 8000) {
        size_t size = audio_piece_size(AUDIO_OPUS, rate), window = (size_t)rate / 4;
        cleanup(free_ptr) int16_t *spoken = testcase_speech(4 * size, rate), *heard = NULL;
        double worst = 0;

        testcase_pieces(spoken, 4 * size, rate);
        testcase_decode(&heard);
        for (size_t at = size / 2; at + window < size; at += window)
            worst = fmax(worst, difference(spoken + at, heard + at, window));
        for (size_t seam = size; seam < 4 * size; seam += size) {
            size_t at = seam - window / 2;

            cr_expect_leq(difference(spoken + at, heard + at, window), 1.5 * worst,
                          "%d Hz, sample %zu: %f, elsewhere up to %f", rate, seam,
                          difference(spoken + at, heard + at, window), worst);
        }
        cr_assert_eq(unlink(path), 0);
    }
}

/* In a process that dies: `vouched` samples are flushed, some more are not. */
static void testcase_die_while_writing(const int16_t *samples, size_t vouched, size_t more)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        struct audio_writer *writer = NULL;

        if (audio_writer_open(path, AUDIO_WAV, 16000, &writer, NULL) == 0 &&
            audio_writer_append(writer, samples, vouched, NULL) == 0 &&
            audio_writer_flush(writer, NULL) == 0 && audio_writer_append(writer, samples, more, NULL) == 0)
            _exit(0);
        _exit(1);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_eq(status, 0);
}

Test(audio, an_unfinished_wav_is_gone_on_with)
{
    const size_t count = 300000, vouched = 123456;
    cleanup(free_ptr) int16_t *spoken = testcase_speech(count, 16000);
    struct audio_writer *writer = testcase_writer(16000);
    struct audio_facts whole, resumed;
    struct error err = {""};

    testcase_append(writer, spoken, count);
    whole = testcase_finish(writer);
    cr_assert_eq(unlink(path), 0);

    testcase_die_while_writing(spoken, vouched, 100000);
    cr_assert_eq(audio_writer_reopen(path, AUDIO_WAV, 16000, vouched, &writer, &err), 0, "%s", err.text);
    testcase_append(writer, spoken + vouched, count - vouched);
    resumed = testcase_finish(writer);
    cr_assert_eq(resumed.samples, (int64_t)count);
    cr_assert_eq(resumed.bytes, whole.bytes);
    cr_assert_str_eq(resumed.sha256, whole.sha256);
}

Test(audio, a_wav_that_was_completed_is_gone_on_with)
{
    const size_t count = 30000;
    cleanup(free_ptr) int16_t *spoken = testcase_speech(count, 16000);
    struct audio_writer *writer = testcase_writer(16000);
    struct audio_facts whole, resumed;
    struct error err = {""};

    testcase_append(writer, spoken, count);
    whole = testcase_finish(writer);
    for (size_t vouched = count; vouched > 0; vouched -= count / 2) {
        cr_assert_eq(audio_writer_reopen(path, AUDIO_WAV, 16000, (int64_t)vouched, &writer, &err), 0, "%s",
                     err.text);
        testcase_append(writer, spoken + vouched, count - vouched);
        cr_assert_eq(audio_writer_flush(writer, &err), 0, "%s", err.text);
        audio_writer_leave(writer); /* it dies a second time */
        cr_assert_eq(audio_writer_reopen(path, AUDIO_WAV, 16000, (int64_t)count, &writer, &err), 0, "%s",
                     err.text);
        resumed = testcase_finish(writer);
        cr_assert_eq(resumed.samples, (int64_t)count);
        cr_assert_str_eq(resumed.sha256, whole.sha256);
    }
}

Test(audio, what_is_no_unfinished_wav_is_not_gone_on_with)
{
    cleanup(free_ptr) int16_t *spoken = testcase_speech(1000, 16000);
    struct audio_writer *writer = NULL;
    struct error err = {""};
    struct stat status;
    FILE *file;

    cr_assert_eq(audio_writer_reopen(path, AUDIO_WAV, 16000, 0, &writer, &err), -ENOENT);
    testcase_die_while_writing(spoken, 1000, 0);
    cr_assert_eq(audio_writer_reopen(path, AUDIO_WAV, 16000, 1001, &writer, &err), -EBADMSG,
                 "it is too short");
    cr_assert_eq(audio_writer_reopen(path, AUDIO_WAV, 8000, 10, &writer, &err), -EBADMSG, "another rate");
    cr_assert_eq(audio_writer_reopen(path, AUDIO_OPUS, 16000, 10, &writer, &err), -ENOTSUP);
    cr_assert_eq(stat(path, &status), 0);
    cr_assert_eq(status.st_size, WAV_HEADER_SIZE + 2000, "it is as it was");
    file = fopen(path, "w");
    for (int i = 0; i < 1000; i++)
        fputs("no WAV\n", file);
    fclose(file);
    cr_assert_eq(audio_writer_reopen(path, AUDIO_WAV, 16000, 10, &writer, &err), -EBADMSG);
    cr_assert_not_null(strstr(err.text, path));
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

Test(audio, every_format_can_be_written)
{
    for (int format = 0; format < AUDIO_FORMAT_COUNT; format++)
        cr_assert(audio_format_is_writable(format));
}

Test(audio, a_rate_that_a_format_does_not_know_leaves_no_file)
{
    struct audio_writer *writer = NULL;
    struct error err = {.text = ""};

    cr_assert_eq(audio_writer_open(path, AUDIO_OPUS, 22050, &writer, &err), -EINVAL);
    cr_assert_not_null(strstr(err.text, "22050"));
    cr_assert_eq(access(path, F_OK), -1);
}

Test(audio, an_abandoned_file_is_gone)
{
    for (int format = 0; format < AUDIO_FORMAT_COUNT; format++) {
        struct audio_writer *writer = testcase_format_writer(format, 16000);

        testcase_silence(writer, 100000);
        cr_assert_null(audio_writer_abandon(writer));
        cr_assert_eq(access(path, F_OK), -1);
    }
    cr_assert_null(audio_writer_abandon(NULL));
}

Test(audio, a_folder_that_is_not_there_is_named)
{
    struct audio_writer *writer = NULL;
    struct error err = {.text = ""};

    cr_assert_eq(audio_writer_open("/nowhere/at/all.wav", AUDIO_WAV, 16000, &writer, &err), -ENOENT);
    cr_assert_not_null(strstr(err.text, "/nowhere/at/all.wav"));
}

/* Libsndfile itself drops such failures of MP3 and Ogg: the job would complete with half of its audio. */
Test(audio, a_disk_that_is_full_fails_the_write_of_every_format, .timeout = 900)
{
    cleanup(free_ptr) int16_t *spoken = testcase_speech(16000, 16000);
    struct rlimit limit = {150000, 150000};

    /* The nearest to a full disk that any user can make: EFBIG in place of ENOSPC. */
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    for (int format = 0; format < AUDIO_FORMAT_COUNT; format++) {
        struct audio_writer *writer = testcase_format_writer(format, 16000);
        struct error err = {.text = ""};
        int r = 0;

        for (int i = 0; r == 0 && i < 200; i++)
            r = audio_writer_append(writer, spoken, 16000, &err);
        cr_assert_eq(r, -EFBIG, "%s: %d %s", audio_format_name(format), r, err.text);
        cr_assert_not_null(strstr(err.text, path));
        cr_assert_null(audio_writer_abandon(writer));
        cr_assert_eq(access(path, F_OK), -1);
    }
}

Test(audio, a_disk_that_is_full_at_the_end_fails_the_finish_of_every_format)
{
    cleanup(free_ptr) int16_t *spoken = testcase_speech(16000, 16000);
    struct rlimit limit = {1000, 1000};

    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    for (int format = 0; format < AUDIO_FORMAT_COUNT; format++) {
        struct audio_writer *writer = testcase_format_writer(format, 16000);
        struct audio_facts facts;
        struct error err = {.text = ""};

        testcase_append(writer, spoken, 16000);
        cr_assert_eq(audio_writer_finish(writer, &facts, &err), -EFBIG, "%s: %s", audio_format_name(format),
                     err.text);
        cr_assert_not_null(strstr(err.text, path));
        cr_assert_eq(access(path, F_OK), -1);
    }
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

    testcase_silence(writer, 50000);
    cr_assert_eq(pthread_create(&thread, NULL, finish_elsewhere, writer), 0);
    cr_assert_eq(pthread_join(thread, &result), 0);
    cr_assert_not_null(result);
    cr_assert_eq(((struct audio_facts *)result)->samples, 50000);
}
