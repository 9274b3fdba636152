/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checks of `doctor` and `config check`: each looks at one subject and notes what it finds.  None changes
 * anything, and each says what it can where others have failed.
 */
#ifndef CTL_DOCTOR_H
#define CTL_DOCTOR_H

#include <limits.h>
#include <sys/types.h>

#include "ctl/ctl.h"
#include "ctl/finding.h"

/* As whom the packaged daemons run. */
#define SERVICE_USER "sayhook"

struct doctor {
    struct ctl *ctl;
    const char *config_file;         /* NULL: there is none, and the defaults hold */
    const struct settings *settings; /* NULL where they cannot be read */
    uid_t owner;                     /* whose the state is to be: as whom the daemons run */
    struct store *store;             /* to look at; NULL where it cannot be, or not yet */
    const char *synth_program;
    const char *nginx_config; /* NULL: nginx's own default */
};

/* What a check cannot do without; where it is not there, the check is skipped. */
enum need { NEEDS_NOTHING, NEEDS_SETTINGS, NEEDS_STORE };

struct check {
    const char *name;
    enum need need;
    void (*run)(struct doctor *doctor, struct finding *finding);
};

/* The folder of a path that is absolute; "/" for "/x". */
void doctor_parent(const char *path, char ret_folder[PATH_MAX]);

/* Finds out whose the state is, once there are settings. */
void doctor_find_owner(struct doctor *doctor);

/* doctor_config.c: the first reads the settings that all others use. */
void check_configuration(struct doctor *doctor, struct finding *finding);
void check_secret_key(struct doctor *doctor, struct finding *finding);

/* Notes that a question to the database has failed, with what to do about it. */
void doctor_note_database(int r, const struct error *error, struct finding *finding);

/* doctor_database.c: the first opens the store that others look at. */
void check_database(struct doctor *doctor, struct finding *finding);
void check_sqlite(struct doctor *doctor, struct finding *finding);
void check_secrets(struct doctor *doctor, struct finding *finding);

/* doctor_disk.c */
void check_file_system(struct doctor *doctor, struct finding *finding);
void check_sync(struct doctor *doctor, struct finding *finding);
void check_room(struct doctor *doctor, struct finding *finding);

/* doctor_speech.c */
void check_voices(struct doctor *doctor, struct finding *finding);
void check_formats(struct doctor *doctor, struct finding *finding);

/* doctor_nginx.c */
void check_nginx_site(struct doctor *doctor, struct finding *finding);

/* doctor_service.c */
void check_api(struct doctor *doctor, struct finding *finding);
void check_workers(struct doctor *doctor, struct finding *finding);
void check_queue(struct doctor *doctor, struct finding *finding);
void check_webhooks(struct doctor *doctor, struct finding *finding);

/* doctor_system.c */
void check_clock(struct doctor *doctor, struct finding *finding);
void check_descriptors(struct doctor *doctor, struct finding *finding);

/* doctor_files.c */
void check_configuration_owner(struct doctor *doctor, struct finding *finding);
void check_state_owners(struct doctor *doctor, struct finding *finding);
void check_nginx_access(struct doctor *doctor, struct finding *finding);

#endif
