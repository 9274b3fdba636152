/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/process.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"

DIR *processes_open(void)
{
    return opendir("/proc");
}

const char *processes_next(DIR *processes)
{
    struct dirent *entry;

    while (processes != NULL && (entry = readdir(processes)) != NULL)
        if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9')
            return entry->d_name;
    return NULL;
}

void processes_close(DIR **processes)
{
    if (*processes != NULL)
        closedir(*processes);
}

bool process_read(const char *pid, const char *name, struct buf *buf)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "/proc/%s/%s", pid, name);
    return file_read(path, buf, NULL) == 0;
}

void process_name(const char *pid, char ret_name[PROCESS_NAME_SIZE])
{
    cleanup(buf_release) struct buf name = BUF_INIT(PROCESS_NAME_SIZE);

    process_read(pid, "comm", &name);
    snprintf(ret_name, PROCESS_NAME_SIZE, "%.*s", (int)strcspn(buf_str(&name), "\n"), buf_str(&name));
}

static bool leads_to(const char *folder, const char *entry, const char *path)
{
    char link[PATH_MAX], target[PATH_MAX];
    ssize_t length;

    snprintf(link, sizeof link, "%s/%s", folder, entry);
    length = readlink(link, target, sizeof target - 1);
    if (length < 0)
        return false;
    target[length] = '\0';
    return strcmp(target, path) == 0;
}

int process_descriptors(const char *pid, const char *path, int *ret_of_path)
{
    char folder[64];
    cleanup(processes_close) DIR *entries = NULL;
    struct dirent *entry;
    int count = 0, of_path = 0;

    snprintf(folder, sizeof folder, "/proc/%s/fd", pid);
    entries = opendir(folder);
    if (entries == NULL)
        return -1;
    while ((entry = readdir(entries)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        count++;
        of_path += path != NULL && leads_to(folder, entry->d_name, path);
    }
    *ret_of_path = of_path;
    return count;
}
