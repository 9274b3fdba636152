/* SPDX-License-Identifier: Apache-2.0 */
/* The database, and the library that it relies on. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "ctl/doctor.h"
#include "ctl/process.h"
#include "store/service.h"

/* ---- the database ---- */

static void note_other_version(const struct doctor *doctor, int version, struct finding *finding)
{
    const char *database = doctor->settings->database;

    if (version > store_version()) {
        finding_note(finding, VERDICT_FAULT, "%s has version %d, and this program knows versions up to %d",
                     database, version, store_version());
        finding_advise(finding,
                       "install the newer Sayhook that wrote it, or restore a backup from before it did");
        return;
    }
    finding_note(finding, VERDICT_WARNING, "%s has version %d, and this program makes it %d", database,
                 version, store_version());
    finding_advise(finding,
                   "systemctl restart sayhook-worker sayhook-api, which migrate it; make a backup before");
}

void doctor_note_database(int r, const struct error *error, struct finding *finding)
{
    finding_note(finding, VERDICT_FAULT, "%s", error->text);
    if (r == -EUCLEAN)
        finding_advise(finding,
                       "restore the last backup: systemctl stop sayhook.target; sayhookctl db restore DIR");
    else
        finding_advise(finding, "look closer: sayhookctl db check");
}

static void note_unreadable(const struct doctor *doctor, int r, const struct error *error,
                            struct finding *finding)
{
    if (r == -EACCES) {
        finding_note(finding, VERDICT_SKIPPED, "%s", error->text);
        finding_advise(finding, "run this command as root");
    } else if (r == -ENOENT) {
        finding_note(finding, VERDICT_FAULT, "%s", error->text);
        finding_advise(finding,
                       "a worker or an API that starts makes it: systemctl start sayhook.target; or mend the "
                       "setting `database`");
    } else {
        finding_note(finding, VERDICT_FAULT, "%s", error->text);
        finding_advise(
            finding,
            "restore the last backup of %s: systemctl stop sayhook.target; sayhookctl db restore DIR; or "
            "name the right file in the setting `database`",
            doctor->settings->database);
    }
}

static void check_journal(struct doctor *doctor, struct finding *finding)
{
    struct error error;
    bool is_wal = false;
    int r = store_is_wal(doctor->store, &is_wal, &error);

    if (r < 0) {
        note_unreadable(doctor, r, &error, finding);
    } else if (!is_wal) {
        finding_note(finding, VERDICT_WARNING, "%s is not in WAL mode", doctor->settings->database);
        finding_advise(finding, "restart the worker, which sets it: systemctl restart sayhook-worker");
    } else {
        finding_note(finding, VERDICT_OK, "%s, version %d, in WAL mode", doctor->settings->database,
                     store_version());
    }
}

void check_database(struct doctor *doctor, struct finding *finding)
{
    struct store_options options = {.path = doctor->settings->database, .clock = &clock_system};
    struct ctl *ctl = doctor->ctl;
    struct error error;
    int version = 0;
    int r;

    if (secret_key_read(doctor->settings->secret_key_file, &ctl->options.secret_key, NULL) == 0 &&
        ctl->options.secret_key.given) {
        sealer_init(&ctl->sealer, ctl->options.secret_key.bytes);
        options.sealer = &ctl->sealer;
    }
    r = store_look(&options, &doctor->store, &version, &error);
    if (r == STORE_CONFLICT)
        note_other_version(doctor, version, finding);
    else if (r < 0)
        note_unreadable(doctor, r, &error, finding);
    else
        check_journal(doctor, finding);
}

void check_secrets(struct doctor *doctor, struct finding *finding)
{
    struct error error;
    bool is_plain = false;
    bool has_key = doctor->ctl->options.secret_key.given;
    int r = secrets_look(doctor->store, &is_plain, &error);

    if (r < 0 && r != -EPROTO) {
        doctor_note_database(r, &error, finding);
    } else if (r == -EPROTO && !has_key && doctor->settings->secret_key_file[0] == '\0') {
        finding_note(finding, VERDICT_OK,
                     "webhook secrets are encrypted, under a key that only the services have");
    } else if (r < 0) {
        finding_note(finding, VERDICT_FAULT, "%s", error.text);
        finding_advise(finding,
                       "put the key back that they were encrypted with: install -m 0400 COPY '%s'; then "
                       "systemctl restart sayhook-worker",
                       doctor->settings->secret_key_file[0] != '\0' ? doctor->settings->secret_key_file
                                                                    : SECRET_KEY_DEFAULT_FILE);
    } else if (is_plain) {
        finding_note(finding, VERDICT_WARNING, "webhook secrets lie in plain text, though there is a key");
        finding_advise(finding, "restart the worker, which encrypts them: systemctl restart sayhook-worker");
    } else if (!has_key) {
        finding_note(finding, VERDICT_WARNING, "webhook secrets, if there are any, lie in plain text");
        finding_advise(finding, "set secret_key_file; docs/CONFIGURATION.md tells how to make a key");
    } else {
        finding_note(finding, VERDICT_OK, "webhook secrets are encrypted");
    }
}

/* ---- SQLite ---- */

/*
 * The WAL-reset bug: a checkpoint that starts while another connection's commit resets the WAL can take parts
 * of the new WAL for written, which are lost then.  In 3.7.0 to 3.51.2; mended in 3.51.3, and in 3.44.6
 * and 3.50.7 of the older branches (https://sqlite.org/wal.html#walresetbug).
 */
static bool has_wal_reset_bug(const int version[3])
{
    static const int mended[][3] = {{3, 44, 6}, {3, 50, 7}, {3, 51, 3}};

    for (size_t i = 0; i < array_length(mended); i++)
        if (version[0] == mended[i][0] && version[1] == mended[i][1])
            return version[2] < mended[i][2];
    return version[0] == 3 && version[1] < 51;
}

/* Sayhook's programs take turns; another that writes, or checkpoints as it closes, does not. */
static void look_for_strangers(const char *database, struct finding *finding)
{
    cleanup(processes_close) DIR *processes = processes_open();
    char name[PROCESS_NAME_SIZE], path[PATH_MAX];
    const char *pid;
    int of_path;

    if (realpath(database, path) == NULL)
        return;
    while ((pid = processes_next(processes)) != NULL) {
        if (process_descriptors(pid, path, &of_path) <= 0 || of_path == 0)
            continue;
        process_name(pid, name);
        if (strncmp(name, "sayhook", strlen("sayhook")) == 0)
            continue;
        finding_note(finding, VERDICT_WARNING,
                     "process %s (%s) has the database open beside Sayhook's programs", pid, name);
        finding_advise(finding, "end it; never write to a live database by another program");
    }
}

void check_sqlite(struct doctor *doctor, struct finding *finding)
{
    struct error error;
    int version[3];
    int r = store_library_version(doctor->store, version, &error);

    if (r < 0) {
        finding_note(finding, VERDICT_FAULT, "%s", error.text);
        finding_advise(finding, "apt-get install --reinstall libsqlite3-0");
        return;
    }
    if (has_wal_reset_bug(version)) {
        finding_note(
            finding, VERDICT_OK,
            "%d.%d.%d has the WAL-reset bug: a checkpoint beside a commit may lose data.  Sayhook's programs "
            "write and checkpoint one at a time, so that the two never meet",
            version[0], version[1], version[2]);
        finding_advise(finding, "let no other program write to the database; SQLite 3.51.3 mends it");
    } else {
        finding_note(finding, VERDICT_OK, "%d.%d.%d, without the WAL-reset bug", version[0], version[1],
                     version[2]);
    }
    look_for_strangers(doctor->settings->database, finding);
}
