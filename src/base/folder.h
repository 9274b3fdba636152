/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Folders by descriptors: what root does in a folder of another user, who may put a link in the place of
 * whatever has a name there.  Names are single ones, without a slash; above and the folders are descriptors,
 * or AT_FDCWD for a path that is root's own.
 */
#ifndef BASE_FOLDER_H
#define BASE_FOLDER_H

#include <sys/stat.h>

#include "base/error.h"

/* Opens a folder by a path that is trusted: a link in it is followed. */
int folder_open(const char *path, int *ret_folder, struct error *err);

/* Opens the folder of that name; no link.  -ENOENT, -ELOOP or -ENOTDIR where there is none. */
int folder_open_at(int above, const char *name, int *ret_folder, struct error *err);

/* Makes it where it is not there, and opens it.  -EPERM where it is not this process's own user's. */
int folder_make_at(int above, const char *name, mode_t mode, int *ret_folder, struct error *err);

/*
 * Whatever has that name in one folder goes to another under the same name, where nothing is (-EEXIST).  What
 * is not there was moved before: no error.
 */
int folder_move(int from, int to, const char *name, struct error *err);

/* Removes the folder of that name with all that is in it, to that depth of further folders; best effort. */
void folder_remove(int above, const char *name, int depth);

#endif
