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

/* What this process has counted is put into the table first; a database that takes no writes is the very time
 * to look at the metrics, so they are not held up by it for longer. */
#define FLUSH_PATIENCE_MS 1000

/* The table alone, so that the numbers agree whichever process answers. */
static int read_values(struct exchange *exchange, double ret_values[METRIC_END], struct error *err)
{
    struct store *store = exchange->store;
    int r = store_read_begin(store, err);

    if (r == 0)
        r = metrics_read(store, ret_values, err);
    if (r == 0)
        r = gauges_read(exchange, ret_values, err);
    store_read_end(store);
    return r;
}

void handle_metrics(struct exchange *exchange)
{
    double values[METRIC_END];
    struct error err = {""};
    int r;

    if (!may_read(exchange)) {
        reply_problem(exchange, PROBLEM_FORBIDDEN,
                      "metrics are not for this address; the setting metrics_allow_cidrs names those that may"
                      " read them");
        return;
    }
    committer_flush(exchange->api->committer, FLUSH_PATIENCE_MS);
    r = read_values(exchange, values, &err);
    if (r < 0) {
        reply_failure(exchange, r, &err);
        return;
    }
    metrics_text_render(exchange->body, values);
    exchange->status = 200;
    exchange->content_type = METRICS_TEXT_TYPE;
}
