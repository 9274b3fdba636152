/* SPDX-License-Identifier: Apache-2.0 */
#include "db/turnstile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/ownership.h"

/* The mutex is held as long as the flock is: flock(2) does not tell threads that share a descriptor apart. */
struct turnstile {
    char *path;
    int fd;
    int users;
    pthread_mutex_t mutex;
    struct turnstile *next;
};

static pthread_mutex_t registry_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct turnstile *registry;

static struct turnstile *find(const char *path)
{
    for (struct turnstile *t = registry; t != NULL; t = t->next)
        if (strcmp(t->path, path) == 0)
            return t;
    return NULL;
}

static int open_new(const char *path, struct turnstile **ret_turnstile, struct error *err)
{
    struct turnstile *turnstile = calloc(1, sizeof *turnstile);

    if (turnstile == NULL || (turnstile->path = strdup(path)) == NULL) {
        free(turnstile);
        return error_set(err, -ENOMEM, "out of memory");
    }
    turnstile->fd = ownership_open(path, 0, 0660);
    if (turnstile->fd < 0) {
        int r = error_system(err, -turnstile->fd, "cannot open the lock file %s", path);

        free(turnstile->path);
        free(turnstile);
        return r;
    }
    pthread_mutex_init(&turnstile->mutex, NULL);
    turnstile->next = registry;
    registry = turnstile;
    *ret_turnstile = turnstile;
    return 0;
}

/* Inside registry_mutex. */
static int find_or_open(const char *path, struct turnstile **ret_turnstile, struct error *err)
{
    struct turnstile *turnstile = find(path);

    if (turnstile == NULL) {
        int r = open_new(path, &turnstile, err);

        if (r < 0 || turnstile == NULL)
            return r;
    }
    turnstile->users++;
    *ret_turnstile = turnstile;
    return 0;
}

int turnstile_get(const char *database, struct turnstile **ret_turnstile, struct error *err)
{
    char path[PATH_MAX];
    int r;

    if ((size_t)snprintf(path, sizeof path, "%s-turnstile", database) >= sizeof path)
        return error_set(err, -ENAMETOOLONG, "the path of the database, %s, is too long", database);
    pthread_mutex_lock(&registry_mutex);
    r = find_or_open(path, ret_turnstile, err);
    pthread_mutex_unlock(&registry_mutex);
    return r;
}

struct turnstile *turnstile_put(struct turnstile *turnstile)
{
    struct turnstile **link = &registry;

    if (turnstile == NULL)
        return NULL;
    pthread_mutex_lock(&registry_mutex);
    if (--turnstile->users == 0) {
        while (*link != turnstile)
            link = &(*link)->next;
        *link = turnstile->next;
        close(turnstile->fd);
        pthread_mutex_destroy(&turnstile->mutex);
        free(turnstile->path);
        free(turnstile);
    }
    pthread_mutex_unlock(&registry_mutex);
    return NULL;
}

static void interrupt_only(int number)
{
    (void)number;
}

/* A real-time signal that only cuts flock(2) short, since that call has no time-out of its own. */
#define WAKE_SIGNAL (SIGRTMIN + 3)

static void install_signal(void)
{
    struct sigaction action = {.sa_handler = interrupt_only}; /* without SA_RESTART */

    sigaction(WAKE_SIGNAL, &action, NULL);
}

static bool has_passed(const struct timespec *deadline)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec > deadline->tv_sec ||
           (now.tv_sec == deadline->tv_sec && now.tv_nsec >= deadline->tv_nsec);
}

/* flock(2) in the kernel's queue, which is fair, but cut short at the deadline. */
static int lock_file(struct turnstile *turnstile, const struct timespec *deadline, struct error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = WAKE_SIGNAL};
    struct itimerspec wait = {
        .it_value = *deadline,
        .it_interval = {.tv_nsec = 50000000}, /* again, in case the first signal came just before the call */
    };
    timer_t timer;
    int r;

    if (flock(turnstile->fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    if (errno != EWOULDBLOCK)
        return error_system(err, errno, "cannot lock %s", turnstile->path);
    pthread_once(&once, install_signal);
    event._sigev_un._tid = (int)syscall(SYS_gettid);
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) < 0)
        return error_system(err, errno, "cannot make a timer");
    timer_settime(timer, TIMER_ABSTIME, &wait, NULL);
    do {
        r = flock(turnstile->fd, LOCK_EX);
    } while (r < 0 && errno == EINTR && !has_passed(deadline));
    if (r < 0)
        r = errno == EINTR ? error_set(err, -EBUSY, "another process has held %s for %d s", turnstile->path,
                                       DB_TURNSTILE_WAIT_MS / 1000)
                           : error_system(err, errno, "cannot lock %s", turnstile->path);
    timer_delete(timer);
    return r;
}

static int lock_mutex(pthread_mutex_t *mutex, const struct timespec *deadline)
{
#ifdef __SANITIZE_THREAD__
    /* ThreadSanitizer of gcc 12 does not know pthread_mutex_clocklock(), and would see an unlock without a
     * lock. */
    (void)deadline;
    return pthread_mutex_lock(mutex);
#else
    return pthread_mutex_clocklock(mutex, CLOCK_MONOTONIC, deadline);
#endif
}

int turnstile_enter(struct turnstile *turnstile, struct error *err)
{
    struct timespec deadline;
    int r;

    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += DB_TURNSTILE_WAIT_MS / 1000;
    if (lock_mutex(&turnstile->mutex, &deadline) != 0)
        return error_set(err, -EBUSY, "another thread has held %s for %d s", turnstile->path,
                         DB_TURNSTILE_WAIT_MS / 1000);
    r = lock_file(turnstile, &deadline, err);
    if (r < 0)
        pthread_mutex_unlock(&turnstile->mutex);
    return r;
}

void turnstile_leave(struct turnstile *turnstile)
{
    flock(turnstile->fd, LOCK_UN);
    pthread_mutex_unlock(&turnstile->mutex);
}

int turnstile_share(struct turnstile *turnstile, struct error *err)
{
    /* flock(2) belongs to the open file, which the child has then as well. */
    return fcntl(turnstile->fd, F_SETFD, 0) < 0
               ? error_system(err, errno, "cannot hand on %s", turnstile->path)
               : 0;
}
