/* SPDX-License-Identifier: Apache-2.0 */
/* Files: whole reads and writes, durable replacement, locks, and the bytes that a file system has left. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/error.h"

/* Writes all size bytes, going on after signals and short writes. */
int file_write_all(int fd, const void *bytes, size_t size, struct error *err);

/* Appends the whole of a file to buf; a file larger than buf may hold is an error (-EFBIG). */
int file_read(const char *path, struct buf *buf, struct error *err);

/* Creates or replaces path with the bytes, mode as given: temporary file beside it, fsync, rename, fsync of
 * the folder. */
int file_replace(const char *path, const void *bytes, size_t size, mode_t mode, struct error *err);

/* Makes a folder's entries (created, renamed, removed) durable. */
int file_sync_folder(const char *folder, struct error *err);

/* Makes a folder unless it is there; its parent must be. */
int file_make_folder(const char *folder, mode_t mode, struct error *err);

/*
 * Opens (and creates, mode 0660) a lock file and takes its flock(2).  The lock lasts until *ret_fd is closed.
 * Without wait: FILE_LOCK_HELD where another holds it.
 */
#define FILE_LOCK_HELD 1
int file_lock(const char *path, bool wait, int *ret_fd, struct error *err);

/* True where nobody holds the lock: the file is not there, or its lock could be taken (and is given back). */
bool file_lock_is_free(const char *path);

/* Bytes that an ordinary user may still write on the file system that holds path. */
int file_space_left(const char *path, uint64_t *ret_bytes, struct error *err);

#endif
