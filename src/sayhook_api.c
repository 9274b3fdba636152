/* SPDX-License-Identifier: Apache-2.0 */
/* sayhook-api: takes texts over FastCGI, answers with jobs, and tells what became of them. */
#include <malloc.h>
#include <sysexits.h>

#include "api/api.h"
#include "base/cleanup.h"
#include "base/notify.h"
#include "base/stop.h"
#include "config/options.h"

/*
 * Memory for a large body is a mapping of its own, and goes back to the system with it.  Left to itself,
 * glibc takes the first large block that is freed for a sign to keep such blocks for good (M_MMAP_THRESHOLD
 * in mallopt(3)): a few bodies of 16 MB then cost 200 MB for ever.  Usual requests stay far below.
 */
#define OWN_MAPPING_BYTES (256 * 1024)

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
    int r;

    if (code != OPTIONS_RUN)
        return code;
    mallopt(M_MMAP_THRESHOLD, OWN_MAPPING_BYTES);
    stop_fd = stop_open(&err);
    r = stop_fd < 0 ? stop_fd : api_serve(&options.settings, notify_listen_fd(), stop_fd, ready, &err);
    if (r < 0) {
        log_error("%s", err.text);
        return daemon_exit_code(r);
    }
    notify_stopping();
    log_info("stopped");
    return EX_OK;
}
