/* SPDX-License-Identifier: Apache-2.0 */
/* GET /metrics: for whom the setting metrics_allow_cidrs names, without a key. */
#include "api/internal.h"
#include "codec/metrics_text.h"
#include "net/cidr.h"

/* By the address that nginx saw; what a client says of itself (X-Forwarded-For) does not count. */
static bool may_read(const struct exchange *exchange)
{
    const struct string_list *allowed = &exchange->api->settings->metrics_allow_cidrs;
    const char *address = request_field(exchange, "REMOTE_ADDR");

    return address != NULL && cidrs_hold_address(allowed->items, allowed->count, address);
}

static int read_values(struct store *store, double ret_values[METRIC_COUNT], struct error *err)
{
    int r = store_read_begin(store, err);

    if (r == 0)
        r = metrics_read(store, ret_values, err);
    store_read_end(store);
    return r;
}

void handle_metrics(struct exchange *exchange)
{
    double values[METRIC_COUNT];
    struct error err = {""};
    int r;

    if (!may_read(exchange)) {
        reply_problem(exchange, PROBLEM_FORBIDDEN,
                      "metrics are not for this address; the setting metrics_allow_cidrs names those that may"
                      " read them");
        return;
    }
    r = read_values(exchange->store, values, &err);
    if (r < 0) {
        reply_failure(exchange, r, &err);
        return;
    }
    metrics_text_render(exchange->body, values);
    exchange->status = 200;
    exchange->content_type = METRICS_TEXT_TYPE;
}
