/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checks of `doctor` and `config check`: each looks at one subject and notes what it finds.  None changes
 * anything, and each says what it can where others have failed.
 */
#ifndef CTL_DOCTOR_H
#define CTL_DOCTOR_H

#include <sys/types.h>

#include "ctl/ctl.h"
#include "ctl/finding.h"

struct doctor {
    struct ctl *ctl;
    const char *config_file;         /* NULL: there is none, and the defaults hold */
    const struct settings *settings; /* NULL where they cannot be read */
    uid_t owner;                     /* whose the state is to be: as whom the daemons run */
    struct store *store;             /* to look at; NULL where it cannot be, or not yet */
    const char *synth_program;
};

struct check {
    const char *name;
    void (*run)(struct doctor *doctor, struct finding *finding);
};

/* Finds out whose the state is, once there are settings. */
void doctor_find_owner(struct doctor *doctor);

/* doctor_config.c: the first reads the settings that all others use. */
void check_configuration(struct doctor *doctor, struct finding *finding);
void check_secret_key(struct doctor *doctor, struct finding *finding);

/* doctor_files.c */
void check_configuration_owner(struct doctor *doctor, struct finding *finding);
void check_state_owners(struct doctor *doctor, struct finding *finding);
void check_nginx_access(struct doctor *doctor, struct finding *finding);

#endif
