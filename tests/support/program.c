/* SPDX-License-Identifier: Apache-2.0 */
#include "support/program.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/cleanup.h"

#define ARGUMENTS_MAX 32
#define OUTPUT_MAX    (8 << 20)

/* A file of its own for stdin, so that nobody has to feed a pipe. */
static int open_stdin(const char *text)
{
    int fd;

    if (text == NULL)
        return open("/dev/null", O_RDONLY | O_CLOEXEC);
    fd = memfd_create("stdin", MFD_CLOEXEC);
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    cr_assert_eq(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

static const char *build_folder(void)
{
    const char *folder = getenv("top_builddir");

    return folder != NULL ? folder : ".";
}

void program_start(struct program *program, const char *name, const char *stdin_text,
                   const char *const *arguments)
{
    char path[4096];
    const char *argv[ARGUMENTS_MAX + 2] = {name};
    int in = open_stdin(stdin_text);
    int out[2], err[2];

    for (size_t i = 0; arguments[i] != NULL; i++) {
        cr_assert_lt(i, ARGUMENTS_MAX);
        argv[i + 1] = arguments[i];
    }
    snprintf(path, sizeof path, "%s/%s", build_folder(), name);
    cr_assert_eq(pipe2(out, O_CLOEXEC), 0);
    cr_assert_eq(pipe2(err, O_CLOEXEC), 0);
    program->pid = fork();
    cr_assert_geq(program->pid, 0);
    if (program->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(in, STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        dup2(err[1], STDERR_FILENO);
        execv(path, (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    close(in);
    close(out[1]);
    close(err[1]);
    program->out = out[0];
    program->err = err[0];
    program->stdout_text = BUF_INIT(OUTPUT_MAX);
    program->stderr_text = BUF_INIT(OUTPUT_MAX);
}

void program_read_stderr_line(struct program *program)
{
    char byte = '\0';

    while (byte != '\n' && read(program->err, &byte, 1) == 1)
        buf_append(&program->stderr_text, &byte, 1);
}

/* Appends what is there; false at the end. */
static bool drain(int fd, struct buf *text)
{
    char *room = buf_reserve(text, 4096);
    ssize_t size;

    cr_assert_not_null(room);
    size = read(fd, room, 4096);
    if (size > 0)
        buf_commit(text, (size_t)size);
    return size > 0;
}

void program_wait(struct program *program)
{
    struct pollfd sources[] = {{.fd = program->out, .events = POLLIN},
                               {.fd = program->err, .events = POLLIN}};
    struct buf *texts[] = {&program->stdout_text, &program->stderr_text};
    int status;

    while (sources[0].fd >= 0 || sources[1].fd >= 0) {
        cr_assert_gt(poll(sources, 2, -1), 0);
        for (size_t i = 0; i < array_length(sources); i++)
            if (sources[i].revents != 0 && !drain(sources[i].fd, texts[i]))
                sources[i].fd = -1;
    }
    cr_assert_eq(waitpid(program->pid, &status, 0), program->pid);
    program->code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void program_release(struct program *program)
{
    close(program->out);
    close(program->err);
    buf_release(&program->stdout_text);
    buf_release(&program->stderr_text);
}
