/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/account.h"

#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "ctl/process.h"

/* As whom Debian's nginx serves. */
#define NGINX_USER "www-data"

void account_group_name(gid_t gid, char ret_name[ACCOUNT_GROUP_NAME_SIZE])
{
    const struct group *group = getgrgid(gid);

    if (group != NULL)
        snprintf(ret_name, ACCOUNT_GROUP_NAME_SIZE, "%s", group->gr_name);
    else
        snprintf(ret_name, ACCOUNT_GROUP_NAME_SIZE, "%u", (unsigned int)gid);
}

bool account_find(const char *name, struct account *ret_account)
{
    const struct passwd *user = getpwnam(name);
    int count = ACCOUNT_GROUPS_MAX;

    if (user == NULL)
        return false;
    ret_account->uid = user->pw_uid;
    if (getgrouplist(name, user->pw_gid, ret_account->groups, &count) < 0)
        count = ACCOUNT_GROUPS_MAX; /* it filled what there is room for */
    ret_account->group_count = (size_t)count;
    return true;
}

/* ---- nginx ---- */

/* The effective one, the second number of a line "Uid:\t33\t33\t33\t33". */
static bool read_id(const char *status, const char *label, unsigned int *ret_id)
{
    const char *line = strstr(status, label);

    return line != NULL && sscanf(line + strlen(label), "%*u %u", ret_id) == 1;
}

static bool read_account(const char *status, struct account *ret_account)
{
    const char *groups = strstr(status, "\nGroups:");
    unsigned int uid, gid;
    char *end;

    if (groups == NULL || !read_id(status, "\nUid:", &uid) || !read_id(status, "\nGid:", &gid))
        return false;
    *ret_account = (struct account){.uid = uid, .groups = {gid}, .group_count = 1};
    for (groups += strlen("\nGroups:"); ret_account->group_count < ACCOUNT_GROUPS_MAX; groups = end) {
        while (*groups == ' ' || *groups == '\t')
            groups++;
        if (*groups < '0' || *groups > '9')
            break;
        ret_account->groups[ret_account->group_count++] = (gid_t)strtoul(groups, &end, 10);
    }
    return true;
}

/* The master runs as root, but it is the workers that serve. */
static bool read_worker(const char *pid, struct account *ret_account)
{
    cleanup(buf_release) struct buf title = BUF_INIT(PROCESS_FILE_MAX), status = BUF_INIT(PROCESS_FILE_MAX);

    return process_read(pid, "cmdline", &title) &&
           strncmp(buf_str(&title), "nginx: worker process", strlen("nginx: worker process")) == 0 &&
           process_read(pid, "status", &status) && read_account(buf_str(&status), ret_account);
}

static bool is_known(const struct account *accounts, size_t count, uid_t uid)
{
    while (count > 0)
        if (accounts[--count].uid == uid)
            return true;
    return false;
}

size_t account_list_nginx(struct account *ret_accounts, size_t max)
{
    cleanup(processes_close) DIR *processes = processes_open();
    const char *pid;
    size_t count = 0;

    while (count < max && (pid = processes_next(processes)) != NULL)
        if (read_worker(pid, &ret_accounts[count]))
            count += !is_known(ret_accounts, count, ret_accounts[count].uid);
    if (count == 0 && max > 0)
        count = account_find(NGINX_USER, &ret_accounts[0]);
    return count;
}

bool account_nginx_runs(void)
{
    cleanup(processes_close) DIR *processes = processes_open();
    struct account account;
    const char *pid;

    while ((pid = processes_next(processes)) != NULL)
        if (read_worker(pid, &account))
            return true;
    return false;
}

/* ---- access ---- */

static bool is_in_group(const struct account *account, gid_t gid)
{
    for (size_t i = 0; i < account->group_count; i++)
        if (account->groups[i] == gid)
            return true;
    return false;
}

/* The class that applies first decides alone, as the kernel has it. */
static bool may_here(const struct account *account, const struct stat *status, unsigned int access)
{
    unsigned int shift = status->st_uid == account->uid ? 6 : is_in_group(account, status->st_gid) ? 3 : 0;

    return account->uid == 0 || ((status->st_mode >> shift) & access) == access;
}

bool account_may(const struct account *account, const char *path, unsigned int access,
                 char ret_blocking[PATH_MAX])
{
    struct stat status;

    for (const char *c = path; *c != '\0'; c++) {
        if (c[1] != '/' && c[1] != '\0' && c != path)
            continue;
        snprintf(ret_blocking, PATH_MAX, "%.*s", (int)(c - path + 1), path);
        if (stat(ret_blocking, &status) < 0 || !may_here(account, &status, c[1] == '\0' ? access : 1))
            return false;
    }
    return true;
}
