/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A backup in the place of what is there.  First it is laid out whole beside the present state, then a mark
 * is written, then names are exchanged.  Killed before the mark, nothing has changed; killed after it,
 * programs refuse to start, and the same command goes on with the exchange.  What was there stays, under
 * names with "before-restore" and the time.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "codec/json_write.h"
#include "ctl/restore.h"
#include "db/copy.h"
#include "db/migrate.h"
#include "db/replace.h"
#include "db/turnstile.h"

/* ---- names ---- */

static int name_paths(struct restore *restore, struct error *err)
{
    const struct settings *settings = restore->settings;

    snprintf(restore->aside_name, sizeof restore->aside_name, RESTORE_ASIDE "%s", restore->began);
    if (!db_path_restore_mark(settings->database, restore->mark) ||
        (size_t)snprintf(restore->next_database, PATH_MAX, "%s." RESTORE_NEXT, settings->database) >=
            PATH_MAX ||
        (size_t)snprintf(restore->next_downloads, PATH_MAX, "%s/" RESTORE_NEXT, settings->downloads_dir) >=
            PATH_MAX ||
        (size_t)snprintf(restore->aside_database, PATH_MAX, "%s.%s", settings->database,
                         restore->aside_name) >= PATH_MAX ||
        (size_t)snprintf(restore->aside_downloads, PATH_MAX, "%s/%s", settings->downloads_dir,
                         restore->aside_name) >= PATH_MAX ||
        (size_t)snprintf(restore->aside_spool, PATH_MAX, "%s/%s", settings->spool_dir, restore->aside_name) >=
            PATH_MAX)
        return error_set(err, -ENAMETOOLONG, "the paths of the settings are too long");
    return 0;
}

/* Nothing of before is ever written over: not by a clock that was set back, either. */
static int check_names(const struct restore *restore, struct error *err)
{
    const char *const names[] = {restore->aside_database, restore->aside_downloads, restore->aside_spool};

    for (size_t i = 0; i < array_length(names); i++)
        if (access(names[i], F_OK) == 0)
            return error_set(err, -EEXIST, "%s is there already", names[i]);
    return 0;
}

static void format_now(char ret_text[RESTORE_TIME_SIZE])
{
    int64_t now = clock_wall_ms(&clock_system);
    time_t seconds = (time_t)(now / 1000);
    struct tm parts;
    char text[RESTORE_TIME_SIZE];

    gmtime_r(&seconds, &parts);
    strftime(text, sizeof text, "%Y%m%dT%H%M%S", &parts);
    snprintf(ret_text, RESTORE_TIME_SIZE, "%.15s.%03dZ", text, (int)(now % 1000));
}

/* The time of an interrupted restore from its mark, or now; *ret_interrupted tells which. */
static int find_time(struct restore *restore, bool *ret_interrupted, struct error *err)
{
    cleanup(buf_release) struct buf text = BUF_INIT(RESTORE_TIME_SIZE);
    int r;

    if (!db_path_restore_mark(restore->settings->database, restore->mark))
        return error_set(err, -ENAMETOOLONG, "the path of the database is too long");
    r = file_read(restore->mark, &text, err);
    *ret_interrupted = r == 0;
    if (r == -ENOENT)
        format_now(restore->began);
    else if (r == 0 && text.length == RESTORE_TIME_SIZE - 1 &&
             strspn(buf_str(&text), "0123456789TZ.") == text.length)
        memcpy(restore->began, buf_str(&text), RESTORE_TIME_SIZE);
    else if (r == 0)
        return error_set(err, -EUCLEAN, "%s is not what an interrupted restore leaves", restore->mark);
    return r == -ENOENT ? 0 : r;
}

/* ---- the backup ---- */

static int check_backup(struct restore *restore, struct error *err)
{
    char path[PATH_MAX], hash[SHA256_HEX_SIZE];
    int64_t bytes = 0;
    int version = 0;
    int r = manifest_read(restore->dir, &restore->manifest, err);

    if (r == 0)
        r = backup_path(restore->dir, BACKUP_DATABASE, path, err);
    if (r == 0)
        r = manifest_hash(path, &bytes, hash, err);
    if (r < 0)
        return r;
    if (bytes != restore->manifest.database_bytes || strcmp(hash, restore->manifest.database_sha256) != 0)
        return error_set(err, -EUCLEAN,
                         "%s is not the file of which its " BACKUP_MANIFEST " speaks: it was changed", path);
    r = db_version_of(path, &version, err);
    if (r == 0 && version != restore->manifest.schema_version)
        return error_set(err, -EUCLEAN,
                         "%s has schema version %d, and its " BACKUP_MANIFEST " speaks of %" PRId64
                         ": it was changed",
                         path, version, restore->manifest.schema_version);
    if (r == 0 && version > db_newest_version())
        r = error_set(
            err, -EPROTO,
            "the backup has schema version %d, and this program (sayhook %s) knows versions up to %d: a "
            "newer Sayhook made it; install that version",
            version, PACKAGE_VERSION, db_newest_version());
    return r;
}

/* ---- all of it ---- */

static int refuse_users(const struct restore *restore, struct error *err)
{
    int pid = 0;
    int r = db_is_in_use(restore->settings->database, &pid, err);

    if (r == DB_IN_USE && pid > 0)
        return error_set(err, -EBUSY,
                         "the process %d has the database open; stop Sayhook first, 'systemctl stop "
                         "sayhook.target', and whatever else reads it",
                         pid);
    if (r == DB_IN_USE)
        return error_set(err, -EBUSY,
                         "a process of another container has the database open; stop Sayhook there first");
    return r;
}

/* Inside the turnstile: programs that start wait. */
static int restore_inside(struct restore *restore, struct error *err)
{
    int r = refuse_users(restore, err);

    if (r == 0)
        r = find_time(restore, &restore->resumed, err);
    if (r == 0)
        r = name_paths(restore, err);
    if (r == 0 && !restore->resumed) {
        r = check_names(restore, err);
        if (r == 0)
            r = check_backup(restore, err);
        if (r == 0)
            r = restore_lay_out(restore, err);
        if (r == 0)
            r = file_replace(restore->mark, restore->began, strlen(restore->began), 0640, err);
    }
    return r == 0 ? restore_exchange(restore, err) : r;
}

static int print_restore(const struct restore *restore)
{
    cleanup(buf_release) struct buf text = BUF_INIT(CTL_OUTPUT_MAX);
    const struct settings *settings = restore->settings;
    bool kept = access(restore->aside_database, F_OK) == 0;

    if (restore->ctl->json) {
        buf_append_str(&text, "{");
        json_member_string(&text, "database", settings->database);
        json_member_bool(&text, "resumed", restore->resumed);
        json_member_string(&text, "database_before", kept ? restore->aside_database : NULL);
        json_member_string(&text, "downloads_before", restore->aside_downloads);
        buf_append_str(&text, "}");
        return ctl_print(restore->ctl, &text);
    }
    if (restore->resumed)
        buf_printf(&text, "the restore that was interrupted is finished; %s was not looked at\n",
                   restore->dir);
    else
        buf_printf(&text, "restored: %" PRId64 " files and the database of schema version %" PRId64 "\n",
                   restore->manifest.files, restore->manifest.schema_version);
    if (kept)
        buf_printf(&text, "what was there before: %s*\n", restore->aside_database);
    buf_printf(&text, "audio of before: %s\nnext: sayhookctl db check, then systemctl start sayhook.target",
               restore->aside_downloads);
    return ctl_print(restore->ctl, &text);
}

static int run_restore(struct restore *restore, struct error *err)
{
    struct turnstile *turnstile;
    int r = turnstile_get(restore->settings->database, &turnstile, err);

    if (r < 0)
        return r;
    r = turnstile_enter(turnstile, err);
    if (r == 0) {
        r = restore_inside(restore, err);
        turnstile_leave(turnstile);
    }
    turnstile_put(turnstile);
    return r;
}

int ctl_db_restore(struct ctl *ctl, int argc, char **argv)
{
    const char *copy = NULL;
    const struct program_option options[] = {
        {"copy", NULL, "copy files, though they could be linked", &copy},
        {NULL},
    };
    struct restore *restore;
    struct error error;
    char **arguments;
    int code = ctl_read(ctl, argc, argv, options, &arguments);
    int r;

    if (code != OPTIONS_RUN || (code = ctl_load_settings(ctl)) != 0)
        return code;
    restore = calloc(1, sizeof *restore);
    if (restore == NULL)
        return ctl_fail(ctl, EX_OSERR, "out of memory");
    restore->ctl = ctl;
    restore->settings = &ctl->options.settings;
    restore->dir = arguments[0];
    restore->link = copy == NULL;
    r = run_restore(restore, &error);
    code = r < 0 ? ctl_fail_error(ctl, r, &error) : print_restore(restore);
    if (r < 0 && restore->mark[0] != '\0' && access(restore->mark, F_OK) == 0)
        fprintf(stderr,
                "%s: names are exchanged in part: no program starts until the same command has finished it\n",
                ctl->program->name);
    free(restore);
    return code;
}
