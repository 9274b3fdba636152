/* SPDX-License-Identifier: Apache-2.0 */
#include "webhook/sender.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "support/receiver.h"
#include "webhook/probe.h"

static char loopback[] = "127.0.0.0/8";
static char all[] = "all";

static struct receiver *receiver;
static struct guard *guard;
static struct sender *sender;

/* What the last request came to. */
static struct send_result last;
static size_t done_count;

static void on_done(const struct send_request *request, const struct send_result *result)
{
    (void)request;
    last = *result;
    done_count++;
}

static void make_sender(int64_t timeout_ms, bool allow_loopback)
{
    static char *const cidrs[] = {loopback};
    static char *const ports[] = {all};
    const struct guard_options options = {true, cidrs, allow_loopback, ports, 1, &clock_system};
    struct sender_options sender_options = {
        .connect_timeout_ms = timeout_ms, .timeout_ms = timeout_ms, .max_in_flight = 8, .done = on_done};
    struct error err = {""};

    sender = sender_free(sender);
    guard = guard_free(guard);
    cr_assert_eq(guard_new(&options, &guard, &err), 0, "%s", err.text);
    sender_options.guard = guard;
    cr_assert_eq(sender_new(&sender_options, &sender, &err), 0, "%s", err.text);
}

static void start(void)
{
    static const struct receiver_answer fine = {.status = 200, .body = "thank you"};

    /* A proxy of the environment would reach what the guard forbids. */
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("HTTPS_PROXY", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    receiver = receiver_start(&fine, 1);
    make_sender(20000, true);
}

static void stop(void)
{
    sender = sender_free(sender);
    guard = guard_free(guard);
    receiver = receiver_stop(receiver);
}

TestSuite(sender, .init = start, .fini = stop);

static void step_until(size_t count)
{
    while (done_count < count) {
        struct pollfd fd = {.fd = sender_fd(sender), .events = POLLIN};

        int wait = sender_wait_ms(sender);

        cr_assert_geq(poll(&fd, 1, wait < 0 ? 30000 : wait), wait < 0 ? 1 : 0);
        sender_step(sender);
    }
}

static const struct signature signature = {"sha256=00", "1700000000", "v1,AA== v1,BB=="};

static int begin(const char *url)
{
    static const char body[] = "{\"type\":\"ping\"}";
    const struct send_request request = {url, "msg_1", body, sizeof body - 1, &signature, NULL};
    struct error err = {""};
    int r = sender_start(sender, &request, &last, &err);

    cr_assert_geq(r, 0, "%s", err.text);
    return r;
}

static void send_to(const char *url)
{
    size_t before = done_count;

    if (begin(url) == 0)
        step_until(before + 1);
}

static void testcase_header(const char *name, const char *expected)
{
    char value[256] = "";

    received_header(receiver_request(receiver, 0), name, value, sizeof value);
    cr_expect_str_eq(value, expected, "%s", name);
}

Test(sender, sends_what_the_contract_says)
{
    char value[16];

    send_to(receiver_url(receiver));
    cr_expect_null(last.error_code);
    cr_expect_eq(last.status_code, 200);
    cr_expect_str_eq(last.excerpt, "thank you");
    cr_expect_eq(strncmp(receiver_request(receiver, 0)->head, "POST /hook HTTP/1.1\r\n", 21), 0);
    cr_expect_str_eq(receiver_request(receiver, 0)->body, "{\"type\":\"ping\"}");
    testcase_header("Content-Type", "application/json");
    testcase_header("User-Agent", "Sayhook/" PACKAGE_VERSION);
    testcase_header("X-Webhook-Signature", "sha256=00");
    testcase_header("X-Webhook-Timestamp", "1700000000");
    testcase_header("webhook-id", "msg_1");
    testcase_header("webhook-timestamp", "1700000000");
    testcase_header("webhook-signature", "v1,AA== v1,BB==");
    testcase_header("Content-Length", "15");
    cr_expect_not(received_header(receiver_request(receiver, 0), "Expect", value, sizeof value));
    cr_expect_not(received_header(receiver_request(receiver, 0), "Accept-Encoding", value, sizeof value));
}

Test(sender, tells_how_an_attempt_went)
{
    char peer[SENDER_PEER_SIZE];

    snprintf(peer, sizeof peer, "127.0.0.1:%d", receiver_port(receiver));
    send_to(receiver_url(receiver));
    cr_assert(last.traced);
    cr_expect_str_eq(last.peer, peer);
    cr_expect_not(last.trace.reused);
    cr_expect_eq(last.trace.sends, 1);
    cr_expect_geq(last.trace.connect_us, 0);
    cr_expect_eq(last.trace.tls_us, -1, "there was no TLS");
    cr_expect_geq(last.trace.first_byte_us, 0);
    cr_expect_gt(last.trace.total_us, 0);
    send_to(receiver_url(receiver));
    cr_expect(last.trace.reused);
    cr_expect_eq(last.trace.connect_us, -1, "a kept connection takes none of these steps");
    cr_expect_str_eq(last.peer, peer);
}

Test(sender, names_the_peer_that_nobody_answers_at)
{
    send_to("http://127.0.0.1:1/");
    cr_expect_str_eq(last.error_code, DELIVERY_CONNECTION_REFUSED);
    cr_expect_str_eq(last.peer, "127.0.0.1:1");
    cr_expect_eq(last.trace.sends, 0);
    cr_expect_eq(last.trace.first_byte_us, -1);
}

Test(sender, counts_that_a_request_was_sent_again_over_a_new_connection)
{
    static const struct receiver_answer answers[] = {
        {.status = 200}, {.conduct = RECEIVER_CLOSES}, {.status = 204}};

    receiver_script(receiver, answers, array_length(answers));
    send_to(receiver_url(receiver));
    send_to(receiver_url(receiver));
    cr_expect_eq(last.status_code, 204);
    cr_expect_eq(last.trace.sends, 2);
}

Test(sender, keeps_the_connection_for_the_next_request)
{
    send_to(receiver_url(receiver));
    send_to(receiver_url(receiver));
    cr_expect_eq(receiver_request(receiver, 1)->connection, receiver_request(receiver, 0)->connection);
}

static void testcase_conduct(struct receiver_answer answer, const char *error_code, int status_code)
{
    receiver_script(receiver, &answer, 1);
    send_to(receiver_url(receiver));
    cr_expect_eq(last.status_code, status_code, "conduct %d: %d", answer.conduct, last.status_code);
    cr_expect_not(last.forbidden);
    if (error_code == NULL) {
        cr_expect_null(last.error_code, "conduct %d: %s", answer.conduct, last.error_message);
        return;
    }
    cr_assert_not_null(last.error_code, "conduct %d", answer.conduct);
    cr_expect_str_eq(last.error_code, error_code, "conduct %d: %s", answer.conduct, last.error_message);
    cr_expect_neq(last.error_message[0], '\0');
}

Test(sender, only_2xx_is_success)
{
    static const int failures[] = {300, 301, 302, 307, 400, 401, 404, 410, 429, 500, 503};

    for (int status = 200; status < 300; status += 33)
        testcase_conduct((struct receiver_answer){.status = status}, NULL, status);
    for (size_t i = 0; i < array_length(failures); i++)
        testcase_conduct((struct receiver_answer){.status = failures[i]}, "http_status", failures[i]);
}

Test(sender, a_redirect_is_not_followed)
{
    testcase_conduct((struct receiver_answer){.status = 302, .headers = "Location: /elsewhere\r\n"},
                     "http_status", 302);
    cr_expect_not_null(strstr(last.error_message, "redirect"));
    cr_expect_eq(receiver_wait(receiver, 2, 0), 1);
}

Test(sender, names_each_failure_by_the_contracts_code)
{
    char url[128];

    testcase_conduct((struct receiver_answer){.conduct = RECEIVER_RESETS}, "connection_reset", 0);
    testcase_conduct((struct receiver_answer){.conduct = RECEIVER_CLOSES}, "connection_reset", 0);
    testcase_conduct((struct receiver_answer){.conduct = RECEIVER_BABBLES}, "bad_response", 0);
    testcase_conduct((struct receiver_answer){.conduct = RECEIVER_ENDLESS_HEADERS}, "bad_response", 200);
    snprintf(url, sizeof url, "https://127.0.0.1:%d/", receiver_port(receiver));
    send_to(url);
    cr_expect_str_eq(last.error_code, "tls_failed", "%s", last.error_message);
    send_to("http://127.0.0.1:1/");
    cr_expect_str_eq(last.error_code, "connection_refused", "%s", last.error_message);
    /* A label of more than 63 characters: no server needs to be asked. */
    send_to("http://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.invalid/");
    cr_expect_str_eq(last.error_code, "name_not_resolved", "%s", last.error_message);
}

/* A handle of libcurl's serves one receiver after another. */
Test(sender, nothing_of_an_answer_clings_to_the_next_request)
{
    static const struct receiver_answer asks = {
        .status = 503, .headers = "Retry-After: 60\r\nX-More: a\r\n", .body = "come again"};

    receiver_script(receiver, &asks, 1);
    send_to(receiver_url(receiver));
    cr_expect_eq(last.retry_after_s, 60);
    testcase_conduct((struct receiver_answer){.status = 500}, "http_status", 500);
    cr_expect_eq(last.retry_after_s, 0);
    cr_expect_not(last.has_excerpt);
    receiver_script(receiver, &asks, 1);
    send_to(receiver_url(receiver));
    send_to("http://127.0.0.1:1/");
    cr_expect_str_eq(last.error_code, "connection_refused", "%s", last.error_message);
    cr_expect_eq(last.status_code, 0);
    cr_expect_eq(last.retry_after_s, 0);
    cr_expect_str_eq(last.peer, "127.0.0.1:1");
}

Test(sender, silence_and_trickling_end_with_the_timeout)
{
    make_sender(200, true);
    testcase_conduct((struct receiver_answer){.conduct = RECEIVER_HANGS}, "timeout", 0);
    cr_expect_geq(last.duration_ms, 190);
    testcase_conduct((struct receiver_answer){.conduct = RECEIVER_TRICKLES}, "timeout", 200);
}

Test(sender, a_cut_or_endless_answer_is_judged_by_its_status)
{
    testcase_conduct((struct receiver_answer){.conduct = RECEIVER_ENDLESS_BODY}, NULL, 200);
    cr_expect_eq(strlen(last.excerpt), SENDER_EXCERPT_MAX);
    testcase_conduct(
        (struct receiver_answer){.conduct = RECEIVER_RESETS_AFTER, .status = 200, .body = "got it"}, NULL,
        200);
    cr_expect_str_eq(last.excerpt, "got it");
    testcase_conduct((struct receiver_answer){.conduct = RECEIVER_RESETS_AFTER, .status = 503}, "http_status",
                     503);
    cr_expect_not(last.has_excerpt);
}

Test(sender, a_forbidden_address_is_not_connected_to)
{
    static const char *const hosts[] = {"127.0.0.1", "2130706433", "localhost", "[::ffff:127.0.0.1]"};
    char url[128];

    make_sender(20000, false);
    for (size_t i = 0; i < array_length(hosts); i++) {
        snprintf(url, sizeof url, "http://%s:%d/", hosts[i], receiver_port(receiver));
        cr_expect_eq(begin(url), SENDER_REFUSED, "%s", url);
        cr_expect(last.forbidden);
        cr_expect_str_eq(last.error_code, "blocked_address");
    }
    cr_expect_eq(receiver_wait(receiver, 1, 0), 0);
}

/* The machine's own name leads to one of its own addresses, which only the DNS's answer shows. */
/* Without a descriptor the machine's own addresses are not to be had. */
Test(sender, an_address_that_cannot_be_judged_now_is_not_connected_to_and_not_refused_for_good)
{
    struct rlimit before, none;

    make_sender(20000, false);
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 3; /* all in use; poll(2) refuses more than the limit */
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    send_to("http://8.8.8.8/");
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    cr_expect_str_eq(last.error_code, "blocked_address");
    cr_expect_eq(last.forbidden, false, "another time it may be allowed");
    cr_expect_eq(last.trace.sends, 0);
}

Test(sender, a_name_that_leads_to_a_forbidden_address_is_not_connected_to)
{
    char host[256] = "";
    char url[512];

    make_sender(20000, false);
    cr_assert_eq(gethostname(host, sizeof host - 1), 0);
    snprintf(url, sizeof url, "http://%s:%d/", host, receiver_port(receiver));
    send_to(url);
    if (strcmp(last.error_code, "name_not_resolved") == 0)
        cr_skip_test("this machine cannot resolve its own name");
    cr_expect_str_eq(last.error_code, "blocked_address", "%s", last.error_message);
    cr_expect(last.forbidden);
    cr_expect_eq(receiver_wait(receiver, 1, 0), 0);
}

Test(sender, sends_many_at_a_time_and_can_be_broken_off)
{
    static const struct receiver_answer hang = {.conduct = RECEIVER_HANGS};

    for (int i = 0; i < 8; i++)
        begin(receiver_url(receiver));
    step_until(8);
    cr_expect_null(last.error_code);
    receiver_script(receiver, &hang, 1);
    for (int i = 0; i < 8; i++)
        begin(receiver_url(receiver));
    for (int i = 0; receiver_wait(receiver, 16, 10) < 16; i++) {
        cr_assert_lt(i, 1000);
        sender_step(sender);
    }
    cr_expect_eq(receiver_peak(receiver), 8);
    sender = sender_free(sender);
    cr_expect_eq(done_count, 8);
}

/* ---- the certificate ---- */

/* A TLS record of a handshake that is announced and never whole: a byte now and then, until the other end
 * goes. */
static void *trickle(void *argument)
{
    static const unsigned char record[] = {0x16, 0x03, 0x03, 0x40, 0x00, 0x02, 0x00, 0x3f, 0xfc};
    const struct timespec pause = {.tv_nsec = 20000000};
    int *listener = argument;
    int fd = accept4(*listener, NULL, NULL, SOCK_CLOEXEC);

    for (size_t i = 0; send(fd, &record[i < sizeof record ? i : sizeof record - 1], 1, MSG_NOSIGNAL) == 1;
         i++)
        nanosleep(&pause, NULL);
    close(fd);
    return NULL;
}

Test(sender, a_look_at_a_certificate_ends_however_slowly_the_handshake_trickles)
{
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct probe_address address = {.size = sizeof own, .text = "127.0.0.1", .allowed = true};
    struct error err = {""};
    struct tls_peer peer;
    pthread_t thread;

    cr_assert_eq(bind(listener, (struct sockaddr *)&own, sizeof own), 0);
    cr_assert_eq(listen(listener, 1), 0);
    cr_assert_eq(getsockname(listener, (struct sockaddr *)&own, &(socklen_t){sizeof own}), 0);
    memcpy(&address.address, &own, sizeof own);
    cr_assert_eq(pthread_create(&thread, NULL, trickle, &listener), 0);
    cr_expect_eq(probe_certificate(&address, "example.org", 300, &peer, &err), -ETIMEDOUT, "%s", err.text);
    pthread_join(thread, NULL);
    close(listener);
}
