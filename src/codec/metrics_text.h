/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics as Prometheus reads them. */
#ifndef CODEC_METRICS_TEXT_H
#define CODEC_METRICS_TEXT_H

#include "base/buf.h"
#include "job/metric.h"

/* The text format 0.0.4 (prometheus.io, "Exposition formats"). */
#define METRICS_TEXT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Appends every family with its help, its type and all its series.  Infinity and NaN are as Prometheus writes
 * them. */
void metrics_text_render(struct buf *out, const double values[METRIC_END]);

#endif
