/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a configuration file over the defaults of the table. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <confuse.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/nearest.h"
#include "config/settings.h"
#include "config/table.h"

/* No file that holds each setting once comes near. */
#define FILE_MAX (256 << 10)

/*
 * Put behind the text: where it is not read, the scanner has ended inside a quote or a comment that is never
 * closed, which libconfuse (3.3) takes for the end of the file.
 */
#define END_NAME "__end_of_file__"
#define END_LINE "\n" END_NAME " = yes\n"

/* Bytes of a wrong value that a message repeats. */
#define FAULT_VALUE_MAX 80

struct loading {
    const char *path;
    struct settings settings;
    int lines[SETTINGS_MAX]; /* where each setting stands, 0 is nowhere */
    int last_line;           /* of the last value that was read */
    int stop_line; /* where the scanner gave up: a name that it does not know, or no syntax; 0 is nowhere */
    int end_line;  /* the last one of the file; faults behind it stem from END_LINE */
    bool ended;    /* END_LINE was read */
    struct buf faults;
    struct settings_report *report; /* NULL: nobody wants one */
};

/* libconfuse hands its callbacks no context; nor is its scanner reentrant, so one load at a time is all there
 * is. */
static struct loading *current;

static void settings_cleanup(struct loading *loading)
{
    settings_release(&loading->settings);
    buf_release(&loading->faults);
}

/* The first fault names the file, the others their lines. */
static void fault(struct loading *loading, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void fault(struct loading *loading, int line, const char *format, ...)
{
    char text[ERROR_TEXT_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (line > loading->end_line)
        line = loading->end_line;
    for (char *c = text; *c != '\0'; c++)
        if (iscntrl((unsigned char)*c)) /* a terminal obeys control characters */
            *c = ' ';
    if (loading->report != NULL && loading->report->fault_count < SETTINGS_FAULTS_MAX)
        loading->report->faults[loading->report->fault_count++] = (struct settings_fault){line, strdup(text)};
    if (loading->faults.length == 0)
        buf_printf(&loading->faults, "%s:%d: %s", loading->path, line, text);
    else
        buf_printf(&loading->faults, "; line %d: %s", line, text);
}

static int read_end(cfg_t *cfg, cfg_opt_t *option, const char *value, void *result)
{
    (void)cfg;
    (void)option;
    *(const char **)result = value;
    current->ended = true;
    return 0;
}

static int read_value(cfg_t *cfg, cfg_opt_t *option, const char *value, void *result)
{
    size_t index = 0;
    const struct setting *setting;
    struct error error;

    *(const char **)result = "";
    current->last_line = cfg->line;
    while (strcmp(settings_table[index].name, option->name) != 0)
        index++;
    setting = &settings_table[index];
    if (current->lines[index] != 0) {
        fault(current, cfg->line, "%s stands here a second time, after line %d", setting->name,
              current->lines[index]);
        return 0;
    }
    current->lines[index] = cfg->line;
    if (setting->type->parse(value, &setting->range, setting_member(setting, &current->settings), &error) < 0)
        fault(current, cfg->line, "%s = \"%.*s\": %s", setting->name, FAULT_VALUE_MAX, value, error.text);
    return 0;
}

static void unknown_name(int line, const char *name)
{
    const char *names[SETTINGS_MAX];
    const char *nearest;

    for (size_t i = 0; i < settings_table_count; i++)
        names[i] = settings_table[i].name;
    nearest = nearest_name(name, names, settings_table_count);
    if (nearest != NULL)
        fault(current, line, "there is no setting \"%s\"; did you mean %s?", name, nearest);
    else
        fault(current, line, "there is no setting \"%s\"; --help-settings lists them all", name);
}

static void syntax_error(cfg_t *cfg, const char *format, va_list args)
{
    char text[ERROR_TEXT_MAX];
    char *quote;

    vsnprintf(text, sizeof text, format, args);
    current->stop_line = cfg->line;
    if (strncmp(text, "no such option '", 16) == 0) {
        quote = strrchr(text, '\'');
        *quote = '\0';
        unknown_name(cfg->line, text + 16);
    } else if (strcmp(text, "premature end of file") == 0) {
        fault(current, cfg->line,
              "the file ends within a value: a quote is never closed, or nothing follows a name");
    } else if (strncmp(text, "unexpected token", 16) == 0) {
        fault(current, cfg->line, "%s; a line is NAME = VALUE, or a comment behind #", text);
    } else {
        fault(current, cfg->line, "%s", text);
    }
}

/* Where a bare value ends: at a comment that white space precedes, or with the line. */
static size_t bare_value_length(const char *value)
{
    static const char *const comments[] = {"#", "//", "/*", "*/"};
    size_t length = strcspn(value, "\n");

    for (size_t i = 1; i < length; i++)
        for (size_t j = 0; isspace((unsigned char)value[i - 1]) && j < array_length(comments); j++)
            if (strncmp(value + i, comments[j], strlen(comments[j])) == 0)
                length = i;
    for (size_t j = 0; j < array_length(comments); j++)
        if (strncmp(value, comments[j], strlen(comments[j])) == 0)
            length = 0;
    while (length > 0 && isspace((unsigned char)value[length - 1]))
        length--;
    return length;
}

/* The offset of the value where the line is NAME = VALUE and the value is bare; 0 where it is not. */
static size_t find_bare_value(const char *line)
{
    size_t indent = strspn(line, " \t");
    size_t name = strspn(line + indent, "abcdefghijklmnopqrstuvwxyz_0123456789");
    size_t offset = indent + name;

    offset += strspn(line + offset, " \t");
    if (name == 0 || line[offset] != '=')
        return 0;
    offset++;
    offset += strspn(line + offset, " \t\r");
    return line[offset] == '"' || line[offset] == '\'' ? 0 : offset;
}

/*
 * Puts quotes around bare values, for libconfuse ends one at the first space and takes the next line's name
 * for the value of an empty one.
 */
static void quote_bare_values(const char *text, struct buf *quoted)
{
    while (*text != '\0') {
        size_t value = find_bare_value(text);
        size_t rest;

        if (value > 0) {
            const char *end = text + value + bare_value_length(text + value);

            buf_append(quoted, text, value);
            buf_append_str(quoted, "\"");
            for (const char *c = text + value; c < end; c++)
                buf_printf(quoted, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
            buf_append_str(quoted, "\"");
            text = end;
        }
        rest = strcspn(text, "\n");
        rest += text[rest] == '\n';
        buf_append(quoted, text, rest);
        text += rest;
    }
}

static int count_lines(const char *text)
{
    int lines = 0;

    for (; *text != '\0'; text = strchrnul(text, '\n'), text += *text != '\0')
        lines++;
    return lines;
}

/* Blanks the text up to the end of a line, so that the lines behind it keep their numbers. */
static void blank_lines(char *text, int last)
{
    for (; *text != '\0' && last > 0; text++)
        if (*text == '\n')
            last--;
        else
            *text = ' ';
}

/* libconfuse stops at what it does not understand; the lines behind that are read on their own, as often as
 * faults are told apart. */
static void parse_text(struct loading *loading, cfg_t *cfg, struct buf *text)
{
    int done, rounds = 0;

    current = loading;
    do {
        done = loading->stop_line;
        loading->stop_line = 0;
        blank_lines(text->data, done);
        cfg_parse_buf(cfg, buf_str(text)); /* whatever it returns: the faults and the end say more */
    } while (loading->stop_line > done && loading->stop_line <= loading->end_line &&
             ++rounds < SETTINGS_FAULTS_MAX);
    current = NULL;
}

static int parse_file(struct loading *loading, struct error *err)
{
    cleanup(buf_release) struct buf text = BUF_INIT(FILE_MAX);
    cleanup(buf_release) struct buf quoted = BUF_INIT(3 * FILE_MAX);
    cfg_opt_t options[SETTINGS_MAX + 2];
    cfg_t *cfg;
    int r;

    r = file_read(loading->path, &text, err);
    if (r < 0)
        return r;
    if (strlen(buf_str(&text)) != text.length)
        return error_set(err, -EINVAL, "%s: holds a NUL byte, so it is no text", loading->path);
    loading->end_line = count_lines(buf_str(&text));
    quote_bare_values(buf_str(&text), &quoted);
    buf_append_str(&quoted, END_LINE);
    if (!buf_ok(&quoted))
        return error_system(err, ENOMEM, "cannot read %s", loading->path);
    for (size_t i = 0; i < settings_table_count; i++)
        options[i] = (cfg_opt_t)CFG_STR_CB(settings_table[i].name, NULL, CFGF_NODEFAULT, read_value);
    options[settings_table_count] = (cfg_opt_t)CFG_STR_CB(END_NAME, NULL, CFGF_NODEFAULT, read_end);
    options[settings_table_count + 1] = (cfg_opt_t)CFG_END();
    cfg = cfg_init(options, CFGF_NONE);
    if (cfg == NULL)
        return error_system(err, ENOMEM, "cannot read %s", loading->path);
    cfg_set_error_function(cfg, syntax_error);
    parse_text(loading, cfg, &quoted);
    cfg_free(cfg);
    if (!loading->ended && loading->faults.length == 0)
        fault(loading, loading->last_line,
              "a quote or a comment that starts behind this line is never closed");
    return 0;
}

static int fill_defaults(struct loading *loading, struct error *err)
{
    for (size_t i = 0; i < settings_table_count; i++) {
        const struct setting *setting = &settings_table[i];
        int r;

        if (loading->lines[i] != 0)
            continue;
        r = setting->type->parse(setting->fallback, &setting->range,
                                 setting_member(setting, &loading->settings), err);
        if (r < 0)
            return error_prefix(err, r, "the default of %s", setting->name);
    }
    return 0;
}

static int line_of(const struct loading *loading, const char *name)
{
    for (size_t i = 0; i < settings_table_count; i++)
        if (strcmp(settings_table[i].name, name) == 0)
            return loading->lines[i];
    return 0;
}

/* Two lines of the file that contradict each other.  A default gives way in silence: nobody has asked for it.
 */
static void check_conflicts(struct loading *loading)
{
    const struct settings *s = &loading->settings;
    int line = line_of(loading, "max_text_chars");

    if (line > 0 && line_of(loading, "max_body_bytes") > 0 && s->max_text_chars > s->max_body_bytes)
        fault(loading, line, "max_text_chars is more than fits in max_body_bytes of line %d",
              line_of(loading, "max_body_bytes"));
    line = line_of(loading, "retention_audio");
    if (line > 0 && line_of(loading, "retention_jobs") > 0 && s->retention_audio > s->retention_jobs)
        fault(loading, line,
              "retention_audio is longer than retention_jobs of line %d, with which the audio goes",
              line_of(loading, "retention_jobs"));
}

int settings_load(const char *path, struct settings *ret_settings, struct error *err)
{
    return settings_load_reporting(path, ret_settings, NULL, err);
}

int settings_load_reporting(const char *path, struct settings *ret_settings,
                            struct settings_report *ret_report, struct error *err)
{
    cleanup(settings_cleanup) struct loading loading = {
        .path = path, .faults = BUF_INIT(FILE_MAX), .report = ret_report};
    int r;

    if (path != NULL) {
        r = parse_file(&loading, err);
        if (r < 0)
            return r;
    }
    r = fill_defaults(&loading, err);
    if (r < 0)
        return r;
    if (loading.faults.length == 0)
        check_conflicts(&loading);
    if (loading.settings.retention_audio > loading.settings.retention_jobs) /* a default, which gives way */
        loading.settings.retention_audio = loading.settings.retention_jobs;
    if (ret_report != NULL)
        memcpy(ret_report->lines, loading.lines, sizeof ret_report->lines);
    if (loading.faults.length > 0)
        return error_set(err, -EINVAL, "%s", buf_str(&loading.faults));
    *ret_settings = loading.settings;
    loading.settings = (struct settings){0};
    return 0;
}

void settings_report_release(struct settings_report *report)
{
    while (report->fault_count > 0)
        free(report->faults[--report->fault_count].text);
}
