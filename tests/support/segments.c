/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text layer as a filter: reads texts from stdin, each ended by a NUL (the last one by the end), and
 * prints for each the segments that the worker would have spoken, one a line, and then an empty line.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/segment.h"

static void check(int result)
{
    if (result < 0) {
        fprintf(stderr, "segments: %s\n", strerror(-result));
        exit(70);
    }
}

/* Feeds the next bytes of the text. */
static void feed(struct segmenter *segmenter, const char **text, size_t *size)
{
    size_t piece = *size < SEGMENTER_FEED_MAX ? *size : SEGMENTER_FEED_MAX;

    if (piece == 0)
        segmenter_end(segmenter);
    else
        check(segmenter_feed(segmenter, *text, piece));
    *text += piece;
    *size -= piece;
}

static void print_segments(const char *text, size_t size)
{
    struct segmenter *segmenter = segmenter_new(&text_english);
    struct segment segment = {0};
    int r;

    check(segmenter == NULL ? -ENOMEM : 0);
    while ((r = segmenter_next(segmenter, &segment)) != SEGMENT_NONE_LEFT) {
        check(r);
        if (r == SEGMENT_NEEDS_INPUT)
            feed(segmenter, &text, &size);
        else if (segment.bytes > 0)
            puts(segment.text);
        segment_release(&segment);
    }
    segmenter_free(segmenter);
}

int main(void)
{
    char *text = NULL;
    size_t room = 0;
    ssize_t size;

    while ((size = getdelim(&text, &room, '\0', stdin)) > 0) {
        if (text[size - 1] == '\0')
            size--;
        print_segments(text, (size_t)size);
        putchar('\n');
        fflush(stdout);
    }
    free(text);
    return 0;
}
