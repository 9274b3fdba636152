/* SPDX-License-Identifier: Apache-2.0 */
#include "speech/timings_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/file.h"
#include "speech/cues.h"
#include "speech/words.h"
#include "text/segment.h"
#include "text/utf8.h"

#define FILE_MAX ((size_t)256 << 20)

static char folder[256];
char words_path[300], json_path[300], srt_path[300], vtt_path[300];
const char *const paths[TIMINGS_FILES] = {json_path, srt_path, vtt_path};

void make_folder(void)
{
    const char *tmp = getenv("TMPDIR");

    snprintf(folder, sizeof folder, "%s/sayhook-timings-XXXXXX", tmp != NULL ? tmp : "/tmp");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(words_path, sizeof words_path, "%s/words", folder);
    snprintf(json_path, sizeof json_path, "%s/a.json", folder);
    snprintf(srt_path, sizeof srt_path, "%s/a.srt", folder);
    snprintf(vtt_path, sizeof vtt_path, "%s/a.vtt", folder);
}

void remove_folder(void)
{
    unlink(words_path);
    for (int i = 0; i < TIMINGS_FILES; i++)
        unlink(paths[i]);
    cr_assert_eq(rmdir(folder), 0, "nothing else was left in the folder");
}

/* ---- a job that is spoken: the real segments, and a voice that takes a time for each character ---- */

const struct voice ordinary = {.ms_per_byte = 60, .pause_ms = 20, .paragraph_pause_ms = 350};

struct job_text {
    const char *bytes;
    size_t size;
    size_t piece; /* the most that is handed out at once */
};

static int read_text(void *context, int64_t offset, void *buffer, size_t size, size_t *ret_size,
                     struct error *err)
{
    const struct job_text *text = context;
    size_t left = text->size - (size_t)offset;
    size_t given = left < text->piece ? left : text->piece;

    (void)err;
    given = given < size ? given : size;
    memcpy(buffer, text->bytes + offset, given);
    *ret_size = given;
    return 0;
}

/* The words of a segment, as an engine tells them: what stands between blanks; marks alone are silent. */
static size_t speak_by_voice(void *engine, const struct segment *segment, struct synth_word *words,
                             uint32_t *ret_samples)
{
    const struct voice *voice = engine;
    size_t count = 0;
    uint32_t at = 0;

    for (uint32_t i = 0; i < segment->bytes; i++) {
        struct synth_word *word = &words[count];

        if (segment->text[i] == ' ')
            continue;
        *word = (struct synth_word){.text_start = i, .sample_start = at};
        for (; i < segment->bytes && segment->text[i] != ' '; i++)
            if ((segment->text[i] | 32) >= 'a' || (segment->text[i] >= '0' && segment->text[i] <= '9'))
                at += (uint32_t)(voice->ms_per_byte * RATE / 1000);
        word->text_end = i;
        word->sample_end = at;
        at += (uint32_t)(voice->pause_ms * RATE / 1000);
        count++;
    }
    *ret_samples = at;
    return count;
}

int64_t testcase_speak_with(speak_segment *speak, void *engine, int paragraph_pause_ms, const char *text,
                            size_t size)
{
    struct segmenter *segmenter = segmenter_new(&text_english);
    struct synth_word words[CLEAN_BYTES_MAX];
    struct timed_word timed[CLEAN_BYTES_MAX];
    struct word_spool *spool = NULL;
    struct segment segment;
    int64_t samples = 0;
    size_t fed = 0, count;
    uint32_t more;
    int r;

    cr_assert_eq(word_spool_open(words_path, &spool, NULL), 0);
    while ((r = segmenter_next(segmenter, &segment)) != SEGMENT_NONE_LEFT) {
        if (r == SEGMENT_NEEDS_INPUT && fed == size) {
            segmenter_end(segmenter);
        } else if (r == SEGMENT_NEEDS_INPUT) {
            size_t piece = size - fed < SEGMENTER_FEED_MAX ? size - fed : SEGMENTER_FEED_MAX;

            cr_assert_eq(segmenter_feed(segmenter, text + fed, piece), 0);
            fed += piece;
        } else {
            count = segment.bytes > 0 ? speak(engine, &segment, words, &more) : 0;
            count = timed_words_make(&segment, words, count, samples, timed);
            cr_assert_eq(word_spool_append(spool, timed, count, NULL), 0);
            samples += segment.bytes > 0 ? more : 0;
            samples += segment.ends_paragraph ? paragraph_pause_ms * RATE / 1000 : 0;
            segment_release(&segment);
        }
    }
    cr_assert_eq(word_spool_flush(spool, NULL), 0);
    word_spool_close(spool);
    segmenter_free(segmenter);
    return samples;
}

int64_t testcase_speak(const struct voice *voice, const char *text, size_t size)
{
    struct voice engine = *voice;

    return testcase_speak_with(speak_by_voice, &engine, voice->paragraph_pause_ms, text, size);
}

void testcase_write(const char *text, size_t size, size_t piece, int64_t samples)
{
    struct job_text source = {text, size, piece};
    struct timings_source timings = {
        .job_id = "job_x",
        .sample_rate = RATE,
        .samples = samples,
        .words = words_path,
        .read = read_text,
        .context = &source,
    };
    struct error err = {""};

    cr_assert_eq(timings_write(&timings, paths, &err), 0, "%s", err.text);
}

struct buf testcase_file(const char *path)
{
    struct buf file = BUF_INIT(FILE_MAX);

    cr_assert_eq(file_read(path, &file, NULL), 0);
    return file;
}

void testcase_holds(const char *path, const char *expected)
{
    struct buf file = testcase_file(path);

    cr_assert_str_eq(buf_str(&file), expected, "%s holds\n%s\nand not\n%s", path, buf_str(&file), expected);
    buf_release(&file);
}

int64_t testcase_make(const struct voice *voice, const char *text)
{
    int64_t samples = testcase_speak(voice, text, strlen(text));

    testcase_write(text, strlen(text), SIZE_MAX, samples);
    return samples;
}

/* ---- strict readers of what was written ---- */

static const char *next_line(const char **at, size_t *ret_size)
{
    const char *line = *at, *end = strchr(line, '\n');

    cr_assert_not_null(end, "the last line has an end");
    *ret_size = (size_t)(end - line);
    *at = end + 1;
    return line;
}

static int64_t read_clock(const char *text, char point)
{
    int hours, minutes, seconds, ms;
    char mark;

    cr_assert_eq(sscanf(text, "%2d:%2d:%2d%c%3d", &hours, &minutes, &seconds, &mark, &ms), 5, "%.40s", text);
    cr_assert_eq(mark, point);
    cr_assert(minutes < 60 && seconds < 60);
    return ((hours * INT64_C(60) + minutes) * 60 + seconds) * 1000 + ms;
}

static void unescape(const char *line, size_t size, bool is_vtt, char *ret_text)
{
    static const char *const escapes[] = {"&amp;", "&lt;", "&gt;"};
    size_t made = 0;

    for (size_t i = 0; i < size; i++) {
        ret_text[made] = line[i];
        if (is_vtt && line[i] == '&') {
            int which = strncmp(line + i, "&amp;", 5) == 0 ? 0 : strncmp(line + i, "&lt;", 4) == 0 ? 1 : 2;

            cr_assert_eq(strncmp(line + i, escapes[which], strlen(escapes[which])), 0);
            ret_text[made] = "&<>"[which];
            i += strlen(escapes[which]) - 1;
        } else if (is_vtt) {
            cr_assert(line[i] != '<' && line[i] != '>', "%.*s", (int)size, line);
        }
        made++;
    }
    ret_text[made] = '\0';
}

/* Reads one cue behind its number; false at the end. */
static bool read_cue(const char **at, bool is_vtt, struct shown *ret_cue)
{
    size_t size;
    const char *line = next_line(at, &size);

    cr_assert_eq(size, 29, "a line of times: %.*s", (int)size, line);
    cr_assert_eq(strncmp(line + 12, " --> ", 5), 0);
    ret_cue->start = read_clock(line, is_vtt ? '.' : ',');
    ret_cue->end = read_clock(line + 17, is_vtt ? '.' : ',');
    for (ret_cue->lines = 0; **at != '\0' && **at != '\n'; ret_cue->lines++) {
        cr_assert_lt(ret_cue->lines, 2, "two lines at the most");
        line = next_line(at, &size);
        unescape(line, size, is_vtt, ret_cue->text[ret_cue->lines]);
    }
    cr_assert_gt(ret_cue->lines, 0);
    return true;
}

struct shown *testcase_read_cues(const char *path, bool is_vtt, size_t *ret_count)
{
    struct buf file = testcase_file(path);
    const char *at = buf_str(&file);
    struct shown *cues = NULL;
    size_t count = 0;

    cr_assert(utf8_is_valid(file.data, file.length, &(size_t){0}));
    if (is_vtt) {
        cr_assert_eq(strncmp(at, "WEBVTT\n", 7), 0);
        at += 7;
    }
    while (*at != '\0') {
        size_t size;

        if (is_vtt || count > 0)
            cr_assert_eq(*at++, '\n', "a blank line between cues");
        if (!is_vtt) {
            const char *number = next_line(&at, &size);

            cr_assert_eq(strtoull(number, NULL, 10), count + 1);
        }
        if ((count & (count - 1)) == 0) /* room for twice as many */
            cues = realloc(cues, (count > 0 ? 2 * count : 1) * sizeof *cues);
        read_cue(&at, is_vtt, &cues[count]);
        count++;
    }
    buf_release(&file);
    *ret_count = count;
    return cues;
}

void testcase_cues_are_readable(const struct shown *cues, size_t count, int64_t samples)
{
    for (size_t i = 0; i < count; i++) {
        int64_t limit = i + 1 < count ? cues[i + 1].start : samples * 1000 / RATE;

        cr_assert_lt(cues[i].start, cues[i].end);
        cr_assert_leq(cues[i].end, limit, "cue %zu is over when the next begins", i);
        cr_assert_leq(cues[i].end - cues[i].start, CUE_MS_MAX + 1);
        cr_assert(cues[i].end - cues[i].start >= CUE_MS_MIN - 1 || cues[i].end >= limit - 1,
                  "cue %zu is short without need", i);
        for (int line = 0; line < cues[i].lines; line++) {
            cr_assert_leq(utf8_count(cues[i].text[line], strlen(cues[i].text[line])), CUE_LINE_CHARS);
            cr_assert_neq(cues[i].text[line][0], '\0');
            cr_assert_neq(cues[i].text[line][0], ' ');
        }
    }
}

bool read_word(const char **at, struct told *ret_word)
{
    size_t size;
    const char *line = next_line(at, &size);
    int used = 0;

    if (strncmp(line, "]}", 2) == 0) {
        cr_assert_eq(**at, '\0');
        return false;
    }
    cr_assert_eq(sscanf(line,
                        "{\"text\":\"%4999[^\"]\",\"start\":%lf,\"end\":%lf,\"source_start\":%lld,"
                        "\"source_end\":%lld}%n",
                        ret_word->text, &ret_word->start, &ret_word->end, &ret_word->source_start,
                        &ret_word->source_end, &used),
                 5, "%.*s", (int)size, line);
    cr_assert_eq((size_t)used + (strncmp(*at, "]}", 2) != 0), size, "a comma behind all but the last");
    return true;
}
