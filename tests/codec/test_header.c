/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/header.h"

#include <limits.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"

/* count times c, as a string that lasts until the next call. */
static const char *repeated(char c, size_t count)
{
    static char text[512];

    memset(text, c, count);
    text[count] = '\0';
    return text;
}

Test(header, a_request_id_is_1_to_64_of_its_alphabet)
{
    static const char *const wrong[] = {"", " a", "a ", "a b", "a/b", "a,b", "é", "a\nb", "a\"b"};

    cr_assert(header_is_request_id("azAZ09._-"));
    cr_assert(header_is_request_id(repeated('a', 64)));
    cr_assert_not(header_is_request_id(repeated('a', 65)));
    for (size_t i = 0; i < array_length(wrong); i++)
        cr_assert_not(header_is_request_id(wrong[i]), "took '%s'", wrong[i]);
}

Test(header, an_idempotency_key_is_the_same_bare_and_quoted)
{
    static const char *const pairs[][2] = {
        {"8e03978e-40d5", "8e03978e-40d5"},
        {"\"8e03978e-40d5\"", "8e03978e-40d5"},
        {"\"a \\\"b\\\" \\\\ c\"", "a \"b\" \\ c"},
        {"a\\b", "a\\b"},
        {"order 17, the second", "order 17, the second"},
        {"\" \"", " "},
        {"~", "~"},
    };
    char key[HEADER_IDEMPOTENCY_KEY_SIZE];

    for (size_t i = 0; i < array_length(pairs); i++) {
        cr_assert(header_idempotency_key(pairs[i][0], key), "%s", pairs[i][0]);
        cr_assert_str_eq(key, pairs[i][1]);
    }
    cr_assert(header_idempotency_key(repeated('k', 255), key));
    cr_assert_eq(strlen(key), 255);
}

Test(header, what_is_no_idempotency_key_is_refused)
{
    static const char *const wrong[] = {
        "",         "\"",     "\"\"",      "\"a",          "a\"",       "a\"b",
        "\"a\"b",   "\"a\" ", "\"a\";p=1", "\"a\", \"b\"", "\"a\\",     "\"a\\\"",
        "\"a\\n\"", "é",      "\"é\"",     "a\tb",         "\"a\x7F\"", "a\x01",
    };
    char key[HEADER_IDEMPOTENCY_KEY_SIZE] = "untouched";

    for (size_t i = 0; i < array_length(wrong); i++)
        cr_assert_not(header_idempotency_key(wrong[i], key), "took '%s' as '%s'", wrong[i], key);
    cr_assert_not(header_idempotency_key(repeated('k', 256), key));
    cr_assert_str_eq(key, "untouched");
}

Test(header, a_quoted_idempotency_key_is_measured_without_its_quotes)
{
    char value[300], key[HEADER_IDEMPOTENCY_KEY_SIZE];
    size_t length;

    value[0] = '"';
    memset(value + 1, 'k', 255);
    memcpy(value + 256, "\"", 2);
    cr_assert(header_idempotency_key(value, key));
    length = strlen(key);
    cr_assert_eq(length, 255);
    memcpy(value + 256, "k\"", 3);
    cr_assert_not(header_idempotency_key(value, key));
}

Test(header, prefer_wait_is_found_among_preferences)
{
    static const struct {
        const char *value;
        int seconds;
    } cases[] = {
        {"wait=10", 10},
        {"WAIT = 7", 7},
        {"wait=\"10\"", 10},
        {"respond-async, wait=30; x=1", 30},
        {"respond-async; y=\"a, wait=3\", ,wait=5", 5},
        {"wait=1, wait=2", 1},
        {"wait=0", 0},
        {"wait=007", 7},
        {"wait=2147483647", INT_MAX},
        {"wait=2147483648", INT_MAX},
        {"wait=99999999999999999999999999", INT_MAX},
        {"handling=lenient,\twait=2", 2},
    };

    for (size_t i = 0; i < array_length(cases); i++) {
        int seconds = -1;

        cr_assert(header_prefer_wait(cases[i].value, &seconds), "%s", cases[i].value);
        cr_assert_eq(seconds, cases[i].seconds, "%s: %d", cases[i].value, seconds);
    }
}

Test(header, a_wait_that_is_not_understood_is_passed_over)
{
    static const char *const wrong[] = {
        "",        ",",       "wait",       "wait=",    "wait=\"\"",     "wait=-1",  "wait=1.5", "wait=ten",
        "wait=1s", "waits=1", "x=\"wait=1", "x;wait=1", "respond-async", "wait=\"1", "=1",       "\"wait=1\"",
    };

    for (size_t i = 0; i < array_length(wrong); i++) {
        int seconds = -1;

        cr_assert_not(header_prefer_wait(wrong[i], &seconds), "%s", wrong[i]);
        cr_assert_eq(seconds, -1);
    }
}

Test(header, an_entity_tag_is_found_in_a_list_by_weak_comparison)
{
    static const char *const matching[] = {
        "\"abc\"",           "W/\"abc\"", "  \"abc\"  ", "\"x\", \"abc\"",   "\"x\",W/\"abc\"",
        ",, \"x\" ,\"abc\"", "*",         " * ",         "\"a,b\", \"abc\"", "\"abc\", nonsense",
        "\"\", \"abc\"",
    };
    static const char *const others[] = {
        "",
        "abc",
        "\"abc",
        "\"ab\"",
        "\"abcd\"",
        "\"ABC\"",
        "w/\"abc\"",
        "W/ \"abc\"",
        "\"x\" \"abc\"",
        "*, \"x\"",
        "**",
        "nonsense, \"abc\"",
        "\"\\\"abc\\\"\"",
        "\"x,\"abc\"",
    };

    for (size_t i = 0; i < array_length(matching); i++) {
        cr_assert(header_etag_matches(matching[i], "\"abc\""), "%s", matching[i]);
        cr_assert(header_etag_matches(matching[i], "W/\"abc\""), "%s", matching[i]);
    }
    for (size_t i = 0; i < array_length(others); i++)
        cr_assert_not(header_etag_matches(others[i], "\"abc\""), "%s", others[i]);
}

Test(header, the_most_specific_range_decides_what_is_accepted)
{
    static const char *const accepting[] = {
        "application/json",
        "APPLICATION/JSON; charset=utf-8",
        "*/*",
        "application/*;q=0.1",
        "text/html, application/json;q=0.001",
        "text/html, image/gif, *; q=.2, */*; q=.2",
        "*/*;q=0, application/json",
        "application/*;q=0, application/json;q=0.5",
        "application/json;q=0, application/json;v=2",
        "application/json;q=nonsense",
        "application/json;q",
        "application/json;x=\"a, b;q=0\"",
        "",
        " , ",
    };
    static const char *const refusing[] = {
        "text/html",
        "application/json;q=0",
        "application/json;Q=0.000",
        "application/json ; q = 0",
        "*/*, application/json;q=0",
        "*/*, application/*;q=0",
        "application/jsonx",
        "application/json-seq, application/problem+json",
        "text/*",
        "nonsense",
        "text/html;x=\", application/json",
    };

    cr_assert(header_accepts(NULL, "application/json"));
    for (size_t i = 0; i < array_length(accepting); i++)
        cr_assert(header_accepts(accepting[i], "application/json"), "%s", accepting[i]);
    for (size_t i = 0; i < array_length(refusing); i++)
        cr_assert_not(header_accepts(refusing[i], "application/json"), "%s", refusing[i]);
}

Test(header, json_is_application_json_in_utf_8)
{
    static const char *const right[] = {
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        "application/json;charset=\"UTF-8\"",
        "application/json ; v=1;",
    };
    static const char *const wrong[] = {
        "",
        "text/json",
        "application/jsonp",
        "application/json+x",
        "application/json; charset=utf-16",
        "application/json; charset=latin1",
        "application/json; charset=",
        "application/json, text/html",
        "application/json x",
        "application/problem+json",
        "application/json; v=1; charset=ascii",
        "application/x-www-form-urlencoded",
        "application/json; charset=\"utf-8",
    };

    for (size_t i = 0; i < array_length(right); i++)
        cr_assert(header_is_json(right[i]), "%s", right[i]);
    for (size_t i = 0; i < array_length(wrong); i++)
        cr_assert_not(header_is_json(wrong[i]), "%s", wrong[i]);
}

Test(header, a_bearer_token_follows_its_scheme)
{
    static const char *const wrong[] = {"",         "Bearer",      "Bearer ",     "Basic YTpi",
                                        "Bearersk", "Bearer\tsk",  "Bearer sk 2", "Bearer \"sk\"",
                                        "Bearer =", "Bearer sk=a", "Bearer é"};

    cr_assert_str_eq(header_bearer("Bearer sk_1-2.3~4+5/6=="), "sk_1-2.3~4+5/6==");
    cr_assert_str_eq(header_bearer("bEARER   sk"), "sk");
    for (size_t i = 0; i < array_length(wrong); i++)
        cr_assert_null(header_bearer(wrong[i]), "%s", wrong[i]);
}
