/* SPDX-License-Identifier: Apache-2.0 */
/* Has failed jobs tried again: one, or what failed since a time. */
#include <inttypes.h>
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

/*
 * Jobs a second that wait again, unless --rate says otherwise: what they were refused for is seen before all
 * of them have failed anew, and those of other keys are served in between.
 */
#define RATE_DEFAULT "50"

static const char writer[] = "sayhookctl job retry";

/* ---- one ---- */

static int retry(struct store *store, int64_t id, bool drop_webhook, struct error *err)
{
    int condition, r = store_begin(store, writer, err);

    if (r < 0)
        return r;
    condition = manage_retry(store, id, drop_webhook, err);
    if (condition != 0) {
        store_rollback(store);
        return condition;
    }
    return store_commit(store, err);
}

static int retry_one(struct ctl *ctl, struct store *store, const char *job_id, bool drop_webhook)
{
    cleanup(job_release) struct job job = {0};
    cleanup(buf_release) struct buf text = BUF_INIT(CTL_OUTPUT_MAX);
    struct error error;
    int code = job_find_named(ctl, store, job_id, &job);
    int r;

    if (code != 0)
        return code;
    r = retry(store, job.id, drop_webhook, &error);
    if (r < 0)
        return ctl_fail_error(ctl, r, &error);
    if (r != 0)
        return job_fail_condition(ctl, &job, r, "retried");
    job_hint(ctl);
    if (ctl->json) {
        buf_append_str(&text, "{");
        json_member_string(&text, "job_id", job.job_id);
        json_member_string(&text, "status", job_status_name(JOB_PENDING));
        buf_append_str(&text, "}");
    } else {
        buf_printf(&text, "%s waits again", job.job_id);
    }
    return ctl_print(ctl, &text);
}

/* ---- all that failed ---- */

struct retrial {
    struct ctl *ctl;
    struct store *store;
    struct key_names names;
    struct failed_walk walk; /* but for the key */
    struct pace pace;
    bool drop_webhook;
    bool dry_run;
    size_t failed;  /* found */
    size_t done;    /* that wait again */
    size_t no_text; /* that cannot */
    size_t owed;    /* whose webhook is still owed, or being sent */
};

static void count_condition(struct retrial *retrial, int condition)
{
    retrial->done += condition == 0;
    retrial->no_text += condition == MANAGE_NO_TEXT;
    retrial->owed += condition == MANAGE_OWED || condition == MANAGE_UNDER_WAY;
}

/* One transaction: what keeps one job from being retried keeps no other. */
static int retry_batch(struct retrial *retrial, const struct job_place *places, size_t count,
                       struct error *err)
{
    struct retrial before = *retrial;
    int r = store_begin(retrial->store, writer, err);

    for (size_t i = 0; r >= 0 && i < count; i++) {
        r = manage_retry(retrial->store, places[i].id, retrial->drop_webhook, err);
        if (r >= 0)
            count_condition(retrial, r);
    }
    if (r >= 0)
        r = store_commit(retrial->store, err);
    else
        store_rollback(retrial->store);
    if (r < 0) {
        retrial->done = before.done;
        retrial->no_text = before.no_text;
        retrial->owed = before.owed;
    }
    return r;
}

/* Each key's in turn; without act they are only counted. */
static int walk_key(struct retrial *retrial, int64_t key, bool act, struct progress *progress,
                    struct error *err)
{
    struct failed_walk walk = retrial->walk;
    struct job_place places[PACE_BATCH_MAX];
    size_t count = 0;
    int r = 0;

    walk.key = key;
    while (!pace_is_stopped()) {
        r = failed_walk_next(retrial->store, &walk, places, act ? retrial->pace.batch : PACE_BATCH_MAX,
                             &count, err);
        if (r < 0 || count == 0)
            return r;
        if (!act) {
            retrial->failed += count;
            continue;
        }
        r = retry_batch(retrial, places, count, err);
        if (r < 0)
            return r;
        job_hint(retrial->ctl);
        progress_show(progress, "retrying",
                      (double)(retrial->done + retrial->no_text + retrial->owed) / (double)retrial->failed);
        pace_wait(&retrial->pace);
    }
    return 0;
}

static int walk_keys(struct retrial *retrial, bool act, struct progress *progress, struct error *err)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < retrial->names.row_count; i++)
        r = walk_key(retrial, retrial->names.rows[i], act, progress, err);
    return r;
}

static int print_retrial(const struct retrial *retrial)
{
    cleanup(buf_release) struct buf text = BUF_INIT(CTL_OUTPUT_MAX);

    if (retrial->ctl->json) {
        buf_append_str(&text, "{");
        json_member_bool(&text, "dry_run", retrial->dry_run);
        json_member_bool(&text, "interrupted", pace_is_stopped());
        json_member_int(&text, "failed", (int64_t)retrial->failed);
        json_member_int(&text, "retried", (int64_t)retrial->done);
        json_member_int(&text, "without_text", (int64_t)retrial->no_text);
        json_member_int(&text, "webhook_owed", (int64_t)retrial->owed);
        buf_append_str(&text, "}");
        return ctl_print(retrial->ctl, &text);
    }
    if (retrial->dry_run)
        buf_printf(&text, "%zu failed jobs would be tried again", retrial->failed);
    else
        buf_printf(&text, "%zu of %zu failed jobs wait again", retrial->done, retrial->failed);
    if (retrial->no_text > 0)
        buf_printf(&text, "\n%zu cannot be: their text is gone", retrial->no_text);
    if (retrial->owed > 0)
        buf_printf(&text,
                   "\n%zu are not while the webhook of their failure is owed; --drop-webhook forgets it",
                   retrial->owed);
    return ctl_print(retrial->ctl, &text);
}

static int retry_failed(struct retrial *retrial)
{
    const struct ctl *ctl = retrial->ctl;
    struct progress progress;
    struct error error;
    int code, r;

    pace_catch_signals();
    progress_init(&progress, stderr, isatty(STDERR_FILENO) == 1, &clock_system);
    r = walk_keys(retrial, false, &progress, &error);
    if (r == 0 && !retrial->dry_run)
        r = walk_keys(retrial, true, &progress, &error);
    progress_end(&progress);
    /* What was done is told, however it ended. */
    code = print_retrial(retrial);
    if (r < 0)
        return ctl_fail_error(ctl, r, &error);
    if (pace_is_stopped())
        return ctl_fail(ctl, EX_TEMPFAIL, "interrupted; the same command goes on with what is left");
    return code;
}

/* ---- the command ---- */

struct retry_words {
    const char *failed;
    const char *since;
    const char *key;
    const char *error;
    const char *rate;
    const char *drop_webhook;
    const char *dry_run;
};

static int check_words(const struct ctl *ctl, const struct retry_words *words, const char *job_id)
{
    if (words->failed != NULL)
        return job_id == NULL && words->since != NULL
                   ? 0
                   : ctl_fail(ctl, EX_USAGE, "--failed takes --since TIME, and no id");
    if (job_id == NULL || words->since != NULL || words->key != NULL || words->error != NULL ||
        words->dry_run != NULL)
        return ctl_fail(ctl, EX_USAGE, "name one job by its id, or give --failed --since TIME");
    return 0;
}

static int run_failed(struct ctl *ctl, struct store *store, const struct retry_words *words,
                      const struct pace *pace, int64_t since)
{
    struct retrial retrial = {
        .ctl = ctl,
        .store = store,
        .walk = {.since = since, .until = clock_wall_ms(&clock_system), .error_code = words->error},
        .pace = *pace,
        .drop_webhook = words->drop_webhook != NULL,
        .dry_run = words->dry_run != NULL,
    };
    int code = key_names_read(ctl, store, words->key, &retrial.names);

    if (code == 0)
        code = retry_failed(&retrial);
    key_names_release(&retrial.names);
    return code;
}

int ctl_job_retry(struct ctl *ctl, int argc, char **argv)
{
    struct retry_words words = {.rate = RATE_DEFAULT};
    const struct program_option options[] = {
        {"failed", NULL, "all that failed since a time", &words.failed},
        {"since", "TIME", "they failed since then; 2h is two hours ago", &words.since},
        {"key", "KEY_ID", "of that API key", &words.key},
        {"error", "CODE", "with that error, synthesis_crashed for one", &words.error},
        {"rate", "N/s", "so many a second (" RATE_DEFAULT "/s)", &words.rate},
        {"drop-webhook", NULL, "forget the webhook of the failure, if it is owed", &words.drop_webhook},
        {"dry-run", NULL, "only say how many there are", &words.dry_run},
        {NULL},
    };
    cleanup(ctl_close_store) struct store *store = NULL;
    struct pace pace = {0};
    int64_t since = 0;
    char **arguments;
    int code = ctl_read(ctl, argc, argv, options, &arguments);

    if (code != OPTIONS_RUN || (code = check_words(ctl, &words, arguments[0])) != 0 ||
        (words.since != NULL && (code = ctl_read_time(ctl, "--since", words.since, &since)) != 0) ||
        (code = pace_read(ctl, words.rate, "jobs", &pace)) != 0 || (code = ctl_open_store(ctl, &store)) != 0)
        return code;
    if (words.failed != NULL)
        return run_failed(ctl, store, &words, &pace, since);
    return retry_one(ctl, store, arguments[0], words.drop_webhook != NULL);
}
