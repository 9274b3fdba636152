/* SPDX-License-Identifier: Apache-2.0 */
/* sayhook-worker: speaks the jobs that wait and sends their webhooks. */
#include "base/cleanup.h"
#include "base/log.h"
#include "daemon/daemon.h"
#include "worker/worker.h"

static const char *synth_program = SYNTH_PROGRAM;

static int work(struct daemon *daemon, const struct sealer *sealer, struct error *err)
{
    const struct worker_options options = {.settings = &daemon->options.settings,
                                           .synth_program = synth_program,
                                           .sealer = sealer,
                                           .clock = &clock_system,
                                           .service = &daemon->service};
    struct worker *worker;
    int r = worker_new(&options, &worker, err);

    if (r < 0)
        return r;
    service_ready("waiting for jobs");
    log_info("started");
    r = worker_run(worker, err);
    worker_free(worker);
    return r;
}

static int serve(struct daemon *daemon, struct error *err)
{
    const struct secret_key *key = &daemon->options.secret_key;
    cleanup(sealer_release) struct sealer sealer = {0};

    sealer_init(&sealer, key->bytes);
    return work(daemon, key->given ? &sealer : NULL, err);
}

int main(int argc, char **argv)
{
    static const struct program_option own[] = {
        {"synth", "PROGRAM", "the speech engine (" SYNTH_PROGRAM ")", &synth_program},
        {0},
    };
    static const struct program_description program = {
        .name = "sayhook-worker",
        .summary = "speaks the jobs that wait and sends their webhooks",
        .keeps_state = true,
        .writes_audio = true,
        .options = own,
        .uses_secrets = true,
    };

    return daemon_main(argc, argv, &program, serve);
}
