/* SPDX-License-Identifier: Apache-2.0 */
#include "job/metric.h"

#include <stdio.h>
#include <string.h>

/* Room for a bound in seconds: "0.0025", "+Inf". */
#define BOUND_SIZE 24

const char *metric_type_name(enum metric_type type)
{
    switch (type) {
    case METRIC_TYPE_COUNTER:
        return "counter";
    case METRIC_TYPE_GAUGE:
        return "gauge";
    case METRIC_TYPE_HISTOGRAM:
        return "histogram";
    }
    return "untyped";
}

size_t metric_combinations(const struct metric_family *family)
{
    size_t count = 1;

    for (size_t i = 0; i < METRIC_LABELS && family->labels[i].name != NULL; i++)
        count *= family->labels[i].count;
    return count;
}

static const struct metric_family *family_of(enum metric metric)
{
    size_t count, i = 1;
    const struct metric_family *families = metric_families(&count);

    while (i < count && families[i].first <= metric)
        i++;
    return &families[i - 1];
}

/* How many numbers a combination of labels has. */
static size_t width(const struct metric_family *family)
{
    return family->bounds != NULL ? METRIC_HISTOGRAM(family->bounds->count) : 1;
}

/* ---- names ---- */

static void append_label(char name[METRIC_NAME_SIZE], const char *label, const char *value)
{
    size_t length = strlen(name);

    snprintf(name + length, METRIC_NAME_SIZE - length, "%s%s=\"%s\"", strchr(name, '{') == NULL ? "{" : ",",
             label, value);
}

/* le is NULL for what is no bucket. */
static void write_name(const struct metric_family *family, size_t combination, const char *suffix,
                       const char *le, char ret_name[METRIC_NAME_SIZE])
{
    size_t rest = metric_combinations(family);
    size_t length;

    snprintf(ret_name, METRIC_NAME_SIZE, "%s%s", family->name, suffix);
    for (size_t i = 0; i < METRIC_LABELS && family->labels[i].name != NULL; i++) {
        const struct metric_label *label = &family->labels[i];

        rest /= label->count;
        append_label(ret_name, label->name, label->value(combination / rest));
        combination %= rest;
    }
    if (le != NULL)
        append_label(ret_name, "le", le);
    length = strlen(ret_name);
    if (strchr(ret_name, '{') != NULL)
        snprintf(ret_name + length, METRIC_NAME_SIZE - length, "}");
}

static void write_bound(const struct metric_bounds *bounds, size_t bucket, char ret_bound[BOUND_SIZE])
{
    if (bucket == bounds->count)
        snprintf(ret_bound, BOUND_SIZE, "+Inf");
    else
        snprintf(ret_bound, BOUND_SIZE, "%g", (double)bounds->millionths[bucket] / METRIC_MILLIONTHS);
}

void metric_name(enum metric metric, char ret_name[METRIC_NAME_SIZE])
{
    const struct metric_family *family = family_of(metric);
    size_t combination = (size_t)(metric - family->first) / width(family);
    size_t place = (size_t)(metric - family->first) % width(family);
    char bound[BOUND_SIZE];

    if (family->bounds == NULL) {
        write_name(family, combination, "", NULL, ret_name);
    } else if (place == width(family) - 1) {
        write_name(family, combination, "_sum", NULL, ret_name);
    } else {
        write_bound(family->bounds, place, bound);
        write_name(family, combination, "_bucket", bound, ret_name);
    }
}

void metric_count_name(enum metric histogram, char ret_name[METRIC_NAME_SIZE])
{
    const struct metric_family *family = family_of(histogram);

    write_name(family, (size_t)(histogram - family->first) / width(family), "_count", NULL, ret_name);
}

/* ---- places ---- */

enum metric metric_bucket(enum metric histogram, int64_t millionths)
{
    const struct metric_bounds *bounds = family_of(histogram)->bounds;
    size_t i = 0;

    while (i < bounds->count && millionths > bounds->millionths[i])
        i++;
    return (enum metric)(histogram + i);
}

enum metric metric_sum(enum metric histogram)
{
    return (enum metric)(histogram + width(family_of(histogram)) - 1);
}

enum metric metric_http_requests(enum http_route route, int status)
{
    return (enum metric)(METRIC_HTTP_REQUESTS + (size_t)route * HTTP_STATUSES + http_status_find(status));
}

enum metric metric_http_duration(enum http_route route)
{
    return (enum metric)(METRIC_HTTP_DURATION + (size_t)route * METRIC_HISTOGRAM(METRIC_HTTP_BOUNDS));
}

static enum metric of_program(enum metric first, const char *program)
{
    const struct metric_family *family = family_of(first);
    const struct metric_label *label = &family->labels[0];

    for (size_t i = 0; i < label->count; i++)
        if (strcmp(label->value(i), program) == 0)
            return (enum metric)(first + i * width(family));
    return METRIC_END;
}

enum metric metric_commit_batch(const char *program)
{
    return of_program(METRIC_COMMIT_BATCH, program);
}

enum metric metric_commit_duration(const char *program)
{
    return of_program(METRIC_COMMIT_DURATION, program);
}
