/* SPDX-License-Identifier: Apache-2.0 */
#include "config/settings.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "config/table.h"

#define PATH_TEMPLATE "/tmp/sayhook-settings-XXXXXX"

/* Loads a file of these bytes; the name of the temporary file is cut from the error, so that it starts
 * ":LINE: ". */
static int load_bytes(const void *bytes, size_t size, struct settings *ret_settings,
                      char ret_error[ERROR_TEXT_MAX])
{
    char path[] = PATH_TEMPLATE;
    int fd = mkstemp(path);
    struct error error = {""};
    int r;

    cr_assert(fd >= 0);
    cr_assert_eq(write(fd, bytes, size), (ssize_t)size);
    close(fd);
    r = settings_load(path, ret_settings, &error);
    unlink(path);
    snprintf(ret_error, ERROR_TEXT_MAX, "%s",
             error.text + (strncmp(error.text, path, strlen(path)) == 0 ? strlen(path) : 0));
    return r;
}

static int load(const char *text, struct settings *ret_settings, char ret_error[ERROR_TEXT_MAX])
{
    return load_bytes(text, strlen(text), ret_settings, ret_error);
}

static void testcase_loads(const char *text, struct settings *ret_settings)
{
    char error[ERROR_TEXT_MAX];

    cr_assert_eq(load(text, ret_settings, error), 0, "%s: %s", text, error);
}

static void testcase_refused(const char *text, const char *expected)
{
    static const struct settings untouched;
    struct settings settings = {0};
    char error[ERROR_TEXT_MAX];

    cr_assert_eq(load(text, &settings, error), -EINVAL, "%s was accepted", text);
    cr_assert_str_eq(error, expected, "%s\n  gives    %s\n  expected %s", text, error, expected);
    cr_assert_eq(memcmp(&settings, &untouched, sizeof settings), 0);
}

Test(settings, defaults_are_legal_and_are_what_the_documents_say)
{
    struct settings s;

    cr_assert_eq(settings_load(NULL, &s, NULL), 0);
    cr_expect_str_eq(s.public_base_url, "http://127.0.0.1:8080");
    cr_expect_str_eq(s.secret_key_file, "");
    cr_expect_eq(s.poll_interval, 20);
    cr_expect_eq(s.lease_timeout, 60000);
    cr_expect_eq(s.max_text_chars, 1000000);
    cr_expect_eq(s.max_body_bytes, 16 << 20);
    cr_expect_eq(s.rate_limit_requests, 50);
    cr_expect_eq(s.rate_limit_burst, 100);
    cr_expect_not(s.webhook_allow_http);
    cr_expect_eq(s.webhook_allow_cidrs.count, 0);
    cr_expect_eq(s.webhook_ports.count, 1);
    cr_expect_str_eq(s.webhook_ports.items[0], "443");
    cr_expect_eq(s.webhook_retry_schedule.count, 10);
    cr_expect_eq(s.webhook_retry_schedule.items_ms[0], 0);
    cr_expect_eq(s.webhook_retry_schedule.items_ms[9], INT64_C(86400000));
    cr_expect_eq(s.metrics_allow_cidrs.count, 2);
    cr_expect_eq(s.log_level, LOG_LEVEL_INFO);
    cr_expect_eq(s.log_format, LOG_FORMAT_AUTO);
    settings_release(&s);
}

Test(settings, the_table_has_each_member_once)
{
    size_t end = 0;

    cr_expect_leq(settings_table_count, 64);
    for (size_t i = 0; i < settings_table_count; i++) {
        const struct setting *setting = &settings_table[i];

        cr_expect_gt(strlen(setting->reason), 20, "%s", setting->name);
        cr_expect_leq(setting->range.min, setting->range.max);
        for (size_t j = 0; j < i; j++)
            cr_expect(setting->offset != settings_table[j].offset &&
                          strcmp(setting->name, settings_table[j].name) != 0,
                      "%s and %s", setting->name, settings_table[j].name);
        if (setting->offset > end)
            end = setting->offset;
    }
    /* The last member has a row; since every member but the lists is at most 8 bytes, one without a row shows
     * here. */
    cr_expect_eq(end, offsetof(struct settings, log_format));
    cr_expect_eq(settings_table_count, 36);
}

Test(settings, a_value_may_be_quoted_or_bare)
{
    struct settings s;

    testcase_loads("# a comment\n"
                   "poll_interval = 50ms   # why\n"
                   "\tlease_timeout='2m'\n"
                   "database = /var/lib/my files/say\"hook\\.db\n"
                   "downloads_dir = \"/srv/with space\"\n"
                   "webhook_ports = 443 8443\r\n"
                   "webhook_allow_http = yes\n"
                   "webhook_allow_cidrs = \"10.0.0.0/8 ::1  192.168.7.1\"\n"
                   "webhook_retry_schedule = 0s 250ms 1h\n"
                   "metrics_allow_cidrs =\n"
                   "cors_origins = \"\"\n"
                   "public_base_url = https://speak.example.org/tts// // the front\n"
                   "log_level = debug",
                   &s);
    cr_expect_eq(s.poll_interval, 50);
    cr_expect_eq(s.lease_timeout, 120000);
    cr_expect_str_eq(s.database, "/var/lib/my files/say\"hook\\.db");
    cr_expect_str_eq(s.downloads_dir, "/srv/with space");
    cr_expect_eq(s.webhook_ports.count, 2);
    cr_expect_str_eq(s.webhook_ports.items[1], "8443");
    cr_expect(s.webhook_allow_http);
    cr_expect_eq(s.webhook_allow_cidrs.count, 3);
    cr_expect_str_eq(s.webhook_allow_cidrs.items[1], "::1/128");
    cr_expect_str_eq(s.webhook_allow_cidrs.items[2], "192.168.7.1/32");
    cr_expect_eq(s.webhook_retry_schedule.count, 3);
    cr_expect_eq(s.webhook_retry_schedule.items_ms[1], 250);
    cr_expect_eq(s.metrics_allow_cidrs.count, 0);
    cr_expect_eq(s.cors_origins.count, 0);
    cr_expect_str_eq(s.public_base_url, "https://speak.example.org/tts");
    cr_expect_eq(s.log_level, LOG_LEVEL_DEBUG);
    settings_release(&s);
}

Test(settings, numbers_take_suffixes)
{
    struct settings s;

    testcase_loads(
        "max_text_chars = 10M\nmax_body_bytes = 64M\nrate_limit_requests = 1M\nmax_pending_jobs = 10000000\n"
        "max_pending_chars = 10G\nmax_chars_per_day = 10000000000\nretention_audio = 0s\n"
        "webhook_ports = all\nretention_jobs = 1d\n",
        &s);
    cr_expect_eq(s.max_text_chars, 10000000);
    cr_expect_eq(s.max_body_bytes, 64 << 20);
    cr_expect_eq(s.rate_limit_requests, 1000000);
    cr_expect_eq(s.max_pending_jobs, 10000000);
    cr_expect_eq(s.max_pending_chars, INT64_C(10000000000));
    cr_expect_eq(s.max_chars_per_day, INT64_C(10000000000));
    cr_expect_eq(s.retention_audio, 0);
    cr_expect_eq(s.retention_jobs, 86400000);
    cr_expect_str_eq(s.webhook_ports.items[0], "all");
    settings_release(&s);
}

Test(settings, what_stands_behind_an_unknown_name_is_read_too)
{
    testcase_refused(
        "poll_intervall = 5ms\nlog_level = loud\n\napi_thread = 4\n",
        ":1: there is no setting \"poll_intervall\"; did you mean poll_interval?; line 2: log_level = "
        "\"loud\": must be error, warning, info or debug; line 4: there is no setting "
        "\"api_thread\"; did you mean api_threads?");
}

Test(settings, a_fault_names_line_range_and_nearest_name)
{
    testcase_refused("\npol_interval = 5ms\n",
                     ":2: there is no setting \"pol_interval\"; did you mean poll_interval?");
    testcase_refused("xyzzy = 5ms\n", ":1: there is no setting \"xyzzy\"; --help-settings lists them all");
    testcase_refused("lease_timeout = 10ms\n",
                     ":1: lease_timeout = \"10ms\": is out of range, which is 1s to 1d");
    testcase_refused("api_threads = 0\n", ":1: api_threads = \"0\": is out of range, which is 1 to 256");
    testcase_refused("max_body_bytes = 65M",
                     ":1: max_body_bytes = \"65M\": is out of range, which is 1K to 64M");
    testcase_refused("log_level = info\n\nlog_level = debug\n",
                     ":3: log_level stands here a second time, after line 1");
    testcase_refused("api_threads = 0\nlog_level = loud\n",
                     ":1: api_threads = \"0\": is out of range, which is 1 to 256; "
                     "line 2: log_level = \"loud\": must be error, warning, info or debug");
    testcase_refused("/*\napi_threads = 2\n",
                     ":0: a quote or a comment that starts behind this line is never closed");
    testcase_refused("api_threads = \"4",
                     ":1: the file ends within a value: a quote is never closed, or nothing follows a name");
    testcase_refused("webhook_ports = 443,8443",
                     ":1: webhook_ports = \"443,8443\": holds \"443,8443\"; entries are separated by spaces, "
                     "not by commas");
    testcase_refused(
        "webhook_retry_schedule = 0s, 5s",
        ":1: webhook_retry_schedule = \"0s, 5s\": holds \"0s,\"; entries are separated by spaces, "
        "not by commas");
    testcase_refused("max_text_chars = 5000\nmax_body_bytes = 4K\n",
                     ":1: max_text_chars is more than fits in max_body_bytes of line 2");
}

/* With the ".new" that it has at first it must fit into an address of a socket. */
Test(settings, a_socket_has_as_long_a_path_as_its_address_holds)
{
    const size_t longest = sizeof((struct sockaddr_un *)NULL)->sun_path - sizeof ".new";
    char path[128], text[256], error[ERROR_TEXT_MAX];
    struct settings settings;

    memset(path, 'a', sizeof path);
    path[0] = '/';
    path[longest] = '\0';
    snprintf(text, sizeof text, "api_socket = %s\n", path);
    cr_assert_eq(load(text, &settings, error), 0, "%s", error);
    settings_release(&settings);
    snprintf(text, sizeof text, "api_socket = %sa\n", path);
    cr_assert_eq(load(text, &settings, error), -EINVAL);
    cr_assert_not_null(strstr(error, "103"), "%s", error);
}

/* What is wrong with one value; the message has been looked at, here it is enough that there is one for the
 * line. */
Test(settings, malformed_values_are_refused)
{
    static const char *const lines[] = {
        "poll_interval = 20",
        "poll_interval = ",
        "poll_interval = ms",
        "poll_interval = -1ms",
        "poll_interval = 1.5s",
        "poll_interval = 20 ms",
        "poll_interval = 0ms",
        "poll_interval = 99999999999999999999999ms",
        "poll_interval = 9223372036854775807d",
        "poll_interval = 20ms 30ms",
        "poll_interval = 0x10ms",
        "api_threads = four",
        "api_threads = +4",
        "api_threads = \" 4\"",
        "api_threads = 4k",
        "api_threads = 1K2",
        "api_threads = \"4\n\"",
        "max_body_bytes = 16MB",
        "max_body_bytes = 1T",
        "max_body_bytes = {1,2}",
        "webhook_allow_http = maybe",
        "webhook_allow_http = ",
        "webhook_allow_http = \"yes no\"",
        "database = relative/path",
        "database = ",
        "database = \"/tmp/\001\"",
        "public_base_url = ftp://x/",
        "public_base_url = http://",
        "public_base_url = http:///path",
        "public_base_url = http://a/?b",
        "public_base_url = http://user@host",
        "public_base_url = \"http://a b\"",
        "public_base_url = example.org",
        "webhook_ports = 0",
        "webhook_ports = 65536",
        "webhook_ports = 443,8443",
        "webhook_ports = all 443",
        "webhook_ports = 8K",
        "webhook_ports = https",
        "webhook_allow_cidrs = 10.0.0.0/33",
        "webhook_allow_cidrs = 10.0.0/8",
        "webhook_allow_cidrs = 10.0.0.1/8",
        "webhook_allow_cidrs = fd00::1/127",
        "webhook_allow_cidrs = ::/129",
        "webhook_allow_cidrs = localhost",
        "webhook_allow_cidrs = 10.0.0.0/",
        "webhook_allow_cidrs = 10.0.0.0/8/8",
        "webhook_allow_cidrs = 1:2:3/-1",
        "webhook_allow_cidrs = 10.0.0.0/99999999999999999999",
        "cors_origins = example.org",
        "cors_origins = https://",
        "cors_origins = https://a/",
        "cors_origins = https://*.a",
        "log_format = xml",
        "webhook_retry_schedule = ",
        "webhook_retry_schedule = 0s,5s",
        "webhook_retry_schedule = 0s 5",
        "webhook_retry_schedule = 31d",
        "api_threads",
        "api_threads 4",
        "= 4",
        "api_threads = 4 }",
        "{",
        "\"",
        "api_threads += 4",
        "api_threads = \"4\" \"",
        "api_threads =",
        "api_threads",
        "webhook_ports = \"443",
        "include(\"/etc/passwd\")",
        "API_THREADS = 4",
        "api_threads = \"4",
        "section { api_threads = 4 }",
    };

    for (size_t i = 0; i < array_length(lines); i++) {
        struct settings settings;
        char text[256], error[ERROR_TEXT_MAX];

        snprintf(text, sizeof text, "log_level = debug\n%s\n", lines[i]);
        cr_assert_eq(load(text, &settings, error), -EINVAL, "%s was accepted", lines[i]);
        cr_expect(strlen(error) > 10 && strncmp(error, ":", 1) == 0, "%s: %s", lines[i], error);
    }
}

Test(settings, extreme_files_do_no_harm)
{
    cleanup(buf_release) struct buf text = BUF_INIT(1 << 20);
    char error[ERROR_TEXT_MAX];
    struct settings settings;

    cr_expect_eq(load_bytes("log_level = debug\0\n", 19, &settings, error), -EINVAL);
    for (int i = 0; i < 2000; i++)
        buf_append_str(&text, "10.0.0.0/8 ");
    buf_append_str(&text, "\n");
    cr_expect_lt(load(buf_str(&text), &settings, error), 0);
    buf_clear(&text);
    buf_append_str(&text, "webhook_allow_cidrs = ");
    for (int i = 0; i < SETTINGS_LIST_MAX + 1; i++)
        buf_append_str(&text, "10.0.0.0/8 ");
    cr_expect_eq(load(buf_str(&text), &settings, error), -EINVAL);
    cr_expect(strstr(error, "more than 64 entries") != NULL, "%s", error);
    buf_clear(&text);
    for (int i = 0; i < 1000; i++)
        buf_append_str(&text, "api_threads = 0\n");
    cr_expect_eq(load(buf_str(&text), &settings, error), -EINVAL);
    buf_clear(&text);
    for (int i = 0; i < 100000; i++)
        buf_append_str(&text, "####");
    cr_expect_eq(load(buf_str(&text), &settings, error), -EFBIG);
    cr_expect_eq(settings_load("/nonexistent/sayhook.conf", &settings, NULL), -ENOENT);
    cr_expect_lt(settings_load("/", &settings, NULL), 0);
}

/* Each prefix of a valid file, and the file with each byte replaced: an answer, and no more. */
Test(settings, damaged_files_do_no_harm)
{
    static const char valid[] = "poll_interval = 5ms # c\nwebhook_ports = \"443 8443\"\ndatabase = '/a b'\n"
                                "cors_origins = https://a.example *\nwebhook_retry_schedule = 0s 5s\n";
    static const char damage[] = "\"'\\#=\n {}$/*\377";
    char error[ERROR_TEXT_MAX];

    for (size_t at = 0; at < sizeof valid - 1; at++)
        for (size_t d = 0; d < sizeof damage; d++) {
            struct settings settings = {0};
            char text[sizeof valid];

            memcpy(text, valid, sizeof valid);
            text[at] = damage[d];
            if (load(text, &settings, error) == 0)
                settings_release(&settings);
            else
                cr_expect_gt(strlen(error), 0);
        }
}
