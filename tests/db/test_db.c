/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "db/copy.h"
#include "db/db.h"
#include "db/migrate.h"
#include "db/replace.h"
#include "store/statements.h"
#include "support/database.h"

/* Of Debian's nobody and nogroup. */
#define NOBODY 65534

static struct database database;

static void setup(void)
{
    database_open(&database);
}

static void teardown(void)
{
    database_close(&database);
}

static struct db *open_db(const char *path)
{
    const struct db_options options = {
        .path = path, .statements = store_statements, .statement_count = STATEMENT_COUNT};
    struct error err = {""};
    struct db *db;

    cr_assert_eq(db_open(&options, &db, &err), 0, "%s", err.text);
    return db;
}

TestSuite(db, .init = setup, .fini = teardown);
TestSuite(migrate, .init = setup, .fini = teardown);

Test(migrate, refuses_a_newer_database_and_says_what_to_do)
{
    struct db *db = open_db(database.path);
    struct error err = {""};

    cr_assert_eq(db_execute(db, "PRAGMA user_version = 9999", &err), 0, "%s", err.text);
    cr_assert_eq(db_migrate(db, &clock_system, NULL, &err), -EPROTO);
    cr_assert_not_null(strstr(err.text, "newer Sayhook"), "%s", err.text);
    cr_assert_not_null(strstr(err.text, "9999"));
    db_close(db);
}

Test(migrate, refuses_another_programs_database)
{
    char path[128];
    struct error err = {""};
    struct db *db;

    snprintf(path, sizeof path, "%s/other.db", database.folder);
    db = open_db(path);
    cr_assert_eq(db_execute(db, "CREATE TABLE theirs (x)", &err), 0, "%s", err.text);
    cr_assert_eq(db_migrate(db, &clock_system, NULL, &err), -EUCLEAN);
    db_close(db);
}

Test(migrate, is_recorded_and_runs_once)
{
    struct db *db = open_db(database.path);
    int64_t rows = 0;
    int before = -1;

    cr_assert_eq(db_migrate(db, &clock_system, &before, NULL), 0);
    cr_assert_eq(before, db_newest_version());
    cr_assert_eq(db_read_int(db, "SELECT count(*) FROM migrations", &rows, NULL), 0);
    cr_assert_eq(rows, db_newest_version());
    db_close(db);
}

static void execute_file(struct db *db, const char *name)
{
    cleanup(buf_release) struct buf sql = BUF_INIT(1 << 20);
    const char *top = getenv("top_srcdir");
    struct error err = {""};
    char path[256];

    snprintf(path, sizeof path, "%s/sql/migrations/%s.sql", top != NULL ? top : ".", name);
    cr_assert_eq(file_read(path, &sql, &err), 0, "%s", err.text);
    cr_assert_eq(db_execute(db, buf_str(&sql), &err), 0, "%s", err.text);
}

/* The last version without receivers, with one webhook that is planned, one under way and one settled. */
static void make_version_4(struct db *db)
{
    struct error err = {""};

    execute_file(db, "0001-initial");
    execute_file(db, "0002-limits");
    execute_file(db, "0003-retention");
    execute_file(db, "0004-setbacks");
    cr_assert_eq(
        db_execute(
            db,
            "PRAGMA application_id = 1398897000; PRAGMA user_version = 4;"
            "INSERT INTO api_keys (key, key_id, name, hash, created_at) VALUES (1, 'k', 'k', x'00', 0);"
            "INSERT INTO webhooks (webhook_id, key, event, url, receiver, body, status, next_attempt_at,"
            " created_at, settled_at) VALUES"
            " ('planned', 1, 'ping', 'https://a/x', 'https://a:443', '{}', 'pending', 5000, 1000, NULL),"
            " ('under way', 1, 'ping', 'https://a/x', 'https://a:443', '{}', 'pending', NULL, 1000, NULL),"
            " ('settled', 1, 'ping', 'https://b/x', 'https://b:443', '{}', 'delivered', NULL, 1000, 1001);",
            &err),
        0, "%s", err.text);
}

static int64_t read_int(struct db *db, const char *sql)
{
    int64_t value = -1;
    struct error err = {""};

    cr_assert_eq(db_read_int(db, sql, &value, &err), 0, "%s", err.text);
    return value;
}

Test(migrate, what_is_planned_is_due_and_owed_as_before_and_what_is_settled_costs_nothing)
{
    struct error err = {""};
    char path[128];
    struct db *db;
    int before = -1;

    snprintf(path, sizeof path, "%s/old.db", database.folder);
    db = open_db(path);
    make_version_4(db);
    cr_assert_eq(db_migrate(db, &clock_system, &before, &err), 0, "%s", err.text);
    cr_expect_eq(before, 4);
    cr_expect_eq(read_int(db, "SELECT due_at FROM receivers WHERE receiver = 'https://a:443'"), 5000);
    cr_expect_eq(read_int(db, "SELECT count(*) FROM receivers"), 1);
    cr_expect_eq(read_int(db, "SELECT owed_at FROM webhooks WHERE webhook_id = 'planned'"), 5000,
                 "it may have been redelivered: nobody gives it up before its time");
    cr_expect_eq(read_int(db, "SELECT count(*) FROM webhooks WHERE owed_at <> 0"), 1,
                 "no other row is written");
    db_close(db);
}

/* ---- the copy of before ---- */

static void make_old(char path[128], const char *name)
{
    struct db *db;

    snprintf(path, 128, "%s/%s", database.folder, name);
    db = open_db(path);
    make_version_4(db);
    db_close(db);
}

static int try_migrate(const char *path, struct error *err)
{
    struct db *db = open_db(path);
    int r = db_migrate(db, &clock_system, NULL, err);

    db_close(db);
    return r;
}

static int64_t version_of(const char *path)
{
    struct db *db = open_db(path);
    int64_t version = read_int(db, "PRAGMA user_version");

    db_close(db);
    return version;
}

Test(migrate, keeps_a_copy_of_what_was_before)
{
    struct error err = {""};
    char path[128], copy[PATH_MAX];
    struct stat old, status;
    int version = 0;

    make_old(path, "old.db");
    cr_assert_eq(chmod(path, 0640), 0);
    cr_assert_eq(stat(path, &old), 0);
    cr_assert_eq(try_migrate(path, &err), 0, "%s", err.text);
    cr_assert_eq(db_path_before(path, db_newest_version(), copy, &err), 0);
    cr_assert_eq(db_examine(copy, &version, &err), 0, "%s", err.text);
    cr_expect_eq(version, 4);
    cr_assert_eq(stat(copy, &status), 0);
    cr_expect_eq(status.st_mode & 0777, 0640, "whoever may not read the database may not read its copy");
    cr_expect_eq(version_of(path), db_newest_version());
    {
        struct db *db = open_db(copy);

        cr_expect_eq(read_int(db, "SELECT count(*) FROM webhooks"), 3);
        db_close(db);
    }
    /* The copy is a database as any: what it holds can be migrated again. */
    cr_expect_eq(try_migrate(copy, &err), 0, "%s", err.text);
}

Test(migrate, of_a_new_database_or_of_one_that_is_up_to_date_no_copy_is_kept)
{
    char copy[PATH_MAX];
    struct error err = {""};

    cr_assert_eq(try_migrate(database.path, &err), 0, "%s", err.text);
    cr_assert_eq(db_path_before(database.path, db_newest_version(), copy, &err), 0);
    cr_expect_neq(access(copy, F_OK), 0);
}

Test(migrate, without_its_copy_does_not_happen)
{
    struct error err = {""};
    char path[128], copy[PATH_MAX], part[PATH_MAX + 8];

    make_old(path, "old.db");
    cr_assert_eq(db_path_before(path, db_newest_version(), copy, &err), 0);
    snprintf(part, sizeof part, "%s.part", copy);
    cr_assert_eq(mkdir(part, 0700), 0); /* a name that cannot be written to, whoever asks */
    cr_expect_lt(try_migrate(path, &err), 0);
    cr_expect_not_null(strstr(err.text, "stays at version 4"), "%s", err.text);
    cr_expect_eq(version_of(path), 4);
    cr_assert_eq(rmdir(part), 0);
    cr_expect_eq(try_migrate(path, &err), 0, "%s", err.text);
}

Test(migrate, takes_no_damaged_copy_for_its_own)
{
    struct error err = {""};
    char path[128], copy[PATH_MAX];
    int version = 0;

    make_old(path, "old.db");
    cr_assert_eq(db_path_before(path, db_newest_version(), copy, &err), 0);
    cr_assert_eq(file_replace(copy, "rubbish", 7, 0600, &err), 0);
    cr_assert_eq(try_migrate(path, &err), 0, "%s", err.text);
    cr_expect_eq(db_examine(copy, &version, &err), 0, "%s", err.text);
    cr_expect_eq(version, 4);
}

static void start_as_a_process(const char *path);

Test(migrate, of_programs_that_start_together_one_makes_the_copy)
{
    pid_t pids[4];
    char path[128], copy[PATH_MAX];
    struct error err = {""};
    int version = 0;

    database.store = store_close(database.store); /* a connection must not be carried across fork() */
    make_old(path, "old.db");
    for (size_t i = 0; i < array_length(pids); i++)
        if ((pids[i] = fork()) == 0)
            start_as_a_process(path);
    for (size_t i = 0; i < array_length(pids); i++) {
        int status;

        waitpid(pids[i], &status, 0);
        cr_expect_eq(status, 0);
    }
    cr_assert_eq(db_path_before(path, db_newest_version(), copy, &err), 0);
    cr_expect_eq(db_examine(copy, &version, &err), 0, "%s", err.text);
    cr_expect_eq(version, 4, "a second one would be of a database that is migrated already");
}

/* Processes that start together on a machine where nothing is yet; a race shows in some rounds only. */
#define STARTERS     4
#define START_ROUNDS 25

static void start_as_a_process(const char *path)
{
    const struct db_options options = {.path = path};
    struct error err = {""};
    struct db *db;
    int r = db_open(&options, &db, &err);

    if (r == 0)
        r = db_migrate(db, &clock_system, NULL, &err);
    if (r < 0)
        fprintf(stderr, "%s\n", err.text);
    _exit(r == 0 ? 0 : 1);
}

Test(migrate, any_number_may_create_the_database_at_once)
{
    char path[128];
    pid_t pids[STARTERS];

    database.store = store_close(database.store); /* a connection must not be carried across fork() */
    for (int round = 0; round < START_ROUNDS; round++) {
        snprintf(path, sizeof path, "%s/fresh-%d.db", database.folder, round);
        for (int i = 0; i < STARTERS; i++)
            if ((pids[i] = fork()) == 0)
                start_as_a_process(path);
        for (int i = 0; i < STARTERS; i++) {
            int status;

            waitpid(pids[i], &status, 0);
            cr_expect_eq(status, 0);
        }
    }
}

/* What a schema amounts to, whichever statements made it: tables, columns with their types and constraints,
 * indexes. */
static const char description[] =
    "SELECT group_concat(line, char(10)) FROM ("
    "  SELECT m.name || ' ' || l.strict || l.wr || ' ' || c.name || ' ' || c.type || ' ' || c.\"notnull\" || ' ' ||"
    "         coalesce(c.dflt_value, '-') || ' ' || c.pk AS line"
    "  FROM sqlite_schema AS m JOIN pragma_table_xinfo(m.name) AS c JOIN pragma_table_list(m.name) AS l"
    "  WHERE m.type = 'table'"
    "  UNION ALL SELECT m.name || ' -> ' || f.\"table\" || ' ' || f.\"from\""
    "  FROM sqlite_schema AS m JOIN pragma_foreign_key_list(m.name) AS f"
    "  UNION ALL SELECT name || ' ' || sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL"
    "  ORDER BY 1)";

static char *describe(const char *path)
{
    const struct db_statement statement = {"describe", description};
    const struct db_options options = {.path = path, .statements = &statement, .statement_count = 1};
    struct error err = {""};
    struct db_query *query;
    struct db *db;
    char *text;

    cr_assert_eq(db_open(&options, &db, &err), 0, "%s", err.text);
    query = db_query(db, 0);
    cr_assert_eq(db_step(query, &err), DB_ROW, "%s", err.text);
    text = db_column_dup(query, 0);
    db_query_end(&query);
    db_close(db);
    return text;
}

Test(migrate, leads_to_the_schema_that_is_written_down)
{
    cleanup(buf_release) struct buf schema = BUF_INIT(1 << 20);
    cleanup(free_ptr) char *migrated = describe(database.path);
    cleanup(free_ptr) char *written = NULL;
    char path[256];
    struct error err = {""};
    struct db *db;

    snprintf(path, sizeof path, "%s/sql/schema.sql",
             getenv("top_srcdir") != NULL ? getenv("top_srcdir") : ".");
    cr_assert_eq(file_read(path, &schema, &err), 0, "%s", err.text);
    snprintf(path, sizeof path, "%s/schema.db", database.folder);
    db = open_db(path);
    cr_assert_eq(db_execute(db, buf_str(&schema), &err), 0, "%s", err.text);
    db_close(db);
    written = describe(path);
    cr_assert_str_eq(written, migrated);
}

/* ---- copies ---- */

Test(db, a_copy_is_of_one_moment_while_others_write)
{
    char copy[128];
    struct error err = {""};
    int version = 0;
    struct db *db;

    snprintf(copy, sizeof copy, "%s/copy.db", database.folder);
    cr_assert_eq(store_begin(database.store, "test", &err), 0);
    metric_add(database.store, METRIC_JOBS_PENDING, 5);
    cr_assert_eq(db_copy(database.path, copy, &err), 0, "%s", err.text);
    cr_assert_eq(store_commit(database.store, &err), 0);
    cr_assert_eq(db_examine(copy, &version, &err), 0, "%s", err.text);
    cr_expect_eq(version, db_newest_version());
    cr_expect_eq(db_copy(database.path, copy, &err), -EEXIST, "a copy overwrites nothing");
    db = open_db(copy);
    cr_expect_eq(read_int(db, "SELECT count(*) FROM api_keys"), 1);
    cr_expect_eq(read_int(db, "SELECT count(*) FROM metrics"), 0, "it was not committed then");
    db_close(db);
}

Test(db, a_file_that_is_damaged_or_anothers_is_no_copy)
{
    char copy[128];
    struct error err = {""};
    int version = 0;
    FILE *file;

    snprintf(copy, sizeof copy, "%s/copy.db", database.folder);
    cr_assert_eq(db_copy(database.path, copy, &err), 0, "%s", err.text);
    file = fopen(copy, "r+");
    fseek(file, 3 * 4096, SEEK_SET);
    for (int i = 0; i < 4096; i++)
        fputc(0x55, file);
    fclose(file);
    cr_expect_eq(db_examine(copy, &version, &err), -EUCLEAN);
    cr_expect_not_null(strstr(err.text, "damaged"), "%s", err.text);
    cr_assert_eq(file_replace(copy, "rubbish", 7, 0600, &err), 0);
    cr_expect_eq(db_examine(copy, &version, &err), -EUCLEAN, "%s", err.text);
}

Test(db, whoever_has_it_open_is_seen)
{
    struct error err = {""};
    int pid = 0, ready[2], status;
    pid_t child;
    char byte;

    database.store = store_close(database.store);
    cr_expect_eq(db_is_in_use(database.path, &pid, &err), 0, "%s", err.text);
    cr_assert_eq(pipe(ready), 0);
    child = fork();
    if (child == 0) {
        struct db *db = open_db(database.path);

        if (write(ready[1], "", 1) == 1)
            pause();
        db_close(db);
        _exit(0);
    }
    cr_assert_eq(read(ready[0], &byte, 1), 1);
    cr_expect_eq(db_is_in_use(database.path, &pid, &err), DB_IN_USE, "an idle connection counts");
    cr_expect_eq(pid, child);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    cr_expect_eq(db_is_in_use(database.path, &pid, &err), 0, "a dead one does not");
}

/* ---- transactions ---- */

/* In its folder one may make files, so that all but the database itself can be written. */
static void make_anothers(char ret_folder[128], char ret_path[160])
{
    snprintf(ret_folder, 128, "%s/theirs", database.folder);
    snprintf(ret_path, 160, "%s/sayhook.db", ret_folder);
    cr_assert_eq(chmod(database.folder, 0755), 0);
    cr_assert_eq(mkdir(ret_folder, 0755), 0);
    cr_assert_eq(db_copy(database.path, ret_path, NULL), 0);
    cr_assert_eq(chown(ret_folder, NOBODY, NOBODY), 0);
    cr_assert_eq(chown(ret_path, 0, 0), 0);
    cr_assert_eq(chmod(ret_path, 0644), 0);
}

Test(db, a_file_that_can_only_be_read_is_not_opened_to_write)
{
    struct db_options options = {.statements = store_statements, .statement_count = STATEMENT_COUNT};
    char folder[128], path[160];
    struct error err = {""};
    struct db *db = NULL;
    int r;

    if (geteuid() != 0)
        cr_skip_test("only root has files of two users");
    make_anothers(folder, path);
    options.path = path;
    cr_assert_eq(seteuid(NOBODY), 0);
    r = db_open(&options, &db, &err);
    cr_assert_eq(seteuid(0), 0);
    cr_expect_eq(r, -EACCES, "%d: %s", r, err.text);
    cr_expect_not_null(strstr(err.text, "can only be read"), "%s", err.text);
    cr_assert_eq(chown(path, NOBODY, NOBODY), 0);
    cr_assert_eq(seteuid(NOBODY), 0);
    r = db_open(&options, &db, &err);
    cr_assert_eq(seteuid(0), 0);
    cr_assert_eq(r, 0, "%s", err.text);
    db_close(db);
}

Test(db, a_failure_inside_a_transaction_sticks_and_rolls_back)
{
    struct db *db = open_db(database.path);
    struct error err = {""};
    int64_t rows = -1;

    cr_assert_eq(db_begin(db, "test", &err), 0, "%s", err.text);
    cr_assert_eq(db_execute(db, "INSERT INTO metrics VALUES ('x', 1)", &err), 0, "%s", err.text);
    cr_assert_lt(db_execute(db, "INSERT INTO metrics VALUES ('x', 2)", &err), 0);
    cr_assert_lt(db_commit(db, &err), 0);
    cr_assert_not(db_in_transaction(db));
    cr_assert_eq(db_read_int(db, "SELECT count(*) FROM metrics WHERE name = 'x'", &rows, NULL), 0);
    cr_assert_eq(rows, 0);
    db_close(db);
}

Test(db, a_statement_that_the_database_cannot_run_is_an_error)
{
    struct db *db = open_db(database.path);
    struct db_query *query;
    struct error err = {""};

    cr_assert_eq(db_execute(db, "ALTER TABLE api_keys RENAME TO gone", &err), 0, "%s", err.text);
    query = db_query(db, STATEMENT_key_by_hash);
    db_bind_int(query, 1, 1);
    cr_assert_lt(db_step(query, &err), 0);
    cr_assert_not_null(strstr(err.text, "api_keys"), "%s", err.text);
    db_query_end(&query);
    db_close(db);
}

Test(db, is_in_wal_mode_and_syncs_every_commit)
{
    struct db *db = open_db(database.path);
    int64_t value;

    cr_assert_eq(db_read_int(db, "PRAGMA synchronous", &value, NULL), 0);
    cr_assert_eq(value, 2);
    cr_assert_eq(db_read_int(db, "SELECT journal_mode = 'wal' FROM pragma_journal_mode", &value, NULL), 0);
    cr_assert_eq(value, 1);
    db_close(db);
}

Test(db, a_change_by_another_connection_is_seen_once)
{
    struct db *reader = open_db(database.path);
    struct db *writer = open_db(database.path);

    db_changed(reader);
    cr_assert_not(db_changed(reader));
    cr_assert_eq(db_begin(writer, "test", NULL), 0);
    cr_assert_eq(db_execute(writer, "INSERT INTO metrics VALUES ('y', 1)", NULL), 0);
    cr_assert_eq(db_commit(writer, NULL), 0);
    cr_assert(db_changed(reader));
    cr_assert_not(db_changed(reader));
    db_close(reader);
    db_close(writer);
}

#define WRITERS 4
#define WRITES  50

/* A process of its own adds one at a time to a counter, by reading it first: lost updates would show. */
static void write_as_a_process(const char *path)
{
    struct db *db = open_db(path);

    for (int i = 0; i < WRITES; i++) {
        char sql[128];
        int64_t value = -1;

        if (db_begin(db, "test", NULL) != 0)
            _exit(1);
        db_read_int(db, "SELECT value FROM metrics WHERE name = 'z'", &value, NULL);
        snprintf(sql, sizeof sql, "UPDATE metrics SET value = %lld WHERE name = 'z'", (long long)value + 1);
        if (db_execute(db, sql, NULL) != 0 || db_commit(db, NULL) != 0)
            _exit(2);
    }
    db_close(db);
    _exit(0);
}

Test(db, writers_in_several_processes_take_turns)
{
    struct db *db;
    pid_t pids[WRITERS];
    int64_t value;

    db = open_db(database.path);
    cr_assert_eq(db_execute(db, "INSERT INTO metrics VALUES ('z', 0)", NULL), 0);
    db_close(db); /* a connection must not be carried across fork() */
    store_close(database.store);
    database.store = NULL;
    for (int i = 0; i < WRITERS; i++) {
        pids[i] = fork();
        if (pids[i] == 0)
            write_as_a_process(database.path);
    }
    for (int i = 0; i < WRITERS; i++) {
        int status;

        waitpid(pids[i], &status, 0);
        cr_assert_eq(status, 0);
    }
    db = open_db(database.path);
    cr_assert_eq(db_read_int(db, "SELECT value FROM metrics WHERE name = 'z'", &value, NULL), 0);
    cr_assert_eq(value, WRITERS * WRITES);
    db_close(db);
}

/* ---- every statement ---- */

/* Statements that may scan, and why that is no harm: the tables named in "[scan: table]" beside the
 * statement. */
static bool may_scan(const char *name, const char *table)
{
    static const struct {
        const char *statement, *table;
    } allowed[] = {
        {"key_all", "api_keys"},                    /* an administrator's list */
        {"key_least_vt", "api_keys"},               /* one row of an index that is in that order */
        {"key_next", "api_keys"},                   /* likewise; no more than a worker serves at once */
        {"metric_oldest_pending", "api_keys"},      /* the first thousand of that index */
        {"metric_oldest_pending", "k"},             /* those */
        {"worker_all", "workers"},                  /* one row a process */
        {"secret_newest", "webhook_secrets"},       /* one row, by the primary key */
        {"idempotency_expire", "idempotency_keys"}, /* the first few by the primary key */
        {"idempotency_expire", "oldest"},           /* those */
        {"receiver_wrong", "owed"},                 /* once, as a sender starts: each receiver by an index */
        {"receiver_wrong", "r"},                    /* likewise: those that are due */
        {"view_oldest_pending", "k"},               /* the keys that wait, by a partial index */
        {"view_jobs_created", "(subquery-1)"},      /* this and the next: at most so many rows */
        {"view_jobs_ended", "(subquery-1)"},
        {"view_webhooks_planned", "(subquery-1)"},
        {"view_webhooks_planned", "webhooks"},
        {"view_attempts_open", "(subquery-1)"},
        {"view_attempts_open", "deliveries"},
        {"view_webhooks_failed", "(subquery-1)"},
        {"view_receivers", "(subquery-1)"},
        {"view_receivers", "receivers"},
        {"view_keys", "api_keys"},            /* few, for an administrator */
        {"job_count_claimed", "jobs"},        /* by a partial index that holds claimed ones only */
        {"delivery_open", "deliveries"},      /* by a partial index that holds attempts under way only */
        {"upkeep_jobs", "jobs"},              /* every job, for 'db backup' and 'db check' */
        {"upkeep_keys", "k"},                 /* likewise */
        {"upkeep_workers_forget", "workers"}, /* one row a process */
    };

    for (size_t i = 0; i < array_length(allowed); i++)
        if (strcmp(allowed[i].statement, name) == 0 && strcmp(allowed[i].table, table) == 0)
            return true;
    return false;
}

static void check_plan(struct db *db, const struct db_statement *statement)
{
    char sql[8192];
    struct db_statement explain = {.name = statement->name, .sql = sql};
    const struct db_options options = {.path = db_path(db), .statements = &explain, .statement_count = 1};
    struct error err = {""};
    struct db_query *query;
    struct db *other;
    int r;

    snprintf(sql, sizeof sql, "EXPLAIN QUERY PLAN %s", statement->sql);
    cr_assert_eq(db_open(&options, &other, &err), 0, "%s", err.text);
    query = db_query(other, 0);
    while ((r = db_step(query, &err)) == DB_ROW) {
        char step[512], table[64] = "";

        db_column_copy(query, 3, step, sizeof step);
        if (sscanf(step, "SCAN %63s", table) == 1 && strcmp(table, "CONSTANT") != 0)
            cr_expect(may_scan(statement->name, table), "%s scans: %s", statement->name, step);
        cr_expect_null(strstr(step, "TEMP B-TREE"), "%s sorts: %s", statement->name, step);
    }
    cr_expect_eq(r, 0, "%s: %s", statement->name, err.text);
    db_query_end(&query);
    db_close(other);
}

Test(db, no_statement_scans_or_sorts_without_a_reason)
{
    struct db *db = open_db(database.path);

    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        check_plan(db, &store_statements[i]);
    db_close(db);
}
