/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP API: what the process holds, and its life. */
#ifndef API_API_H
#define API_API_H

#include "base/error.h"
#include "base/handover.h"
#include "base/service.h"
#include "config/settings.h"

/*
 * Serves until it is told to stop (0) or to begin anew (SERVICE_RELOAD): as many threads as the setting
 * api_threads says take requests from one listening socket.  sockets has what was passed to the process;
 * without a listener one is made at the setting api_socket.  Afterwards it has the listener and the
 * connections that nginx keeps, each between two requests.  ready is called once requests are taken.
 */
int api_serve(const struct settings *settings, struct service *service, struct handover *sockets,
              void (*ready)(void), struct error *err);

#endif
