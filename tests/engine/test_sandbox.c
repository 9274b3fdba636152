/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"

#define ENTERED  42 /* exit codes of a child */
#define SURVIVED 43

static int spare_fd; /* open when the child enters */

/* Runs attempt in a child inside the sandbox and returns its wait status. */
static int testcase_status(void (*attempt)(void))
{
    pid_t parent = getpid();
    pid_t child = fork();
    int status;

    if (child == 0) {
        if (sandbox_enter(parent, NULL) < 0)
            _exit(1);
        attempt();
        _exit(SURVIVED);
    }
    cr_assert_gt(child, 0);
    cr_assert_eq(waitpid(child, &status, 0), child);
    return status;
}

static void open_to_read(void)
{
    open("/etc/passwd", O_RDONLY | O_CLOEXEC);
}

static void make_a_socket(void)
{
    socket(AF_INET, SOCK_STREAM, 0);
}

static void make_a_socket_pair(void)
{
    int fds[2];

    socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
}

static void execute(void)
{
    execl("/bin/true", "true", NULL);
}

static void fork_a_child(void)
{
    if (syscall(SYS_fork) == 0)
        _exit(0);
}

static void clone_a_thread(void)
{
    syscall(SYS_clone3, NULL, (size_t)0);
}

static void signal_another(void)
{
    kill(getppid(), 0);
}

static void trace(void)
{
    syscall(SYS_ptrace, 0, 0, NULL, NULL);
}

static void remove_a_file(void)
{
    unlink("/nowhere/at/all");
}

static void map_code(void)
{
    mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void make_memory_executable(void)
{
    mprotect((void *)((uintptr_t)map_code & ~(uintptr_t)4095), 4096, PROT_READ | PROT_EXEC);
}

static void compute_and_end(void)
{
    volatile char *memory = malloc((size_t)64 << 20);

    if (memory == NULL)
        _exit(1);
    memory[12345] = 1;
    free((void *)(uintptr_t)memory);
    if (write(STDOUT_FILENO, "", 0) != 0)
        _exit(2);
    _exit(ENTERED);
}

static void use_a_descriptor_from_before(void)
{
    _exit(read(spare_fd, &(char){0}, 1) < 0 && errno == EBADF ? ENTERED : 1);
}

Test(sandbox, what_is_forbidden_kills_the_process)
{
    static const struct {
        const char *what;
        void (*attempt)(void);
    } cases[] = {
        {"socket", make_a_socket},
        {"socketpair", make_a_socket_pair},
        {"execve", execute},
        {"fork", fork_a_child},
        {"clone3", clone_a_thread},
        {"kill", signal_another},
        {"ptrace", trace},
        {"unlink", remove_a_file},
        {"executable memory", map_code},
        {"memory that is made executable", make_memory_executable},
    };

    for (size_t i = 0; i < array_length(cases); i++) {
        int status = testcase_status(cases[i].attempt);

        cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "%s: status %x", cases[i].what, status);
    }
}

Test(sandbox, no_file_can_be_opened)
{
    int status = testcase_status(open_to_read);

    if (SANDBOX_SANITIZED)
        cr_skip_test("a sanitizer must open files for its report");
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "status %x", status);
}

Test(sandbox, memory_and_the_pipes_go_on_working)
{
    int status = testcase_status(compute_and_end);

    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == ENTERED, "status %x", status);
}

Test(sandbox, descriptors_from_before_are_closed)
{
    int status;

    spare_fd = open("/etc/passwd", O_RDONLY);
    cr_assert_gt(spare_fd, 2);
    status = testcase_status(use_a_descriptor_from_before);
    close(spare_fd);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == ENTERED, "status %x", status);
}

Test(sandbox, a_child_of_another_parent_is_refused)
{
    pid_t child = fork();
    int status;

    if (child == 0)
        _exit(sandbox_enter(getpid(), NULL) == -ESRCH ? ENTERED : 1);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == ENTERED, "status %x", status);
}
