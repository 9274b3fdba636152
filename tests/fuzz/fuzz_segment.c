/* SPDX-License-Identifier: Apache-2.0 */
/* The segmenter: segments cover the text without gap, and do not depend on how it was fed. */
#include "fuzz/fuzz.h"
#include "text/segment.h"

struct reader {
    struct segmenter *segmenter;
    const uint8_t *data;
    size_t size;
    size_t piece;
};

/* False at the end. */
static bool next_segment(struct reader *reader, struct segment *ret_segment)
{
    int r;

    while ((r = segmenter_next(reader->segmenter, ret_segment)) == SEGMENT_NEEDS_INPUT) {
        size_t piece = reader->piece < reader->size ? reader->piece : reader->size;

        if (piece == 0) {
            segmenter_end(reader->segmenter);
            continue;
        }
        check(segmenter_feed(reader->segmenter, reader->data, piece) == 0);
        reader->data += piece;
        reader->size -= piece;
    }
    check(r == 0 || r == SEGMENT_NONE_LEFT);
    return r == 0;
}

static void check_segment(const struct segment *segment, int64_t start)
{
    check(segment->source_start == start && segment->source_end > start);
    check(strlen(segment->text) == segment->bytes);
    for (size_t i = 0; i < segment->bytes; i++) {
        check(segment->text[i] >= ' ' && segment->text[i] <= '~');
        check((int64_t)segment->origins[i] < segment->source_end - segment->source_start);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader whole = {segmenter_new(), data, size, SEGMENTER_FEED_MAX};
    struct reader parts = {segmenter_new(), data, size, size > 0 ? 1 + data[0] % 7 : 1};
    int64_t at = 0;
    bool more;

    check(whole.segmenter != NULL && parts.segmenter != NULL);
    do {
        struct segment one = {0}, other = {0};

        more = next_segment(&whole, &one);
        check(next_segment(&parts, &other) == more);
        if (more) {
            check_segment(&one, at);
            at = one.source_end;
            check(other.source_start == one.source_start && other.source_end == one.source_end);
            check(strcmp(one.text, other.text) == 0 && one.ends_paragraph == other.ends_paragraph);
        }
        segment_release(&one);
        segment_release(&other);
    } while (more);
    segmenter_free(whole.segmenter);
    segmenter_free(parts.segmenter);
    return 0;
}
