/* SPDX-License-Identifier: Apache-2.0 */
/* Has webhooks sent again: one, what failed since a time, or what waits for a later attempt. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/wake.h"
#include "codec/json_write.h"
#include "ctl/outbox_options.h"
#include "ctl/pace.h"
#include "ctl/progress.h"

/*
 * Webhooks a second that become due, unless --rate says otherwise: a receiver that has just come back meets
 * no more than it would on a busy day, and the day's own webhooks come through in between.
 */
#define RATE_DEFAULT "50"

/* Webhooks without a body that are named; more are only counted. */
#define NAMED_MAX 100

static const char writer[] = "sayhookctl delivery redeliver";

enum which {
    WHICH_ONE,
    WHICH_FAILED,
    WHICH_WAITING,
};

/* One that is named is sent now, whether it has ended or waits; of many, what is as it was when it was found.
 */
static int mend(struct store *store, int64_t webhook, enum which which, struct error *err)
{
    int r = STORE_CONFLICT;

    if (which != WHICH_WAITING)
        r = outbox_redeliver(store, webhook, which == WHICH_FAILED, err);
    if (which != WHICH_FAILED && r == STORE_CONFLICT)
        r = outbox_hasten(store, webhook, err);
    return r;
}

static int run_write(struct store *store, const struct outbox_failure *failures, size_t count,
                     enum which which, size_t *ret_done, struct error *err)
{
    size_t done = 0;
    int r = store_begin(store, writer, err);

    for (size_t i = 0; r >= 0 && i < count; i++) {
        if (!failures[i].has_body)
            continue;
        r = mend(store, failures[i].webhook, which, err);
        done += r == 0;
    }
    if (r < 0) {
        store_rollback(store);
        return r;
    }
    r = store_commit(store, err);
    if (r == 0)
        *ret_done = done;
    return r;
}

/* Whoever names a receiver, or a webhook of it, wants it tried now. */
static int end_pause(struct store *store, const char *receiver, bool *ret_ended, struct error *err)
{
    int condition, r = store_begin(store, writer, err);

    if (r < 0)
        return r;
    condition = outbox_resume(store, receiver, err);
    if (condition < 0) {
        store_rollback(store);
        return condition;
    }
    r = store_commit(store, err);
    if (r == 0)
        *ret_ended = condition == 0;
    return r;
}

static void hint(const struct ctl *ctl)
{
    cleanup(close_fd) int sender = wake_sender();

    wake_send(sender, ctl->options.settings.database);
}

/* ---- one ---- */

static int fail_conflict(const struct ctl *ctl, const struct outbox_entry *entry)
{
    if (!entry->has_body)
        return ctl_fail(ctl, EX_DATAERR, "%s cannot be sent again: retention has removed its body",
                        entry->webhook_id);
    if (entry->status != WEBHOOK_PENDING && entry->attempts >= WEBHOOK_ATTEMPTS_MAX)
        return ctl_fail(ctl, EX_DATAERR, "%s was sent %d times, and no webhook is sent more often",
                        entry->webhook_id, WEBHOOK_ATTEMPTS_MAX);
    return ctl_fail(ctl, EX_DATAERR, "%s is due now or under way as it is", entry->webhook_id);
}

static int redeliver_one(struct ctl *ctl, struct store *store, const char *id)
{
    cleanup(outbox_entry_release) struct outbox_entry entry = {0};
    cleanup(buf_release) struct buf text = BUF_INIT(CTL_OUTPUT_MAX);
    struct outbox_failure one = {.has_body = true};
    struct error error;
    bool resumed = false;
    size_t done = 0;
    int code = outbox_find_named(ctl, store, id, &entry);
    int r;

    if (code != 0)
        return code;
    one.webhook = entry.webhook;
    r = run_write(store, &one, 1, WHICH_ONE, &done, &error);
    if (r == 0 && (done > 0 || entry.status == WEBHOOK_PENDING))
        r = end_pause(store, entry.receiver, &resumed, &error);
    if (r < 0)
        return ctl_fail_error(ctl, r, &error);
    if (done == 0 && !resumed)
        return fail_conflict(ctl, &entry);
    hint(ctl);
    if (ctl->json) {
        buf_append_str(&text, "{");
        json_member_string(&text, "webhook_id", entry.webhook_id);
        json_member_string(&text, "job_id", entry.job_id[0] != '\0' ? entry.job_id : NULL);
        json_member_string(&text, "status", webhook_status_name(WEBHOOK_PENDING));
        buf_append_str(&text, "}");
    } else {
        buf_printf(&text, "%s is %s", entry.webhook_id,
                   done == 0                         ? "owed as it is"
                   : entry.status == WEBHOOK_PENDING ? "due now, and waits no longer"
                                                     : "due again");
        if (resumed)
            buf_printf(&text, "; the pause of %s is ended", entry.receiver);
    }
    return ctl_print(ctl, &text);
}

/* ---- all that failed, or that wait ---- */

struct redelivery {
    struct ctl *ctl;
    struct store *store;
    struct outbox_walk walk;
    struct pace pace;
    bool dry_run;
    size_t found;
    size_t removed; /* of them, without a body */
    size_t done;
    char named[NAMED_MAX][WEBHOOK_ID_SIZE]; /* the first of those */
};

static void count_failure(struct redelivery *redelivery, const struct outbox_failure *failure)
{
    redelivery->found++;
    if (failure->has_body)
        return;
    if (redelivery->removed < NAMED_MAX)
        memcpy(redelivery->named[redelivery->removed], failure->webhook_id, sizeof failure->webhook_id);
    redelivery->removed++;
}

/* Before anything is changed, so that it is known how much there is. */
static int count_failures(struct redelivery *redelivery, struct error *err)
{
    struct outbox_walk walk = redelivery->walk;
    struct outbox_failure failures[PACE_BATCH_MAX];
    size_t count;
    int r;

    do {
        r = outbox_failures(redelivery->store, &walk, failures, PACE_BATCH_MAX, &count, err);
        for (size_t i = 0; r == 0 && i < count; i++)
            count_failure(redelivery, &failures[i]);
    } while (r == 0 && count > 0 && !pace_is_stopped());
    return r;
}

static int redeliver_failures(struct redelivery *redelivery, struct progress *progress, struct error *err)
{
    struct outbox_failure failures[PACE_BATCH_MAX];
    size_t seen = 0, count, done = 0;
    int r;

    while (!pace_is_stopped()) {
        r = outbox_failures(redelivery->store, &redelivery->walk, failures, redelivery->pace.batch, &count,
                            err);
        if (r < 0 || count == 0)
            return r;
        r = run_write(redelivery->store, failures, count,
                      redelivery->walk.waiting ? WHICH_WAITING : WHICH_FAILED, &done, err);
        if (r < 0)
            return r;
        redelivery->done += done;
        seen += count;
        if (done > 0)
            hint(redelivery->ctl);
        progress_show(progress, "redelivering", (double)seen / (double)redelivery->found);
        if (done > 0 && seen < redelivery->found)
            pace_wait(&redelivery->pace);
    }
    return 0;
}

static size_t count_named(const struct redelivery *redelivery)
{
    return redelivery->removed < NAMED_MAX ? redelivery->removed : NAMED_MAX;
}

static int print_json(const struct redelivery *redelivery)
{
    cleanup(buf_release) struct buf text = BUF_INIT(CTL_OUTPUT_MAX);

    buf_append_str(&text, "{");
    json_member_bool(&text, "dry_run", redelivery->dry_run);
    json_member_bool(&text, "interrupted", pace_is_stopped());
    json_member_int(&text, redelivery->walk.waiting ? "waiting" : "failed", (int64_t)redelivery->found);
    json_member_int(&text, "redelivered", (int64_t)redelivery->done);
    json_member_int(&text, "removed", (int64_t)redelivery->removed);
    json_name(&text, "removed_webhooks");
    buf_append_str(&text, "[");
    for (size_t i = 0; i < count_named(redelivery); i++) {
        json_item(&text);
        json_string(&text, redelivery->named[i]);
    }
    buf_append_str(&text, "]}");
    return ctl_print(redelivery->ctl, &text);
}

static int print_text(const struct redelivery *redelivery)
{
    cleanup(buf_release) struct buf text = BUF_INIT(CTL_OUTPUT_MAX);
    size_t sendable = redelivery->found - redelivery->removed;
    bool waiting = redelivery->walk.waiting;

    if (redelivery->dry_run)
        buf_printf(&text, "%zu %s webhooks would be sent %s", sendable, waiting ? "waiting" : "failed",
                   waiting ? "now" : "again");
    else
        buf_printf(&text, "%zu of %zu %s webhooks are due %s", redelivery->done, sendable,
                   waiting ? "waiting" : "failed", waiting ? "now" : "again");
    if (redelivery->removed > 0)
        buf_printf(&text, "\n%zu cannot be sent again, since retention has removed their bodies:",
                   redelivery->removed);
    for (size_t i = 0; i < count_named(redelivery); i++)
        buf_printf(&text, "\n  %s", redelivery->named[i]);
    if (redelivery->removed > NAMED_MAX)
        buf_append_str(&text, "\n  ...");
    return ctl_print(redelivery->ctl, &text);
}

static int redeliver_all(struct redelivery *redelivery)
{
    const struct ctl *ctl = redelivery->ctl;
    struct progress progress;
    struct error error;
    int code, r;

    pace_catch_signals();
    progress_init(&progress, stderr, isatty(STDERR_FILENO) == 1, &clock_system);
    r = count_failures(redelivery, &error);
    if (r == 0 && !redelivery->dry_run)
        r = redeliver_failures(redelivery, &progress, &error);
    progress_end(&progress);
    /* What was done is told, however it ended. */
    code = ctl->json ? print_json(redelivery) : print_text(redelivery);
    if (r < 0)
        return ctl_fail_error(ctl, r, &error);
    if (pace_is_stopped())
        return ctl_fail(ctl, EX_TEMPFAIL, "interrupted; the same command goes on with what is left");
    return code;
}

/* ---- the command ---- */

struct redeliver_words {
    struct outbox_words outbox;
    const char *failed;
    const char *waiting;
    const char *rate;
    const char *dry_run;
};

static int check_words(const struct ctl *ctl, const struct redeliver_words *words, const char *id)
{
    const struct outbox_words *outbox = &words->outbox;

    if (words->failed != NULL)
        return id == NULL && outbox->since != NULL && words->waiting == NULL
                   ? 0
                   : ctl_fail(ctl, EX_USAGE, "--failed takes --since TIME, and no id and no --waiting");
    if (words->waiting != NULL)
        return id == NULL && outbox->since == NULL && outbox->receiver != NULL
                   ? 0
                   : ctl_fail(ctl, EX_USAGE, "--waiting takes --receiver RECEIVER, and no id and no --since");
    if (id == NULL || outbox->key != NULL || outbox->receiver != NULL || outbox->since != NULL ||
        words->dry_run != NULL)
        return ctl_fail(ctl, EX_USAGE,
                        "name one webhook by its id or its job's, or give --failed --since TIME or "
                        "--waiting --receiver RECEIVER");
    return 0;
}

static int redeliver_many(struct ctl *ctl, struct store *store, const struct redeliver_words *words,
                          const struct outbox_filter *filter, const struct pace *pace)
{
    struct redelivery redelivery = {
        .ctl = ctl,
        .store = store,
        .walk = {.filter = *filter, .until = clock_wall_ms(&clock_system), .waiting = words->waiting != NULL},
        .dry_run = words->dry_run != NULL,
    };
    struct error error;
    bool resumed;
    int r = 0;

    /* Once: a pause that it asks for while it is sent what failed holds. */
    if (filter->receiver != NULL && !redelivery.dry_run)
        r = end_pause(store, filter->receiver, &resumed, &error);
    if (r < 0)
        return ctl_fail_error(ctl, r, &error);
    redelivery.pace = *pace;
    return redeliver_all(&redelivery);
}

int ctl_delivery_redeliver(struct ctl *ctl, int argc, char **argv)
{
    struct redeliver_words words = {.rate = RATE_DEFAULT};
    const struct program_option options[] = {
        {"failed", NULL, "all that failed since a time", &words.failed},
        {"waiting", NULL, "all that wait for a later attempt at a receiver", &words.waiting},
        OUTBOX_OPTION_KEY(words.outbox),
        OUTBOX_OPTION_RECEIVER(words.outbox),
        {"since", "TIME", "they failed since then; 2h is two hours ago", &words.outbox.since},
        {"rate", "N/s", "so many a second (" RATE_DEFAULT "/s)", &words.rate},
        {"dry-run", NULL, "only say how many there are", &words.dry_run},
        {NULL},
    };
    cleanup(ctl_close_store) struct store *store = NULL;
    struct outbox_filter filter = {0};
    struct url url;
    struct pace pace = {0};
    char **arguments;
    int code = ctl_read(ctl, argc, argv, options, &arguments);

    if (code != OPTIONS_RUN || (code = check_words(ctl, &words, arguments[0])) != 0 ||
        (code = outbox_read_words(ctl, &words.outbox, &url, &filter)) != 0 ||
        (code = pace_read(ctl, words.rate, "webhooks", &pace)) != 0 ||
        (code = ctl_open_store(ctl, &store)) != 0 ||
        (code = outbox_find_key(ctl, store, &words.outbox, &filter)) != 0)
        return code;
    if (words.failed != NULL || words.waiting != NULL)
        return redeliver_many(ctl, store, &words, &filter, &pace);
    return redeliver_one(ctl, store, arguments[0]);
}
