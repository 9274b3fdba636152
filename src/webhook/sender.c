/* SPDX-License-Identifier: Apache-2.0 */
#include "webhook/sender.h"

#include <curl/curl.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "webhook/transfer.h"

/* Sockets served in one step; the rest are served in the next. */
#define EVENTS_MAX 64

struct sender {
    struct sender_options options;
    CURLM *multi;
    int epoll_fd;     /* of libcurl's sockets */
    int64_t timer_at; /* when libcurl wants to be called, monotonic milliseconds; NO_TIMER */
    struct transfer *transfers;
    struct transfer *spare; /* ended ones, for the next requests */
};

#define NO_TIMER INT64_MAX

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *socket_context)
{
    struct sender *sender = context;
    struct epoll_event event = {.data.fd = fd};

    (void)easy;
    (void)socket_context;
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(sender->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
        return 0;
    }
    event.events = (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
    if (epoll_ctl(sender->epoll_fd, EPOLL_CTL_MOD, fd, &event) == 0)
        return 0;
    return errno == ENOENT && epoll_ctl(sender->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : -1;
}

/* Kept here rather than in a timerfd: libcurl sets it anew several times a request. */
static int on_timer(CURLM *multi, long timeout_ms, void *context)
{
    struct sender *sender = context;

    (void)multi;
    sender->timer_at = timeout_ms < 0 ? NO_TIMER : clock_monotonic_ms(&clock_system) + timeout_ms;
    return 0;
}

static void free_transfers(struct sender *sender)
{
    while (sender->transfers != NULL) {
        struct transfer *transfer = sender->transfers;

        sender->transfers = transfer->next;
        curl_multi_remove_handle(sender->multi, transfer->easy);
        transfer_free(transfer);
    }
    while (sender->spare != NULL) {
        struct transfer *transfer = sender->spare;

        sender->spare = transfer->next;
        transfer_free(transfer);
    }
}

struct sender *sender_free(struct sender *sender)
{
    if (sender == NULL)
        return NULL;
    free_transfers(sender);
    curl_multi_cleanup(sender->multi);
    close_fd(&sender->epoll_fd);
    free(sender);
    return NULL;
}

int sender_new(const struct sender_options *options, struct sender **ret_sender, struct error *err)
{
    struct sender *sender = calloc(1, sizeof *sender);
    int r;

    if (sender == NULL)
        return error_set(err, -ENOMEM, "out of memory");
    sender->options = *options;
    sender->timer_at = NO_TIMER;
    sender->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    sender->multi = curl_multi_init();
    if (sender->epoll_fd < 0 || sender->multi == NULL) {
        r = error_system(err, errno, "libcurl cannot start");
        sender_free(sender);
        return r;
    }
    curl_multi_setopt(sender->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(sender->multi, CURLMOPT_SOCKETDATA, sender);
    curl_multi_setopt(sender->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(sender->multi, CURLMOPT_TIMERDATA, sender);
    curl_multi_setopt(sender->multi, CURLMOPT_MAXCONNECTS, (long)options->max_in_flight);
    *ret_sender = sender;
    return 0;
}

int sender_fd(const struct sender *sender)
{
    return sender->epoll_fd;
}

int sender_wait_ms(const struct sender *sender)
{
    int64_t wait;

    if (sender->timer_at == NO_TIMER)
        return -1;
    wait = sender->timer_at - clock_monotonic_ms(&clock_system);
    return wait <= 0 ? 0 : wait < INT_MAX ? (int)wait : INT_MAX;
}

static void link_transfer(struct sender *sender, struct transfer *transfer)
{
    transfer->next = sender->transfers;
    if (transfer->next != NULL)
        transfer->next->previous = transfer;
    sender->transfers = transfer;
}

static void unlink_transfer(struct sender *sender, struct transfer *transfer)
{
    if (transfer->next != NULL)
        transfer->next->previous = transfer->previous;
    if (transfer->previous != NULL)
        transfer->previous->next = transfer->next;
    else
        sender->transfers = transfer->next;
}

/* Ended ones serve again: making one costs as much as sending. */
static struct transfer *take_transfer(struct sender *sender)
{
    struct transfer *transfer = sender->spare;

    if (transfer == NULL)
        return transfer_new(&sender->options);
    sender->spare = transfer->next;
    return transfer;
}

int sender_start(struct sender *sender, const struct send_request *request, struct send_result *ret_result,
                 struct error *err)
{
    struct transfer *transfer;
    struct error reason = {""};
    struct url url;
    int r = guard_judge_url(sender->options.guard, request->url, &url, &reason);

    if (r == -ENOMEM)
        return error_set(err, r, "out of memory");
    if (r != 0) {
        transfer_refuse(r, reason.text, ret_result);
        return SENDER_REFUSED;
    }
    transfer = take_transfer(sender);
    if (transfer == NULL || !transfer_prepare(transfer, request)) {
        transfer_free(transfer);
        return error_set(err, -ENOMEM, "out of memory");
    }
    if (curl_multi_add_handle(sender->multi, transfer->easy) != CURLM_OK) {
        transfer_free(transfer);
        return error_set(err, -ENOMEM, "out of memory");
    }
    link_transfer(sender, transfer);
    return 0;
}

static void finish(struct sender *sender, CURL *easy, CURLcode code)
{
    struct transfer *transfer = NULL;
    struct send_result result;
    struct send_request request;

    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&transfer);
    transfer_judge(transfer, code, &result);
    curl_multi_remove_handle(sender->multi, easy);
    unlink_transfer(sender, transfer);
    request = transfer->request;
    transfer->next = sender->spare;
    sender->spare = transfer;
    sender->options.done(&request, &result);
}

static void serve(struct sender *sender, const struct epoll_event *event)
{
    int running;
    int mask =
        (event->events & EPOLLIN ? CURL_CSELECT_IN : 0) | (event->events & EPOLLOUT ? CURL_CSELECT_OUT : 0);

    /* Told of an error libcurl reads no more, though the answer may have come before it; reading meets both.
     */
    if (mask == 0)
        mask = CURL_CSELECT_ERR;
    curl_multi_socket_action(sender->multi, event->data.fd, mask, &running);
}

static void serve_timer(struct sender *sender)
{
    int running;

    if (sender_wait_ms(sender) != 0)
        return;
    sender->timer_at = NO_TIMER; /* libcurl sets it anew */
    curl_multi_socket_action(sender->multi, CURL_SOCKET_TIMEOUT, 0, &running);
}

void sender_step(struct sender *sender)
{
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(sender->epoll_fd, events, EVENTS_MAX, 0);
    const CURLMsg *message;
    int left;

    for (int i = 0; i < count; i++)
        serve(sender, &events[i]);
    serve_timer(sender);
    while ((message = curl_multi_info_read(sender->multi, &left)) != NULL)
        if (message->msg == CURLMSG_DONE)
            finish(sender, message->easy_handle, message->data.result);
}
