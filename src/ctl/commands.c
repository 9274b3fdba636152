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
        .name = "job list",
        .arguments = "",
        .summary = "list jobs of every key, the newest first",
        .details = "A line a job.  What is asked for is found by an index, however many jobs there are.\n",
        .run = ctl_job_list,
    },
    {
        .name = "job show",
        .arguments = "JOB_ID",
        .argument_count = 1,
        .summary = "show a job: what was asked for, what became of it, its webhook",
        .details = "Its text is shown to nobody.  'delivery show JOB_ID' has more of the attempts.\n",
        .run = ctl_job_show,
    },
    {
        .name = "job cancel",
        .arguments = "JOB_ID",
        .argument_count = 1,
        .summary = "cancel a job that waits or is being spoken",
        .details = "As its client can: its webhook says so.\n",
        .run = ctl_job_cancel,
    },
    {
        .name = "job retry",
        .arguments = "[JOB_ID]",
        .argument_count = 1,
        .optional = true,
        .summary = "have a failed job tried again, or all that failed since a time",
        .details =
            "It waits under its old id, and owes a webhook of its own when it ends; the one of its failure is\n"
            "forgotten, and has to be delivered or given up first.  With --failed they wait a few at a time;\n"
            "Ctrl-C says how many, and the same command goes on.  A failed job's text is kept for\n"
            "retention_jobs; without it a job cannot be tried again.\n",
        .run = ctl_job_retry,
    },
    {
        .name = "job purge",
        .arguments = "[JOB_ID]",
        .argument_count = 1,
        .optional = true,
        .summary = "remove a job that has ended with all it has, or all that ended before a time",
        .details =
            "Audio, timings, text and webhooks go at once, and a request under its Idempotency-Key creates a\n"
            "new job.  A job that waits or is being spoken has to be cancelled first; one whose webhook is\n"
            "owed stays.  Backups keep what they have.\n",
        .run = ctl_job_purge,
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
        .name = "status",
        .arguments = "",
        .summary = "show what is going on: workers, jobs, webhooks, disks",
        .details =
            "Costs little however many jobs there are; counts end at 100000.  With --watch it goes on until\n"
            "Ctrl-C; with --json then, a document a line.  'sayhookctl doctor' looks for what is wrong.\n",
        .run = ctl_status,
    },
    {
        .name = "doctor",
        .arguments = "",
        .summary = "look for what is wrong, and say what to do",
        .details =
            "Changes nothing; beside the database it writes and syncs a file that has no name, to measure.\n"
            "Exits with 0 where there is no fault, warnings or not, and with 1 where there is one.  Run it as\n"
            "root: what it may not look at it skips.  Every voice says a word, which takes a second.\n",
        .run = ctl_doctor,
    },
    {
        .name = "config show",
        .arguments = "",
        .summary = "show every setting, and where its value comes from",
        .details =
            "Never shows the secret key, only where it lies.  'sayhookctl --help-settings' explains each\n"
            "setting.\n",
        .run = ctl_config_show,
    },
    {
        .name = "config check",
        .arguments = "",
        .summary = "check the settings, and who owns what they name",
        .details =
            "Lists every fault with its line, and every file or folder with a wrong owner or mode with the\n"
            "command that mends it.  Exits with 0 where there is no fault, and with 78 where there is one.\n"
            "What it may not look at it says: run it as root.\n",
        .run = ctl_config_check,
    },
    {
        .name = "worker pause",
        .arguments = "",
        .summary = "have the workers begin no job, until 'worker resume'",
        .details =
            "What is being spoken goes on to its end, webhooks are sent, and clients may create jobs, which\n"
            "wait.  It lasts across restarts, and is for every worker of this database.\n",
        .run = ctl_worker_pause,
    },
    {
        .name = "worker resume",
        .arguments = "",
        .summary = "have the workers begin jobs again",
        .run = ctl_worker_resume,
    },
    {
        .name = "worker drain",
        .arguments = "",
        .summary = "pause, and wait until no job is being spoken",
        .details =
            "Exits with 0 then, and with 75 where jobs are left when the time is over.  Either way, and after\n"
            "Ctrl-C, the workers stay paused until 'worker resume'.\n",
        .run = ctl_worker_drain,
    },
    {
        .name = "db backup",
        .arguments = "DIR",
        .argument_count = 1,
        .summary = "copy database and audio, as of one moment, to a new folder",
        .details =
            "Sayhook may run.  Audio is linked where DIR is on the same disk, else copied.  DIR has a\n"
            "manifest.json once the backup is whole.  Not in it: the key that encrypts webhook secrets, and\n"
            "audio under construction, which is spoken again after a restore.\n",
        .run = ctl_db_backup,
    },
    {
        .name = "db restore",
        .arguments = "DIR",
        .argument_count = 1,
        .summary = "put a backup in the place of database and audio",
        .details =
            "Sayhook must be stopped.  The backup is checked first; what was there is kept beside it under\n"
            "names with before-restore and the time.  Should it be interrupted, the same command goes on.\n",
        .run = ctl_db_restore,
    },
    {
        .name = "db check",
        .arguments = "",
        .summary = "look for faults in the database, its counters and its files",
        .details =
            "Reads every job and every file's name: minutes where there are millions.  Sayhook may run.\n"
            "Exits with 1 where something is wrong, and says what helps.\n",
        .run = ctl_db_check,
    },
    {
        .name = "db vacuum",
        .arguments = "",
        .summary = "give unused parts of the database back to the disk",
        .details =
            "Seldom of use: what retention leaves free is used again.  It takes as long as writing the\n"
            "database twice, and as much room beside it.  Sayhook is to be stopped, for nothing is written\n"
            "meanwhile.\n",
        .run = ctl_db_vacuum,
    },
    {
        .name = "db shell",
        .arguments = "[SQL]",
        .argument_count = 1,
        .optional = true,
        .summary = "open the database in sqlite3, or run SQL in it",
        .details =
            "Use no sqlite3 but this one to write: with --write it waits its turn among Sayhook's writers,\n"
            "without which SQLite before 3.51.3 can damage the database.\n",
        .run = ctl_db_shell,
    },
    {
        .name = "db migrate",
        .arguments = "",
        .summary = "create the database, or bring it to this version",
        .details =
            "The programs do the same when they start.  What is older is copied to DATABASE.before-vN first.\n"
            "A database that is newer than they are is refused.\n",
        .run = ctl_migrate,
    },
    {
        .name = "migrate",
        .arguments = "",
        .summary = "the same as 'db migrate'",
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
