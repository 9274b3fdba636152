/* SPDX-License-Identifier: Apache-2.0 */
/* Removes ended jobs before retention does: the rows first, and their files once that is committed. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "codec/json_write.h"
#include "ctl/job_options.h"
#include "ctl/pace.h"
#include "ctl/progress.h"
#include "ctl/when.h"
#include "job/files.h"

/* Jobs a second, unless --rate says otherwise: files are unlinked as fast, which disks notice. */
#define RATE_DEFAULT "500"

struct purge {
    struct ctl *ctl;
    struct store *store;
    struct ended_walk walk;
    struct pace pace;
    bool drop_webhook;
    bool dry_run;
    size_t ended; /* found */
    size_t done;
    size_t owed; /* whose webhook is still owed, or being sent */
};

/* A person at a terminal is asked; a script has to say --yes. */
static int confirm(const struct ctl *ctl, const char *yes, const char *what)
{
    char answer[8] = "";

    if (yes != NULL)
        return 0;
    if (isatty(STDIN_FILENO) != 1)
        return ctl_fail(ctl, EX_USAGE, "what is purged is gone; say --yes");
    fprintf(stderr, "Remove %s, with audio, text and webhooks?  They cannot be brought back.  [y/N] ", what);
    if (fgets(answer, sizeof answer, stdin) != NULL &&
        (strcmp(answer, "y\n") == 0 || strcmp(answer, "yes\n") == 0))
        return 0;
    return ctl_fail(ctl, EX_TEMPFAIL, "nothing was removed");
}

/*
 * Removes so many jobs in one transaction, then their files.  ret_conditions (as many as places) says what
 * became of each.
 */
static int purge_rows(struct purge *purge, const struct job_place *places, size_t count, int *ret_conditions,
                      struct error *err)
{
    struct job jobs[PACE_BATCH_MAX] = {0};
    int r = store_begin(purge->store, "sayhookctl job purge", err);

    for (size_t i = 0; r >= 0 && i < count; i++) {
        r = manage_purge(purge->store, places[i].id, purge->drop_webhook, &jobs[i], err);
        ret_conditions[i] = r;
    }
    if (r >= 0)
        r = store_commit(purge->store, err);
    else
        store_rollback(purge->store);
    for (size_t i = 0; i < count; i++) {
        if (r == 0 && ret_conditions[i] == 0)
            job_files_remove(purge->ctl->options.settings.downloads_dir, &jobs[i]);
        job_release(&jobs[i]);
    }
    return r;
}

/* ---- one ---- */

static int purge_one(struct purge *purge, const char *job_id, const char *yes)
{
    cleanup(job_release) struct job job = {0};
    cleanup(buf_release) struct buf text = BUF_INIT(CTL_OUTPUT_MAX);
    struct error error;
    int condition = 0;
    int code = job_find_named(purge->ctl, purge->store, job_id, &job);
    int r;

    if (code == 0)
        code = confirm(purge->ctl, yes, job.job_id);
    if (code != 0)
        return code;
    r = purge_rows(purge, &(struct job_place){.id = job.id}, 1, &condition, &error);
    if (r < 0)
        return ctl_fail_error(purge->ctl, r, &error);
    if (condition != 0)
        return job_fail_condition(purge->ctl, &job, condition, "purged");
    if (purge->ctl->json) {
        buf_append_str(&text, "{");
        json_member_string(&text, "job_id", job.job_id);
        json_member_bool(&text, "purged", true);
        buf_append_str(&text, "}");
    } else {
        buf_printf(&text, "%s is gone", job.job_id);
    }
    return ctl_print(purge->ctl, &text);
}

/* ---- many ---- */

static int count_ended(struct purge *purge, struct error *err)
{
    struct ended_walk walk = purge->walk;
    struct job_place places[PACE_BATCH_MAX];
    size_t count = 0;
    bool more = true;
    int r = 0;

    while (r == 0 && more && !pace_is_stopped()) {
        r = ended_walk_next(purge->store, &walk, places, PACE_BATCH_MAX, &count, &more, err);
        purge->ended += count;
    }
    return r;
}

static int purge_ended(struct purge *purge, struct progress *progress, struct error *err)
{
    struct job_place places[PACE_BATCH_MAX];
    int conditions[PACE_BATCH_MAX];
    size_t count = 0;
    bool more = true;
    int r = 0;

    while (r == 0 && more && !pace_is_stopped()) {
        r = ended_walk_next(purge->store, &purge->walk, places, purge->pace.batch, &count, &more, err);
        if (r == 0 && count > 0)
            r = purge_rows(purge, places, count, conditions, err);
        for (size_t i = 0; r == 0 && i < count; i++) {
            purge->done += conditions[i] == 0;
            purge->owed += conditions[i] == MANAGE_OWED || conditions[i] == MANAGE_UNDER_WAY;
        }
        if (r == 0 && count > 0 && purge->ended > 0)
            progress_show(progress, "purging", (double)(purge->done + purge->owed) / (double)purge->ended);
        if (r == 0 && count > 0 && more)
            pace_wait(&purge->pace);
    }
    return r;
}

static int print_purge(const struct purge *purge)
{
    cleanup(buf_release) struct buf text = BUF_INIT(CTL_OUTPUT_MAX);

    if (purge->ctl->json) {
        buf_append_str(&text, "{");
        json_member_bool(&text, "dry_run", purge->dry_run);
        json_member_bool(&text, "interrupted", pace_is_stopped());
        json_member_int(&text, "ended", (int64_t)purge->ended);
        json_member_int(&text, "purged", (int64_t)purge->done);
        json_member_int(&text, "webhook_owed", (int64_t)purge->owed);
        buf_append_str(&text, "}");
        return ctl_print(purge->ctl, &text);
    }
    if (purge->dry_run)
        buf_printf(&text, "%zu jobs would be removed", purge->ended);
    else
        buf_printf(&text, "%zu of %zu jobs are gone", purge->done, purge->ended);
    if (purge->owed > 0)
        buf_printf(&text, "\n%zu stay while their webhook is owed; --drop-webhook forgets it", purge->owed);
    return ctl_print(purge->ctl, &text);
}

static int purge_many(struct purge *purge, const char *yes)
{
    const struct ctl *ctl = purge->ctl;
    struct progress progress;
    struct error error;
    char what[32];
    int code = 0;
    int r = count_ended(purge, &error);

    if (r < 0)
        return ctl_fail_error(ctl, r, &error);
    snprintf(what, sizeof what, "%zu jobs", purge->ended);
    if (!purge->dry_run && purge->ended > 0)
        code = confirm(ctl, yes, what);
    if (code != 0)
        return code;
    pace_catch_signals();
    progress_init(&progress, stderr, isatty(STDERR_FILENO) == 1, &clock_system);
    if (!purge->dry_run)
        r = purge_ended(purge, &progress, &error);
    progress_end(&progress);
    code = print_purge(purge);
    if (r < 0)
        return ctl_fail_error(ctl, r, &error);
    if (pace_is_stopped())
        return ctl_fail(ctl, EX_TEMPFAIL, "interrupted; the same command goes on with what is left");
    return code;
}

/* ---- the command ---- */

struct purge_words {
    const char *before;
    const char *status;
    const char *key;
    const char *rate;
    const char *drop_webhook;
    const char *dry_run;
    const char *yes;
};

static int read_words(struct ctl *ctl, const struct purge_words *words, const char *job_id,
                      struct purge *purge)
{
    int code = 0;

    if (job_id != NULL
            ? words->before != NULL || words->status != NULL || words->key != NULL || words->dry_run != NULL
            : words->before == NULL)
        return ctl_fail(ctl, EX_USAGE, "name one job by its id, or give --before TIME");
    if (words->before != NULL)
        code = ctl_read_time(ctl, "--before", words->before, &purge->walk.until);
    if (code == 0 && words->status != NULL)
        code = job_read_statuses(ctl, words->status, true, &purge->walk.statuses);
    return code == 0 ? pace_read(ctl, words->rate, "jobs", &purge->pace) : code;
}

static int find_key(const struct ctl *ctl, struct store *store, const char *key_id, int64_t *ret_key)
{
    struct key_names names = {0};
    int code = key_id != NULL ? key_names_read(ctl, store, key_id, &names) : 0;

    if (key_id != NULL && code == 0)
        *ret_key = names.rows[0];
    key_names_release(&names);
    return code;
}

int ctl_job_purge(struct ctl *ctl, int argc, char **argv)
{
    struct purge_words words = {.rate = RATE_DEFAULT};
    const struct program_option options[] = {
        {"before", "TIME", "all that ended before then; 30d is 30 days ago", &words.before},
        {"status", "STATUS[,...]", "completed, failed, cancelled", &words.status},
        {"key", "KEY_ID", "of that API key", &words.key},
        {"rate", "N/s", "so many a second (" RATE_DEFAULT "/s)", &words.rate},
        {"drop-webhook", NULL, "though their webhook is still owed", &words.drop_webhook},
        {"dry-run", NULL, "only say how many there are", &words.dry_run},
        {"yes", NULL, "ask nothing", &words.yes},
        {NULL},
    };
    cleanup(ctl_close_store) struct store *store = NULL;
    struct purge purge = {.ctl = ctl};
    char **arguments;
    int code = ctl_read(ctl, argc, argv, options, &arguments);

    if (code != OPTIONS_RUN || (code = read_words(ctl, &words, arguments[0], &purge)) != 0 ||
        (code = ctl_open_store(ctl, &store)) != 0 ||
        (code = find_key(ctl, store, words.key, &purge.walk.key)) != 0)
        return code;
    purge.store = store;
    purge.drop_webhook = words.drop_webhook != NULL;
    purge.dry_run = words.dry_run != NULL;
    return words.before != NULL ? purge_many(&purge, words.yes) : purge_one(&purge, arguments[0], words.yes);
}
