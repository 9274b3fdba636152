/* SPDX-License-Identifier: Apache-2.0 */
#include "base/service.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "base/cleanup.h"

/* The status line is as old as this at most. */
#define TICK_MAX_MS 10000

/* Half of what the watchdog waits (sd_watchdog_enabled(3)), so that one late call ends nothing. */
static int64_t tick_of_watchdog(void)
{
    uint64_t watchdog_us;
    int64_t half_ms = TICK_MAX_MS;

    if (getenv("NOTIFY_SOCKET") == NULL)
        return 0;
    if (sd_watchdog_enabled(0, &watchdog_us) > 0)
        half_ms = (int64_t)(watchdog_us / 2000);
    return half_ms < TICK_MAX_MS ? half_ms + (half_ms == 0) : TICK_MAX_MS;
}

static int open_signals(const int *numbers, size_t count, int *ret_fd, struct error *err)
{
    sigset_t set;
    int fd;

    sigemptyset(&set);
    for (size_t i = 0; i < count; i++)
        sigaddset(&set, numbers[i]);
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0 ||
        (fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
        return error_system(err, errno, "cannot wait for signals");
    *ret_fd = fd;
    return 0;
}

int service_open(struct service *service, struct error *err)
{
    static const int stopping[] = {SIGTERM, SIGINT}, reloading[] = {SIGHUP};
    int r;

    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    service->stop_fd = service->reload_fd = -1;
    service->tick_ms = tick_of_watchdog();
    r = open_signals(stopping, array_length(stopping), &service->stop_fd, err);
    if (r == 0)
        r = open_signals(reloading, array_length(reloading), &service->reload_fd, err);
    if (r < 0)
        service_close(service);
    return r;
}

void service_close(struct service *service)
{
    close_fd(&service->stop_fd);
    close_fd(&service->reload_fd);
    service->stop_fd = service->reload_fd = -1;
}

bool service_reload_asked(struct service *service)
{
    struct signalfd_siginfo info;
    bool asked = false;

    while (read(service->reload_fd, &info, sizeof info) == sizeof info)
        asked = true;
    return asked && (service->may_reload == NULL || service->may_reload(service->context));
}

void service_ready(const char *status)
{
    sd_notifyf(0, "READY=1\nSTATUS=%s", status);
}

void service_alive(const char *status)
{
    sd_notifyf(0, "WATCHDOG=1\nSTATUS=%s", status);
}

void service_stopping(void)
{
    sd_notify(0, "STOPPING=1\nSTATUS=ending what is under way");
}

void service_reloading(void)
{
    sd_notify(0, "RELOADING=1\nSTATUS=ending what is under way, to begin anew");
}
