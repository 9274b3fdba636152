/* SPDX-License-Identifier: Apache-2.0 */
#include "speech/cues.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "text/utf8.h"

/* A cue is not cut behind a clause or a short sentence that comes before this part of it. */
#define PHRASE_CHARS_MIN (CUE_LINES * CUE_LINE_CHARS / 3)

/* How many characters of imbalance a line break behind a phrase, and one that cuts no token, are worth. */
#define LINE_PHRASE_WORTH 20
#define LINE_TOKEN_WORTH  60

/* The longest token with a capital and a stop that may be an abbreviation: "Prof." */
#define ABBREVIATION_BYTES_MAX 5

void cue_maker_init(struct cue_maker *maker, int sample_rate, take_cue *take, void *context)
{
    maker->take = take;
    maker->context = context;
    maker->sample_rate = sample_rate;
    maker->count = 0;
    maker->has_held = false;
}

static int64_t samples_of(const struct cue_maker *maker, int64_t ms)
{
    return ms * maker->sample_rate / 1000;
}

/* ---- where a phrase ends ---- */

static bool is_one_of(uint32_t code_point, const uint32_t *set)
{
    for (; *set != 0; set++)
        if (*set == code_point)
            return true;
    return false;
}

/* "Dr.", "U.S.", "e.g.": it is not sure that a sentence ends there, as it is behind "1.5.". */
static bool may_be_abbreviation(const char *text, size_t bytes)
{
    bool is_short = bytes <= ABBREVIATION_BYTES_MAX && text[0] >= 'A' && text[0] <= 'Z';

    if (bytes >= 2 && text[bytes - 2] >= '0' && text[bytes - 2] <= '9')
        return false;
    return is_short || memchr(text, '.', bytes - 1) != NULL;
}

static enum phrase_end phrase_end_of(const char *text, size_t bytes)
{
    static const uint32_t closers[] = {'"', '\'', ')', ']', '}', 0xBB, 0x2019, 0x201D, 0x203A, 0};
    static const uint32_t terminals[] = {'!',   '?',    0x2026, 0x203D, 0x61F,  0x6D4,
                                         0x964, 0x1362, 0x3002, 0xFF01, 0xFF1F, 0};
    static const uint32_t clauses[] = {',',   ';',    ':',    0x2013, 0x2014, 0x60C,
                                       0x61B, 0x1363, 0x1364, 0xFF0C, 0};

    while (bytes > 0) {
        size_t last = bytes - 1;
        uint32_t code_point = 0;

        while (last > 0 && (text[last] & 0xC0) == 0x80)
            last--;
        utf8_decode(text + last, bytes - last, &code_point);
        if (code_point == '.')
            return may_be_abbreviation(text, bytes) ? PHRASE_GOES_ON : PHRASE_SENTENCE;
        if (is_one_of(code_point, terminals))
            return PHRASE_SENTENCE;
        if (is_one_of(code_point, clauses))
            return PHRASE_CLAUSE;
        if (!is_one_of(code_point, closers))
            return PHRASE_GOES_ON;
        bytes = last;
    }
    return PHRASE_GOES_ON;
}

/* ---- lines ---- */

/* Characters of the parts [from, to) in one line. */
static size_t line_chars(const struct cue_part *parts, size_t from, size_t to)
{
    size_t chars = 0;

    for (size_t i = from; i < to; i++)
        chars += parts[i].chars + (i > from && !parts[i].joined ? 1 : 0);
    return chars;
}

/*
 * How many of the parts stand in the first line: all of them where they fit, else what makes two lines of
 * about one length, if possible behind a phrase.  0 where they do not fit into two lines.
 */
static size_t break_lines(const struct cue_part *parts, size_t count)
{
    size_t best = 0;
    int best_cost = 0;

    if (line_chars(parts, 0, count) <= CUE_LINE_CHARS)
        return count;
    for (size_t i = 1; i < count; i++) {
        int first = (int)line_chars(parts, 0, i), second = (int)line_chars(parts, i, count);
        int cost = abs(first - second);

        if (first > CUE_LINE_CHARS || second > CUE_LINE_CHARS)
            continue;
        if (parts[i - 1].end != PHRASE_GOES_ON)
            cost -= LINE_PHRASE_WORTH;
        if (parts[i].joined)
            cost += LINE_TOKEN_WORTH;
        if (best == 0 || cost < best_cost) {
            best = i;
            best_cost = cost;
        }
    }
    return best;
}

static void write_line(const struct cue_part *parts, size_t from, size_t to, char ret_line[CUE_LINE_BYTES])
{
    size_t size = 0;

    for (size_t i = from; i < to; i++) {
        if (i > from && !parts[i].joined)
            ret_line[size++] = ' ';
        memcpy(ret_line + size, parts[i].text, parts[i].bytes);
        size += parts[i].bytes;
    }
    ret_line[size] = '\0';
}

/* ---- cues ---- */

/* Gives the cue that is held back; nothing else may be shown from `limit` on. */
static int give_held(struct cue_maker *maker, int64_t limit, struct error *err)
{
    struct cue *cue = &maker->held;
    int64_t wanted = cue->sample_start + samples_of(maker, CUE_MS_MIN);

    if (!maker->has_held)
        return 0;
    maker->has_held = false;
    if (wanted > limit)
        wanted = limit;
    if (cue->sample_end < wanted)
        cue->sample_end = wanted;
    return maker->take(maker->context, cue, err);
}

/* When the first `count` parts are heard; false where none of them is. */
static bool heard_span(const struct cue_part *parts, size_t count, int64_t *ret_start, int64_t *ret_end)
{
    bool heard = false;

    for (size_t i = 0; i < count; i++) {
        if (!parts[i].heard)
            continue;
        if (!heard)
            *ret_start = parts[i].sample_start;
        *ret_end = parts[i].sample_end;
        heard = true;
    }
    return heard;
}

/* Makes a cue of the first `count` parts.  Where nothing is heard, nothing is shown. */
static int cut_cue(struct cue_maker *maker, size_t count, struct error *err)
{
    int64_t start, end;
    int r = 0;

    if (heard_span(maker->parts, count, &start, &end)) {
        size_t first = break_lines(maker->parts, count);
        int64_t limit = start + samples_of(maker, CUE_MS_MAX);

        if (end > limit)
            end = limit; /* a symbol with a long name, said slowly: one character is not shared out */
        r = give_held(maker, start, err);
        maker->has_held = true;
        maker->held.sample_start = start;
        maker->held.sample_end = end;
        write_line(maker->parts, 0, first, maker->held.lines[0]);
        write_line(maker->parts, first, count, maker->held.lines[1]);
    }
    maker->count -= count;
    memmove(maker->parts, maker->parts + count, maker->count * sizeof maker->parts[0]);
    return r;
}

/* Whether a cue of the first `count` parts is long enough to stand alone. */
static bool is_long_enough(const struct cue_maker *maker, size_t count)
{
    int64_t start = 0, end = 0;

    return heard_span(maker->parts, count, &start, &end) && end - start >= samples_of(maker, CUE_MS_MIN) &&
           line_chars(maker->parts, 0, count) >= PHRASE_CHARS_MIN;
}

/* All of the parts; but where the one behind them goes on with a token, up to that token, if what is in front
 * of it does not flash. */
static size_t cut_at_token(const struct cue_maker *maker)
{
    size_t token = maker->count;
    int64_t start, end;

    while (token > 0 && maker->parts[token].joined)
        token--;
    return heard_span(maker->parts, token, &start, &end) && end - start >= samples_of(maker, CUE_MS_MIN)
               ? token
               : maker->count;
}

/* How many of the parts make the next cue, where one more would be too much: up to the last sentence that
 * ends among them, else the last clause, else the last token. */
static size_t find_cut(const struct cue_maker *maker)
{
    for (int wanted = PHRASE_SENTENCE; wanted >= PHRASE_CLAUSE; wanted--)
        for (size_t count = maker->count; count > 0; count--)
            if ((int)maker->parts[count - 1].end >= wanted && is_long_enough(maker, count))
                return count;
    return cut_at_token(maker);
}

/* Whether the parts and the one behind them are one cue. */
static bool fits(const struct cue_maker *maker)
{
    int64_t start, end;

    if (break_lines(maker->parts, maker->count + 1) == 0)
        return false;
    return !heard_span(maker->parts, maker->count + 1, &start, &end) ||
           end - start <= samples_of(maker, CUE_MS_MAX);
}

static int add_part(struct cue_maker *maker, const struct cue_part *part, struct error *err)
{
    int r = 0;

    assert(maker->count < array_length(maker->parts));
    maker->parts[maker->count] = *part;
    while (r == 0 && maker->count > 0 && !fits(maker)) {
        size_t cut = find_cut(maker);

        maker->count++; /* the new one moves up, too */
        r = cut_cue(maker, cut, err);
        maker->count--;
    }
    maker->count++;
    return r;
}

/* ---- tokens ---- */

/* The most code points of a piece of a token, so that it fits into a line and is not heard for too long. */
static int64_t piece_chars_max(const struct cue_maker *maker, int64_t chars, int64_t samples)
{
    int64_t most = CUE_LINE_CHARS;

    if (samples > 0 && chars * samples_of(maker, CUE_MS_MAX) / samples < most)
        most = chars * samples_of(maker, CUE_MS_MAX) / samples;
    return most > 0 ? most : 1;
}

/* Behind these a reader sees the parts of an address, a path or a compound. */
static bool is_inner_mark(uint32_t code_point)
{
    return code_point > 0 && code_point < 0x80 && strchr("/\\-_.,;:?&=+#@|~", (int)code_point) != NULL;
}

/* How good it is to take a token apart between two code points. */
static int cut_rank(uint32_t before, uint32_t after, int32_t *state)
{
    if (!utf8_character_ends(before, after, state))
        return 0;
    return is_inner_mark(before) && !is_inner_mark(after) ? 2 : 1;
}

/*
 * The first piece of `chars` code points, of which a piece may have `most`: all of them where they are no
 * more, else up to a good place near the end of pieces of one length.  *ret_bytes: what it takes.
 */
static int64_t cut_piece(const char *text, size_t size, int64_t chars, int64_t most, size_t *ret_bytes)
{
    int64_t wanted = chars / ((chars + most - 1) / most), best = 0;
    uint32_t before = 0, code_point = 0;
    size_t at = utf8_decode(text, size, &before);
    int best_rank = -1;
    int32_t state = 0;

    if (chars <= most) {
        *ret_bytes = size;
        return chars;
    }
    for (int64_t i = 1; i <= most; i++) {
        size_t used = utf8_decode(text + at, size - at, &code_point);
        int rank = cut_rank(before, code_point, &state);

        if (rank == 2 && i < wanted / 2)
            rank = 1; /* too little for a line of its own */
        if (rank > best_rank || (rank == best_rank && llabs(i - wanted) <= llabs(best - wanted))) {
            best_rank = rank;
            best = i;
            *ret_bytes = at;
        }
        before = code_point;
        at += used;
    }
    return best;
}

int cue_maker_add(struct cue_maker *maker, const struct timed_token *token, struct error *err)
{
    int64_t chars = utf8_count(token->text, token->bytes), taken = 0;
    int64_t samples = token->sample_end - token->sample_start;
    int64_t most = piece_chars_max(maker, chars, samples);
    size_t at = 0;
    int r = 0;

    if (token->starts_paragraph && maker->count > 0)
        r = cut_cue(maker, maker->count, err);
    while (r == 0 && taken < chars) {
        struct cue_part part = {
            .joined = taken > 0,
            .heard = samples > 0,
            .sample_start = token->sample_start + samples * taken / chars,
        };

        part.chars = (size_t)cut_piece(token->text + at, token->bytes - at, chars - taken, most, &part.bytes);
        memcpy(part.text, token->text + at, part.bytes);
        at += part.bytes;
        taken += (int64_t)part.chars;
        part.sample_end = token->sample_start + samples * taken / chars;
        if (taken == chars)
            part.end = phrase_end_of(token->text, token->bytes);
        r = add_part(maker, &part, err);
    }
    return r;
}

int cue_maker_end(struct cue_maker *maker, int64_t samples, struct error *err)
{
    int r = maker->count > 0 ? cut_cue(maker, maker->count, err) : 0;

    return r == 0 ? give_held(maker, samples, err) : r;
}
