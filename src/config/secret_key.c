/* SPDX-License-Identifier: Apache-2.0 */
#include "config/secret_key.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/ownership.h"

/* How to make one. */
#define MAKE_KEY "head -c 32 /dev/urandom"

static int check_file(const char *path, const struct stat *status, bool credential, struct error *err)
{
    if (!S_ISREG(status->st_mode))
        return error_set(err, -EINVAL, "it is not a regular file");
    /* The access list by which systemd lets the service read shows in the bits of the group. */
    if (!credential && ownership_check(path, status, OWNER_SELF_OR_ROOT, OTHERS_MAY_ANY, err) < 0)
        return -EINVAL;
    if (status->st_size != SECRET_KEY_SIZE)
        return error_set(err, -EINVAL,
                         "it holds %lld bytes; %d raw ones are right, as `" MAKE_KEY "` makes them",
                         (long long)status->st_size, SECRET_KEY_SIZE);
    return 0;
}

static int read_file(const char *path, bool credential, struct secret_key *ret_key, struct error *err)
{
    /* A pipe that nobody writes to must not hold the program up. */
    cleanup(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat status;
    int r;

    if (fd < 0 && errno == EACCES && !credential)
        return ownership_refuse_reading(path, true, err) < 0 ? -EINVAL : 0;
    if (fd < 0)
        return error_set(err, -EINVAL, "cannot open it: %s", strerrordesc_np(errno));
    if (fstat(fd, &status) < 0)
        return error_set(err, -EINVAL, "cannot look at it: %s", strerrordesc_np(errno));
    r = check_file(path, &status, credential, err);
    if (r < 0)
        return r;
    if (read(fd, ret_key->bytes, SECRET_KEY_SIZE) != SECRET_KEY_SIZE)
        return error_set(err, -EINVAL, "cannot read %d bytes of it", SECRET_KEY_SIZE);
    ret_key->given = true;
    return 0;
}

int secret_key_read(const char *file, struct secret_key *ret_key, struct error *err)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    struct secret_key key = {0};
    char credential[PATH_MAX];
    int r = 0;

    if (file[0] != '\0') {
        r = read_file(file, false, &key, err);
        if (r < 0)
            error_prefix(err, r, "secret_key_file: %s", file);
    } else if (folder != NULL &&
               (size_t)snprintf(credential, sizeof credential, "%s/" SECRET_KEY_CREDENTIAL, folder) <
                   sizeof credential &&
               (access(credential, F_OK) == 0 || errno != ENOENT)) {
        r = read_file(credential, true, &key, err);
        if (r < 0)
            error_prefix(err, r, "the credential %s", credential);
    } else if (access(SECRET_KEY_DEFAULT_FILE, R_OK) == 0) {
        r = read_file(SECRET_KEY_DEFAULT_FILE, false, &key, err);
        if (r < 0)
            error_prefix(err, r, "%s", SECRET_KEY_DEFAULT_FILE);
    }
    if (r == 0)
        *ret_key = key;
    secret_key_release(&key);
    return r;
}

void secret_key_release(struct secret_key *key)
{
    explicit_bzero(key, sizeof *key);
}
