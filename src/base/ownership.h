/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose files are: whether what a program relies on could be changed by others, and that what root makes
 * beside the files of another user is that user's.
 */
#ifndef BASE_OWNERSHIP_H
#define BASE_OWNERSHIP_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/error.h"

/* What a mode grants to others than the owner: to change it, and to do anything at all. */
#define OTHERS_MAY_CHANGE (S_IWGRP | S_IWOTH)
#define OTHERS_MAY_ANY    (S_IRWXG | S_IRWXO)

/* Who may own it.  Root checks for other users, too, so that for root any owner will do. */
enum owner {
    OWNER_SELF_OR_ROOT, /* it is read */
    OWNER_SELF,         /* it is written */
};

/* The user's name or, where it has none, its number. */
#define OWNER_NAME_SIZE 64
void owner_name(uid_t user, char ret_name[OWNER_NAME_SIZE]);

/*
 * Refuses (-EPERM) a file or folder of another owner, or whose mode grants any of forbidden (bits as
 * S_IWOTH), with the command that mends it.  What is neither a regular file nor a folder passes.
 */
int ownership_check(const char *path, const struct stat *status, enum owner owner, mode_t forbidden,
                    struct error *err);

/* The same of a path; what is not there passes. */
int ownership_check_path(const char *path, enum owner owner, mode_t forbidden, struct error *err);

/*
 * Why this process may not read a file (EACCES), with the command that mends it: one that is secret has to be
 * this user's, any other may be everybody's to read.  Returns -EACCES.
 */
int ownership_refuse_reading(const char *path, bool is_secret, struct error *err);

/*
 * Opens a file to read and write, close-on-exec, and makes it where it is not there; flags are further ones
 * of open(2).  Where this process is root's and the folder another user's, the file becomes that user's, or
 * the daemons could not open it.  The descriptor, or a negative errno value: -ELOOP for a symbolic link, and
 * -EPERM for root's file that has a further name, which the folder's owner may have put there to be given
 * what is not theirs.
 */
int ownership_open(const char *path, int flags, mode_t mode);

#endif
