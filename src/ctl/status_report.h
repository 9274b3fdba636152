/* SPDX-License-Identifier: Apache-2.0 */
/* What `status` shows, as text and as JSON. */
#ifndef CTL_STATUS_REPORT_H
#define CTL_STATUS_REPORT_H

#include "base/buf.h"
#include "ctl/survey.h"
#include "store/view.h"

/* Workers that are shown one by one; all are counted. */
#define STATUS_WORKERS_MAX 8

struct status_worker {
    int64_t worker;
    enum worker_state state;
    int64_t started_at;
    int64_t beat_at;
};

struct status_report {
    const struct settings *settings;
    int64_t now; /* wall-clock milliseconds */
    int64_t database_bytes;
    int64_t wal_bytes;
    int database_version;
    int api_failure; /* 0: somebody listens; else an errno value */
    struct status_worker workers[STATUS_WORKERS_MAX];
    size_t worker_count;
    size_t workers_seen;
    size_t workers_alive;
    struct survey_disk disks[SURVEY_DISKS];
    struct service_view view;
    double characters_a_second; /* spoken since the report before; negative where this is the first */
};

void status_report_text(struct buf *out, const struct status_report *report);
void status_report_json(struct buf *out, const struct status_report *report);

#endif
