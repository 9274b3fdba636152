/* SPDX-License-Identifier: Apache-2.0 */
/* The same file at another place: by a further name for it, by sharing its blocks, or byte by byte. */
#ifndef BASE_FILE_COPY_H
#define BASE_FILE_COPY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/* How it was done. */
struct file_copy {
    int64_t bytes;
    bool linked;
};

/* What a new file is to have in place of what the other has. */
struct file_traits {
    mode_t mode; /* 0: the other's */
    uid_t uid;   /* where this process is root's */
    gid_t gid;
};

/*
 * Puts a regular file into a folder (a descriptor, or AT_FDCWD where name is a path) under a name that
 * nothing has (-EEXIST).  With link it is a further name (link(2)) where both are on one file system, it is
 * allowed and the other has those traits; else a new file with those traits (NULL: the same mode and, for
 * root, the same owner), that shares the blocks where the file system can.  Not synced: see file_sync_all().
 * FILE_COPY_GONE where there is no such file.  After a failure there is nothing under the name.
 */
#define FILE_COPY_GONE 1
int file_copy(const char *from, int folder, const char *name, bool link, const struct file_traits *traits,
              struct file_copy *ret_copy, struct error *err);

/* Makes all of the file system durable that holds path. */
int file_sync_all(const char *path, struct error *err);

#endif
