/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/job_options.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/cleanup.h"
#include "base/wake.h"
#include "ctl/show.h"
#include "ctl/which_key.h"

void key_names_release(struct key_names *names)
{
    while (names->count > 0)
        api_key_release(&names->keys[--names->count]);
    free(names->keys);
    free(names->rows);
    *names = (struct key_names){0};
}

int key_names_read(const struct ctl *ctl, struct store *store, const char *key_id,
                   struct key_names *ret_names)
{
    struct error error;
    int r = key_list(store, &ret_names->keys, &ret_names->count, &error);

    if (r < 0)
        return ctl_fail_error(ctl, r, &error);
    ret_names->rows = calloc(ret_names->count + 1, sizeof *ret_names->rows);
    if (ret_names->rows == NULL)
        return ctl_fail(ctl, EX_OSERR, "out of memory");
    for (size_t i = 0; i < ret_names->count; i++)
        if (key_id == NULL || strcmp(ret_names->keys[i].key_id, key_id) == 0)
            ret_names->rows[ret_names->row_count++] = ret_names->keys[i].key;
    return key_id != NULL && ret_names->row_count == 0 ? ctl_fail_no_key(ctl, key_id) : 0;
}

const char *key_names_find(const struct key_names *names, int64_t key)
{
    for (size_t i = 0; i < names->count; i++)
        if (names->keys[i].key == key)
            return names->keys[i].key_id;
    return "-";
}

int job_read_statuses(const struct ctl *ctl, const char *text, bool ended, unsigned int *ret_statuses)
{
    unsigned int statuses = 0;

    for (const char *word = text;; word++) {
        size_t length = strcspn(word, ",");
        enum job_status status;
        char name[16];

        if (length >= sizeof name)
            break;
        memcpy(name, word, length);
        name[length] = '\0';
        if (!job_status_parse(name, &status) || (ended && !job_status_is_terminal(status)))
            break;
        statuses |= 1u << status;
        word += length;
        if (*word == '\0') {
            *ret_statuses = statuses;
            return 0;
        }
    }
    return ctl_fail(ctl, EX_USAGE,
                    "--status takes %scompleted, failed, cancelled, or several with commas between",
                    ended ? "" : "pending, processing, ");
}

int job_find_named(const struct ctl *ctl, struct store *store, const char *job_id, struct job *ret_job)
{
    cleanup(buf_release) struct buf name = BUF_INIT(ERROR_TEXT_MAX);
    struct error error;
    int r = job_get(store, 0, job_id, ret_job, &error);

    if (r < 0)
        return ctl_fail_error(ctl, r, &error);
    if (r == 0)
        return 0;
    show_string(&name, job_id);
    return ctl_fail(ctl, EX_NOINPUT, "there is no job %s; 'job list' shows them", buf_str(&name));
}

int job_fail_condition(const struct ctl *ctl, const struct job *job, int condition, const char *done)
{
    switch (condition) {
    case MANAGE_NO_TEXT:
        return ctl_fail(
            ctl, EX_DATAERR,
            "%s cannot be %s: its text is gone, as retention removes it; its client has to send it again",
            job->job_id, done);
    case MANAGE_OWED:
        return ctl_fail(ctl, EX_TEMPFAIL,
                        "%s is not %s while the webhook of its end is still owed ('delivery show %s'); "
                        "--drop-webhook forgets that one",
                        job->job_id, done, job->job_id);
    case MANAGE_UNDER_WAY:
        return ctl_fail(ctl, EX_TEMPFAIL,
                        "%s is not %s while its webhook is being sent; try again in a moment", job->job_id,
                        done);
    case STORE_NOT_FOUND:
        return ctl_fail(ctl, EX_NOINPUT, "%s was removed meanwhile", job->job_id);
    default:
        return ctl_fail(ctl, EX_DATAERR, "%s cannot be %s: it is %s%s", job->job_id, done,
                        job_status_name(job->status),
                        job_status_is_terminal(job->status) ? "" : "; 'job cancel' ends it first");
    }
}

void job_hint(const struct ctl *ctl)
{
    cleanup(close_fd) int sender = wake_sender();

    wake_send(sender, ctl->options.settings.database);
}
