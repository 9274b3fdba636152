/* SPDX-License-Identifier: Apache-2.0 */
#include "webhook/recovery.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "crypto/random.h"
#include "store/receivers.h"
#include "webhook/schedule.h"
#include "webhook/sender.h"

/* ---- attempts ---- */

/* Attempts that are ended in one transaction: few enough to hold no other write up. */
#define BATCH_MAX 64

struct batch {
    struct commit_work work;
    const struct settings *settings;
    int64_t now;
    size_t count;
    struct attempt_ref open[BATCH_MAX];
    uint32_t random[BATCH_MAX];
};

static int end_one(struct store *store, const struct batch *batch, size_t index, struct error *err)
{
    const struct attempt_ref *open = &batch->open[index];
    const struct settings *settings = batch->settings;
    int64_t lasted = batch->now - open->started_at;
    struct attempt_result record = {
        .error_code = DELIVERY_INTERRUPTED,
        .error_message = "the sender stopped during the attempt; the receiver may have got it",
        .status = WEBHOOK_FAILED,
    };

    /* When it ended is not known, but no attempt lasts longer than this. */
    record.duration_ms =
        lasted < settings->webhook_timeout ? (lasted > 0 ? lasted : 0) : settings->webhook_timeout;
    if (schedule_next_interrupted(&settings->webhook_retry_schedule, open->attempt, open->interruptions + 1,
                                  batch->now, batch->random[index], &record.next_attempt_at))
        record.status = WEBHOOK_PENDING;
    return webhook_attempt_end(store, open->webhook, open->attempt, &record, err);
}

static int run_batch(struct commit_work *work, struct store *store, struct error *err)
{
    const struct batch *batch = container_of(work, struct batch, work);

    for (size_t i = 0; i < batch->count; i++) {
        int r = end_one(store, batch, i, err);

        if (r < 0)
            return r; /* a condition means that it is ended already: all the better */
    }
    return 0;
}

static int end_attempts(struct store *store, struct committer *committer, const struct settings *settings,
                        const struct clock *clock, int64_t *ret_count, struct error *err)
{
    struct batch batch = {.settings = settings};
    int64_t total = 0;
    int r;

    do {
        batch.now = clock_wall_ms(clock);
        batch.work = (struct commit_work){.run = run_batch};
        crypto_random(batch.random, sizeof batch.random);
        r = webhook_open_attempts(store, batch.open, BATCH_MAX, &batch.count, err);
        if (r == 0 && batch.count > 0)
            r = committer_call(committer, &batch.work, err);
        if (r < 0)
            return r;
        total += (int64_t)batch.count;
    } while (batch.count == BATCH_MAX);
    *ret_count = total;
    return 0;
}

/* ---- receivers ---- */

/* Receivers that are mended in one transaction, each by two statements on one row. */
#define MEND_MAX 256

struct mending {
    struct commit_work work;
    char *receivers[MEND_MAX];
    size_t count;
};

static int run_mending(struct commit_work *work, struct store *store, struct error *err)
{
    const struct mending *mending = container_of(work, struct mending, work);
    int r = 0;

    for (size_t i = 0; r == 0 && i < mending->count; i++)
        r = receiver_mend(store, mending->receivers[i], err);
    return r;
}

static int mend_receivers(struct store *store, struct committer *committer, struct error *err)
{
    struct mending mending = {.count = 0};
    int r;

    do {
        mending.work = (struct commit_work){.run = run_mending};
        r = receiver_wrong(store, mending.receivers, MEND_MAX, &mending.count, err);
        if (r < 0)
            return r;
        if (mending.count > 0)
            r = committer_call(committer, &mending.work, err);
        for (size_t i = 0; i < mending.count; i++)
            free(mending.receivers[i]);
    } while (r == 0 && mending.count == MEND_MAX);
    return r;
}

int recovery_run(struct store *store, struct committer *committer, const struct settings *settings,
                 const struct clock *clock, int64_t *ret_count, struct error *err)
{
    int r = end_attempts(store, committer, settings, clock, ret_count, err);

    return r == 0 ? mend_receivers(store, committer, err) : r;
}
