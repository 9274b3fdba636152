/* SPDX-License-Identifier: Apache-2.0 */
/* Who owns what lies on the disk, and who may do what with it. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/ownership.h"
#include "ctl/account.h"
#include "ctl/doctor.h"

/* Debian's nginx is in it; the downloads' group, so that it may read them. */
#define NGINX_GROUP "www-data"

/* As many of nginx's as may differ in whom they run as. */
#define NGINX_ACCOUNTS_MAX 8

#define MAY_READ   4U
#define MAY_WRITE  2U
#define MAY_SEARCH 1U

void doctor_parent(const char *path, char ret_folder[PATH_MAX])
{
    char *slash;

    snprintf(ret_folder, PATH_MAX, "%s", path);
    slash = strrchr(ret_folder, '/');
    if (slash != NULL)
        slash[slash == ret_folder] = '\0';
}

void doctor_find_owner(struct doctor *doctor)
{
    char folder[PATH_MAX];
    struct account service;
    struct stat status;

    doctor_parent(doctor->settings->database, folder);
    doctor->owner = stat(folder, &status) == 0 ? status.st_uid : geteuid();
    /* The packaged daemons are never root, and what is root's there is a mistake. */
    if (doctor->owner == 0 &&
        (doctor->config_file == NULL || strcmp(doctor->config_file, SETTINGS_DEFAULT_FILE) == 0) &&
        account_find(SERVICE_USER, &service))
        doctor->owner = service.uid;
}

/* False where it cannot be looked at, which is noted: as missing, unless that is no harm. */
static bool look(const char *path, const char *what, bool must_be, struct stat *ret_status,
                 struct finding *finding)
{
    if (stat(path, ret_status) == 0)
        return true;
    if (errno == EACCES) {
        finding_note(finding, VERDICT_SKIPPED, "%s %s cannot be looked at", what, path);
        finding_advise(finding, "run this command as root");
    } else if (errno != ENOENT || must_be) {
        finding_note(finding, VERDICT_FAULT, "%s %s: %s", what, path, strerrordesc_np(errno));
    }
    return false;
}

static void check_owner(const struct doctor *doctor, const char *path, const char *what,
                        const struct stat *status, struct finding *finding)
{
    char actual[OWNER_NAME_SIZE], right[OWNER_NAME_SIZE];

    if (status->st_uid == doctor->owner)
        return;
    owner_name(status->st_uid, actual);
    owner_name(doctor->owner, right);
    finding_note(finding, VERDICT_FAULT, "%s %s belongs to %s, not to %s", what, path, actual, right);
    finding_advise(finding, "chown %s '%s'", right, path);
}

/* ---- the configuration ---- */

static void check_writers(const char *path, const char *what, const struct stat *status,
                          struct finding *finding)
{
    /* In a folder like /tmp each may change only what is theirs. */
    if ((status->st_mode & OTHERS_MAY_CHANGE) == 0 || (status->st_mode & S_ISVTX) != 0)
        return;
    finding_note(finding, VERDICT_FAULT, "%s %s has the mode %04o: others than its owner may change it", what,
                 path, (unsigned int)status->st_mode & 07777);
    finding_advise(finding, "chmod go-w '%s'", path);
}

/* Root reads anything; the daemons may not. */
static void check_readers(const struct doctor *doctor, struct finding *finding)
{
    char name[OWNER_NAME_SIZE], blocking[PATH_MAX];
    struct account account = {.uid = doctor->owner};

    owner_name(doctor->owner, name);
    if (doctor->settings == NULL || doctor->owner == 0 || doctor->config_file[0] != '/' ||
        !account_find(name, &account) || account_may(&account, doctor->config_file, MAY_READ, blocking))
        return;
    finding_note(finding, VERDICT_FAULT, "%s, as whom the daemons run, cannot read %s: %s is in the way",
                 name, doctor->config_file, blocking);
    finding_advise(finding, "chmod a+%s '%s'", strcmp(blocking, doctor->config_file) == 0 ? "r" : "x",
                   blocking);
}

void check_configuration_owner(struct doctor *doctor, struct finding *finding)
{
    char folder[PATH_MAX], name[OWNER_NAME_SIZE];
    struct stat status;

    if (doctor->config_file == NULL)
        return;
    if (look(doctor->config_file, "the configuration", false, &status, finding)) {
        check_writers(doctor->config_file, "the configuration", &status, finding);
        owner_name(status.st_uid, name);
        if (status.st_uid != 0 && status.st_uid != geteuid() &&
            (doctor->settings == NULL || status.st_uid != doctor->owner)) {
            finding_note(finding, VERDICT_FAULT, "the configuration %s belongs to %s, who may change it",
                         doctor->config_file, name);
            finding_advise(finding, "chown root '%s'", doctor->config_file);
        }
        check_readers(doctor, finding);
    }
    if (strchr(doctor->config_file, '/') == NULL)
        return;
    doctor_parent(doctor->config_file, folder);
    if (stat(folder, &status) == 0)
        check_writers(folder, "the configuration's folder", &status, finding);
    if (finding->count == 0 && access(doctor->config_file, F_OK) == 0)
        finding_note(finding, VERDICT_OK, "only its owner may change %s", doctor->config_file);
}

/* ---- the state ---- */

struct folder_rule {
    const char *what;
    mode_t forbidden;
    const char *mode;  /* to be made with */
    const char *group; /* likewise; NULL is the owner's */
};

static const struct folder_rule database_folder = {"the database's folder", OTHERS_MAY_CHANGE, "0750", NULL};
static const struct folder_rule downloads_folder = {"downloads_dir", OTHERS_MAY_CHANGE, "2750", NGINX_GROUP};
static const struct folder_rule spool_folder = {"spool_dir", OTHERS_MAY_ANY, "0700", NULL};

static void advise_making(const struct doctor *doctor, const char *path, const struct folder_rule *rule,
                          struct finding *finding)
{
    bool has_group = rule->group != NULL && getgrnam(rule->group) != NULL;
    char name[OWNER_NAME_SIZE];

    owner_name(doctor->owner, name);
    finding_advise(finding, "install -d -o %s%s%s -m %s '%s'", name, has_group ? " -g " : "",
                   has_group ? rule->group : "", rule->mode, path);
}

static void check_folder(const struct doctor *doctor, const char *path, const struct folder_rule *rule,
                         struct finding *finding)
{
    size_t before = finding->count;
    struct stat status;
    bool may_change;

    if (!look(path, rule->what, true, &status, finding)) {
        if (finding->count > before && finding->notes[before].verdict == VERDICT_FAULT)
            advise_making(doctor, path, rule, finding);
        return;
    }
    if (!S_ISDIR(status.st_mode)) {
        finding_note(finding, VERDICT_FAULT, "%s %s is no folder", rule->what, path);
        finding_advise(finding, "mend the setting, or move what is there away");
        return;
    }
    check_owner(doctor, path, rule->what, &status, finding);
    if ((status.st_mode & rule->forbidden) == 0)
        return;
    may_change = (status.st_mode & OTHERS_MAY_CHANGE) != 0; /* then no daemon starts */
    finding_note(finding, may_change ? VERDICT_FAULT : VERDICT_WARNING,
                 "%s %s has the mode %04o: others may %s what is in it", rule->what, path,
                 (unsigned int)status.st_mode & 07777, may_change ? "change" : "see");
    finding_advise(finding, "chmod %s '%s'", rule->forbidden == OTHERS_MAY_CHANGE ? "go-w" : "go=", path);
}

/* Where the setting names another file by mistake, nobody shall be told to change that one's mode.  To be
 * called before this process has the database open: to close it here would give up the locks on it. */
static bool is_database(const char *path)
{
    static const char magic[] = "SQLite format 3";
    cleanup(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    char head[sizeof magic];

    return fd >= 0 && read(fd, head, sizeof head) == sizeof head && memcmp(head, magic, sizeof magic) == 0;
}

/* Of what it leads to, nobody shall be told to change the owner: whoever may write to the folder could have
 * any file given to the service. */
static bool note_link(const char *path, struct finding *finding)
{
    struct stat status;

    if (lstat(path, &status) < 0 || !S_ISLNK(status.st_mode))
        return false;
    finding_note(finding, VERDICT_FAULT, "the file %s is a symbolic link, which Sayhook never makes", path);
    finding_advise(finding, "find out who made it, then: rm '%s'", path);
    return true;
}

/* SQLite makes what lies beside a database for the database's owner, and a daemon that got one of them for
 * reading alone stays at that. */
static void check_database_owner(const struct doctor *doctor, const char *path, const struct stat *status,
                                 struct finding *finding)
{
    char actual[OWNER_NAME_SIZE], right[OWNER_NAME_SIZE];

    if (status->st_uid == doctor->owner)
        return;
    owner_name(status->st_uid, actual);
    owner_name(doctor->owner, right);
    finding_note(finding, VERDICT_FAULT, "the file %s belongs to %s, not to %s", path, actual, right);
    finding_advise(finding, "chown -h %s '%s'*; systemctl restart sayhook-api sayhook-worker", right,
                   doctor->settings->database);
}

/* The database and what lies beside it: one that belongs to another is one that the daemons cannot open. */
static void check_database_files(const struct doctor *doctor, struct finding *finding)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-turnstile", "-deliverer.lock"};
    const char *database = doctor->settings->database;
    char path[PATH_MAX], folder[PATH_MAX];
    struct stat status, above;

    doctor_parent(database, folder);
    if (stat(folder, &above) < 0 || !is_database(database))
        return;
    for (size_t i = 0; i < array_length(suffixes); i++) {
        snprintf(path, sizeof path, "%s%s", database, suffixes[i]);
        if (i > 0 && note_link(path, finding))
            continue;
        if (!look(path, "the file", false, &status, finding))
            continue;
        check_database_owner(doctor, path, &status, finding);
        /* Where others cannot enter the folder, the modes in it do not matter. */
        if ((status.st_mode & (S_IROTH | S_IWOTH)) == 0 || (above.st_mode & S_IXOTH) == 0)
            continue;
        finding_note(finding, (status.st_mode & S_IWOTH) != 0 ? VERDICT_FAULT : VERDICT_WARNING,
                     "the file %s has the mode %04o: every user of this machine may %s it", path,
                     (unsigned int)status.st_mode & 07777,
                     (status.st_mode & S_IWOTH) != 0 ? "write" : "read");
        finding_advise(finding, "chmod o= '%s'", path);
    }
}

void check_state_owners(struct doctor *doctor, struct finding *finding)
{
    const struct settings *settings = doctor->settings;
    char folder[PATH_MAX], name[OWNER_NAME_SIZE];

    doctor_parent(settings->database, folder);
    check_folder(doctor, folder, &database_folder, finding);
    check_database_files(doctor, finding);
    check_folder(doctor, settings->downloads_dir, &downloads_folder, finding);
    check_folder(doctor, settings->spool_dir, &spool_folder, finding);
    owner_name(doctor->owner, name);
    if (finding->count == 0)
        finding_note(finding, VERDICT_OK, "database, downloads and spool belong to %s", name);
}

/* ---- nginx's access ---- */

/* False where none of nginx's users may, and what stands in the way of the last one is noted. */
static void check_reach(const struct account *accounts, size_t count, const char *path, unsigned int access,
                        const char *verb, struct finding *finding)
{
    char blocking[PATH_MAX] = "", name[OWNER_NAME_SIZE], group[ACCOUNT_GROUP_NAME_SIZE];

    for (size_t i = 0; i < count; i++)
        if (account_may(&accounts[i], path, access, blocking))
            return;
    owner_name(accounts[count - 1].uid, name);
    account_group_name(accounts[count - 1].groups[0], group);
    finding_note(finding, VERDICT_FAULT, "%s, as whom nginx serves, cannot %s %s: %s is in the way", name,
                 verb, path, blocking);
    finding_advise(finding, "chgrp %s '%s' && chmod g+%s '%s'", group, blocking,
                   strcmp(blocking, path) != 0 ? "x"
                   : access == MAY_WRITE       ? "rw"
                                               : "rx",
                   blocking);
}

void check_nginx_access(struct doctor *doctor, struct finding *finding)
{
    const struct settings *settings = doctor->settings;
    struct account accounts[NGINX_ACCOUNTS_MAX];
    size_t count = account_list_nginx(accounts, NGINX_ACCOUNTS_MAX);
    struct stat status;

    if (count == 0) {
        finding_note(finding, VERDICT_SKIPPED, "nginx does not run, and there is no user www-data");
        finding_advise(finding, "apt-get install nginx-light");
        return;
    }
    if (stat(settings->downloads_dir, &status) == 0)
        check_reach(accounts, count, settings->downloads_dir, MAY_READ | MAY_SEARCH, "read", finding);
    else
        finding_note(finding, VERDICT_SKIPPED, "downloads_dir %s cannot be looked at",
                     settings->downloads_dir);
    if (stat(settings->api_socket, &status) < 0) {
        finding_note(finding, errno == EACCES ? VERDICT_SKIPPED : VERDICT_FAULT, "api_socket %s: %s",
                     settings->api_socket, strerrordesc_np(errno));
        finding_advise(finding, errno == EACCES ? "run this command as root"
                                                : "systemctl start sayhook-api.socket sayhook-api.service");
        return;
    }
    check_reach(accounts, count, settings->api_socket, MAY_WRITE, "connect to", finding);
    if ((status.st_mode & S_IWOTH) != 0) {
        finding_note(finding, VERDICT_WARNING,
                     "api_socket %s has the mode %04o: every user may connect to it", settings->api_socket,
                     (unsigned int)status.st_mode & 07777);
        finding_advise(finding, "chmod o= '%s'; SocketMode=0660 of sayhook-api.socket keeps it so",
                       settings->api_socket);
    }
    if (finding->count == 0)
        finding_note(finding, VERDICT_OK, "it may read downloads_dir and connect to api_socket");
}
