/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker: claims jobs, has them spoken segment by segment, stores the audio, ends the jobs, and, where it
 * is the one elected, delivers the webhooks.
 *
 * One thread runs the loop and owns all that is declared in worker/internal.h.  Beside it: the committer
 * (writes to the database), a few finishers (fsync of audio) and the dispatcher (webhooks).
 */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include "base/clock.h"
#include "base/error.h"
#include "base/service.h"
#include "config/settings.h"
#include "crypto/seal.h"

struct worker;

struct worker_options {
    const struct settings *settings;
    const char *synth_program;   /* path of the engine */
    const struct sealer *sealer; /* of webhook secrets; NULL: they lie in plain text */
    const struct clock *clock;
    struct service *service; /* the loop ends when it is told to */
};

int worker_new(const struct worker_options *options, struct worker **ret_worker, struct error *err);

/*
 * Works until it is told to stop (0) or to begin anew (SERVICE_RELOAD); then puts back what is unfinished,
 * and keeps what was spoken of it.  Negative where it cannot go on.
 */
int worker_run(struct worker *worker, struct error *err);

struct worker *worker_free(struct worker *worker);

#endif
