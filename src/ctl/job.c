/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs of every key, for an administrator to see and to cancel.  The texts are shown nowhere. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "codec/json_write.h"
#include "config/number.h"
#include "ctl/job_options.h"
#include "ctl/show.h"
#include "ctl/when.h"

/* A screen of them; what is shown at most fits into memory. */
#define LIST_DEFAULT "50"
#define LIST_MAX     10000

/* Jobs that are read at once. */
#define PAGE 100

/* ---- list ---- */

struct listing {
    const struct ctl *ctl;
    struct store *store;
    struct key_names names;
    struct job_filter filter;
    bool by_key; /* by the index of keys and statuses, not by that of all jobs */
    size_t left; /* jobs that may still be shown */
    struct buf text;
};

static void append_job_json(struct buf *text, const char *key_id, const struct job *job)
{
    json_item(text);
    buf_append_str(text, "{");
    json_member_string(text, "job_id", job->job_id);
    json_member_string(text, "key_id", key_id);
    json_member_string(text, "status", job_status_name(job->status));
    json_member_string(text, "language", job->language);
    json_member_string(text, "voice", job->voice);
    json_member_string(text, "format", audio_format_name(job->format));
    json_member_int(text, "characters", job->characters);
    json_member_double(text, "progress", (double)(int64_t)(job_progress(job) * 10000.0) / 10000.0);
    json_member_time(text, "created_at", job->created_at);
    json_member_time(text, "started_at", job->started_at);
    json_member_time(text, "completed_at", job->completed_at);
    json_member_string(text, "error_code", job->error_code);
    json_member_string(text, "webhook_status", webhook_status_name(job->webhook_status));
    buf_append_str(text, "}");
}

static void append_job_row(struct buf *text, const char *key_id, const struct job *job)
{
    buf_printf(text, "\n%-40s  %-16s  %-10s  ", job->job_id, key_id, job_status_name(job->status));
    show_time(text, job->created_at);
    buf_printf(text, "  %10" PRId64 "  %3d %%  %-6s  %-9s  %s", job->characters,
               (int)(job_progress(job) * 100), audio_format_name(job->format),
               webhook_status_name(job->webhook_status), job->error_code != NULL ? job->error_code : "-");
}

static void append_page(struct listing *listing, const struct job_page *page)
{
    for (size_t i = 0; i < page->count; i++) {
        const char *key_id = key_names_find(&listing->names, page->jobs[i].key);

        if (listing->ctl->json)
            append_job_json(&listing->text, key_id, &page->jobs[i]);
        else
            append_job_row(&listing->text, key_id, &page->jobs[i]);
    }
}

static int list_pages(struct listing *listing, struct error *err)
{
    const int64_t *keys = listing->by_key ? listing->names.rows : NULL;
    int r = 0;

    do {
        cleanup(job_page_release) struct job_page page = {0};

        listing->filter.limit = listing->left < PAGE ? listing->left : PAGE;
        r = manage_list(listing->store, keys, listing->names.row_count, &listing->filter, &page, err);
        if (r < 0)
            return r;
        append_page(listing, &page);
        listing->left -= page.count;
        listing->filter.before = page.next;
    } while (listing->filter.before != 0 && listing->left > 0);
    return 0;
}

static int print_list(struct listing *listing)
{
    struct error error;
    int r;

    if (listing->ctl->json)
        buf_append_str(&listing->text, "{\"jobs\":[");
    else
        buf_printf(&listing->text, "%-40s  %-16s  %-10s  %-24s  %10s  %5s  %-6s  %-9s  %s", "JOB", "KEY",
                   "STATUS", "CREATED", "CHARACTERS", "DONE", "FORMAT", "WEBHOOK", "ERROR");
    r = list_pages(listing, &error);
    if (r < 0)
        return ctl_fail_error(listing->ctl, r, &error);
    if (listing->ctl->json)
        buf_append_str(&listing->text, "]}");
    return ctl_print(listing->ctl, &listing->text);
}

struct list_words {
    const char *key;
    const char *status;
    const char *since;
    const char *until;
    const char *limit;
};

static int read_list_words(const struct ctl *ctl, const struct list_words *words, struct listing *listing)
{
    struct error error;
    int64_t limit = 0;
    int code = 0;

    if (words->status != NULL)
        code = job_read_statuses(ctl, words->status, false, &listing->filter.statuses);
    if (code == 0 && words->since != NULL) {
        code = ctl_read_time(ctl, "--since", words->since, &listing->filter.created_after);
        listing->filter.created_after--; /* the filter leaves out the bound itself */
    }
    if (code == 0 && words->until != NULL)
        code = ctl_read_time(ctl, "--until", words->until, &listing->filter.created_before);
    if (code == 0 && number_parse(NUMBER_COUNT, words->limit, 1, LIST_MAX, &limit, &error) < 0)
        code = ctl_fail(ctl, EX_USAGE, "--limit: %s", error.text);
    listing->left = (size_t)limit;
    listing->by_key = words->key != NULL || listing->filter.statuses != 0;
    return code;
}

int ctl_job_list(struct ctl *ctl, int argc, char **argv)
{
    struct list_words words = {.limit = LIST_DEFAULT};
    const struct program_option options[] = {
        {"key", "KEY_ID", "of that API key", &words.key},
        {"status", "STATUS[,...]", "pending, processing, completed, failed, cancelled", &words.status},
        {"since", "TIME", "created since then; 2h is two hours ago", &words.since},
        {"until", "TIME", "created before then", &words.until},
        {"limit", "N", "at most so many (" LIST_DEFAULT ")", &words.limit},
        {NULL},
    };
    cleanup(ctl_close_store) struct store *store = NULL;
    struct listing listing = {.ctl = ctl, .text = BUF_INIT(CTL_OUTPUT_MAX)};
    char **arguments;
    int code = ctl_read(ctl, argc, argv, options, &arguments);

    if (code != OPTIONS_RUN || (code = read_list_words(ctl, &words, &listing)) != 0 ||
        (code = ctl_open_store(ctl, &store)) != 0)
        return code;
    listing.store = store;
    code = key_names_read(ctl, store, words.key, &listing.names);
    if (code == 0)
        code = print_list(&listing);
    key_names_release(&listing.names);
    buf_release(&listing.text);
    return code;
}

/* ---- cancel ---- */

static int cancel(struct store *store, const char *job_id, struct job *ret_job, struct error *err)
{
    int condition, r = store_begin(store, "sayhookctl job cancel", err);

    if (r < 0)
        return r;
    condition = job_cancel(store, 0, job_id, ret_job, err);
    if (condition != 0) {
        store_rollback(store);
        return condition;
    }
    return store_commit(store, err);
}

int ctl_job_cancel(struct ctl *ctl, int argc, char **argv)
{
    static const struct program_option options[] = {{NULL}};
    cleanup(ctl_close_store) struct store *store = NULL;
    cleanup(job_release) struct job named = {0}, job = {0};
    cleanup(buf_release) struct buf text = BUF_INIT(CTL_OUTPUT_MAX);
    struct error error;
    char **arguments;
    int code = ctl_read(ctl, argc, argv, options, &arguments);
    int r;

    if (code != OPTIONS_RUN || (code = ctl_open_store(ctl, &store)) != 0 ||
        (code = job_find_named(ctl, store, arguments[0], &named)) != 0)
        return code;
    r = cancel(store, named.job_id, &job, &error);
    if (r < 0)
        return ctl_fail_error(ctl, r, &error);
    if (r != 0)
        return ctl_fail(ctl, EX_DATAERR, "%s cannot be cancelled: it is %s", named.job_id,
                        job_status_name(job.job_id[0] != '\0' ? job.status : named.status));
    job_hint(ctl);
    if (ctl->json) {
        buf_append_str(&text, "{");
        json_member_string(&text, "job_id", job.job_id);
        json_member_string(&text, "status", job_status_name(job.status));
        json_member_bool(&text, "cancel_requested", job.cancel_requested);
        buf_append_str(&text, "}");
    } else {
        buf_printf(&text, "%s is %s", job.job_id,
                   job.status == JOB_CANCELLED ? "cancelled" : "being cancelled by its worker");
    }
    return ctl_print(ctl, &text);
}
