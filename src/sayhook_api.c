/* SPDX-License-Identifier: Apache-2.0 */
/* sayhook-api: takes texts over FastCGI, answers with jobs, and tells what became of them. */
#include <sysexits.h>

#include "api/api.h"
#include "base/cleanup.h"
#include "base/notify.h"
#include "base/stop.h"
#include "config/options.h"

static void ready(void)
{
    notify_ready("taking requests");
    log_info("started");
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
    stop_fd = stop_open(&err);
    if (stop_fd < 0 || api_serve(&options.settings, notify_listen_fd(), stop_fd, ready, &err) < 0) {
        log_error("%s", err.text);
        return EX_UNAVAILABLE;
    }
    notify_stopping();
    log_info("stopped");
    return EX_OK;
}
