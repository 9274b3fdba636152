/* SPDX-License-Identifier: Apache-2.0 */
/* Whether nginx serves what the settings say. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "ctl/account.h"
#include "ctl/doctor.h"

#define NGINX_PROGRAM "/usr/sbin/nginx"

/* All of its configuration; a machine with many sites has less. */
#define OUTPUT_MAX (4 << 20)

/* ---- what nginx says ---- */

/* Its output goes to out, and what it complains of nowhere: `nginx -t` says that to whoever asks. */
static int start_nginx(int out, const char *config, pid_t *ret_pid)
{
    /* posix_spawn() takes pointers to what it does not change. */
    const char *const standard[] = {"nginx", "-T", "-q", NULL};
    const char *const named[] = {"nginx", "-e", "stderr", "-T", "-q", "-c", config, NULL};
    char *const *arguments = (char *const *)(uintptr_t)(config != NULL ? named : standard);
    posix_spawn_file_actions_t actions;
    int failure = posix_spawn_file_actions_init(&actions);

    if (failure != 0)
        return -failure;
    failure = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (failure == 0)
        failure = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    if (failure == 0)
        failure = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    if (failure == 0)
        failure = posix_spawn(ret_pid, NGINX_PROGRAM, &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    return -failure;
}

/* Its whole configuration as it reads it.  False where it finds that faulty. */
static bool read_configuration(const char *config, struct buf *text)
{
    cleanup(close_fd) int in = -1;
    int ends[2], status, r;
    ssize_t got;
    char *room;
    pid_t pid = -1;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return false;
    in = ends[0];
    r = start_nginx(ends[1], config, &pid);
    close(ends[1]);
    if (r < 0)
        return false;
    while ((room = buf_reserve(text, PIPE_BUF)) != NULL && (got = read(in, room, PIPE_BUF)) > 0)
        buf_commit(text, (size_t)got);
    close(steal_fd(&in)); /* it need not wait for us, should there be more than fits */
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* ---- what should be in it ---- */

/* As nginx writes sizes: a number and k, m or g.  False where it is none. */
static bool read_size(const char *text, int64_t *ret_bytes)
{
    char *end;
    long long value = strtoll(text, &end, 10);

    if (end == text || value < 0 || value > INT64_MAX >> 30)
        return false;
    switch (tolower((unsigned char)*end)) {
    case 'k':
        value <<= 10;
        break;
    case 'm':
        value <<= 20;
        break;
    case 'g':
        value <<= 30;
        break;
    default:
        break;
    }
    *ret_bytes = value;
    return true;
}

/* The part of the text that is of the file in which a place is. */
static const char *start_of_file(const char *text, const char *place)
{
    static const char head[] = "# configuration file ";
    const char *start = text, *next = text;

    while ((next = strstr(next, head)) != NULL && next < place) {
        start = next;
        next += strlen(head);
    }
    return start;
}

/* The first limit of that file: those behind it are of single addresses. */
static void check_body_limit(const struct settings *settings, const char *file, struct finding *finding)
{
    static const char directive[] = "client_max_body_size";
    const char *place = strstr(file, directive);
    int64_t bytes;

    if (place == NULL ||
        !read_size(place + strlen(directive) + strspn(place + strlen(directive), " \t"), &bytes)) {
        finding_note(finding, VERDICT_FAULT,
                     "nginx has no client_max_body_size beside downloads_dir, so it takes 1 MiB");
        finding_advise(finding,
                       "write client_max_body_size %" PRId64 "; into the site, then systemctl reload nginx",
                       settings->max_body_bytes);
    } else if (bytes != settings->max_body_bytes) {
        finding_note(finding, VERDICT_FAULT,
                     "nginx takes bodies of %" PRId64 " bytes, and max_body_bytes is %" PRId64, bytes,
                     settings->max_body_bytes);
        finding_advise(finding,
                       "write client_max_body_size %" PRId64 "; into the site, then systemctl reload nginx",
                       settings->max_body_bytes);
    }
}

static void judge(const struct settings *settings, const char *text, struct finding *finding)
{
    char socket[PATH_MAX], root[PATH_MAX];
    const char *place;

    snprintf(socket, sizeof socket, "unix:%s;", settings->api_socket);
    snprintf(root, sizeof root, "root %s;", settings->downloads_dir);
    if (strstr(text, socket) == NULL) {
        finding_note(finding, VERDICT_WARNING, "no site of nginx leads to api_socket %s",
                     settings->api_socket);
        finding_advise(finding,
                       "enable the site: ln -s ../sites-available/sayhook /etc/nginx/sites-enabled/ && "
                       "systemctl reload nginx; or name another configuration: doctor --nginx FILE");
        return;
    }
    place = strstr(text, root);
    if (place == NULL) {
        finding_note(finding, VERDICT_FAULT, "nginx serves no downloads from downloads_dir %s",
                     settings->downloads_dir);
        finding_advise(finding, "mend `root` in the site's locations, then systemctl reload nginx");
        return;
    }
    check_body_limit(settings, start_of_file(text, place), finding);
    if (!account_nginx_runs()) {
        finding_note(finding, VERDICT_FAULT, "nginx does not run: no client reaches the API");
        finding_advise(finding, "systemctl start nginx; journalctl -u nginx");
    }
    if (finding->count == 0)
        finding_note(finding, VERDICT_OK,
                     "it leads to api_socket, serves downloads_dir and takes max_body_bytes");
}

void check_nginx_site(struct doctor *doctor, struct finding *finding)
{
    cleanup(buf_release) struct buf text = BUF_INIT(OUTPUT_MAX);

    if (access(NGINX_PROGRAM, X_OK) < 0) {
        finding_note(finding, VERDICT_WARNING, "there is no %s, through which clients reach the API",
                     NGINX_PROGRAM);
        finding_advise(finding, "apt-get install nginx-light");
    } else if (geteuid() != 0 && doctor->nginx_config == NULL) {
        finding_note(finding, VERDICT_SKIPPED, "only root may read nginx's certificates");
        finding_advise(finding, "run this command as root");
    } else if (!read_configuration(doctor->nginx_config, &text) || !buf_ok(&text)) {
        finding_note(finding, VERDICT_FAULT, "nginx finds its configuration faulty");
        finding_advise(finding, "nginx -t%s%s says where", doctor->nginx_config != NULL ? " -c " : "",
                       doctor->nginx_config != NULL ? doctor->nginx_config : "");
    } else {
        judge(doctor->settings, buf_str(&text), finding);
    }
}
