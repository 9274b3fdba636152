/* SPDX-License-Identifier: Apache-2.0 */
/* The database by hand: vacuum and shell. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "codec/json_write.h"
#include "ctl/ctl.h"
#include "db/replace.h"
#include "db/turnstile.h"
#include "db/upkeep.h"

extern char **environ;

/* A command that creates no database, and so is wrong where there is none. */
static int find_database(struct ctl *ctl)
{
    const char *path;
    int code = ctl_load_settings(ctl);

    if (code != 0)
        return code;
    path = ctl->options.settings.database;
    if (access(path, F_OK) == 0)
        return 0;
    return ctl_fail(ctl, errno == ENOENT ? EX_NOINPUT : EX_NOPERM,
                    "there is no database %s (%s); the setting `database` says where it lies", path,
                    strerrordesc_np(errno));
}

int ctl_open_database(struct ctl *ctl, struct store **ret_store)
{
    int code = find_database(ctl);

    return code == 0 ? ctl_open_store(ctl, ret_store) : code;
}

/* ---- vacuum ---- */

static int check_room(const char *path, const struct db_size *size, struct error *err)
{
    int64_t needed = 2 * (size->bytes - size->unused);
    uint64_t left;
    int r = file_space_left(path, &left, err);

    if (r == 0 && left < (uint64_t)needed)
        return error_set(err, -ENOSPC,
                         "a vacuum of %s needs %" PRId64 " bytes of disk beside it, and %" PRIu64 " are left",
                         path, needed, left);
    return r;
}

static int check_users(const char *path, bool online, struct error *err)
{
    int pid = 0;
    int r = db_is_in_use(path, &pid, err);

    if (r != DB_IN_USE || online)
        return r < 0 ? r : 0;
    return error_set(
        err, -EBUSY,
        "Sayhook is running (process %d), and could write nothing meanwhile: requests that wait longer "
        "than %d s are answered with 503; stop it first, or say --online",
        pid, DB_TURNSTILE_WAIT_MS / 1000);
}

static int vacuum(const char *path, bool online, struct db_size *ret_before, struct db_size *ret_after,
                  struct error *err)
{
    int r = check_users(path, online, err);

    if (r == 0)
        r = db_size_read(path, ret_before, err);
    if (r == 0)
        r = check_room(path, ret_before, err);
    if (r == 0)
        r = db_vacuum(path, err);
    return r == 0 ? db_size_read(path, ret_after, err) : r;
}

int ctl_db_vacuum(struct ctl *ctl, int argc, char **argv)
{
    const char *online = NULL;
    const struct program_option options[] = {
        {"online", NULL, "though Sayhook runs: nothing is written meanwhile", &online},
        {NULL},
    };
    cleanup(buf_release) struct buf text = BUF_INIT(CTL_OUTPUT_MAX);
    struct db_size before = {0}, after = {0};
    struct error error;
    const char *path;
    char **arguments;
    int code = ctl_read(ctl, argc, argv, options, &arguments);
    int r;

    if (code != OPTIONS_RUN || (code = find_database(ctl)) != 0)
        return code;
    path = ctl->options.settings.database;
    r = vacuum(path, online != NULL, &before, &after, &error);
    if (r < 0)
        return ctl_fail_error(ctl, r, &error);
    if (ctl->json) {
        buf_append_str(&text, "{");
        json_member_string(&text, "database", path);
        json_member_int(&text, "bytes_before", before.bytes);
        json_member_int(&text, "bytes_after", after.bytes);
        buf_append_str(&text, "}");
    } else {
        buf_printf(&text, "%s: from %" PRId64 " to %" PRId64 " bytes", path, before.bytes, after.bytes);
    }
    return ctl_print(ctl, &text);
}

/* ---- shell ---- */

/* The most words that sqlite3 is started with, and a NULL. */
#define SHELL_WORDS 12

static void shell_words(const struct ctl *ctl, bool write, const char *sql,
                        const char *ret_words[SHELL_WORDS])
{
    size_t count = 0;

    ret_words[count++] = "sqlite3";
    if (!write)
        ret_words[count++] = "-readonly";
    if (ctl->json)
        ret_words[count++] = "-json";
    ret_words[count++] = "-cmd";
    ret_words[count++] = ".timeout 5000";
    if (write) {
        ret_words[count++] = "-cmd";
        ret_words[count++] = "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;";
    }
    ret_words[count++] = ctl->options.settings.database;
    if (sql != NULL)
        ret_words[count++] = sql;
    ret_words[count] = NULL;
}

/* Ctrl-C ends a query of the shell's, and not the shell or this program, which waits for it. */
static int start_shell(const char *const *words, pid_t *ret_pid)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    posix_spawnattr_t attributes;
    sigset_t interrupt;
    int number;

    sigaction(SIGINT, &ignore, NULL);
    sigemptyset(&interrupt);
    sigaddset(&interrupt, SIGINT);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigdefault(&attributes, &interrupt);
    /* The argument vector is not const for historical reasons alone. */
    number = posix_spawnp(ret_pid, words[0], NULL, &attributes, (char **)(uintptr_t)words, environ);
    posix_spawnattr_destroy(&attributes);
    return number;
}

/* Its exit code. */
static int run_shell(const struct ctl *ctl, const char *const *words)
{
    pid_t pid;
    int status = 0;
    int number = start_shell(words, &pid);

    if (number == ENOENT)
        return ctl_fail(ctl, EX_UNAVAILABLE, "there is no sqlite3 on this machine: apt-get install sqlite3");
    if (number != 0)
        return ctl_fail(ctl, EX_OSERR, "cannot start sqlite3: %s", strerrordesc_np(number));
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : EX_SOFTWARE;
}

/* It has the turnstile, and keeps it should this program be killed. */
static int run_inside(const struct ctl *ctl, const char *const *words)
{
    struct turnstile *turnstile;
    struct error error;
    int code;
    int r = turnstile_get(ctl->options.settings.database, &turnstile, &error);

    if (r < 0)
        return ctl_fail_error(ctl, r, &error);
    r = turnstile_enter(turnstile, &error);
    if (r == 0 && (r = turnstile_share(turnstile, &error)) == 0) {
        fprintf(
            stderr,
            "%s: nothing else can write to the database until this shell ends; requests that wait longer than "
            "%d s are answered with 503\n",
            ctl->program->name, DB_TURNSTILE_WAIT_MS / 1000);
        code = run_shell(ctl, words);
        turnstile_leave(turnstile);
    } else {
        code = ctl_fail_error(ctl, r, &error);
    }
    turnstile_put(turnstile);
    return code;
}

int ctl_db_shell(struct ctl *ctl, int argc, char **argv)
{
    const char *write = NULL;
    const struct program_option options[] = {
        {"write", NULL, "may change it; Sayhook's own writes wait", &write},
        {NULL},
    };
    const char *words[SHELL_WORDS];
    char **arguments;
    int code = ctl_read(ctl, argc, argv, options, &arguments);

    if (code != OPTIONS_RUN || (code = find_database(ctl)) != 0)
        return code;
    shell_words(ctl, write != NULL, arguments[0], words);
    if (write != NULL)
        return run_inside(ctl, words);
    if (arguments[0] == NULL)
        fprintf(
            stderr,
            "%s: read only; an open transaction keeps the WAL from being emptied.  --write to change it\n",
            ctl->program->name);
    return run_shell(ctl, words);
}
