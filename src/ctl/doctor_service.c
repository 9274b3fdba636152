/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the daemons are at work. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "config/number.h"
#include "ctl/doctor.h"
#include "ctl/survey.h"
#include "store/view.h"

/* Whoever sent a job is impatient by then. */
#define WAIT_LONG_MS (10 * INT64_C(60000))

void check_api(struct doctor *doctor, struct finding *finding)
{
    const char *path = doctor->settings->api_socket;
    int failure = survey_socket(path);

    if (failure == 0) {
        finding_note(finding, VERDICT_OK, "somebody listens at %s", path);
    } else if (failure == EACCES) {
        finding_note(finding, VERDICT_SKIPPED, "%s may not be connected to", path);
        finding_advise(finding, "run this command as root");
    } else {
        finding_note(finding, VERDICT_FAULT, "nobody listens at %s: %s", path, strerrordesc_np(failure));
        finding_advise(finding, "systemctl start sayhook-api.socket sayhook-api; journalctl -u sayhook-api");
    }
}

/* ---- workers ---- */

static void note_worker(const struct worker_row *row, enum worker_state state, struct finding *finding)
{
    char since[CLOCK_RFC3339_SIZE];

    clock_format_rfc3339(row->beat_at, since);
    if (state == WORKER_HUNG) {
        finding_note(finding, VERDICT_FAULT, "worker %" PRId64 " hangs: no sign of life since %s",
                     row->worker, since);
        finding_advise(finding, "journalctl -u sayhook-worker; systemctl restart sayhook-worker");
    } else if (state != WORKER_ALIVE && state != WORKER_UNKNOWN) {
        finding_note(finding, VERDICT_WARNING,
                     "worker %" PRId64 " has ended, and nobody has taken its jobs back yet", row->worker);
        finding_advise(finding, "a worker that runs does so within seconds: systemctl start sayhook-worker");
    }
}

static void judge_workers(const struct worker_row *rows, size_t count, struct finding *finding)
{
    size_t alive = 0, unknown = 0;

    for (size_t i = 0; i < count; i++) {
        enum worker_state state = survey_worker(&rows[i]);

        alive += state == WORKER_ALIVE;
        unknown += state == WORKER_UNKNOWN;
        note_worker(&rows[i], state, finding);
    }
    if (alive > 0) {
        finding_note(finding, VERDICT_OK, "alive: %zu", alive);
    } else if (unknown > 0) {
        finding_note(finding, VERDICT_SKIPPED, "their locks may not be looked at");
        finding_advise(finding, "run this command as root");
    } else {
        finding_note(finding, VERDICT_FAULT, "no worker is alive: no job is spoken and no webhook sent");
        finding_advise(finding, "systemctl start sayhook-worker; journalctl -u sayhook-worker");
    }
}

void check_workers(struct doctor *doctor, struct finding *finding)
{
    struct worker_row *rows;
    struct error error;
    size_t count;
    int r = worker_list(doctor->store, &rows, &count, &error);

    if (r < 0) {
        doctor_note_database(r, &error, finding);
        return;
    }
    judge_workers(rows, count, finding);
    worker_rows_free(rows, count);
}

/* ---- what waits ---- */

static void judge_queue(const struct service_view *view, struct finding *finding)
{
    int64_t waited =
        view->oldest_pending_at != 0 ? clock_wall_ms(&clock_system) - view->oldest_pending_at : 0;
    char since[CLOCK_RFC3339_SIZE];

    if (view->paused_since != 0) {
        clock_format_rfc3339(view->paused_since, since);
        finding_note(finding, VERDICT_WARNING, "the workers are paused since %s", since);
        finding_advise(finding, "sayhookctl worker resume");
    }
    if (waited > WAIT_LONG_MS && view->paused_since == 0) {
        finding_note(finding, VERDICT_WARNING, "the oldest job has waited for %" PRId64 " minutes",
                     waited / 60000);
        finding_advise(
            finding, "sayhookctl status --watch tells whether it moves; more cores or workers speak faster");
    }
    if (finding->count == 0)
        finding_note(finding, VERDICT_OK, "pending: %.0f, the longest for %" PRId64 " s",
                     view->metrics[METRIC_QUEUE_LENGTH], waited / 1000);
}

static void judge_webhooks(const struct service_view *view, struct finding *finding)
{
    if (view->webhooks_failed_in_a_day > 0) {
        finding_note(finding, VERDICT_WARNING, "given up in the last day: %" PRId64 "%s",
                     view->webhooks_failed_in_a_day,
                     view->webhooks_failed_in_a_day >= VIEW_COUNT_MAX ? " or more" : "");
        finding_advise(finding,
                       "sayhookctl delivery list --status failed --since 1d; then 'delivery redeliver'");
    }
    for (size_t i = 0; i < view->receiver_count; i++) {
        if (view->receivers[i].failing_since == 0)
            continue;
        finding_note(finding, VERDICT_WARNING, "%s fails again and again", view->receivers[i].receiver);
        finding_advise(finding, "sayhookctl webhook check '%s/'", view->receivers[i].receiver);
    }
    if (finding->count == 0)
        finding_note(finding, VERDICT_OK, "none was given up in the last day, and no receiver fails");
}

static void look(struct doctor *doctor, void (*judge)(const struct service_view *, struct finding *),
                 struct finding *finding)
{
    struct service_view view;
    struct error error;
    int r = service_view_read(doctor->store, &view, &error);

    if (r < 0) {
        doctor_note_database(r, &error, finding);
        return;
    }
    judge(&view, finding);
    service_view_release(&view);
}

void check_queue(struct doctor *doctor, struct finding *finding)
{
    look(doctor, judge_queue, finding);
}

void check_webhooks(struct doctor *doctor, struct finding *finding)
{
    look(doctor, judge_webhooks, finding);
}
