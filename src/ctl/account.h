/* SPDX-License-Identifier: Apache-2.0 */
/* What a user other than ourselves may do with a file, by owners and modes; access lists are not looked at.
 */
#ifndef CTL_ACCOUNT_H
#define CTL_ACCOUNT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

/* More groups than any service is in. */
#define ACCOUNT_GROUPS_MAX 64

struct account {
    uid_t uid;
    gid_t groups[ACCOUNT_GROUPS_MAX]; /* the first is its own */
    size_t group_count;
};

/* The group's name or, where it has none, its number. */
#define ACCOUNT_GROUP_NAME_SIZE 64
void account_group_name(gid_t gid, char ret_name[ACCOUNT_GROUP_NAME_SIZE]);

/* False where there is no such user. */
bool account_find(const char *name, struct account *ret_account);

/*
 * The users as whom nginx's workers run, each once, at most max; where none runs, Debian's www-data if it
 * exists.
 */
size_t account_list_nginx(struct account *ret_accounts, size_t max);

/* Whether a worker of nginx runs, of whichever configuration. */
bool account_nginx_runs(void);

/*
 * Whether the account may do that (of 4 to read, 2 to write, 1 to search) with a file, and enter the folders
 * that lead to it.  Where not, ret_blocking is the file or folder that is in the way.
 */
bool account_may(const struct account *account, const char *path, unsigned int access,
                 char ret_blocking[PATH_MAX]);

#endif
