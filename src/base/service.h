/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A daemon as its service manager sees it: the signals that it obeys, as descriptors, and what it says of
 * itself (sd_notify(3)).  Without a service manager nobody listens, and all is silent.
 */
#ifndef BASE_SERVICE_H
#define BASE_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* What a daemon's loop returns in place of 0 where it ended to begin anew, with the configuration as it is
 * now. */
#define SERVICE_RELOAD 1

/* The longest status line: a terminal shows it in `systemctl status`. */
#define SERVICE_STATUS_MAX 160

struct service {
    int stop_fd;     /* readable for good once SIGTERM or SIGINT has come: every thread that waits sees it */
    int reload_fd;   /* readable once SIGHUP has come, until service_reload_asked() */
    int64_t tick_ms; /* service_alive() is to be called so often, from the loop itself; 0: nobody listens */
    bool (*may_reload)(
        void *context); /* asked before a reload; false, with the reason logged, refuses it.  NULL: always */
    void *context;
};

/*
 * Blocks SIGTERM, SIGINT and SIGHUP in this thread and in those that it starts later, and opens their
 * descriptors. Ignores SIGPIPE and SIGXFSZ: a peer that goes away, or a file that may not grow further, is
 * the error of a write, not the end of the process.  may_reload and context stay as they are.
 */
int service_open(struct service *service, struct error *err);
void service_close(struct service *service);

/* For whom reload_fd woke: true where the loop is to end with SERVICE_RELOAD. */
bool service_reload_asked(struct service *service);

/* The service is up; status is the line that `systemctl status` shows. */
void service_ready(const char *status);

/* It goes on, and the watchdog may rest until the next call is due; status as above. */
void service_alive(const char *status);

/* It begins to stop, or to load itself anew. */
void service_stopping(void);
void service_reloading(void);

#endif
