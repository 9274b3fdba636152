/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/metrics_text.h"

#include <math.h>

/* Fifteen digits: whole numbers stay whole, and a sum of seconds does not show how doubles round. */
static void write_value(struct buf *out, double value)
{
    if (isnan(value))
        buf_append_str(out, " NaN\n");
    else if (isinf(value))
        buf_append_str(out, value > 0 ? " +Inf\n" : " -Inf\n");
    else
        buf_printf(out, " %.15g\n", value);
}

static void write_series(struct buf *out, enum metric metric, double value)
{
    char name[METRIC_NAME_SIZE];

    metric_name(metric, name);
    buf_append_str(out, name);
    write_value(out, value);
}

/* A bucket that is shown has those below it in it, unlike one that is kept. */
static void write_histogram(struct buf *out, enum metric histogram, const double *values)
{
    enum metric sum = metric_sum(histogram);
    char name[METRIC_NAME_SIZE];
    double count = 0;

    for (enum metric bucket = histogram; bucket < sum; bucket++) {
        count += values[bucket];
        write_series(out, bucket, count);
    }
    write_series(out, sum, values[sum]);
    metric_count_name(histogram, name);
    buf_append_str(out, name);
    write_value(out, count);
}

static void write_family(struct buf *out, const struct metric_family *family, const double *values)
{
    enum metric metric = family->first;

    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", family->name, family->help, family->name,
               metric_type_name(family->type));
    for (size_t i = 0; i < metric_combinations(family); i++) {
        if (family->type != METRIC_TYPE_HISTOGRAM) {
            write_series(out, metric, values[metric]);
            metric++;
        } else {
            write_histogram(out, metric, values);
            metric = (enum metric)(metric_sum(metric) + 1);
        }
    }
}

void metrics_text_render(struct buf *out, const double values[METRIC_END])
{
    size_t count;
    const struct metric_family *families = metric_families(&count);

    for (size_t i = 0; i < count; i++)
        write_family(out, &families[i], values);
}
