/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/key_options.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/cleanup.h"
#include "config/table.h"
#include "text/utf8.h"

/* A weight is a share relative to other keys; past this range one key would starve the other. */
#define WEIGHT_MIN 0.001
#define WEIGHT_MAX 1000.0

/* For a limit: as the setting says. */
#define DEFAULT_WORD "default"

/* The settings that a key may have of its own, behind name and weight. */
enum { OPTION_NAME, OPTION_WEIGHT, OPTION_LIMITS, OPTION_COUNT = OPTION_LIMITS + 1 + LIMIT_COUNT };

static const struct {
    const char *option;
    const char *setting;
    const char *help;
    size_t offset; /* in struct key_limits */
} limits[1 + LIMIT_COUNT] = {
    {"rate-limit-requests", "rate_limit_requests", "jobs a second in the long run",
     offsetof(struct key_limits, requests_per_second)},
    {"rate-limit-burst", "rate_limit_burst", "jobs at once after a pause",
     offsetof(struct key_limits, most[LIMIT_BURST])},
    {"max-pending-jobs", "max_pending_jobs", "jobs that wait",
     offsetof(struct key_limits, most[LIMIT_PENDING_JOBS])},
    {"max-pending-chars", "max_pending_chars", "characters that wait",
     offsetof(struct key_limits, most[LIMIT_PENDING_CHARS])},
    {"max-chars-per-day", "max_chars_per_day", "characters sent in a day",
     offsetof(struct key_limits, most[LIMIT_DAY_CHARS])},
    {"max-stored-bytes", "max_stored_bytes", "audio kept and owed",
     offsetof(struct key_limits, most[LIMIT_STORED_BYTES])},
};

static int check_name(const struct ctl *ctl, const char *name)
{
    size_t length = strlen(name);
    size_t fault;

    if (length == 0 || length > KEY_NAME_MAX || !utf8_is_valid(name, length, &fault))
        return ctl_fail(ctl, EX_USAGE, "a name is UTF-8 of 1 to %d bytes", KEY_NAME_MAX);
    for (; *name != '\0'; name++)
        if ((unsigned char)*name < 0x20 || *name == 0x7f)
            return ctl_fail(ctl, EX_USAGE, "a name holds no control characters");
    return 0;
}

static int read_weight(const struct ctl *ctl, const char *text, double *ret_weight)
{
    char *end;
    double weight = strtod(text, &end);

    if (end == text || *end != '\0' || !(weight >= WEIGHT_MIN && weight <= WEIGHT_MAX))
        return ctl_fail(ctl, EX_USAGE, "a weight is a number of %g to %g", WEIGHT_MIN, WEIGHT_MAX);
    *ret_weight = weight;
    return 0;
}

/* As the setting of that name is read, in its range. */
static int read_limit(const struct ctl *ctl, size_t which, const char *text, struct key_limits *ret_limits)
{
    int64_t *member = (int64_t *)(void *)((char *)ret_limits + limits[which].offset);
    const struct setting *setting = settings_table;
    struct error err;

    if (strcmp(text, DEFAULT_WORD) == 0) {
        *member = 0;
        return 0;
    }
    while (strcmp(setting->name, limits[which].setting) != 0)
        setting++;
    if (setting->type->parse(text, &setting->range, member, &err) < 0)
        return ctl_fail(ctl, EX_USAGE, "--%s: %s; or the word " DEFAULT_WORD, limits[which].option, err.text);
    return 0;
}

/* 0, or EX_USAGE where none was given. */
static int need_one(const struct ctl *ctl, const struct program_option *options)
{
    cleanup(buf_release) struct buf names = BUF_INIT(ERROR_TEXT_MAX);

    for (; options->name != NULL; options++) {
        if (*options->value != NULL)
            return 0;
        buf_printf(&names, "%s--%s %s", names.length > 0 ? ", " : "", options->name, options->argument);
    }
    return ctl_fail(ctl, EX_USAGE, "say what to change: %s", buf_str(&names));
}

int key_options_read(struct ctl *ctl, int argc, char **argv, bool must_have_one, struct key_request *request,
                     char ***ret_arguments)
{
    const char *values[OPTION_COUNT] = {NULL};
    struct program_option options[OPTION_COUNT + 1] = {
        [OPTION_NAME] = {"name", "NAME", "whose key it is", &values[OPTION_NAME]},
        [OPTION_WEIGHT] = {"weight", "N", "share of the machine relative to other keys (1)",
                           &values[OPTION_WEIGHT]},
    };
    int code;

    for (size_t i = 0; i < array_length(limits); i++)
        options[OPTION_LIMITS + i] =
            (struct program_option){limits[i].option, "N", limits[i].help, &values[OPTION_LIMITS + i]};
    code = ctl_read(ctl, argc, argv, options, ret_arguments);
    if (code != OPTIONS_RUN || (must_have_one && (code = need_one(ctl, options)) != 0))
        return code;
    if (values[OPTION_NAME] != NULL) {
        request->name = values[OPTION_NAME];
        if ((code = check_name(ctl, request->name)) != 0)
            return code;
    }
    if (values[OPTION_WEIGHT] != NULL &&
        (code = read_weight(ctl, values[OPTION_WEIGHT], &request->weight)) != 0)
        return code;
    for (size_t i = 0; i < array_length(limits); i++)
        if (values[OPTION_LIMITS + i] != NULL &&
            (code = read_limit(ctl, i, values[OPTION_LIMITS + i], &request->limits)) != 0)
            return code;
    return OPTIONS_RUN;
}
