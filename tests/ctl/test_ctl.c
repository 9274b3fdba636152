/* SPDX-License-Identifier: Apache-2.0 */
/* sayhookctl as its users have it: the real program on a temporary database. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "codec/json_read.h"
#include "config/secret_key.h"
#include "crypto/secret.h"
#include "net/http_client.h"
#include "store/store.h"
#include "support/program.h"
#include "support/receiver.h"
#include "webhook/signature.h"

static char folder[] = "/tmp/sayhook-ctl-XXXXXX";
static char config[64], database[64], audio[64];

static void set_up(void)
{
    char text[128];

    cr_assert_not_null(mkdtemp(folder));
    snprintf(config, sizeof config, "%s/sayhook.conf", folder);
    snprintf(database, sizeof database, "%s/say hook.db", folder);
    snprintf(audio, sizeof audio, "%s/out.wav", folder);
    snprintf(text, sizeof text, "database = %s\n", database);
    cr_assert_eq(file_replace(config, text, strlen(text), 0600, NULL), 0);
}

static void tear_down(void)
{
    char command[64];

    snprintf(command, sizeof command, "rm -rf %s", folder);
    cr_assert_eq(system(command), 0);
}

TestSuite(ctl, .init = set_up, .fini = tear_down);

static struct program run(const char *stdin_text, const char *const *arguments)
{
    struct program program;

    program_start(&program, "sayhookctl", stdin_text, arguments);
    program_wait(&program);
    return program;
}

#define RUN(...) run(NULL, (const char *const[]){"--config", config, __VA_ARGS__, NULL})

static void testcase_fails(int code, const char *hint, struct program program)
{
    cr_expect_eq(program.code, code, "%d instead of %d: %s", program.code, code,
                 buf_str(&program.stderr_text));
    cr_expect(strstr(buf_str(&program.stderr_text), hint) != NULL, "%s lacks %s",
              buf_str(&program.stderr_text), hint);
    cr_expect_eq(program.stdout_text.length, 0);
    program_release(&program);
}

/* What a command prints with --json, read. */
static struct json_document *testcase_prints(struct program program)
{
    struct json_document *document = NULL;
    struct error error;

    cr_assert_eq(program.code, 0, "%d: %s", program.code, buf_str(&program.stderr_text));
    cr_assert_eq(json_read(buf_str(&program.stdout_text), program.stdout_text.length, &document, &error), 0,
                 "%s: %s", error.text, buf_str(&program.stdout_text));
    program_release(&program);
    return document;
}

static void expect_string(const struct json_document *document, const char *pointer, const char *expected)
{
    const char *value = json_read_string(document, pointer);

    cr_expect(value != NULL && strcmp(value, expected) == 0, "%s is %s, not %s", pointer, value, expected);
}

Test(ctl, a_key_is_made_listed_and_revoked)
{
    struct json_document *made =
        testcase_prints(RUN("key", "create", "--name", "Bücher \"x\"", "--weight=2.5", "--json"));
    struct json_document *listed, *revoked;
    const char *key_id = json_read_string(made, "/key_id");

    cr_assert_not_null(key_id);
    expect_string(made, "/name", "Bücher \"x\"");
    listed = testcase_prints(RUN("key", "list", "--json"));
    expect_string(listed, "/keys/0/key_id", key_id);
    cr_expect_float_eq(json_read_number(listed, "/keys/0/weight", 0), 2.5, 1e-9);
    cr_expect_null(json_read_string(listed, "/keys/0/revoked_at"));
    listed = json_read_free(listed);

    revoked = testcase_prints(RUN("--json", "key", "revoke", key_id));
    expect_string(revoked, "/key_id", key_id);
    listed = testcase_prints(RUN("key", "list", "--json"));
    cr_expect_not_null(json_read_string(listed, "/keys/0/revoked_at"));
    json_read_free(listed);
    json_read_free(revoked);
    json_read_free(made);
}

Test(ctl, the_commands_about_keys_have_a_page_of_their_own)
{
    struct program program = RUN("key", "--help");
    const char *text = buf_str(&program.stdout_text);

    cr_expect_eq(program.code, 0);
    cr_expect_eq(strncmp(text, "Usage: sayhookctl key COMMAND ...\n", 34), 0, "%s", text);
    cr_expect_not_null(strstr(text, "\n  key create "), "%s", text);
    cr_expect_not_null(strstr(text, "\n  key revoke "), "%s", text);
    cr_expect_null(strstr(text, "migrate"), "%s", text);
    program_release(&program);
}

Test(ctl, what_key_create_prints_opens_the_api_and_verifies_webhooks)
{
    struct json_document *made = testcase_prints(RUN("key", "create", "--name", "x", "--json"));
    struct store_options options = {.path = database, .clock = &clock_system};
    struct store *store;
    struct api_key key;
    unsigned char hash[KEY_HASH_SIZE];
    char *secrets[KEY_SECRETS_MAX];
    size_t count;

    cr_assert_eq(store_open(&options, &store, NULL), 0);
    secret_hash_api_key(json_read_string(made, "/api_key"), hash);
    cr_assert_eq(key_find(store, hash, &key, NULL), 0);
    cr_expect_str_eq(key.key_id, json_read_string(made, "/key_id"));
    cr_assert_eq(key_secrets(store, key.key, secrets, &count, NULL), 0);
    cr_assert_eq(count, 1);
    expect_string(made, "/webhook_secret", secrets[0]);
    free(secrets[0]);
    api_key_release(&key);
    store_close(store);
    json_read_free(made);
}

/* Writes the configuration anew, with a key or without. */
static void configure(const char *key_file)
{
    char text[256];

    snprintf(text, sizeof text, "database = %s\nsecret_key_file = \"%s\"\n", database, key_file);
    cr_assert_eq(file_replace(config, text, strlen(text), 0600, NULL), 0);
}

static void make_key(const char *path, unsigned char byte)
{
    unsigned char key[SECRET_KEY_SIZE];

    memset(key, byte, sizeof key);
    cr_assert_eq(file_replace(path, key, sizeof key, 0600, NULL), 0);
}

Test(ctl, a_secret_is_rotated_and_both_are_live)
{
    struct json_document *made = testcase_prints(RUN("key", "create", "--name", "x", "--json"));
    const char *key_id = json_read_string(made, "/key_id");
    int64_t before = clock_wall_ms(&clock_system);
    struct json_document *rotated =
        testcase_prints(RUN("secret", "rotate", key_id, "--overlap=2h", "--json"));
    struct store_options options = {.path = database, .clock = &clock_system};
    char earliest[CLOCK_RFC3339_SIZE], latest[CLOCK_RFC3339_SIZE];
    char *secrets[KEY_SECRETS_MAX];
    struct store *store;
    struct api_key *keys;
    size_t count;

    clock_format_rfc3339(before + 2 * 3600 * 1000, earliest);
    clock_format_rfc3339(clock_wall_ms(&clock_system) + 2 * 3600 * 1000, latest);
    expect_string(rotated, "/key_id", key_id);
    cr_expect_geq(strcmp(json_read_string(rotated, "/previous_ends_at"), earliest), 0);
    cr_expect_leq(strcmp(json_read_string(rotated, "/previous_ends_at"), latest), 0);
    cr_assert_eq(store_open(&options, &store, NULL), 0);
    cr_assert_eq(key_list(store, &keys, &count, NULL), 0);
    cr_assert_eq(key_secrets(store, keys[0].key, secrets, &count, NULL), 0);
    cr_assert_eq(count, 2);
    expect_string(rotated, "/webhook_secret", secrets[0]);
    expect_string(made, "/webhook_secret", secrets[1]);
    free(secrets[0]);
    free(secrets[1]);
    api_key_release(&keys[0]);
    free(keys);
    store_close(store);
    json_read_free(rotated);
    json_read_free(made);
}

Test(ctl, what_cannot_be_rotated_is_told_why)
{
    struct json_document *made = testcase_prints(RUN("key", "create", "--name", "x", "--json"));
    const char *key_id = json_read_string(made, "/key_id");

    testcase_fails(EX_USAGE, "KEY_ID", RUN("secret", "rotate"));
    testcase_fails(EX_USAGE, "--overlap: ", RUN("secret", "rotate", key_id, "--overlap", "5"));
    testcase_fails(EX_USAGE, "0s to 30d", RUN("secret", "rotate", key_id, "--overlap", "31d"));
    testcase_fails(EX_NOUSER, "no key key_unknown", RUN("secret", "rotate", "key_unknown"));
    testcase_fails(EX_NOUSER, "which is a secret", RUN("secret", "rotate", "sk_verysecret"));
    for (size_t i = 1; i < KEY_SECRETS_MAX; i++)
        json_read_free(testcase_prints(RUN("secret", "rotate", key_id, "--json")));
    testcase_fails(EX_TEMPFAIL, "4 live secrets", RUN("secret", "rotate", key_id));
    testcase_fails(EX_TEMPFAIL, "--overlap 0s", RUN("secret", "rotate", key_id));
    json_read_free(testcase_prints(RUN("secret", "rotate", key_id, "--overlap", "0s", "--json")));
    json_read_free(testcase_prints(RUN("secret", "rotate", key_id, "--json")));
    json_read_free(testcase_prints(RUN("key", "revoke", key_id, "--json")));
    testcase_fails(EX_DATAERR, "is revoked", RUN("secret", "rotate", key_id));
    json_read_free(made);
}

Test(ctl, secrets_are_encrypted_by_the_first_command_that_has_the_key)
{
    struct json_document *made = testcase_prints(RUN("key", "create", "--name", "x", "--json"));
    const char *key_id = json_read_string(made, "/key_id");
    cleanup(buf_release) struct buf bytes = BUF_INIT(64 << 20);
    const char *secret = json_read_string(made, "/webhook_secret");
    char key[64], other[64];

    snprintf(key, sizeof key, "%s/key", folder);
    snprintf(other, sizeof other, "%s/other", folder);
    make_key(key, 1);
    make_key(other, 2);
    configure(key);
    json_read_free(testcase_prints(RUN("migrate", "--json")));
    cr_assert_eq(file_read(database, &bytes, NULL), 0);
    cr_expect_null(memmem(buf_str(&bytes), bytes.length, secret, strlen(secret)));
    configure("");
    testcase_fails(EX_CONFIG, "no key is configured", RUN("secret", "rotate", key_id));
    testcase_fails(EX_CONFIG, "no key is configured", RUN("key", "create", "--name", "y"));
    configure(other);
    testcase_fails(EX_CONFIG, "the key with the id", RUN("key", "create", "--name", "y"));
    /* What needs no secret is done all the same: a key must be revocable at any time. */
    json_read_free(testcase_prints(RUN("key", "revoke", key_id, "--json")));
    json_read_free(made);
}

Test(ctl, migrate_says_from_which_version_to_which)
{
    struct json_document *first = testcase_prints(RUN("migrate", "--json"));
    struct json_document *second = testcase_prints(RUN("migrate", "--json"));
    double version = json_read_number(first, "/to_version", -1);

    expect_string(first, "/database", database);
    cr_expect_eq(json_read_number(first, "/from_version", -1), 0);
    cr_expect_geq(version, 1);
    cr_expect_eq(json_read_number(second, "/from_version", -1), version);
    cr_expect_eq(json_read_number(second, "/to_version", -1), version);
    json_read_free(first);
    json_read_free(second);
}

Test(ctl, mistakes_end_with_sysexits)
{
    static const char nothing[] = "";

    testcase_fails(EX_USAGE, "which command", run(NULL, (const char *const[]){NULL}));
    testcase_fails(EX_USAGE, "see sayhookctl key --help", RUN("key"));
    testcase_fails(EX_USAGE, "'key' is followed by one of: create, set, list, revoke", RUN("key"));
    testcase_fails(EX_USAGE,
                   "no command 'key rovoke'; 'key' is followed by one of: create, set, list, revoke",
                   RUN("key", "rovoke"));
    testcase_fails(EX_USAGE, "no command 'kye'; did you mean 'key create'?", RUN("kye", "create"));
    testcase_fails(EX_USAGE, "no command 'stauts'; did you mean 'status'?", RUN("stauts"));
    testcase_fails(EX_USAGE, "no command 'xyzzy'; see sayhookctl --help", RUN("xyzzy"));
    testcase_fails(EX_USAGE, "--name", RUN("key", "create"));
    testcase_fails(EX_USAGE, "1 to 100 bytes", RUN("key", "create", "--name", nothing));
    testcase_fails(EX_USAGE, "--name NAME, --weight N", RUN("key", "set", "key_of_anybody"));
    testcase_fails(EX_USAGE, "--max-stored-bytes N", RUN("key", "set", "key_of_anybody"));
    testcase_fails(EX_USAGE, "control", RUN("key", "create", "--name", "a\nb"));
    testcase_fails(EX_USAGE, "1 to 100 bytes", RUN("key", "create", "--name", "\xff"));
    testcase_fails(EX_USAGE, "weight", RUN("key", "create", "--name", "a", "--weight", "nan"));
    testcase_fails(EX_USAGE, "weight", RUN("key", "create", "--name", "a", "--weight", "0"));
    testcase_fails(EX_USAGE, "unrecognized option", RUN("key", "create", "--nmae", "a"));
    testcase_fails(EX_USAGE, "KEY_ID", RUN("key", "revoke"));
    testcase_fails(EX_USAGE, "nothing", RUN("key", "list", "more"));
    testcase_fails(EX_NOUSER, "no key key_unknown", RUN("key", "revoke", "key_unknown"));
    testcase_fails(EX_NOUSER, "which is a secret", RUN("key", "revoke", "sk_verysecret"));
    testcase_fails(EX_CONFIG, "/nonexistent", RUN("key", "list", "--config", "/nonexistent"));
    testcase_fails(EX_USAGE, "secret", RUN("listen", "--port", "0"));
    testcase_fails(EX_DATAERR, "whsec_", RUN("listen", "--port", "0", "--secret", "whsec_short"));
    testcase_fails(EX_USAGE, "--port takes", RUN("listen", "--port", "65536", "--secret", "x"));
    testcase_fails(EX_NOINPUT, "/nonexistent", RUN("listen", "--secret-file", "/nonexistent"));
    testcase_fails(EX_USAGE, "API key", RUN("speak", "-"));
    testcase_fails(EX_NOINPUT, "/nonexistent", RUN("speak", "/nonexistent", "--key", "k"));
    testcase_fails(EX_USAGE, "--patience", RUN("speak", "-", "--key", "k", "--patience", "2"));
    testcase_fails(EX_USAGE, "both", RUN("speak", "-", "--key", "k", "--json", "--output", "-"));
    testcase_fails(EX_UNAVAILABLE, "127.0.0.1",
                   RUN("speak", "-", "--key", "k", "--url", "http://127.0.0.1:1"));
}

/* A screen of 24 lines has one left for what is typed next. */
static void testcase_help_fits(const char *name)
{
    char words[2][16] = {"", ""};
    const int count = sscanf(name, "%15s %15s", words[0], words[1]);
    const char *arguments[] = {words[0], count > 1 ? words[1] : "--help", "--help", NULL};
    struct program program = run(NULL, arguments);
    int lines = 0;

    for (const char *c = buf_str(&program.stdout_text); *c != '\0'; c++)
        lines += *c == '\n';
    cr_expect_eq(program.code, 0, "%s --help exits with %d", name, program.code);
    cr_expect(lines > 4 && lines < 24, "%s: %d lines", name, lines);
    cr_expect_not_null(strstr(buf_str(&program.stdout_text), name), "%s does not name itself", name);
    program_release(&program);
}

/* The commands that its own help lists: "  key create          make an API key". */
Test(ctl, help_is_one_screen_for_every_command)
{
    struct program program = run(NULL, (const char *const[]){"--help", NULL});
    const char *line = strstr(buf_str(&program.stdout_text), "\nCommands");
    int count = 0;

    cr_assert_not_null(line);
    while ((line = strstr(line, "\n  ")) != NULL) {
        char name[32];

        line += strlen("\n  ");
        snprintf(name, sizeof name, "%.*s", (int)(strstr(line, "  ") - line), line);
        testcase_help_fits(name);
        count++;
    }
    cr_expect_geq(count, 30, "only %d commands", count);
    program_release(&program);
}

/* ---- listen ---- */

#define BODY "{\"type\":\"job.completed\",\"job_id\":\"job_1\"}"

/* Sends a webhook that was signed at that time; the status of the answer. */
static int post_webhook(struct http_client *client, const char *url, const char *secret, int64_t timestamp,
                        const char *body)
{
    char *secrets[] = {(char *)(uintptr_t)secret};
    char lines[5][512];
    const char *headers[] = {lines[0], lines[1], lines[2], lines[3], lines[4]};
    struct http_request request = HTTP_REQUEST_INIT("POST", url, 1024);
    struct http_response response;
    struct signature signature;
    int status;

    cr_assert_eq(signature_make("msg_1", timestamp, BODY, strlen(BODY), secrets, 1, &signature, NULL), 0);
    snprintf(lines[0], sizeof lines[0], "X-Webhook-Signature: %s", signature.plain);
    snprintf(lines[1], sizeof lines[1], "X-Webhook-Timestamp: %s", signature.timestamp);
    snprintf(lines[2], sizeof lines[2], "webhook-id: msg_1");
    snprintf(lines[3], sizeof lines[3], "webhook-timestamp: %s", signature.timestamp);
    snprintf(lines[4], sizeof lines[4], "webhook-signature: %s", signature.standard);
    request.headers = headers;
    request.header_count = array_length(headers);
    request.body = body;
    request.body_size = strlen(body);
    cr_assert_eq(http_client_send(client, &request, &response, NULL), 0);
    status = response.status;
    http_response_release(&response);
    return status;
}

/* Waits for "Listening on URL" and returns the URL. */
static void read_url(struct program *program, char ret_url[64])
{
    program_read_stderr_line(program);
    cr_assert_eq(sscanf(buf_str(&program->stderr_text), "Listening on %63s", ret_url), 1, "%s",
                 buf_str(&program->stderr_text));
}

Test(ctl, listen_tells_a_true_webhook_from_others)
{
    char secret[WEBHOOK_SECRET_SIZE], other[WEBHOOK_SECRET_SIZE], url[64];
    int64_t now = clock_wall_ms(&clock_system) / 1000;
    struct http_client *client = http_client_new("test/1");
    struct json_document *document;
    struct program listen;
    char *line, *rest;

    secret_make_webhook(secret);
    secret_make_webhook(other);
    program_start(
        &listen, "sayhookctl", NULL,
        (const char *const[]){"listen", "--json", "--port", "0", "--count", "4", "--secret", secret, NULL});
    read_url(&listen, url);
    cr_expect_eq(post_webhook(client, url, secret, now, BODY), 204);
    cr_expect_eq(post_webhook(client, url, other, now, BODY), 400);
    cr_expect_eq(post_webhook(client, url, secret, now, BODY " "), 400);
    cr_expect_eq(post_webhook(client, url, secret, now - SIGNATURE_TOLERANCE_S - 60, BODY), 400);
    program_wait(&listen);
    cr_expect_eq(listen.code, 0);
    line = strtok_r(listen.stdout_text.data, "\n", &rest);
    cr_assert_eq(json_read(line, strlen(line), &document, NULL), 0);
    expect_string(document, "/body", BODY);
    expect_string(document, "/webhook_id", "msg_1");
    cr_expect_not_null(strstr(line, "\"verified\":true"));
    json_read_free(document);
    for (int i = 0; i < 3; i++) {
        line = strtok_r(NULL, "\n", &rest);
        cr_assert(line != NULL && strstr(line, "\"verified\":false") != NULL);
    }
    cr_expect_null(strtok_r(NULL, "\n", &rest));
    http_client_free(client);
    program_release(&listen);
}

Test(ctl, listen_reads_its_secret_from_a_file_and_ends_with_ctrl_c)
{
    char secret[WEBHOOK_SECRET_SIZE + 1], path[64], url[64];
    struct http_client *client = http_client_new("test/1");
    struct program listen;

    secret_make_webhook(secret);
    snprintf(path, sizeof path, "%s/secret", folder);
    strcat(secret, "\n");
    cr_assert_eq(file_replace(path, secret, strlen(secret), 0600, NULL), 0);
    secret[strlen(secret) - 1] = '\0';
    program_start(&listen, "sayhookctl", NULL,
                  (const char *const[]){"listen", "--port", "0", "--secret-file", path, NULL});
    read_url(&listen, url);
    cr_expect_eq(post_webhook(client, url, secret, clock_wall_ms(&clock_system) / 1000, BODY), 204);
    kill(listen.pid, SIGINT);
    program_wait(&listen);
    cr_expect_eq(listen.code, 0, "%d: %s", listen.code, buf_str(&listen.stderr_text));
    cr_expect_not_null(strstr(buf_str(&listen.stdout_text), "webhook verified"));
    http_client_free(client);
    program_release(&listen);
}

/* ---- speak ---- */

#define PENDING    "{\"job_id\":\"job_1\",\"status\":\"pending\",\"progress\":0.0}"
#define PROCESSING "{\"job_id\":\"job_1\",\"status\":\"processing\",\"progress\":0.5}"
#define FAILED                                                                                               \
    "{\"job_id\":\"job_1\",\"status\":\"failed\",\"error\":{\"code\":\"x\",\"message\":\"it broke\"}}"
#define PROBLEM "{\"title\":\"t\",\"detail\":\"say something\"}"

static struct program speak(struct receiver *server, const char *text, const char *output)
{
    char url[64];

    snprintf(url, sizeof url, "http://127.0.0.1:%d", receiver_port(server));
    return run(text, (const char *const[]){"speak", "-", "--key", "sk_1", "--url", url, "--json", "--voice",
                                           "slt", "--output", output, NULL});
}

Test(ctl, speak_follows_the_job_and_downloads_its_audio)
{
    const struct receiver_answer nothing = {.status = 500};
    struct receiver *server = receiver_start(&nothing, 1);
    char completed[256], header[128];
    cleanup(buf_release) struct buf written = BUF_INIT(1024);
    struct receiver_answer answers[] = {{.status = 202, .body = PENDING},
                                        {.status = 200, .body = PROCESSING},
                                        {.status = 200, .body = completed},
                                        {.status = 200, .body = "RIFF and so on"}};
    struct json_document *printed, *sent;
    const struct received *create;

    snprintf(
        completed, sizeof completed,
        "{\"job_id\":\"job_1\",\"status\":\"completed\",\"audio_url\":\"http://127.0.0.1:%d/a\",\"audio\":{\"bytes\":14}}",
        receiver_port(server));
    receiver_script(server, answers, array_length(answers));
    printed = testcase_prints(speak(server, "Say \"this\",\nor that: ü.", audio));
    expect_string(printed, "/job_id", "job_1");
    expect_string(printed, "/output", audio);
    cr_expect_eq(json_read_number(printed, "/job/audio/bytes", 0), 14);
    cr_assert_eq(file_read(audio, &written, NULL), 0);
    cr_expect_str_eq(buf_str(&written), "RIFF and so on");

    create = receiver_request(server, 0);
    cr_expect(strncmp(create->head, "POST /v1/tts/async ", 19) == 0);
    cr_assert(received_header(create, "authorization", header, sizeof header));
    cr_expect_str_eq(header, "Bearer sk_1");
    cr_assert_eq(json_read(create->body, create->body_size, &sent, NULL), 0);
    expect_string(sent, "/text", "Say \"this\",\nor that: ü.");
    expect_string(sent, "/voice", "slt");
    cr_expect(strncmp(receiver_request(server, 1)->head, "GET /v1/jobs/job_1 ", 19) == 0);
    cr_expect_not(received_header(receiver_request(server, 3), "authorization", header, sizeof header));
    json_read_free(sent);
    json_read_free(printed);
    receiver_stop(server);
}

/* A job that is half done until the test says otherwise, and a speak that looks at it. */
static struct receiver *begin_long_job(struct program *program, const char *const *more)
{
    const struct receiver_answer answers[] = {{.status = 202, .body = PENDING},
                                              {.status = 200, .body = PROCESSING}};
    struct receiver *server = receiver_start(answers, array_length(answers));
    const char *arguments[16] = {"speak", "-", "--key", "sk_1", "--json", "--output", audio, "--url"};
    char url[64];
    size_t count = 8;

    snprintf(url, sizeof url, "http://127.0.0.1:%d", receiver_port(server));
    arguments[count++] = url;
    for (; *more != NULL; more++)
        arguments[count++] = *more;
    program_start(program, "sayhookctl", "text", arguments);
    return server;
}

static void end_long_job(struct receiver *server, struct program *program)
{
    char completed[128];
    const struct receiver_answer answers[] = {{.status = 200, .body = completed},
                                              {.status = 200, .body = "RIFF and so on"}};

    snprintf(completed, sizeof completed,
             "{\"job_id\":\"job_1\",\"status\":\"completed\",\"audio_url\":\"http://127.0.0.1:%d/a\"}",
             receiver_port(server));
    receiver_script(server, answers, array_length(answers));
    program_wait(program);
    receiver_stop(server);
}

Test(ctl, speak_tells_a_log_how_far_a_long_job_is)
{
    struct program program;
    struct receiver *server = begin_long_job(&program, (const char *const[]){NULL});

    program_read_stderr_line(&program);
    cr_expect_str_eq(buf_str(&program.stderr_text), "processing    50 %\n");
    end_long_job(server, &program);
    json_read_free(testcase_prints(program));
}

Test(ctl, speak_says_nothing_where_it_shall_be_quiet)
{
    struct program program;
    struct receiver *server = begin_long_job(&program, (const char *const[]){"--quiet", NULL});

    receiver_wait(server, 40, 20000); /* past the first line that it would write */
    end_long_job(server, &program);
    cr_expect_eq(program.stderr_text.length, 0, "%s", buf_str(&program.stderr_text));
    json_read_free(testcase_prints(program));
}

Test(ctl, speak_goes_on_when_the_server_is_back)
{
    char completed[128];
    const struct receiver_answer answers[] = {
        {.status = 202, .body = PENDING},
        {.status = 503, .body = PROBLEM, .headers = "Retry-After: 1\r\n"},
        {.status = 200, .body = PROCESSING},
        {.conduct = RECEIVER_RESETS},
        {.conduct = RECEIVER_CLOSES},
        {.status = 429, .body = PROBLEM},
        {.status = 502, .body = "<html>"},
        {.status = 200, .body = completed},
        {.status = 200, .body = "RIFF and so on"}};
    struct receiver *server = receiver_start(answers, 1);
    struct json_document *printed;

    snprintf(completed, sizeof completed,
             "{\"job_id\":\"job_1\",\"status\":\"completed\",\"audio_url\":\"http://127.0.0.1:%d/a\"}",
             receiver_port(server));
    receiver_script(server, answers, array_length(answers));
    printed = testcase_prints(speak(server, "text", audio));
    expect_string(printed, "/status", "completed");
    cr_expect_eq(receiver_wait(server, array_length(answers), 0), array_length(answers));
    json_read_free(printed);
    receiver_stop(server);
}

/* What follows the creation of a job, and what speak says of it at last. */
static void testcase_look_fails(struct receiver_answer answer, const char *patience, int code,
                                const char *hint)
{
    const struct receiver_answer answers[] = {{.status = 202, .body = PENDING}, answer};
    struct receiver *server = receiver_start(answers, array_length(answers));
    char url[64];

    snprintf(url, sizeof url, "http://127.0.0.1:%d", receiver_port(server));
    testcase_fails(
        code, hint,
        run("text", (const char *const[]){"speak", "-", "--key", "sk_1", "--url", url, "--quiet", "--json",
                                          "--patience", patience, "--output", audio, NULL}));
    cr_expect_neq(access(audio, F_OK), 0);
    receiver_stop(server);
}

Test(ctl, speak_names_the_job_that_goes_on_where_its_patience_ends)
{
    static const char named[] = "within 1s how job job_1 is; the job goes on, and http://127.0.0.1:";
    const struct receiver_answer late = {
        .status = 503, .body = PROBLEM, .headers = "Retry-After: 999999999999\r\n"};

    testcase_look_fails((struct receiver_answer){.status = 503, .body = PROBLEM}, "1s", EX_TEMPFAIL, named);
    testcase_look_fails((struct receiver_answer){.status = 500}, "1s", EX_UNAVAILABLE, named);
    testcase_look_fails((struct receiver_answer){.conduct = RECEIVER_RESETS}, "1s", EX_IOERR, named);
    testcase_look_fails(late, "24h", EX_TEMPFAIL, "say something");
}

Test(ctl, speak_asks_once_where_nothing_will_pass)
{
    testcase_look_fails((struct receiver_answer){.status = 401, .body = PROBLEM}, "24h", EX_NOPERM,
                        "say something");
    testcase_look_fails((struct receiver_answer){.status = 404, .body = PROBLEM}, "24h", EX_DATAERR, "404");
    testcase_look_fails((struct receiver_answer){.status = 200, .body = "hello"}, "24h", EX_PROTOCOL,
                        "no JSON");
}

/* A server whose job is completed at once, and that answers so where its audio is asked for; the answers'
 * place for the job is the caller's. */
static struct receiver *begin_download(char ret_completed[128], const struct receiver_answer *answers,
                                       size_t count)
{
    struct receiver_answer script[8] = {{.status = 202, .body = ret_completed}};
    struct receiver *server = receiver_start(script, 1);

    snprintf(ret_completed, 128,
             "{\"job_id\":\"job_1\",\"status\":\"completed\",\"audio_url\":\"http://127.0.0.1:%d/a\"}",
             receiver_port(server));
    memcpy(script + 1, answers, count * sizeof *answers);
    receiver_script(server, script, count + 1);
    return server;
}

Test(ctl, speak_downloads_again_when_the_server_is_back)
{
    const struct receiver_answer answers[] = {
        {.status = 503, .body = PROBLEM, .headers = "Retry-After: 1\r\n"},
        {.conduct = RECEIVER_RESETS},
        {.conduct = RECEIVER_RESETS_AFTER, .status = 200, .body = "some of it, and longer than the whole"},
        {.status = 200, .body = "RIFF and so on"}};
    char completed[128];
    struct receiver *server = begin_download(completed, answers, array_length(answers));
    cleanup(buf_release) struct buf written = BUF_INIT(1024);

    json_read_free(testcase_prints(speak(server, "text", audio)));
    cr_assert_eq(file_read(audio, &written, NULL), 0);
    cr_expect_str_eq(buf_str(&written), "RIFF and so on");
    cr_expect_eq(receiver_wait(server, 1 + array_length(answers), 0), 1 + array_length(answers));
    receiver_stop(server);
}

static struct program speak_to_stdout(struct receiver *server)
{
    char url[64];

    snprintf(url, sizeof url, "http://127.0.0.1:%d", receiver_port(server));
    return run("text", (const char *const[]){"speak", "-", "--key", "sk_1", "--url", url, "--quiet",
                                             "--output", "-", NULL});
}

Test(ctl, speak_gives_stdout_the_audio_once)
{
    const struct receiver_answer answers[] = {
        {.status = 503, .body = PROBLEM},
        {.conduct = RECEIVER_RESETS_AFTER, .status = 200, .body = "some of it"},
        {.status = 200, .body = "RIFF and so on"}};
    char completed[128];
    struct receiver *server = begin_download(completed, answers, array_length(answers));
    struct program program = speak_to_stdout(server);

    cr_expect_eq(program.code, EX_IOERR);
    cr_expect_str_eq(buf_str(&program.stdout_text), "some of it");
    cr_expect_not_null(strstr(buf_str(&program.stderr_text), "job job_1 is completed"));
    program_release(&program);
    receiver_script(server,
                    (const struct receiver_answer[]){
                        {.status = 202, .body = completed}, {.status = 503, .body = PROBLEM}, answers[2]},
                    3);
    program = speak_to_stdout(server);
    cr_expect_eq(program.code, 0);
    cr_expect_str_eq(buf_str(&program.stdout_text), "RIFF and so on");
    program_release(&program);
    receiver_stop(server);
}

/* What speak says at last where the audio does not come. */
static void testcase_download_fails(struct receiver_answer answer, const char *patience, int code,
                                    const char *hint)
{
    char completed[128], url[64], partial[80];
    struct receiver *server = begin_download(completed, &answer, 1);

    snprintf(url, sizeof url, "http://127.0.0.1:%d", receiver_port(server));
    snprintf(partial, sizeof partial, "%s.part", audio);
    testcase_fails(
        code, hint,
        run("text", (const char *const[]){"speak", "-", "--key", "sk_1", "--url", url, "--quiet", "--json",
                                          "--patience", patience, "--output", audio, NULL}));
    cr_expect_neq(access(audio, F_OK), 0);
    cr_expect_neq(access(partial, F_OK), 0);
    receiver_stop(server);
}

Test(ctl, speak_says_where_the_audio_is_that_it_did_not_get)
{
    static const char named[] = "within 1s; job job_1 is completed, and its audio is at http://127.0.0.1:";
    const struct receiver_answer late = {
        .status = 503, .body = PROBLEM, .headers = "Retry-After: 999999999999\r\n"};

    testcase_download_fails((struct receiver_answer){.status = 503, .body = PROBLEM}, "1s", EX_TEMPFAIL,
                            named);
    testcase_download_fails((struct receiver_answer){.conduct = RECEIVER_RESETS}, "1s", EX_IOERR, named);
    testcase_download_fails(late, "24h", EX_TEMPFAIL, "say something");
    testcase_download_fails((struct receiver_answer){.status = 410, .body = PROBLEM}, "24h", EX_DATAERR,
                            "410: say something");
    testcase_download_fails((struct receiver_answer){.status = 404}, "24h", EX_DATAERR,
                            "job job_1 is completed; its audio was to come from http://127.0.0.1:");
}

static void testcase_speak_fails(int status, const char *body, int code, const char *hint)
{
    const struct receiver_answer answer = {.status = status, .body = body};
    struct receiver *server = receiver_start(&answer, 1);

    testcase_fails(code, hint, speak(server, "text", audio));
    cr_expect_neq(access(audio, F_OK), 0);
    receiver_stop(server);
}

Test(ctl, speak_reports_what_the_server_said)
{
    testcase_speak_fails(422, PROBLEM, EX_DATAERR, "say something");
    testcase_speak_fails(401, PROBLEM, EX_NOPERM, "401");
    testcase_speak_fails(429, PROBLEM, EX_TEMPFAIL, "429");
    testcase_speak_fails(503, PROBLEM, EX_TEMPFAIL, "503");
    testcase_speak_fails(500, "<html>", EX_UNAVAILABLE, "500");
    testcase_speak_fails(200, "hello", EX_PROTOCOL, "no JSON");
    testcase_speak_fails(200, "{}", EX_PROTOCOL, "no job_id");
    testcase_speak_fails(200, FAILED, EX_UNAVAILABLE, "it broke");
}

Test(ctl, speak_refuses_what_is_no_text_before_it_sends)
{
    const char *const arguments[] = {"speak", "-", "--key", "k", "--url", "http://127.0.0.1:1", NULL};

    testcase_fails(EX_DATAERR, "UTF-8 at byte 2", run("ab\xc3", arguments));
}
