/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log: lines on stderr, or entries with fields in the systemd journal.
 *
 * Only api/, worker/, ctl/ and the programs log; whatever lies below returns an error.  A message is one
 * line, cut at LOG_LINE_MAX; it never holds a text that a client sent, a key or a secret.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

/* A line that an administrator still reads. */
#define LOG_LINE_MAX 1024

/* syslog(3) priorities. */
enum log_level {
    LOG_LEVEL_ERROR = 3,
    LOG_LEVEL_WARNING = 4,
    LOG_LEVEL_INFO = 6,
    LOG_LEVEL_DEBUG = 7,
};

enum log_format {
    LOG_FORMAT_AUTO, /* the journal where stderr leads to it, else text */
    LOG_FORMAT_TEXT,
    LOG_FORMAT_JSON,
    LOG_FORMAT_JOURNAL,
};

/* What a line is about; NULL members are left out.  In the journal they become SAYHOOK_JOB_ID= and so on. */
struct log_context {
    const char *job_id;
    const char *request_id;
    const char *webhook_id;
};

/* Before any thread starts.  name is the program's. */
void log_setup(const char *name, enum log_level level, enum log_format format);

bool log_parse_level(const char *text, enum log_level *ret_level);
bool log_parse_format(const char *text, enum log_format *ret_format);

void log_write(enum log_level level, const struct log_context *context, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define log_error(...)   log_write(LOG_LEVEL_ERROR, NULL, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, NULL, __VA_ARGS__)
#define log_info(...)    log_write(LOG_LEVEL_INFO, NULL, __VA_ARGS__)
#define log_debug(...)   log_write(LOG_LEVEL_DEBUG, NULL, __VA_ARGS__)

#endif
