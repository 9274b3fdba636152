/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A text taken apart into segments, one utterance each, as it arrives: what is held in memory does not grow
 * with the text, and the segments do not depend on how the text was cut for feeding.
 *
 *     for (;;) {
 *         int result = segmenter_next(s, &segment);
 *         if (result == SEGMENT_NEEDS_INPUT)
 *             ... segmenter_feed(s, bytes, size), or segmenter_end(s) at the end of the text
 *         else if (result == 0)
 *             ... and segment_release(&segment)
 *         else
 *             break;
 *     }
 */
#ifndef TEXT_SEGMENT_H
#define TEXT_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text/clean.h"

/* The most bytes that are fed before segmenter_next() asks for more. */
#define SEGMENTER_FEED_MAX (64 * 1024)

/*
 * source_start and source_end are code points of the whole text, the end exclusive.  The segments cover the
 * text without gap or overlap: white space and what cannot be spoken belong to one of them.
 */
struct segment {
    char *text;        /* clean (text/clean.h), owned; "" where nothing in it can be spoken */
    size_t bytes;      /* of text; 0 where nothing in it can be spoken */
    uint32_t *origins; /* of each byte of text: the code point that it came from, counted from source_start;
                          owned */
    int64_t source_start;
    int64_t source_end;
    int64_t source_bytes; /* bytes of the whole text up to source_end */
    bool ends_paragraph;  /* a blank line and more text follow */
    struct clean_losses
        losses; /* code points of the whole text that were dropped for want of a form in ASCII */
};

/* Frees the text; takes a struct that is zero. */
void segment_release(struct segment *segment);

/* The code points of the whole text that the bytes [start, end) of a segment's text came from; start < end.
 */
void segment_source(const struct segment *segment, size_t start, size_t end, int64_t *ret_start,
                    int64_t *ret_end);

struct segmenter;

/* For a text of that language, which outlives it.  NULL where memory ran out. */
struct segmenter *segmenter_new(const struct text_language *language);

/*
 * One that goes on where a segment of the same text ended: the segments are the same as if those before had
 * been cut, too.  The next bytes to be fed are those from source_bytes on.
 */
struct segmenter *segmenter_new_at(const struct text_language *language, int64_t source_end,
                                   int64_t source_bytes);
struct segmenter *segmenter_free(struct segmenter *segmenter);

/*
 * Hands over the next bytes of the text, which may cut a UTF-8 sequence in two.  They are copied.  A byte
 * that belongs to no sequence counts as one code point that cannot be spoken. -ENOBUFS where more than
 * SEGMENTER_FEED_MAX bytes were fed since the last SEGMENT_NEEDS_INPUT; -ENOMEM.
 */
int segmenter_feed(struct segmenter *segmenter, const void *bytes, size_t size);

/* There is no more text. */
void segmenter_end(struct segmenter *segmenter);

/* 0: a segment, which the caller releases.  -ENOMEM. */
#define SEGMENT_NEEDS_INPUT 1
#define SEGMENT_NONE_LEFT   2
int segmenter_next(struct segmenter *segmenter, struct segment *ret_segment);

#endif
