/* SPDX-License-Identifier: Apache-2.0 */
/* What systemd hears of a service, and what it hands over: sd_notify(3), sd_listen_fds(3).  Elsewhere all is
 * silent. */
#ifndef BASE_NOTIFY_H
#define BASE_NOTIFY_H

/* The service is up; status is the line that `systemctl status` shows. */
void notify_ready(const char *status);

/* The service begins to stop. */
void notify_stopping(void);

/* The first socket that systemd passed to this process, or -1 where it passed none. */
int notify_listen_fd(void);

#endif
