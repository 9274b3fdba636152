/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of 'db restore': a backup is laid out, and then names are exchanged. */
#ifndef CTL_RESTORE_H
#define CTL_RESTORE_H

#include <limits.h>
#include <sys/stat.h>

#include "ctl/ctl.h"
#include "ctl/manifest.h"

/* When a restore began, and what the names of before end in. */
#define RESTORE_TIME_SIZE sizeof "20261124T083000.000Z"

/* In the folder of downloads: where the audio of the backup waits. */
#define RESTORE_NEXT "restoring"

/* There and in the spool, before the time: where the files of before go. */
#define RESTORE_ASIDE     "before-restore-"
#define RESTORE_NAME_SIZE (sizeof RESTORE_ASIDE - 1 + RESTORE_TIME_SIZE)

/* Folders into which audio is spread: two of 36 characters. */
#define RESTORE_FOLDERS (36 * 36)

struct restore {
    struct ctl *ctl;
    const struct settings *settings;
    const char *dir;
    bool link;
    struct manifest manifest;
    struct stat owner; /* of the folder of downloads: who all that is restored is to belong to */
    char began[RESTORE_TIME_SIZE];
    char aside_name[RESTORE_NAME_SIZE];
    char mark[PATH_MAX];
    char next_database[PATH_MAX];
    char next_downloads[PATH_MAX];
    char aside_database[PATH_MAX];
    char aside_downloads[PATH_MAX];
    char aside_spool[PATH_MAX];
    bool resumed; /* an earlier call was interrupted, and this one has only finished it */
};

/*
 * Lays the backup out whole at the names that begin with "next", durably; what an earlier call left there is
 * removed first, and what this one has laid out where it fails.  -EUCLEAN where the backup has not the files
 * of which its manifest speaks.
 */
int restore_lay_out(struct restore *restore, struct error *err);

/*
 * Gives what is laid out the names of the present state, and that the names that begin with "aside", and then
 * removes the mark.  Every step may have been done already by a call that was interrupted.
 */
int restore_exchange(const struct restore *restore, struct error *err);

#endif
