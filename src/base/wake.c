/* SPDX-License-Identifier: Apache-2.0 */
#include "base/wake.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"

/* False where the path does not fit into a socket's address. */
static bool wake_address(const char *database, struct sockaddr_un *ret_address)
{
    *ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
    return (size_t)snprintf(ret_address->sun_path, sizeof ret_address->sun_path, "%s-wake", database) <
           sizeof ret_address->sun_path;
}

static int open_socket(void)
{
    return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

int wake_open(const char *database, int *ret_fd, struct error *err)
{
    cleanup(close_fd) int fd = -1;
    struct sockaddr_un address;

    if (!wake_address(database, &address)) {
        *ret_fd = -1;
        return 0;
    }
    fd = open_socket();
    if (fd < 0)
        return error_system(err, errno, "cannot make a socket");
    unlink(address.sun_path); /* what a worker left that is no more; one that lives goes on by polling */
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) < 0)
        return error_system(err, errno, "cannot bind the socket %s", address.sun_path);
    *ret_fd = steal_fd(&fd);
    return 0;
}

void wake_drain(int fd)
{
    char byte;

    while (recv(fd, &byte, sizeof byte, 0) >= 0)
        ;
}

int wake_sender(void)
{
    return open_socket();
}

void wake_send(int sender, const char *database)
{
    struct sockaddr_un address;

    /* Nobody listens, or hints enough are waiting: either is well. */
    if (sender >= 0 && wake_address(database, &address))
        sendto(sender, "", 1, MSG_NOSIGNAL, (const struct sockaddr *)&address, sizeof address);
}
