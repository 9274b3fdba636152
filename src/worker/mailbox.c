/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/mailbox.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

int mailbox_init(struct mailbox *mailbox, struct error *err)
{
    mailbox->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (mailbox->fd < 0)
        return error_system(err, errno, "cannot make an eventfd");
    pthread_mutex_init(&mailbox->mutex, NULL);
    mailbox->first = NULL;
    mailbox->last = &mailbox->first;
    return 0;
}

void mailbox_release(struct mailbox *mailbox)
{
    close(mailbox->fd);
    pthread_mutex_destroy(&mailbox->mutex);
}

void mailbox_send(struct mailbox *mailbox, struct letter *letter)
{
    static const uint64_t one = 1;
    ssize_t written;

    letter->next = NULL;
    pthread_mutex_lock(&mailbox->mutex);
    *mailbox->last = letter;
    mailbox->last = &letter->next;
    pthread_mutex_unlock(&mailbox->mutex);
    written = write(mailbox->fd, &one, sizeof one); /* fails only where the loop is woken already */
    (void)written;
}

void mailbox_empty(struct mailbox *mailbox)
{
    struct letter *letter;
    uint64_t count;
    ssize_t got = read(mailbox->fd, &count, sizeof count); /* nothing to read is nothing to do */

    (void)got;
    pthread_mutex_lock(&mailbox->mutex);
    letter = mailbox->first;
    mailbox->first = NULL;
    mailbox->last = &mailbox->first;
    pthread_mutex_unlock(&mailbox->mutex);
    while (letter != NULL) {
        struct letter *next = letter->next;

        letter->receive(letter);
        letter = next;
    }
}
