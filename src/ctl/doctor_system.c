/* SPDX-License-Identifier: Apache-2.0 */
/* What the machine gives: time, and descriptors. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "ctl/doctor.h"
#include "ctl/process.h"
#include "store/service.h"

/* ---- the clock ---- */

/* Jobs are numbered by the clock, and of many in a moment some are a little ahead of it. */
#define CLOCK_BEHIND_MS 5000

static void compare_with_jobs(struct doctor *doctor, struct finding *finding)
{
    int64_t newest = 0, now = clock_wall_ms(&clock_system);

    if (doctor->store == NULL || job_newest_at(doctor->store, &newest, NULL) < 0 ||
        newest <= now + CLOCK_BEHIND_MS)
        return;
    finding_note(finding, VERDICT_FAULT, "the clock is %" PRId64 " s behind the newest job: it was set back",
                 (newest - now) / 1000);
    finding_advise(finding, "timedatectl status; timedatectl set-ntp true");
}

void check_clock(struct doctor *doctor, struct finding *finding)
{
    struct timex state = {.modes = 0}; /* reads alone */

    compare_with_jobs(doctor, finding);
    if (adjtimex(&state) == TIME_ERROR || (state.status & STA_UNSYNC) != 0) {
        finding_note(finding, VERDICT_WARNING,
                     "it is not synchronized: receivers refuse webhooks whose time is minutes off");
        finding_advise(finding,
                       "timedatectl set-ntp true; apt-get install systemd-timesyncd where that fails");
    } else if (finding->count == 0) {
        finding_note(finding, VERDICT_OK, "it is synchronized");
    }
}

/* ---- descriptors ---- */

/* Beside what webhooks need: files of the jobs under way, pipes of synthesizers, the database. */
#define DESCRIPTORS_BESIDE 512

/* Where a process has so many of its limit open, in percent, it is near its end. */
#define DESCRIPTORS_FULL 80

/* "Max open files            1024                 524288               files" */
static bool read_limit(const char *pid, long *ret_limit)
{
    static const char label[] = "Max open files";
    cleanup(buf_release) struct buf limits = BUF_INIT(PROCESS_FILE_MAX);
    const char *line;

    if (!process_read(pid, "limits", &limits))
        return false;
    line = strstr(buf_str(&limits), label);
    return line != NULL && sscanf(line + strlen(label), "%ld", ret_limit) == 1;
}

static void judge_process(const struct doctor *doctor, const char *pid, const char *name,
                          struct finding *finding)
{
    long needed = DESCRIPTORS_BESIDE + (long)doctor->settings->webhook_max_in_flight, limit;
    char database[PATH_MAX];
    int of_path = 0;
    int open = process_descriptors(pid, realpath(doctor->settings->database, database), &of_path);

    /* Another service's on the same machine; where that cannot be seen, it counts. */
    if ((open >= 0 && of_path == 0) || !read_limit(pid, &limit))
        return;
    if (limit < needed) {
        finding_note(finding, VERDICT_WARNING, "%s (process %s) may open %ld files, and may need %ld", name,
                     pid, limit, needed);
        finding_advise(finding, "systemctl edit %s: [Service] LimitNOFILE=16384", name);
    } else if (open > 0 && open * 100L > limit * DESCRIPTORS_FULL) {
        finding_note(finding, VERDICT_WARNING, "%s (process %s) has %d of the %ld files open that it may",
                     name, pid, open, limit);
        finding_advise(finding, "ls -l /proc/%s/fd; systemctl edit %s: [Service] LimitNOFILE=", pid, name);
    } else {
        finding_note(finding, VERDICT_OK, "%s may open %ld files", name, limit);
    }
}

void check_descriptors(struct doctor *doctor, struct finding *finding)
{
    cleanup(processes_close) DIR *processes = processes_open();
    char name[PROCESS_NAME_SIZE];
    const char *pid;

    while ((pid = processes_next(processes)) != NULL) {
        process_name(pid, name);
        if (strcmp(name, "sayhook-worker") == 0 || strcmp(name, "sayhook-api") == 0)
            judge_process(doctor, pid, name, finding);
    }
    if (finding->count == 0)
        finding_note(finding, VERDICT_SKIPPED, "no daemon runs whose limit could be looked at");
}
