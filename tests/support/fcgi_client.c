/* SPDX-License-Identifier: Apache-2.0 */
#include "support/fcgi_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"

/* FastCGI 1.0, section 8. */
enum record_type {
    RECORD_BEGIN = 1,
    RECORD_END = 3,
    RECORD_PARAMS = 4,
    RECORD_STDIN = 5,
    RECORD_STDOUT = 6,
};
#define ROLE_RESPONDER  1
#define KEEP_CONNECTION 1
#define RECORD_HEADER   8
#define CONTENT_MAX     65535

/* A reply of a hundred jobs is smaller. */
#define TRAFFIC_MAX (64 * 1024 * 1024)

int fcgi_connect(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    cleanup(close_fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    cr_assert(fd >= 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) < 0)
        return -1;
    return steal_fd(&fd);
}

static void put_record(struct buf *out, enum record_type type, const void *content, size_t size)
{
    const unsigned char header[RECORD_HEADER] = {
        1, (unsigned char)type, 0, 1, (unsigned char)(size >> 8), (unsigned char)size, 0, 0};

    buf_append(out, header, sizeof header);
    buf_append(out, content, size);
}

/* A stream is records of it, ended by an empty one. */
static void put_stream(struct buf *out, enum record_type type, const char *bytes, size_t size)
{
    while (size > 0) {
        size_t part = size < CONTENT_MAX ? size : CONTENT_MAX;

        put_record(out, type, bytes, part);
        bytes += part;
        size -= part;
    }
    put_record(out, type, NULL, 0);
}

static void put_length(struct buf *out, size_t length)
{
    const unsigned char bytes[] = {(unsigned char)(0x80 | length >> 24), (unsigned char)(length >> 16),
                                   (unsigned char)(length >> 8), (unsigned char)length};

    buf_append(out, bytes, sizeof bytes);
}

static void put_param(struct buf *out, const char *name, const char *value)
{
    put_length(out, strlen(name));
    put_length(out, strlen(value));
    buf_append_str(out, name);
    buf_append_str(out, value);
}

static void put_params(struct buf *params, const struct fcgi_request *request, size_t body_size)
{
    char text[300];

    put_param(params, "REQUEST_METHOD", request->method != NULL ? request->method : "GET");
    put_param(params, "REQUEST_URI", request->uri);
    put_param(params, "REMOTE_ADDR", request->address != NULL ? request->address : "127.0.0.1");
    if (request->body != NULL || request->length != NULL) {
        snprintf(text, sizeof text, "%zu", body_size);
        put_param(params, "CONTENT_LENGTH", request->length != NULL ? request->length : text);
        put_param(params, "CONTENT_TYPE",
                  request->content_type != NULL ? request->content_type : "application/json");
    }
    if (request->key != NULL) {
        snprintf(text, sizeof text, "Bearer %s", request->key);
        put_param(params, "HTTP_AUTHORIZATION", text);
    }
    for (size_t i = 0; i < FCGI_FIELDS_MAX && request->fields[i][0] != NULL; i++)
        put_param(params, request->fields[i][0], request->fields[i][1]);
}

/* Makes params longer, until what stands before the end of the body's last record is a multiple of align. */
static void pad_params(struct buf *params, size_t body_size, size_t align)
{
    static const char name[] = "HTTP_X_PADDING";
    size_t records = (body_size + CONTENT_MAX - 1) / CONTENT_MAX;
    size_t before = 2 * RECORD_HEADER + params->length + 2 * RECORD_HEADER + 8 + strlen(name) +
                    records * RECORD_HEADER + body_size;
    size_t padding = (align - before % align) % align;
    cleanup(free_ptr) char *value = malloc(padding + 1);

    memset(value, 'x', padding);
    value[padding] = '\0';
    put_param(params, name, value);
}

static void put_request(struct buf *out, const struct fcgi_request *request)
{
    const unsigned char begin[8] = {0, ROLE_RESPONDER, request->keep ? KEEP_CONNECTION : 0};
    size_t body_size = request->body_size != 0 ? request->body_size
                       : request->body != NULL ? strlen(request->body)
                                               : 0;
    cleanup(buf_release) struct buf params = BUF_INIT(TRAFFIC_MAX);

    put_params(&params, request, body_size);
    if (request->align != 0)
        pad_params(&params, body_size, request->align);
    put_record(out, RECORD_BEGIN, begin, sizeof begin);
    put_stream(out, RECORD_PARAMS, buf_str(&params), params.length);
    put_stream(out, RECORD_STDIN, request->body, body_size);
}

static bool read_exactly(int fd, void *bytes, size_t size)
{
    char *at = bytes;

    while (size > 0) {
        ssize_t got = read(fd, at, size);

        if (got <= 0)
            return false;
        at += got;
        size -= (size_t)got;
    }
    return true;
}

static void read_reply(int fd, struct fcgi_reply *reply)
{
    unsigned char header[RECORD_HEADER];
    char content[CONTENT_MAX + 255];

    while (!reply->ended && read_exactly(fd, header, sizeof header)) {
        size_t size = (size_t)header[4] << 8 | header[5];

        if (!read_exactly(fd, content, size + header[6]))
            return;
        if (header[1] == RECORD_STDOUT)
            buf_append(&reply->all, content, size);
        reply->ended = header[1] == RECORD_END;
    }
}

static void split_reply(struct fcgi_reply *reply)
{
    static const char status[] = "Status: ";
    char *end = reply->all.data != NULL ? strstr(reply->all.data, "\r\n\r\n") : NULL;

    if (end == NULL)
        return;
    end[2] = '\0';
    reply->head = reply->all.data;
    reply->body = end + 4;
    reply->body_size = reply->all.length - (size_t)(reply->body - reply->head);
    cr_assert_eq(strncmp(reply->head, status, sizeof status - 1), 0, "%s", reply->head);
    reply->status = atoi(reply->head + sizeof status - 1);
}

void fcgi_send(int fd, const struct fcgi_request *request)
{
    cleanup(buf_release) struct buf out = BUF_INIT(TRAFFIC_MAX);
    size_t sent = 0;

    put_request(&out, request);
    while (sent < out.length) {
        ssize_t part = send(fd, out.data + sent, out.length - sent, MSG_NOSIGNAL);

        if (part < 0) /* answered early: the reply tells */
            break;
        sent += (size_t)part;
    }
}

struct fcgi_reply fcgi_receive(int fd)
{
    struct fcgi_reply reply = {.all = BUF_INIT(TRAFFIC_MAX)};

    read_reply(fd, &reply);
    split_reply(&reply);
    return reply;
}

struct fcgi_reply fcgi_call(int fd, const struct fcgi_request *request)
{
    fcgi_send(fd, request);
    return fcgi_receive(fd);
}

struct fcgi_reply fcgi_call_once(const char *path, const struct fcgi_request *request)
{
    cleanup(close_fd) int fd = fcgi_connect(path);

    cr_assert(fd >= 0, "nobody listens at %s", path);
    return fcgi_call(fd, request);
}

void fcgi_reply_release(struct fcgi_reply *reply)
{
    buf_release(&reply->all);
    *reply = (struct fcgi_reply){0};
}

const char *fcgi_reply_field(const struct fcgi_reply *reply, const char *name, char *buffer, size_t size)
{
    size_t length = strlen(name);

    for (const char *line = reply->head; line != NULL && *line != '\0'; line = strstr(line, "\r\n") + 2) {
        if (strncasecmp(line, name, length) != 0 || line[length] != ':')
            continue;
        line += length + 1;
        line += *line == ' ';
        snprintf(buffer, size, "%.*s", (int)strcspn(line, "\r"), line);
        return buffer;
    }
    return NULL;
}
