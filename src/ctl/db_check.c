/* SPDX-License-Identifier: Apache-2.0 */
/* Compares what the database says with itself and with the files.  It alone of all commands may read
 * everything. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "codec/json_write.h"
#include "ctl/ctl.h"
#include "ctl/show.h"
#include "db/upkeep.h"
#include "job/files.h"
#include "store/upkeep.h"

/* Faults that are named; more are only counted. */
#define NAMED_MAX 100

/* Jobs whose files are looked at in a row. */
#define BATCH 64

/* Folders into which audio is spread. */
#define FOLDERS (36 * 36)

/* A younger file may be of a commit that is under way, and none of the worker's to remove yet. */
#define ORPHAN_AGE_S (60 * 60)

/* Exit code where something is wrong. */
#define FOUND_FAULTS 1

enum fault_kind { FAULT_STRUCTURE, FAULT_FILE, FAULT_COUNTER, FAULT_KINDS };

/* How it is called, and what helps. */
static const struct {
    const char *name;
    const char *remedy;
} kinds[FAULT_KINDS] = {
    [FAULT_STRUCTURE] = {"structure",
                         "stop Sayhook, keep a copy of the database, and go back to the last backup: "
                         "'sayhookctl db restore DIR'"},
    [FAULT_FILE] = {"file",
                    "fetch the file from a backup, or 'sayhookctl job purge JOB_ID' and have it spoken anew"},
    [FAULT_COUNTER] = {"counter", "stop Sayhook, 'sayhookctl db check --mend', and start it again"},
};

struct check {
    struct ctl *ctl;
    struct store *store;
    int64_t faults[FAULT_KINDS];
    size_t named;
    struct buf found; /* the faults that are named, as they are printed */
    int64_t jobs;     /* with audio */
    int64_t files;    /* in the folders of downloads */
    int64_t orphans;  /* of them, those that no job has */
    bool mended;
};

static void tell(struct check *check, enum fault_kind kind, const char *what)
{
    check->faults[kind]++;
    if (check->named++ >= NAMED_MAX)
        return;
    if (check->ctl->json) {
        json_item(&check->found);
        buf_append_str(&check->found, "{");
        json_member_string(&check->found, "kind", kinds[kind].name);
        json_member_string(&check->found, "fault", what);
        buf_append_str(&check->found, "}");
    } else {
        buf_printf(&check->found, "%-10s ", kinds[kind].name);
        show_string(&check->found, what);
        buf_append_str(&check->found, "\n");
    }
}

/* ---- the database ---- */

static void tell_structure(void *context, const char *fault)
{
    tell(context, FAULT_STRUCTURE, fault);
}

static void tell_counter(void *context, const struct miscount *miscount)
{
    char text[ERROR_TEXT_MAX];

    snprintf(text, sizeof text, "%s%s%s is %" PRId64 ", and should be %" PRId64, miscount->what,
             miscount->key_id[0] != '\0' ? " of " : "", miscount->key_id, miscount->kept, miscount->real);
    tell(context, FAULT_COUNTER, text);
}

static int mend_counters(struct check *check, struct error *err)
{
    int r = store_begin(check->store, "sayhookctl db check --mend", err);

    if (r < 0)
        return r;
    r = counters_mend(check->store, tell_counter, check, err);
    if (r < 0) {
        store_rollback(check->store);
        return r;
    }
    r = store_commit(check->store, err);
    check->mended = r == 0;
    return r;
}

/* ---- rows against files ---- */

/* Whether the row still says so: retention may have taken the audio since it was read. */
static bool still_has_audio(struct check *check, const struct job *job)
{
    cleanup(job_release) struct job now = {0};

    return job_get(check->store, 0, job->job_id, &now, NULL) == 0 && now.audio_removed_at == 0;
}

static void check_file(struct check *check, const struct job *job, const char *suffix, int64_t bytes)
{
    char path[PATH_MAX], text[ERROR_TEXT_MAX];
    struct stat status;

    if (!job_beside_path(check->ctl->options.settings.downloads_dir, job, suffix, path))
        return;
    if (stat(path, &status) < 0)
        snprintf(text, sizeof text, "%.400s: %s", path, strerrordesc_np(errno));
    else if (bytes >= 0 && status.st_size != bytes)
        snprintf(text, sizeof text, "%.400s has %lld bytes, and its job speaks of %" PRId64, path,
                 (long long)status.st_size, bytes);
    else
        return;
    if (still_has_audio(check, job))
        tell(check, FAULT_FILE, text);
}

static int check_audio(struct check *check, struct error *err)
{
    struct audio_walk walk = {0};
    struct job jobs[BATCH];
    size_t count = 0;
    int r;

    do {
        r = audio_walk_next(check->store, &walk, jobs, BATCH, &count, err);
        for (size_t i = 0; r == 0 && i < count; i++) {
            check_file(check, &jobs[i], audio_format_name(jobs[i].format), jobs[i].audio.bytes);
            for (int t = 0; jobs[i].timings && t < TIMINGS_FILES; t++)
                check_file(check, &jobs[i], timings_suffix((enum timings_file)t), -1);
            job_release(&jobs[i]);
        }
        check->jobs += (int64_t)count;
    } while (r == 0 && count > 0);
    return r;
}

/* ---- files against rows ---- */

static bool is_orphan(struct check *check, const char *name)
{
    cleanup(job_release) struct job job = {0};
    char job_id[JOB_ID_SIZE];

    if (strlen(name) <= JOB_ID_LENGTH || name[JOB_ID_LENGTH] != '.')
        return false; /* not one of ours */
    memcpy(job_id, name, JOB_ID_LENGTH);
    job_id[JOB_ID_LENGTH] = '\0';
    if (job_get(check->store, 0, job_id, &job, NULL) != 0)
        return true;
    return job_status_is_terminal(job.status) && (job.status != JOB_COMPLETED || job.audio_removed_at != 0);
}

static void check_folder(struct check *check, const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry;

    if (folder == NULL)
        return;
    while ((entry = readdir(folder)) != NULL) {
        struct stat status;

        if (fstatat(dirfd(folder), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
            !S_ISREG(status.st_mode))
            continue;
        check->files++;
        if (clock_wall_ms(&clock_system) / 1000 - status.st_mtime >= ORPHAN_AGE_S &&
            is_orphan(check, entry->d_name))
            check->orphans++;
    }
    closedir(folder);
}

static void check_folders(struct check *check)
{
    char path[PATH_MAX], name[3];

    for (unsigned int i = 0; i < FOLDERS; i++) {
        id_format_number(i, name, 2);
        if ((size_t)snprintf(path, sizeof path, "%s/%s", check->ctl->options.settings.downloads_dir, name) <
            sizeof path)
            check_folder(check, path);
    }
}

/* ---- all of it ---- */

static int64_t count_faults(const struct check *check)
{
    int64_t count = 0;

    for (int i = 0; i < FAULT_KINDS; i++)
        count += check->faults[i];
    return check->mended ? count - check->faults[FAULT_COUNTER] : count;
}

static int print_json(const struct check *check)
{
    cleanup(buf_release) struct buf text = BUF_INIT(CTL_OUTPUT_MAX);

    buf_append_str(&text, "{");
    json_member_string(&text, "database", check->ctl->options.settings.database);
    json_name(&text, "faults");
    buf_printf(&text, "[%s]", buf_str(&check->found));
    json_member_int(&text, "fault_count", count_faults(check));
    json_member_bool(&text, "counters_mended", check->mended);
    json_member_int(&text, "jobs_with_audio", check->jobs);
    json_member_int(&text, "files", check->files);
    json_member_int(&text, "orphans", check->orphans);
    buf_append_str(&text, "}");
    return ctl_print(check->ctl, &text);
}

static int print_text(const struct check *check)
{
    cleanup(buf_release) struct buf text = BUF_INIT(CTL_OUTPUT_MAX);
    int64_t faults = count_faults(check);

    buf_append(&text, buf_str(&check->found), check->found.length);
    if (check->named > NAMED_MAX)
        buf_printf(&text, "... and %zu more\n", check->named - NAMED_MAX);
    for (int i = 0; i < FAULT_KINDS; i++)
        if (check->faults[i] > 0 && !(check->mended && i == FAULT_COUNTER))
            buf_printf(&text, "%s: %s\n", kinds[i].name, kinds[i].remedy);
    if (check->mended)
        buf_printf(&text, "%" PRId64 " counters were wrong, and are mended\n", check->faults[FAULT_COUNTER]);
    if (check->orphans > 0)
        buf_printf(&text,
                   "%" PRId64 " files belong to no job; a worker that runs removes them within the hour\n",
                   check->orphans);
    buf_printf(&text, "%s: %s; looked at %" PRId64 " jobs with audio and %" PRId64 " files",
               check->ctl->options.settings.database, faults == 0 ? "no fault" : "faults were found",
               check->jobs, check->files);
    return ctl_print(check->ctl, &text);
}

/* The pages first: what is damaged there makes nonsense of the rest. */
static int run_check(struct check *check, bool full, bool mend, struct error *err)
{
    int r = db_inspect(check->ctl->options.settings.database, full, tell_structure, check, err);

    if (r < 0 || check->faults[FAULT_STRUCTURE] > 0)
        return r;
    r = mend ? mend_counters(check, err) : counters_check(check->store, tell_counter, check, err);
    if (r == 0)
        r = check_audio(check, err);
    if (r == 0)
        check_folders(check);
    return r;
}

int ctl_db_check(struct ctl *ctl, int argc, char **argv)
{
    const char *full = NULL, *mend = NULL;
    const struct program_option options[] = {
        {"full", NULL, "compare each index with its table, too", &full},
        {"mend", NULL, "write the counters anew; stop the programs first", &mend},
        {NULL},
    };
    cleanup(ctl_close_store) struct store *store = NULL;
    struct check check = {.ctl = ctl, .found = BUF_INIT(CTL_OUTPUT_MAX)};
    struct error error;
    char **arguments;
    int code = ctl_read(ctl, argc, argv, options, &arguments);
    int r;

    if (code != OPTIONS_RUN || (code = ctl_open_database(ctl, &store)) != 0)
        return code;
    check.store = store;
    r = run_check(&check, full != NULL, mend != NULL, &error);
    if (r == 0) {
        code = ctl->json ? print_json(&check) : print_text(&check);
        if (code == 0 && count_faults(&check) > 0)
            code = FOUND_FAULTS;
    } else {
        code = ctl_fail_error(ctl, r, &error);
    }
    buf_release(&check.found);
    return code;
}
