/* SPDX-License-Identifier: Apache-2.0 */
#include "store/tally.h"

/* Relaxed: each number is right by itself, and whoever reads them all needs no moment at which they belong
 * together. */

void tally_add(struct tally *tally, enum metric metric, int64_t millionths)
{
    atomic_fetch_add_explicit(&tally->millionths[metric], millionths, memory_order_relaxed);
}

void tally_observe(struct tally *tally, enum metric histogram, int64_t millionths)
{
    tally_add(tally, metric_bucket(histogram, millionths), METRIC_MILLIONTHS);
    tally_add(tally, metric_sum(histogram), millionths);
}

bool tally_is_empty(const struct tally *tally)
{
    for (size_t i = 0; i < METRIC_COUNT; i++)
        if (atomic_load_explicit(&tally->millionths[i], memory_order_relaxed) != 0)
            return false;
    return true;
}

void tally_take(struct tally *tally, struct tally_taken *ret_taken)
{
    ret_taken->count = 0;
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        ret_taken->millionths[i] = 0;
        /* Most are 0, and a look does not take the line away from those who count. */
        if (atomic_load_explicit(&tally->millionths[i], memory_order_relaxed) != 0)
            ret_taken->millionths[i] =
                atomic_exchange_explicit(&tally->millionths[i], 0, memory_order_relaxed);
        ret_taken->count += ret_taken->millionths[i] != 0;
    }
}

void tally_give_back(struct tally *tally, const struct tally_taken *taken)
{
    for (size_t i = 0; i < METRIC_COUNT; i++)
        if (taken->millionths[i] != 0)
            tally_add(tally, (enum metric)i, taken->millionths[i]);
}

void tally_write(struct store *store, const struct tally_taken *taken)
{
    for (size_t i = 0; i < METRIC_COUNT; i++)
        if (taken->millionths[i] != 0)
            metric_add(store, (enum metric)i, (double)taken->millionths[i] / METRIC_MILLIONTHS);
}
