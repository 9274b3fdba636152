/* SPDX-License-Identifier: Apache-2.0 */
#include "base/notify.h"

#include <systemd/sd-daemon.h>

void notify_ready(const char *status)
{
    sd_notifyf(0, "READY=1\nSTATUS=%s", status);
}

void notify_stopping(void)
{
    sd_notify(0, "STOPPING=1");
}

int notify_listen_fd(void)
{
    return sd_listen_fds(1) >= 1 ? SD_LISTEN_FDS_START : -1;
}
