/* SPDX-License-Identifier: Apache-2.0 */
#include "webhook/outcome.h"

#include <string.h>

#include "base/cleanup.h"
#include "webhook/schedule.h"

/* RFC 9110 section 15.5.11: the resource is gone and will not come back. */
#define STATUS_GONE 410

/* Statuses that say how the receiver is; other 4xx are about the one request, other 5xx are failures. */
static const struct {
    int status;
    enum health_event event;
} telling_statuses[] = {
    {408, HEALTH_TIMED_OUT},  {429, HEALTH_OVERLOADED}, {502, HEALTH_OVERLOADED},
    {503, HEALTH_OVERLOADED}, {504, HEALTH_OVERLOADED},
};

/* Whether another attempt could end otherwise. */
static bool may_try_again(const struct send_result *sent)
{
    return !sent->forbidden && sent->status_code != STATUS_GONE;
}

void outcome_make(const struct settings *settings, const struct send_result *sent, int64_t used, int64_t now,
                  uint32_t random, struct attempt_result *ret_record)
{
    struct attempt_result record = {
        .duration_ms = sent->duration_ms,
        .status_code = sent->status_code,
        .error_code = sent->error_code,
        .error_message = sent->error_code != NULL ? sent->error_message : NULL,
        .response_excerpt = sent->has_excerpt ? sent->excerpt : NULL,
        .status = WEBHOOK_FAILED,
        .trace = sent->traced ? &sent->trace : NULL,
    };
    int64_t pause = sent->retry_after_s < OUTCOME_PAUSE_MAX_S ? sent->retry_after_s : OUTCOME_PAUSE_MAX_S;

    if (sent->error_code == NULL)
        record.status = WEBHOOK_DELIVERED;
    else if (may_try_again(sent) &&
             schedule_next(&settings->webhook_retry_schedule, used, now, random, &record.next_attempt_at))
        record.status = WEBHOOK_PENDING;
    if (sent->error_code != NULL && pause > 0)
        record.pause_until = now + pause * 1000;
    *ret_record = record;
}

/* What ended an attempt before it came to the receiver. */
static bool is_our_own(const char *code)
{
    static const char *const codes[] = {DELIVERY_BLOCKED_ADDRESS, DELIVERY_BLOCKED_PORT,
                                        DELIVERY_INTERRUPTED};

    for (size_t i = 0; i < array_length(codes); i++)
        if (strcmp(code, codes[i]) == 0)
            return true;
    return false;
}

static enum health_event event_of_status(int status)
{
    for (size_t i = 0; i < array_length(telling_statuses); i++)
        if (telling_statuses[i].status == status)
            return telling_statuses[i].event;
    return status < 500 ? HEALTH_TAKEN : HEALTH_FAILED;
}

bool outcome_tells(const struct send_result *sent, enum health_event *ret_event)
{
    if (sent->error_code == NULL)
        *ret_event = HEALTH_TAKEN;
    else if (is_our_own(sent->error_code))
        return false;
    else if (strcmp(sent->error_code, DELIVERY_HTTP_STATUS) == 0)
        *ret_event = event_of_status(sent->status_code);
    else
        *ret_event = strcmp(sent->error_code, DELIVERY_TIMEOUT) == 0 ? HEALTH_TIMED_OUT : HEALTH_FAILED;
    return true;
}
