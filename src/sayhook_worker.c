/* SPDX-License-Identifier: Apache-2.0 */
/* sayhook-worker: speaks the jobs that wait and sends their webhooks. */
#include <sysexits.h>

#include "base/cleanup.h"
#include "base/notify.h"
#include "base/stop.h"
#include "config/options.h"
#include "worker/worker.h"

static int serve(const struct settings *settings, const struct sealer *sealer, const char *synth_program,
                 struct error *err)
{
    cleanup(close_fd) int stop_fd = stop_open(err);
    struct worker_options options = {.settings = settings,
                                     .synth_program = synth_program,
                                     .sealer = sealer,
                                     .clock = &clock_system,
                                     .stop_fd = stop_fd};
    struct worker *worker;
    int r;

    if (stop_fd < 0)
        return stop_fd;
    r = worker_new(&options, &worker, err);
    if (r < 0)
        return r;
    notify_ready("waiting for jobs");
    log_info("started");
    r = worker_run(worker, err);
    notify_stopping();
    worker_free(worker);
    log_info("stopped");
    return r;
}

int main(int argc, char **argv)
{
    static const char *synth_program = SYNTH_PROGRAM;
    static const struct program_option own[] = {
        {"synth", "PROGRAM", "the speech engine (" SYNTH_PROGRAM ")", &synth_program},
        {0},
    };
    static const struct program_description program = {
        .name = "sayhook-worker",
        .summary = "speaks the jobs that wait and sends their webhooks",
        .options = own,
        .uses_secrets = true,
    };
    cleanup(options_release) struct options options = {0};
    cleanup(sealer_release) struct sealer sealer = {0};
    struct error err = {""};
    int code = options_parse(argc, argv, &program, &options);
    int r;

    if (code != OPTIONS_RUN)
        return code;
    sealer_init(&sealer, options.secret_key.bytes);
    r = serve(&options.settings, options.secret_key.given ? &sealer : NULL, synth_program, &err);
    if (r < 0) {
        log_error("%s", err.text);
        return daemon_exit_code(r);
    }
    return EX_OK;
}
