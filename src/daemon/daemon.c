/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/daemon.h"

#include <errno.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sysexits.h>

#include "base/cleanup.h"
#include "base/log.h"

static bool may_reload(void *context)
{
    const struct daemon *daemon = context;
    struct error err = {""};

    if (options_check(daemon->program, &daemon->options, &err) < 0) {
        log_error("not reloaded, and going on as before: %s", err.text);
        return false;
    }
    log_info("reloading");
    return true;
}

/* What is wrong with files, their owners and modes is what the doctor looks at; others say what helps. */
static bool is_for_doctor(int r)
{
    static const int numbers[] = {EIO, EACCES, EPERM, EROFS, ENOENT, ENOSPC};

    for (size_t i = 0; i < array_length(numbers); i++)
        if (numbers[i] == -r)
            return true;
    return false;
}

static int fail(int r, const struct error *err)
{
    log_error("%s%s", err->text, is_for_doctor(r) ? "; 'sayhookctl doctor' as root says what mends it" : "");
    return daemon_exit_code(r);
}

/*
 * The database is held by others for long, as by a command that writes to it by hand: to end would close the
 * sockets that were handed over, so the process begins anew, as often as that takes.  Each time waits for the
 * database.
 */
static bool is_to_try_again(const struct daemon *daemon, int r, const struct error *err)
{
    struct pollfd stop = {.fd = daemon->service.stop_fd, .events = POLLIN};

    if (r != -EBUSY || poll(&stop, 1, 0) != 0)
        return false;
    log_warning("%s; trying again", err->text);
    return true;
}

/* The process begins anew, or leaves its connections to the one that comes after it. */
static int leave(struct daemon *daemon, int how, char **argv)
{
    struct error err = {""};

    if (how == SERVICE_RELOAD)
        return fail(handover_exec(&daemon->sockets, argv, &err), &err);
    handover_store(&daemon->sockets);
    log_info("stopped");
    return EX_OK;
}

static void release(struct daemon *daemon)
{
    handover_release(&daemon->sockets);
    service_close(&daemon->service);
    options_release(&daemon->options);
}

int daemon_main(int argc, char **argv, const struct program_description *program,
                int (*serve)(struct daemon *daemon, struct error *err))
{
    cleanup(release) struct daemon daemon = {
        .program = program,
        .service = {.stop_fd = -1, .reload_fd = -1, .may_reload = may_reload},
        .sockets = {.listener = -1}};
    struct error err = {""};
    int r = options_parse(argc, argv, program, &daemon.options);

    if (r != OPTIONS_RUN)
        return r;
    daemon.service.context = &daemon;
    prctl(PR_SET_NAME, program->name); /* one that took its own place may be called "exe" (handover.c) */
    handover_receive(&daemon.sockets);
    r = service_open(&daemon.service, &err);
    if (r == 0)
        r = serve(&daemon, &err);
    if (is_to_try_again(&daemon, r, &err))
        r = SERVICE_RELOAD;
    return r < 0 ? fail(r, &err) : leave(&daemon, r, argv);
}
