/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the API share: the process, one request and its reply, the routes. */
#ifndef API_INTERNAL_H
#define API_INTERNAL_H

#include <stdatomic.h>
#include <stdbool.h>

#include <fcgiapp.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/handover.h"
#include "base/log.h"
#include "base/service.h"
#include "codec/header.h"
#include "codec/problem.h"
#include "codec/query.h"
#include "config/settings.h"
#include "job/http.h"
#include "net/guard.h"
#include "store/committer.h"
#include "store/store.h"

/* The longest path that any route has is a third of this. */
#define PATH_MAX_BYTES 256

/* A page of 100 jobs with all that they can hold: URLs of 2 KiB, metadata of 2 KiB, warnings. */
#define REPLY_MAX (4 * 1024 * 1024)

/* Header fields of a reply. */
#define HEAD_MAX 4096

/* What a client that polls should wait, in seconds. */
#define POLL_RETRY_AFTER 1

struct waits;

struct api {
    const struct settings *settings;
    const struct clock *clock;
    struct store_options store_options;
    struct committer *committer;
    struct guard *guard;
    struct waits *waits;
    int wake_socket;
    struct service *service;
    struct handover *sockets;
    int leave_fd;                /* an eventfd, readable once all are to end for a reload */
    atomic_bool is_reloading;    /* likewise */
    atomic_bool is_ending;       /* for a reload or for good: the service manager knows */
    atomic_ullong requests;      /* since the last status line */
    atomic_llong body_bytes;     /* in memory, of all requests */
    atomic_llong space_at;       /* when the space on the disk was last asked for, monotonic */
    atomic_bool storage_is_full; /* what the answer was */
    struct commit_work check;    /* a write that shows whether the database takes any */
    int checked_fd;              /* an eventfd: the check has ended */
    atomic_bool is_checking;     /* it is under way */
    atomic_llong write_at;       /* from when on the next one is due, monotonic */
    atomic_bool is_writable;     /* what the last one said */
};

/*
 * API keys that a thread has seen lately, so that most requests need not read them.  A key that was revoked
 * is refused once its entry is KEY_CACHE_MS old: the contract allows a second.
 */
#define KEY_CACHE_MS   100
#define KEY_CACHE_SIZE 16

struct key_cache {
    struct {
        unsigned char hash[KEY_HASH_SIZE];
        int64_t loaded_at; /* monotonic; 0: empty */
        struct api_key key;
    } entries[KEY_CACHE_SIZE];
};

/* What a request waits for (api/wait.h). */
struct job_wait {
    int64_t job; /* the row */
    int64_t key; /* likewise */
    enum job_status status;
    int64_t until; /* monotonic */
    bool looked_at;
};

/* One request and its reply. */
struct exchange {
    struct api *api;
    struct store *store; /* the thread's own, for reads */
    FCGX_Request *fcgi;
    const char *method;
    bool head_only; /* a HEAD: as GET, without the body */
    enum http_route route;
    int64_t started_at; /* monotonic microseconds */
    char path[PATH_MAX_BYTES];
    const char *query;             /* behind the "?", not decoded; "" */
    char argument[PATH_MAX_BYTES]; /* what stood where the route's pattern has its placeholder */
    char request_id[HEADER_REQUEST_ID_MAX + 1];
    struct key_cache *keys; /* the thread's own */
    const struct api_key
        *key; /* of a route that asks for one; the cache's, and so not to be read once deferred */
    struct key_standing standing; /* how it stands, for the reply */

    /* Set by a handler whose reply waits for a commit: called once the request has been read to its end.  The
     * exchange belongs to it from then on, until exchange_finish(). */
    void (*deferred)(struct exchange *exchange);
    struct exchange *next; /* among those that are to be resumed */
    struct job_wait wait;
    bool has_waited; /* the handler runs for a second time, after a wait */
    void *creation;  /* what the handler keeps for it */

    int status;
    enum {
        CACHING_NONE,
        CACHING_BY_TAG,   /* kept, and asked for anew by its ETag */
        CACHING_BY_NGINX, /* nginx sends a file in place of the reply */
    } caching;
    struct buf *head; /* the thread's own: header fields, each with its CRLF */
    struct buf *body; /* likewise */
    const char *content_type;
};

/* ---- exchange.c: request and reply ---- */

/* Reads what a request says of itself; false where the reply is made already. */
bool exchange_start(struct exchange *exchange);

/* A header field of the request, "HTTP_ACCEPT", or NULL. */
const char *request_field(const struct exchange *exchange, const char *name);

/*
 * The values of a header field one by one, "" where one is empty: *parameters starts as those of the request
 * (fcgi->envp).  NULL where there is none left.  nginx hands each line of a field on by itself.
 */
const char *request_line(char *const **parameters, const char *name);

/*
 * The same of a field that is a list, which a client may send in several lines (RFC 9110 section 5.3).
 * joined is where they are put together; what does not fit there is left out.
 */
#define REQUEST_LIST_SIZE 1024
const char *request_list(const struct exchange *exchange, const char *name, char joined[REQUEST_LIST_SIZE]);

void reply_field(struct exchange *exchange, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A reply whose body the caller has rendered into exchange->body. */
void reply_json(struct exchange *exchange, int status);

void reply_problem(struct exchange *exchange, enum problem problem, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void reply_faults(struct exchange *exchange, enum problem problem, const struct faults *faults);

/* 429: one of the limits of the key, which stands as exchange->standing, is hit. */
void reply_limited(struct exchange *exchange, const struct limit_hit *hit);

/*
 * Behind a reply whose body is rendered: its ETag, and 304 without the body where If-None-Match has it.  The
 * tag is over the bytes: whatever a client can see changes it, and nothing else does.
 */
void reply_tagged(struct exchange *exchange);

/* For a failure of ours: logged, and told as 500, or as 503 where trying again may help. */
void reply_failure(struct exchange *exchange, int r, const struct error *err);

/* Writes the reply to the client. */
void exchange_send(struct exchange *exchange);

/* Writes the reply and hands the connection back.  Any thread; afterwards the exchange is gone. */
void exchange_finish(struct exchange *exchange);

/*
 * From the committer's thread: has `deferred` called on one of the API's own, so that the next commit need
 * not wait for replies to be written.
 */
void exchange_resume(struct exchange *exchange);

/*
 * Reads the body: *ret_body is allocated (and ends with a NUL), and the caller gives it back with
 * body_free().  False where the reply is made: no JSON, too large, too many at once, or cut short.
 */
bool body_read(struct exchange *exchange, char **ret_body, size_t *ret_size);

/* For a call that takes no body, and passes over one of the right type: false where the reply is made. */
bool body_is_none_or_json(struct exchange *exchange);
void body_free(struct api *api, char *body, size_t size);

/* ---- cors.c: pages of other origins ---- */

/* To the answer of OPTIONS: what a page of an origin that is allowed may send. */
void cors_preflight(struct exchange *exchange, const char *methods);

/* To every reply: whether a page may read it. */
void cors_reply(struct exchange *exchange);

/* ---- auth.c: keys ---- */

/* Finds the key of the request; false where the reply is made: there is none that is live. */
bool authenticate(struct exchange *exchange);

void key_cache_clear(struct key_cache *cache);

/* ---- query.c: the query string ---- */

/* query_decode() of the request's own; false where the reply is made: 400 invalid_parameter. */
bool query_parse(struct exchange *exchange, struct query *ret_query);

/* Notes what is wrong with a parameter, under its name. */
void query_fault(struct faults *faults, const struct query_parameter *parameter, const char *code,
                 const char *detail);

/* For a call that takes no parameters: false where the reply is made. */
bool query_is_empty(struct exchange *exchange);

/* ---- routes ---- */

/* Finds the route and answers. */
void route(struct exchange *exchange);

void handle_job_create(struct exchange *exchange);
void handle_job_get(struct exchange *exchange);
void handle_job_list(struct exchange *exchange);
void handle_job_cancel(struct exchange *exchange);
void handle_deliveries(struct exchange *exchange);
void handle_redeliver(struct exchange *exchange);
void handle_download(struct exchange *exchange);
void handle_usage(struct exchange *exchange);
void handle_voices(struct exchange *exchange);
void handle_healthz(struct exchange *exchange);
void handle_readyz(struct exchange *exchange);
void handle_metrics(struct exchange *exchange);

/* ---- gauges.c ---- */

struct workers_seen {
    size_t alive;
    int64_t beat_ms;       /* since any of those that are registered gave a sign of life; -1: none is */
    int64_t alive_beat_ms; /* since one that is alive did; -1: none is */
};
int workers_look(struct exchange *exchange, struct workers_seen *ret_seen, struct error *err);

/* Those of the metrics that are not kept, from METRIC_COUNT on. */
int gauges_read(struct exchange *exchange, double values[METRIC_END], struct error *err);

/* True where the disk is below its reserve; and what is told to who would have more written there. */
bool storage_is_full(struct api *api);
void reply_storage_full(struct exchange *exchange);

#endif
