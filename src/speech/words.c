/* SPDX-License-Identifier: Apache-2.0 */
#include "speech/words.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "speech/sink.h"

/* Nobody else reads it. */
#define FILE_MODE 0600

/* Read at a time. */
#define READER_WORDS 1024

size_t timed_words_make(const struct segment *segment, const struct synth_word *words, size_t count,
                        int64_t samples, struct timed_word *ret_words)
{
    size_t made = 0;

    for (size_t i = 0; i < count; i++) {
        struct timed_word *word = &ret_words[made];

        if (words[i].text_start >= words[i].text_end || words[i].text_end > segment->bytes)
            continue;
        segment_source(segment, words[i].text_start, words[i].text_end, &word->source_start,
                       &word->source_end);
        word->sample_start = samples + words[i].sample_start;
        word->sample_end = samples + words[i].sample_end;
        made++;
    }
    return made;
}

/* ---- the spool ---- */

struct word_spool {
    int fd;
    char *path;
    struct sink sink;
};

static int spool_new(const char *path, int flags, struct word_spool **ret_spool, struct error *err)
{
    struct word_spool *spool = calloc(1, sizeof *spool);
    int r;

    if (spool == NULL)
        return error_set(err, -ENOMEM, "no memory for %s", path);
    spool->path = strdup(path);
    spool->fd = open(path, flags | O_RDWR | O_CLOEXEC, FILE_MODE);
    if (spool->fd >= 0 && spool->path != NULL) {
        *ret_spool = spool;
        return 0;
    }
    r = spool->fd < 0 ? error_system(err, errno, "cannot open %s", path)
                      : error_set(err, -ENOMEM, "no memory for %s", path);
    word_spool_close(spool);
    return r;
}

int word_spool_open(const char *path, struct word_spool **ret_spool, struct error *err)
{
    struct word_spool *spool = NULL;
    int r = spool_new(path, O_CREAT | O_EXCL, &spool, err);

    if (spool == NULL)
        return r;
    r = sink_init(&spool->sink, spool->fd, spool->path, 0, err);
    if (r < 0) {
        unlink(path);
        word_spool_close(spool);
        return r;
    }
    *ret_spool = spool;
    return 0;
}

static int cut(struct word_spool *spool, int64_t size, struct error *err)
{
    struct stat status;

    if (fstat(spool->fd, &status) < 0)
        return error_system(err, errno, "cannot read %s", spool->path);
    if (status.st_size < size)
        return error_set(err, -EBADMSG, "%s has fewer words than were vouched for", spool->path);
    if (ftruncate(spool->fd, size) < 0)
        return error_system(err, errno, "cannot cut %s", spool->path);
    return sink_init(&spool->sink, spool->fd, spool->path, size, err);
}

int word_spool_reopen(const char *path, int64_t words, struct word_spool **ret_spool, struct error *err)
{
    struct word_spool *spool = NULL;
    int r = spool_new(path, 0, &spool, err);

    if (spool == NULL)
        return r;
    r = cut(spool, words * (int64_t)sizeof(struct timed_word), err);
    if (r < 0)
        word_spool_close(spool);
    else
        *ret_spool = spool;
    return r;
}

int word_spool_append(struct word_spool *spool, const struct timed_word *words, size_t count,
                      struct error *err)
{
    sink_write(&spool->sink, words, count * sizeof *words);
    return sink_check(&spool->sink, err);
}

int word_spool_flush(struct word_spool *spool, struct error *err)
{
    return sink_flush(&spool->sink, err);
}

int64_t word_spool_count(const struct word_spool *spool)
{
    return sink_tell(&spool->sink) / (int64_t)sizeof(struct timed_word);
}

struct word_spool *word_spool_close(struct word_spool *spool)
{
    if (spool == NULL)
        return NULL;
    sink_release(&spool->sink);
    if (spool->fd >= 0)
        close(spool->fd);
    free(spool->path);
    free(spool);
    return NULL;
}

/* ---- the reader ---- */

struct word_reader {
    FILE *file;
    size_t count; /* words read */
    size_t next;
    struct timed_word words[READER_WORDS];
};

int word_reader_open(const char *path, struct word_reader **ret_reader, struct error *err)
{
    struct word_reader *reader = calloc(1, sizeof *reader);
    int number;

    if (reader == NULL)
        return error_set(err, -ENOMEM, "no memory for %s", path);
    reader->file = fopen(path, "rbe");
    if (reader->file != NULL) {
        *ret_reader = reader;
        return 0;
    }
    number = errno;
    free(reader);
    return error_system(err, number, "cannot open %s", path);
}

int word_reader_next(struct word_reader *reader, struct timed_word *ret_word, struct error *err)
{
    if (reader->next == reader->count) {
        reader->count = fread(reader->words, sizeof reader->words[0], READER_WORDS, reader->file);
        reader->next = 0;
        if (reader->count == 0 && ferror(reader->file))
            return error_set(err, -EIO, "cannot read the file of words");
        if (reader->count == 0)
            return WORDS_NONE_LEFT;
    }
    *ret_word = reader->words[reader->next++];
    return 0;
}

struct word_reader *word_reader_close(struct word_reader *reader)
{
    if (reader != NULL) {
        fclose(reader->file);
        free(reader);
    }
    return NULL;
}
