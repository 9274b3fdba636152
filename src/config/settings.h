/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every setting of Sayhook: one table row each (settings.c) and one member each (struct settings).
 *
 * The file is libconfuse's syntax, NAME = VALUE a line.  A value is text that the row's type parses:
 * durations take the suffixes ms s m h d, sizes K M G, lists are separated by spaces.  An unknown, doubled,
 * malformed or out-of-range setting is an error that names file, line, range and, for an unknown one, the
 * nearest name.
 */
#ifndef CONFIG_SETTINGS_H
#define CONFIG_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/log.h"

/* Where the programs look without --config. */
#define SETTINGS_DEFAULT_FILE SAYHOOK_CONFIG_DIR "/sayhook.conf"

/* The most entries of a list: no schedule or allow-list that a person wrote is longer. */
#define SETTINGS_LIST_MAX 64

struct string_list {
    size_t count;
    char *items[SETTINGS_LIST_MAX]; /* owned */
};

struct duration_list {
    size_t count;
    int64_t items_ms[SETTINGS_LIST_MAX];
};

/* Strings are owned by the struct.  Durations are milliseconds, sizes bytes. */
struct settings {
    char *public_base_url; /* without a slash at its end */
    char *database;
    char *downloads_dir;
    char *spool_dir;
    char *api_socket;
    char *secret_key_file; /* "" is none */
    int64_t lease_timeout;
    int64_t poll_interval;
    int64_t api_threads;
    int64_t synthesizers; /* 0 is one for each core */
    int64_t max_text_chars;
    int64_t max_body_bytes;
    int64_t max_stored_bytes;
    int64_t address_rate;
    int64_t address_connections;
    int64_t rate_limit_requests;
    int64_t rate_limit_burst;
    int64_t max_pending_jobs;
    int64_t max_pending_chars;
    int64_t max_chars_per_day;
    int64_t disk_reserve;
    bool webhook_allow_http;
    struct string_list webhook_allow_cidrs;
    struct string_list webhook_ports; /* numbers, or the one word "all" */
    struct duration_list webhook_retry_schedule;
    int64_t webhook_timeout;
    int64_t webhook_connect_timeout;
    int64_t webhook_max_in_flight;
    int64_t webhook_max_per_receiver;
    int64_t retention_audio;
    int64_t retention_jobs;
    int64_t retention_deliveries;
    struct string_list metrics_allow_cidrs;
    struct string_list cors_origins;
    enum log_level log_level;
    enum log_format log_format;
};

/*
 * Reads a file over the defaults.  path NULL: the defaults alone.  On failure *ret_settings is untouched.
 * -EINVAL where the content is wrong (every fault that can be seen at once is in the text of err, the first
 * one first).
 */
int settings_load(const char *path, struct settings *ret_settings, struct error *err);
void settings_release(struct settings *settings);

/* From an event to the first attempt to deliver its webhook: the first entry of the schedule, 0 where it has
 * none. */
static inline int64_t settings_webhook_delay(const struct settings *settings)
{
    const struct duration_list *schedule = &settings->webhook_retry_schedule;

    return schedule->count > 0 ? schedule->items_ms[0] : 0;
}

/* The most settings that there may be; a test compares it with the table. */
#define SETTINGS_MAX 64

/* The most faults of a file that are told apart; whoever has more sees the rest when these are mended. */
#define SETTINGS_FAULTS_MAX 100

struct settings_fault {
    int line;
    char *text; /* owned; NULL where memory ran out */
};

/* What a load has found, also where it failed; zero before. */
struct settings_report {
    int lines[SETTINGS_MAX]; /* where each setting of the table stands in the file; 0: its default holds */
    struct settings_fault faults[SETTINGS_FAULTS_MAX];
    size_t fault_count; /* 0, too, where the file could not be read */
};

/* settings_load() with a report, or NULL; the caller releases it whatever is returned. */
int settings_load_reporting(const char *path, struct settings *ret_settings,
                            struct settings_report *ret_report, struct error *err);
void settings_report_release(struct settings_report *report);

/* Writes the table to stdout: each setting as a commented line with its default, unit, range and reason
 * (--help-settings). */
void settings_describe(void);

#endif
