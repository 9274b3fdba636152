/* SPDX-License-Identifier: Apache-2.0 */
/* The table of commands: the map of src/ctl/. */
#include "ctl/ctl.h"

const struct command ctl_commands[] = {
    {
        .name = "key create",
        .arguments = "",
        .summary = "make an API key and its webhook secret, and show both this once",
        .details =
            "Keep both: the database holds only a hash of the key, and no command prints the secret again.\n",
        .run = ctl_key_create,
    },
    {
        .name = "key set",
        .arguments = "KEY_ID",
        .argument_count = 1,
        .summary = "change the name, the weight or the limits of an API key",
        .details = "KEY_ID is what 'key list' shows.  What is not named stays as it is; a limit that is\n"
                   "'default' follows the setting of its name again.\n",
        .run = ctl_key_set,
    },
    {
        .name = "key list",
        .arguments = "",
        .summary = "list the API keys, revoked ones too",
        .run = ctl_key_list,
    },
    {
        .name = "key revoke",
        .arguments = "KEY_ID",
        .argument_count = 1,
        .summary = "end an API key at once; its jobs go on",
        .details = "KEY_ID is what 'key list' shows, not the key itself.\n",
        .run = ctl_key_revoke,
    },
    {
        .name = "secret rotate",
        .arguments = "KEY_ID",
        .argument_count = 1,
        .summary = "give an API key a new webhook secret, and show it this once",
        .details =
            "Until the overlap is over, webhooks are signed with the secrets before it too, so that receivers\n"
            "can take over the new one meanwhile.  None before it lasts longer; 0s ends them at once.\n",
        .run = ctl_secret_rotate,
    },
    {
        .name = "delivery list",
        .arguments = "",
        .summary = "list webhooks, the newest first",
        .details =
            "A line a webhook: its attempts, what became of the last, and when the next one is or when it\n"
            "was settled.  With --status failed, --since is when they failed, and so is the order.\n",
        .run = ctl_delivery_list,
    },
    {
        .name = "delivery show",
        .arguments = "WEBHOOK_ID|JOB_ID",
        .argument_count = 1,
        .summary = "show a webhook and each attempt to deliver it",
        .details =
            "The times are of each step, - where it was not reached.  What a receiver sent is shown with\n"
            "\\x.. for what a terminal would obey.\n",
        .run = ctl_delivery_show,
    },
    {
        .name = "delivery redeliver",
        .arguments = "[WEBHOOK_ID|JOB_ID]",
        .argument_count = 1,
        .optional = true,
        .summary = "send a webhook again or at once, or all that failed or wait",
        .details =
            "It goes out under the same webhook-id, with a fresh timestamp and signature.  One that waits for\n"
            "a later attempt is sent now.  With --failed or --waiting the webhooks become due a few at a time;\n"
            "Ctrl-C says how many, and the same command goes on.\n"
            "A receiver that is named, or whose webhook is, has a pause that it asked for or earned by failing\n"
            "ended, for all that it is owed; with --failed and no --receiver pauses hold.  A webhook whose body\n"
            "retention has removed cannot be sent again.\n",
        .run = ctl_delivery_redeliver,
    },
    {
        .name = "webhook check",
        .arguments = "URL",
        .argument_count = 1,
        .summary = "try a receiver: addresses, certificate, times, a signed ping",
        .details =
            "Needs no worker and changes nothing in the database.  Shows exactly what was signed, and never\n"
            "the secret.  Exits with 0 where the receiver answers 2xx, and with 1 where a webhook to it\n"
            "would fail.  Redirects are not followed.\n",
        .run = ctl_webhook_check,
    },
    {
        .name = "migrate",
        .arguments = "",
        .summary = "create the database, or bring it to this version",
        .details =
            "The programs do the same when they start; a database that is newer than they are is refused.\n",
        .run = ctl_migrate,
    },
    {
        .name = "listen",
        .arguments = "",
        .summary = "receive webhooks on this machine, verify and print them",
        .details =
            "The secret may also stand in SAYHOOK_WEBHOOK_SECRET.  A webhook of which both signatures and the\n"
            "time are right is answered with 204, any other with 400.  With --json each is a line of JSON.\n",
        .run = ctl_listen,
    },
    {
        .name = "speak",
        .arguments = "TEXTFILE",
        .argument_count = 1,
        .summary = "have a text spoken and download the audio",
        .details =
            "TEXTFILE is UTF-8; - is stdin.  URL and key may also stand in SAYHOOK_URL and SAYHOOK_API_KEY.\n",
        .run = ctl_speak,
    },
    {0},
};
