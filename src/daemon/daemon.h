/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the mains of the two daemons share: configuration, signals, and how one begins anew.
 *
 * On SIGHUP a daemon looks whether the configuration can be read.  Where it can, the daemon ends what is
 * under way and executes its program again in the same process: so a reload takes in every setting, and a
 * newer program, and there is no second way for a setting to come into force.
 */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include "base/handover.h"
#include "base/service.h"
#include "config/options.h"

struct daemon {
    const struct program_description *program;
    struct options options;
    struct service service;
    struct handover sockets; /* that it was started with, and that it leaves */
};

/* Reads the configuration, serves, and returns what the process exits with.  serve returns as api_serve()
 * does. */
int daemon_main(int argc, char **argv, const struct program_description *program,
                int (*serve)(struct daemon *daemon, struct error *err));

#endif
