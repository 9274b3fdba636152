/* SPDX-License-Identifier: Apache-2.0 */
/* What a backup says of itself: DIR/manifest.json, written last, so that a folder without it is no backup. */
#ifndef CTL_MANIFEST_H
#define CTL_MANIFEST_H

#include <limits.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "crypto/sha256.h"
#include "job/job.h"

/* The layout of the folder; a newer one is refused. */
#define MANIFEST_FORMAT 1

/* What lies in the folder of a backup. */
#define BACKUP_DATABASE  "database"
#define BACKUP_DOWNLOADS "downloads"
#define BACKUP_MANIFEST  "manifest.json"

struct manifest {
    int64_t created_at;
    int64_t schema_version;
    int64_t database_bytes;
    char database_sha256[SHA256_HEX_SIZE];
    int64_t jobs[JOB_STATUS_COUNT];
    int64_t files; /* of audio and timings */
    int64_t file_bytes;
    int64_t mended; /* jobs whose audio went while the backup was made, and whose rows in it say so */
};

/* "DIR/NAME".  -ENAMETOOLONG. */
int backup_path(const char *dir, const char *name, char ret_path[PATH_MAX], struct error *err);

/* The members, for an object that is open. */
void manifest_append(const struct manifest *manifest, struct buf *text);

/* Writes the file, durably. */
int manifest_write(const struct manifest *manifest, const char *dir, struct error *err);

/* -ENOENT where the folder has none: it is no backup, or one that was not finished.  -EPROTO where it is of a
 * newer format, -EINVAL where it is damaged. */
int manifest_read(const char *dir, struct manifest *ret_manifest, struct error *err);

/* Size and hash of a file. */
int manifest_hash(const char *path, int64_t *ret_bytes, char ret_hex[SHA256_HEX_SIZE], struct error *err);

#endif
