/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP API: what the process holds, and its life. */
#ifndef API_API_H
#define API_API_H

#include "base/error.h"
#include "config/settings.h"

/*
 * Serves until stop_fd becomes readable: as many threads as the setting api_threads says take requests from
 * one listening socket.  listen_fd is a socket that was passed to the process, or -1: then one is made at the
 * setting api_socket.  ready is called once requests are taken.
 */
int api_serve(const struct settings *settings, int listen_fd, int stop_fd, void (*ready)(void),
              struct error *err);

#endif
