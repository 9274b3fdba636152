/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cage of a synthesizer: whatever a text makes flite do, it can compute, read stdin and write stdout.
 *
 * In a build with AddressSanitizer or ThreadSanitizer the cage has holes, since these open files for their
 * reports and reserve terabytes of addresses: see sandbox.c.  Such a build is for tests alone.
 */
#ifndef ENGINE_SANDBOX_H
#define ENGINE_SANDBOX_H

#include <sys/types.h>

#include "base/error.h"

/* The compiler tells of these two; UndefinedBehaviorSanitizer alone needs nothing special. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANDBOX_SANITIZED 1
#else
#define SANDBOX_SANITIZED 0
#endif

/*
 * Enters the sandbox for the rest of the process: descriptors other than 0 and 1 are closed (2 leads to
 * /dev/null: flite writes pieces of the text there), rights, limits and system calls are cut down, and the
 * process is killed with its parent, or at once where that is no longer the parent given.  A forbidden
 * system call kills the process with SIGSYS.
 */
int sandbox_enter(pid_t parent, struct error *err);

#endif
