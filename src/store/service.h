/* SPDX-License-Identifier: Apache-2.0 */
/* The service as a whole: how an administrator steers it, and looks at its database.  As in store.h. */
#ifndef STORE_SERVICE_H
#define STORE_SERVICE_H

#include "store/store.h"

/*
 * [write] Pauses claiming, and has it go on; what is claimed already goes on, and everything else does.
 * STORE_CONFLICT where it is so already, which changes nothing.
 */
int service_pause(struct store *store, struct error *err);
int service_resume(struct store *store, struct error *err);

/* Jobs that are processing, whoever has claimed them.  It costs what is claimed, not what there is. */
int job_count_claimed(struct store *store, int64_t *ret_count, struct error *err);

/*
 * Opens the database for verbs that read alone: it neither creates nor migrates nor changes anything.  Of
 * options path and clock count, and what is shown of keys' limits.  -ENOENT, -EACCES; -EUCLEAN where it is
 * another program's, or damaged.  STORE_CONFLICT where it has another version than this program's:
 * *ret_version, and there is no store.
 */
int store_look(const struct store_options *options, struct store **ret_store, int *ret_version,
               struct error *err);

/* The version of the database that this program reads and writes. */
int store_version(void);

/* How webhook secrets lie.  *ret_plain: in plain text, though this store has a sealer.  -EPROTO as
 * secrets_seal(). */
int secrets_look(struct store *store, bool *ret_plain, struct error *err);

/* When the newest job was created; 0 where there is none. */
int job_newest_at(struct store *store, int64_t *ret_wall_ms, struct error *err);

/* Whether the database is in the journal mode that all of this relies on. */
int store_is_wal(struct store *store, bool *ret_is_wal, struct error *err);

/* The version of the library under it, three numbers. */
int store_library_version(struct store *store, int ret_version[3], struct error *err);

#endif
