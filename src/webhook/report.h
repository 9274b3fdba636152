/* SPDX-License-Identifier: Apache-2.0 */
/* What the dispatcher has to say, given to the program that logs. */
#ifndef WEBHOOK_REPORT_H
#define WEBHOOK_REPORT_H

#include "base/log.h"
#include "store/store.h"

typedef void report_log(enum log_level level, const struct log_context *context, const char *message);

/* log may be NULL; webhook is the one that it is about, or NULL. */
void report(report_log *log, enum log_level level, const struct webhook *webhook, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
