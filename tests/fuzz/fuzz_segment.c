/* SPDX-License-Identifier: Apache-2.0 */
/* The segmenter: segments cover the text without gap, and do not depend on how it was fed or gone on with. */
#include <ctype.h>

#include "fuzz/fuzz.h"
#include "text/segment.h"
#include "text/utf8.h"

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

/* What an engine is promised (text/clean.h). */
static void check_text(const struct segment *segment)
{
    size_t token = 0, marks = 0, same = 0;

    check(segment->bytes <= CLEAN_BYTES_MAX && strlen(segment->text) == segment->bytes);
    for (size_t i = 0; i < segment->bytes; i++) {
        char c = segment->text[i];
        char before = i > 0 ? segment->text[i - 1] : ' ';

        check(c >= ' ' && c <= '~');
        check(c != ' ' || before != ' ');
        token = c == ' ' ? 0 : token + 1;
        marks = ispunct((unsigned char)c) ? marks + 1 : 0;
        same = marks > 1 && c == before ? same + 1 : marks > 0;
        check(token <= CLEAN_TOKEN_MAX && marks <= CLEAN_MARKS_MAX && same <= CLEAN_SAME_MARK_MAX);
    }
}

/* Bytes of the code points from `data` on that a segment has; one that belongs to no sequence counts as one.
 */
static size_t bytes_of(const uint8_t *data, size_t size, int64_t code_points)
{
    size_t at = 0;

    for (; code_points > 0; code_points--) {
        uint32_t code_point;
        size_t used = utf8_decode((const char *)data + at, size - at, &code_point);

        check(at < size);
        at += used > 0 ? used : 1;
    }
    return at;
}

static void check_segment(const struct segment *segment, int64_t start)
{
    check(segment->source_start == start && segment->source_end > start);
    check_text(segment);
    for (size_t i = 0; i < segment->bytes; i++) {
        check((int64_t)segment->origins[i] < segment->source_end - segment->source_start);
        check(i == 0 || segment->origins[i] >= segment->origins[i - 1]);
    }
}

static void check_same(const struct segment *one, const struct segment *other)
{
    check(other->source_start == one->source_start && other->source_end == one->source_end);
    check(other->source_bytes == one->source_bytes && other->ends_paragraph == one->ends_paragraph);
    check(other->bytes == one->bytes && strcmp(one->text, other->text) == 0);
    check(memcmp(one->origins, other->origins, one->bytes * sizeof one->origins[0]) == 0);
    check(other->losses.count == one->losses.count && other->losses.start == one->losses.start &&
          other->losses.end == one->losses.end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct text_language *language = size % 2 == 0 ? &text_english : &text_oromo;
    struct reader whole = {segmenter_new(language), data, size, SEGMENTER_FEED_MAX};
    struct reader parts = {segmenter_new(language), data, size, size > 0 ? 1 + data[0] % 7 : 1};
    int64_t at = 0, bytes = 0;
    bool more;

    check(whole.segmenter != NULL && parts.segmenter != NULL);
    do {
        /* One that goes on where the segment before ended, wherever that is. */
        struct reader resumed = {segmenter_new_at(language, at, bytes), data + bytes, size - (size_t)bytes,
                                 100};
        struct segment one = {0}, other = {0}, again = {0};

        check(resumed.segmenter != NULL);
        more = next_segment(&whole, &one);
        check(next_segment(&parts, &other) == more && next_segment(&resumed, &again) == more);
        if (more) {
            check_segment(&one, at);
            check_same(&one, &other);
            check_same(&one, &again);
            bytes += (int64_t)bytes_of(data + bytes, size - (size_t)bytes, one.source_end - at);
            check(one.source_bytes == bytes);
            at = one.source_end;
        }
        segment_release(&one);
        segment_release(&other);
        segment_release(&again);
        segmenter_free(resumed.segmenter);
    } while (more);
    check(bytes == (int64_t)size);
    segmenter_free(whole.segmenter);
    segmenter_free(parts.segmenter);
    return 0;
}
