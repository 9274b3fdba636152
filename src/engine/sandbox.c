/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cleanup.h"

/*
 * Addresses of a process: some 30 MiB for the program and its voices; the densest text that the engine takes
 * (ENGINE_TEXT_MAX capitals with rms at half speed, thirteen minutes of audio) needs 700 MiB, prose of a
 * segment's length 10.
 */
#define ADDRESS_SPACE_MAX ((rlim_t)1024 * 1024 * 1024)

static const struct {
    int resource;
    const char *name;
    rlim_t limit;
    bool sanitized_too;
} limits[] = {
    {RLIMIT_CORE, "core", 0, true},   /* a core holds the text */
    {RLIMIT_NPROC, "nproc", 0, true}, /* (root is not bound by it; the filter of calls binds all) */
    {RLIMIT_AS, "as", ADDRESS_SPACE_MAX, false},
    {RLIMIT_FSIZE, "fsize", 0, false},   /* pipes have no size */
    {RLIMIT_NOFILE, "nofile", 0, false}, /* those that are open stay open */
};

/* What computing, malloc(), reading, writing and ending take. */
static const int calls[] = {
    SCMP_SYS(read),          SCMP_SYS(write),           SCMP_SYS(brk),
    SCMP_SYS(munmap),        SCMP_SYS(mremap),          SCMP_SYS(madvise),
    SCMP_SYS(futex),         SCMP_SYS(rt_sigreturn),    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(clock_gettime), SCMP_SYS(restart_syscall), SCMP_SYS(exit),
    SCMP_SYS(exit_group),
};

/* Calls that are free as long as they make no memory executable; it is their third argument that says so. */
static const int mapping_calls[] = {SCMP_SYS(mmap), SCMP_SYS(mprotect)};

/*
 * For the run-time of a sanitizer: it reads /proc/self/maps and the program to name functions, writes its
 * report where log_path says, handles signals and ends with abort().
 */
static const int sanitizer_calls[] = {
    SCMP_SYS(openat),       SCMP_SYS(close),           SCMP_SYS(fstat),       SCMP_SYS(newfstatat),
    SCMP_SYS(stat),         SCMP_SYS(lseek),           SCMP_SYS(readlink),    SCMP_SYS(readlinkat),
    SCMP_SYS(getcwd),       SCMP_SYS(getpid),          SCMP_SYS(gettid),      SCMP_SYS(tgkill),
    SCMP_SYS(rt_sigaction), SCMP_SYS(sigaltstack),     SCMP_SYS(sched_yield), SCMP_SYS(prlimit64),
    SCMP_SYS(ioctl),        SCMP_SYS(fcntl),           SCMP_SYS(pread64),     SCMP_SYS(getrandom),
    SCMP_SYS(nanosleep),    SCMP_SYS(clock_nanosleep), SCMP_SYS(open),
};

static int close_files(struct error *err)
{
    /* STDERR is kept for a sanitizer's report. */
    if (!SANDBOX_SANITIZED) {
        cleanup(close_fd) int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

        if (null < 0 || dup2(null, STDERR_FILENO) < 0)
            return error_system(err, errno, "cannot lead stderr to /dev/null");
    }
    if (close_range(STDERR_FILENO + 1, ~0U, 0) < 0)
        return error_system(err, errno, "cannot close the descriptors");
    return 0;
}

static int drop_rights(pid_t parent, struct error *err)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return error_system(err, errno, "cannot be tied to the parent");
    /* It may have ended before the kernel knew that we want to know. */
    if (getppid() != parent)
        return error_set(err, -ESRCH, "the parent has ended");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return error_system(err, errno, "cannot renounce new rights");
    if (prctl(PR_SET_DUMPABLE, 0) < 0)
        return error_system(err, errno, "cannot refuse to be traced");
    return 0;
}

static int set_limits(struct error *err)
{
    for (size_t i = 0; i < array_length(limits); i++) {
        struct rlimit limit = {limits[i].limit, limits[i].limit};

        if (SANDBOX_SANITIZED && !limits[i].sanitized_too)
            continue;
        if (setrlimit(limits[i].resource, &limit) < 0)
            return error_system(err, errno, "cannot limit %s", limits[i].name);
    }
    return 0;
}

static int allow(scmp_filter_ctx filter, const int *list, size_t count)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < count; i++)
        r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, list[i], 0);
    return r;
}

static int filter_calls(struct error *err)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    int r = filter == NULL ? -ENOMEM : allow(filter, calls, array_length(calls));

    for (size_t i = 0; r == 0 && i < array_length(mapping_calls); i++)
        r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, mapping_calls[i], 1,
                             SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    if (r == 0 && SANDBOX_SANITIZED)
        r = allow(filter, sanitizer_calls, array_length(sanitizer_calls));
    if (r == 0)
        r = seccomp_load(filter);
    /* Freeing takes no call that the filter forbids. */
    if (filter != NULL)
        seccomp_release(filter);
    return r == 0 ? 0 : error_system(err, -r, "cannot filter system calls");
}

int sandbox_enter(pid_t parent, struct error *err)
{
    int r = close_files(err);

    if (r == 0)
        r = drop_rights(parent, err);
    if (r == 0)
        r = set_limits(err);
    if (r == 0)
        r = filter_calls(err);
    return r;
}
