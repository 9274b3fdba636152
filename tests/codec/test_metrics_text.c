/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/metrics_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "job/job.h"

#define TEXT_MAX 100000

static void testcase_line(const struct buf *text, const char *line)
{
    char whole[200];

    snprintf(whole, sizeof whole, "\n%s\n", line);
    cr_assert_not_null(strstr(buf_str(text), whole), "no line \"%s\" in %s", line, buf_str(text));
}

Test(metrics_text, every_series_is_there_from_zero)
{
    static const double nothing[METRIC_END];
    cleanup(buf_release) struct buf text = BUF_INIT(TEXT_MAX);

    metrics_text_render(&text, nothing);
    cr_assert(buf_ok(&text));
    testcase_line(&text, "# TYPE job_status_total counter");
    for (int i = 0; i < JOB_STATUS_COUNT; i++) {
        char line[100];

        snprintf(line, sizeof line, "job_status_total{status=\"%s\"} 0", job_status_name((enum job_status)i));
        testcase_line(&text, line);
    }
    testcase_line(&text, "# HELP job_queue_length Jobs that are pending.");
    testcase_line(&text, "# TYPE job_queue_length gauge");
    testcase_line(&text, "job_queue_length 0");
    testcase_line(&text, "webhook_delivery_total{result=\"success\"} 0");
    testcase_line(&text, "webhook_delivery_total{result=\"failure\"} 0");
    testcase_line(&text, "webhook_retry_total 0");
    testcase_line(&text, "engine_characters_total 0");
    testcase_line(&text, "# TYPE job_processing_duration_seconds histogram");
    testcase_line(&text, "job_processing_duration_seconds_bucket{le=\"0.05\"} 0");
    testcase_line(&text, "job_processing_duration_seconds_bucket{le=\"+Inf\"} 0");
    testcase_line(&text, "job_processing_duration_seconds_sum 0");
    testcase_line(&text, "job_processing_duration_seconds_count 0");
    testcase_line(&text, "# TYPE sayhook_build_info gauge");
    testcase_line(&text, "sayhook_build_info{version=\"" PACKAGE_VERSION "\"} 0");
}

Test(metrics_text, buckets_are_shown_with_those_below_them_in_them)
{
    double values[METRIC_END] = {0};
    cleanup(buf_release) struct buf text = BUF_INIT(TEXT_MAX);

    values[metric_bucket(METRIC_DURATION, 20000)] = 3;
    values[metric_bucket(METRIC_DURATION, 700000)] = 2;
    values[metric_bucket(METRIC_DURATION, METRIC_MILLIONTHS * 99999)] = 1;
    values[metric_sum(METRIC_DURATION)] = 0.1 + 0.2;
    metrics_text_render(&text, values);
    testcase_line(&text, "job_processing_duration_seconds_bucket{le=\"0.05\"} 3");
    testcase_line(&text, "job_processing_duration_seconds_bucket{le=\"0.5\"} 3");
    testcase_line(&text, "job_processing_duration_seconds_bucket{le=\"1\"} 5");
    testcase_line(&text, "job_processing_duration_seconds_bucket{le=\"3600\"} 5");
    testcase_line(&text, "job_processing_duration_seconds_bucket{le=\"+Inf\"} 6");
    testcase_line(&text, "job_processing_duration_seconds_sum 0.3");
    testcase_line(&text, "job_processing_duration_seconds_count 6");
}

Test(metrics_text, large_counts_are_whole)
{
    double values[METRIC_END] = {0};
    cleanup(buf_release) struct buf text = BUF_INIT(TEXT_MAX);

    values[METRIC_ENGINE_CHARACTERS] = 123456789012345;
    metrics_text_render(&text, values);
    testcase_line(&text, "engine_characters_total 123456789012345");
}

Test(metrics_text, no_two_series_have_one_name)
{
    char names[METRIC_END][METRIC_NAME_SIZE];

    for (int i = 0; i < METRIC_END; i++) {
        metric_name((enum metric)i, names[i]);
        cr_assert_lt(strlen(names[i]), METRIC_NAME_SIZE - 1);
        for (int j = 0; j < i; j++)
            cr_assert_str_neq(names[i], names[j]);
    }
}

static char *read_document(void)
{
    char path[4096];
    char *text = calloc(1, TEXT_MAX);
    FILE *file;

    snprintf(path, sizeof path, "%s/docs/METRICS.md",
             getenv("top_srcdir") != NULL ? getenv("top_srcdir") : ".");
    file = fopen(path, "r");
    cr_assert_not_null(file, "%s", path);
    cr_assert_gt(fread(text, 1, TEXT_MAX - 1, file), 0);
    fclose(file);
    return text;
}

/* The row of a metric, not that of an alert. */
static bool is_of_a_metric(const char *row)
{
    const char *type = strstr(row, "` | ");

    for (int i = METRIC_TYPE_COUNTER; type != NULL && i <= METRIC_TYPE_HISTOGRAM; i++) {
        const char *name = metric_type_name((enum metric_type)i);

        if (strncmp(type + 4, name, strlen(name)) == 0)
            return true;
    }
    return false;
}

/* A row is "| `name` | type | …", or "| `name{label}` | type | …". */
Test(metrics_text, the_document_has_a_row_for_each_metric_and_for_nothing_else)
{
    cleanup(free_ptr) char *text = read_document();
    size_t count, rows = 0;
    const struct metric_family *families = metric_families(&count);

    for (size_t i = 0; i < count; i++) {
        const struct metric_family *family = &families[i];
        char row[200], labels[100] = "";

        for (size_t j = 0; j < METRIC_LABELS && family->labels[j].name != NULL; j++)
            snprintf(labels + strlen(labels), sizeof labels - strlen(labels), "%s%s", j > 0 ? "," : "",
                     family->labels[j].name);
        snprintf(row, sizeof row, "\n| `%s%s%s%s` | %s | ", family->name, *labels != '\0' ? "{" : "", labels,
                 *labels != '\0' ? "}" : "", metric_type_name(family->type));
        cr_expect_not_null(strstr(text, row), "docs/METRICS.md has no row%s", row);
    }
    for (const char *at = text; (at = strstr(at, "\n| `")) != NULL; at++)
        rows += is_of_a_metric(at);
    cr_assert_eq(rows, count);
}
