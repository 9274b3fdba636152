/* SPDX-License-Identifier: Apache-2.0 */
#include "webhook/recovery.h"

#include "base/cleanup.h"
#include "crypto/random.h"
#include "webhook/schedule.h"
#include "webhook/sender.h"

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

int recovery_run(struct store *store, struct committer *committer, const struct settings *settings,
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
