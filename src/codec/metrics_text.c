/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/metrics_text.h"

/* Fifteen digits: whole numbers stay whole, and a sum of seconds does not show how doubles round. */
static void write_value(struct buf *out, double value)
{
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
static void write_histogram(struct buf *out, const struct metric_family *family, const double *values)
{
    enum metric sum = (enum metric)(family->first + metric_series(family));
    double count = 0;

    for (enum metric bucket = family->first; bucket < sum; bucket++) {
        count += values[bucket];
        write_series(out, bucket, count);
    }
    write_series(out, sum, values[sum]);
    buf_printf(out, "%s_count", family->name);
    write_value(out, count);
}

static void write_plain(struct buf *out, const struct metric_family *family, const double *values)
{
    for (size_t i = 0; i < metric_series(family); i++) {
        enum metric metric = (enum metric)(family->first + i);

        write_series(out, metric, metric < METRIC_COUNT ? values[metric] : 1);
    }
}

void metrics_text_render(struct buf *out, const double values[METRIC_COUNT])
{
    size_t count;
    const struct metric_family *families = metric_families(&count);

    for (size_t i = 0; i < count; i++) {
        const struct metric_family *family = &families[i];

        buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", family->name, family->help, family->name,
                   metric_type_name(family->type));
        if (family->type == METRIC_TYPE_HISTOGRAM)
            write_histogram(out, family, values);
        else
            write_plain(out, family, values);
    }
}
