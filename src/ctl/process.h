/* SPDX-License-Identifier: Apache-2.0 */
/* The processes of this machine, by proc(5). */
#ifndef CTL_PROCESS_H
#define CTL_PROCESS_H

#include <dirent.h>
#include <stdbool.h>

#include "base/buf.h"

/* /proc/PID/status is some 1,500 bytes, a command line may be long. */
#define PROCESS_FILE_MAX (64 << 10)

/* A way through all processes; each next one's id as text, valid until the one behind it, NULL at the end. */
DIR *processes_open(void);
const char *processes_next(DIR *processes);
void processes_close(DIR **processes); /* for cleanup() */

/* Appends what /proc/PID/NAME holds; false where it cannot be read, or is longer than the buffer may be. */
bool process_read(const char *pid, const char *name, struct buf *buf);

/* The name of its program, cut to 15 bytes by the kernel; "" where it is gone. */
#define PROCESS_NAME_SIZE 17
void process_name(const char *pid, char ret_name[PROCESS_NAME_SIZE]);

/* How many descriptors it has open, and of them those of that file (NULL: none is looked for); -1 where that
 * is not ours to see. */
int process_descriptors(const char *pid, const char *path, int *ret_of_path);

#endif
