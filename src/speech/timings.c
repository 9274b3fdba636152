/* SPDX-License-Identifier: Apache-2.0 */
#include "speech/timings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "speech/cues.h"
#include "speech/sink.h"
#include "speech/subtitles.h"
#include "speech/tokens.h"
#include "speech/words.h"

/* The server of the downloads is another user; the folder decides who else comes so far. */
#define FILE_MODE 0644

/* The longest word in JSON: each of its code points may be an escape of six bytes. */
#define ITEM_MAX (TOKEN_CHARS_MAX * 6 + 1024)

struct output {
    int fd;
    struct sink sink;
};

struct timings {
    const struct timings_source *source;
    struct output outputs[TIMINGS_FILES];
    struct word_reader *words;
    int64_t tokens; /* written */
    int64_t cues;
    struct buf item;
    struct cue_maker cue_maker;
    struct tokenizer tokenizer;
    char piece[TOKENIZER_FEED_MAX];
};

/* Hands the item over to a file. */
static int write_item(struct timings *timings, enum timings_file file, struct error *err)
{
    struct sink *sink = &timings->outputs[file].sink;

    if (!buf_ok(&timings->item))
        return error_set(err, -ENOMEM, "no memory for %s", sink->path);
    sink_write(sink, timings->item.data, timings->item.length);
    buf_clear(&timings->item);
    return sink_check(sink, err);
}

static int take_next_word(void *context, struct timed_word *ret_word, struct error *err)
{
    struct timings *timings = context;

    return word_reader_next(timings->words, ret_word, err);
}

static int write_token(void *context, const struct timed_token *token, struct error *err)
{
    struct timings *timings = context;
    int r;

    json_words_add(&timings->item, timings->tokens == 0, token, timings->source->sample_rate);
    timings->tokens++;
    r = write_item(timings, TIMINGS_JSON, err);
    return r == 0 ? cue_maker_add(&timings->cue_maker, token, err) : r;
}

static int write_cue(void *context, const struct cue *cue, struct error *err)
{
    struct timings *timings = context;
    int r;

    srt_add(&timings->item, ++timings->cues, cue, timings->source->sample_rate);
    r = write_item(timings, TIMINGS_SRT, err);
    if (r < 0)
        return r;
    vtt_add(&timings->item, cue, timings->source->sample_rate);
    return write_item(timings, TIMINGS_VTT, err);
}

static int write_all(struct timings *timings, struct error *err)
{
    const struct timings_source *source = timings->source;
    int64_t offset = 0;
    size_t size = 1;
    int r;

    json_words_begin(&timings->item, source->job_id, source->sample_rate);
    r = write_item(timings, TIMINGS_JSON, err);
    vtt_begin(&timings->item);
    if (r == 0)
        r = write_item(timings, TIMINGS_VTT, err);
    while (r == 0 && size > 0) {
        r = source->read(source->context, offset, timings->piece, sizeof timings->piece, &size, err);
        if (r == 0 && size > 0)
            r = tokenizer_feed(&timings->tokenizer, timings->piece, size, err);
        offset += (int64_t)size;
    }
    if (r == 0)
        r = tokenizer_end(&timings->tokenizer, err);
    if (r == 0)
        r = cue_maker_end(&timings->cue_maker, source->samples, err);
    if (r == 0) {
        json_words_end(&timings->item);
        r = write_item(timings, TIMINGS_JSON, err);
    }
    return r;
}

static int open_output(struct output *output, const char *path, struct error *err)
{
    output->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
    if (output->fd < 0)
        return error_system(err, errno, "cannot create %s", path);
    return sink_init(&output->sink, output->fd, path, 0, err);
}

static int complete_output(struct output *output, struct error *err)
{
    int r = sink_flush(&output->sink, err);

    if (r == 0 && fsync(output->fd) < 0)
        r = error_system(err, errno, "cannot sync %s", output->sink.path);
    return r;
}

static void timings_free(struct timings *timings)
{
    for (int i = 0; i < TIMINGS_FILES; i++) {
        sink_release(&timings->outputs[i].sink);
        close_fd(&timings->outputs[i].fd);
    }
    word_reader_close(timings->words);
    tokenizer_release(&timings->tokenizer);
    buf_release(&timings->item);
    free(timings);
}

int timings_write(const struct timings_source *source, const char *const paths[TIMINGS_FILES],
                  struct error *err)
{
    struct timings *timings = calloc(1, sizeof *timings);
    int r;

    if (timings == NULL)
        return error_set(err, -ENOMEM, "no memory for timings");
    timings->source = source;
    timings->item = BUF_INIT(ITEM_MAX);
    for (int i = 0; i < TIMINGS_FILES; i++)
        timings->outputs[i].fd = -1;
    tokenizer_init(&timings->tokenizer, take_next_word, timings, write_token, timings);
    cue_maker_init(&timings->cue_maker, source->sample_rate, write_cue, timings);
    r = word_reader_open(source->words, &timings->words, err);
    for (int i = 0; r == 0 && i < TIMINGS_FILES; i++)
        r = open_output(&timings->outputs[i], paths[i], err);
    if (r == 0)
        r = write_all(timings, err);
    for (int i = 0; r == 0 && i < TIMINGS_FILES; i++)
        r = complete_output(&timings->outputs[i], err);
    for (int i = 0; r != 0 && i < TIMINGS_FILES; i++)
        unlink(paths[i]);
    timings_free(timings);
    return r;
}
