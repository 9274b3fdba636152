/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A baseline: the requests of webhooks, sent by one thread of bare libcurl (a multi handle with socket_action
 * and epoll) that keeps so many in flight over connections that it uses again.  Nothing is recorded, signed
 * or judged.
 *
 *     bare_curl URL REQUESTS IN_FLIGHT BODY
 *
 * Prints requests per second, without the first and the last tenth.
 */
#include <curl/curl.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define IN_FLIGHT_MAX 4096
#define EVENTS_MAX    64

struct loop {
    CURLM *multi;
    int epoll_fd; /* of libcurl's sockets, and of timer_fd */
    int timer_fd; /* libcurl's one timer */
    long wanted;
    long started;
    long done;
    double steady_since; /* when a tenth was done */
    double steady_until; /* when all but a tenth were */
};

/* The fields of a webhook, as long as the product's. */
static const char *const fields[] = {
    "Content-Type: application/json",
    "X-Webhook-Signature: sha256=9c56cc51b374c3ba189210d5b6d4bf57790d351c96c47c02190ecf1e430635ab",
    "X-Webhook-Timestamp: 1700000000",
    "webhook-id: msg_2tzd5zqgqf9k2y7oa8ymc0v7j",
    "webhook-timestamp: 1700000000",
    "webhook-signature: v1,n1bMUbN0w7oYkhDVttS/V3kNNRyWxHwCGQ7PHkMGNas=",
    "Expect:",
};

static void die(const char *what)
{
    fprintf(stderr, "bare_curl: %s\n", what);
    exit(70);
}

static double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *socket_context)
{
    struct loop *loop = context;
    struct epoll_event event = {.data.fd = fd};

    (void)easy;
    (void)socket_context;
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
        return 0;
    }
    event.events = (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, fd, &event) == 0)
        return 0;
    return errno == ENOENT && epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : -1;
}

static int on_timer(CURLM *multi, long timeout_ms, void *context)
{
    struct loop *loop = context;
    struct itimerspec when = {0};

    (void)multi;
    if (timeout_ms > 0) {
        when.it_value.tv_sec = timeout_ms / 1000;
        when.it_value.tv_nsec = timeout_ms % 1000 * 1000000;
    } else if (timeout_ms == 0) {
        when.it_value.tv_nsec = 1; /* all zero would stop it */
    }
    return timerfd_settime(loop->timer_fd, 0, &when, NULL);
}

static void open_loop(struct loop *loop, long in_flight)
{
    struct epoll_event event = {.events = EPOLLIN};

    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    loop->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    event.data.fd = loop->timer_fd;
    loop->multi = curl_multi_init();
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->timer_fd, &event) < 0 || loop->multi == NULL)
        die("cannot begin");
    curl_multi_setopt(loop->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(loop->multi, CURLMOPT_SOCKETDATA, loop);
    curl_multi_setopt(loop->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(loop->multi, CURLMOPT_TIMERDATA, loop);
    curl_multi_setopt(loop->multi, CURLMOPT_MAXCONNECTS, in_flight);
}

static CURL *make_request(const char *url, const char *body, struct curl_slist *headers)
{
    CURL *easy = curl_easy_init();

    if (easy == NULL)
        die("out of memory");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 15000L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "Sayhook/0.0.0");
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    return easy;
}

static void start(struct loop *loop, CURL *easy)
{
    loop->started++;
    if (curl_multi_add_handle(loop->multi, easy) != CURLM_OK)
        die("out of memory");
}

/* Counts the request, and sends another in its place. */
static void finish(struct loop *loop, CURL *easy, CURLcode code)
{
    long status = 0;

    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK || status / 100 != 2)
        die(code != CURLE_OK ? curl_easy_strerror(code) : "the receiver answered with an error");
    loop->done++;
    if (loop->done == loop->wanted / 10)
        loop->steady_since = seconds_now();
    if (loop->done == loop->wanted - loop->wanted / 10)
        loop->steady_until = seconds_now();
    curl_multi_remove_handle(loop->multi, easy);
    if (loop->started < loop->wanted)
        start(loop, easy);
}

static void serve(struct loop *loop, const struct epoll_event *event)
{
    uint64_t expirations;
    int running;
    int mask;

    if (event->data.fd == loop->timer_fd) {
        if (read(loop->timer_fd, &expirations, sizeof expirations) == (ssize_t)sizeof expirations)
            curl_multi_socket_action(loop->multi, CURL_SOCKET_TIMEOUT, 0, &running);
        return;
    }
    mask = (event->events & EPOLLIN ? CURL_CSELECT_IN : 0) |
           (event->events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
           (event->events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
    curl_multi_socket_action(loop->multi, event->data.fd, mask, &running);
}

static void run(struct loop *loop)
{
    struct epoll_event events[EVENTS_MAX];
    const CURLMsg *message;
    int left;

    while (loop->done < loop->wanted) {
        int count = epoll_wait(loop->epoll_fd, events, EVENTS_MAX, -1);

        for (int i = 0; i < count; i++)
            serve(loop, &events[i]);
        while ((message = curl_multi_info_read(loop->multi, &left)) != NULL)
            if (message->msg == CURLMSG_DONE)
                finish(loop, message->easy_handle, message->data.result);
    }
}

int main(int argc, char **argv)
{
    struct loop loop = {.wanted = argc == 5 ? atol(argv[2]) : 0};
    long in_flight = argc == 5 ? atol(argv[3]) : 0;
    struct curl_slist *headers = NULL;
    CURL *requests[IN_FLIGHT_MAX];

    if (loop.wanted < 10 || in_flight < 1 || in_flight > IN_FLIGHT_MAX) {
        fprintf(stderr, "usage: bare_curl URL REQUESTS IN_FLIGHT BODY\n");
        return 64;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        headers = curl_slist_append(headers, fields[i]);
    open_loop(&loop, in_flight);
    in_flight = in_flight < loop.wanted ? in_flight : loop.wanted;
    for (long i = 0; i < in_flight; i++) {
        requests[i] = make_request(argv[1], argv[4], headers);
        start(&loop, requests[i]);
    }
    run(&loop);
    printf("%.1f\n",
           (double)(loop.wanted - 2 * (loop.wanted / 10)) / (loop.steady_until - loop.steady_since));
    for (long i = 0; i < in_flight; i++)
        curl_easy_cleanup(requests[i]);
    curl_multi_cleanup(loop.multi);
    curl_slist_free_all(headers);
    curl_global_cleanup();
    return 0;
}
