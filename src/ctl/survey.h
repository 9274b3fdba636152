/* SPDX-License-Identifier: Apache-2.0 */
/* The service from outside of its database: who lives, who listens, how much room there is. */
#ifndef CTL_SURVEY_H
#define CTL_SURVEY_H

#include <stdbool.h>
#include <stdint.h>

#include "config/settings.h"
#include "store/store.h"

/* What a worker's lock, lease and boot say of it, as its fellows judge it. */
enum worker_state {
    WORKER_ALIVE,
    WORKER_ENDED,  /* its process is gone */
    WORKER_HUNG,   /* its process is there, and its lease ran out */
    WORKER_OTHER,  /* of an earlier boot of the machine */
    WORKER_UNKNOWN /* its lock may not be looked at */
};

enum worker_state survey_worker(const struct worker_row *row);

/* "alive", "ended", "hung", "of an earlier boot", "unknown". */
const char *worker_state_name(enum worker_state state);

/* 0 where somebody listens at the socket, else the positive errno that tells why not. */
int survey_socket(const char *path);

/* Bytes of a file; 0 where it is not there. */
int64_t survey_bytes(const char *path);

/* A folder that must have room. */
struct survey_disk {
    const char *setting; /* that names it */
    const char *path;
    uint64_t free_bytes;
    bool is_known; /* free_bytes is */
};
#define SURVEY_DISKS 3

/* Database, downloads and spool. */
void survey_disks(const struct settings *settings, struct survey_disk ret_disks[SURVEY_DISKS]);

/* What it means for the service that so many bytes are free, "ok" or what is not done any more. */
const char *survey_room(const struct settings *settings, uint64_t free_bytes);

#endif
