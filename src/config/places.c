/* SPDX-License-Identifier: Apache-2.0 */
#include "config/places.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/ownership.h"

int places_check_owners(const struct settings *settings, struct error *err)
{
    char database[PATH_MAX];
    const bool fits = (size_t)snprintf(database, sizeof database, "%s", settings->database) < sizeof database;
    const char *const folders[] = {fits ? dirname(database) : settings->database, settings->downloads_dir,
                                   settings->spool_dir};
    int r = 0;

    for (size_t i = 0; r == 0 && i < array_length(folders); i++)
        r = ownership_check_path(folders[i], OWNER_SELF, OTHERS_MAY_CHANGE, err);
    return r;
}

/* Without it a daemon that begins anew would end: better to know before it gives up what it is at. */
static int check_place(const char *setting, const char *folder, int mode, struct error *err)
{
    int number;

    if (access(folder, mode) == 0)
        return 0;
    number = errno;
    return error_set(err, -number, "%s %s: %s; %s", setting, folder, strerrordesc_np(number),
                     number == EROFS
                         ? "a unit writes below /var/lib/sayhook and what ReadWritePaths= of a drop-in "
                           "names, see 'systemctl edit'"
                         : "'sayhookctl config check' as root says what mends it");
}

int places_check(const struct settings *settings, bool writes_audio, bool runs, struct error *err)
{
    const int audio = writes_audio ? W_OK | X_OK : F_OK;
    char database[PATH_MAX], spool[PATH_MAX];
    const char *folder;
    int r;

    snprintf(database, sizeof database, "%s", settings->database);
    snprintf(spool, sizeof spool, "%s", settings->spool_dir);
    folder = dirname(database);
    if (!runs && access(folder, F_OK) < 0)
        return 0;
    r = check_place("the database's folder", folder, W_OK | X_OK, err);
    if (r == 0)
        r = check_place("downloads_dir", settings->downloads_dir, audio, err);
    if (r == 0) /* the worker makes it in a folder that is there */
        r = access(spool, F_OK) == 0 ? check_place("spool_dir", spool, audio, err)
                                     : check_place("the folder of spool_dir", dirname(spool), audio, err);
    return r;
}
