/* SPDX-License-Identifier: Apache-2.0 */
/* The administrator's tool.  Its commands are in src/ctl/, one file for each group; commands.c lists them. */
#include "ctl/ctl.h"

static const char *json;

static const struct program_option own_options[] = {
    {"json", NULL, "print JSON; for every command", &json},
    {NULL},
};

static const struct program_description program = {
    .name = "sayhookctl",
    .summary = "administers Sayhook and tries it out",
    .arguments = "COMMAND ...",
    .options = own_options,
    .print_epilogue = ctl_list_commands,
    .settings_later = true,
    .uses_secrets = true,
    .config_variable = "SAYHOOK_CONFIG", /* as scripts/run writes it beside the URL and the key */
};

int main(int argc, char **argv)
{
    struct ctl ctl = {.invoked_as = argv[0], .program = &program};
    int code = options_parse(argc, argv, &program, &ctl.options);

    if (code != OPTIONS_RUN)
        return code;
    ctl.json = json != NULL;
    code = ctl_run(&ctl, argc - ctl.options.first, argv + ctl.options.first);
    sealer_release(&ctl.sealer);
    options_release(&ctl.options);
    return code;
}
