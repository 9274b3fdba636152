/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration and the key that it names. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/ownership.h"
#include "ctl/account.h"
#include "ctl/doctor.h"

static void note_faults(const struct settings_report *report, struct finding *finding)
{
    for (size_t i = 0; i < report->fault_count; i++) {
        const char *text = report->faults[i].text;

        finding_note(finding, VERDICT_FAULT, "%s", text != NULL ? text : "out of memory");
        finding->notes[finding->count - 1].line = report->faults[i].line;
    }
}

static size_t count_lines(const struct settings_report *report)
{
    size_t count = 0;

    for (size_t i = 0; i < SETTINGS_MAX; i++)
        count += report->lines[i] != 0;
    return count;
}

static void note_file(const struct doctor *doctor, const struct settings_report *report,
                      struct finding *finding)
{
    struct account service;

    if (doctor->config_file != NULL) {
        finding_note(finding, VERDICT_OK, "%s, settings that it changes: %zu", doctor->config_file,
                     count_lines(report));
    } else if (account_find(SERVICE_USER, &service)) {
        finding_note(finding, VERDICT_FAULT, "there is no %s, and the services do not start without it",
                     SETTINGS_DEFAULT_FILE);
        finding_advise(finding,
                       "put it back, or begin anew: sayhookctl --help-settings >%s; systemctl restart "
                       "sayhook-api sayhook-worker",
                       SETTINGS_DEFAULT_FILE);
    } else {
        finding_note(finding, VERDICT_OK, "there is no %s: the defaults hold", SETTINGS_DEFAULT_FILE);
    }
}

void check_configuration(struct doctor *doctor, struct finding *finding)
{
    struct settings *settings = &doctor->ctl->options.settings;
    struct settings_report report = {0};
    struct error error = {""};
    int r = settings_load_reporting(doctor->config_file, settings, &report, &error);

    if (r == 0) {
        doctor->settings = settings;
        note_file(doctor, &report, finding);
    } else if (report.fault_count > 0) {
        note_faults(&report, finding);
        finding_advise(finding, "mend these lines of %s; sayhookctl --help-settings explains every setting",
                       doctor->config_file);
    } else {
        finding_note(finding, VERDICT_FAULT, "%s", error.text);
        finding_advise(finding, r == -EACCES ? "run this command as root"
                                             : "sayhookctl --help-settings prints a file to start from");
    }
    settings_report_release(&report);
}

/* Root reads anything; what counts is whether the daemons can. */
static void check_key_reader(const struct doctor *doctor, const char *path, struct finding *finding)
{
    char name[OWNER_NAME_SIZE], blocking[PATH_MAX];
    struct account account = {.uid = doctor->owner};

    owner_name(doctor->owner, name);
    account_find(name, &account);
    if (account_may(&account, path, 4, blocking)) {
        finding_note(finding, VERDICT_OK, "%s: webhook secrets are encrypted", path);
        return;
    }
    finding_note(finding, VERDICT_FAULT, "%s cannot read %s: %s is in the way", name, path, blocking);
    if (strcmp(blocking, path) == 0)
        finding_advise(finding, "chown %s '%s' && chmod 0400 '%s'", name, path, path);
    else
        finding_advise(finding, "chmod o+x '%s'", blocking);
}

static void advise_key(const char *path, struct finding *finding)
{
    struct stat status;

    if (stat(path, &status) == 0 && status.st_size == SECRET_KEY_SIZE)
        finding_advise(finding, "chmod 0400 '%s'", path);
    else
        finding_advise(finding,
                       "put the key back that secrets were encrypted with: install -m 0400 COPY '%s'; then "
                       "systemctl restart sayhook-worker",
                       path);
}

/* The unit's credential is made of a file that only root can look for. */
static void check_credential(const struct doctor *doctor, struct finding *finding)
{
    struct account service;

    if (geteuid() == 0 && account_find(SERVICE_USER, &service) && doctor->owner == service.uid &&
        access(SECRET_KEY_DEFAULT_FILE, F_OK) < 0) {
        finding_note(finding, VERDICT_WARNING,
                     "there is no %s: the worker does not start without it, unless a drop-in names another",
                     SECRET_KEY_DEFAULT_FILE);
        advise_key(SECRET_KEY_DEFAULT_FILE, finding);
        return;
    }
    /* The services may have it as a credential, which is not ours to see. */
    finding_note(finding, VERDICT_OK,
                 "no secret_key_file is set: a credential of the services has the key, or webhook secrets "
                 "lie in plain text");
}

void check_secret_key(struct doctor *doctor, struct finding *finding)
{
    const char *path = doctor->settings->secret_key_file;
    struct secret_key key = {0};
    struct error error = {""};
    int r = secret_key_read(path, &key, &error);
    struct stat status;

    if (r < 0 && path[0] != '\0' && stat(path, &status) < 0 && errno == EACCES) {
        finding_note(finding, VERDICT_SKIPPED, "%s", error.text);
        finding_advise(finding, "run this command as root");
    } else if (r < 0) {
        finding_note(finding, VERDICT_FAULT, "%s", error.text);
        advise_key(path[0] != '\0' ? path : SECRET_KEY_DEFAULT_FILE, finding);
    } else if (path[0] != '\0') {
        check_key_reader(doctor, path, finding);
    } else if (key.given) {
        finding_note(finding, VERDICT_OK, "from the credential %s", SECRET_KEY_CREDENTIAL);
    } else {
        check_credential(doctor, finding);
    }
    secret_key_release(&key);
}
