/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/receiver.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <microhttpd.h>

#include "base/buf.h"
#include "base/cleanup.h"

/* Idle connections end, so that senders that went away cost nothing; more at once than any schedule opens. */
#define IDLE_SECONDS    30U
#define CONNECTIONS_MAX 128U

struct receiver {
    struct MHD_Daemon *daemon;
    struct receiver_handler *handler;
};

/* A request while its body comes in. */
struct exchange {
    struct buf body;
    bool judged; /* the handler has seen it */
};

static enum MHD_Result answer(struct MHD_Connection *connection, int status)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    enum MHD_Result result;

    if (response == NULL)
        return MHD_NO;
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "POST");
    result = MHD_queue_response(connection, (unsigned int)status, response);
    MHD_destroy_response(response);
    return result;
}

static const char *header(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static int judge(const struct receiver *receiver, struct MHD_Connection *connection, const char *path,
                 struct exchange *exchange)
{
    const struct received request = {
        .path = path,
        .signature = header(connection, "X-Webhook-Signature"),
        .timestamp = header(connection, "X-Webhook-Timestamp"),
        .webhook_id = header(connection, "webhook-id"),
        .standard_timestamp = header(connection, "webhook-timestamp"),
        .standard_signature = header(connection, "webhook-signature"),
        .body = buf_str(&exchange->body),
        .body_size = exchange->body.length,
    };

    if (!buf_ok(&exchange->body))
        return MHD_HTTP_CONTENT_TOO_LARGE;
    exchange->judged = true;
    return receiver->handler->received(receiver->handler, &request);
}

/* libmicrohttpd calls this with the headers, with each piece of the body, and once more at its end. */
static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *piece, size_t *piece_size,
                              void **state)
{
    const struct receiver *receiver = context;
    struct exchange *exchange = *state;

    (void)version;
    if (exchange == NULL) {
        exchange = calloc(1, sizeof *exchange);
        if (exchange == NULL)
            return MHD_NO;
        exchange->body = BUF_INIT(RECEIVER_BODY_MAX);
        *state = exchange;
        return MHD_YES;
    }
    if (*piece_size > 0) {
        buf_append(&exchange->body, piece, *piece_size);
        *piece_size = 0;
        return MHD_YES;
    }
    if (strcmp(method, MHD_HTTP_METHOD_POST) != 0)
        return answer(connection, MHD_HTTP_METHOD_NOT_ALLOWED);
    return answer(connection, judge(receiver, connection, path, exchange));
}

static void finished(void *context, struct MHD_Connection *connection, void **state,
                     enum MHD_RequestTerminationCode code)
{
    const struct receiver *receiver = context;
    struct exchange *exchange = *state;

    (void)connection;
    (void)code;
    if (exchange == NULL)
        return;
    if (exchange->judged)
        receiver->handler->answered(receiver->handler);
    buf_release(&exchange->body);
    free(exchange);
    *state = NULL;
}

int receiver_start(int port, struct receiver_handler *handler, struct receiver **ret_receiver, int *ret_port,
                   struct error *err)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct receiver *receiver = calloc(1, sizeof *receiver);
    const union MHD_DaemonInfo *info;

    if (receiver == NULL)
        return error_set(err, -ENOMEM, "out of memory");
    receiver->handler = handler;
    errno = 0;
    receiver->daemon =
        MHD_start_daemon(MHD_USE_AUTO_INTERNAL_THREAD, (uint16_t)port, NULL, NULL, handle, receiver,
                         MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address, MHD_OPTION_NOTIFY_COMPLETED,
                         finished, receiver, MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS,
                         MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX, MHD_OPTION_END);
    if (receiver->daemon == NULL) {
        free(receiver);
        return error_system(err, errno > 0 ? errno : EADDRINUSE,
                            "cannot listen on 127.0.0.1:%d (--port 0 takes one that is free)", port);
    }
    info = MHD_get_daemon_info(receiver->daemon, MHD_DAEMON_INFO_BIND_PORT);
    *ret_port = info != NULL ? info->port : port;
    *ret_receiver = receiver;
    return 0;
}

struct receiver *receiver_stop(struct receiver *receiver)
{
    if (receiver != NULL)
        MHD_stop_daemon(receiver->daemon);
    free(receiver);
    return NULL;
}
