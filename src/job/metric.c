/* SPDX-License-Identifier: Apache-2.0 */
#include "job/metric.h"

#include <stdio.h>

#include "base/cleanup.h"

/* In the order of enum metric. */
static const struct metric_family families[] = {
    {"job_status_total",
     METRIC_TYPE_COUNTER,
     "Entries of jobs into a status; one that is put back enters pending again.",
     "status",
     METRIC_JOBS_PENDING,
     {"pending", "processing", "completed", "failed", "cancelled"}},
    {"job_queue_length", METRIC_TYPE_GAUGE, "Jobs that are pending.", NULL, METRIC_QUEUE_LENGTH, {NULL}},
    {"job_taken_back_total",
     METRIC_TYPE_COUNTER,
     "Jobs that were taken back from a worker that stopped, died or hung.",
     NULL,
     METRIC_JOBS_TAKEN_BACK,
     {NULL}},
    {"job_processing_duration_seconds",
     METRIC_TYPE_HISTOGRAM,
     "Time from the first claim of a job to its completion, of jobs that completed.",
     "le",
     METRIC_DURATION_FIRST,
     {NULL}},
    {"engine_characters_total",
     METRIC_TYPE_COUNTER,
     "Characters of text that synthesizers have spoken, whatever came of the job.",
     NULL,
     METRIC_ENGINE_CHARACTERS,
     {NULL}},
    {"webhook_delivery_total",
     METRIC_TYPE_COUNTER,
     "Attempts to deliver a webhook that have ended.",
     "result",
     METRIC_DELIVERIES_SUCCEEDED,
     {"success", "failure"}},
    {"webhook_retry_total",
     METRIC_TYPE_COUNTER,
     "Attempts to deliver a webhook after its first one.",
     NULL,
     METRIC_RETRIES,
     {NULL}},
    {"readiness_check_total",
     METRIC_TYPE_COUNTER,
     "Writes that /readyz has made to see whether the database takes any.",
     NULL,
     METRIC_READINESS_CHECKS,
     {NULL}},
    {"sayhook_build_info",
     METRIC_TYPE_GAUGE,
     "The version of the program that answers.",
     "version",
     METRIC_BUILD_INFO,
     {PACKAGE_VERSION}},
};

/* Milliseconds.  A sentence takes some hundredths of a second, a book up to an hour. */
static const int64_t bounds[METRIC_DURATION_BOUNDS] = {
    50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000, 120000, 300000, 600000, 1800000, 3600000,
};

const struct metric_family *metric_families(size_t *ret_count)
{
    *ret_count = array_length(families);
    return families;
}

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

size_t metric_series(const struct metric_family *family)
{
    size_t count = 0;

    if (family->type == METRIC_TYPE_HISTOGRAM)
        return METRIC_DURATION_BOUNDS + 1;
    while (count < METRIC_VALUES_MAX && family->values[count] != NULL)
        count++;
    return count > 0 ? count : 1;
}

static const struct metric_family *family_of(enum metric metric)
{
    size_t i = 1;

    while (i < array_length(families) && families[i].first <= metric)
        i++;
    return &families[i - 1];
}

void metric_name(enum metric metric, char ret_name[METRIC_NAME_SIZE])
{
    const struct metric_family *family = family_of(metric);
    size_t index = metric - family->first;
    char bound[METRIC_BOUND_SIZE];

    if (metric == METRIC_DURATION_SUM) {
        snprintf(ret_name, METRIC_NAME_SIZE, "%s_sum", family->name);
    } else if (family->type == METRIC_TYPE_HISTOGRAM) {
        metric_duration_bound(metric, bound);
        snprintf(ret_name, METRIC_NAME_SIZE, "%s_bucket{%s=\"%s\"}", family->name, family->label, bound);
    } else if (family->label != NULL) {
        snprintf(ret_name, METRIC_NAME_SIZE, "%s{%s=\"%s\"}", family->name, family->label,
                 family->values[index]);
    } else {
        snprintf(ret_name, METRIC_NAME_SIZE, "%s", family->name);
    }
}

void metric_duration_bound(enum metric bucket, char ret_bound[METRIC_BOUND_SIZE])
{
    if (bucket == METRIC_DURATION_LAST)
        snprintf(ret_bound, METRIC_BOUND_SIZE, "+Inf");
    else
        snprintf(ret_bound, METRIC_BOUND_SIZE, "%g", (double)bounds[bucket - METRIC_DURATION_FIRST] / 1000);
}

enum metric metric_duration_bucket(int64_t duration_ms)
{
    int i = 0;

    while (i < METRIC_DURATION_BOUNDS && duration_ms > bounds[i])
        i++;
    return (enum metric)(METRIC_DURATION_FIRST + i);
}
