/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a process counts that no transaction changes: requests that only read, how long commits take.  It is
 * added up in memory, by any thread without a lock, and the process's committer puts it into the table of
 * metrics with one of its commits (committer.h).
 */
#ifndef STORE_TALLY_H
#define STORE_TALLY_H

#include <stdatomic.h>
#include <stdbool.h>

#include "store/store.h"

struct tally {
    atomic_llong millionths[METRIC_COUNT];
};

/* Any thread.  A count is METRIC_MILLIONTHS. */
void tally_add(struct tally *tally, enum metric metric, int64_t millionths);

/* Any thread: one more value of a histogram, in millionths of its unit. */
void tally_observe(struct tally *tally, enum metric histogram, int64_t millionths);

bool tally_is_empty(const struct tally *tally);

/* What was taken out of a tally, to be put into the table. */
struct tally_taken {
    int64_t millionths[METRIC_COUNT];
    size_t count; /* of those that are not 0 */
};

/* Takes all out. */
void tally_take(struct tally *tally, struct tally_taken *ret_taken);

/* Puts back what could not be committed. */
void tally_give_back(struct tally *tally, const struct tally_taken *taken);

/* [write] */
void tally_write(struct store *store, const struct tally_taken *taken);

#endif
