/* SPDX-License-Identifier: Apache-2.0 */
/* A client of the API: creates a job, follows it, downloads its audio. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "codec/json_read.h"
#include "codec/json_write.h"
#include "config/number.h"
#include "ctl/ctl.h"
#include "ctl/exchange.h"
#include "ctl/interrupt.h"
#include "ctl/patience.h"
#include "ctl/progress.h"
#include "net/http_client.h"
#include "text/utf8.h"

/* The largest text that a server may take is ten million characters of at most four bytes. */
#define TEXT_MAX (40 << 20)

/* Each byte may become six, "\u0001". */
#define BODY_MAX (6 * TEXT_MAX)

/* A job object, whose metadata and URLs are bounded. */
#define ANSWER_MAX (256 << 10)

/* Between two looks at the job: soon at first, for one sentence takes milliseconds, then a tenth longer each
 * time. */
#define POLL_FIRST_MS 10
#define POLL_LAST_MS  500

/* Longer than any server is away that comes back by itself. */
#define PATIENCE_MAX_MS (24 * INT64_C(3600000))

struct speak {
    struct ctl *ctl;
    struct http_client *client;
    const char *url;
    const char *output; /* NULL until it is known */
    const char *format;
    const char *quiet;        /* not NULL: no progress is shown */
    int64_t patience_ms;      /* with a server that does not tell how the job is */
    struct buf authorization; /* the header */
    struct buf job_json;      /* the job object as it came last */
    struct json_document *job;
};

static void speak_release(struct speak *speak)
{
    http_client_free(speak->client);
    buf_release(&speak->authorization);
    buf_release(&speak->job_json);
    json_read_free(speak->job);
}

static int read_text(const struct ctl *ctl, const char *path, struct buf *text)
{
    struct error error;
    size_t fault;
    int r = file_read(strcmp(path, "-") == 0 ? "/dev/stdin" : path, text, &error);

    if (r < 0)
        return ctl_fail_error(ctl, r, &error);
    if (!utf8_is_valid(buf_str(text), text->length, &fault))
        return ctl_fail(ctl, EX_DATAERR, "%s: is no UTF-8 at byte %zu", path, fault);
    if (strlen(buf_str(text)) != text->length)
        return ctl_fail(ctl, EX_DATAERR, "%s: holds a NUL at byte %zu", path, strlen(buf_str(text)));
    return 0;
}

/* Sends a request, whose answer becomes the job.  False where it is none, with the reason in ret_fault. */
static bool ask(struct speak *speak, const char *method, const char *url, const struct buf *body,
                struct fault *ret_fault)
{
    const struct exchange exchange = {.method = method,
                                      .url = url,
                                      .authorization = buf_str(&speak->authorization),
                                      .body = body,
                                      .max_answer = ANSWER_MAX};
    cleanup(buf_release) struct buf text = BUF_INIT(ANSWER_MAX);
    struct json_document *document;

    if (!exchange_run(&exchange, speak->client, &document, &text, ret_fault))
        return false;
    json_read_free(speak->job);
    speak->job = document;
    buf_clear(&speak->job_json);
    buf_append(&speak->job_json, text.data, text.length);
    return true;
}

static bool job_is(const struct speak *speak, const char *status)
{
    const char *now = json_read_string(speak->job, "/status");

    return now != NULL && strcmp(now, status) == 0;
}

static void sleep_ms(int64_t ms)
{
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    nanosleep(&pause, NULL);
}

static double share_spoken(const struct speak *speak)
{
    return json_read_number(speak->job, "/progress", 0);
}

/* Waits until it is time to try again; false where that makes no sense, or no more. */
static bool wait_to_retry(struct patience *patience, const struct fault *fault, struct progress *progress,
                          double share)
{
    int64_t pause_ms;

    if (!fault->may_pass || !patience_pause(patience, fault->retry_after_ms, &pause_ms)) {
        progress_end(progress);
        return false;
    }
    progress_show(progress, "retrying", share);
    sleep_ms(pause_ms);
    return true;
}

/* The job was accepted, whatever became of the connection: its end can be asked for later. */
static int fail_look(const struct speak *speak, const char *url, const struct fault *fault)
{
    char patience[NUMBER_TEXT_SIZE];

    if (!fault->may_pass)
        return ctl_fail(speak->ctl, fault->code, "%s", fault->error.text);
    number_format(NUMBER_DURATION, speak->patience_ms, patience);
    ctl_fail(speak->ctl, fault->code, "%s", fault->error.text);
    return ctl_fail(speak->ctl, fault->code,
                    "the server does not say within %s how job %s is; the job goes on, and %s will tell",
                    patience, json_read_string(speak->job, "/job_id"), url);
}

/* Looks at the job once, and again where what goes wrong may pass. */
static int look(struct speak *speak, const char *url, struct progress *progress)
{
    struct patience patience;
    struct fault fault;

    patience_init(&patience, &clock_system, speak->patience_ms);
    while (!ask(speak, "GET", url, NULL, &fault))
        if (!wait_to_retry(&patience, &fault, progress, share_spoken(speak)))
            return fail_look(speak, url, &fault);
    return 0;
}

static void say_if_interrupted(const char *job_id, const char *url)
{
    cleanup(free_ptr) char *line = NULL;

    if (asprintf(&line, "sayhookctl: job %s goes on: GET %s tells how it is, DELETE cancels it", job_id,
                 url) > 0)
        interrupt_say(line);
}

/* Looks at the job until it has ended. */
static int follow(struct speak *speak, struct progress *progress)
{
    cleanup(free_ptr) char *url = NULL;
    int64_t pause_ms = POLL_FIRST_MS;
    const char *job_id = json_read_string(speak->job, "/job_id");

    if (job_id == NULL)
        return ctl_fail(speak->ctl, EX_PROTOCOL, "%s answers with no job_id: is it Sayhook?", speak->url);
    if (asprintf(&url, "%s/v1/jobs/%s", speak->url, job_id) < 0)
        return ctl_fail(speak->ctl, EX_OSERR, "out of memory");
    say_if_interrupted(job_id, url);
    while (job_is(speak, "pending") || job_is(speak, "processing")) {
        int code;

        progress_show(progress, json_read_string(speak->job, "/status"), share_spoken(speak));
        sleep_ms(pause_ms);
        if (pause_ms < POLL_LAST_MS)
            pause_ms += pause_ms / 10 + 1;
        code = look(speak, url, progress);
        if (code != 0)
            return code;
    }
    progress_show(progress, json_read_string(speak->job, "/status"), 1);
    return 0;
}

static void show_download(void *context, int64_t received, int64_t total)
{
    progress_show(context, "downloading", total > 0 ? (double)received / (double)total : 0);
}

/* The audio is the server's still: it can be had later. */
static int fail_fetch(const struct speak *speak, const char *url, const struct fault *fault)
{
    const char *job_id = json_read_string(speak->job, "/job_id");
    char patience[NUMBER_TEXT_SIZE];

    number_format(NUMBER_DURATION, speak->patience_ms, patience);
    ctl_fail(speak->ctl, fault->code, "%s", fault->error.text);
    if (fault->may_pass)
        return ctl_fail(speak->ctl, fault->code,
                        "the audio does not arrive within %s; job %s is completed, and its audio is at %s",
                        patience, job_id, url);
    return ctl_fail(speak->ctl, fault->code, "job %s is completed; its audio was to come from %s", job_id,
                    url);
}

/* Makes room for the whole audio where some of it was written; not on stdout, whose reader has it. */
static bool begin_again(int fd)
{
    return fd != STDOUT_FILENO && ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0;
}

/* Downloads the audio, and again where what goes wrong may pass: patience counts from there. */
static int fetch(struct speak *speak, int fd, struct progress *progress)
{
    const struct download download = {.url = json_read_string(speak->job, "/audio_url"),
                                      .fd = fd,
                                      .progress = show_download,
                                      .progress_context = progress};
    struct patience patience = {0};
    struct fault fault;

    if (download.url == NULL)
        return ctl_fail(speak->ctl, EX_PROTOCOL, "the completed job has no audio_url");
    while (!exchange_download(&download, speak->client, &fault)) {
        if (patience.clock == NULL)
            patience_init(&patience, &clock_system, speak->patience_ms);
        if (fault.cut_off && !begin_again(fd))
            fault.may_pass = false;
        if (!wait_to_retry(&patience, &fault, progress, 0))
            return fail_fetch(speak, download.url, &fault);
    }
    return 0;
}

/* The audio becomes visible under its name when it is whole. */
static int download(struct speak *speak, struct progress *progress)
{
    cleanup(free_ptr) char *partial = NULL;
    cleanup(close_fd) int fd = -1;
    int code;

    if (strcmp(speak->output, "-") == 0)
        return fetch(speak, STDOUT_FILENO, progress);
    if (asprintf(&partial, "%s.part", speak->output) < 0)
        return ctl_fail(speak->ctl, EX_OSERR, "out of memory");
    fd = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return ctl_fail(speak->ctl, EX_CANTCREAT, "cannot create %s: %s", partial, strerrordesc_np(errno));
    code = fetch(speak, fd, progress);
    if (code == 0 && rename(partial, speak->output) < 0)
        code =
            ctl_fail(speak->ctl, EX_CANTCREAT, "cannot create %s: %s", speak->output, strerrordesc_np(errno));
    if (code != 0)
        unlink(partial);
    return code;
}

/* The text's own name with the format's suffix, in the current folder; of stdin the job's id. */
static char *default_output(const struct speak *speak, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    char *output = NULL;
    int r;

    if (strcmp(path, "-") == 0)
        r = asprintf(&output, "%s.%s", json_read_string(speak->job, "/job_id"), speak->format);
    else
        r = asprintf(&output, "%.*s.%s", dot != NULL && dot > name ? (int)(dot - name) : (int)strlen(name),
                     name, speak->format);
    return r < 0 ? NULL : output;
}

static int print_result(const struct speak *speak)
{
    cleanup(buf_release) struct buf text = BUF_INIT(CTL_OUTPUT_MAX);

    if (speak->ctl->json) {
        buf_append_str(&text, "{");
        json_member_string(&text, "job_id", json_read_string(speak->job, "/job_id"));
        json_member_string(&text, "status", json_read_string(speak->job, "/status"));
        json_member_string(&text, "output", speak->output);
        json_member_raw(&text, "job", buf_str(&speak->job_json));
        buf_append_str(&text, "}");
    } else {
        buf_printf(&text, "%s: %.1f s of audio", speak->output,
                   json_read_number(speak->job, "/audio/duration_seconds", 0));
    }
    return strcmp(speak->output, "-") == 0 ? 0 : ctl_print(speak->ctl, &text);
}

static int finish(struct speak *speak, const char *path, struct progress *progress)
{
    cleanup(free_ptr) char *output = NULL;
    const char *message;
    int code;

    if (!job_is(speak, "completed")) {
        progress_end(progress);
        message = json_read_string(speak->job, "/error/message");
        return ctl_fail(speak->ctl, EX_UNAVAILABLE, "job %s is %s%s%s",
                        json_read_string(speak->job, "/job_id"), json_read_string(speak->job, "/status"),
                        message != NULL ? ": " : "", message != NULL ? message : "");
    }
    if (speak->output == NULL)
        output = default_output(speak, path);
    if (output != NULL)
        speak->output = output;
    if (speak->output == NULL)
        return ctl_fail(speak->ctl, EX_OSERR, "out of memory");
    code = download(speak, progress);
    progress_end(progress);
    return code == 0 ? print_result(speak) : code;
}

/* The members of the request that were given. */
struct wish {
    const char *voice, *language, *format, *webhook_url;
};

static int create(struct speak *speak, const struct buf *text, const struct wish *wish)
{
    cleanup(buf_release) struct buf body = BUF_INIT(BODY_MAX);
    cleanup(free_ptr) char *url = NULL;
    struct fault fault;
    const struct {
        const char *name;
        const char *value;
    } members[] = {{"language", wish->language},
                   {"voice", wish->voice},
                   {"format", wish->format},
                   {"webhook_url", wish->webhook_url}};

    buf_append_str(&body, "{");
    json_member_string(&body, "text", buf_str(text));
    for (size_t i = 0; i < array_length(members); i++)
        if (members[i].value != NULL)
            json_member_string(&body, members[i].name, members[i].value);
    buf_append_str(&body, "}");
    if (!buf_ok(&body) || asprintf(&url, "%s/v1/tts/async", speak->url) < 0)
        return ctl_fail(speak->ctl, EX_OSERR, "out of memory");
    if (ask(speak, "POST", url, &body, &fault))
        return 0;
    return ctl_fail(speak->ctl, fault.code, "%s", fault.error.text);
}

static int run(struct speak *speak, const char *path, const struct wish *wish)
{
    cleanup(buf_release) struct buf text = BUF_INIT(TEXT_MAX);
    struct progress progress;
    int code = read_text(speak->ctl, path, &text);

    progress_init(&progress, speak->quiet != NULL ? NULL : stderr, isatty(STDERR_FILENO) == 1, &clock_system);
    if (code == 0)
        code = create(speak, &text, wish);
    if (code == 0)
        code = follow(speak, &progress);
    if (code == 0)
        code = finish(speak, path, &progress);
    progress_end(&progress);
    return code;
}

int ctl_speak(struct ctl *ctl, int argc, char **argv)
{
    cleanup(speak_release) struct speak speak = {.ctl = ctl,
                                                 .authorization = BUF_INIT(ERROR_TEXT_MAX),
                                                 .job_json = BUF_INIT(ANSWER_MAX),
                                                 .format = "wav"};
    const char *key = getenv("SAYHOOK_API_KEY");
    const char *patience = "2m"; /* a server, or its machine, is started again within it */
    struct error error;
    struct wish wish = {0};
    const struct program_option options[] = {
        {"voice", "VOICE", "slt, rms, awb, kal16, kal (the language's first)", &wish.voice},
        {"language", "LANGUAGE", "english, oromo, or a code of one (english)", &wish.language},
        {"format", "FORMAT", "wav, flac, mp3, opus, vorbis (wav)", &wish.format},
        {"webhook-url", "URL", "where the server reports the end of the job", &wish.webhook_url},
        {"output", "FILE", "where the audio goes; - is stdout (TEXTFILE's name)", &speak.output},
        {"patience", "DURATION", "how long to ask a server again that does not answer (2m)", &patience},
        {"quiet", NULL, "show no progress on stderr", &speak.quiet},
        {"url", "URL", "of the server (http://127.0.0.1:8080)", &speak.url},
        {"key", "KEY", "the API key; in the environment others cannot see it", &key},
        {NULL},
    };
    char **arguments;
    int code;

    speak.url = getenv("SAYHOOK_URL") != NULL ? getenv("SAYHOOK_URL") : "http://127.0.0.1:8080";
    code = ctl_read(ctl, argc, argv, options, &arguments);
    if (code != OPTIONS_RUN)
        return code;
    if (key == NULL)
        return ctl_fail(ctl, EX_USAGE, "which API key?  Set SAYHOOK_API_KEY, or give --key KEY");
    if (number_parse(NUMBER_DURATION, patience, 0, PATIENCE_MAX_MS, &speak.patience_ms, &error) < 0)
        return ctl_fail(ctl, EX_USAGE, "--patience: %s", error.text);
    if (ctl->json && speak.output != NULL && strcmp(speak.output, "-") == 0)
        return ctl_fail(ctl, EX_USAGE, "stdout cannot take both the audio and the JSON");
    if (wish.format != NULL)
        speak.format = wish.format;
    buf_printf(&speak.authorization, "Authorization: Bearer %s", key);
    speak.client = http_client_new("sayhookctl/" PACKAGE_VERSION);
    if (speak.client == NULL || !buf_ok(&speak.authorization))
        return ctl_fail(ctl, EX_OSERR, "out of memory");
    return run(&speak, arguments[0], &wish);
}
