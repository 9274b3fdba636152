/* SPDX-License-Identifier: Apache-2.0 */
/* Whether nginx serves what the settings say. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "ctl/doctor.h"

#define NGINX_PROGRAM "/usr/sbin/nginx"

/* All of its configuration; a machine with many sites has less. */
#define OUTPUT_MAX (4 << 20)

/* ---- what nginx says ---- */

static _Noreturn void become_nginx(int out, const char *config)
{
    int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);

    dup2(nowhere, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(nowhere, STDERR_FILENO);
    if (config != NULL)
        execl(NGINX_PROGRAM, "nginx", "-e", "stderr", "-T", "-q", "-c", config, (char *)NULL);
    else
        execl(NGINX_PROGRAM, "nginx", "-T", "-q", (char *)NULL);
    _exit(127);
}

/* Its whole configuration as it reads it.  False where it finds that faulty. */
static bool read_configuration(const char *config, struct buf *text)
{
    cleanup(close_fd) int in = -1;
    int ends[2], status;
    ssize_t got;
    char *room;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return false;
    in = ends[0];
    pid = fork();
    if (pid == 0)
        become_nginx(ends[1], config);
    close(ends[1]);
    while (pid > 0 && (room = buf_reserve(text, PIPE_BUF)) != NULL && (got = read(in, room, PIPE_BUF)) > 0)
        buf_commit(text, (size_t)got);
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
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
