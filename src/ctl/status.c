/* SPDX-License-Identifier: Apache-2.0 */
/* A screen of what is going on, once or again and again. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sysexits.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/service.h"
#include "config/number.h"
#include "ctl/ctl.h"
#include "ctl/status_report.h"
#include "store/service.h"

#define INTERVAL_DEFAULT "2s"
#define INTERVAL_MIN_MS  100
#define INTERVAL_MAX_MS  (INT64_C(60) * 60 * 1000)

/* A page, and one that may have fifty long names of receivers in it. */
#define SCREEN_MAX (64 << 10)

/* Of a terminal that does not tell how large it is. */
#define ROWS_DEFAULT    24
#define COLUMNS_DEFAULT 80

/* ECMA-48: to the top left; erase to the end of the line, and of the screen; erase all. */
#define HOME        "\033[H"
#define CLEAR_LINE  "\033[K"
#define CLEAR_BELOW "\033[J"
#define CLEAR_ALL   "\033[2J"

struct status {
    struct ctl *ctl;
    struct store *store;
    int version; /* of the database */
    /* Of the report before, for what is told a second. */
    int64_t before_ms; /* monotonic; 0: there was none */
    double characters_before;
};

/* ---- one look ---- */

static int look_at_workers(struct status *status, struct status_report *report, struct error *err)
{
    struct worker_row *rows;
    size_t count;
    int r = worker_list(status->store, &rows, &count, err);

    if (r < 0)
        return r;
    for (size_t i = 0; i < count; i++) {
        enum worker_state state = survey_worker(&rows[i]);

        report->workers_alive += state == WORKER_ALIVE;
        if (i < STATUS_WORKERS_MAX)
            report->workers[report->worker_count++] =
                (struct status_worker){rows[i].worker, state, rows[i].started_at, rows[i].beat_at};
    }
    report->workers_seen = count;
    worker_rows_free(rows, count);
    return 0;
}

static double characters_a_second(struct status *status, double characters)
{
    int64_t now = clock_monotonic_ms(&clock_system);
    double rate = -1;

    if (status->before_ms != 0 && now > status->before_ms)
        rate = (characters - status->characters_before) * 1000 / (double)(now - status->before_ms);
    status->before_ms = now;
    status->characters_before = characters;
    return rate;
}

static int look(struct status *status, struct status_report *ret_report, struct error *err)
{
    const struct settings *settings = &status->ctl->options.settings;
    struct status_report report = {.settings = settings, .database_version = status->version};
    char wal[PATH_MAX];
    int r = service_view_read(status->store, &report.view, err);

    if (r == 0)
        r = look_at_workers(status, &report, err);
    if (r < 0) {
        service_view_release(&report.view);
        return r;
    }
    snprintf(wal, sizeof wal, "%s-wal", settings->database);
    report.now = clock_wall_ms(&clock_system);
    report.database_bytes = survey_bytes(settings->database);
    report.wal_bytes = survey_bytes(wal);
    report.api_failure = survey_socket(settings->api_socket);
    survey_disks(settings, report.disks);
    report.characters_a_second = characters_a_second(status, report.view.metrics[METRIC_ENGINE_CHARACTERS]);
    *ret_report = report;
    return 0;
}

/* ---- the screen ---- */

/* As many lines as fit, each cut to the width by bytes: what is shown is ASCII but for receivers' names. */
static void fit(struct buf *out, const char *text)
{
    struct winsize size = {0};
    size_t columns, rows;

    ioctl(STDOUT_FILENO, TIOCGWINSZ, &size); /* where it fails, it is as if the terminal did not tell */
    columns = size.ws_col > 0 ? size.ws_col : COLUMNS_DEFAULT;
    rows = size.ws_row > 0 ? size.ws_row : ROWS_DEFAULT;
    for (; *text != '\0' && rows > 1; rows--) {
        size_t length = strcspn(text, "\n");

        buf_append(out, text, length < columns ? length : columns);
        buf_append_str(out, CLEAR_LINE "\n");
        text += length + (text[length] == '\n');
    }
}

/* In one write, over what stood there: nothing flickers. */
static int draw(const struct ctl *ctl, const struct buf *text, bool is_first)
{
    cleanup(buf_release) struct buf screen = BUF_INIT(2 * SCREEN_MAX);

    if (!isatty(STDOUT_FILENO))
        return ctl_print(ctl, text);
    buf_append_str(&screen, is_first ? CLEAR_ALL HOME : HOME);
    fit(&screen, buf_str(text));
    buf_append_str(&screen, CLEAR_BELOW);
    if (!buf_ok(&screen) || fwrite(buf_str(&screen), 1, screen.length, stdout) != screen.length ||
        fflush(stdout) != 0)
        return ctl_fail(ctl, EX_IOERR, "cannot write to stdout: %s", strerrordesc_np(errno));
    return 0;
}

static int show(struct status *status, bool is_watched, bool is_first)
{
    cleanup(buf_release) struct buf text = BUF_INIT(SCREEN_MAX);
    struct status_report report;
    struct error error;
    int r = look(status, &report, &error);

    if (r < 0)
        return ctl_fail(status->ctl, ctl_code_of(r), "%s; see 'sayhookctl doctor'", error.text);
    if (status->ctl->json)
        status_report_json(&text, &report);
    else
        status_report_text(&text, &report);
    service_view_release(&report.view);
    if (!is_watched || status->ctl->json)
        return ctl_print(status->ctl, &text);
    return draw(status->ctl, &text, is_first);
}

static int watch(struct status *status, int64_t interval_ms)
{
    struct error error;
    cleanup(service_close) struct service service = {.stop_fd = -1, .reload_fd = -1};
    struct pollfd stop = {.events = POLLIN};
    int code = 0, stopped = 0;
    int r = service_open(&service, &error);

    if (r < 0)
        return ctl_fail_error(status->ctl, r, &error);
    stop.fd = service.stop_fd;
    for (bool is_first = true; code == 0 && stopped == 0; is_first = false) {
        code = show(status, true, is_first);
        if (code == 0)
            stopped = poll(&stop, 1, (int)interval_ms);
    }
    return code;
}

int ctl_status(struct ctl *ctl, int argc, char **argv)
{
    const char *watched = NULL, *interval_text = INTERVAL_DEFAULT;
    const struct program_option options[] = {
        {"watch", NULL, "show it again and again, until Ctrl-C", &watched},
        {"interval", "DURATION", "how often (" INTERVAL_DEFAULT ")", &interval_text},
        {NULL},
    };
    cleanup(ctl_close_store) struct store *store = NULL;
    struct status status = {.ctl = ctl};
    int64_t interval_ms;
    struct error error;
    char **arguments;
    int code = ctl_read(ctl, argc, argv, options, &arguments);

    if (code != OPTIONS_RUN)
        return code;
    if (number_parse(NUMBER_DURATION, interval_text, INTERVAL_MIN_MS, INTERVAL_MAX_MS, &interval_ms, &error) <
        0)
        return ctl_fail(ctl, EX_USAGE, "--interval: %s", error.text);
    if ((code = ctl_look_at_store(ctl, &store)) != 0)
        return code;
    status.store = store;
    status.version = store_version();
    return watched != NULL ? watch(&status, interval_ms) : show(&status, false, true);
}
