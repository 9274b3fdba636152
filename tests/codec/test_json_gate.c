/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json_gate.h"

#include <stdint.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/buf.h"
#include "base/cleanup.h"

static struct json_facts testcase_taken(const char *text)
{
    struct json_facts facts = {0};
    struct json_fault fault = {0};

    cr_assert(json_gate(text, strlen(text), &facts, &fault), "%s: %s at %zu", text, fault.reason,
              fault.offset);
    return facts;
}

static void testcase_refused(const char *bytes, size_t size, size_t offset)
{
    struct json_facts facts = {.nul_offset = 7};
    struct json_fault fault = {SIZE_MAX, NULL};

    cr_assert_not(json_gate(bytes, size, &facts, &fault), "took %s", bytes);
    cr_assert_eq(fault.offset, offset, "%s: %s, at %zu instead of %zu", bytes, fault.reason, fault.offset,
                 offset);
    cr_assert_not_null(fault.reason);
    cr_assert_eq(facts.nul_offset, 7, "a failure leaves the output untouched");
}

Test(json_gate, takes_what_rfc_8259_takes)
{
    static const char *const texts[] = {
        "{}",
        "[]",
        " \t\r\n{ \"a\" : [ 1 , 2 ] } \n",
        "0",
        "-0",
        "-12.50e+10",
        "1E5",
        "1e-1",
        "\"\"",
        "true",
        "false",
        "null",
        "{\"a\":{\"a\":1},\"b\":[{\"a\":2},{\"a\":3}]}", /* the same name in different objects */
        "{\"a\":1,\"A\":2,\"\":3}",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\ude00\"",
        "\"é€😀\x7F\"",
        "\"\xF4\x8F\xBF\xBF\"",         /* U+10FFFF */
        "\"\xED\x9F\xBF\xEE\x80\x80\"", /* on either side of the surrogates */
        "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]",
        "\"\\uFFFF\\u0001\"",
    };

    for (size_t i = 0; i < array_length(texts); i++)
        testcase_taken(texts[i]);
}

Test(json_gate, refuses_what_is_no_json_and_tells_the_byte)
{
    static const struct {
        const char *text;
        size_t offset;
    } cases[] = {
        {"", 0},
        {"  ", 2},
        {"{", 1},
        {"{\"a\"", 4},
        {"{\"a\":", 5},
        {"{\"a\":1", 6},
        {"{\"a\":1,", 7},
        {"{\"a\":1,}", 7},
        {"{,}", 1},
        {"{\"a\" 1}", 5},
        {"{a:1}", 1},
        {"{'a':1}", 1},
        {"{\"a\":'b'}", 5},
        {"{1:2}", 1},
        {"[1,]", 3},
        {"[1 2]", 3},
        {"[", 1},
        {"]", 0},
        {"{]", 1},
        {"[}", 1},
        {"NaN", 0},
        {"[NaN]", 1},
        {"Infinity", 0},
        {"-Infinity", 1},
        {"nul", 0},
        {"True", 0},
        {"nullx", 4},
        {"{} {}", 3},
        {"{}x", 2},
        {"{}//", 2},
        {"/**/{}", 0},
        {"\xEF\xBB\xBF{}", 0}, /* a byte order mark */
        {"01", 1},
        {"-", 1},
        {"-01", 2},
        {"+1", 0},
        {".5", 0},
        {"1.", 2},
        {"1.e5", 2},
        {"1e", 2},
        {"1e+", 3},
        {"0x10", 1},
        {"\"a", 2},
        {"\"\t\"", 1},
        {"\"a\nb\"", 2},
        {"\"\x1F\"", 1},
        {"\"\\x41\"", 2},
        {"\"\\'\"", 2},
        {"\"\\", 2},
        {"\"\\u12\"", 5},
        {"\"\\u12G4\"", 5},
        {"\"\\uD800\"", 1},
        {"\"\\uD800\\n\"", 1},
        {"\"\\uD800\\u0041\"", 1},
        {"\"\\uD800\\uD800\"", 1},
        {"\"ab\\uDC00\"", 3},
        {"\"\\uDE00\\uD83D\"", 1},
        {"\"\xC0\xAF\"", 1},         /* overlong */
        {"\"\xE0\x80\xAF\"", 1},     /* overlong */
        {"\"\xF0\x80\x80\xAF\"", 1}, /* overlong */
        {"\"\xED\xA0\x80\"", 1},     /* a surrogate */
        {"\"\xF4\x90\x80\x80\"", 1}, /* past U+10FFFF */
        {"\"\xFF\"", 1},
        {"\"a\x80\"", 2},
        {"\"\xE2\x82\"", 1},
        {"{\"\xC0\xAF\":1}", 2},
        {"[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]", 16},
    };

    for (size_t i = 0; i < array_length(cases); i++)
        testcase_refused(cases[i].text, strlen(cases[i].text), cases[i].offset);
}

Test(json_gate, refuses_a_raw_nul_inside_and_behind)
{
    testcase_refused("\"a\0b\"", 5, 2);
    testcase_refused("{}\0", 3, 2);
    testcase_refused("{\"a\0\":1}", 8, 3);
}

Test(json_gate, refuses_a_name_that_stands_twice_however_it_is_spelt)
{
    static const struct {
        const char *text;
        size_t offset;
    } cases[] = {
        {"{\"a\":1,\"a\":2}", 7},
        {"{\"a\":1,\"b\":{\"a\":1},\"a\":2}", 19},
        {"{\"a\":1,\"\\u0061\":2}", 7},
        {"{\"é\":1,\"\\u00E9\":2}", 8},
        {"{\"😀\":1,\"\\ud83d\\ude00\":2}", 10},
        {"{\"/\":1,\"\\/\":2}", 7},
        {"{\"\":1,\"\":2}", 6},
        {"[{\"x\":[{\"y\":1,\"y\":1}]}]", 14},
    };

    for (size_t i = 0; i < array_length(cases); i++)
        testcase_refused(cases[i].text, strlen(cases[i].text), cases[i].offset);
}

static void append_members(struct buf *text, int count)
{
    buf_append_str(text, "{");
    for (int i = 0; i < count; i++)
        buf_printf(text, "%s\"n%d\":0", i > 0 ? "," : "", i);
}

Test(json_gate, finds_a_second_name_among_many)
{
    cleanup(buf_release) struct buf text = BUF_INIT(1 << 20);
    size_t length;

    append_members(&text, JSON_GATE_VALUES_MAX - 1);
    length = text.length;
    buf_append_str(&text, ",\"n0\":0}");
    testcase_refused(buf_str(&text), text.length, length + 1);

    buf_clear(&text);
    append_members(&text, 100);
    length = text.length;
    buf_append_str(&text, ",\"n63\":0}");
    testcase_refused(buf_str(&text), text.length, length + 1);
}

/* Such a document is JSON all the same: what to answer is the caller's to say. */
Test(json_gate, tells_a_document_of_more_values_than_a_parser_should_see)
{
    static const char *const starts[] = {"{\"n\":[", "[[", "["};
    static const char *const ends[] = {"]}", "]]", "]"};
    static const int others[] = {2, 2, 1}; /* values around the items */
    cleanup(buf_release) struct buf text = BUF_INIT(1 << 20);

    append_members(&text, JSON_GATE_VALUES_MAX - 1);
    cr_assert_not(testcase_taken(buf_str((buf_append_str(&text, "}"), &text))).is_crowded);
    buf_clear(&text);
    append_members(&text, JSON_GATE_VALUES_MAX);
    cr_assert(testcase_taken(buf_str((buf_append_str(&text, "}"), &text))).is_crowded);

    for (size_t i = 0; i < array_length(starts); i++)
        for (int more = 0; more <= 1; more++) {
            buf_clear(&text);
            buf_append_str(&text, starts[i]);
            for (int item = others[i]; item < JSON_GATE_VALUES_MAX + more; item++)
                buf_append_str(&text, item > others[i] ? ",0" : "0");
            buf_append_str(&text, ends[i]);
            cr_assert_eq(testcase_taken(buf_str(&text)).is_crowded, more == 1);
        }
}

Test(json_gate, a_crowded_document_must_be_json_to_its_end)
{
    cleanup(buf_release) struct buf text = BUF_INIT(1 << 24);

    append_members(&text, 1000 * 1000);
    testcase_refused(buf_str(&text), text.length, text.length);
    buf_append_str(&text, "}");
    cr_assert(testcase_taken(buf_str(&text)).is_crowded);
    buf_append_str(&text, "}");
    testcase_refused(buf_str(&text), text.length, text.length - 1);
}

/* Of so many no table of a bounded size can tell; no parser sees them. */
Test(json_gate, names_of_a_crowded_document_are_compared_as_far_as_its_limit)
{
    cleanup(buf_release) struct buf text = BUF_INIT(1 << 20);
    size_t second;

    append_members(&text, JSON_GATE_VALUES_MAX);
    buf_append_str(&text, ",\"twice\":0,\"twice\":0}");
    cr_assert(testcase_taken(buf_str(&text)).is_crowded);

    buf_clear(&text);
    buf_append_str(&text, "{\"twice\":0,");
    second = text.length;
    buf_append_str(&text, "\"twice\":[0");
    for (int i = 0; i < JSON_GATE_VALUES_MAX; i++)
        buf_append_str(&text, ",0");
    buf_append_str(&text, "]}");
    testcase_refused(buf_str(&text), text.length, second);
}

Test(json_gate, a_nest_of_any_depth_ends_at_the_limit)
{
    cleanup(buf_release) struct buf text = BUF_INIT(1 << 20);

    for (int i = 0; i < 100 * 1000; i++)
        buf_append_str(&text, i % 2 == 0 ? "[" : "{\"a\":");
    testcase_refused(buf_str(&text), text.length, 8 * 6);
}

Test(json_gate, a_number_may_have_ten_thousand_digits)
{
    cleanup(buf_release) struct buf text = BUF_INIT(1 << 20);

    buf_append_str(&text, "[-");
    for (int part = 0; part < 3; part++) {
        for (int i = 0; i < 10 * 1000; i++)
            buf_append_str(&text, "7");
        buf_append_str(&text, part == 0 ? "." : part == 1 ? "e-" : "]");
    }
    testcase_taken(buf_str(&text));
}

Test(json_gate, tells_an_object_from_the_rest_and_finds_an_escaped_nul)
{
    struct json_facts facts = testcase_taken(" {\"a\":\"x\\u0000y\"}");

    cr_assert(facts.is_object);
    cr_assert(facts.nul_inside);
    cr_assert_eq(facts.nul_offset, 8);
    cr_assert_not(facts.nul_in_name);
    facts = testcase_taken("{\"a\\u0000\":1}");
    cr_assert(facts.nul_inside);
    cr_assert(facts.nul_in_name);
    facts = testcase_taken("{\"a\":\"\\u0000\",\"b\\u0000\":\"c\"}");
    cr_assert(facts.nul_in_name);
    cr_assert_eq(facts.nul_offset, 6);
    facts = testcase_taken("[{}]");
    cr_assert_not(facts.is_object);
    cr_assert_not(facts.nul_inside);
    cr_assert_not(testcase_taken("\"\\\\u0000\"").nul_inside, "an escaped backslash is no escape");
}

/* Every text cut at every byte, and with every byte changed, is judged without a read past its end. */
Test(json_gate, a_byte_order_mark_is_named)
{
    struct json_facts facts;
    struct json_fault fault = {SIZE_MAX, NULL};

    cr_assert_not(json_gate("\xef\xbb\xbf{}", 5, &facts, &fault));
    cr_assert_eq(fault.offset, 0);
    cr_assert_not_null(strstr(fault.reason, "byte order mark"), "%s", fault.reason);
}

Test(json_gate, reads_no_byte_past_the_end)
{
    static const char text[] = "{\"a\":[1.5e3,true,\"\\ud83d\\ude00é😀\\n\",null],\"b\":{\"c\":-0}}";
    struct json_facts facts;
    struct json_fault fault;

    for (size_t size = 0; size < sizeof text; size++) {
        cleanup(free_ptr) char *copy = malloc(size > 0 ? size : 1);

        memcpy(copy, text, size);
        cr_assert_eq(json_gate(copy, size, &facts, &fault), size == sizeof text - 1);
        for (size_t i = 0; i < size; i++)
            for (int bit = 0; bit < 8; bit++) {
                copy[i] ^= (char)(1 << bit);
                json_gate(copy, size, &facts, &fault);
                copy[i] ^= (char)(1 << bit);
            }
    }
}
