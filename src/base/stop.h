/* SPDX-License-Identifier: Apache-2.0 */
/* The signals that ask a daemon to stop, as a descriptor. */
#ifndef BASE_STOP_H
#define BASE_STOP_H

#include "base/error.h"

/*
 * Blocks SIGTERM and SIGINT in this thread and in those that it starts later, and returns a descriptor that
 * becomes readable when one of them comes; nobody reads it, so that every thread that waits for it sees it.
 * Ignores SIGPIPE and SIGXFSZ: a peer that goes away, or a file that may not grow further, is the error of a
 * write, not the end of the process.  The caller closes it.
 */
int stop_open(struct error *err);

#endif
