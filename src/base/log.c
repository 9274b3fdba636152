/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>

/* Without this, sd-journal wraps every call with the file and line of log_write() itself. */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"

#define FIELD_MAX 160

static struct {
    const char *name;
    enum log_level level;
    enum log_format format;
} settings = {.name = "sayhook", .level = LOG_LEVEL_INFO, .format = LOG_FORMAT_TEXT};

static const struct {
    enum log_level level;
    const char *name;
} levels[] = {
    {LOG_LEVEL_ERROR, "error"},
    {LOG_LEVEL_WARNING, "warning"},
    {LOG_LEVEL_INFO, "info"},
    {LOG_LEVEL_DEBUG, "debug"},
};

static const char *const formats[] = {
    [LOG_FORMAT_AUTO] = "auto",
    [LOG_FORMAT_TEXT] = "text",
    [LOG_FORMAT_JSON] = "json",
    [LOG_FORMAT_JOURNAL] = "journal",
};

bool log_parse_level(const char *text, enum log_level *ret_level)
{
    for (size_t i = 0; i < array_length(levels); i++)
        if (strcmp(levels[i].name, text) == 0) {
            *ret_level = levels[i].level;
            return true;
        }
    return false;
}

bool log_parse_format(const char *text, enum log_format *ret_format)
{
    for (size_t i = 0; i < array_length(formats); i++)
        if (strcmp(formats[i], text) == 0) {
            *ret_format = (enum log_format)i;
            return true;
        }
    return false;
}

/* systemd.exec(5), JOURNAL_STREAM: the device and inode of the stream; stderr may have been redirected since.
 */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long device, inode;
    struct stat status;

    return stream != NULL && sscanf(stream, "%lu:%lu", &device, &inode) == 2 &&
           fstat(STDERR_FILENO, &status) == 0 && status.st_dev == device && status.st_ino == inode;
}

void log_setup(const char *name, enum log_level level, enum log_format format)
{
    settings.name = name;
    settings.level = level;
    settings.format = format;
    if (format == LOG_FORMAT_AUTO)
        settings.format = stderr_is_journal() ? LOG_FORMAT_JOURNAL : LOG_FORMAT_TEXT;
}

static const char *level_name(enum log_level level)
{
    for (size_t i = 0; i < array_length(levels); i++)
        if (levels[i].level == level)
            return levels[i].name;
    return "info";
}

static void append_json_string(struct buf *line, const char *text)
{
    buf_append_str(line, "\"");
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '"' || c == '\\')
            buf_printf(line, "\\%c", c);
        else if (c < 0x20)
            buf_printf(line, "\\u%04x", c);
        else
            buf_append(line, text, 1);
    }
    buf_append_str(line, "\"");
}

/* The context as pairs of a name and a value, in the order in which they are written. */
struct pair {
    const char *name;    /* in text and JSON */
    const char *journal; /* in the journal */
    const char *value;
};

#define PAIRS 3

static void context_pairs(const struct log_context *context, struct pair ret_pairs[PAIRS])
{
    static const struct log_context none;

    if (context == NULL)
        context = &none;
    ret_pairs[0] = (struct pair){"job_id", "SAYHOOK_JOB_ID", context->job_id};
    ret_pairs[1] = (struct pair){"request_id", "SAYHOOK_REQUEST_ID", context->request_id};
    ret_pairs[2] = (struct pair){"webhook_id", "SAYHOOK_WEBHOOK_ID", context->webhook_id};
}

static void write_line(enum log_level level, const struct pair pairs[PAIRS], const char *message)
{
    char now[CLOCK_RFC3339_SIZE];
    struct buf line = BUF_INIT(8 * LOG_LINE_MAX);
    ssize_t written;

    clock_format_rfc3339(clock_wall_ms(&clock_system), now);
    if (settings.format == LOG_FORMAT_JSON) {
        buf_printf(&line, "{\"time\":\"%s\",\"level\":\"%s\",\"program\":\"%s\",\"message\":", now,
                   level_name(level), settings.name);
        append_json_string(&line, message);
        for (size_t i = 0; i < PAIRS; i++)
            if (pairs[i].value != NULL) {
                buf_printf(&line, ",\"%s\":", pairs[i].name);
                append_json_string(&line, pairs[i].value);
            }
        buf_append_str(&line, "}\n");
    } else {
        buf_printf(&line, "%s %s %s: %s", now, settings.name, level_name(level), message);
        for (size_t i = 0; i < PAIRS; i++)
            if (pairs[i].value != NULL)
                buf_printf(&line, " %s=%s", pairs[i].name, pairs[i].value);
        buf_append_str(&line, "\n");
    }
    /* One write, so that lines of several threads do not mix; nobody is left to hear of a failure. */
    if (buf_ok(&line)) {
        written = write(STDERR_FILENO, line.data, line.length);
        (void)written;
    }
    buf_release(&line);
}

static void write_journal(enum log_level level, const struct pair pairs[PAIRS], const char *message)
{
    char fields[3 + PAIRS][FIELD_MAX + LOG_LINE_MAX];
    struct iovec vector[3 + PAIRS];
    int count = 0;

    snprintf(fields[count++], sizeof fields[0], "MESSAGE=%s", message);
    snprintf(fields[count++], sizeof fields[0], "PRIORITY=%d", (int)level);
    snprintf(fields[count++], sizeof fields[0], "SYSLOG_IDENTIFIER=%s", settings.name);
    for (size_t i = 0; i < PAIRS; i++)
        if (pairs[i].value != NULL)
            snprintf(fields[count++], sizeof fields[0], "%s=%s", pairs[i].journal, pairs[i].value);
    for (int i = 0; i < count; i++)
        vector[i] = (struct iovec){.iov_base = fields[i], .iov_len = strlen(fields[i])};
    sd_journal_sendv(vector, count);
}

void log_write(enum log_level level, const struct log_context *context, const char *format, ...)
{
    char message[LOG_LINE_MAX];
    struct pair pairs[PAIRS];
    va_list args;

    if (level > settings.level)
        return;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    context_pairs(context, pairs);
    for (char *c = message; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f) /* a terminal obeys control characters */
            *c = ' ';
    if (settings.format == LOG_FORMAT_JOURNAL)
        write_journal(level, pairs, message);
    else
        write_line(level, pairs, message);
}
