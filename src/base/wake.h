/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hint from whoever committed something to whoever polls for it: an empty datagram on a Unix socket beside
 * the database.  Nothing depends on it: a hint that is lost costs one poll interval.
 *
 * There is one socket a database.  Of several workers the one that started last gets the hints; the others
 * poll.
 */
#ifndef BASE_WAKE_H
#define BASE_WAKE_H

#include "base/error.h"

/*
 * Binds the socket of a database, in place of any that is there.  *ret_fd is non-blocking, and the caller
 * closes it; it is -1 where the path is too long for a socket: then there are no hints.
 */
int wake_open(const char *database, int *ret_fd, struct error *err);

/* Reads the hints that have come. */
void wake_drain(int fd);

/* A sender's socket, -1 where there can be none; wake_send() takes either and never blocks. */
int wake_sender(void);
void wake_send(int sender, const char *database);

#endif
