/* SPDX-License-Identifier: Apache-2.0 */
/* What a process was at when it crashed, written down for whoever clears up behind it. */
#ifndef BASE_CRASH_H
#define BASE_CRASH_H

#include "base/error.h"

/*
 * From now on a signal that a fault of the program raises (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT) writes
 * the note of its thread to the beginning of fd first, and then does what it did before.  Another call names
 * another descriptor; -1 is none.  A process that is killed writes nothing.
 */
int crash_note_to(int fd, struct error *err);

/* The note of this thread from now on, which must stay where it is; NULL is none. */
void crash_note(const char *note);

#endif
