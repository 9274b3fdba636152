/* SPDX-License-Identifier: Apache-2.0 */
/* A user who ends the program is told what goes on without it. */
#ifndef CTL_INTERRUPT_H
#define CTL_INTERRUPT_H

/* Where SIGINT or SIGTERM ends the program from now on, the line goes to stderr first; what is too long is
 * cut. */
void interrupt_say(const char *line);

#endif
