/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/request.h"

#include <string.h>

#include <criterion/criterion.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"

static struct guard *guard;

static void setup(void)
{
    char cidr[] = "10.1.0.0/16", port[] = "443";
    char *cidrs[] = {cidr}, *ports[] = {port};
    const struct guard_options options = {
        .cidrs = cidrs, .cidr_count = 1, .ports = ports, .port_count = 1, .clock = &clock_system};
    struct error err = {""};

    cr_assert_eq(guard_new(&options, &guard, &err), 0, "%s", err.text);
}

static void teardown(void)
{
    guard = guard_free(guard);
}

TestSuite(request, .init = setup, .fini = teardown);

static int parse(const char *body, size_t size, struct create_request *ret_request, struct faults *ret_faults)
{
    const struct request_limits limits = {.max_text_chars = 50, .formats = 1u << AUDIO_WAV, .guard = guard};
    struct json_fault fault = {0};
    struct error err = {""};
    int r;

    *ret_faults = (struct faults){0};
    *ret_request = (struct create_request){0};
    r = create_request_parse(body, size, &limits, ret_request, &fault, ret_faults, &err);
    cr_assert(r >= 0, "%s: %s", body, err.text);
    cr_assert_eq(r == REQUEST_NOT_JSON, fault.reason != NULL);
    cr_assert_eq(r == REQUEST_FAULTY, ret_faults->total > 0);
    return r;
}

static struct create_request testcase_taken(const char *body)
{
    struct create_request request;
    struct faults faults;
    int r = parse(body, strlen(body), &request, &faults);

    cr_assert_eq(r, 0, "%s: %s %s", body, faults.items[0].pointer, faults.items[0].detail);
    return request;
}

/* One fault, with this pointer and code, whose detail holds word. */
static void testcase_faulty(const char *body, const char *pointer, const char *code, const char *word)
{
    struct create_request request;
    struct faults faults;

    cr_assert_eq(parse(body, strlen(body), &request, &faults), REQUEST_FAULTY, "took %s", body);
    cr_assert_eq(faults.total, 1, "%s: %zu faults, the second: %s", body, faults.total,
                 faults.items[1].detail);
    cr_assert_str_eq(faults.items[0].pointer, pointer);
    cr_assert_str_eq(faults.items[0].code, code, "%s: %s", body, faults.items[0].code);
    cr_assert_not_null(strstr(faults.items[0].detail, word), "%s: %s", body, faults.items[0].detail);
    cr_assert_null(request.document, "a failure leaves the output untouched");
}

Test(request, what_is_left_out_has_the_contracts_defaults)
{
    cleanup(create_request_release) struct create_request request = testcase_taken("{\"text\":\"Hello.\"}");

    cr_assert_str_eq(request.text, "Hello.");
    cr_assert_eq(request.text_bytes, 6);
    cr_assert_eq(request.characters, 6);
    cr_assert_str_eq(request.language->name, "english");
    cr_assert_str_eq(request.voice->id, "slt");
    cr_assert_eq(request.format, AUDIO_WAV);
    cr_assert_eq(request.speed, 1.0);
    cr_assert_eq(request.pitch, 1.0);
    cr_assert_not(request.timings);
    cr_assert_null(request.metadata);
    cr_assert_null(request.webhook_url);
}

Test(request, every_member_arrives)
{
    cleanup(create_request_release) struct create_request request =
        testcase_taken("{\"metadata\":{\"b\":\"1/2\",\"a\":\"\\u00e9\\n\"},\"webhook_url\":"
                       "\"https://Example.org/hook?x=1\",\"timings\":false,\"pitch\":2,\"speed\":0.5,"
                       "\"format\":\"wav\",\"voice\":\"kal16\",\"language\":\"EN-us\",\"text\":\"Hi\"}");

    cr_assert_str_eq(request.language->name, "english");
    cr_assert_str_eq(request.voice->id, "kal16");
    cr_assert_eq(request.speed, 0.5);
    cr_assert_eq(request.pitch, 2.0);
    cr_assert_str_eq(request.webhook_url, "https://Example.org/hook?x=1");
    cr_assert_str_eq(request.receiver, "https://example.org:443");
    cr_assert_str_eq(request.metadata, "{\"b\":\"1/2\",\"a\":\"é\\n\"}",
                     "in the client's order, on one line");
}

Test(request, a_text_arrives_byte_for_byte_and_is_counted_in_code_points)
{
    static const struct {
        const char *body;
        const char *text;
        int64_t characters;
    } cases[] = {
        {"{\"text\":\"a\\ud83d\\ude00b\"}", "a😀b", 3},
        {"{\"text\":\"é€😀x\"}", "é€😀x", 4},
        {"{\"text\":\"\\u0041\\n\\t\\\"\\\\\\/\"}", "A\n\t\"\\/", 6},
        {"{\"text\":\" a \"}", " a ", 3},
        {"{\"text\":\"a\\u200d\\ufeffb\"}", "a\u200d\ufeffb", 4},
        {"{\"text\":\"\\uffffa\"}",
         "\uffff"
         "a",
         2},
    };

    for (size_t i = 0; i < array_length(cases); i++) {
        cleanup(create_request_release) struct create_request request = testcase_taken(cases[i].body);

        cr_assert_str_eq(request.text, cases[i].text);
        cr_assert_eq(request.text_bytes, strlen(cases[i].text));
        cr_assert_eq(request.characters, cases[i].characters);
    }
}

Test(request, each_wrong_member_is_told_with_its_pointer_and_its_code)
{
    static const struct {
        const char *body;
        const char *pointer;
        const char *code;
        const char *word;
    } cases[] = {
        {"{}", "/text", "missing_member", "required"},
        {"[]", "", "wrong_type", "object"},
        {"\"text\"", "", "wrong_type", "object"},
        {"null", "", "wrong_type", "object"},
        {"{\"text\":5}", "/text", "wrong_type", "a number"},
        {"{\"text\":null}", "/text", "wrong_type", "null"},
        {"{\"text\":[\"a\"]}", "/text", "wrong_type", "an array"},
        {"{\"text\":\"\"}", "/text", "nothing_to_speak", "nothing"},
        {"{\"text\":\" \\n\\t \"}", "/text", "nothing_to_speak", "nothing"},
        {"{\"text\":\"?!...\"}", "/text", "nothing_to_speak", "nothing"},
        {"{\"text\":\"🂡\"}", "/text", "nothing_to_speak", "nothing"},
        {"{\"text\":\"a\\u0000b\"}", "/text", "nul_character", "NUL"},
        {"{\"text\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}", "/text", "out_of_range", "50"},
        {"{\"text\":\"a\",\"language\":\"klingon\"}", "/language", "unknown_language", "english"},
        {"{\"text\":\"a\",\"language\":\"\"}", "/language", "unknown_language", "english"},
        {"{\"text\":\"a\",\"language\":7}", "/language", "wrong_type", "a string"},
        {"{\"text\":\"a\",\"language\":\"en\\u0000\"}", "/language", "nul_character", "NUL"},
        {"{\"text\":\"a\",\"language\":\"klingon\",\"voice\":\"worf\"}", "/language", "unknown_language", ""},
        {"{\"text\":\"a\",\"voice\":\"SLT\"}", "/voice", "unknown_voice", "slt"},
        {"{\"text\":\"a\",\"voice\":\"../slt\"}", "/voice", "unknown_voice", "kal16"},
        {"{\"text\":\"a\",\"voice\":null}", "/voice", "wrong_type", "null"},
        {"{\"text\":\"a\",\"format\":\"flac\"}", "/format", "not_available", "wav"},
        {"{\"text\":\"a\",\"format\":\"aiff\"}", "/format", "unknown_format", "wav"},
        {"{\"text\":\"a\",\"format\":true}", "/format", "wrong_type", "a boolean"},
        {"{\"text\":\"a\",\"speed\":\"1\"}", "/speed", "wrong_type", "a number"},
        {"{\"text\":\"a\",\"speed\":0.49}", "/speed", "out_of_range", "0.5"},
        {"{\"text\":\"a\",\"speed\":2.01}", "/speed", "out_of_range", "2.0"},
        {"{\"text\":\"a\",\"speed\":1e999}", "/speed", "out_of_range", "2.0"},
        {"{\"text\":\"a\",\"speed\":-1}", "/speed", "out_of_range", "0.5"},
        {"{\"text\":\"a\",\"speed\":99999999999999999999999}", "/speed", "out_of_range", "2.0"},
        {"{\"text\":\"a\",\"pitch\":[1]}", "/pitch", "wrong_type", "an array"},
        {"{\"text\":\"a\",\"pitch\":3}", "/pitch", "out_of_range", "2.0"},
        {"{\"text\":\"a\",\"timings\":\"true\"}", "/timings", "wrong_type", "true or false"},
        {"{\"text\":\"a\",\"timings\":1}", "/timings", "wrong_type", "a number"},
        {"{\"text\":\"a\",\"metadata\":[]}", "/metadata", "wrong_type", "an object"},
        {"{\"text\":\"a\",\"metadata\":{\"a/b~c\":1}}", "/metadata/a~1b~0c", "wrong_type", "a string"},
        {"{\"text\":\"a\",\"metadata\":{\"a\":\"\\u0000\"}}", "/metadata/a", "nul_character", "NUL"},
        {"{\"text\":\"a\",\"metadata\":{\"a\\u0000\":\"b\"}}", "", "nul_character", "NUL"},
        {"{\"text\":\"a\",\"metadata\":{\"a\":{\"b\":\"c\"}}}", "/metadata/a", "wrong_type", "an object"},
        {"{\"text\":\"a\",\"txet\":1}", "/txet", "unknown_member", "did you mean \"text\""},
        {"{\"text\":\"a\",\"Voice\":1}", "/Voice", "unknown_member", "did you mean \"voice\""},
        {"{\"text\":\"a\",\"webhook\":1}", "/webhook", "unknown_member", "webhook_url"},
        {"{\"text\":\"a\",\"qqqqqq\":1}", "/qqqqqq", "unknown_member", "the members are"},
        {"{\"text\":\"a\",\"text\\u0000\":\"b\"}", "", "nul_character", "byte"},
    };

    for (size_t i = 0; i < array_length(cases); i++)
        testcase_faulty(cases[i].body, cases[i].pointer, cases[i].code, cases[i].word);
}

Test(request, a_webhook_url_that_leads_inside_is_refused)
{
    static const struct {
        const char *url;
        const char *code;
    } cases[] = {
        {"https://127.0.0.1/", "forbidden_url"},
        {"https://localhost/", "forbidden_url"},
        {"https://2130706433/", "forbidden_url"},
        {"https://0x7f.1/", "forbidden_url"},
        {"https://[::1]/", "forbidden_url"},
        {"https://169.254.169.254/", "forbidden_url"},
        {"https://192.168.1.1/x", "forbidden_url"},
        {"http://example.org/", "forbidden_url"},
        {"https://example.org:22/", "forbidden_url"},
        {"https://user@example.org/", "invalid_url"},
        {"ftp://example.org/", "invalid_url"},
        {"example.org/hook", "invalid_url"},
        {"", "invalid_url"},
        {"https://", "invalid_url"},
    };

    for (size_t i = 0; i < array_length(cases); i++) {
        char body[256];

        snprintf(body, sizeof body, "{\"text\":\"a\",\"webhook_url\":\"%s\"}", cases[i].url);
        testcase_faulty(body, "/webhook_url", cases[i].code, "");
    }
}

Test(request, a_network_that_the_configuration_allows_may_be_reached)
{
    cleanup(create_request_release) struct create_request request =
        testcase_taken("{\"text\":\"a\",\"webhook_url\":\"https://10.1.2.3/\"}");

    cr_assert_str_eq(request.receiver, "https://10.1.2.3:443");
}

Test(request, all_faults_are_told_at_once)
{
    static const char body[] = "{\"text\":\"...\",\"speed\":9,\"voice\":\"x\",\"colour\":1,\"format\":2}";
    static const char *const pointers[] = {"/text", "/speed", "/colour", "/format", "/voice"};
    struct create_request request;
    struct faults faults;

    cr_assert_eq(parse(body, strlen(body), &request, &faults), REQUEST_FAULTY);
    cr_assert_eq(faults.total, array_length(pointers));
    for (size_t i = 0; i < array_length(pointers); i++)
        cr_assert_str_eq(faults.items[i].pointer, pointers[i]);
}

Test(request, a_thousand_faults_make_a_short_list)
{
    cleanup(buf_release) struct buf body = BUF_INIT(1 << 20);
    struct create_request request;
    struct faults faults;

    buf_append_str(&body, "{\"text\":\"a\"");
    for (int i = 0; i < 1000; i++)
        buf_printf(&body, ",\"x%d\":0", i);
    buf_append_str(&body, "}");
    cr_assert_eq(parse(buf_str(&body), body.length, &request, &faults), REQUEST_FAULTY);
    cr_assert_eq(faults.count, FAULTS_MAX);
    cr_assert_eq(faults.total, 1000);
}

Test(request, a_million_members_or_items_are_not_looked_at_one_by_one)
{
    static const char *const starts[] = {"{\"text\":\"a\"", "{\"text\":[0"};
    static const char *const ends[] = {"}", "]}"};

    for (size_t i = 0; i < array_length(starts); i++) {
        cleanup(buf_release) struct buf body = BUF_INIT(1 << 24);

        buf_append_str(&body, starts[i]);
        for (int member = 0; member < 1000 * 1000; member++)
            buf_printf(&body, i == 0 ? ",\"x%d\":0" : ",%d", member);
        buf_append_str(&body, ends[i]);
        testcase_faulty(buf_str(&body), "", "out_of_range", "1024");
    }
}

Test(request, numbers_of_any_length_are_judged_by_their_value)
{
    static const struct {
        const char *start;
        char digit;
        const char *end;
        bool taken;
    } cases[] = {
        {"", '1', "", false},     {"0.", '9', "", true},
        {"1.", '0', "", true},    {"0.", '0', "1e10001", true},
        {"-", '9', "", false},    {"1e", '9', "", false},
        {"1e-", '9', "", false},  {"1e400", '0', "", false},
        {"1.5e", '0', "0", true}, {"18446744073709551616", '0', "", false},
    };

    for (size_t i = 0; i < array_length(cases); i++) {
        cleanup(buf_release) struct buf body = BUF_INIT(1 << 20);

        buf_printf(&body, "{\"text\":\"a\",\"speed\":%s", cases[i].start);
        for (int digit = 0; digit < 10 * 1000; digit++)
            buf_append(&body, &cases[i].digit, 1);
        buf_printf(&body, "%s}", cases[i].end);
        if (cases[i].taken) {
            struct create_request request = testcase_taken(buf_str(&body));

            cr_assert(request.speed >= 0.9 && request.speed <= 1.5, "case %zu: %g", i, request.speed);
            create_request_release(&request);
        } else {
            testcase_faulty(buf_str(&body), "/speed", "out_of_range", "0.5 to 2.0");
        }
    }
}

Test(request, a_nul_in_a_name_is_told_beside_the_other_faults)
{
    static const char body[] = "{\"text\":\"a\",\"speed\":9,\"metadata\":{\"b\\u0000c\":\"d\"}}";
    struct create_request request;
    struct faults faults;

    cr_assert_eq(parse(body, strlen(body), &request, &faults), REQUEST_FAULTY);
    cr_assert_eq(faults.total, 2);
    cr_assert_str_eq(faults.items[0].pointer, "/speed");
    cr_assert_str_eq(faults.items[1].code, "nul_character");
}

Test(request, a_name_of_any_length_is_quoted_in_whole_characters)
{
    cleanup(buf_release) struct buf body = BUF_INIT(1 << 20);
    struct create_request request;
    struct faults faults;

    buf_append_str(&body, "{\"text\":\"a\",\"");
    for (int i = 0; i < 100000; i++)
        buf_append_str(&body, "é");
    buf_append_str(&body, "\":0}");
    cr_assert_eq(parse(buf_str(&body), body.length, &request, &faults), REQUEST_FAULTY);
    cr_assert(strlen(faults.items[0].pointer) < FAULT_POINTER_SIZE);
    cr_assert_str_eq(faults.items[0].pointer + strlen(faults.items[0].pointer) - strlen("é…"), "é…");
}

/* names and values of size bytes in all, in count members. */
static void make_metadata(struct buf *body, int count, size_t size)
{
    buf_append_str(body, "{\"text\":\"a\",\"metadata\":{");
    for (int i = 0; i < count; i++) {
        buf_printf(body, "%s\"m%02d\":\"", i > 0 ? "," : "", i);
        for (size_t j = 3; j < (i == 0 ? size - (size_t)(count - 1) * 3 : 3); j++)
            buf_append_str(body, "v");
        buf_append_str(body, "\"");
    }
    buf_append_str(body, "}}");
}

Test(request, metadata_has_its_limits_of_members_and_bytes)
{
    static const struct {
        int members;
        size_t bytes;
        bool taken;
    } cases[] = {
        {16, 48, true},   {17, 51, false},  {1, 2048, true},
        {1, 2049, false}, {16, 2048, true}, {16, 2049, false},
    };

    for (size_t i = 0; i < array_length(cases); i++) {
        cleanup(buf_release) struct buf body = BUF_INIT(1 << 16);

        make_metadata(&body, cases[i].members, cases[i].bytes);
        if (cases[i].taken) {
            struct create_request request = testcase_taken(buf_str(&body));

            create_request_release(&request);
        } else {
            testcase_faulty(buf_str(&body), "/metadata", "out_of_range", "at most");
        }
    }
}

Test(request, an_empty_metadata_comes_back_as_one)
{
    cleanup(create_request_release) struct create_request request =
        testcase_taken("{\"text\":\"a\",\"metadata\":{}}");

    cr_assert_str_eq(request.metadata, "{}");
}

/* What json-c itself would take: a change in it must not open the gate. */
Test(request, what_json_c_tolerates_is_not_json)
{
    static const char *const bodies[] = {
        "{\"text\":\"a\",\"text\":\"b\"}",
        "{\"text\":'a'}",
        "{\"text\":\"a\",\"speed\":NaN}",
        "{\"text\":\"a\",\"speed\":Infinity}",
        "{\"text\":\"a\",\"speed\":1.}",
        "{\"text\":\"a\nb\"}",
        "{\"text\":\"\\ud800\"}",
        "{\"text\":\"\xC0\xAF\"}",
        "{\"text\":\"a\"}x",
        "{\"text\":\"a\",}",
        "/* */{\"text\":\"a\"}",
        "",
    };
    struct create_request request;
    struct faults faults;

    for (size_t i = 0; i < array_length(bodies); i++)
        cr_assert_eq(parse(bodies[i], strlen(bodies[i]), &request, &faults), REQUEST_NOT_JSON, "took %s",
                     bodies[i]);
}
