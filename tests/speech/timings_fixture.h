/* SPDX-License-Identifier: Apache-2.0 */
/* A job that is spoken without an engine, and strict readers of the timings that come of it. */
#ifndef TESTS_SPEECH_TIMINGS_FIXTURE_H
#define TESTS_SPEECH_TIMINGS_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "speech/timings.h"
#include "speech/words.h"

#define RATE 16000

extern char words_path[300], json_path[300], srt_path[300], vtt_path[300];
extern const char *const paths[TIMINGS_FILES];

/* A folder for all of them, and its removal: nothing else may be left in it. */
void make_folder(void);
void remove_folder(void);

/* A voice that takes a time for each character. */
struct voice {
    int ms_per_byte;
    int pause_ms;           /* behind each word */
    int paragraph_pause_ms; /* and behind each paragraph */
};
extern const struct voice ordinary;

/* The words of a segment that is not empty, at most CLEAN_BYTES_MAX, and the samples of its audio. */
typedef size_t speak_segment(void *engine, const struct segment *segment, struct synth_word *ret_words,
                             uint32_t *ret_samples);

/* Speaks the segments of the text into the spool; returns the samples of the whole. */
int64_t testcase_speak_with(speak_segment *speak, void *engine, int paragraph_pause_ms, const char *text,
                            size_t size);

/* The same by a voice of ours. */
int64_t testcase_speak(const struct voice *voice, const char *text, size_t size);

/* Writes the three files; the text is read in pieces of at most so many bytes. */
void testcase_write(const char *text, size_t size, size_t piece, int64_t samples);

/* Both. */
int64_t testcase_make(const struct voice *voice, const char *text);

struct buf testcase_file(const char *path);
void testcase_holds(const char *path, const char *expected);

/* A cue as a reader sees it. */
struct shown {
    int64_t start; /* milliseconds */
    int64_t end;
    char text[2][400]; /* with the escapes undone */
    int lines;
};

/* Reads a file of cues; the caller frees them. */
struct shown *testcase_read_cues(const char *path, bool is_vtt, size_t *ret_count);

/* The rules of every file of cues. */
void testcase_cues_are_readable(const struct shown *cues, size_t count, int64_t samples);

/* A word as a reader of the JSON sees it. */
struct told {
    char text[5000];
    double start;
    double end;
    long long source_start;
    long long source_end;
};

/* The next word of the JSON, whose strings have no escapes here; false at the end. */
bool read_word(const char **at, struct told *ret_word);

#endif
