/* SPDX-License-Identifier: Apache-2.0 */
#include "api/api.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "api/pool.h"
#include "base/wake.h"
#include "codec/event_json.h"
#include "job/webhook_guard.h"

/*
 * Writes that wait for the one that is committed (COMMITTER_GROUP_MAX).  Each holds its connection: together
 * with WAITS_MAX they leave some of FD_SETSIZE to requests that write nothing, however long the database is
 * busy.
 */
#define WRITES_MAX 384

/* Connections that wait for a thread; the kernel's own limit is 4096. */
#define LISTEN_BACKLOG 1024

/* Beside its place first, then renamed into it: whoever connects finds the old socket or the new one. */
static int listen_at(const char *path, int *ret_fd, struct error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    cleanup(close_fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return error_system(err, errno, "cannot make a socket");
    if ((size_t)snprintf(address.sun_path, sizeof address.sun_path, "%s.new", path) >=
        sizeof address.sun_path)
        return error_set(err, -ENAMETOOLONG, "the setting `api_socket`, %s, must be shorter than %zu bytes",
                         path, sizeof address.sun_path - sizeof ".new" + 1);
    unlink(address.sun_path);
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) < 0)
        return error_system(err, errno, "cannot bind the socket %s", address.sun_path);
    /* Its group is nginx's; a hostile peer could end the process, so nobody else may connect. */
    if (chmod(address.sun_path, 0660) < 0 || listen(fd, LISTEN_BACKLOG) < 0 ||
        rename(address.sun_path, path) < 0)
        return error_system(err, errno, "cannot listen at the socket %s", path);
    *ret_fd = steal_fd(&fd);
    return 0;
}

/*
 * libfcgi closes with select(2), which writes past its sets for a descriptor of 1024 or more: there
 * must be none.  The setting api_threads is bounded so that they suffice.
 */
static int limit_descriptors(struct error *err)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return error_system(err, errno, "cannot read the limit of descriptors");
    if (limit.rlim_cur <= FD_SETSIZE)
        return 0;
    limit.rlim_cur = FD_SETSIZE;
    return setrlimit(RLIMIT_NOFILE, &limit) < 0 ? error_system(err, errno, "cannot limit descriptors") : 0;
}

/* One hint a commit, however many jobs are in it. */
static void hint(void *context)
{
    const struct api *api = context;

    wake_send(api->wake_socket, api->settings->database);
}

static int open_listener(const struct settings *settings, struct handover *sockets, struct error *err)
{
    int r = 0;

    if (sockets->listener < 0)
        r = listen_at(settings->api_socket, &sockets->listener, err);
    /* Connections are taken until there is none left. */
    if (r == 0 && fcntl(sockets->listener, F_SETFL, O_NONBLOCK) < 0)
        r = error_system(err, errno, "cannot set the socket up");
    return r;
}

int api_serve(const struct settings *settings, struct service *service, struct handover *sockets,
              void (*ready)(void), struct error *err)
{
    const struct event_json event_json = event_json_make(settings->public_base_url);
    struct api api = {
        .settings = settings,
        .clock = &clock_system,
        .store_options = {.path = settings->database,
                          .clock = &clock_system,
                          .renderer = &event_json.renderer,
                          .webhook_delay = settings_webhook_delay(settings),
                          .limits = limits_of_settings(settings),
                          .retention_audio = settings->retention_audio},
        .wake_socket = wake_sender(),
        .service = service,
        .sockets = sockets,
        .leave_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
        .checked_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
        .is_writable = true,
    };
    struct pool *pool = NULL;
    int r = api.checked_fd >= 0 && api.leave_fd >= 0 ? limit_descriptors(err)
                                                     : error_system(err, errno, "cannot make an eventfd");

    if (r == 0)
        r = webhook_guard_new(settings, &clock_system, &api.guard, err);
    if (r == 0 && FCGX_Init() != 0)
        r = error_set(err, -EIO, "libfcgi cannot start");
    if (r == 0)
        r = committer_start(&api.store_options, "sayhook-api", WRITES_MAX, &api.committer, err);
    if (r == 0)
        committer_on_commit(api.committer, hint, &api);
    if (r == 0)
        r = open_listener(settings, sockets, err);
    if (r == 0)
        r = pool_new(&api, &pool, err);
    if (r == 0)
        r = pool_start(pool, err);
    if (r < 0) { /* the process ends, and its threads with it */
        if (pool == NULL)
            guard_free(api.guard); /* else they may be at it */
        return r;
    }
    ready();
    pool_join(pool);
    committer_drain(api.committer);
    pool_free(pool); /* answers what has waited for it */
    committer_stop(api.committer);
    guard_free(api.guard);
    close_fd(&api.wake_socket);
    close_fd(&api.checked_fd);
    close_fd(&api.leave_fd);
    return atomic_load(&api.is_reloading) ? SERVICE_RELOAD : 0;
}
