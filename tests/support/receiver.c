/* SPDX-License-Identifier: Apache-2.0 */
#include "support/receiver.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"

#define REQUEST_MAX     (1024 * 1024)
#define REQUESTS_MAX    4096
#define CONNECTIONS_MAX 1024
#define ANSWERS_MAX     16

/* The first byte of a client that wants TLS. */
#define TLS_HANDSHAKE 0x16

struct receiver {
    int listener;
    int port;
    char url[64];
    pthread_t thread;
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t changed;
    bool stopping;
    struct receiver_answer answers[ANSWERS_MAX];
    size_t answer_count;
    size_t answered; /* by the script that is in force */
    struct received requests[REQUESTS_MAX];
    size_t request_count;
    int connections[CONNECTIONS_MAX]; /* sockets, -1 once closed */
    bool serving[CONNECTIONS_MAX];    /* a request that came over the connection */
    size_t connection_count;
    size_t alive; /* threads of connections */
    size_t peak;
};

struct connection {
    struct receiver *receiver;
    int fd;
    int number;
    struct buf input;
};

static void must(bool done, const char *what)
{
    if (done)
        return;
    fprintf(stderr, "receiver: %s: %m\n", what);
    abort();
}

static bool send_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        bytes += sent;
        size -= (size_t)sent;
    }
    return true;
}

static bool send_str(int fd, const char *text)
{
    return send_all(fd, text, strlen(text));
}

static bool receive_more(struct connection *connection)
{
    char bytes[16384];
    ssize_t got = recv(connection->fd, bytes, sizeof bytes, 0);

    if (got <= 0)
        return false;
    buf_append(&connection->input, bytes, (size_t)got);
    return buf_ok(&connection->input);
}

bool received_header(const struct received *received, const char *name, char *ret_value, size_t size)
{
    size_t length = strlen(name);

    for (const char *line = strstr(received->head, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, length) != 0 || line[length] != ':')
            continue;
        line += length + 1;
        line += strspn(line, " \t");
        snprintf(ret_value, size, "%.*s", (int)strcspn(line, "\r\n"), line);
        return true;
    }
    return false;
}

/* The next request of the connection; false at its end. */
static bool read_request(struct connection *connection, struct received *ret_received)
{
    struct buf *input = &connection->input;
    struct received received = {.connection = connection->number};
    char length[32] = "0";
    char *end;

    while ((end = strstr(buf_str(input), "\r\n\r\n")) == NULL) {
        if (!receive_more(connection))
            return false;
        if (input->data[0] == TLS_HANDSHAKE) {
            send_str(connection->fd, "no TLS is spoken here\r\n");
            return false;
        }
    }
    received.head = strndup(input->data, (size_t)(end - input->data) + 2);
    buf_consume(input, (size_t)(end - input->data) + 4);
    received_header(&received, "Content-Length", length, sizeof length);
    received.body_size = strtoul(length, NULL, 10);
    while (input->length < received.body_size)
        if (!receive_more(connection)) {
            free(received.head);
            return false;
        }
    received.body = strndup(buf_str(input), received.body_size);
    buf_consume(input, received.body_size);
    *ret_received = received;
    return true;
}

static bool is_open(int fd)
{
    char byte;
    ssize_t got = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

    return got > 0 || (got < 0 && errno == EAGAIN);
}

/*
 * Requests whose other side is still there.  One that was given up counts no more, though the thread that
 * serves it may not have noticed yet.
 */
static size_t count_busy(const struct receiver *receiver)
{
    size_t count = 0;

    for (size_t i = 0; i < receiver->connection_count; i++)
        count += receiver->serving[i] && is_open(receiver->connections[i]);
    return count;
}

/* Records the request and takes the answer that is due. */
static struct receiver_answer record(struct connection *connection, const struct received *received)
{
    struct receiver *receiver = connection->receiver;
    struct receiver_answer answer;
    size_t index, busy;

    pthread_mutex_lock(&receiver->lock);
    must(receiver->request_count < REQUESTS_MAX, "too many requests");
    receiver->requests[receiver->request_count++] = *received;
    index = receiver->answered < receiver->answer_count ? receiver->answered : receiver->answer_count - 1;
    answer = receiver->answers[index];
    receiver->answered++;
    receiver->serving[connection->number] = true;
    busy = count_busy(receiver);
    if (busy > receiver->peak)
        receiver->peak = busy;
    pthread_cond_broadcast(&receiver->changed);
    pthread_mutex_unlock(&receiver->lock);
    return answer;
}

static void reset(int fd)
{
    const struct linger now = {.l_onoff = 1};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

/* Until the other side or receiver_stop() ends the connection. */
static void wait_for_end(struct connection *connection)
{
    char byte;

    while (recv(connection->fd, &byte, 1, 0) > 0)
        ;
}

static bool answer_plainly(int fd, const struct receiver_answer *answer, size_t promised)
{
    const char *body = answer->body != NULL ? answer->body : "";
    char head[256];

    snprintf(head, sizeof head, "HTTP/1.1 %d Status\r\nContent-Length: %zu\r\n", answer->status,
             strlen(body) + promised);
    return send_str(fd, head) && send_str(fd, answer->headers != NULL ? answer->headers : "") &&
           send_str(fd, "\r\n") && send_str(fd, body);
}

static void repeat(int fd, const char *start, const char *piece, long pause_ms)
{
    const struct timespec pause = {.tv_nsec = pause_ms * 1000000};

    if (!send_str(fd, start))
        return;
    while (send_str(fd, piece))
        if (pause_ms > 0)
            nanosleep(&pause, NULL);
}

/* Whether the connection goes on. */
static bool respond(struct connection *connection, const struct receiver_answer *answer)
{
    int fd = connection->fd;

    switch (answer->conduct) {
    case RECEIVER_ANSWERS:
        return answer_plainly(fd, answer, 0);
    case RECEIVER_HANGS:
        wait_for_end(connection);
        return false;
    case RECEIVER_RESETS:
        reset(fd);
        return false;
    case RECEIVER_RESETS_AFTER:
        answer_plainly(fd, answer, 100);
        reset(fd);
        return false;
    case RECEIVER_CLOSES:
        return false;
    case RECEIVER_TRICKLES:
        repeat(fd, "HTTP/1.1 200 OK\r\nX-Slow: ", "x", 20);
        return false;
    case RECEIVER_ENDLESS_BODY:
        repeat(fd, "HTTP/1.1 200 OK\r\n\r\n", "All work and no play makes Jack a dull boy.\n", 0);
        return false;
    case RECEIVER_ENDLESS_HEADERS:
        repeat(fd, "HTTP/1.1 200 OK\r\n", "X-More: and more and more and more and more\r\n", 0);
        return false;
    case RECEIVER_BABBLES:
        send_str(fd, "220 mail.example.com ESMTP\r\n");
        return false;
    }
    return false;
}

static void *serve_connection(void *context)
{
    struct connection *connection = context;
    struct receiver *receiver = connection->receiver;
    struct received received;
    bool more = true;

    while (more && read_request(connection, &received)) {
        struct receiver_answer answer = record(connection, &received);

        more = respond(connection, &answer);
        pthread_mutex_lock(&receiver->lock);
        receiver->serving[connection->number] = false;
        pthread_mutex_unlock(&receiver->lock);
    }
    pthread_mutex_lock(&receiver->lock);
    receiver->connections[connection->number] = -1;
    close(connection->fd);
    receiver->alive--;
    pthread_cond_broadcast(&receiver->changed);
    pthread_mutex_unlock(&receiver->lock);
    buf_release(&connection->input);
    free(connection);
    return NULL;
}

static void take_connection(struct receiver *receiver, int fd)
{
    struct connection *connection = calloc(1, sizeof *connection);
    const int on = 1;
    pthread_t thread;

    /* An answer is sent in pieces: they must not wait for acknowledgements, which take 40 ms. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    must(connection != NULL && receiver->connection_count < CONNECTIONS_MAX, "another connection");
    pthread_mutex_lock(&receiver->lock);
    *connection = (struct connection){receiver, fd, (int)receiver->connection_count, BUF_INIT(REQUEST_MAX)};
    receiver->connections[receiver->connection_count++] = fd;
    receiver->alive++;
    if (receiver->stopping)
        shutdown(fd, SHUT_RDWR);
    pthread_mutex_unlock(&receiver->lock);
    must(pthread_create(&thread, NULL, serve_connection, connection) == 0, "a thread");
    pthread_detach(thread);
}

static void *accept_all(void *context)
{
    struct receiver *receiver = context;

    for (;;) {
        int fd = accept4(receiver->listener, NULL, NULL, SOCK_CLOEXEC);

        if (fd >= 0)
            take_connection(receiver, fd);
        else if (errno != EINTR && errno != ECONNABORTED)
            return NULL;
    }
}

void receiver_script(struct receiver *receiver, const struct receiver_answer *answers, size_t count)
{
    must(count > 0 && count <= ANSWERS_MAX, "a script");
    pthread_mutex_lock(&receiver->lock);
    memcpy(receiver->answers, answers, count * sizeof *answers);
    receiver->answer_count = count;
    receiver->answered = 0;
    pthread_mutex_unlock(&receiver->lock);
}

struct receiver *receiver_start(const struct receiver_answer *answers, size_t count)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct receiver *receiver = calloc(1, sizeof *receiver);
    socklen_t size = sizeof address;
    pthread_condattr_t attributes;

    must(receiver != NULL, "memory");
    receiver->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(receiver->listener >= 0, "socket");
    must(bind(receiver->listener, (struct sockaddr *)&address, sizeof address) == 0, "bind");
    must(listen(receiver->listener, 512) == 0, "listen");
    must(getsockname(receiver->listener, (struct sockaddr *)&address, &size) == 0, "getsockname");
    receiver->port = ntohs(address.sin_port);
    snprintf(receiver->url, sizeof receiver->url, "http://127.0.0.1:%d/hook", receiver->port);
    pthread_mutex_init(&receiver->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&receiver->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    receiver_script(receiver, answers, count);
    must(pthread_create(&receiver->thread, NULL, accept_all, receiver) == 0, "a thread");
    return receiver;
}

struct receiver *receiver_stop(struct receiver *receiver)
{
    if (receiver == NULL)
        return NULL;
    shutdown(receiver->listener, SHUT_RDWR);
    pthread_join(receiver->thread, NULL);
    close(receiver->listener);
    pthread_mutex_lock(&receiver->lock);
    receiver->stopping = true;
    for (size_t i = 0; i < receiver->connection_count; i++)
        if (receiver->connections[i] >= 0)
            shutdown(receiver->connections[i], SHUT_RDWR);
    while (receiver->alive > 0)
        pthread_cond_wait(&receiver->changed, &receiver->lock);
    pthread_mutex_unlock(&receiver->lock);
    for (size_t i = 0; i < receiver->request_count; i++) {
        free(receiver->requests[i].head);
        free(receiver->requests[i].body);
    }
    pthread_cond_destroy(&receiver->changed);
    pthread_mutex_destroy(&receiver->lock);
    free(receiver);
    return NULL;
}

int receiver_port(const struct receiver *receiver)
{
    return receiver->port;
}

const char *receiver_url(const struct receiver *receiver)
{
    return receiver->url;
}

size_t receiver_wait(struct receiver *receiver, size_t count, int timeout_ms)
{
    struct timespec end;
    size_t have;
    int r = 0;

    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += timeout_ms / 1000 + (end.tv_nsec + timeout_ms % 1000 * 1000000L) / 1000000000L;
    end.tv_nsec = (end.tv_nsec + timeout_ms % 1000 * 1000000L) % 1000000000L;
    pthread_mutex_lock(&receiver->lock);
    while (receiver->request_count < count && r == 0)
        r = pthread_cond_timedwait(&receiver->changed, &receiver->lock, &end);
    have = receiver->request_count;
    pthread_mutex_unlock(&receiver->lock);
    return have;
}

const struct received *receiver_request(struct receiver *receiver, size_t index)
{
    must(index < receiver_wait(receiver, 0, 0), "no such request");
    return &receiver->requests[index];
}

size_t receiver_peak(struct receiver *receiver)
{
    size_t peak;

    pthread_mutex_lock(&receiver->lock);
    peak = receiver->peak;
    pthread_mutex_unlock(&receiver->lock);
    return peak;
}
