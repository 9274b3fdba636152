/* SPDX-License-Identifier: Apache-2.0 */
/* What is not counted but looked at when the metrics are asked for.  Each costs the same however many jobs
 * there are. */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <sys/stat.h>

#include "api/internal.h"
#include "base/file.h"
#include "store/gauges.h"

static double seconds_since(const struct api *api, int64_t wall_ms)
{
    int64_t now = clock_wall_ms(api->clock);

    return now > wall_ms ? (double)(now - wall_ms) / 1000 : 0;
}

static int read_queue(struct exchange *exchange, double *values, struct error *err)
{
    int64_t created_at = 0;
    int r = job_oldest_pending(exchange->store, &created_at, err);

    values[METRIC_OLDEST_PENDING_AGE] = created_at != 0 ? seconds_since(exchange->api, created_at) : 0;
    return r;
}

static int read_outbox(struct exchange *exchange, double *values, struct error *err)
{
    int64_t due_at = 0;
    int r = webhook_longest_due(exchange->store, &due_at, err);

    values[METRIC_WEBHOOK_OVERDUE] = due_at != 0 ? seconds_since(exchange->api, due_at) : 0;
    return r;
}

/* A worker lives while it holds its lock and its lease; both are on this machine. */
static bool is_alive(const struct api *api, const struct worker_row *row)
{
    return !file_lock_is_free(row->lock_path) && row->lease_until >= clock_monotonic_ms(api->clock);
}

int workers_look(struct exchange *exchange, struct workers_seen *ret_seen, struct error *err)
{
    struct workers_seen seen = {.beat_ms = -1, .alive_beat_ms = -1};
    int64_t now = clock_wall_ms(exchange->api->clock);
    struct worker_row *rows;
    size_t count;
    int r = worker_list(exchange->store, &rows, &count, err);

    if (r < 0)
        return r;
    for (size_t i = 0; i < count; i++) {
        int64_t silent = now > rows[i].beat_at ? now - rows[i].beat_at : 0;

        if (seen.beat_ms < 0 || silent < seen.beat_ms)
            seen.beat_ms = silent;
        if (!is_alive(exchange->api, &rows[i]))
            continue;
        seen.alive++;
        if (seen.alive_beat_ms < 0 || silent < seen.alive_beat_ms)
            seen.alive_beat_ms = silent;
    }
    worker_rows_free(rows, count);
    *ret_seen = seen;
    return 0;
}

static int read_workers(struct exchange *exchange, double *values, struct error *err)
{
    struct workers_seen seen;
    int r = workers_look(exchange, &seen, err);

    if (r < 0)
        return r;
    values[METRIC_WORKERS] = (double)seen.alive;
    values[METRIC_HEARTBEAT_AGE] = seen.beat_ms >= 0 ? (double)seen.beat_ms / 1000 : INFINITY;
    return 0;
}

/* 0 for a file that is not there, as a WAL before the first write. */
static double bytes_of(const char *path, const char *suffix)
{
    char whole[PATH_MAX];
    struct stat status;

    if ((size_t)snprintf(whole, sizeof whole, "%s%s", path, suffix) >= sizeof whole ||
        stat(whole, &status) < 0)
        return 0;
    return (double)status.st_size;
}

static void read_disks(const struct settings *settings, double *values)
{
    const char *const paths[METRIC_DISKS] = {settings->database, settings->downloads_dir,
                                             settings->spool_dir};

    for (size_t i = 0; i < METRIC_DISKS; i++) {
        uint64_t left;
        bool is_known = file_space_left(paths[i], &left, NULL) == 0;

        values[METRIC_DISK_FREE + i] = is_known ? (double)left : NAN;
    }
    values[METRIC_DISK_RESERVE] = (double)settings->disk_reserve;
    values[METRIC_DATABASE_BYTES] = bytes_of(settings->database, "");
    values[METRIC_WAL_BYTES] = bytes_of(settings->database, "-wal");
}

int gauges_read(struct exchange *exchange, double values[METRIC_END], struct error *err)
{
    int r = read_queue(exchange, values, err);

    if (r == 0)
        r = read_outbox(exchange, values, err);
    if (r == 0)
        r = read_workers(exchange, values, err);
    read_disks(exchange->api->settings, values);
    values[METRIC_BUILD_INFO] = 1;
    return r;
}
