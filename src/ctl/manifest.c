/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "codec/json_read.h"
#include "codec/json_write.h"

/* A dozen numbers. */
#define MANIFEST_MAX (64 << 10)

/* What a file is hashed by. */
#define PIECE_SIZE (1 << 20)

int backup_path(const char *dir, const char *name, char ret_path[PATH_MAX], struct error *err)
{
    if ((size_t)snprintf(ret_path, PATH_MAX, "%s/%s", dir, name) >= PATH_MAX)
        return error_set(err, -ENAMETOOLONG, "the path %s is too long", dir);
    return 0;
}

void manifest_append(const struct manifest *manifest, struct buf *text)
{
    json_member_int(text, "format", MANIFEST_FORMAT);
    json_member_string(text, "sayhook", PACKAGE_VERSION);
    json_member_time(text, "created_at", manifest->created_at);
    json_member_int(text, "schema_version", manifest->schema_version);
    json_member_int(text, "database_bytes", manifest->database_bytes);
    json_member_string(text, "database_sha256", manifest->database_sha256);
    json_name(text, "jobs");
    buf_append_str(text, "{");
    for (int i = 0; i < JOB_STATUS_COUNT; i++)
        json_member_int(text, job_status_name((enum job_status)i), manifest->jobs[i]);
    buf_append_str(text, "}");
    json_member_int(text, "files", manifest->files);
    json_member_int(text, "file_bytes", manifest->file_bytes);
    json_member_int(text, "mended", manifest->mended);
}

int manifest_write(const struct manifest *manifest, const char *dir, struct error *err)
{
    cleanup(buf_release) struct buf text = BUF_INIT(MANIFEST_MAX);
    char path[PATH_MAX];
    int r = backup_path(dir, BACKUP_MANIFEST, path, err);

    if (r < 0)
        return r;
    buf_append_str(&text, "{");
    manifest_append(manifest, &text);
    buf_append_str(&text, "}\n");
    return buf_ok(&text) ? file_replace(path, buf_str(&text), text.length, 0600, err)
                         : error_set(err, -ENOMEM, "out of memory");
}

static int read_members(const struct json_document *document, const char *path, struct manifest *ret_manifest,
                        struct error *err)
{
    const char *hash = json_read_string(document, "/database_sha256");
    const char *created = json_read_string(document, "/created_at");
    struct manifest manifest = {
        .schema_version = (int64_t)json_read_number(document, "/schema_version", 0),
        .database_bytes = (int64_t)json_read_number(document, "/database_bytes", 0),
        .files = (int64_t)json_read_number(document, "/files", -1),
        .file_bytes = (int64_t)json_read_number(document, "/file_bytes", -1),
        .mended = (int64_t)json_read_number(document, "/mended", 0),
    };
    double format = json_read_number(document, "/format", 0);

    if (format > MANIFEST_FORMAT)
        return error_set(
            err, -EPROTO,
            "%s is of format %.0f, and this program (sayhook %s) knows formats up to %d: a newer "
            "Sayhook made that backup",
            path, format, PACKAGE_VERSION, MANIFEST_FORMAT);
    if (format < 1 || hash == NULL || strlen(hash) != SHA256_HEX_SIZE - 1 || created == NULL ||
        !clock_parse_rfc3339(created, &manifest.created_at) || manifest.schema_version < 1 ||
        manifest.files < 0)
        return error_set(err, -EINVAL, "%s is not what 'sayhookctl db backup' writes", path);
    memcpy(manifest.database_sha256, hash, SHA256_HEX_SIZE);
    for (int i = 0; i < JOB_STATUS_COUNT; i++) {
        char pointer[32];

        snprintf(pointer, sizeof pointer, "/jobs/%s", job_status_name((enum job_status)i));
        manifest.jobs[i] = (int64_t)json_read_number(document, pointer, 0);
    }
    *ret_manifest = manifest;
    return 0;
}

int manifest_read(const char *dir, struct manifest *ret_manifest, struct error *err)
{
    cleanup(buf_release) struct buf text = BUF_INIT(MANIFEST_MAX);
    struct json_document *document = NULL;
    char path[PATH_MAX];
    int r = backup_path(dir, BACKUP_MANIFEST, path, err);

    if (r == 0)
        r = file_read(path, &text, err);
    if (r == -ENOENT)
        return error_set(err, r, "%s is no backup, or one that was not finished: it has no " BACKUP_MANIFEST,
                         dir);
    if (r == 0)
        r = json_read(buf_str(&text), text.length, &document, err);
    if (r < 0)
        return r;
    r = read_members(document, path, ret_manifest, err);
    json_read_free(document);
    return r;
}

static int hash_file(int fd, const char *path, struct sha256 *hash, int64_t *ret_bytes, struct error *err)
{
    cleanup(free_ptr) char *piece = malloc(PIECE_SIZE);
    int64_t bytes = 0;
    ssize_t size;

    if (piece == NULL)
        return error_set(err, -ENOMEM, "out of memory");
    while ((size = read(fd, piece, PIECE_SIZE)) != 0) {
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return error_system(err, errno, "cannot read %s", path);
        sha256_update(hash, piece, (size_t)size);
        bytes += size;
    }
    *ret_bytes = bytes;
    return 0;
}

int manifest_hash(const char *path, int64_t *ret_bytes, char ret_hex[SHA256_HEX_SIZE], struct error *err)
{
    cleanup(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct sha256 *hash = sha256_new();
    int r = -ENOMEM;

    if (hash == NULL)
        error_set(err, r, "out of memory");
    else if (fd < 0)
        r = error_system(err, errno, "cannot open %s", path);
    else
        r = hash_file(fd, path, hash, ret_bytes, err);
    if (r == 0)
        sha256_final_hex(hash, ret_hex);
    sha256_free(hash);
    return r;
}
