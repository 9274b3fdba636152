/* SPDX-License-Identifier: Apache-2.0 */
/* The file systems that everything lies on. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "config/number.h"
#include "ctl/doctor.h"
#include "ctl/survey.h"

/* Of those that linux/magic.h does not name. */
#define CIFS_MAGIC 0xff534d42
#define SMB2_MAGIC 0xfe534d42
#define CEPH_MAGIC 0x00c36400
#define FUSE_MAGIC 0x65735546
#define ZFS_MAGIC  0x2fc12fc1

/* ---- their types ---- */

static const struct {
    uint32_t magic;
    const char *name;
    enum verdict verdict; /* for the database */
    const char *why;
} types[] = {
    {NFS_SUPER_MAGIC, "NFS", VERDICT_FAULT, "its locks do not hold on a network file system"},
    {CIFS_MAGIC, "CIFS", VERDICT_FAULT, "its locks do not hold on a network file system"},
    {SMB2_MAGIC, "SMB", VERDICT_FAULT, "its locks do not hold on a network file system"},
    {CEPH_MAGIC, "Ceph", VERDICT_FAULT, "its locks do not hold on a network file system"},
    {V9FS_MAGIC, "9p", VERDICT_FAULT, "its locks do not hold on a network file system"},
    {AFS_SUPER_MAGIC, "AFS", VERDICT_FAULT, "its locks do not hold on a network file system"},
    {FUSE_MAGIC, "FUSE", VERDICT_WARNING, "whether locks and syncs hold there, nobody knows"},
    {OVERLAYFS_SUPER_MAGIC, "overlay", VERDICT_WARNING, "it goes with its container"},
    {TMPFS_MAGIC, "tmpfs", VERDICT_WARNING, "it is gone when the machine restarts"},
    {RAMFS_MAGIC, "ramfs", VERDICT_WARNING, "it is gone when the machine restarts"},
    {EXT4_SUPER_MAGIC, "ext4", VERDICT_OK, NULL},
    {XFS_SUPER_MAGIC, "XFS", VERDICT_OK, NULL},
    {BTRFS_SUPER_MAGIC, "Btrfs", VERDICT_OK, NULL},
    {F2FS_SUPER_MAGIC, "F2FS", VERDICT_OK, NULL},
    {ZFS_MAGIC, "ZFS", VERDICT_OK, NULL},
};

void check_file_system(struct doctor *doctor, struct finding *finding)
{
    char folder[PATH_MAX];
    struct statfs status;

    doctor_parent(doctor->settings->database, folder);
    if (statfs(folder, &status) < 0) {
        finding_note(finding, VERDICT_SKIPPED, "%s: %s", folder, strerrordesc_np(errno));
        return;
    }
    for (size_t i = 0; i < array_length(types); i++) {
        if (types[i].magic != (uint32_t)status.f_type)
            continue;
        if (types[i].verdict == VERDICT_OK) {
            finding_note(finding, VERDICT_OK, "the database is on %s", types[i].name);
            return;
        }
        finding_note(finding, types[i].verdict, "the database is on %s: %s", types[i].name, types[i].why);
        finding_advise(finding, "name a folder on a local disk in the setting `database`");
        return;
    }
    finding_note(finding, VERDICT_OK, "the database is on a file system of type 0x%x",
                 (unsigned int)(uint32_t)status.f_type);
}

/* ---- syncs ---- */

/* A few, of which the middle one counts; each is one commit's. */
#define SYNCS       9
#define SYNC_BYTES  4096
#define SYNC_MAX_MS 2000 /* for all of them: a disk that is so slow needs no more samples */

/* A commit waits for one sync, and a lone client for a commit: past this it is the disk that makes the API
 * slow. */
#define SYNC_SLOW_US 20000

static int64_t now_us(void)
{
    return clock_system.monotonic_us(&clock_system);
}

/* A file that has no name, where the file system knows such. */
static int open_temporary(const char *folder)
{
    char path[PATH_MAX];
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    if (fd >= 0 || (size_t)snprintf(path, sizeof path, "%s/.doctor-XXXXXX", folder) >= sizeof path)
        return fd;
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

static int compare(const void *left, const void *right)
{
    const int64_t *l = left, *r = right;

    return (*l > *r) - (*l < *r);
}

/* The middle of a few; negative where it cannot write. */
static int64_t measure_sync(int fd)
{
    static const char block[SYNC_BYTES];
    int64_t times[SYNCS], begun = now_us();
    size_t count = 0;

    while (count < SYNCS && now_us() - begun < SYNC_MAX_MS * INT64_C(1000)) {
        int64_t start = now_us();

        if (write(fd, block, sizeof block) != (ssize_t)sizeof block || fsync(fd) < 0)
            return -1;
        times[count++] = now_us() - start;
    }
    qsort(times, count, sizeof times[0], compare);
    return times[count / 2];
}

void check_sync(struct doctor *doctor, struct finding *finding)
{
    char folder[PATH_MAX];
    cleanup(close_fd) int fd = -1;
    int64_t us;

    doctor_parent(doctor->settings->database, folder);
    fd = open_temporary(folder);
    us = fd >= 0 ? measure_sync(fd) : -1;
    if (us < 0) {
        finding_note(finding,
                     errno == EACCES || errno == ENOENT || errno == EROFS ? VERDICT_SKIPPED : VERDICT_FAULT,
                     "cannot write beside the database in %s: %s", folder, strerrordesc_np(errno));
        finding_advise(finding, errno == ENOSPC ? "df -h '%s'" : "run this command as root: ls -ld '%s'",
                       folder);
    } else if (us > SYNC_SLOW_US) {
        finding_note(finding, VERDICT_WARNING,
                     "a sync takes %.1f ms, more than %d ms: the API waits for each", (double)us / 1000,
                     SYNC_SLOW_US / 1000);
        finding_advise(finding, "look who else writes (iotop), or put the database on a faster disk");
    } else {
        finding_note(finding, VERDICT_OK, "a sync takes %.2f ms", (double)us / 1000);
    }
}

/* ---- room ---- */

void check_room(struct doctor *doctor, struct finding *finding)
{
    const struct settings *settings = doctor->settings;
    struct survey_disk disks[SURVEY_DISKS];
    char reserve[NUMBER_TEXT_SIZE];
    bool is_low = false;

    number_format(NUMBER_SIZE, settings->disk_reserve, reserve);
    survey_disks(settings, disks);
    for (size_t i = 0; i < SURVEY_DISKS; i++) {
        if (!disks[i].is_known) {
            finding_note(finding, VERDICT_SKIPPED, "%s %s cannot be looked at", disks[i].setting,
                         disks[i].path);
        } else if (disks[i].free_bytes < (uint64_t)settings->disk_reserve) {
            is_low = true;
            finding_note(finding, VERDICT_FAULT, "%s: %" PRIu64 " MiB free, %s (disk_reserve = %s)",
                         disks[i].setting, disks[i].free_bytes >> 20,
                         survey_room(settings, disks[i].free_bytes), reserve);
            finding_advise(finding, "make room: df -h '%s'; shorten retention_audio, or lower disk_reserve",
                           disks[i].path);
        } else if (disks[i].free_bytes / 2 < (uint64_t)settings->disk_reserve) {
            finding_note(finding, VERDICT_WARNING,
                         "%s: %" PRIu64 " MiB free, and below %s no job is accepted", disks[i].setting,
                         disks[i].free_bytes >> 20, reserve);
            finding_advise(finding, "make room: df -h '%s'; or shorten retention_audio", disks[i].path);
        }
    }
    if (!is_low && finding->count == 0)
        finding_note(finding, VERDICT_OK, "more than twice the reserve of %s is free everywhere", reserve);
}
