/* SPDX-License-Identifier: Apache-2.0 */
/* The folders that settings name: whose they are, and whether this process can use them. */
#ifndef CONFIG_PLACES_H
#define CONFIG_PLACES_H

#include <stdbool.h>

#include "base/error.h"
#include "config/settings.h"

/* Refuses folders that others may write in: whoever may makes a daemon say and do what they like. */
int places_check_owners(const struct settings *settings, struct error *err);

/*
 * Whether each folder is there, and can be written in by who does; writes_audio: this process writes to those
 * of the audio, too.  Where there is no state yet, as on a machine that a configuration is only written on,
 * nothing is missed but by who runs.
 */
int places_check(const struct settings *settings, bool writes_audio, bool runs, struct error *err);

#endif
