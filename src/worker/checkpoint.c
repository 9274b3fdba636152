/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

/* Another layout gets another text, and the job is then spoken anew. */
#define MAGIC "sayhook marks 2\n"

/* Only this process's user has a use for it. */
#define MARKS_MODE 0600

/* Read by the same program on the same machine: numbers lie as they are in memory. */
struct header {
    char magic[sizeof MAGIC];
    char boot_id[64];
};

struct record {
    struct checkpoint_mark mark;
    int64_t durable; /* so many records, and what they vouch for, were durable when this one was added */
    uint64_t check;  /* of what stands before it: a record may be torn */
};

struct checkpoint {
    int fd;
    int64_t count;   /* records */
    int64_t durable; /* of them */
};

/* FNV-1a (Fowler, Noll, Vo), 64 bits. */
static uint64_t checksum(const struct record *record)
{
    const unsigned char *bytes = (const unsigned char *)record;
    uint64_t sum = 0xcbf29ce484222325u;

    for (size_t i = 0; i < offsetof(struct record, check); i++)
        sum = (sum ^ bytes[i]) * 0x100000001b3u;
    return sum;
}

static struct header make_header(const char *boot_id)
{
    struct header header = {.magic = MAGIC};

    snprintf(header.boot_id, sizeof header.boot_id, "%s", boot_id);
    return header;
}

static int wrap(int fd, int64_t count, int64_t durable, struct checkpoint **ret_checkpoint, struct error *err)
{
    struct checkpoint *checkpoint = malloc(sizeof *checkpoint);

    if (checkpoint == NULL) {
        close(fd);
        return error_set(err, -ENOMEM, "out of memory");
    }
    *checkpoint = (struct checkpoint){.fd = fd, .count = count, .durable = durable};
    *ret_checkpoint = checkpoint;
    return 0;
}

int checkpoint_create(const char *path, const char *boot_id, struct checkpoint **ret_checkpoint,
                      struct error *err)
{
    const struct header header = make_header(boot_id);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, MARKS_MODE);
    int r;

    if (fd < 0)
        return error_system(err, errno, "cannot create %s", path);
    r = file_write_all(fd, &header, sizeof header, err);
    if (r < 0) {
        close(fd);
        unlink(path);
        return r;
    }
    return wrap(fd, 0, 0, ret_checkpoint, err);
}

/* Behind so many records. */
static off_t end_of(int64_t count)
{
    return (off_t)sizeof(struct header) + (off_t)count * (off_t)sizeof(struct record);
}

/* Record `number`, which counts from 1; false where it is torn. */
static bool read_record(int fd, int64_t number, struct record *ret_record)
{
    return pread(fd, ret_record, sizeof *ret_record, end_of(number - 1)) == (ssize_t)sizeof *ret_record &&
           ret_record->check == checksum(ret_record);
}

/* The last record that can be trusted, and its number; CHECKPOINT_NONE. */
static int find_mark(int fd, bool same_boot, struct record *ret_record, int64_t *ret_number)
{
    struct stat status;
    int64_t number;

    if (fstat(fd, &status) < 0)
        return -errno;
    number = (status.st_size - end_of(0)) / (int64_t)sizeof(struct record);
    while (number > 0 && !read_record(fd, number, ret_record))
        number--;
    if (number > 0 && !same_boot) {
        number = ret_record->durable;
        if (number > 0 && !read_record(fd, number, ret_record))
            number = 0;
        ret_record->durable = number; /* it says so itself from now on */
        ret_record->check = checksum(ret_record);
    }
    *ret_number = number;
    return number > 0 ? 0 : CHECKPOINT_NONE;
}

int checkpoint_reopen(const char *path, const char *boot_id, struct checkpoint **ret_checkpoint,
                      struct checkpoint_mark *ret_mark, struct error *err)
{
    const struct header ours = make_header(boot_id);
    struct header header;
    struct record record = {0};
    int64_t count = 0;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    int r = CHECKPOINT_NONE;

    if (fd < 0)
        return errno == ENOENT ? CHECKPOINT_NONE : error_system(err, errno, "cannot open %s", path);
    if (pread(fd, &header, sizeof header, 0) == (ssize_t)sizeof header &&
        memcmp(header.magic, ours.magic, sizeof header.magic) == 0)
        r = find_mark(fd, memcmp(header.boot_id, ours.boot_id, sizeof header.boot_id) == 0, &record, &count);
    /* From here on the marks are of this boot. */
    if (r == 0 && (pwrite(fd, &record, sizeof record, end_of(count - 1)) != (ssize_t)sizeof record ||
                   ftruncate(fd, end_of(count)) < 0 || lseek(fd, 0, SEEK_END) < 0 ||
                   pwrite(fd, &ours, sizeof ours, 0) != (ssize_t)sizeof ours))
        r = -errno;
    if (r != 0) {
        close(fd);
        return r < 0 ? error_system(err, -r, "cannot go on with %s", path) : r;
    }
    r = wrap(fd, count, record.durable, ret_checkpoint, err);
    if (r == 0)
        *ret_mark = record.mark;
    return r;
}

int checkpoint_add(struct checkpoint *checkpoint, const struct checkpoint_mark *mark, bool durable,
                   struct error *err)
{
    struct record record = {.mark = *mark};
    int r;

    checkpoint->count++;
    if (durable)
        checkpoint->durable = checkpoint->count;
    record.durable = checkpoint->durable;
    record.check = checksum(&record);
    r = file_write_all(checkpoint->fd, &record, sizeof record, err);
    if (r == 0 && durable && fdatasync(checkpoint->fd) < 0)
        r = error_system(err, errno, "cannot sync a checkpoint");
    return r;
}

int64_t checkpoint_count(const struct checkpoint *checkpoint)
{
    return checkpoint->count;
}

void checkpoint_vouch(struct checkpoint *checkpoint, int64_t count)
{
    if (count > checkpoint->durable)
        checkpoint->durable = count;
}

struct checkpoint *checkpoint_close(struct checkpoint *checkpoint)
{
    if (checkpoint == NULL)
        return NULL;
    close(checkpoint->fd);
    free(checkpoint);
    return NULL;
}
