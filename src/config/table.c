/* SPDX-License-Identifier: Apache-2.0 */
#include "config/table.h"

#include <limits.h>

#include "base/cleanup.h"

/* clang-format off: one row is one line of values and one or two of prose. */

#define SECOND    INT64_C(1000)
#define MINUTE    (60 * SECOND)
#define HOUR      (60 * MINUTE)
#define DAY       (24 * HOUR)
#define TEN_YEARS (3650 * DAY)

#define KB (INT64_C(1) << 10)
#define MB (INT64_C(1) << 20)
#define GB (INT64_C(1) << 30)

#define MILLION (INT64_C(1000) * 1000)
#define BILLION (1000 * MILLION)

/* sun_path of unix(7) is 108 bytes with its NUL; the socket is made as ".new" beside its place. */
#define SOCKET_PATH_MAX 103

/* Job ids and suffixes still follow the folder's name. */
#define FOLDER_MAX (PATH_MAX - 256)

#define ANY                                                                                                  \
    {                                                                                                        \
        0, 0                                                                                                 \
    }

#define ROW(name, type, fallback, range, unit, reason)                                                       \
    {                                                                                                        \
#name, &value_##type, offsetof(struct settings, name), fallback, range, unit, reason                 \
    }
#define RANGE(min, max)                                                                                      \
    {                                                                                                        \
        min, max                                                                                             \
    }

const struct setting settings_table[] = {
    ROW(public_base_url, base_url, "http://127.0.0.1:8080", RANGE(0, 2048), NULL,
        "What clients see in front of every absolute URL; a request's Host header is never trusted for that."),

    /* Where things lie. */
    ROW(database, path, "/var/lib/sayhook/sayhook.db", RANGE(0, FOLDER_MAX), NULL,
        "The SQLite database, on a local disk: its locks do not hold on network file systems."),
    ROW(downloads_dir, path, "/var/lib/sayhook/downloads", RANGE(0, FOLDER_MAX), NULL,
        "Finished audio, which nginx serves from here."),
    ROW(spool_dir, path, "/var/lib/sayhook/spool", RANGE(0, FOLDER_MAX), NULL,
        "Raw audio of jobs in a compressed format, until it is encoded."),
    ROW(api_socket, path, "/run/sayhook/api.sock", RANGE(0, SOCKET_PATH_MAX), NULL,
        "The FastCGI socket that nginx connects to; an address of a Unix socket holds no longer path."),
    ROW(secret_key_file, optional_path, "", RANGE(0, PATH_MAX), NULL,
        "The file of the key that encrypts webhook secrets in the database: exactly 32 raw bytes, as head -c 32 "
        "/dev/urandom makes them, of mode 0400 or 0600. Empty is the systemd credential secret_key, which the units make of the file secret_key beside this one, or no "
        "encryption. Keep it out of backups of the database."),

    /* How much runs at once. */
    ROW(api_threads, count, "4", RANGE(1, 256), "threads",
        "Requests that one sayhook-api works at at once; two a core are enough, since none waits for the disk."),
    ROW(poll_interval, duration, "20ms", RANGE(1, MINUTE), NULL,
        "How often a worker looks for new jobs when no hint wakes it; a look costs microseconds."),
    ROW(lease_timeout, duration, "60s", RANGE(SECOND, DAY), NULL,
        "A worker that gave no sign of life for so long loses its jobs; a dead one loses them at once."),
    ROW(synthesizers, count, "0", RANGE(0, 1024), "processes",
        "Synthesizer processes of one worker; 0 is one for each core, since each keeps one busy."),

    /* What one client may ask for. */
    ROW(max_text_chars, count, "1000000", RANGE(1, 10 * MILLION), "characters",
        "The longest text of one job: a million is a thick book, about 17 hours of audio."),
    ROW(max_body_bytes, size, "16M", RANGE(KB, 64 * MB), NULL,
        "The largest request body; JSON may need 12 bytes for a character. nginx's limit is the same."),
    ROW(rate_limit_requests, count, "50", RANGE(1, MILLION), "jobs/s",
        "Jobs that a key may create a second, in the long run."),
    ROW(rate_limit_burst, count, "100", RANGE(1, MILLION), "jobs",
        "Jobs that a key may create at once after a pause."),
    ROW(max_pending_jobs, count, "10000", RANGE(1, 10 * MILLION), "jobs",
        "Jobs of one key that wait; past it a client learns to slow down."),
    ROW(max_pending_chars, count, "100M", RANGE(1, 10 * BILLION), "characters",
        "Characters of one key that wait: about what one core speaks in a day with the slower voices."),
    ROW(max_chars_per_day, count, "100M", RANGE(1, 10 * BILLION), "characters",
        "Characters that a key may send in a day; the default is about what one core speaks in one."),
    ROW(max_stored_bytes, size, "50G", RANGE(MB, 1024 * 1024 * GB), NULL,
        "Audio of one key that is kept or owed; a character makes about 2 kB of WAV."),
    ROW(address_rate, count, "100", RANGE(0, MILLION), "requests/s",
        "Requests a second from one client address, kept by nginx before any key is known; 0 is no limit."),
    ROW(address_connections, count, "100", RANGE(0, MILLION), "connections",
        "Connections at once from one client address, kept by nginx; 0 is no limit."),
    ROW(disk_reserve, size, "256M", RANGE(0, 1024 * GB), NULL,
        "Space that stays free on the disk: below it no job is accepted, below half of it none is begun, and below a "
        "quarter the one that has the most there starts over."),

    /* Webhooks. */
    ROW(webhook_allow_http, bool, "no", ANY, NULL,
        "Whether a webhook URL may be http, where anyone on the way can read it."),
    ROW(webhook_allow_cidrs, cidrs, "", ANY, NULL,
        "Networks that webhooks may reach though they are not public, such as 10.1.2.0/24."),
    ROW(webhook_ports, ports, "443", ANY, NULL,
        "Ports that webhooks may reach; others lead to services that expect no webhook."),
    ROW(webhook_retry_schedule, durations, "0s 5s 5m 30m 2h 5h 10h 14h 20h 24h", RANGE(0, 30 * DAY), NULL,
        "One attempt for each entry, counted from the end of the one before; three days in all."),
    ROW(webhook_timeout, duration, "15s", RANGE(1, 10 * MINUTE), NULL,
        "An attempt's whole time, the answer's body included."),
    ROW(webhook_connect_timeout, duration, "5s", RANGE(1, 10 * MINUTE), NULL,
        "An attempt's time for name, connection and TLS."),
    ROW(webhook_max_in_flight, count, "256", RANGE(1, 4096), "attempts",
        "Attempts at once; each takes a connection."),
    ROW(webhook_max_per_receiver, count, "16", RANGE(1, 4096), "attempts",
        "Attempts at once to one receiver, so that a slow one holds up its own webhooks only."),

    /* How long things are kept; 0s is no longer than it takes to remove them. */
    ROW(retention_audio, duration, "7d", RANGE(0, TEN_YEARS), NULL,
        "Audio is removed so long after its job ended; the job remains."),
    ROW(retention_jobs, duration, "30d", RANGE(0, TEN_YEARS), NULL,
        "A job is removed, with all that belongs to it, so long after it ended."),
    ROW(retention_deliveries, duration, "30d", RANGE(0, TEN_YEARS), NULL,
        "The record of a webhook's attempts is removed so long after the last."),

    /* Who may look, and what is written down. */
    ROW(metrics_allow_cidrs, cidrs, "127.0.0.0/8 ::1/128", ANY, NULL,
        "Networks that may read /metrics, which names no client but tells how busy they are."),
    ROW(cors_origins, origins, "", ANY, NULL,
        "Origins of web pages that may call the API from a browser; * is every one."),
    ROW(log_level, log_level, "info", ANY, NULL, "The least important lines that are still written."),
    ROW(log_format, log_format, "auto", ANY, NULL,
        "auto is the systemd journal with its fields where it listens, and text elsewhere."),
};
const size_t settings_table_count = array_length(settings_table);
