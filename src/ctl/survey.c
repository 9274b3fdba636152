/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/survey.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"

#define BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"
#define BOOT_ID_MAX  64

static bool is_of_this_boot(const char *boot_id)
{
    cleanup(buf_release) struct buf buf = BUF_INIT(BOOT_ID_MAX);
    size_t length = strlen(boot_id);

    return file_read(BOOT_ID_FILE, &buf, NULL) < 0 ||
           (strncmp(buf_str(&buf), boot_id, length) == 0 && strcspn(buf_str(&buf), "\n") == length);
}

enum worker_state survey_worker(const struct worker_row *row)
{
    bool of_this_boot = is_of_this_boot(row->boot_id);

    if (access(row->lock_path, R_OK | W_OK) < 0 && errno == EACCES)
        return of_this_boot ? WORKER_UNKNOWN : WORKER_OTHER;
    if (file_lock_is_free(row->lock_path))
        return of_this_boot ? WORKER_ENDED : WORKER_OTHER;
    /* It lives, whatever boot it tells of: in a container a service with a /proc of its own sees the host's.
     */
    return row->lease_until < clock_monotonic_ms(&clock_system) ? WORKER_HUNG : WORKER_ALIVE;
}

const char *worker_state_name(enum worker_state state)
{
    static const char *const names[] = {[WORKER_ALIVE] = "alive",
                                        [WORKER_ENDED] = "ended",
                                        [WORKER_HUNG] = "hung",
                                        [WORKER_OTHER] = "of an earlier boot",
                                        [WORKER_UNKNOWN] = "unknown"};

    return names[state];
}

int survey_socket(const char *path)
{
    cleanup(close_fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (fd < 0)
        return errno;
    if ((size_t)snprintf(address.sun_path, sizeof address.sun_path, "%s", path) >= sizeof address.sun_path)
        return ENAMETOOLONG;
    /* A queue that is full is somebody's who listens. */
    return connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 || errno == EAGAIN ? 0 : errno;
}

int64_t survey_bytes(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 ? status.st_size : 0;
}

void survey_disks(const struct settings *settings, struct survey_disk ret_disks[SURVEY_DISKS])
{
    const struct survey_disk disks[SURVEY_DISKS] = {
        {.setting = "database", .path = settings->database},
        {.setting = "downloads_dir", .path = settings->downloads_dir},
        {.setting = "spool_dir", .path = settings->spool_dir},
    };

    for (size_t i = 0; i < SURVEY_DISKS; i++) {
        ret_disks[i] = disks[i];
        ret_disks[i].is_known = file_space_left(disks[i].path, &ret_disks[i].free_bytes, NULL) == 0;
    }
}

const char *survey_room(const struct settings *settings, uint64_t free_bytes)
{
    uint64_t reserve = (uint64_t)settings->disk_reserve;

    return free_bytes >= reserve       ? "ok"
           : free_bytes >= reserve / 2 ? "below the reserve: no job is accepted"
                                       : "below half of the reserve: no job is accepted or begun";
}
