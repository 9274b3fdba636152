/* SPDX-License-Identifier: Apache-2.0 */
#include "base/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "base/cleanup.h"

/* As the service manager knows the connections. */
#define STORE_NAME "connection"

/* Descriptors in one message; the kernel takes 253 (SCM_MAX_FD). */
#define STORE_BATCH 200

/* So long the service manager may take to store them, in microseconds; it reads its messages in turn. */
#define STORE_PATIENCE_US (5 * 1000 * 1000)

void handover_receive(struct handover *ret_sockets)
{
    int passed = sd_listen_fds(1);

    *ret_sockets = (struct handover){.listener = -1};
    for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + passed; fd++) {
        if (ret_sockets->listener < 0 && sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) > 0)
            ret_sockets->listener = fd;
        else if (sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 0) > 0)
            handover_add(ret_sockets, fd);
        else
            close(fd);
    }
    /* Else it would hold them open when both ends have closed them. */
    if (ret_sockets->count > 0)
        sd_notify(0, "FDSTOREREMOVE=1\nFDNAME=" STORE_NAME);
}

void handover_add(struct handover *sockets, int fd)
{
    if (sockets->count < HANDOVER_MAX)
        sockets->connections[sockets->count++] = fd;
    else
        close(fd);
}

void handover_store(const struct handover *sockets)
{
    for (size_t i = 0; i < sockets->count; i += STORE_BATCH) {
        size_t left = sockets->count - i;

        sd_pid_notify_with_fds(0, 0, "FDSTORE=1\nFDNAME=" STORE_NAME, &sockets->connections[i],
                               (unsigned int)(left < STORE_BATCH ? left : STORE_BATCH));
    }
    /* What a process has sent that is gone by then is not heard. */
    if (sockets->count > 0)
        sd_notify_barrier(0, STORE_PATIENCE_US);
}

/* Gives descriptor fds[i] the number start + i, whichever of the others has it: that one goes behind it,
 * where it waits for its turn.  What is free is behind it, too, so that one free number is enough. */
static int place(int *fds, size_t count, size_t i, int start)
{
    int wanted = start + (int)i;

    if (fds[i] == wanted)
        return fcntl(wanted, F_SETFD, 0);
    for (size_t other = i + 1; other < count; other++)
        if (fds[other] == wanted && (fds[other] = fcntl(wanted, F_DUPFD_CLOEXEC, wanted + 1)) < 0)
            return -1;
    if (dup2(fds[i], wanted) < 0)
        return -1;
    close(fds[i]);
    fds[i] = wanted;
    return 0;
}

/* sd_listen_fds(3): they are numbered from SD_LISTEN_FDS_START on, and meant for one process. */
static int pass(int *fds, size_t count, struct error *err)
{
    char number[16];

    for (size_t i = 0; i < count; i++)
        if (place(fds, count, i, SD_LISTEN_FDS_START) < 0)
            return error_system(err, errno, "cannot pass a socket on");
    snprintf(number, sizeof number, "%zu", count);
    if (setenv("LISTEN_FDS", number, 1) < 0)
        return error_system(err, errno, "cannot pass the sockets on");
    snprintf(number, sizeof number, "%d", (int)getpid());
    return setenv("LISTEN_PID", number, 1) < 0 ? error_system(err, errno, "cannot pass the sockets on") : 0;
}

int handover_exec(struct handover *sockets, char **argv, struct error *err)
{
    int fds[HANDOVER_MAX + 1];
    size_t count = 0;
    int r;

    if (sockets->listener >= 0)
        fds[count++] = sockets->listener;
    for (size_t i = 0; i < sockets->count; i++)
        fds[count++] = sockets->connections[i];
    sockets->listener = -1; /* their numbers change */
    sockets->count = 0;
    r = pass(fds, count, err);
    if (r < 0)
        return r;
    /* By its path, so that a newer program comes in; without one, or where none is there that can be
     * executed, the same again (proc_pid_exe(5)). */
    if (strchr(argv[0], '/') != NULL)
        execv(argv[0], argv);
    execv("/proc/self/exe", argv);
    return error_system(err, errno, "cannot execute %s anew", argv[0]);
}

void handover_release(struct handover *sockets)
{
    close_fd(&sockets->listener);
    sockets->listener = -1;
    while (sockets->count > 0)
        close(sockets->connections[--sockets->count]);
}
