/* SPDX-License-Identifier: Apache-2.0 */
#include "webhook/report.h"

#include <stdarg.h>
#include <stdio.h>

void report(report_log *log, enum log_level level, const struct webhook *webhook, const char *format, ...)
{
    struct log_context context = {0};
    char message[LOG_LINE_MAX];
    va_list args;

    if (log == NULL)
        return;
    if (webhook != NULL) {
        context.job_id = webhook->job_id[0] != '\0' ? webhook->job_id : NULL;
        context.webhook_id = webhook->webhook_id;
    }
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    log(level, &context, message);
}
