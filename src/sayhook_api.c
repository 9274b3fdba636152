/* SPDX-License-Identifier: Apache-2.0 */
/* sayhook-api: takes texts over FastCGI, answers with jobs, and tells what became of them. */
#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sysexits.h>

#include "api/api.h"
#include "base/cleanup.h"
#include "base/notify.h"
#include "config/options.h"

static void ready(void)
{
    notify_ready("taking requests");
    log_info("started");
}

/* SIGTERM and SIGINT as a descriptor that every thread can wait for: nobody reads it, so it stays readable.
 */
static int open_stop_fd(struct error *err)
{
    sigset_t set;
    int fd;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0 || (fd = signalfd(-1, &set, SFD_CLOEXEC)) < 0)
        return error_system(err, errno, "cannot wait for signals");
    return fd;
}

int main(int argc, char **argv)
{
    static const struct program_description program = {
        .name = "sayhook-api",
        .summary = "takes texts over FastCGI and tells what became of them",
    };
    cleanup(options_release) struct options options = {0};
    cleanup(close_fd) int stop_fd = -1;
    struct error err = {""};
    int code = options_parse(argc, argv, &program, &options);

    if (code != OPTIONS_RUN)
        return code;
    signal(SIGPIPE, SIG_IGN); /* nginx may close a connection at any time */
    stop_fd = open_stop_fd(&err);
    if (stop_fd < 0 || api_serve(&options.settings, notify_listen_fd(), stop_fd, ready, &err) < 0) {
        log_error("%s", err.text);
        return EX_UNAVAILABLE;
    }
    notify_stopping();
    log_info("stopped");
    return EX_OK;
}
