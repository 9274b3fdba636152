/* SPDX-License-Identifier: Apache-2.0 */
#include "speech/subtitles.h"

#include "codec/json_write.h"

static long long milliseconds(int64_t samples, int sample_rate)
{
    return samples * 1000 / sample_rate;
}

/* ---- JSON ---- */

static void json_seconds(struct buf *out, const char *name, int64_t samples, int sample_rate)
{
    long long ms = milliseconds(samples, sample_rate);

    json_name(out, name);
    buf_printf(out, "%lld.%03lld", ms / 1000, ms % 1000);
}

void json_words_begin(struct buf *out, const char *job_id, int sample_rate)
{
    buf_append_str(out, "{");
    json_member_string(out, "job_id", job_id);
    json_member_int(out, "sample_rate", sample_rate);
    json_name(out, "words");
    buf_append_str(out, "[");
}

void json_words_add(struct buf *out, bool is_first, const struct timed_token *token, int sample_rate)
{
    buf_append_str(out, is_first ? "\n{" : ",\n{");
    json_member_string(out, "text", token->text);
    json_seconds(out, "start", token->sample_start, sample_rate);
    json_seconds(out, "end", token->sample_end, sample_rate);
    json_member_int(out, "source_start", token->source_start);
    json_member_int(out, "source_end", token->source_end);
    buf_append_str(out, "}");
}

void json_words_end(struct buf *out)
{
    buf_append_str(out, "\n]}\n");
}

/* ---- cues ---- */

/* "HH:MM:SS,mmm", with as many digits of hours as it takes. */
static void clock_time(struct buf *out, int64_t samples, int sample_rate, char point)
{
    long long ms = milliseconds(samples, sample_rate);

    buf_printf(out, "%02lld:%02lld:%02lld%c%03lld", ms / 3600000, ms / 60000 % 60, ms / 1000 % 60, point,
               ms % 1000);
}

static void time_line(struct buf *out, const struct cue *cue, int sample_rate, char point)
{
    clock_time(out, cue->sample_start, sample_rate, point);
    buf_append_str(out, " --> ");
    clock_time(out, cue->sample_end, sample_rate, point);
    buf_append_str(out, "\n");
}

void srt_add(struct buf *out, int64_t number, const struct cue *cue, int sample_rate)
{
    buf_printf(out, "%s%lld\n", number > 1 ? "\n" : "", (long long)number);
    time_line(out, cue, sample_rate, ',');
    for (int i = 0; i < CUE_LINES && cue->lines[i][0] != '\0'; i++)
        buf_printf(out, "%s\n", cue->lines[i]);
}

void vtt_begin(struct buf *out)
{
    buf_append_str(out, "WEBVTT\n");
}

/* WebVTT, section 4.2.2: a text may hold none of these as they are. */
static void vtt_line(struct buf *out, const char *line)
{
    for (; *line != '\0'; line++) {
        if (*line == '&')
            buf_append_str(out, "&amp;");
        else if (*line == '<')
            buf_append_str(out, "&lt;");
        else if (*line == '>')
            buf_append_str(out, "&gt;");
        else
            buf_append(out, line, 1);
    }
    buf_append_str(out, "\n");
}

void vtt_add(struct buf *out, const struct cue *cue, int sample_rate)
{
    buf_append_str(out, "\n");
    time_line(out, cue, sample_rate, '.');
    for (int i = 0; i < CUE_LINES && cue->lines[i][0] != '\0'; i++)
        vtt_line(out, cue->lines[i]);
}
