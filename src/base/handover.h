/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets that outlive a daemon: those that it is started with, and those that it leaves to the next of its
 * kind.
 *
 * A listener comes from the service manager (sd_listen_fds(3)).  Connections that a peer keeps open between
 * two requests must not be closed by a daemon that goes: the peer may be sending its next request, and nobody
 * could tell it whether that was heard.  So they wait in the service manager's file descriptor store while
 * the service is restarted, and pass through exec(3) where the program takes its own place.  The protocol is
 * the same both times.
 */
#ifndef BASE_HANDOVER_H
#define BASE_HANDOVER_H

#include <stddef.h>

#include "base/error.h"

/*
 * All descriptors of the API are below what select(2) takes (api/server.c), and those that are passed are
 * there before its own are: they leave it room.  Of connections that wait for a request there are far fewer.
 */
#define HANDOVER_MAX 768

/* Owned. */
struct handover {
    int listener; /* or -1 */
    size_t count;
    int connections[HANDOVER_MAX];
};

/* Takes what was passed to this process.  What is no stream socket is closed. */
void handover_receive(struct handover *ret_sockets);

/* Adds a connection; one too many is closed. */
void handover_add(struct handover *sockets, int fd);

/* Leaves the connections with the service manager, for the next start.  Without one, nothing. */
void handover_store(const struct handover *sockets);

/*
 * Executes the program anew in this process, with the sockets: the one at the path argv[0] or, where that is
 * no path or cannot be executed, the one that runs.  Returns where that failed.
 */
int handover_exec(struct handover *sockets, char **argv, struct error *err);

/* Closes all. */
void handover_release(struct handover *sockets);

#endif
