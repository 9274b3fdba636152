/* SPDX-License-Identifier: Apache-2.0 */
/* sayhook-api: takes texts over FastCGI, answers with jobs, and tells what became of them. */
#include <malloc.h>

#include "api/api.h"
#include "base/log.h"
#include "daemon/daemon.h"

/*
 * Memory for a large body is a mapping of its own, and goes back to the system with it.  Left to itself,
 * glibc takes the first large block that is freed for a sign to keep such blocks for good (M_MMAP_THRESHOLD
 * in mallopt(3)): a few bodies of 16 MB then cost 200 MB for ever.  Usual requests stay far below.
 */
#define OWN_MAPPING_BYTES (256 * 1024)

static void ready(void)
{
    service_ready("taking requests");
    log_info("started");
}

static int serve(struct daemon *daemon, struct error *err)
{
    mallopt(M_MMAP_THRESHOLD, OWN_MAPPING_BYTES);
    return api_serve(&daemon->options.settings, &daemon->service, &daemon->sockets, ready, err);
}

int main(int argc, char **argv)
{
    static const struct program_description program = {
        .name = "sayhook-api",
        .summary = "takes texts over FastCGI and tells what became of them",
        .keeps_state = true,
    };

    return daemon_main(argc, argv, &program, serve);
}
