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
#define MAGIC "sayhook marks 1\n"

/* Only this process's user has a use for it. */
#define MARKS_MODE 0600

/* Read by the same program on the same machine: numbers lie as they are in memory. */
struct header {
    char magic[sizeof MAGIC];
    char boot_id[64];
};

struct record {
    struct checkpoint_mark mark;
    int64_t durable;
    uint64_t check; /* of what stands before it: a record may be torn */
};

struct checkpoint {
    int fd;
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

static int wrap(int fd, struct checkpoint **ret_checkpoint, struct error *err)
{
    struct checkpoint *checkpoint = malloc(sizeof *checkpoint);

    if (checkpoint == NULL) {
        close(fd);
        return error_set(err, -ENOMEM, "out of memory");
    }
    checkpoint->fd = fd;
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
    return wrap(fd, ret_checkpoint, err);
}

/* The last record that can be trusted, and where the next one goes. */
static int find_mark(int fd, bool same_boot, struct checkpoint_mark *ret_mark, off_t *ret_end)
{
    struct stat status;
    struct record record;
    off_t at;

    if (fstat(fd, &status) < 0)
        return -errno;
    at = status.st_size - (off_t)sizeof(struct header);
    at -= at % (off_t)sizeof record;
    for (; at > 0; at -= (off_t)sizeof record) {
        off_t start = (off_t)sizeof(struct header) + at - (off_t)sizeof record;

        if (pread(fd, &record, sizeof record, start) != (ssize_t)sizeof record)
            return -EIO;
        if (record.check == checksum(&record) && (same_boot || record.durable != 0)) {
            *ret_mark = record.mark;
            *ret_end = start + (off_t)sizeof record;
            return 0;
        }
    }
    return CHECKPOINT_NONE;
}

int checkpoint_reopen(const char *path, const char *boot_id, struct checkpoint **ret_checkpoint,
                      struct checkpoint_mark *ret_mark, struct error *err)
{
    const struct header ours = make_header(boot_id);
    struct header header;
    struct checkpoint_mark mark = {0};
    off_t end = 0;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    int r = CHECKPOINT_NONE;

    if (fd < 0)
        return errno == ENOENT ? CHECKPOINT_NONE : error_system(err, errno, "cannot open %s", path);
    if (pread(fd, &header, sizeof header, 0) == (ssize_t)sizeof header &&
        memcmp(header.magic, ours.magic, sizeof header.magic) == 0)
        r = find_mark(fd, memcmp(header.boot_id, ours.boot_id, sizeof header.boot_id) == 0, &mark, &end);
    /* From here on the marks are of this boot. */
    if (r == 0 && (ftruncate(fd, end) < 0 || lseek(fd, 0, SEEK_END) < 0 ||
                   pwrite(fd, &ours, sizeof ours, 0) != (ssize_t)sizeof ours))
        r = -errno;
    if (r != 0) {
        close(fd);
        return r < 0 ? error_system(err, -r, "cannot go on with %s", path) : r;
    }
    r = wrap(fd, ret_checkpoint, err);
    if (r == 0)
        *ret_mark = mark;
    return r;
}

int checkpoint_add(struct checkpoint *checkpoint, const struct checkpoint_mark *mark, bool durable,
                   struct error *err)
{
    struct record record = {.mark = *mark, .durable = durable};
    int r;

    record.check = checksum(&record);
    r = file_write_all(checkpoint->fd, &record, sizeof record, err);
    if (r == 0 && durable && fdatasync(checkpoint->fd) < 0)
        r = error_system(err, errno, "cannot sync a checkpoint");
    return r;
}

struct checkpoint *checkpoint_close(struct checkpoint *checkpoint)
{
    if (checkpoint == NULL)
        return NULL;
    close(checkpoint->fd);
    free(checkpoint);
    return NULL;
}
