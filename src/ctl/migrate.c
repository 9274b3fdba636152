/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "codec/json_write.h"
#include "ctl/ctl.h"
#include "db/migrate.h"

static void close_db(struct db **db)
{
    db_close(*db);
}

static int print_versions(const struct ctl *ctl, const char *database, int before, int after)
{
    char copy[PATH_MAX] = "";
    cleanup(buf_release) struct buf text = BUF_INIT(CTL_OUTPUT_MAX);

    bool has_copy = before != 0 && before != after && db_path_before(database, after, copy, NULL) == 0;

    if (ctl->json) {
        buf_append_str(&text, "{");
        json_member_string(&text, "database", database);
        json_member_int(&text, "from_version", before);
        json_member_int(&text, "to_version", after);
        json_member_string(&text, "copy", has_copy ? copy : NULL);
        buf_append_str(&text, "}");
    } else if (before == after) {
        buf_printf(&text, "%s: at version %d already", database, after);
    } else if (before == 0) {
        buf_printf(&text, "%s: created at version %d", database, after);
    } else {
        buf_printf(&text, "%s: from version %d to %d; as it was before, it is kept in %s", database, before,
                   after, copy);
    }
    return ctl_print(ctl, &text);
}

/* The version that the database had before. */
static int migrate(const char *path, int *ret_before, struct error *err)
{
    const struct db_options options = {.path = path};
    cleanup(close_db) struct db *db = NULL;
    int r = db_open(&options, &db, err);

    return r == 0 ? db_migrate(db, &clock_system, ret_before, err) : r;
}

int ctl_migrate(struct ctl *ctl, int argc, char **argv)
{
    static const struct program_option options[] = {{NULL}};
    cleanup(ctl_close_store) struct store *store = NULL;
    struct error error;
    char **arguments;
    int before = 0;
    int code = ctl_read(ctl, argc, argv, options, &arguments);
    int r;

    if (code != OPTIONS_RUN || (code = ctl_load_settings(ctl)) != 0)
        return code;
    r = migrate(ctl->options.settings.database, &before, &error);
    if (r < 0)
        return ctl_fail_error(ctl, r, &error);
    code = ctl_open_secrets(ctl, &store);
    return code == 0 ? print_versions(ctl, ctl->options.settings.database, before, db_newest_version())
                     : code;
}
