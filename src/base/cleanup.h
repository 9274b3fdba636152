/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clean-up by attribute: a local owner releases what it owns when it leaves its scope, on every path.
 *
 *     cleanup(free_ptr) char *line = NULL;
 *     cleanup(close_fd) int fd = -1;
 *
 * To hand the thing on, take it out of its variable with steal_ptr() or steal_fd().
 */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define cleanup(function) __attribute__((cleanup(function)))

#define array_length(array) (sizeof(array) / sizeof((array)[0]))

static inline void free_ptr(void *variable)
{
    free(*(void **)variable);
}

static inline void close_fd(int *variable)
{
    if (*variable >= 0)
        close(*variable);
}

static inline void close_file(FILE **variable)
{
    if (*variable != NULL)
        fclose(*variable);
}

/* The struct of which member is a part, from a pointer to that member. */
#define container_of(pointer, type, member) ((type *)((uintptr_t)(pointer)-offsetof(type, member)))

#define steal_ptr(variable)                                                                                  \
    ({                                                                                                       \
        __typeof__(*(variable)) _v = *(variable);                                                            \
        *(variable) = NULL;                                                                                  \
        _v;                                                                                                  \
    })

static inline int steal_fd(int *variable)
{
    int fd = *variable;

    *variable = -1;
    return fd;
}

#endif
