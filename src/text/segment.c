/* SPDX-License-Identifier: Apache-2.0 */
#include "text/segment.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "text/boundary.h"
#include "text/utf8.h"

/*
 * The window holds the code points from `position` on; `input` the bytes behind it.  A segment is cut from a
 * full window, then the white space behind it is skipped up to the next word, and only then it is complete.
 */
struct segmenter {
    const struct text_language *language;
    struct buf input;
    size_t input_read; /* bytes of input that are in the window */
    bool ended;

    uint32_t window[BOUNDARY_WINDOW];
    unsigned char widths[BOUNDARY_WINDOW]; /* bytes of each */
    size_t window_count;
    int64_t position;       /* code points before the window */
    int64_t position_bytes; /* bytes of these */

    bool has_pending;
    struct segment pending; /* cut, with the white space behind it still to come */
    struct line_breaks breaks;
};

void segment_release(struct segment *segment)
{
    free(segment->text);
    free(segment->origins);
    *segment = (struct segment){0};
}

void segment_source(const struct segment *segment, size_t start, size_t end, int64_t *ret_start,
                    int64_t *ret_end)
{
    *ret_start = segment->source_start + segment->origins[start];
    *ret_end = segment->source_start + segment->origins[end - 1] + 1;
}

struct segmenter *segmenter_new(const struct text_language *language)
{
    struct segmenter *segmenter = calloc(1, sizeof *segmenter);

    /* Up to a sequence less one byte may wait for its end when the next bytes come. */
    if (segmenter != NULL) {
        segmenter->language = language;
        segmenter->input = BUF_INIT(SEGMENTER_FEED_MAX + UTF8_SEQUENCE_MAX);
    }
    return segmenter;
}

struct segmenter *segmenter_new_at(const struct text_language *language, int64_t source_end,
                                   int64_t source_bytes)
{
    struct segmenter *segmenter = segmenter_new(language);

    if (segmenter != NULL) {
        segmenter->position = segmenter->pending.source_end = source_end;
        segmenter->position_bytes = source_bytes;
    }
    return segmenter;
}

struct segmenter *segmenter_free(struct segmenter *segmenter)
{
    if (segmenter != NULL) {
        buf_release(&segmenter->input);
        segment_release(&segmenter->pending);
        free(segmenter);
    }
    return NULL;
}

int segmenter_feed(struct segmenter *segmenter, const void *bytes, size_t size)
{
    struct buf *input = &segmenter->input;

    buf_consume(input, segmenter->input_read);
    segmenter->input_read = 0;
    if (size > input->maximum - input->length)
        return -ENOBUFS;
    buf_append(input, bytes, size);
    return buf_ok(input) ? 0 : -ENOMEM;
}

void segmenter_end(struct segmenter *segmenter)
{
    segmenter->ended = true;
}

/* Decodes input into the window.  Returns true where the window holds all that may be asked for: it is full,
   or the text ends in it. */
static bool fill_window(struct segmenter *segmenter)
{
    const char *input = buf_str(&segmenter->input);

    while (segmenter->window_count < BOUNDARY_WINDOW) {
        size_t left = segmenter->input.length - segmenter->input_read;
        uint32_t code_point = UTF8_REPLACEMENT;
        size_t used = utf8_decode(input + segmenter->input_read, left, &code_point);

        if (used == 0 && left < UTF8_SEQUENCE_MAX && !segmenter->ended)
            return false; /* the rest of a sequence may come */
        if (left == 0)
            return true;
        used = used > 0 ? used : 1;
        segmenter->input_read += used;
        segmenter->widths[segmenter->window_count] = (unsigned char)used;
        segmenter->window[segmenter->window_count++] = code_point;
    }
    return true;
}

static void consume_window(struct segmenter *segmenter, size_t count)
{
    for (size_t i = 0; i < count; i++)
        segmenter->position_bytes += segmenter->widths[i];
    segmenter->window_count -= count;
    memmove(segmenter->window, segmenter->window + count,
            segmenter->window_count * sizeof segmenter->window[0]);
    memmove(segmenter->widths, segmenter->widths + count, segmenter->window_count);
    segmenter->position += (int64_t)count;
}

/* Skips white space.  True at a word or at the end of the text, false where input is needed to know. */
static bool skip_white(struct segmenter *segmenter)
{
    for (;;) {
        bool filled = fill_window(segmenter);
        size_t white = 0;

        while (white < segmenter->window_count && boundary_is_white(segmenter->window[white]))
            line_breaks_add(&segmenter->breaks, segmenter->window[white++]);
        consume_window(segmenter, white);
        if (segmenter->window_count > 0)
            return true;
        if (!filled)
            return false;
        if (white == 0)
            return true;
    }
}

/* Takes the text over from what was cleaned; source_start may lie before it by `skipped` white code points.
 */
static int take_text(struct segment *segment, const struct clean_text *clean, int64_t skipped)
{
    size_t bytes = clean->speakable ? clean->bytes : 0;
    cleanup(free_ptr) char *text = malloc(bytes + 1);
    cleanup(free_ptr) uint32_t *origins = malloc((bytes + 1) * sizeof *origins);

    if (text == NULL || origins == NULL)
        return -ENOMEM;
    memcpy(text, clean->text, bytes);
    text[bytes] = '\0';
    for (size_t i = 0; i < bytes; i++)
        origins[i] = clean->origins[i] + (uint32_t)skipped;
    segment->text = steal_ptr(&text);
    segment->origins = steal_ptr(&origins);
    segment->bytes = bytes;
    return 0;
}

/* Cuts the next segment from the front of the window, which starts with a word and is filled. */
static int cut_segment(struct segmenter *segmenter)
{
    struct segment *segment = &segmenter->pending;
    size_t count = boundary_find(segmenter->language, segmenter->window, segmenter->window_count);
    struct clean_text clean;
    int64_t start = segment->source_end; /* of the segment before it; white space may lie between */
    int result;

    count = clean_code_points(segmenter->language, segmenter->window, count, &clean);
    result = take_text(segment, &clean, segmenter->position - start);
    if (result < 0)
        return result;
    segment->source_start = start;
    segment->losses = clean.losses;
    if (clean.losses.count > 0) {
        segment->losses.start += segmenter->position;
        segment->losses.end += segmenter->position;
    }
    consume_window(segmenter, count);
    segmenter->breaks = (struct line_breaks){0};
    segmenter->has_pending = true;
    return 0;
}

/* Hands the pending segment over; only its end stays, where the next one starts. */
static void complete_segment(struct segmenter *segmenter, struct segment *ret_segment)
{
    struct segment *segment = &segmenter->pending;
    bool more = segmenter->window_count > 0;

    segment->source_end = segmenter->position;
    segment->source_bytes = segmenter->position_bytes;
    segment->ends_paragraph = more && segmenter->breaks.count >= 2;
    *ret_segment = *segment;
    *segment = (struct segment){.source_end = segmenter->position};
    segmenter->has_pending = false;
}

/* A text of nothing but white space is one segment. */
static int cut_blank_text(struct segmenter *segmenter)
{
    static const struct clean_text nothing;

    if (segmenter->position == segmenter->pending.source_end)
        return SEGMENT_NONE_LEFT;
    segmenter->has_pending = true;
    segmenter->pending.source_start = segmenter->pending.source_end;
    return take_text(&segmenter->pending, &nothing, 0);
}

int segmenter_next(struct segmenter *segmenter, struct segment *ret_segment)
{
    int result = 0;

    if (!skip_white(segmenter))
        return SEGMENT_NEEDS_INPUT;
    if (!segmenter->has_pending) {
        if (segmenter->window_count == 0)
            result = cut_blank_text(segmenter);
        else if (!fill_window(segmenter))
            return SEGMENT_NEEDS_INPUT;
        else
            result = cut_segment(segmenter);
        if (result != 0)
            return result;
        if (!skip_white(segmenter))
            return SEGMENT_NEEDS_INPUT;
    }
    complete_segment(segmenter, ret_segment);
    return 0;
}
