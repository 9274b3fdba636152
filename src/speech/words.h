/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which part of a text is heard when, over a whole job: made segment by segment while it is spoken, and kept
 * in a file, so that a job of hours takes no memory and goes on after a crash.
 */
#ifndef SPEECH_WORDS_H
#define SPEECH_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "speech/pool.h"
#include "text/segment.h"

/* Ends are exclusive.  Words come in the order of the text; a token of the text may be several of them. */
struct timed_word {
    int64_t source_start; /* code points of the whole text */
    int64_t source_end;
    int64_t sample_start; /* samples of the whole audio */
    int64_t sample_end;   /* equal to sample_start where it is silent */
};

/*
 * The words of a segment that was spoken; `samples` is the audio before it, and ret_words has room for
 * `count`. Returns how many there are: those that lie outside of the segment's text are left out.
 */
size_t timed_words_make(const struct segment *segment, const struct synth_word *words, size_t count,
                        int64_t samples, struct timed_word *ret_words);

/* A file that words are appended to. */
struct word_spool;

/* Creates path, which must not exist (-EEXIST). */
int word_spool_open(const char *path, struct word_spool **ret_spool, struct error *err);

/* Goes on with the file of a dead process, cut to so many words. -EBADMSG where it has fewer. */
int word_spool_reopen(const char *path, int64_t words, struct word_spool **ret_spool, struct error *err);

int word_spool_append(struct word_spool *spool, const struct timed_word *words, size_t count,
                      struct error *err);

/* Hands what is buffered to the kernel, so that it survives this process. */
int word_spool_flush(struct word_spool *spool, struct error *err);

/* Words so far. */
int64_t word_spool_count(const struct word_spool *spool);

/* Leaves the file, without flushing it; returns NULL, takes NULL. */
struct word_spool *word_spool_close(struct word_spool *spool);

/* Reads a file of words from its start. */
struct word_reader;

int word_reader_open(const char *path, struct word_reader **ret_reader, struct error *err);

#define WORDS_NONE_LEFT 1
int word_reader_next(struct word_reader *reader, struct timed_word *ret_word, struct error *err);
struct word_reader *word_reader_close(struct word_reader *reader);

#endif
